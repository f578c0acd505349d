//! Deliveries as a file for a spreadsheet: all that fit a search, however many, a page at a time.

use std::ops::ControlFlow;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::{StatusCode, header};
use tailorbird_app::{App, AppError, DeliveryFilter};
use tailorbird_model::delivery::Delivery;
use tokio::sync::mpsc;

use super::deliveries::Asked;
use crate::problem::Problem;
use crate::server::Shared;

/// Rows of one file; beyond it the last row says so. A spreadsheet takes a million.
const MAX_ROWS: usize = 5_000_000;

/// Pages that wait between the ledger and the browser.
const PAGES_AHEAD: usize = 2;

/// What spreadsheets need to know that the file is UTF-8.
const MARK: &[u8] = "\u{feff}".as_bytes();

const COLUMNS: [&str; 15] = [
    "id",
    "key",
    "state",
    "task",
    "step",
    "connection",
    "operation",
    "run",
    "attempts",
    "delivered_at",
    "updated_at",
    "result",
    "code",
    "failure",
    "provider_said",
];

type Page = Result<Bytes, String>;

/// `GET /deliveries.csv`, with the search of the page in its query.
pub(super) async fn csv(State(shared): State<Shared>, Query(asked): Query<Asked>) -> Response {
    // An export reads for minutes; it takes one of the places of the pages that stay open.
    let Ok(place) = shared.streams().try_acquire_owned() else {
        return Problem::form(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many exports and open pages at once; try again in a minute",
        )
        .into_response();
    };
    let app = shared.program().clone();
    let name = format!("deliveries-{}.csv", app.now().strftime("%Y-%m-%d"));
    let filter = DeliveryFilter {
        limit: Some(MAX_ROWS + 1),
        ..asked.filter()
    };
    let (to, from) = mpsc::channel::<Page>(PAGES_AHEAD);
    tokio::task::spawn_blocking(move || {
        let _place = place;
        if let Err(error) = write(&app, &filter, MAX_ROWS, &to) {
            tracing::error!(error = %error.failure, "an export of deliveries was cut off");
            // The browser then shows a download that failed, and no whole file.
            drop(to.blocking_send(Err(error.failure.to_string())));
        }
    });
    let pages = stream::unfold(from, |mut from| async move {
        let page = from.recv().await?;
        Some((page, from))
    });
    (
        [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"{name}\""),
            ),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
            (header::CACHE_CONTROL, "no-store".to_owned()),
        ],
        Body::from_stream(pages),
    )
        .into_response()
}

/// Writes all that fit, until nobody reads any more.
fn write(app: &App, filter: &DeliveryFilter, most: usize, to: &mpsc::Sender<Page>) -> Result<(), AppError> {
    let first = [MARK, &lines([COLUMNS.map(str::to_owned).to_vec()])].concat();
    if to.blocking_send(Ok(first.into())).is_err() {
        return Ok(());
    }
    let mut left = most;
    app.each_page_of_deliveries(filter, &mut |page| {
        let is_more = page.len() > left;
        let rows = page.iter().take(left).map(row);
        let end = is_more.then(|| vec![format!("… more than {most} rows: narrow the search")]);
        left = left.saturating_sub(page.len());
        let sent = to.blocking_send(Ok(lines(rows.chain(end)).into()));
        if sent.is_err() || is_more {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
}

fn row(delivery: &Delivery) -> Vec<String> {
    let failure = delivery.failure.as_ref();
    let time = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    vec![
        delivery.id.to_string(),
        delivery.identity.key.to_string(),
        delivery.state.as_str().to_owned(),
        delivery.identity.task.to_string(),
        delivery.identity.step.to_string(),
        delivery.connection.to_string(),
        delivery.operation.to_string(),
        delivery.run.0.clone(),
        delivery.attempts.to_string(),
        time(delivery.delivered_at),
        time(Some(delivery.updated_at)),
        delivery
            .result
            .as_ref()
            .map(|result| result.to_json().to_string())
            .unwrap_or_default(),
        failure.map(|failure| failure.code.clone()).unwrap_or_default(),
        failure.map(|failure| failure.message.clone()).unwrap_or_default(),
        failure
            .and_then(|failure| failure.provider_message.clone())
            .unwrap_or_default(),
    ]
}

/// Rows as lines of CSV (RFC 4180).
fn lines(rows: impl IntoIterator<Item = Vec<String>>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        let cells = row.iter().map(|cell| harmless(cell));
        if let Err(error) = writer.write_record(cells) {
            // Memory does not refuse a write.
            tracing::error!(%error, "a row was not written");
        }
    }
    writer.into_inner().unwrap_or_default()
}

/// A cell that no spreadsheet takes for a formula: a key or an answer comes from outside.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        let text = |cells: &[&str]| {
            let row = cells.iter().map(|cell| (*cell).to_owned()).collect();
            String::from_utf8(lines([row])).unwrap()
        };
        assert_eq!(text(&["a", "b,c", "d\"e", ""]), "a,\"b,c\",\"d\"\"e\",\r\n");
        assert_eq!(
            text(&["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\tx", "a=b"]),
            "'=cmd|' /C calc'!A0,'+1,'-1,'@x,'\tx,a=b\r\n"
        );
    }
}
