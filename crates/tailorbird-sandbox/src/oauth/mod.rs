//! The OAuth server: temporary credentials, consent, access tokens, and the check of every signed request.

mod access_token;
mod answer;
pub(crate) mod caller;
mod check;
pub(crate) mod consent;
mod explain;
mod invalidate_token;
mod level;
mod request_token;
mod steps;

use std::sync::{Mutex, PoisonError};

use axum::response::Response;
use http::StatusCode;
use tailorbird_oauth::{NonceMemory, Presented, Rejection, Timestamp};

use crate::pipeline::Arrived;
use crate::record::Step;
use crate::settings::TIMESTAMP_WINDOW_S;
use crate::{Sandbox, shapes};
pub(crate) use caller::Caller;
pub(crate) use level::level_refusal;

use check::{Expected, Failure, Signed, Token};

/// Nonces remembered: enough for 1,600 requests a second during the whole time window; above that rate the
/// memory covers less than the window, and requests older than what it covers are refused.
const NONCES_MAX: usize = 500_000;

/// What the sandbox made of a signed request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdict {
    /// Whether the signature was found good; none where nothing was to be verified.
    pub verified: Option<bool>,
    /// The verdict in words.
    pub words: String,
    /// The base string that the sandbox computed.
    pub base_string: Option<String>,
    /// How it came about.
    pub steps: Vec<Step>,
    /// The client key presented.
    pub client_key: Option<String>,
}

impl Verdict {
    /// Adds a sentence.
    pub(crate) fn add(&mut self, words: &str) {
        if !self.words.is_empty() {
            self.words.push(' ');
        }
        self.words.push_str(words);
    }
}

/// A refused API call.
pub(crate) struct Refused {
    /// The answer in X's shape, which says little.
    pub response: Response,
    /// The truth.
    pub verdict: Verdict,
}

/// The nonces seen so far (RFC 5849 §3.3).
pub(crate) struct Nonces(Mutex<NonceMemory>);

impl Default for Nonces {
    fn default() -> Self {
        Self(Mutex::new(NonceMemory::new(NONCES_MAX, TIMESTAMP_WINDOW_S)))
    }
}

impl Nonces {
    fn check(&self, presented: &Presented, now: Timestamp) -> Result<(), Rejection> {
        presented.check_nonce(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), now)
    }
}

/// Whether a path is one of the signed endpoints of the flow.
pub(crate) fn is_endpoint(path: &str) -> bool {
    endpoint_of(path).is_some()
}

#[derive(Debug, Clone, Copy)]
enum Endpoint {
    TemporaryCredentials,
    TokenCredentials,
    Invalidation,
}

fn endpoint_of(path: &str) -> Option<Endpoint> {
    match path.strip_suffix(".json").unwrap_or(path) {
        "/oauth/request_token" => Some(Endpoint::TemporaryCredentials),
        "/oauth/access_token" => Some(Endpoint::TokenCredentials),
        "/1.1/oauth/invalidate_token" | "/oauth/invalidate_token" => Some(Endpoint::Invalidation),
        _ => None,
    }
}

/// Answers one of the signed endpoints of the flow.
pub(crate) async fn endpoint(sandbox: &Sandbox, arrived: &Arrived) -> (Response, Verdict) {
    let method = &arrived.head.method;
    let endpoint = endpoint_of(arrived.path());
    let post_only = matches!(endpoint, Some(Endpoint::Invalidation));
    if !(method == http::Method::POST || (method == http::Method::GET && !post_only)) {
        let words = format!("{method} is not answered here; POST is.");
        return (
            shapes::v1(StatusCode::METHOD_NOT_ALLOWED, 86, "This method requires a POST."),
            Verdict {
                words,
                ..Verdict::default()
            },
        );
    }
    match endpoint {
        Some(Endpoint::TemporaryCredentials) => request_token::answer(sandbox, arrived).await,
        Some(Endpoint::TokenCredentials) => access_token::answer(sandbox, arrived).await,
        Some(Endpoint::Invalidation) => invalidate_token::answer(sandbox, arrived).await,
        None => (
            shapes::v1(StatusCode::NOT_FOUND, 34, "Sorry, that page does not exist."),
            Verdict::default(),
        ),
    }
}

/// Finds out who an API call acts for.
///
/// # Errors
/// The answer in the shape of the path's API version, and the true reason for the log.
pub(crate) async fn authenticate(
    sandbox: &Sandbox,
    arrived: &Arrived,
) -> Result<(Caller, Verdict), Box<Refused>> {
    let mut checked = check::check(sandbox, arrived, Expected::AccessToken).await;
    let failure = match checked.outcome {
        Ok(Signed {
            token: Token::Access(token),
            application_id,
            client_key,
            ..
        }) => {
            let caller = Caller {
                account_id: token.account,
                application_id,
                client_key,
                level: token.level,
                token: token.token,
            };
            return Ok((caller, checked.verdict));
        }
        Ok(_) => {
            "Refused: signed without a token; API calls need an access token."
                .clone_into(&mut checked.verdict.words);
            Failure::NoToken
        }
        Err(failure) => failure,
    };
    Err(Box::new(Refused {
        response: refusal(arrived.path(), failure),
        verdict: checked.verdict,
    }))
}

/// X's answer to a call that is not authenticated: v2 tells nothing, v1.1 a little.
fn refusal(path: &str, failure: Failure) -> Response {
    if path.starts_with("/2/") {
        return shapes::v2(
            StatusCode::UNAUTHORIZED,
            "Unauthorized",
            "about:blank",
            "Unauthorized",
        );
    }
    let (status, code, message) = legacy_code(failure);
    shapes::v1(status, code, message)
}

/// Status, code and message of API v1.1 for a failure (x-api facts, table of codes).
fn legacy_code(failure: Failure) -> (StatusCode, u32, &'static str) {
    match failure {
        Failure::Unsigned | Failure::Unreadable | Failure::NoToken => {
            (StatusCode::BAD_REQUEST, 215, "Bad Authentication data.")
        }
        Failure::UnknownToken
        | Failure::Revoked(_)
        | Failure::TokenOfOtherClient
        | Failure::TemporaryAsAccess => (StatusCode::UNAUTHORIZED, 89, "Invalid or expired token."),
        Failure::Time => (StatusCode::UNAUTHORIZED, 135, "Timestamp out of bounds."),
        Failure::UnknownClient | Failure::Signature | Failure::Nonce | Failure::Form => {
            (StatusCode::UNAUTHORIZED, 32, "Could not authenticate you.")
        }
    }
}
