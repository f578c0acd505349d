//! The check of one signed request (RFC 5849 §3.2): read, know the client, know the token, verify, then time
//! and nonce. In this order, because each refusal is only certain when those before it are ruled out.

use http::header;
use tailorbird_oauth::{
    ClientSecret, IncomingRequest, Presented, ReadError, Rejection, Strictness, TimeWindow, Timestamp,
    TokenSecret, Verdict as SignatureVerdict, VerificationKey,
};

use super::{Verdict, explain, steps};
use crate::Sandbox;
use crate::pipeline::Arrived;
use crate::settings::{TIMESTAMP_WINDOW_S, Verify};
use crate::state::{AccessToken, Application, Revocation, State, TemporaryCredentials};

/// Which credentials a request should be signed with, beside the client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// None: the request for temporary credentials.
    ClientOnly,
    /// Temporary credentials: the request for token credentials.
    Temporary,
    /// Token credentials: everything else.
    AccessToken,
}

/// The token a request names.
#[derive(Debug, Clone)]
pub(super) enum Token {
    None,
    Temporary(TemporaryCredentials),
    Access(AccessToken),
}

/// A request whose signature is good.
#[derive(Debug)]
pub(super) struct Signed {
    pub presented: Presented,
    pub application_id: u64,
    pub client_key: String,
    pub token: Token,
}

/// Why a request is refused, as far as the answer depends on it; the words are in the [`Verdict`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// There is no OAuth in it.
    Unsigned,
    /// There is, but it can't be read.
    Unreadable,
    /// Something about its form is wrong.
    Form,
    /// No application has this client key.
    UnknownClient,
    /// The call needs a token and names none.
    NoToken,
    /// Nobody was given this token.
    UnknownToken,
    /// A request token where an access token is needed.
    TemporaryAsAccess,
    /// The token was given to another application.
    TokenOfOtherClient,
    /// The token is void.
    Revoked(Revocation),
    /// The signature differs.
    Signature,
    /// The timestamp is too far off.
    Time,
    /// The nonce was used before.
    Nonce,
}

/// The outcome with everything for the log.
pub(super) struct Checked {
    pub outcome: Result<Signed, Failure>,
    pub verdict: Verdict,
}

/// What the state knows about client and token, copied out so that no lock is held while signatures are
/// computed.
struct Known {
    application: Application,
    token: Token,
}

/// Checks a request.
pub(super) async fn check(sandbox: &Sandbox, arrived: &Arrived, expected: Expected) -> Checked {
    let mut verdict = Verdict::default();
    let presented = match read(sandbox, arrived) {
        Ok(presented) => presented,
        Err(error) => {
            let failure = match error {
                ReadError::NotSigned => Failure::Unsigned,
                _ => Failure::Unreadable,
            };
            verdict.words = explain::unreadable(&error, arrived);
            verdict.verified = (failure == Failure::Unreadable).then_some(false);
            return Checked {
                outcome: Err(failure),
                verdict,
            };
        }
    };
    verdict.base_string = Some(presented.base_string().to_owned());
    verdict.steps = steps::steps(&presented);
    verdict.client_key = presented.consumer_key().map(str::to_owned);
    verdict.verified = Some(false);
    let refused = |mut verdict: Verdict, failure: Failure, words: String| {
        verdict.words = format!("Refused: {words}");
        Checked {
            outcome: Err(failure),
            verdict,
        }
    };
    if let Some(first) = presented.rejections().first() {
        let words = explain::rejection(first);
        return refused(verdict, Failure::Form, words);
    }
    let known = match sandbox.store.read(|state| know(state, &presented, expected)) {
        Ok(known) => known,
        Err((failure, words)) => return refused(verdict, failure, words),
    };
    if let Err(rejection) = signature(&presented, &known.application, &known.token) {
        let words = match rejection {
            Rejection::SignatureDiffers { method } => {
                explain::signature(sandbox, presented, &known.application, &known.token, method).await
            }
            other => explain::rejection(&other),
        };
        return refused(verdict, Failure::Signature, words);
    }
    let now = Timestamp::from_seconds(sandbox.clock.now_s());
    let window = TimeWindow {
        past_seconds: TIMESTAMP_WINDOW_S,
        future_seconds: TIMESTAMP_WINDOW_S,
    };
    if let Err(rejection) = presented.check_time(window, now) {
        return refused(verdict, Failure::Time, explain::rejection(&rejection));
    }
    // Last, so that only requests that are right in everything else fill the memory.
    if let Err(rejection) = sandbox.nonces.check(&presented, now) {
        return refused(verdict, Failure::Nonce, explain::rejection(&rejection));
    }
    verdict.verified = Some(true);
    verdict.words = explain::accepted(sandbox, &presented, &known.application, &known.token);
    let signed = Signed {
        presented,
        application_id: known.application.id,
        client_key: known.application.client_key,
        token: known.token,
    };
    Checked {
        outcome: Ok(signed),
        verdict,
    }
}

