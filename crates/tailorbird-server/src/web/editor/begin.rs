//! A new task: what it may begin with, then the editor.

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use tailorbird_app::{TEMPLATES, TaskTemplate};

use super::{Editing, answer, page_of};
use crate::server::Shared;
use crate::web::form::Form;
use crate::web::look;
use crate::web::page::{Chrome, failed, show, show_with};
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "editor/begin.html")]
struct Begin {
    chrome: Chrome,
    templates: &'static [TaskTemplate],
}

#[derive(Deserialize, Default)]
pub(in crate::web) struct From {
    #[serde(default)]
    from: String,
}

/// `GET /new-task`: what it may begin with; with `?from=`, the editor.
pub(in crate::web) async fn begin(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Query(from): Query<From>,
) -> Response {
    let chrome = visit.chrome("New task", "tasks");
    let Some(template) = TEMPLATES.iter().find(|template| template.name == from.from) else {
        return show(&Begin {
            chrome,
            templates: TEMPLATES,
        });
    };
    let editing = Editing {
        name: None,
        over: 0,
        yaml: template.yaml.to_owned(),
    };
    match look(&shared, move |app| Ok(page_of(app, chrome, editing))).await {
        Ok(page) => show_with(StatusCode::OK, &page),
        Err(error) => failed(&visit, "tasks", error),
    }
}

/// `POST /new-task`: checks or makes it.
pub(in crate::web) async fn make(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    form: Form,
) -> Response {
    answer(&shared, &visit, None, &form).await
}
