//! A task in the editor: its text with every problem beside it, saved over the version that it was opened at.
//!
//! The page keeps nothing at the server: the text and the version it came from travel in the form. So two tabs have two
//! texts, an answer that refuses shows what was typed, and nothing is lost with a session.

mod begin;
mod cards;
mod look;
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

use self::cards::Wanted;
use self::problems::{Pane, pane};
use self::versions::{DiffRow, diff_rows};
use super::filters;
use super::form::Form;
use super::look;
use super::page::{Chrome, failed, go, show_with};
use super::tasks::{Draft, named, show_rehearsal};
use super::visit::Visit;
use crate::server::Shared;

/// Lines that the field for the text shows at least, and at most.
const LINES: (usize, usize) = (16, 44);

/// The view of the text.
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
    banner: Banner,
    note: String,
}

/// What became of the attempt to save it, above both views.
#[derive(Default)]
struct Banner {
    refused: Option<Refused>,
    overtaken: Option<Overtaken>,
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
#[derive(Clone)]
struct Editing {
    name: Option<Name>,
    over: i64,
    yaml: String,
}

impl Editing {
    fn action(&self) -> String {
        match &self.name {
            Some(name) => format!("/tasks/{name}/edit"),
            None => "/new-task".to_owned(),
        }
    }
}

#[derive(Deserialize, Default)]
pub(super) struct Opened {
    /// An older version to begin from.
    version: Option<i64>,
    /// `cards`, or the text.
    #[serde(default)]
    view: String,
    /// The card that is open, by its JSON Pointer.
    #[serde(default)]
    card: String,
}

/// `GET /tasks/{name}/edit`.
pub(super) async fn edit(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    Query(opened): Query<Opened>,
) -> Response {
    let version = opened.version;
    let read = move |app: &App| -> Result<_, AppError> {
        let name = named(&name)?;
        let newest = app.task_versions(&name)?;
        let over = newest.first().map_or(0, |newest| newest.version);
        let (yaml, note) = match version.filter(|version| *version != over) {
            Some(version) => (
                app.task_text(&name, version)?.yaml,
                format!("This is the text of version {version}. Saving makes it the newest one."),
            ),
            None => (
                newest.into_iter().next().map(|one| one.yaml).unwrap_or_default(),
                String::new(),
            ),
        };
        let name = Some(name);
        Ok((Editing { name, over, yaml }, note))
    };
    let (editing, note) = match look(&shared, read).await {
        Ok(found) => found,
        Err(error) => return failed(&visit, "tasks", error),
    };
    if opened.view == "cards" {
        let wanted = Wanted {
            card: opened.card,
            note,
            ..Wanted::default()
        };
        return cards::show(
            &shared,
            &visit,
            StatusCode::OK,
            editing,
            wanted,
            Banner::default(),
            "",
        )
        .await;
    }
    let chrome = visit.chrome(&title(&editing), "tasks");
    let read = move |app: &App| {
        let mut page = page_of(app, chrome, editing, Banner::default());
        page.note = note;
        Ok(page)
    };
    match look(&shared, read).await {
        Ok(page) => show_with(StatusCode::OK, &page),
        Err(error) => failed(&visit, "tasks", error),
    }
}

fn page_of(app: &App, chrome: Chrome, editing: Editing, banner: Banner) -> Page {
    let draft = app.check_draft(&editing.yaml, editing.name.as_ref());
    Page {
        chrome,
        action: editing.action(),
        over: editing.over,
        lines: editing
            .yaml
            .lines()
            .count()
            .saturating_add(2)
            .clamp(LINES.0, LINES.1),
        pane: pane(&draft, &editing.yaml),
        name: editing.name.map(|name| name.to_string()).unwrap_or_default(),
        yaml: editing.yaml,
        banner,
        note: String::new(),
    }
}

/// The view of the text.
async fn yaml_page(
    shared: &Shared,
    visit: &Visit,
    status: StatusCode,
    editing: Editing,
    banner: Banner,
) -> Response {
    let chrome = visit.chrome(&title(&editing), "tasks");
    match look(shared, move |app| Ok(page_of(app, chrome, editing, banner))).await {
        Ok(page) => show_with(status, &page),
        Err(error) => failed(visit, "tasks", error),
    }
}

fn no_card(card: &str) -> AppError {
    let message = format!("the text has no card {card:?}");
    tailorbird_model::Failure::new(
        codes::REQUEST_REFUSED,
        tailorbird_model::Meaning::NotSent,
        message,
    )
    .into()
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

/// Records that a dry run of an unsaved text goes through.
const REHEARSED: usize = 25;

/// What becomes of a form of the editor.
async fn answer(shared: &Shared, visit: &Visit, name: Option<Name>, form: &Form) -> Response {
    let editing = Editing {
        name,
        over: form.get("over").parse().unwrap_or(0),
        yaml: form.text("yaml"),
    };
    let is_cards = form.get("view") == "cards";
    let (editing, wanted) = if is_cards {
        cards::pressed(shared, visit, editing, form).await
    } else {
        (editing, Wanted::default())
    };
    let act = form.get("act");
    let over = match act {
        "save" | "accept" => editing.over,
        // Somebody has seen what the other version changed, and means this one.
        "save-over" => form.get("newest").parse().unwrap_or(editing.over),
        "rehearse" => return rehearsed(visit, &editing, is_cards, &wanted).await,
        _ => return looked_at(shared, visit, editing, wanted, is_cards, form).await,
    };
    let saved = visit
        .app()
        .save_task(&editing.yaml, editing.name.as_ref(), over, act == "accept")
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
        Err(error) => refused(shared, visit, editing, error, is_cards.then_some(wanted)).await,
    }
}

/// A dry run of the text as it stands.
async fn rehearsed(visit: &Visit, editing: &Editing, is_cards: bool, wanted: &Wanted) -> Response {
    let title = editing
        .name
        .as_ref()
        .map_or_else(|| "the new task".to_owned(), ToString::to_string);
    match visit.app().rehearse_text(&editing.yaml, REHEARSED).await {
        Ok(rehearsal) => {
            let draft = Draft {
                action: editing.action(),
                over: editing.over,
                yaml: editing.yaml.clone(),
                view: if is_cards { "cards" } else { "yaml" },
                card: wanted.card.clone(),
            };
            show_rehearsal(visit, title, &rehearsal, Some(draft))
        }
        Err(error) => failed(visit, "tasks", error),
    }
}

/// The page again in the wanted view, or its part that follows what is typed.
async fn looked_at(
    shared: &Shared,
    visit: &Visit,
    editing: Editing,
    wanted: Wanted,
    is_cards: bool,
    form: &Form,
) -> Response {
    let part = form.get("part");
    let shows_cards = match form.get("act") {
        "cards" => true,
        "yaml" => false,
        _ => is_cards,
    };
    if shows_cards {
        return cards::show(
            shared,
            visit,
            StatusCode::OK,
            editing,
            wanted,
            Banner::default(),
            part,
        )
        .await;
    }
    if part != "problems" {
        return yaml_page(shared, visit, StatusCode::OK, editing, Banner::default()).await;
    }
    let read = move |app: &App| {
        let draft = app.check_draft(&editing.yaml, editing.name.as_ref());
        Ok(pane(&draft, &editing.yaml))
    };
    match look(shared, read).await {
        Ok(pane) => show_with(StatusCode::OK, &pane),
        Err(error) => failed(visit, "tasks", error),
    }
}

fn title(editing: &Editing) -> String {
    editing
        .name
        .as_ref()
        .map_or_else(|| "New task".to_owned(), |name| format!("Edit {name}"))
}

/// The page with the reason, and with all that was typed; in the view of cards where that was open.
async fn refused(
    shared: &Shared,
    visit: &Visit,
    editing: Editing,
    error: AppError,
    wanted: Option<Wanted>,
) -> Response {
    let status = if error.failure.code == codes::TASK_OVERTAKEN {
        StatusCode::CONFLICT
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let about = editing.clone();
    let read = move |app: &App| -> Result<_, AppError> {
        let failure = error.failure;
        let mut banner = Banner::default();
        if failure.code == codes::TASK_OVERTAKEN {
            banner.overtaken = overtaken(app, &about)?;
        }
        // What is wrong in the text stands beside the text.
        let is_told = banner.overtaken.is_some() || !error.problems.is_empty();
        banner.refused = (!is_told).then(|| Refused {
            may_accept: failure.code == codes::REKEY,
            code: failure.code,
            message: failure.message,
            detail: failure.detail,
            hint: failure.hint,
        });
        Ok(banner)
    };
    let banner = match look(shared, read).await {
        Ok(banner) => banner,
        Err(error) => return failed(visit, "tasks", error),
    };
    match wanted {
        Some(wanted) => cards::show(shared, visit, status, editing, wanted, banner, "").await,
        None => yaml_page(shared, visit, status, editing, banner).await,
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
