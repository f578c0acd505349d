//! The switch between light and dark, for browsers with and without script.

use axum::Extension;
use axum::response::Response;

use super::form::Form;
use super::page::go;
use super::visit::{Visit, own_path, remember_theme, theme_named};

/// `POST /theme`.
pub(super) async fn switch(Extension(_): Extension<Visit>, form: Form) -> Response {
    let mut response = go(own_path(form.get("back")));
    remember_theme(&mut response, theme_named(form.get("theme")));
    response
}
