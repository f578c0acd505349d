//! Refusals as pages: what happened, and what to do next.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::page::{Chrome, show_with};
use super::visit::Visit;

/// Something the portal would not or could not do.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    status: StatusCode,
    heading: &'static str,
    what: String,
    next: &'static str,
    back: (&'static str, &'static str),
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    chrome: Chrome,
    tone: &'static str,
    heading: &'static str,
    what: &'a str,
    next: &'static str,
    back: &'static str,
    back_label: &'static str,
    status: u16,
}

impl Problem {
    /// A refusal with its status, a heading and what happened in whole sentences.
    pub(super) fn new(status: StatusCode, heading: &'static str, what: impl Into<String>) -> Self {
        Self {
            status,
            heading,
            what: what.into(),
            next: "",
            back: ("/", "Go to the portal"),
        }
    }

    /// With what to do next.
    pub(super) const fn next(mut self, next: &'static str) -> Self {
        self.next = next;
        self
    }

    /// With another way out than the home page.
    pub(super) const fn back(mut self, path: &'static str, label: &'static str) -> Self {
        self.back = (path, label);
        self
    }

    /// The page for an application that is not there, or is somebody else's.
    pub(super) fn no_such_app() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "No such app",
            "It was deleted, or it belongs to another account than the one that is signed in.",
        )
        .back("/apps", "See your apps")
    }

    /// The page for an address without a page.
    pub(super) fn nothing_here() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "There is nothing here",
            "The portal has no page at this address. The API's addresses begin with /2/ and /1.1/.",
        )
        .next("Look at the address, or begin at the portal's home page.")
    }

    /// The page for a change that could not be stored.
    pub(super) fn not_stored() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "The change could not be stored",
            "The sandbox could not write to its state file, so it did not make the change.",
        )
        .next("Look for room and rights where the state file lies, then start the sandbox again.")
    }

    /// The page for a fault of our own.
    pub(super) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The portal failed",
            "Something in the sandbox itself went wrong; its log says what.",
        )
    }

    /// As a page.
    pub(super) fn page(&self, visit: &Visit) -> Response {
        let page = ProblemPage {
            chrome: visit.chrome(self.heading, ""),
            tone: if self.status.is_server_error() {
                "bad"
            } else {
                "wait"
            },
            heading: self.heading,
            what: &self.what,
            next: self.next,
            back: self.back.0,
            back_label: self.back.1,
            status: self.status.as_u16(),
        };
        show_with(self.status, &page)
    }

    /// As plain text, where no page can be made.
    pub(super) fn plain(&self) -> Response {
        (self.status, format!("{}. {}\n", self.heading, self.what)).into_response()
    }
}
