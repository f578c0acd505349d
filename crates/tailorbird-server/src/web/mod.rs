//! Pages for people: rendered on the server, complete without script, behind a session.

mod approvals;
mod assets;
mod connections;
mod databases;
mod deliveries;
mod editor;
mod filters;
mod flow;
mod form;
mod kept;
mod live;
mod overview;
mod page;
mod runs;
mod said;
mod tasks;
mod view;
mod visit;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tailorbird_app::{App, AppError};

use crate::server::Shared;

pub(crate) use live::MAX_STREAMS;

/// All pages. Everything but the gate and the assets wants a session.
pub(crate) fn router(shared: &Shared) -> Router<Shared> {
    Router::new()
        .route("/", get(overview::show))
        .route("/live/overview", get(overview::live))
        .route("/connections", get(connections::list))
        .route("/connections/{name}", get(connections::show))
        .route("/connections/{name}/test", post(connections::test))
        .route("/databases", get(databases::list))
        .route("/databases/{name}", get(databases::show))
        .route("/tasks", get(tasks::list))
        .route("/tasks/{name}", get(tasks::show))
        .route("/new-task", get(editor::begin).post(editor::make))
        .route("/tasks/{name}/edit", get(editor::edit).post(editor::edited))
        .route("/tasks/{name}/versions", get(editor::versions))
        .route("/tasks/{name}/versions/{version}", get(editor::version))
        .route("/tasks/{name}/versions/{version}/restore", post(editor::restore))
        .route("/tasks/{name}/start", get(editor::ask_start).post(editor::start))
        .route("/tasks/{name}/run", post(tasks::run))
        .route("/tasks/{name}/enable", post(tasks::enable))
        .route("/tasks/{name}/disable", post(tasks::disable))
        .route("/tasks/{name}/rehearsal", get(tasks::rehearse))
        .route("/runs", get(runs::list))
        .route("/runs/{id}", get(runs::show))
        .route("/live/runs/{id}", get(runs::live))
        .route("/runs/{id}/{action}", post(runs::act))
        .route("/deliveries", get(deliveries::list))
        .route("/deliveries/{id}", get(deliveries::show))
        .route("/deliveries/{id}/resolve", post(deliveries::resolve))
        .route("/decide", get(deliveries::preview).post(deliveries::resolve_all))
        .route("/approvals", get(approvals::list))
        .route("/approvals/{id}", get(approvals::show))
        .route("/decide-approvals", post(approvals::decide))
        .route("/theme", post(visit::theme))
        .route("/leave", post(visit::leave))
        .route_layer(from_fn_with_state(shared.clone(), visit::known))
        .route("/enter", get(visit::enter))
        .route("/assets/{name}", get(assets::serve))
}

/// Who decides by these pages, as the ledger notes it.
pub(crate) const WHO: &str = "a person in the browser";

/// Reads from the store without holding up other connections.
async fn look<T, F>(shared: &Shared, read: F) -> Result<T, AppError>
where
    T: Send + 'static,
    F: FnOnce(&App) -> Result<T, AppError> + Send + 'static,
{
    let app = shared.app().clone();
    match tokio::task::spawn_blocking(move || read(&app)).await {
        Ok(result) => result,
        Err(error) => {
            tracing::error!(%error, "a page could not be read");
            Err(AppError::from(tailorbird_model::Failure::new(
                tailorbird_model::codes::INTERNAL,
                tailorbird_model::Meaning::NotSent,
                "the page could not be read",
            )))
        }
    }
}
