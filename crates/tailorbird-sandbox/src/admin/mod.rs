//! `/_sandbox/`: the same world for scripts, as JSON. The names here are a promise: other people's tests use
//! them.

mod answer;
mod approve;
mod apps;
mod posts;
mod switches;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{StatusCode, Uri};
use serde_json::json;

use crate::Shared;
use answer::error;

/// The routes below `/_sandbox/`.
pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/_sandbox", get(index))
        .route("/_sandbox/", get(index))
        .route("/_sandbox/apps", get(apps::list).post(apps::create))
        .route("/_sandbox/apps/{key}", get(apps::show).post(apps::change))
        .route("/_sandbox/approve", post(approve::decide))
        .route("/_sandbox/posts", get(posts::list))
        .route("/_sandbox/requests", get(switches::requests))
        .route(
            "/_sandbox/clock",
            get(switches::clock).post(switches::advance_clock),
        )
        .route(
            "/_sandbox/faults",
            get(switches::faults).post(switches::set_faults),
        )
        .route(
            "/_sandbox/duplicates",
            get(switches::duplicates).post(switches::set_duplicates),
        )
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .with_state(shared)
}

/// What there is.
async fn index(State(shared): State<Shared>) -> Response {
    let entries = json!([
        { "path": "apps", "methods": ["GET", "POST"],
          "does": "List applications, or register one: {name, description, website, level: read|read_write|read_write_dm, callbacks} gives {client_key, client_secret}." },
        { "path": "apps/KEY", "methods": ["GET", "POST"],
          "does": "Show an application, or change it: any of {level, callbacks, name, description, website}. Tokens keep their level." },
        { "path": "approve", "methods": ["POST"],
          "does": "Decide for the resource owner: {oauth_token, deny?, account?} gives {verifier, redirect} or {denied, redirect}." },
        { "path": "posts", "methods": ["GET"],
          "does": "Every post ever accepted from API callers, deleted ones too: {accepted, refused_duplicates, posts}." },
        { "path": "requests", "methods": ["GET"],
          "does": "The last 1,000 requests to OAuth endpoints and API, newest first, each with base string and verdict." },
        { "path": "clock", "methods": ["GET", "POST"],
          "does": "Show the sandbox clock, or move it forward: {advance_s}." },
        { "path": "faults", "methods": ["GET", "POST"],
          "does": "Show the faults with their counts, or replace them all: [{match, nth?, do: lose_answer|cut|delay|429|503|bad_json, seconds?}]; [] removes them." },
        { "path": "duplicates", "methods": ["GET", "POST"],
          "does": "Show or switch the rule that refuses the same text by the same account: {refuse: true|false}." }
    ]);
    let addresses = shared.addresses.get();
    axum::Json(json!({ "addresses": addresses, "endpoints": entries })).into_response()
}

async fn not_found(uri: Uri) -> Response {
    error(
        StatusCode::NOT_FOUND,
        "SANDBOX-020",
        "path does not exist",
        &format!("There is nothing at {}.", uri.path()),
        "GET /_sandbox/ lists what there is.",
    )
}

async fn wrong_method(method: http::Method, uri: Uri) -> Response {
    error(
        StatusCode::METHOD_NOT_ALLOWED,
        "SANDBOX-021",
        "method is not answered here",
        &format!("{} does not answer {method}.", uri.path()),
        "GET /_sandbox/ lists the methods of each path.",
    )
}
