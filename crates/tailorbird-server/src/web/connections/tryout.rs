//! Testing a connection, and trying an operation: the request as it will be sent, the answer, the records in it.

mod asked;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use tailorbird_app::{App, AppError, Call, Tested, Tried};
use tailorbird_model::{Name, Record, Value};

use self::asked::{OperationChoice, Pane, call_of, pane_of};
use super::frame::{Account, Frame};
use super::request::{RequestView, pretty};
use super::{Verdict, named};
use crate::server::Shared;
use crate::web::filters;
use crate::web::form::Form;
use crate::web::look;
use crate::web::page::{Chrome, failed, show_with};
use crate::web::view::{Badge, grouped, plural};
use crate::web::visit::Visit;

/// Records that a page shows.
const ROWS: usize = 50;

/// Columns that a page shows.
const COLUMNS: usize = 24;

/// Characters of a cell.
const CELL: usize = 160;

/// Which operation is tried.
#[derive(Deserialize, Default)]
pub(in crate::web) struct Asked {
    #[serde(default)]
    operation: String,
}

#[derive(Template)]
#[template(path = "connections/test.html")]
struct Page {
    chrome: Chrome,
    frame: Frame,
    tested: Option<TestedView>,
    verdict: Option<Verdict>,
    operations: Vec<OperationChoice>,
    pane: Option<Pane>,
    preview: Option<RequestView>,
    /// The number of a form that sends what changes something.
    confirm: Option<u64>,
    outcome: Option<Outcome>,
}

struct TestedView {
    account: Option<Account>,
    level: Option<String>,
    notes: Vec<String>,
}

/// What came back.
struct Outcome {
    status: Option<u16>,
    badge: Badge,
    headers: Vec<(String, String)>,
    body: String,
    failure: Option<Verdict>,
    notes: Vec<String>,
    request: Option<RequestView>,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    records: String,
}

/// What a page is made of besides what is stored.
#[derive(Default)]
struct Shown {
    operation: String,
    form: Option<Form>,
    tested: Option<Result<Tested, AppError>>,
    refused: Option<AppError>,
    preview: Option<RequestView>,
    confirm: Option<u64>,
    outcome: Option<Outcome>,
}

fn page_of(app: &App, name: &Name, chrome: Chrome, shown: Shown) -> Result<Page, AppError> {
    let service = app.connection_service(name)?;
    let frame = Frame::of(app, name, "test")?;
    let (tested, verdict) = match shown.tested {
        Some(Ok(tested)) => (
            Some(TestedView {
                account: tested.account.as_ref().map(Account::of),
                level: tested.level_words.or(tested.level),
                notes: tested.notes,
            }),
            None,
        ),
        Some(Err(error)) => (None, Some(Verdict::of_failure(&error.failure))),
        None => (None, None),
    };
    let mut pane = pane_of(&service, &shown.operation, shown.form.as_ref());
    let mut verdict = verdict;
    if let Some(error) = shown.refused {
        let words = super::editor::sentence(
            &[
                error.failure.message.as_str(),
                &error.failure.detail,
                &error.failure.hint,
            ]
            .join(". "),
        );
        let left = match &mut pane {
            Some(pane) => pane.refuse(&error.failure.message, words),
            None => Some(words),
        };
        if left.is_some() {
            verdict = Some(Verdict::of_failure(&error.failure));
        }
    }
    Ok(Page {
        operations: asked::choices(&service, &shown.operation),
        chrome,
        frame,
        tested,
        verdict,
        pane,
        preview: shown.preview,
        confirm: shown.confirm,
        outcome: shown.outcome,
    })
}

async fn render(shared: &Shared, visit: &Visit, name: &str, status: StatusCode, shown: Shown) -> Response {
    let name = match named(name) {
        Ok(name) => name,
        Err(error) => return failed(visit, "connections", error),
    };
    let chrome = visit.chrome(&format!("Test {name}"), "connections");
    match look(shared, move |app| page_of(app, &name, chrome, shown)).await {
        Ok(page) => show_with(status, &page),
        Err(error) => failed(visit, "connections", error),
    }
}

/// The tab without anything tried.
pub(super) async fn show_tab(shared: &Shared, visit: &Visit, name: &str) -> Response {
    render(shared, visit, name, StatusCode::OK, Shown::default()).await
}

