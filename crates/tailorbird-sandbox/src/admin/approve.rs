//! `approve`: what a person does on the consent page, for scripts.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::answer::{error, read, storage_failed};
use crate::Shared;
use crate::oauth::consent::{self, ConsentError};

const VALID: &str = "{\"oauth_token\": the request token, \"deny\"?: true, \"account\"?: a username}.";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    oauth_token: String,
    #[serde(default)]
    deny: bool,
    account: Option<String>,
}

/// `POST approve`.
pub(super) async fn decide(State(shared): State<Shared>, body: Bytes) -> Response {
    let decision: Decision = match read(&body, VALID) {
        Ok(decision) => decision,
        Err(response) => return response,
    };
    if decision.deny {
        return match consent::deny(&shared, &decision.oauth_token).await {
            Ok(redirect) => Json(json!({ "denied": true, "redirect": redirect })).into_response(),
            Err(error) => refusal(&error),
        };
    }
    let account = shared.store.read(|state| {
        match &decision.account {
            Some(name) => state.account_named(name),
            None => state.main_account(),
        }
        .map(|account| account.id)
    });
    let Some(account) = account else {
        return error(
            StatusCode::NOT_FOUND,
            "SANDBOX-026",
            "account does not exist",
            &format!(
                "No account is named \"{}\".",
                decision.account.unwrap_or_default()
            ),
            "Leave `account` out for the main account; the portal's pages show the others.",
        );
    };
    match consent::approve(&shared, &decision.oauth_token, account).await {
        Ok(approved) => {
            Json(json!({ "verifier": approved.verifier, "redirect": approved.redirect })).into_response()
        }
        Err(error) => refusal(&error),
    }
}

fn refusal(problem: &ConsentError) -> Response {
    if matches!(problem, ConsentError::Commit(_)) {
        return storage_failed();
    }
    error(
        StatusCode::CONFLICT,
        "SANDBOX-027",
        "request token cannot be decided upon",
        &format!("The {problem}."),
        "Get a new one from POST /oauth/request_token; each is good for ten minutes and one decision.",
    )
}
