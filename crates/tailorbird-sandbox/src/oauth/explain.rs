//! The true reason of each refusal, in words for the log. X's own answers tell almost nothing; whoever reads
//! the request page or `GET /_sandbox/requests` should not have to guess.

use tailorbird_oauth::{
    Candidates, ClientSecret, Diagnosis, Presented, ReadError, Rejection, SignatureMethod, TokenSecret,
};

use super::check::{Expected, Token};
use crate::Sandbox;
use crate::guard::X_HOSTS;
use crate::pipeline::Arrived;
use crate::state::{Application, Revocation, State};

/// Other applications and tokens whose secrets are tried when a signature differs.
const OTHERS_TRIED: usize = 8;

/// A request that is not, or not readably, signed.
pub(super) fn unreadable(error: &ReadError, arrived: &Arrived) -> String {
    let authorization = arrived
        .head
        .headers
        .get(http::header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    match error {
        ReadError::NotSigned if authorization.to_ascii_lowercase().starts_with("bearer ") => {
            "Refused: a bearer token was sent; this sandbox knows OAuth 1.0a access tokens, which are never sent \
             but sign the request."
                .to_owned()
        }
        ReadError::NotSigned if authorization.to_ascii_lowercase().starts_with("basic ") => {
            "Refused: Basic authentication was sent; the call must be signed with OAuth 1.0a.".to_owned()
        }
        ReadError::NotSigned => {
            "Refused: not signed. No oauth_ parameter is in the Authorization header, the query or a form body."
                .to_owned()
        }
        other => format!("Refused: {}.", with_causes(other)),
    }
}

/// A rejection of form, time or nonce.
pub(super) fn rejection(rejection: &Rejection) -> String {
    match rejection {
        Rejection::TimestampOutside { offset_seconds, allowed_seconds } => {
            let side = if *offset_seconds < 0 { "behind" } else { "ahead of" };
            format!(
                "the client's clock is {} seconds {side} the sandbox's; {allowed_seconds} are allowed. The \
                 answer's Date header tells the sandbox's time.",
                offset_seconds.unsigned_abs()
            )
        }
        Rejection::NonceUsed => {
            "this request was received before with the same nonce and timestamp (a replay): each attempt needs a \
             fresh nonce."
                .to_owned()
        }
        Rejection::NoKeyForMethod { method } => format!(
            "{method} needs the client's public key, and the sandbox keeps none; valid here are HMAC-SHA1 (the \
             only one at X), HMAC-SHA256, HMAC-SHA512 and PLAINTEXT."
        ),
        Rejection::SeveralPlaces { .. }
        | Rejection::RepeatedParameter { .. }
        | Rejection::UnexpectedHeaderItem { .. } => format!(
            "{}. RFC 5849 forbids it, X lets it pass, and so does a sandbox that verifies leniently.",
            with_causes(rejection)
        ),
        other => format!("{}.", with_causes(other)),
    }
}

/// No application has this key.
pub(super) fn unknown_client(state: &State, key: &str) -> String {
    let trimmed = key.trim();
    if let Some(application) = state
        .applications
        .values()
        .find(|one| one.client_secret.expose() == trimmed)
    {
        return format!(
            "client key and client secret are swapped: the oauth_consumer_key is the secret of the application \
             \"{}\".",
            application.name
        );
    }
    if trimmed != key && state.application_with_key(trimmed).is_some() {
        return "the client key has white space around it.".to_owned();
    }
    if state.tokens.contains_key(trimmed) || state.temporary.contains_key(trimmed) {
        return "a token was sent as oauth_consumer_key.".to_owned();
    }
    "no application has this client key. Were its keys regenerated, or is it a key of another provider?"
        .to_owned()
}

/// Nobody was given this token, or it is one of the wrong kind.
pub(super) fn unknown_token(state: &State, token: &str, expected: Expected) -> String {
    let trimmed = token.trim();
    match expected {
        Expected::AccessToken if state.temporary.contains_key(trimmed) => {
            "a request token (temporary credentials) was used where an access token is needed: exchange it at \
             oauth/access_token first."
                .to_owned()
        }
        Expected::Temporary if state.tokens.contains_key(trimmed) => {
            "an access token was sent to oauth/access_token, which takes the request token.".to_owned()
        }
        _ if trimmed != token && (state.tokens.contains_key(trimmed) || state.temporary.contains_key(trimmed)) => {
            "the token has white space around it.".to_owned()
        }
        _ if state.application_with_key(trimmed).is_some() => "a client key was sent as oauth_token.".to_owned(),
        _ => "this token was never given out here, or is too old to be remembered.".to_owned(),
    }
}

/// A token is needed and none is named.
pub(super) fn no_token(expected: Expected) -> String {
    match expected {
        Expected::AccessToken => "no oauth_token: API calls are made with an access token.".to_owned(),
        _ => "no oauth_token: the request token must be sent.".to_owned(),
    }
}

/// The token is void.
pub(super) fn revoked(why: Revocation) -> String {
    let reason = match why {
        Revocation::Invalidated => "it was invalidated with oauth/invalidate_token",
        Revocation::ByOwner => "its owner took the permission back",
        Revocation::KeysRegenerated => "the application's keys were regenerated after it was given",
        Revocation::ApplicationDeleted => "the application was deleted",
    };
    format!("the access token is void, because {reason}. Authorize again.")
}

/// A signature that differs: tries the known mistakes one by one. That is up to some ten thousand
/// computations, so it runs beside the server's own threads.
pub(super) async fn signature(
    sandbox: &Sandbox,
    presented: Presented,
    application: &Application,
    token: &Token,
    method: SignatureMethod,
) -> String {
    let evidence = Evidence::gather(sandbox, application, token);
    let search = tokio::task::spawn_blocking(move || evidence.diagnose(&presented));
    let plain = format!(
        "the {method} signature is not the one that the base string below and the known secrets give"
    );
    match search.await {
        Ok(Diagnosis::Explained(causes)) => {
            let causes: Vec<String> = causes.iter().map(ToString::to_string).collect();
            format!("{plain}. The cause: {}.", causes.join(", and "))
        }
        Ok(Diagnosis::Unexplained { tried }) => format!(
            "{plain}. None of {tried} known mistakes explains it: most likely the client secret or the token \
             secret is another one altogether. Compare the base string with the client's."
        ),
        Ok(Diagnosis::SignatureIsRight) | Err(_) => format!("{plain}."),
    }
}

/// What a diagnosis needs, owned.
struct Evidence {
    client_key: String,
    client_secret: ClientSecret,
    token: Option<String>,
    token_secret: Option<TokenSecret>,
    temporary_secret: Option<TokenSecret>,
    other_clients: Vec<(String, ClientSecret)>,
    other_tokens: Vec<(String, TokenSecret)>,
    hosts: Vec<String>,
}

impl Evidence {
    fn gather(sandbox: &Sandbox, application: &Application, token: &Token) -> Self {
        let (token, token_secret, temporary_secret, account) = match token {
            Token::None => (None, None, None, None),
            Token::Temporary(one) => (Some(one.token.clone()), Some(&one.secret), None, None),
            Token::Access(one) => (
                Some(one.token.clone()),
                Some(&one.secret),
                one.temporary_secret.as_ref(),
                Some(one.account),
            ),
        };
        let secret = |secret: &crate::state::Secret| TokenSecret::from(secret.expose());
        let (other_clients, other_tokens) = sandbox.store.read(|state| {
            let clients = state
                .applications
                .values()
                .filter(|one| one.id != application.id)
                .take(OTHERS_TRIED)
                .map(|one| {
                    (
                        format!("application \"{}\"", one.name),
                        ClientSecret::from(one.client_secret.expose()),
                    )
                })
                .collect();
            let tokens = state
                .tokens
                .values()
                .filter(|one| {
                    Some(one.account) == account
                        && one.client_key == application.client_key
                        && Some(&one.token) != token.as_ref()
                })
                .take(OTHERS_TRIED)
                .map(|one| ("another token of this account".to_owned(), secret(&one.secret)))
                .collect();
            (clients, tokens)
        });
        let own = sandbox.addresses.get().map(|addresses| {
            let port = addresses.portal.rsplit(':').next().unwrap_or_default();
            [format!("127.0.0.1:{port}"), format!("localhost:{port}")]
        });
        Self {
            client_key: application.client_key.clone(),
            client_secret: ClientSecret::from(application.client_secret.expose()),
            token,
            token_secret: token_secret.map(secret),
            temporary_secret: temporary_secret.map(secret),
            other_clients,
            other_tokens,
            hosts: X_HOSTS
                .iter()
                .map(|host| (*host).to_owned())
                .chain(own.into_iter().flatten())
                .collect(),
        }
    }

    fn diagnose(&self, presented: &Presented) -> Diagnosis {
        let clients: Vec<_> = self
            .other_clients
            .iter()
            .map(|(name, secret)| (name.as_str(), secret))
            .collect();
        let tokens: Vec<_> = self
            .other_tokens
            .iter()
            .map(|(name, secret)| (name.as_str(), secret))
            .collect();
        let hosts: Vec<_> = self.hosts.iter().map(String::as_str).collect();
        let mut candidates = Candidates::new(&self.client_key, &self.client_secret);
        candidates.token = self.token.as_deref();
        candidates.token_secret = self.token_secret.as_ref();
        candidates.temporary_secret = self.temporary_secret.as_ref();
        candidates.other_client_secrets = &clients;
        candidates.other_token_secrets = &tokens;
        candidates.hosts = &hosts;
        presented.diagnose(&candidates)
    }
}

/// What was found good.
pub(super) fn accepted(
    sandbox: &Sandbox,
    presented: &Presented,
    application: &Application,
    token: &Token,
) -> String {
    let method = presented.signature_method().map_or("?", SignatureMethod::name);
    let acting = match token {
        Token::None => "no token".to_owned(),
        Token::Temporary(_) => "with its request token".to_owned(),
        Token::Access(token) => {
            let username = sandbox
                .store
                .read(|state| {
                    state
                        .accounts
                        .get(&token.account)
                        .map(|account| account.username.clone())
                })
                .unwrap_or_default();
            format!(
                "acting for @{username} at level \"{}\"",
                token.level.portal_words()
            )
        }
    };
    let notes: String = presented
        .notes()
        .iter()
        .flat_map(|note| [" Let pass: ".to_owned(), note.to_string(), ".".to_owned()])
        .collect();
    format!(
        "The {method} signature is right; application \"{}\", {acting}.{notes}",
        application.name
    )
}

/// An error and its causes in one sentence.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
