//! The error bodies of X that are not about one endpoint, and the sandbox's own.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::json;

/// A v1.1 error: `{"errors":[{"code","message"}]}`.
pub(crate) fn v1(status: StatusCode, code: u32, message: &str) -> Response {
    (
        status,
        axum::Json(json!({ "errors": [{ "code": code, "message": message }] })),
    )
        .into_response()
}

/// A v2 problem (RFC 7807 as X writes it).
pub(crate) fn v2(status: StatusCode, title: &str, kind: &str, detail: &str) -> Response {
    let body = json!({ "title": title, "type": kind, "status": status.as_u16(), "detail": detail });
    let mut response = (status, axum::Json(body)).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/problem+json"),
    );
    response
}

/// 429 in the shape of the path's API version.
pub(crate) fn rate_limited(path: &str) -> Response {
    let status = StatusCode::TOO_MANY_REQUESTS;
    if path.starts_with("/2/") {
        v2(status, "Too Many Requests", "about:blank", "Too Many Requests")
    } else {
        v1(status, 88, "Rate limit exceeded")
    }
}

/// 503 in the shape of the path's API version.
pub(crate) fn over_capacity(path: &str) -> Response {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    if path.starts_with("/2/") {
        v2(
            status,
            "Service Unavailable",
            "about:blank",
            "Service Unavailable",
        )
    } else {
        v1(status, 130, "Over capacity")
    }
}

/// The state file cannot be written: nothing may be said to have happened.
pub(crate) fn storage_failed() -> Response {
    own_error(
        StatusCode::SERVICE_UNAVAILABLE,
        "SANDBOX-003",
        "could not write the state file",
        "Memory and disk may differ from here on, so nothing more is accepted.",
        "Make room on the disk, then start the sandbox again with the same state file.",
    )
}

/// An error of the sandbox itself: `{"error":{"code","message","detail","hint"}}`.
pub(crate) fn own_error(status: StatusCode, code: &str, message: &str, detail: &str, hint: &str) -> Response {
    let body = json!({ "error": { "code": code, "message": message, "detail": detail, "hint": hint } });
    (status, axum::Json(body)).into_response()
}
