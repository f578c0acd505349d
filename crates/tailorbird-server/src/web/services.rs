//! A service's file: read, changed where it is one's own, copied where it is not.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use tailorbird_app::{AppError, ServiceText};
use tailorbird_model::codes;

use super::filters;
use super::form::Form;
use super::look;
use super::page::{Chrome, failed, go, show as show_page, show_with};
use super::tasks::named;
use super::visit::Visit;
use crate::server::Shared;

#[derive(Template)]
#[template(path = "services/edit.html")]
struct Page {
    chrome: Chrome,
    name: String,
    title: String,
    origin: &'static str,
    path: Option<String>,
    is_new: bool,
    read_only: Option<&'static str>,
    used_by: Vec<String>,
    yaml: String,
    lines: usize,
    revision: String,
    problems: Vec<ProblemRow>,
    refused: Option<(String, String)>,
    /// The file as it is saved now, where somebody else changed it.
    theirs: Option<String>,
}

/// A problem at its place.
struct ProblemRow {
    line: usize,
    column: usize,
    is_error: bool,
    message: String,
    hint: String,
    /// The line itself, so that it is found without counting.
    text: String,
}

fn rows(error: &AppError, yaml: &str) -> Vec<ProblemRow> {
    let lines: Vec<&str> = yaml.lines().collect();
    let row = |(_, problem): &(String, tailorbird_model::yaml::Problem)| ProblemRow {
        line: problem.position.line,
        column: problem.position.column,
        is_error: problem.is_error(),
        message: problem.message.clone(),
        hint: problem.hint.clone(),
        text: lines
            .get(problem.position.line.saturating_sub(1))
            .map(|line| (*line).to_owned())
            .unwrap_or_default(),
    };
    error.problems.iter().map(row).collect()
}

/// Lines that the editor shows at once.
const MIN_LINES: usize = 16;
const MAX_LINES: usize = 44;

fn page(visit: &Visit, text: ServiceText, typed: Option<&Form>, error: Option<&AppError>) -> Page {
    let is_conflict = error.is_some_and(|error| error.failure.code == codes::SERVICE_CHANGED);
    let yaml = typed
        .and_then(|form| form.raw("yaml"))
        .map_or_else(|| text.yaml.clone(), |yaml| yaml.replace("\r\n", "\n"));
    let theirs = (is_conflict && yaml != text.yaml).then(|| text.yaml.clone());
    Page {
        chrome: visit.chrome(&text.title, "connections"),
        name: text.name.to_string(),
        title: text.title,
        origin: text.origin,
        path: text.path,
        is_new: false,
        read_only: text.read_only,
        used_by: text.used_by,
        lines: yaml.lines().count().clamp(MIN_LINES, MAX_LINES),
        revision: text.revision,
        problems: error.map(|error| rows(error, &yaml)).unwrap_or_default(),
        refused: error.map(refusal),
        theirs,
        yaml,
    }
}

fn refusal(error: &AppError) -> (String, String) {
    let failure = &error.failure;
    let hint = if error.problems.is_empty() {
        failure.hint.as_str()
    } else {
        "Nothing was saved."
    };
    (
        format!("{} [{}]", failure.message, failure.code),
        [failure.detail.as_str(), hint].join(" "),
    )
}

/// `GET /services/{name}`.
pub(super) async fn show(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
) -> Response {
    match look(&shared, move |app| app.service_text(&named(&name)?)).await {
        Ok(text) => show_page(&page(&visit, text, None, None)),
        Err(error) => failed(&visit, "connections", error),
    }
}

/// `POST /services/{name}`: saves the file of a service of one's own.
pub(super) async fn save(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    form: Form,
) -> Response {
    let yaml = form.raw("yaml").unwrap_or_default().replace("\r\n", "\n");
    let saved = async {
        let name = named(&name)?;
        visit
            .app()
            .save_service(&name, &yaml, Some(form.get("seen")))
            .await
    };
    match saved.await {
        Ok(added) if added.warnings.is_empty() => go(&format!("/services/{name}?said=service-saved")),
        Ok(_) => go(&format!("/services/{name}?said=service-elsewhere")),
        Err(error) if error.failure.code == codes::SERVICE_UNKNOWN => failed(&visit, "connections", error),
        Err(error) => {
            let read = look(&shared, move |app| app.service_text(&named(&name)?));
            let status = if error.failure.code == codes::SERVICE_CHANGED {
                StatusCode::CONFLICT
            } else {
                StatusCode::UNPROCESSABLE_ENTITY
            };
            match read.await {
                Ok(text) => show_with(status, &page(&visit, text, Some(&form), Some(&error))),
                Err(error) => failed(&visit, "connections", error),
            }
        }
    }
}

/// What a new service begins with.
#[derive(Deserialize)]
pub(super) struct From {
    #[serde(default)]
    from: String,
}

/// What a new service begins with where it copies none.
const BLANK: &str = "service: my-service
title: My service
root_url: https://api.example.com/1
authentication: {}
operations:
  list_items:
    title: List items
    method: GET
    path: /items
    result: { records: /data, columns: { id: /id, name: /name } }
verified: never
";

fn new_page(visit: &Visit, name: &str, yaml: String, error: Option<&AppError>) -> Page {
    Page {
        chrome: visit.chrome("New service file", "connections"),
        name: name.to_owned(),
        title: "New service file".to_owned(),
        origin: "",
        path: None,
        is_new: true,
        read_only: None,
        used_by: Vec::new(),
        lines: yaml.lines().count().clamp(MIN_LINES, MAX_LINES),
        revision: String::new(),
        problems: error.map(|error| rows(error, &yaml)).unwrap_or_default(),
        refused: error.map(refusal),
        theirs: None,
        yaml,
    }
}

/// `GET /new-service?from=…`: a copy of a service, or a small one to begin with.
pub(super) async fn new(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Query(asked): Query<From>,
) -> Response {
    if asked.from.is_empty() {
        return show_page(&new_page(&visit, "my-service", BLANK.to_owned(), None));
    }
    match look(&shared, move |app| app.copy_of_service(&named(&asked.from)?)).await {
        Ok((name, yaml)) => show_page(&new_page(&visit, &name, yaml, None)),
        Err(error) => failed(&visit, "connections", error),
    }
}

/// `POST /new-service`: adds a service under the name that its file gives.
pub(super) async fn add(Extension(visit): Extension<Visit>, form: Form) -> Response {
    let yaml = form.raw("yaml").unwrap_or_default().replace("\r\n", "\n");
    match visit.app().add_service(&yaml).await {
        Ok(name) => go(&format!("/services/{name}?said=service-added")),
        Err(error) => show_with(
            StatusCode::UNPROCESSABLE_ENTITY,
            &new_page(&visit, "", yaml, Some(&error)),
        ),
    }
}
