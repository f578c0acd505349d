//! Temporary credentials (RFC 5849 §2.1; X: `oauth/request_token`).

use axum::response::Response;
use http::StatusCode;
use tailorbird_oauth::{OUT_OF_BAND, Presented};

use super::check::{Expected, Signed, check};
use super::{Verdict, answer};
use crate::pipeline::Arrived;
use crate::state::{CredentialState, Event, Level, TemporaryCredentials};
use crate::{Sandbox, entropy, shapes};

/// Letters of a request token and of its secret; X's have about as many.
const TOKEN_LETTERS: usize = 27;
const SECRET_LETTERS: usize = 32;

/// Gives temporary credentials.
pub(super) async fn answer(sandbox: &Sandbox, arrived: &Arrived) -> (Response, Verdict) {
    let checked = check(sandbox, arrived, Expected::ClientOnly).await;
    let mut verdict = checked.verdict;
    let signed = match checked.outcome {
        Ok(signed) => signed,
        Err(failure) => return (answer::unauthenticated_xml(failure), verdict),
    };
    let callback = match callback(sandbox, &signed) {
        Ok(callback) => callback,
        Err((response, words)) => {
            verdict.add(&format!("Refused: {words}"));
            return (response, verdict);
        }
    };
    let requested_level = match parameter(&signed.presented, "x_auth_access_type").as_deref() {
        Some("read") => Some(Level::Read),
        Some("write") => Some(Level::ReadWrite),
        Some(other) => {
            verdict.add(&format!(
                "x_auth_access_type is \"{other}\" and was ignored; valid are read and write."
            ));
            None
        }
        None => None,
    };
    let (Ok(token), Ok(secret)) = (entropy::letters(TOKEN_LETTERS), entropy::letters(SECRET_LETTERS)) else {
        return (
            shapes::v1(StatusCode::INTERNAL_SERVER_ERROR, 131, "Internal error"),
            verdict,
        );
    };
    let credentials = TemporaryCredentials {
        token: token.clone(),
        secret: secret.as_str().into(),
        client_key: signed.client_key,
        callback,
        requested_level,
        created_at: sandbox.clock.now(),
        state: CredentialState::Pending,
        wrong_verifiers: 0,
    };
    if sandbox
        .store
        .commit(Event::TemporaryCredentialsIssued(credentials))
        .await
        .is_err()
    {
        return (shapes::storage_failed(), verdict);
    }
    verdict.add("A request token was given.");
    let pairs = [
        ("oauth_token", token.as_str()),
        ("oauth_token_secret", &secret),
        ("oauth_callback_confirmed", "true"),
    ];
    (answer::form(&pairs), verdict)
}

/// The callback to use, or X's refusal with the truth in words.
fn callback(sandbox: &Sandbox, signed: &Signed) -> Result<String, (Response, String)> {
    let Some(asked) = signed
        .presented
        .callback()
        .filter(|callback| !callback.is_empty())
    else {
        return Err((
            answer::xml(StatusCode::BAD_REQUEST, 215, "Bad Authentication data."),
            "oauth_callback is missing (RFC 5849 §2.1); send a registered URL, or oob for a PIN.".to_owned(),
        ));
    };
    if asked == OUT_OF_BAND {
        return Ok(asked.to_owned());
    }
    let registered = sandbox.store.read(|state| {
        state
            .applications
            .get(&signed.application_id)
            .map(|one| one.callbacks.clone())
            .unwrap_or_default()
    });
    if registered.is_empty() {
        return Err((
            answer::xml(
                StatusCode::UNAUTHORIZED,
                417,
                "Desktop applications only support the oauth_callback value 'oob'",
            ),
            "the application has no callback URL registered, so only oob is possible.".to_owned(),
        ));
    }
    // What is registered has no query, and what a client adds per request is not compared, as at X. Everything
    // else must be the same to the letter, the slash at the end too.
    let compared = asked.split(['?', '#']).next().unwrap_or_default();
    if registered.iter().any(|one| one == compared) {
        return Ok(asked.to_owned());
    }
    Err((
        answer::xml(
            StatusCode::FORBIDDEN,
            415,
            "Callback URL not approved for this client application. Approved callback URLs can be adjusted in \
             your application settings",
        ),
        format!(
            "the callback \"{compared}\" is not registered; registered are: {}. They are compared character by \
             character.",
            registered.join(", ")
        ),
    ))
}

/// A parameter that is not one of OAuth's own, wherever it stands.
fn parameter(presented: &Presented, name: &str) -> Option<String> {
    presented
        .parameters()
        .iter()
        .find(|parameter| parameter.name == name.as_bytes())
        .map(|parameter| String::from_utf8_lossy(&parameter.value).into_owned())
}
