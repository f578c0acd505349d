//! The error bodies of X API v1.1: `{"errors":[{"code":…,"message":…}]}`.
//!
//! Answers: which code, status and sentence stands for a refusal? The numbers are X's published table.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

/// A refusal by API v1.1: status, X's number, X's sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LegacyError {
    status: StatusCode,
    code: u16,
    message: String,
}

impl LegacyError {
    /// Any code; the named constructors below are preferred.
    pub(crate) fn new(status: StatusCode, code: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// 17: a user search by name or id without a hit.
    pub(crate) fn no_user_matches() -> Self {
        Self::new(StatusCode::NOT_FOUND, 17, "No user matches for specified terms.")
    }

    /// 34: the address does not exist.
    pub(crate) fn unknown_page() -> Self {
        Self::new(StatusCode::NOT_FOUND, 34, "Sorry, that page does not exist.")
    }

    /// 25: an empty search.
    pub(crate) fn empty_query() -> Self {
        Self::new(StatusCode::BAD_REQUEST, 25, "Query parameters are missing.")
    }

    /// 38: a required parameter is not there.
    pub(crate) fn missing(name: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, 38, format!("{name} parameter is missing."))
    }

    /// 44: a value that cannot be used; the sentence names it.
    pub(crate) fn invalid(name: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            44,
            format!("{name} parameter is invalid."),
        )
    }

    /// 50: the user does not exist.
    pub(crate) fn unknown_user() -> Self {
        Self::new(StatusCode::NOT_FOUND, 50, "User not found.")
    }

    /// 93: the application's level does not cover direct messages.
    pub(crate) fn no_direct_messages() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            93,
            "This application is not allowed to access or delete your direct messages.",
        )
    }

    /// 108: the recipient does not exist.
    pub(crate) fn unknown_recipient() -> Self {
        Self::new(StatusCode::NOT_FOUND, 108, "Cannot find specified user.")
    }

    /// 120: a profile value breaks a rule; the sentence says which.
    pub(crate) fn profile(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, 120, message)
    }

    /// 131: the sandbox's own store did not take an event.
    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, 131, "Internal error")
    }

    /// 144: the post does not exist, any more or at all.
    pub(crate) fn unknown_status() -> Self {
        Self::new(StatusCode::NOT_FOUND, 144, "No status found with that ID.")
    }

    /// 151: a direct message that cannot be sent; the sentence says why.
    pub(crate) fn message_not_sent(reason: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            151,
            format!("There was an error sending your message: {reason}"),
        )
    }

    /// 170: a status without text.
    pub(crate) fn empty_status() -> Self {
        Self::new(StatusCode::FORBIDDEN, 170, "Missing required parameter: status.")
    }

    /// 183: another account's post.
    pub(crate) fn not_your_status() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            183,
            "You may not delete another user's status.",
        )
    }

    /// 186: over 280 by the weighted count.
    pub(crate) fn status_too_long() -> Self {
        Self::new(StatusCode::FORBIDDEN, 186, "Tweet needs to be a bit shorter.")
    }

    /// 187: the text of a recent post.
    pub(crate) fn duplicate_status() -> Self {
        Self::new(StatusCode::FORBIDDEN, 187, "Status is a duplicate.")
    }

    /// 214: a body that cannot be read.
    pub(crate) fn unreadable_body(reason: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 214, format!("Bad request. {reason}"))
    }

    /// 324: a media id that is unknown, foreign, expired or not finished.
    pub(crate) fn invalid_media(id: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 324, format!("Invalid media id {id}"))
    }

    /// 354: a direct message over its limit.
    pub(crate) fn message_too_long() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            354,
            "The text of your direct message is over the max character limit.",
        )
    }

    /// 385: a reply to a post that is deleted or not visible.
    pub(crate) fn reply_target_gone() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            385,
            "You attempted to reply to a Tweet that is deleted or not visible to you.",
        )
    }

    /// 453: the plan does not include the endpoint (`--legacy-v1 closed`).
    pub(crate) fn not_in_plan() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            453,
            "You currently have access to a subset of X API V2 endpoints and limited v1.1 endpoints (e.g. media post, oauth) only. If you need access to this endpoint, you may need a different access level.",
        )
    }
}

impl IntoResponse for LegacyError {
    fn into_response(self) -> Response {
        let body = json!({ "errors": [{ "code": self.code, "message": self.message }] });
        (self.status, Json(body)).into_response()
    }
}