/// Reads what a request presents, against scheme and Host as received: clients come under several names, and
/// sign the one they used.
pub(super) fn read(sandbox: &Sandbox, arrived: &Arrived) -> Result<Presented, ReadError> {
    let text = |name| {
        arrived
            .head
            .headers
            .get(name)
            .and_then(|value: &http::HeaderValue| value.to_str().ok())
    };
    let request = IncomingRequest {
        method: arrived.head.method.as_str(),
        scheme: arrived.scheme.as_str(),
        host: &arrived.host,
        path_and_query: arrived
            .head
            .uri
            .path_and_query()
            .map_or("/", http::uri::PathAndQuery::as_str),
        authorization: text(header::AUTHORIZATION),
        content_type: text(header::CONTENT_TYPE),
        body: &arrived.body,
    };
    let strictness = match sandbox.settings.verify {
        Verify::Strict => Strictness::Strict,
        Verify::Lenient => Strictness::Lenient,
    };
    Presented::read(&request, strictness)
}

fn know(state: &State, presented: &Presented, expected: Expected) -> Result<Known, (Failure, String)> {
    let key = presented.consumer_key().unwrap_or_default();
    let application = state
        .application_with_key(key)
        .ok_or_else(|| (Failure::UnknownClient, explain::unknown_client(state, key)))?;
    let token = match (expected, presented.token()) {
        // A token here is signed along like any parameter, but its secret is not part of the key.
        (Expected::ClientOnly, _) => Token::None,
        (_, None) => return Err((Failure::NoToken, explain::no_token(expected))),
        (Expected::Temporary, Some(name)) => Token::Temporary(known_temporary(state, application, name)?),
        (Expected::AccessToken, Some(name)) => Token::Access(known_access(state, application, name)?),
    };
    Ok(Known {
        application: application.clone(),
        token,
    })
}

fn known_temporary(
    state: &State,
    application: &Application,
    name: &str,
) -> Result<TemporaryCredentials, (Failure, String)> {
    let found = state.temporary.get(name);
    let temporary = found.ok_or_else(|| {
        (
            Failure::UnknownToken,
            explain::unknown_token(state, name, Expected::Temporary),
        )
    })?;
    if temporary.client_key == application.client_key {
        return Ok(temporary.clone());
    }
    Err((
        Failure::TokenOfOtherClient,
        "the request token was given to another application.".to_owned(),
    ))
}

fn known_access(
    state: &State,
    application: &Application,
    name: &str,
) -> Result<AccessToken, (Failure, String)> {
    let Some(token) = state.tokens.get(name) else {
        let failure = if state.temporary.contains_key(name) {
            Failure::TemporaryAsAccess
        } else {
            Failure::UnknownToken
        };
        return Err((
            failure,
            explain::unknown_token(state, name, Expected::AccessToken),
        ));
    };
    if let Some(why) = token.revoked {
        return Err((Failure::Revoked(why), explain::revoked(why)));
    }
    if token.client_key == application.client_key {
        return Ok(token.clone());
    }
    Err((
        Failure::TokenOfOtherClient,
        "the access token was given to another application.".to_owned(),
    ))
}

fn signature(presented: &Presented, application: &Application, token: &Token) -> Result<(), Rejection> {
    let client_secret = ClientSecret::from(application.client_secret.expose());
    let token_secret = match token {
        Token::None => None,
        Token::Temporary(temporary) => Some(TokenSecret::from(temporary.secret.expose())),
        Token::Access(access) => Some(TokenSecret::from(access.secret.expose())),
    };
    let key = VerificationKey::Secrets {
        client_secret: &client_secret,
        token_secret: token_secret.as_ref(),
    };
    let verdict: SignatureVerdict = presented.verify(key);
    verdict.into_result()
}
