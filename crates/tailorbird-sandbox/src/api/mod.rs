//! The API itself: X API v2 and v1.1 in X's own shapes, on the sandbox's state.
//!
//! Requests arrive authenticated, with a caller; answers leave through the same pipeline. What both versions
//! share (publishing, uploads, messages, timelines) is written once here and given two faces in `v2` and
//! `v1`. Nothing below this module looks at signatures, limits or faults.

mod call;
mod compose;
mod fields;
#[cfg(test)]
mod fuzz;
mod legacy_error;
mod links;
mod messages;
mod page;
mod params;
mod problem;
mod render;
mod reposts;
mod schema;
mod search;
mod timeline;
mod times;
mod uploads;
mod v1;
mod v2;

use crate::Shared;
use axum::Router;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, Uri};

/// All addresses of the API, ready to stand behind authentication.
pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .merge(v2::router())
        .merge(v1::router(&shared))
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown)
        .with_state(shared)
}

/// An address that does not exist, in the shape of the version it names.
async fn unknown(uri: Uri) -> Response {
    if uri.path().starts_with("/1.1/") {
        legacy_error::LegacyError::unknown_page().into_response()
    } else {
        problem::Problem::unknown_path().into_response()
    }
}

/// A method the address does not have; the router adds `Allow`.
async fn wrong_method(method: Method, uri: Uri) -> Response {
    if uri.path().starts_with("/1.1/") {
        legacy_error::LegacyError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            86,
            format!("This method requires another HTTP method than {method}."),
        )
        .into_response()
    } else {
        problem::Problem::method(&method).into_response()
    }
}
