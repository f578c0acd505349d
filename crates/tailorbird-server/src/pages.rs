//! What the listeners have: pages, health, readiness, figures, webhooks.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http::StatusCode;
use serde_json::json;

use crate::problem::Problem;
use crate::routes::{Access, Routes, Stated};
use crate::server::Shared;
use crate::{hooks, metrics, web};

/// The main listener's paths. Webhooks are among them only where they have no listener of their own.
pub(crate) fn main(shared: Shared, with_hooks: bool) -> Router {
    let mut router = routes().pages(&shared);
    if with_hooks {
        router = router.nest("/hooks", hooks::router());
    }
    finished(router, shared)
}

fn routes() -> Routes {
    Routes::new()
        .get("/healthz", Access::Anybody, healthy)
        .get("/readyz", Access::Anybody, ready)
        .get("/metrics", Access::Anybody, metrics::page)
        .and(web::routes())
}

/// Every route of the main listener but those of webhooks, with who may call it.
pub fn stated_routes() -> Vec<Stated> {
    routes().stated()
}

/// The webhook listener's paths.
pub(crate) fn webhooks(shared: Shared) -> Router {
    finished(Router::new().nest("/hooks", hooks::router()), shared)
}

fn finished(router: Router<Shared>, shared: Shared) -> Router {
    router
        .method_not_allowed_fallback(|method: http::Method| async move { Problem::method(&method) })
        .fallback(|| async {
            Problem::not_found("there is nothing at this path", "`/` lists what there is.")
        })
        .with_state(shared)
}

async fn healthy() -> Response {
    Json(json!({"state": "alive"})).into_response()
}

async fn ready(State(shared): State<Shared>) -> Response {
    match shared.pulse().ready() {
        Ok(()) => Json(json!({"state": "ready"})).into_response(),
        Err(why) => {
            let body = Json(json!({"state": "not_ready", "detail": why.to_string()}));
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}