/// `POST /connections/{name}/test`: asks the provider whose account it is. It changes nothing there, so the answer is
/// shown at once.
pub(in crate::web) async fn test(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    _form: Form,
) -> Response {
    let tested = async { visit.app().test_connection(&named(&name)?).await };
    let shown = Shown {
        tested: Some(tested.await),
        ..Shown::default()
    };
    render(&shared, &visit, &name, StatusCode::OK, shown).await
}

/// `GET /connections/{name}/try?operation=…`: the form of an operation.
pub(in crate::web) async fn try_it(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let shown = Shown {
        operation: asked.operation,
        ..Shown::default()
    };
    render(&shared, &visit, &name, StatusCode::OK, shown).await
}

/// `POST /connections/{name}/try`: shows the request, or sends it. What changes something at the provider is sent only
/// after its request was shown, and once.
pub(in crate::web) async fn try_out(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    form: Form,
) -> Response {
    let mut shown = Shown {
        operation: form.get("operation").to_owned(),
        form: Some(form.clone()),
        ..Shown::default()
    };
    match tried(&shared, &visit, &name, &form, &mut shown).await {
        Ok(()) => render(&shared, &visit, &name, StatusCode::OK, shown).await,
        Err(error) => {
            shown.refused = Some(error);
            render(&shared, &visit, &name, StatusCode::UNPROCESSABLE_ENTITY, shown).await
        }
    }
}

async fn tried(
    shared: &Shared,
    visit: &Visit,
    name: &str,
    form: &Form,
    shown: &mut Shown,
) -> Result<(), AppError> {
    let app = visit.app();
    let name = named(name)?;
    let service = app.connection_service(&name)?;
    let call: Call = call_of(&name, &service, form)?;
    let changes = app.call_changes(&call)?;
    let wants_to_send = form.get("do") == "send";
    let may_send = wants_to_send && (!changes || shared.once().take(form.get("once")));
    if !may_send {
        shown.preview = app.call_shown(&call)?.map(RequestView::from);
        shown.confirm = (changes && wants_to_send).then(|| shared.once().open());
        return Ok(());
    }
    let pages = form.get("pages").parse().unwrap_or(1);
    shown.outcome = Some(outcome(app.try_call(&call, pages).await?));
    Ok(())
}

fn outcome(tried: Tried) -> Outcome {
    let answer = tried.answer;
    let badge = match (answer.status, &answer.failure) {
        (_, None) => Badge::new("ok", "●", "answered"),
        (Some(_), Some(_)) => Badge::new("bad", "✕", "refused"),
        (None, Some(_)) => Badge::new("doubt", "◆", "no answer"),
    };
    let headers = match answer.headers {
        serde_json::Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                (
                    name,
                    value.as_str().map_or_else(|| value.to_string(), str::to_owned),
                )
            })
            .collect(),
        _ => Vec::new(),
    };
    let body = match &answer.body {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => pretty(text),
        json => pretty(&json.to_string()),
    };
    let columns = columns_of(&tried.records);
    let count = u64::try_from(tried.records.len()).unwrap_or(u64::MAX);
    let more = if tried.more { ", and there are more" } else { "" };
    let shown_of = if tried.records.len() > ROWS {
        format!("; the first {ROWS} are shown")
    } else {
        String::new()
    };
    Outcome {
        status: answer.status,
        badge,
        headers,
        body,
        failure: answer.failure.as_ref().map(Verdict::of_failure),
        notes: answer.notes,
        request: tried.shown.map(RequestView::from),
        rows: tried
            .records
            .iter()
            .take(ROWS)
            .map(|record| row(record, &columns))
            .collect(),
        columns,
        records: if count == 0 {
            String::new()
        } else {
            format!(
                "{} {} on {}{more}{shown_of}",
                grouped(count),
                if count == 1 { "record" } else { "records" },
                plural(tried.pages.into(), "page", "pages")
            )
        },
    }
}

/// The columns of all records, in the order in which they come up.
fn columns_of(records: &[Record]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for (name, _) in records.iter().flat_map(Record::iter) {
        if columns.len() < COLUMNS && !columns.iter().any(|known| known == name) {
            columns.push(name.to_owned());
        }
    }
    columns
}

fn row(record: &Record, columns: &[String]) -> Vec<String> {
    let text = |name: &String| {
        let text = record
            .get(name)
            .filter(|value| !value.is_null())
            .map(Value::to_string)
            .unwrap_or_default();
        if text.chars().count() > CELL {
            text.chars().take(CELL).chain(['…']).collect()
        } else {
            text
        }
    };
    columns.iter().map(text).collect()
}
