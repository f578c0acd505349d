//! The ledger as a whole: whether anybody changed it past this program.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use tailorbird_app::{AppError, Verified, noted_link};

use super::filters;
use super::form::Form;
use super::look;
use super::page::{Chrome, failed, show as show_page};
use super::view::grouped;
use super::visit::Visit;
use crate::server::Shared;

#[derive(Template)]
#[template(path = "ledger.html")]
struct Page {
    chrome: Chrome,
    noted: String,
    /// Why what was typed is no link.
    problem: Option<String>,
    found: Option<Found>,
}

/// What a check found.
struct Found {
    links: String,
    deliveries: String,
    head: Option<String>,
    compared: bool,
    misfits: Vec<String>,
    more: Option<String>,
    /// What happened and what to do, where something does not fit.
    failure: Option<(String, String)>,
}

fn found(verified: Verified, compared: bool) -> Found {
    let report = &verified.report;
    let named = u64::try_from(verified.misfits.len()).unwrap_or(u64::MAX);
    let more = report.misfits.saturating_sub(named);
    Found {
        links: grouped(report.links),
        deliveries: grouped(report.deliveries),
        head: report
            .head
            .as_ref()
            .map(|head| format!("{}:{}", head.number, head.mac)),
        compared,
        misfits: verified.misfits.into_iter().map(|line| line.text).collect(),
        more: (more > 0).then(|| grouped(more)),
        failure: verified.failure.map(|failure| {
            let more = format!("{} {}", failure.detail, failure.hint);
            (format!("{} [{}]", failure.message, failure.code), more)
        }),
    }
}

/// `GET /ledger`.
pub(super) async fn show(Extension(visit): Extension<Visit>) -> Response {
    show_page(&Page {
        chrome: visit.chrome("Check the ledger", "deliveries"),
        noted: String::new(),
        problem: None,
        found: None,
    })
}

/// `POST /ledger`: goes through all of it. It changes nothing, so what it found is shown at once.
pub(super) async fn verify(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    form: Form,
) -> Response {
    let mut page = Page {
        chrome: visit.chrome("Check the ledger", "deliveries"),
        noted: form.get("noted").to_owned(),
        problem: None,
        found: None,
    };
    let noted = match Some(form.get("noted"))
        .filter(|text| !text.is_empty())
        .map(noted_link)
    {
        Some(Err(AppError { failure, .. })) => {
            page.problem = Some(format!(
                "{}. Leave it empty where you noted none.",
                failure.message
            ));
            return show_page(&page);
        }
        Some(Ok(head)) => Some(head),
        None => None,
    };
    let compared = noted.is_some();
    match look(&shared, move |app| {
        app.verify_ledger(noted.as_ref(), &mut |_, _| {})
    })
    .await
    {
        Ok(verified) => {
            page.found = Some(found(verified, compared));
            show_page(&page)
        }
        Err(error) => failed(&visit, "deliveries", error),
    }
}
