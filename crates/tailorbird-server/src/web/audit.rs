//! The audit log: who changed what, when, from where.

use askama::Template;
use axum::Extension;
use axum::extract::Query;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tailorbird_app::{ACTS, AuditFilter, AuditLine};

use super::page::{Chrome, failed, show as show_page};
use super::view::When;
use super::visit::Visit;
use crate::problem::Problem;

/// Rows of a page.
const PAGE: u32 = 50;

#[derive(Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    text: String,
    #[serde(default)]
    what: String,
    #[serde(default)]
    who: String,
    #[serde(default)]
    before: String,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct List {
    chrome: Chrome,
    rows: Vec<Row>,
    text: String,
    who: String,
    kinds: Vec<(&'static str, bool)>,
    older: Option<String>,
    is_filtered: bool,
}

struct Row {
    at: When,
    who: String,
    came_by: &'static str,
    what: String,
    object: String,
    detail: String,
    address: String,
}

/// The nouns that the log knows, each once.
fn kinds() -> Vec<&'static str> {
    let mut kinds: Vec<&str> = ACTS
        .iter()
        .filter_map(|act| act.split_once('.').map(|(kind, _)| kind))
        .collect();
    kinds.dedup();
    kinds
}

/// How somebody came in, in words.
fn came_by(word: &str) -> &'static str {
    match word {
        "account" => "signed in",
        "link" => "by a link of this machine",
        "token" => "by a token",
        "command_line" => "on this machine",
        _ => "",
    }
}

fn row(line: AuditLine, now: jiff::Timestamp) -> Row {
    Row {
        at: When::new(line.at, now),
        came_by: came_by(&line.came_by),
        who: line.who,
        what: line.what.replace(['.', '_'], " "),
        object: line.object,
        detail: line.detail,
        address: line.address,
    }
}

/// `GET /audit`.
pub(super) async fn list(Extension(visit): Extension<Visit>, Query(asked): Query<Asked>) -> Response {
    let filter = AuditFilter {
        text: asked.text.trim().to_owned(),
        who: asked.who.clone(),
        what: asked.what.clone(),
        before: asked.before.parse().ok(),
        limit: PAGE,
    };
    let app = visit.app().clone();
    let read = tokio::task::spawn_blocking(move || app.audit(&filter).map(|lines| (lines, app.now())));
    let (lines, now) = match read.await {
        Ok(Ok(read)) => read,
        Ok(Err(error)) => return failed(&visit, "audit", error),
        Err(error) => return Problem::broke_off(&error).into_response(),
    };
    let older = lines
        .last()
        .filter(|_| lines.len() >= usize::try_from(PAGE).unwrap_or(0))
        .map(|last| {
            url::form_urlencoded::Serializer::new(String::new())
                .append_pair("text", &asked.text)
                .append_pair("what", &asked.what)
                .append_pair("who", &asked.who)
                .append_pair("before", &last.id.to_string())
                .finish()
        });
    show_page(&List {
        chrome: visit.chrome("Audit log", "audit"),
        rows: lines.into_iter().map(|line| row(line, now)).collect(),
        kinds: kinds()
            .into_iter()
            .map(|kind| (kind, kind == asked.what))
            .collect(),
        older,
        is_filtered: !(asked.text.is_empty() && asked.what.is_empty() && asked.who.is_empty()),
        text: asked.text,
        who: asked.who,
    })
}
