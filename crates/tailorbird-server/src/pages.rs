//! What the main listener has: a word for people, health, readiness.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::problem::Problem;
use crate::server::Shared;
use crate::{hooks, metrics};

/// The main listener's paths. Webhooks are among them only where they have no listener of their own.
pub(crate) fn main(shared: Shared, with_hooks: bool) -> Router {
    let mut router = Router::new()
        .route("/", get(front))
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics::page));
    if with_hooks {
        router = router.nest("/hooks", hooks::router());
    }
    finished(router, shared)
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

/// What stands where, in plain text. The pages for people come later; a page that looks like them would
/// promise something.
async fn front(State(shared): State<Shared>) -> Response {
    let addresses = shared.addresses();
    let text = format!(
        "Tailorbird {} is at work.\n\n\
         {url}/healthz   whether the process answers\n\
         {url}/readyz    whether it drives runs\n\
         {metrics}   figures, for Prometheus\n\
         {hooks}     webhooks\n\n\
         There are no pages for a browser in this version. Use the command line beside it: `tailorbird task list`,\n\
         `tailorbird run list`, `tailorbird delivery list`.\n",
        env!("CARGO_PKG_VERSION"),
        url = addresses.url,
        metrics = addresses.metrics,
        hooks = addresses.webhooks,
    );
    plain(text)
}

pub(crate) fn plain(text: String) -> Response {
    let mut response = text.into_response();
    response.headers_mut().insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
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
