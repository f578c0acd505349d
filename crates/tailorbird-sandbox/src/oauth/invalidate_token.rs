//! `oauth/invalidate_token`: a client gives up its access token.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

use super::{Verdict, authenticate};
use crate::pipeline::Arrived;
use crate::state::{Event, Revocation};
use crate::{Sandbox, shapes};

/// Voids the token that signed the request.
pub(super) async fn answer(sandbox: &Sandbox, arrived: &Arrived) -> (Response, Verdict) {
    let (caller, mut verdict) = match authenticate(sandbox, arrived).await {
        Ok(authenticated) => authenticated,
        Err(refused) => return (refused.response, refused.verdict),
    };
    let event = Event::TokenRevoked {
        token: caller.token.clone(),
        why: Revocation::Invalidated,
    };
    if sandbox.store.commit(event).await.is_err() {
        return (shapes::storage_failed(), verdict);
    }
    verdict.add("The access token is void from now on.");
    (
        (
            StatusCode::OK,
            axum::Json(json!({ "access_token": caller.token })),
        )
            .into_response(),
        verdict,
    )
}
