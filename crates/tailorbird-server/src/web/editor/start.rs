//! A run with values for the variables of its own.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;
use tailorbird_app::{App, AppError, RunVariable, WrongValue};

use crate::server::Shared;
use crate::web::form::Form;
use crate::web::look;
use crate::web::page::{Chrome, failed, go, show_with};
use crate::web::tasks::named;
use crate::web::visit::Visit;

/// What the fields of variables are called, before the variable's name.
const FIELD: &str = "v-";

#[derive(Template)]
#[template(path = "editor/start.html")]
struct Page {
    chrome: Chrome,
    name: String,
    fields: Vec<Field>,
}

struct Field {
    name: String,
    takes: &'static str,
    value: String,
    usual: String,
    is_switch: bool,
    error: Option<String>,
}

fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn fields(known: &[RunVariable], given: &[(String, String)], wrong: &[WrongValue]) -> Vec<Field> {
    known
        .iter()
        .map(|variable| {
            let usual = as_text(&variable.value);
            let typed = given.iter().find(|(name, _)| *name == variable.name);
            Field {
                name: variable.name.clone(),
                takes: variable.takes(),
                value: typed.map_or_else(|| usual.clone(), |(_, text)| text.clone()),
                usual,
                is_switch: matches!(variable.value, Value::Bool(_)),
                error: wrong
                    .iter()
                    .find(|wrong| wrong.name == variable.name)
                    .map(|wrong| wrong.why.clone()),
            }
        })
        .collect()
}

/// `GET /tasks/{name}/start`.
pub(in crate::web) async fn ask(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
) -> Response {
    page(&shared, &visit, name, Vec::new(), Vec::new()).await
}

async fn page(
    shared: &Shared,
    visit: &Visit,
    name: String,
    given: Vec<(String, String)>,
    wrong: Vec<WrongValue>,
) -> Response {
    let status = if wrong.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let chrome = visit.chrome(&format!("Run {name} with other values"), "tasks");
    let read = move |app: &App| -> Result<_, AppError> {
        let known = app.run_variables(&named(&name)?)?;
        Ok(Page {
            chrome,
            name,
            fields: fields(&known, &given, &wrong),
        })
    };
    match look(shared, read).await {
        Ok(page) => show_with(status, &page),
        Err(error) => failed(visit, "tasks", error),
    }
}

/// `POST /tasks/{name}/start`: opens the run.
pub(in crate::web) async fn start(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    form: Form,
) -> Response {
    let given: Vec<(String, String)> = form
        .beginning(FIELD)
        .map(|(name, text)| (name.to_owned(), text.trim().to_owned()))
        .collect();
    let opened = match named(&name) {
        Ok(task) => visit.app().start_run(&task, &given).await,
        Err(error) => Err(error),
    };
    match opened {
        Ok(Ok(run)) => go(&format!("/runs/{}?said=run", run.id)),
        Ok(Err(wrong)) => page(&shared, &visit, name, given, wrong).await,
        Err(error) => failed(&visit, "tasks", error),
    }
}
