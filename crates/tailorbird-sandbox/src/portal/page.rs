//! What surrounds every page, and how a page becomes an answer.

use askama::Template;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::StatusCode;

use super::problem::Problem;
use super::view::{Notice, Who};

/// The frame of a page.
#[derive(Debug, Clone)]
pub(super) struct Chrome {
    /// The document's title.
    pub title: String,
    /// Which entry of the navigation is current; empty for none.
    pub section: &'static str,
    /// `auto`, `light` or `dark`.
    pub theme: &'static str,
    /// Who is signed in.
    pub who: Option<Who>,
    /// The token of this session's forms.
    pub csrf: String,
    /// Path and query of the page, to come back to.
    pub here: String,
    /// Whether the theme can be switched here. Not on the answer to a form: without script the switch loads the
    /// page anew, and what was typed, or a PIN, would be lost.
    pub can_switch: bool,
    /// What just happened.
    pub notice: Option<Notice>,
}

impl Chrome {
    /// With a notice above the content.
    pub(super) fn notice(mut self, notice: Option<Notice>) -> Self {
        self.notice = notice;
        self
    }
}

/// A page with status 200.
pub(super) fn show(page: &impl Template) -> Response {
    show_with(StatusCode::OK, page)
}

/// A page with a status of its own.
pub(super) fn show_with(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "portal page not rendered");
            Problem::internal().plain()
        }
    }
}

/// Goes on to another page after a form was accepted, so that loading again sends nothing twice.
pub(super) fn go(path: &str) -> Response {
    Redirect::to(path).into_response()
}
