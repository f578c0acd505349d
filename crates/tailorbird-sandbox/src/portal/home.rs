//! The first page: where one stands on the way from nothing to the first post, and what just arrived.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use super::page::{Chrome, show as show_page};
use super::problem::Problem;
use super::requests::row::{Row, newest};
use super::visit::Visit;
use crate::Shared;

/// Requests on the first page.
const RECENT: usize = 6;

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    chrome: Chrome,
    apps: usize,
    writers: usize,
    tokens: usize,
    posts: u64,
    refused: u64,
    recent: Vec<Row>,
}

/// `GET /`.
pub(super) async fn show(State(shared): State<Shared>, Extension(visit): Extension<Visit>) -> Response {
    let chrome = visit.chrome("Home", "home");
    let recent = newest(&shared, RECENT);
    let page = shared.store.read(|state| HomePage {
        chrome,
        apps: state.applications.len(),
        writers: state
            .applications
            .values()
            .filter(|app| app.level.writes())
            .count(),
        tokens: state
            .tokens
            .values()
            .filter(|token| token.revoked.is_none())
            .count(),
        posts: state.accepted,
        refused: state.refused_duplicates,
        recent,
    });
    show_page(&page)
}

/// Any other address: a page too, so that a slip of the hand does not end in a blank window.
pub(super) async fn nothing_here(Extension(visit): Extension<Visit>) -> Response {
    visit.problem(&Problem::nothing_here())
}
