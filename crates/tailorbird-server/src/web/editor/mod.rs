//! A task in the editor: its text with every problem beside it, saved over the version that it was opened at.
//!
//! The page keeps nothing at the server: the text and the version it came from travel in the form. So two tabs have two
//! texts, an answer that refuses shows what was typed, and nothing is lost with a session.

mod begin;
mod problems;
mod start;
mod versions;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use tailorbird_app::{App, AppError, compare};
use tailorbird_model::{Name, codes};

pub(super) use begin::{begin, make};
pub(super) use start::{ask as ask_start, start};
pub(super) use versions::{list as versions, restore, show as version};

use self::problems::{Pane, pane};
use self::versions::{DiffRow, diff_rows};
use super::filters;
use super::form::Form;
use super::look;
use super::page::{Chrome, failed, go, show_with};
use super::tasks::named;
use super::visit::Visit;
use crate::server::Shared;

/// Lines that the field for the text shows at least, and at most.
const LINES: (usize, usize) = (16, 44);

/// The page.
#[derive(Template)]
#[template(path = "editor/edit.html")]
struct Page {
    chrome: Chrome,
    /// The task that is edited; empty for a new one.
    name: String,
    action: String,
    over: i64,
    yaml: String,
    lines: usize,
    pane: Pane,
    refused: Option<Refused>,
    overtaken: Option<Overtaken>,
    note: String,
}

/// Why it was not saved, where that is not in the text.
struct Refused {
    code: String,
    message: String,
    detail: String,
    hint: String,
    /// Whether it can be saved all the same, by somebody who has read this.
    may_accept: bool,
}

/// Another version that was saved meanwhile.
struct Overtaken {
    version: i64,
    theirs: Vec<DiffRow>,
    yours: Vec<DiffRow>,
}

/// What an editor is about.
struct Editing {
    name: Option<Name>,
    over: i64,
    yaml: String,
}

#[derive(Deserialize, Default)]
pub(super) struct Opened {
    /// An older version to begin from.
    version: Option<i64>,
}

/// `GET /tasks/{name}/edit`.
pub(super) async fn edit(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    Query(opened): Query<Opened>,
) -> Response {
    let chrome = visit.chrome(&format!("Edit {name}"), "tasks");
    let read = move |app: &App| -> Result<_, AppError> {
        let name = named(&name)?;
        let newest = app.task_versions(&name)?;
        let over = newest.first().map_or(0, |newest| newest.version);
        let (yaml, note) = match opened.version.filter(|version| *version != over) {
            Some(version) => (
                app.task_text(&name, version)?.yaml,
                format!("This is the text of version {version}. Saving makes it the newest one."),
            ),
            None => (
                newest.into_iter().next().map(|one| one.yaml).unwrap_or_default(),
                String::new(),
            ),
        };
        let editing = Editing {
            name: Some(name),
            over,
            yaml,
        };
        let mut page = page_of(app, chrome, editing);
        page.note = note;
        Ok(page)
    };
    match look(&shared, read).await {
        Ok(page) => show_with(StatusCode::OK, &page),
        Err(error) => failed(&visit, "tasks", error),
    }
}

fn page_of(app: &App, chrome: Chrome, editing: Editing) -> Page {
    let draft = app.check_draft(&editing.yaml, editing.name.as_ref());
    Page {
        chrome,
        action: match &editing.name {
            Some(name) => format!("/tasks/{name}/edit"),
            None => "/new-task".to_owned(),
        },
        name: editing.name.map(|name| name.to_string()).unwrap_or_default(),
        over: editing.over,
        lines: editing
            .yaml
            .lines()
            .count()
            .saturating_add(2)
            .clamp(LINES.0, LINES.1),
        pane: pane(&draft, &editing.yaml),
        yaml: editing.yaml,
        refused: None,
        overtaken: None,
        note: String::new(),
    }
}

