//! Token credentials (RFC 5849 §2.3; X: `oauth/access_token`), with X's plain-text refusals.

use axum::response::Response;
use http::StatusCode;
use tailorbird_oauth::Presented;

use super::check::{Expected, Failure, check, read};
use super::consent::is_expired;
use super::{Verdict, answer};
use crate::pipeline::Arrived;
use crate::settings::{VERIFIER_ATTEMPTS, Verify};
use crate::state::{AccessToken, CredentialState, Event, State};
use crate::{Sandbox, entropy, shapes};

/// Letters of an access token after the dash, and of its secret, as at X.
const TOKEN_LETTERS: usize = 40;
const SECRET_LETTERS: usize = 45;

const REVERSE_AUTH: &str = "Reverse auth credentials are invalid";
const BAD_VERIFIER: &str = "Error processing your OAuth request: Invalid oauth_verifier parameter";
const BAD_REQUEST_TOKEN: &str = "Invalid request token.";
const EXPIRED_TOKEN: &str = "Invalid / expired Token";
const BAD_SIGNATURE: &str = "Failed to validate oauth signature and token";

/// Exchanges authorized temporary credentials and the verifier for an access token.
pub(super) async fn answer(sandbox: &Sandbox, arrived: &Arrived) -> (Response, Verdict) {
    let (presented, client_key, mut verdict) = match exchange_request(sandbox, arrived).await {
        Ok(request) => request,
        Err((failure, verdict)) => return (answer::text(refusal_text(failure)), verdict),
    };
    let token = presented.token().unwrap_or_default().to_owned();
    // X's users paste PINs with spaces around them; RFC 5849 says nothing, and X trims.
    let verifier = presented.verifier().unwrap_or_default().trim().to_owned();
    let now = sandbox.clock.now();
    let (Ok(letters), Ok(secret)) = (entropy::letters(TOKEN_LETTERS), entropy::letters(SECRET_LETTERS))
    else {
        return (
            shapes::v1(StatusCode::INTERNAL_SERVER_ERROR, 131, "Internal error"),
            verdict,
        );
    };
    // Everything about single use is decided here, under the lock: two exchanges of one PIN can't both win.
    let decided = sandbox
        .store
        .transact(|state| {
            let account = match granted(state, &token, &client_key, &verifier, now.as_second()) {
                Ok(granted) => granted,
                Err(Refusal {
                    text,
                    words,
                    wrong_verifier,
                }) => {
                    let events = if wrong_verifier {
                        vec![Event::VerifierRefused { token: token.clone() }]
                    } else {
                        Vec::new()
                    };
                    return (events, Err((text, words)));
                }
            };
            let credentials = AccessToken {
                token: format!("{}-{letters}", account.id),
                secret: secret.as_str().into(),
                client_key: client_key.clone(),
                account: account.id,
                level: account.level,
                created_at: now,
                revoked: None,
                temporary_secret: state.temporary.get(&token).map(|one| one.secret.clone()),
            };
            let given = (credentials.token.clone(), account);
            (
                vec![Event::TokenIssued {
                    temporary: Some(token.clone()),
                    credentials,
                }],
                Ok(given),
            )
        })
        .await;
    match decided {
        Err(_) => (shapes::storage_failed(), verdict),
        Ok(Err((text, words))) => {
            verdict.add(&format!("Refused: {words}"));
            (answer::text(text), verdict)
        }
        Ok(Ok((access, granted))) => {
            verdict.add(&format!(
                "An access token for @{} at level \"{}\" was given.",
                granted.username,
                granted.level.portal_words()
            ));
            let pairs = [
                ("oauth_token", access.as_str()),
                ("oauth_token_secret", &secret),
                ("user_id", &granted.id.to_string()),
                ("screen_name", &granted.username),
            ];
            (answer::form(&pairs), verdict)
        }
    }
}

/// The request, verified; in lenient mode it may come unsigned, as X lets it (some tools of the field do).
async fn exchange_request(
    sandbox: &Sandbox,
    arrived: &Arrived,
) -> Result<(Presented, String, Verdict), (Failure, Verdict)> {
    if sandbox.settings.verify == Verify::Lenient
        && let Ok(presented) = read(sandbox, arrived)
        && presented.signature().is_none()
        && let Some(client_key) = presented.token().and_then(|token| {
            sandbox
                .store
                .read(|state| state.temporary.get(token).map(|one| one.client_key.clone()))
        })
    {
        let verdict = Verdict {
            words: "Not signed; let pass as X does, because token and verifier are there.".to_owned(),
            client_key: Some(client_key.clone()),
            ..Verdict::default()
        };
        return Ok((presented, client_key, verdict));
    }
    let checked = check(sandbox, arrived, Expected::Temporary).await;
    match checked.outcome {
        Ok(signed) => Ok((signed.presented, signed.client_key, checked.verdict)),
        Err(failure) => Err((failure, checked.verdict)),
    }
}

fn refusal_text(failure: Failure) -> &'static str {
    match failure {
        Failure::NoToken
        | Failure::UnknownToken
        | Failure::TokenOfOtherClient
        | Failure::Unsigned
        | Failure::Unreadable => REVERSE_AUTH,
        Failure::Time => "Timestamp out of bounds.",
        _ => BAD_SIGNATURE,
    }
}

struct Refusal {
    text: &'static str,
    words: String,
    wrong_verifier: bool,
}

struct Granted {
    id: u64,
    username: String,
    level: crate::state::Level,
}

/// Who granted what, if the temporary credentials may be exchanged with this verifier now.
fn granted(
    state: &State,
    token: &str,
    client_key: &str,
    verifier: &str,
    now_s: i64,
) -> Result<Granted, Refusal> {
    let refuse = |text, words: &str| Refusal {
        text,
        words: words.to_owned(),
        wrong_verifier: false,
    };
    let Some(credentials) = state
        .temporary
        .get(token)
        .filter(|one| one.client_key == client_key)
    else {
        return Err(refuse(REVERSE_AUTH, "the request token is unknown."));
    };
    let (account, expected, level) = match &credentials.state {
        CredentialState::Used => {
            return Err(refuse(
                BAD_REQUEST_TOKEN,
                "the request token was already exchanged; it is good for once.",
            ));
        }
        CredentialState::Denied => {
            return Err(refuse(
                BAD_REQUEST_TOKEN,
                "the request token was denied, or its application's keys changed.",
            ));
        }
        CredentialState::Pending => {
            return Err(refuse(
                BAD_VERIFIER,
                "nobody has approved this request token yet.",
            ));
        }
        CredentialState::Approved {
            account,
            verifier,
            level,
        } => (*account, verifier, *level),
    };
    if is_expired(credentials, now_s) {
        return Err(refuse(
            EXPIRED_TOKEN,
            "the request token has expired; begin again at oauth/request_token.",
        ));
    }
    if credentials.wrong_verifiers >= VERIFIER_ATTEMPTS {
        return Err(refuse(
            BAD_REQUEST_TOKEN,
            "too many wrong verifiers were sent; begin again.",
        ));
    }
    if verifier.is_empty() {
        return Err(refuse(BAD_VERIFIER, "oauth_verifier is missing."));
    }
    if verifier != expected.expose() {
        let mut refusal = refuse(BAD_VERIFIER, "the verifier (PIN) is not the one that was shown.");
        refusal.wrong_verifier = true;
        return Err(refusal);
    }
    let Some(account) = state.accounts.get(&account) else {
        return Err(refuse(BAD_REQUEST_TOKEN, "the account is gone."));
    };
    Ok(Granted {
        id: account.id,
        username: account.username.clone(),
        level,
    })
}
