//! The versions of a task: what each one changed, and going back to one.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use tailorbird_app::{App, AppError, DiffLine, compare};

use super::{Editing, refused};
use crate::server::Shared;
use crate::web::form::Form;
use crate::web::look;
use crate::web::page::{Chrome, failed, go, show as show_page};
use crate::web::tasks::named;
use crate::web::view::When;
use crate::web::visit::Visit;

/// A line of a comparison, as a page shows it.
pub(super) struct DiffRow {
    /// `add`, `gone`, `gap` or empty.
    pub tone: &'static str,
    pub sign: char,
    pub before: String,
    pub after: String,
    pub text: String,
}

pub(super) fn diff_rows(lines: &[DiffLine]) -> Vec<DiffRow> {
    let number = |number: Option<usize>| number.map(|number| number.to_string()).unwrap_or_default();
    lines
        .iter()
        .map(|line| DiffRow {
            tone: match line.sign {
                '+' => "add",
                '-' => "gone",
                '…' => "gap",
                _ => "",
            },
            sign: line.sign,
            before: number(line.before),
            after: number(line.after),
            text: line.text.clone(),
        })
        .collect()
}

#[derive(Template)]
#[template(path = "editor/versions.html")]
struct List {
    chrome: Chrome,
    name: String,
    rows: Vec<Row>,
}

struct Row {
    version: i64,
    saved: When,
    is_newest: bool,
    added: usize,
    gone: usize,
    is_first: bool,
}

/// `GET /tasks/{name}/versions`.
pub(in crate::web) async fn list(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
) -> Response {
    let chrome = visit.chrome(&format!("Versions of {name}"), "tasks");
    let read = move |app: &App| -> Result<_, AppError> {
        let name = named(&name)?;
        let versions = app.task_versions(&name)?;
        let now = app.now();
        let rows = versions
            .iter()
            .enumerate()
            .map(|(place, version)| {
                let before = versions
                    .get(place.saturating_add(1))
                    .map(|before| before.yaml.as_str());
                let changed = compare(before.unwrap_or_default(), &version.yaml);
                let count = |sign| changed.iter().filter(|line| line.sign == sign).count();
                Row {
                    version: version.version,
                    saved: When::new(version.created_at, now),
                    is_newest: place == 0,
                    is_first: version.version == 1,
                    added: count('+'),
                    gone: count('-'),
                }
            })
            .collect();
        Ok(List {
            chrome,
            name: name.to_string(),
            rows,
        })
    };
    match look(&shared, read).await {
        Ok(page) => show_page(&page),
        Err(error) => failed(&visit, "tasks", error),
    }
}

#[derive(Template)]
#[template(path = "editor/version.html")]
struct Show {
    chrome: Chrome,
    name: String,
    version: i64,
    newest: i64,
    saved: When,
    yaml: String,
    /// What it changed of the one before it.
    own: Vec<DiffRow>,
    /// What going back to it would change.
    back: Vec<DiffRow>,
}

/// `GET /tasks/{name}/versions/{version}`.
pub(in crate::web) async fn show(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path((name, version)): Path<(String, i64)>,
) -> Response {
    let chrome = visit.chrome(&format!("Version {version} of {name}"), "tasks");
    let read = move |app: &App| -> Result<_, AppError> {
        let name = named(&name)?;
        let versions = app.task_versions(&name)?;
        let newest = versions.first();
        let shown = app.task_text(&name, version)?;
        let before = match version {
            ..=1 => String::new(),
            _ => app
                .task_text(&name, version.saturating_sub(1))
                .map(|before| before.yaml)
                .unwrap_or_default(),
        };
        let back = newest.map(|newest| compare(&newest.yaml, &shown.yaml));
        let saved = versions
            .iter()
            .find(|one| one.version == version)
            .map_or(shown.created_at, |one| one.created_at);
        Ok(Show {
            chrome,
            name: name.to_string(),
            version,
            newest: newest.map_or(0, |newest| newest.version),
            saved: When::new(saved, app.now()),
            own: diff_rows(&compare(&before, &shown.yaml)),
            back: diff_rows(&back.unwrap_or_default()),
            yaml: shown.yaml,
        })
    };
    match look(&shared, read).await {
        Ok(page) => show_page(&page),
        Err(error) => failed(&visit, "tasks", error),
    }
}

/// `POST /tasks/{name}/versions/{version}/restore`: the old text as a new version, looked through as any other.
pub(in crate::web) async fn restore(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path((name, version)): Path<(String, i64)>,
    form: Form,
) -> Response {
    let over = form.get("over").parse().unwrap_or(0);
    let found = look(&shared, move |app| {
        let name = named(&name)?;
        let text = app.task_text(&name, version)?.yaml;
        Ok((name, text))
    });
    let (name, yaml) = match found.await {
        Ok(found) => found,
        Err(error) => return failed(&visit, "tasks", error),
    };
    match visit.app().save_task(&yaml, Some(&name), over, false).await {
        Ok(saved) => go(&format!("/tasks/{name}?said=restored&n={}", saved.version)),
        // In the editor, where it can be mended.
        Err(error) => {
            let editing = Editing {
                name: Some(name),
                over,
                yaml,
            };
            refused(&shared, &visit, editing, error, None).await
        }
    }
}
