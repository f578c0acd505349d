//! What each level may do (X: "app permissions"): read cannot write anything, direct messages need the third.

use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use serde_json::json;

use crate::pipeline::reads;
use crate::shapes;
use crate::state::Level;

/// What v2 answers when the token's level is too low. Clients compare the last part of `type`.
const PERMISSIONS_TYPE: &str = "https://api.twitter.com/2/problems/oauth1-permissions";
const PERMISSIONS_DETAIL: &str =
    "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint.";

/// X's refusal where the token's level does not allow the call; none where it does.
pub(crate) fn level_refusal(method: &Method, path: &str, level: Level) -> Option<Response> {
    let direct_messages = path.starts_with("/2/dm_") || path.starts_with("/1.1/direct_messages");
    let allowed = if direct_messages {
        level.direct_messages()
    } else {
        reads(method) || level.writes()
    };
    if allowed {
        return None;
    }
    if path.starts_with("/2/") {
        return Some(shapes::v2(
            StatusCode::FORBIDDEN,
            "Forbidden",
            PERMISSIONS_TYPE,
            PERMISSIONS_DETAIL,
        ));
    }
    if direct_messages {
        let message = "This application is not allowed to access or delete your direct messages.";
        return Some(shapes::v1(StatusCode::FORBIDDEN, 93, message));
    }
    let body = json!({ "request": path, "error": "Read-only application cannot POST." });
    Some((StatusCode::UNAUTHORIZED, axum::Json(body)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_reaches_exactly_what_the_portal_says() {
        use Level::{Read, ReadWrite, ReadWriteDm};
        let cases = [
            (Method::GET, "/2/users/me", [true, true, true]),
            (Method::POST, "/2/tweets", [false, true, true]),
            (Method::DELETE, "/2/tweets/1", [false, true, true]),
            (Method::GET, "/2/dm_events", [false, false, true]),
            (
                Method::POST,
                "/2/dm_conversations/with/1/messages",
                [false, false, true],
            ),
            (
                Method::GET,
                "/1.1/statuses/user_timeline.json",
                [true, true, true],
            ),
            (Method::POST, "/1.1/statuses/update.json", [false, true, true]),
            (
                Method::GET,
                "/1.1/direct_messages/events/list.json",
                [false, false, true],
            ),
        ];
        for (method, path, allowed) in cases {
            for (level, allowed) in [Read, ReadWrite, ReadWriteDm].into_iter().zip(allowed) {
                assert_eq!(
                    level_refusal(&method, path, level).is_none(),
                    allowed,
                    "{method} {path} {level:?}"
                );
            }
        }
    }
}
