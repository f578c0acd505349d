//! `application/rate_limit_status`

use super::input::Input;
use crate::api::call::Call;
use crate::api::legacy_error::LegacyError;
use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// `GET application/rate_limit_status?resources=`: what is left of each v1.1 address, by family. The access
/// token is named, as at X; it is no secret without its own.
pub(crate) async fn status(call: Call) -> Result<Response, LegacyError> {
    let input = Input::of(&call);
    let wanted: Vec<&str> = input
        .text("resources")
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    let mut resources: Map<String, Value> = Map::new();
    for status in call.shared.limits.status(&call.caller, call.shared.clock.now_s()) {
        let Some(path) = status.pattern.strip_prefix("/1.1") else {
            continue;
        };
        let family = path.split('/').nth(1).unwrap_or_default();
        if !wanted.is_empty() && !wanted.contains(&family) {
            continue;
        }
        let left = json!({
            "limit": status.left.limit, "remaining": status.left.remaining, "reset": status.left.reset_s,
        });
        let family = resources
            .entry(family)
            .or_insert_with(|| Value::Object(Map::new()));
        if let Some(family) = family.as_object_mut() {
            family.insert(path.replace('*', ":id"), left);
        }
    }
    Ok(Json(json!({
        "rate_limit_context": { "access_token": call.caller.token },
        "resources": resources,
    }))
    .into_response())
}
