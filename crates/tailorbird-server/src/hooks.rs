//! Webhooks: `/hooks/…`. From HTTP to the app's [`Hooks`](tailorbird_app::Hooks) and back; nothing is decided here.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde_json::json;
use tailorbird_app::{HookAnswer, HookRequest, MAX_HOOK_BODY, MAX_HOOK_HEADERS};
use tailorbird_model::fault;

use crate::guard;
use crate::problem::Problem;
use crate::server::Shared;

/// How long a body may take to arrive. Providers send in well under a second, and give up after ten.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of a body that is too large is read at most, so that its sender gets to read the answer.
const MAX_DROPPED_BODY: usize = 8 * MAX_HOOK_BODY;

/// When a sender may try again where an event could not be stored.
const FAILED_RETRY_SECONDS: u32 = 10;

/// What `/hooks/…` leads to, on whichever listener.
pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/{*path}", get(challenge).post(receive))
        .method_not_allowed_fallback(|method: Method| async move { Problem::hook_method(&method) })
        .fallback(|| async { Problem::hook_unknown() })
}

/// The query of X's challenge.
#[derive(Deserialize)]
struct Challenge {
    crc_token: Option<String>,
}

async fn challenge(
    State(shared): State<Shared>,
    Path(path): Path<String>,
    Query(query): Query<Challenge>,
) -> Response {
    let Some(token) = query.crc_token else {
        return Problem::hook_unknown().into_response();
    };
    match shared.hooks().challenge(&path, &token) {
        Ok(answer) => Json(json!({ "response_token": answer })).into_response(),
        Err(answer) => told(answer),
    }
}

async fn receive(
    State(shared): State<Shared>,
    Path(path): Path<String>,
    method: Method,
    headers: HeaderMap,
    request: Request<Body>,
) -> Response {
    let hooks = shared.hooks();
    // Before the body is read: nobody makes us read what is not wanted.
    if let Err(answer) = hooks.admits(&path) {
        return told(answer);
    }
    if headers.len() > MAX_HOOK_HEADERS {
        return Problem::hook(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "there are too many headers",
        )
        .into_response();
    }
    let body = match tokio::time::timeout(BODY_TIMEOUT, read(request.into_body())).await {
        Ok(Ok(body)) => body,
        Ok(Err(Unread::TooLarge)) => return too_large(&shared, &path),
        Ok(Err(Unread::BrokeOff)) => {
            return Problem::hook(StatusCode::BAD_REQUEST, "the body broke off").into_response();
        }
        Err(_) => {
            return Problem::hook(StatusCode::REQUEST_TIMEOUT, "the body took too long").into_response();
        }
    };
    let answer = hooks
        .receive(HookRequest {
            path,
            is_local: shared.hooks_are_local() && guard::check(&method, &headers).is_ok(),
            headers: headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
                .collect(),
            body,
        })
        .await;
    fault::reach("webhook.answer");
    told(answer)
}

/// Why a body was not read.
enum Unread {
    TooLarge,
    BrokeOff,
}

/// Reads a body. What is beyond the limit is dropped as it comes, up to a further limit: a sender that is cut off
/// while it writes never gets to read why.
async fn read(mut body: Body) -> Result<Vec<u8>, Unread> {
    let (mut kept, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Unread::BrokeOff)?;
        let Some(data) = frame.data_ref() else { continue };
        length = length.saturating_add(data.len());
        if length <= MAX_HOOK_BODY {
            kept.extend_from_slice(data);
        } else if length > MAX_DROPPED_BODY {
            break;
        } else {
            kept = Vec::new();
        }
    }
    if length > MAX_HOOK_BODY {
        Err(Unread::TooLarge)
    } else {
        Ok(kept)
    }
}

fn too_large(shared: &Shared, path: &str) -> Response {
    shared.hooks().note_too_large(path);
    let what = format!("the body has more than {MAX_HOOK_BODY} bytes");
    Problem::hook(StatusCode::PAYLOAD_TOO_LARGE, what).into_response()
}

/// The answer in HTTP. A 2xx goes out only for what is on disk.
fn told(answer: HookAnswer) -> Response {
    match answer {
        HookAnswer::Accepted => (StatusCode::ACCEPTED, Json(json!({"state": "accepted"}))).into_response(),
        HookAnswer::Known => Json(json!({"state": "known"})).into_response(),
        HookAnswer::Unknown => Problem::hook_unknown().into_response(),
        // Not why: whoever tries signatures out must learn nothing from it.
        HookAnswer::NotBelieved => {
            Problem::hook(StatusCode::UNAUTHORIZED, "the request is not believed").into_response()
        }
        HookAnswer::Unfit(why) => {
            Problem::hook(StatusCode::UNPROCESSABLE_ENTITY, format!("the body {why}")).into_response()
        }
        HookAnswer::Later { seconds, too_fast } => {
            let (status, why) = if too_fast {
                (StatusCode::TOO_MANY_REQUESTS, "requests come too fast")
            } else {
                (StatusCode::SERVICE_UNAVAILABLE, "too many events wait")
            };
            later(status, why, seconds)
        }
        HookAnswer::Failed => later(
            StatusCode::SERVICE_UNAVAILABLE,
            "the event could not be taken in",
            FAILED_RETRY_SECONDS,
        ),
    }
}

fn later(status: StatusCode, why: &str, seconds: u32) -> Response {
    let mut response = Problem::hook(status, why).into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}
