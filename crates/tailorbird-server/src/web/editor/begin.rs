//! A new task: what it may begin with, then the editor.

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use tailorbird_app::{TEMPLATES, TaskTemplate};

use super::{Banner, Editing, answer, yaml_page};
use crate::server::Shared;
use crate::web::form::Form;
use crate::web::page::{Chrome, show};
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
    let Some(template) = TEMPLATES.iter().find(|template| template.name == from.from) else {
        return show(&Begin {
            chrome: visit.chrome("New task", "tasks"),
            templates: TEMPLATES,
        });
    };
    let editing = Editing {
        name: None,
        over: 0,
        yaml: template.yaml.to_owned(),
    };
    yaml_page(&shared, &visit, StatusCode::OK, editing, Banner::default()).await
}

/// `POST /new-task`: checks or makes it.
pub(in crate::web) async fn make(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    form: Form,
) -> Response {
    answer(&shared, &visit, None, &form).await
}
