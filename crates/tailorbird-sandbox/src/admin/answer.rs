//! Reading JSON bodies, and errors of the form `{"error":{"code","message","detail","hint"}}`.

use axum::body::Bytes;
use axum::response::Response;
use http::StatusCode;
use serde::de::DeserializeOwned;

pub(super) use crate::shapes::own_error as error;
pub(super) use crate::shapes::storage_failed;

/// Reads a body as JSON, whatever its content type says: scripts rarely set one.
///
/// # Errors
/// A 400 that says what is wrong where, and what is valid.
#[expect(
    clippy::result_large_err,
    reason = "the answer is the error; it is made once a request"
)]
pub(super) fn read<T: DeserializeOwned>(body: &Bytes, valid: &str) -> Result<T, Response> {
    serde_json::from_slice(body).map_err(|problem| {
        error(
            StatusCode::BAD_REQUEST,
            "SANDBOX-022",
            "body is not the JSON that is needed",
            &format!("{problem}."),
            &format!("Valid is {valid}"),
        )
    })
}

/// A value that can't be taken.
pub(super) fn invalid(detail: &str, hint: &str) -> Response {
    error(
        StatusCode::BAD_REQUEST,
        "SANDBOX-023",
        "value cannot be used",
        detail,
        hint,
    )
}
