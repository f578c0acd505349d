//! Tasks: the list, one task with its flow, its runs and its text; run now, enable, disable, dry run.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use tailorbird_app::{App, AppError, Rehearsal, TaskView};
use tailorbird_model::Name;
use tailorbird_model::run::RunInput;

use super::flow::{Card, cards, join};
use super::form::Form;
use super::look;
use super::page::{Chrome, failed, go, show as show_page};
use super::spark::{RUNS as RUNS_DRAWN, Spark, spark};
use super::view::{Badge, RunRow, grouped, until};
use super::visit::Visit;
use crate::server::Shared;

/// Runs that a task's page shows.
const RUNS: u32 = 10;

/// Rows that a dry run from a page goes through.
const REHEARSED: usize = 25;

#[derive(Template)]
#[template(path = "tasks/list.html")]
struct List {
    chrome: Chrome,
    find: String,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    description: String,
    trigger: String,
    enabled: Badge,
    next: String,
    last: Option<RunRow>,
    spark: Spark,
}

/// The query of the list.
#[derive(Deserialize, Default)]
pub(super) struct Finding {
    #[serde(default)]
    find: String,
}

fn enabled(view: &TaskView) -> Badge {
    match (&view.problem, view.enabled) {
        (Some(_), true) => Badge::new("bad", "✕", "held"),
        (None, true) => Badge::new("ok", "●", "enabled"),
        (_, false) => Badge::new("", "◌", "disabled"),
    }
}

/// `GET /tasks`.
pub(super) async fn list(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Query(finding): Query<Finding>,
) -> Response {
    let find = finding.find.trim().to_owned();
    let wanted = find.to_lowercase();
    let read = move |app: &App| -> Result<_, AppError> {
        let now = app.now();
        let mut rows = Vec::new();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        for view in app.tasks()? {
            if !has(view.task.as_str()) && !has(&view.description) {
                continue;
            }
            let last = app.runs_page(Some(&view.task), &[], None, RUNS_DRAWN)?;
            rows.push(Row {
                enabled: enabled(&view),
                next: view.next.first().map(|at| until(*at, now)).unwrap_or_default(),
                spark: spark(&last),
                last: last.first().map(|run| RunRow::new(run, now)),
                name: view.task.to_string(),
                description: view.description,
                trigger: view.trigger,
            });
        }
        Ok(rows)
    };
    match look(&shared, read).await {
        Ok(rows) => show_page(&List {
            chrome: visit.chrome("Tasks", "tasks"),
            find,
            rows,
        }),
        Err(error) => failed(&visit, "tasks", error),
    }
}

#[derive(Template)]
#[template(path = "tasks/show.html")]
struct Show {
    chrome: Chrome,
    name: String,
    description: String,
    version: i64,
    is_enabled: bool,
    has_values: bool,
    badge: Badge,
    trigger: String,
    problem: Option<String>,
    next: Vec<String>,
    cards: Vec<Card>,
    runs: Vec<RunRow>,
    yaml: String,
}

/// `GET /tasks/{name}`.
pub(super) async fn show(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
) -> Response {
    let chrome = visit.chrome(&name, "tasks");
    let read = move |app: &App| -> Result<_, AppError> {
        let name = named(&name)?;
        let (task, yaml) = app.task(&name)?;
        let view = app.tasks()?.into_iter().find(|view| view.task == name);
        let now = app.now();
        let runs = app.runs_page(Some(&name), &[], None, RUNS)?;
        let mut cards = cards(&task);
        // What came through at each joint of the newest run, so that one sees where records fall out.
        if let Some(last) = runs.first() {
            join(&mut cards, &app.run_steps(&last.id)?, &last.counts);
        }
        let view = view.as_ref();
        Ok(Show {
            chrome,
            name: name.to_string(),
            description: task.description.clone(),
            version: view.map_or(0, |view| view.version),
            is_enabled: view.is_some_and(|view| view.enabled),
            has_values: !app.run_variables(&name)?.is_empty(),
            badge: view.map_or(Badge::new("", "", ""), enabled),
            trigger: view.map(|view| view.trigger.clone()).unwrap_or_default(),
            problem: view.and_then(|view| view.problem.clone()),
            next: view
                .map(|view| view.next.iter().map(|at| until(*at, now)).collect())
                .unwrap_or_default(),
            cards,
            runs: runs.iter().map(|run| RunRow::new(run, now)).collect(),
            yaml,
        })
    };
    match look(&shared, read).await {
        Ok(page) => show_page(&page),
        Err(error) => failed(&visit, "tasks", error),
    }
}

