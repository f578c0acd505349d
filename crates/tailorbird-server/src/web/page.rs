//! What surrounds every page, and how a page becomes an answer.

use askama::Template;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::{HeaderValue, StatusCode, header};
use tailorbird_app::AppError;
use tailorbird_model::codes;

use super::filters;
use super::kept::Kept;
use super::visit::Visit;

/// What a page may load and do: its own style sheets and scripts, and nothing else. No inline script or style runs,
/// whatever a record says.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The frame of a page.
#[derive(Debug, Clone)]
pub(super) struct Chrome {
    /// The document's title.
    pub title: String,
    /// Which entry of the navigation is current.
    pub section: &'static str,
    /// `auto`, `light` or `dark`.
    pub theme: &'static str,
    /// What this session's forms carry.
    pub form_token: String,
    /// Path and query of the page, to come back to.
    pub here: String,
    /// Deliveries in doubt.
    pub in_doubt: u64,
    /// Approvals that wait.
    pub approvals: u64,
    /// Whether the visitor manages people and the home.
    pub administers: bool,
    /// What just happened.
    pub said: Option<String>,
}

/// A page with status 200.
pub(super) fn show(page: &impl Template) -> Response {
    show_with(StatusCode::OK, page)
}

/// A page with a status of its own.
pub(super) fn show_with(status: StatusCode, page: &impl Template) -> Response {
    let html = match page.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page was not rendered");
            return (StatusCode::INTERNAL_SERVER_ERROR, "the page could not be made\n").into_response();
        }
    };
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not `no-referrer`: a browser would then send our own forms with `Origin: null`.
        (header::REFERRER_POLICY, "same-origin"),
        // What is shown belongs to whoever is signed in, and is old a moment later.
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Goes on to another page after a form was accepted, so that loading again does nothing twice.
pub(super) fn go(path: &str) -> Response {
    Redirect::to(path).into_response()
}

/// A failure as a page.
#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    chrome: Chrome,
    code: String,
    message: String,
    detail: String,
    hint: String,
    problems: Vec<String>,
}

/// A form of a session that has ended, to be sent again.
#[derive(Template)]
#[template(path = "kept.html")]
struct KeptPage {
    chrome: Chrome,
    kept: Kept,
}

/// Shows what was typed into a form of another session, to be sent again in this one.
pub(super) fn of_another_session(visit: &Visit, kept: Kept) -> Response {
    let chrome = visit.chrome("Send it again", "");
    show_with(StatusCode::FORBIDDEN, &KeptPage { chrome, kept })
}

/// Shows why something could not be done.
pub(super) fn failed(visit: &Visit, section: &'static str, error: AppError) -> Response {
    let status = match error.failure.code.as_str() {
        codes::RUN_UNKNOWN
        | codes::TASK_UNKNOWN
        | codes::CONNECTION_UNKNOWN
        | codes::DATABASE_UNKNOWN
        | codes::DELIVERY_UNKNOWN
        | codes::APPROVAL_UNKNOWN => StatusCode::NOT_FOUND,
        codes::TRANSITION | codes::APPROVAL_DECIDED | codes::TASK_OVERTAKEN => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    refused(visit, section, status, error)
}

/// As [`failed`], with a status of one's own.
pub(super) fn refused(visit: &Visit, section: &'static str, status: StatusCode, error: AppError) -> Response {
    let failure = error.failure;
    show_with(
        status,
        &FailurePage {
            chrome: visit.chrome("Not done", section),
            code: failure.code,
            message: failure.message,
            detail: failure.detail,
            hint: failure.hint,
            problems: error
                .problems
                .iter()
                .map(|(file, problem)| format!("{file}: {problem}"))
                .collect(),
        },
    )
}
