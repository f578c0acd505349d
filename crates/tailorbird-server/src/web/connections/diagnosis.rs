//! Why the provider refuses: what it said, what was signed step by step, the likely cause, one button for what to do.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use tailorbird_app::{App, AppError, Diagnosis, Finding};
use tailorbird_model::{Name, codes};

use super::frame::Frame;
use super::named;
use super::request::RequestView;
use super::words::in_browser;
use crate::server::Shared;
use crate::web::filters;
use crate::web::form::Form;
use crate::web::look;
use crate::web::page::{Chrome, failed, show as show_page};
use crate::web::visit::Visit;

/// The delivery whose refusal is looked into; none for the connection as a whole.
#[derive(Deserialize)]
pub(in crate::web) struct Asked {
    #[serde(default)]
    delivery: String,
}

#[derive(Template)]
#[template(path = "connections/diagnosis.html")]
struct Page {
    chrome: Chrome,
    frame: Frame,
    delivery: String,
    found: Option<Found>,
}

struct Found {
    works: bool,
    findings: Vec<FindingView>,
    tried: Vec<String>,
    refused: Option<RefusedView>,
}

struct FindingView {
    code: &'static str,
    cause: String,
    proof: String,
    next_step: String,
    certain: bool,
    action: Option<Action>,
}

/// What to press next.
#[derive(Clone)]
struct Action {
    words: &'static str,
    link: String,
}

struct RefusedView {
    request: RequestView,
    status: Option<u16>,
    said: Option<String>,
}

/// The one button for a cause.
fn action(name: &Name, code: &str, lacks_only_token: bool) -> Option<Action> {
    let tab = |tab: &str| format!("/connections/{name}?tab={tab}");
    let wizard = format!("/connections/{name}/authorize?screen=1");
    let (words, link) = match code {
        codes::CONNECTION_INCOMPLETE if lacks_only_token => ("Get access token and secret", wizard),
        codes::CONNECTION_INCOMPLETE | codes::CREDENTIALS_UNUSABLE | codes::SIGNATURE_REFUSED => {
            ("Give the keys anew", tab("auth"))
        }
        codes::TOKEN_REFUSED | codes::LEVEL_TOO_LOW | codes::AUTHORIZATION_EXPIRED => {
            ("Authorise again", wizard)
        }
        codes::AUTHORIZE_URL_WRONG => ("Set the addresses", tab("auth")),
        codes::CONNECTION_SETTING | codes::ADDRESS_REFUSED | codes::PROVIDER_UNREACHABLE => {
            ("Look at the root URL", tab("root"))
        }
        _ => return None,
    };
    Some(Action { words, link })
}

fn finding(name: &Name, lacks_only_token: bool, finding: &Finding) -> FindingView {
    FindingView {
        action: action(name, finding.code, lacks_only_token),
        code: finding.code,
        cause: in_browser(&finding.cause),
        proof: in_browser(&finding.proof),
        next_step: in_browser(&finding.next_step),
        certain: finding.certain,
    }
}

fn page_of(
    app: &App,
    name: &Name,
    chrome: Chrome,
    delivery: String,
    diagnosis: Option<Diagnosis>,
) -> Result<Page, AppError> {
    let missing = app.connection(name)?.missing_fields;
    let lacks_only_token = missing.iter().all(|field| *field == "token");
    Ok(Page {
        chrome,
        frame: Frame::of(app, name, "test")?,
        delivery,
        found: diagnosis.map(|diagnosis| Found {
            works: diagnosis.works,
            findings: diagnosis
                .findings
                .iter()
                .map(|found| finding(name, lacks_only_token, found))
                .collect(),
            tried: diagnosis.tried,
            refused: diagnosis.refused.map(|refused| RefusedView {
                request: RequestView::from(refused.shown),
                status: refused.failure.status,
                said: refused.failure.provider_message.clone(),
            }),
        }),
    })
}

/// `GET /connections/{name}/diagnose`: says what will be asked.
pub(in crate::web) async fn diagnosis(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    render(&shared, &visit, &name, asked.delivery, None).await
}

async fn render(
    shared: &Shared,
    visit: &Visit,
    name: &str,
    delivery: String,
    diagnosis: Option<Diagnosis>,
) -> Response {
    let chrome = visit.chrome("Why it is refused", "connections");
    let name = match named(name) {
        Ok(name) => name,
        Err(error) => return failed(visit, "connections", error),
    };
    match look(shared, move |app| {
        page_of(app, &name, chrome, delivery, diagnosis)
    })
    .await
    {
        Ok(page) => show_page(&page),
        Err(error) => failed(visit, "connections", error),
    }
}

/// `POST /connections/{name}/diagnose`: asks the provider, by safe requests only.
pub(in crate::web) async fn diagnose(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    form: Form,
) -> Response {
    let delivery = form.get("delivery").to_owned();
    let found = async {
        if delivery.is_empty() {
            visit.app().diagnose_connection(&named(&name)?).await
        } else {
            visit.app().diagnose_delivery(&delivery).await
        }
    };
    match found.await {
        Ok(diagnosis) => render(&shared, &visit, &name, delivery, Some(diagnosis)).await,
        Err(error) => failed(&visit, "connections", error),
    }
}