/// A name from an address.
pub(super) fn named(name: &str) -> Result<Name, AppError> {
    name.parse::<Name>().map_err(|why| {
        AppError::from(tailorbird_model::Failure::new(
            tailorbird_model::codes::REQUEST_REFUSED,
            tailorbird_model::Meaning::NotSent,
            format!("{name:?} is no name: {why}"),
        ))
    })
}

/// `POST /tasks/{name}/run`.
pub(super) async fn run(
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    _form: Form,
) -> Response {
    let opened = async {
        let name = named(&name)?;
        visit.app().open_run(&name, RunInput::manual()).await
    };
    match opened.await {
        Ok(run) => go(&format!("/runs/{}?said=run", run.id)),
        Err(error) => failed(&visit, "tasks", error),
    }
}

/// `POST /tasks/{name}/enable`.
pub(super) async fn enable(
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    _form: Form,
) -> Response {
    switched(&visit, &name, true).await
}

/// `POST /tasks/{name}/disable`.
pub(super) async fn disable(
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    _form: Form,
) -> Response {
    switched(&visit, &name, false).await
}

async fn switched(visit: &Visit, name: &str, on: bool) -> Response {
    let done = async { visit.app().enable_task(&named(name)?, on).await };
    match done.await {
        Ok(()) => go(&format!(
            "/tasks/{name}?said={}",
            if on { "enabled" } else { "disabled" }
        )),
        Err(error) => failed(visit, "tasks", error),
    }
}

#[derive(Template)]
#[template(path = "tasks/rehearsal.html")]
struct Rehearsed {
    chrome: Chrome,
    name: String,
    limit: usize,
    complete: bool,
    steps: Vec<(String, String, String, String)>,
    requests: Vec<RequestRow>,
    writes: Vec<WriteRow>,
    failure: Option<String>,
    /// The text that it was of, where that is not saved.
    draft: Option<Draft>,
}

/// An unsaved text that was rehearsed, to go back to.
pub(super) struct Draft {
    pub action: String,
    pub over: i64,
    pub yaml: String,
    pub view: &'static str,
    pub card: String,
}

struct RequestRow {
    step: String,
    key: String,
    would: Badge,
    what: String,
    text: String,
    why: String,
}

struct WriteRow {
    step: String,
    table: String,
    row: String,
    why: String,
}

/// `GET /tasks/{name}/rehearsal`: a dry run.
pub(super) async fn rehearse(Extension(visit): Extension<Visit>, Path(name): Path<String>) -> Response {
    let rehearsal = async {
        visit
            .app()
            .rehearse_task(&named(&name)?, REHEARSED, Arc::new(|_| {}))
            .await
    };
    match rehearsal.await {
        Ok(rehearsal) => show_rehearsal(&visit, name, &rehearsal, None),
        Err(error) => failed(&visit, "tasks", error),
    }
}

/// The page of a dry run.
pub(super) fn show_rehearsal(
    visit: &Visit,
    name: String,
    rehearsal: &Rehearsal,
    draft: Option<Draft>,
) -> Response {
    let why = |failure: Option<&tailorbird_model::Failure>| {
        failure
            .map(|failure| format!("{} [{}]", failure.message, failure.code))
            .unwrap_or_default()
    };
    show_page(&Rehearsed {
        chrome: visit.chrome(&format!("Dry run of {name}"), "tasks"),
        limit: rehearsal.limit,
        complete: rehearsal.complete,
        steps: rehearsal
            .steps
            .iter()
            .map(|step| {
                (
                    step.step.to_string(),
                    step.kind.replace('_', " "),
                    grouped(step.records),
                    grouped(step.left_out),
                )
            })
            .collect(),
        requests: rehearsal
            .requests
            .iter()
            .map(|request| RequestRow {
                step: request.step.to_string(),
                key: request.key.clone(),
                would: match request.would {
                    "send" => Badge::new("accent", "▶", "would be sent"),
                    "reject" => Badge::new("bad", "✕", "would be rejected"),
                    other => Badge::new("", "○", other),
                },
                what: format!("{} over {}", request.operation, request.connection),
                text: request
                    .request
                    .as_ref()
                    .and_then(|request| serde_json::to_string_pretty(request).ok())
                    .unwrap_or_default(),
                why: why(request.failure.as_ref()),
            })
            .collect(),
        writes: rehearsal
            .writes
            .iter()
            .map(|write| WriteRow {
                step: write.step.to_string(),
                table: format!("{} of {}", write.table, write.database),
                row: write.row.as_ref().map(ToString::to_string).unwrap_or_default(),
                why: why(write.failure.as_ref()),
            })
            .collect(),
        failure: rehearsal.failure.as_ref().map(|failure| why(Some(failure))),
        draft,
        name,
    })
}
