//! Pages for people: rendered on the server, complete without script, behind a session.

mod approvals;
mod assets;
mod audit;
mod connections;
mod database_forms;
mod databases;
mod deliveries;
mod editor;
mod export;
mod fields;
mod filters;
mod flow;
mod form;
mod kept;
mod ledger;
mod live;
mod once;
mod overview;
mod page;
mod runs;
mod said;
mod services;
mod spark;
mod tasks;
mod view;
mod visit;

use tailorbird_app::{App, AppError};
use tailorbird_model::access::Right;

use crate::routes::{Access, Routes};
use crate::server::Shared;

pub(crate) use live::MAX_STREAMS;
pub(crate) use once::Once;
pub(crate) use visit::admit;

const LOOK: Access = Access::Right(Right::Look);
const QUERY: Access = Access::Right(Right::Query);
const OPERATE: Access = Access::Right(Right::Operate);
const DESIGN: Access = Access::Right(Right::Design);
const ADMINISTER: Access = Access::Right(Right::Administer);

/// All pages, each with the right that it wants.
#[rustfmt::skip]
pub(crate) fn routes() -> Routes {
    Routes::new()
        .get("/", LOOK, overview::show)
        .get("/live/overview", LOOK, overview::live)
        .get("/connections", LOOK, connections::list)
        .get("/connections/{name}", LOOK, connections::show)
        .post("/connections/{name}/save", DESIGN, connections::save)
        .post("/connections/{name}/test", OPERATE, connections::test)
        .get("/connections/{name}/try", DESIGN, connections::try_it)
        .post("/connections/{name}/try", DESIGN, connections::try_out)
        .get("/connections/{name}/diagnose", LOOK, connections::diagnosis)
        .post("/connections/{name}/diagnose", OPERATE, connections::diagnose)
        .get("/connections/{name}/remove", DESIGN, connections::ask_to_remove)
        .post("/connections/{name}/remove", DESIGN, connections::remove)
        .get("/connections/{name}/authorize", DESIGN, connections::wizard)
        .post("/connections/{name}/authorize/{action}", DESIGN, connections::authorize)
        .get("/oauth/callback", DESIGN, connections::callback)
        .get("/catalogue", LOOK, connections::catalogue)
        .get("/catalogue/{name}", DESIGN, connections::offer)
        .post("/catalogue/{name}", DESIGN, connections::make)
        .get("/new-rest-service", DESIGN, connections::new_rest)
        .post("/new-rest-service", DESIGN, connections::make_rest)
        .get("/services/{name}", LOOK, services::show)
        .post("/services/{name}", DESIGN, services::save)
        .get("/new-service", DESIGN, services::new)
        .post("/new-service", DESIGN, services::add)
        .get("/databases", LOOK, databases::list)
        .get("/databases/{name}", QUERY, databases::show)
        .get("/add-database", DESIGN, database_forms::begin)
        .post("/add-database", DESIGN, database_forms::add)
        .get("/databases/{name}/settings", DESIGN, database_forms::settings)
        .post("/databases/{name}/settings", DESIGN, database_forms::change)
        .post("/databases/{name}/test", OPERATE, database_forms::test)
        .get("/tasks", LOOK, tasks::list)
        .get("/tasks/{name}", LOOK, tasks::show)
        .get("/new-task", DESIGN, editor::begin)
        .post("/new-task", DESIGN, editor::make)
        .get("/tasks/{name}/edit", DESIGN, editor::edit)
        .post("/tasks/{name}/edit", DESIGN, editor::edited)
        .get("/tasks/{name}/versions", LOOK, editor::versions)
        .get("/tasks/{name}/versions/{version}", LOOK, editor::version)
        .post("/tasks/{name}/versions/{version}/restore", DESIGN, editor::restore)
        .get("/tasks/{name}/start", OPERATE, editor::ask_start)
        .post("/tasks/{name}/start", OPERATE, editor::start)
        .post("/tasks/{name}/run", OPERATE, tasks::run)
        .post("/tasks/{name}/enable", OPERATE, tasks::enable)
        .post("/tasks/{name}/disable", OPERATE, tasks::disable)
        .get("/tasks/{name}/rehearsal", OPERATE, tasks::rehearse)
        .get("/runs", LOOK, runs::list)
        .get("/runs/{id}", LOOK, runs::show)
        .get("/live/runs/{id}", LOOK, runs::live)
        .post("/runs/{id}/{action}", OPERATE, runs::act)
        .get("/deliveries", LOOK, deliveries::list)
        .get("/deliveries.csv", LOOK, export::csv)
        .get("/deliveries/{id}", LOOK, deliveries::show)
        .post("/deliveries/{id}/resolve", OPERATE, deliveries::resolve)
        .get("/decide", OPERATE, deliveries::preview)
        .post("/decide", OPERATE, deliveries::resolve_all)
        .get("/ledger", LOOK, ledger::show)
        .post("/ledger", OPERATE, ledger::verify)
        .get("/approvals", LOOK, approvals::list)
        .get("/approvals/{id}", LOOK, approvals::show)
        .post("/decide-approvals", OPERATE, approvals::decide)
        .get("/audit", ADMINISTER, audit::list)
        .post("/theme", Access::SignedIn, visit::theme)
        .post("/leave", Access::SignedIn, visit::leave)
        .get("/enter", Access::Anybody, visit::enter)
        .get("/assets/{name}", Access::Anybody, assets::serve)
}

/// Reads from the store without holding up other connections.
async fn look<T, F>(shared: &Shared, read: F) -> Result<T, AppError>
where
    T: Send + 'static,
    F: FnOnce(&App) -> Result<T, AppError> + Send + 'static,
{
    let app = shared.program().clone();
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