/// `POST /tasks/{name}/edit`: checks or saves.
pub(super) async fn edited(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    form: Form,
) -> Response {
    match named(&name) {
        Ok(name) => answer(&shared, &visit, Some(name), &form).await,
        Err(error) => failed(&visit, "tasks", error),
    }
}

/// What becomes of a form of the editor.
async fn answer(shared: &Shared, visit: &Visit, name: Option<Name>, form: &Form) -> Response {
    let editing = Editing {
        name,
        over: form.get("over").parse().unwrap_or(0),
        yaml: form.text("yaml"),
    };
    let over = match form.get("act") {
        "save" | "accept" => editing.over,
        // Somebody has seen what the other version changed, and means this one.
        "save-over" => form.get("newest").parse().unwrap_or(editing.over),
        _ => return looked_at(shared, visit, editing, form.get("part")).await,
    };
    let saved = visit
        .app()
        .save_task(
            &editing.yaml,
            editing.name.as_ref(),
            over,
            form.get("act") == "accept",
        )
        .await;
    match saved {
        Ok(saved) => {
            let word = match saved.change {
                "unchanged" => "unchanged",
                "new" => "made",
                _ => "saved",
            };
            go(&format!("/tasks/{}?said={word}&n={}", saved.task, saved.version))
        }
        Err(error) => refused(shared, visit, editing, error).await,
    }
}

/// The page again, or its part that tells the problems.
async fn looked_at(shared: &Shared, visit: &Visit, editing: Editing, part: &str) -> Response {
    let chrome = visit.chrome(&title(&editing), "tasks");
    match look(shared, move |app| Ok(page_of(app, chrome, editing))).await {
        Ok(page) if part == "problems" => show_with(StatusCode::OK, &page.pane),
        Ok(page) => show_with(StatusCode::OK, &page),
        Err(error) => failed(visit, "tasks", error),
    }
}

fn title(editing: &Editing) -> String {
    editing
        .name
        .as_ref()
        .map_or_else(|| "New task".to_owned(), |name| format!("Edit {name}"))
}

/// The page with the reason, and with all that was typed.
async fn refused(shared: &Shared, visit: &Visit, editing: Editing, error: AppError) -> Response {
    let chrome = visit.chrome(&title(&editing), "tasks");
    let code = error.failure.code.clone();
    let status = if code == codes::TASK_OVERTAKEN {
        StatusCode::CONFLICT
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let read = move |app: &App| -> Result<_, AppError> {
        let failure = error.failure;
        let overtaken = if failure.code == codes::TASK_OVERTAKEN {
            overtaken(app, &editing)?
        } else {
            None
        };
        let mut page = page_of(app, chrome, editing);
        if overtaken.is_some() {
            page.overtaken = overtaken;
        } else if error.problems.is_empty() {
            page.refused = Some(Refused {
                may_accept: failure.code == codes::REKEY,
                code: failure.code,
                message: failure.message,
                detail: failure.detail,
                hint: failure.hint,
            });
        }
        Ok(page)
    };
    match look(shared, read).await {
        Ok(page) => show_with(status, &page),
        Err(error) => failed(visit, "tasks", error),
    }
}

/// What somebody else saved meanwhile, and how the text differs from it; nothing where the task is gone.
fn overtaken(app: &App, editing: &Editing) -> Result<Option<Overtaken>, AppError> {
    let named = match &editing.name {
        Some(name) => Some(name.clone()),
        None => app.check_draft(&editing.yaml, None).task.map(|task| task.task),
    };
    let Some(name) = &named else {
        return Ok(None);
    };
    let Ok(versions) = app.task_versions(name) else {
        return Ok(None);
    };
    let Some(newest) = versions.first() else {
        return Ok(None);
    };
    let base = match editing.over {
        0 => String::new(),
        over => app.task_text(name, over)?.yaml,
    };
    Ok(Some(Overtaken {
        version: newest.version,
        theirs: diff_rows(&compare(&base, &newest.yaml)),
        yours: diff_rows(&compare(&newest.yaml, &editing.yaml)),
    }))
}
