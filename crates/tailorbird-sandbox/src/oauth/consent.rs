//! What the consent page does (RFC 5849 §2.2): look at temporary credentials, approve or deny them.

use url::Url;

use crate::Sandbox;
use crate::entropy::{self, EntropyError};
use crate::settings::{PIN_DIGITS, TEMPORARY_CREDENTIALS_LIFETIME_S};
use crate::state::store::CommitError;
use crate::state::{CredentialState, Event, Level, State, TemporaryCredentials};

/// Letters of a verifier that travels by redirect.
const VERIFIER_LETTERS: usize = 32;
/// The callback value for "no callback, show a PIN" (RFC 5849 §2.1).
pub(crate) const OUT_OF_BAND: &str = "oob";

/// Why temporary credentials cannot be decided upon. X shows one page for all of them ("Whoa there!").
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConsentError {
    /// Nobody was given such a token, or it was too long ago to remember.
    #[error("request token is unknown")]
    Unknown,
    /// Its lifetime is over.
    #[error("request token has expired")]
    Expired,
    /// It was exchanged for an access token.
    #[error("request token was already used")]
    Used,
    /// It was denied, or its application's keys were changed.
    #[error("request token was denied")]
    Denied,
    /// The system has no randomness.
    #[error("could not make a verifier")]
    Entropy(#[from] EntropyError),
    /// The decision could not be stored.
    #[error("could not store the decision")]
    Commit(#[from] CommitError),
}

/// What the consent page shows.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The application's id.
    pub application_id: u64,
    /// The application's client key.
    pub client_key: String,
    /// The application's name.
    pub name: String,
    /// The application's description.
    pub description: String,
    /// The application's home page.
    pub website: String,
    /// What the token will be able to do.
    pub level: Level,
    /// Where the answer goes; none where a PIN is shown.
    pub callback: Option<String>,
}

/// An approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Approved {
    /// The PIN to show, or the verifier inside `redirect`.
    pub verifier: String,
    /// Where to send the browser; none where the PIN is to be shown.
    pub redirect: Option<String>,
}

/// What temporary credentials ask for.
///
/// # Errors
/// [`ConsentError`] where nothing can be decided any more.
pub(crate) fn look(sandbox: &Sandbox, token: &str) -> Result<Asked, ConsentError> {
    let now_s = sandbox.clock.now().as_second();
    sandbox
        .store
        .read(|state| open_credentials(state, token, now_s).map(|(_, asked)| asked))
}

/// Approves for `account`. Approving twice (a double click) gives the same verifier again.
///
/// # Errors
/// [`ConsentError`].
pub(crate) async fn approve(sandbox: &Sandbox, token: &str, account: u64) -> Result<Approved, ConsentError> {
    let now_s = sandbox.clock.now().as_second();
    // Both are drawn before the lock is taken; which one is used is known only inside.
    let (pin, long) = (entropy::digits(PIN_DIGITS)?, entropy::letters(VERIFIER_LETTERS)?);
    sandbox
        .store
        .transact(|state| match open_credentials(state, token, now_s) {
            Err(error) => (Vec::new(), Err(error)),
            Ok((credentials, asked)) => {
                let answer = |verifier: &str| Approved {
                    verifier: verifier.to_owned(),
                    redirect: asked.callback.as_ref().map(|callback| {
                        back(callback, &[("oauth_token", token), ("oauth_verifier", verifier)])
                    }),
                };
                if let CredentialState::Approved {
                    account: before,
                    verifier,
                    ..
                } = &credentials.state
                    && *before == account
                {
                    return (Vec::new(), Ok(answer(verifier.expose())));
                }
                let verifier = if asked.callback.is_some() { long } else { pin };
                let event = Event::ConsentGiven {
                    token: token.to_owned(),
                    account,
                    verifier: verifier.as_str().into(),
                    level: asked.level,
                };
                (vec![event], Ok(answer(&verifier)))
            }
        })
        .await?
}

/// Denies; gives the address to send the browser to, if there is a callback.
///
/// # Errors
/// [`ConsentError`].
pub(crate) async fn deny(sandbox: &Sandbox, token: &str) -> Result<Option<String>, ConsentError> {
    let now_s = sandbox.clock.now().as_second();
    sandbox
        .store
        .transact(|state| match open_credentials(state, token, now_s) {
            Err(error) => (Vec::new(), Err(error)),
            Ok((_, asked)) => (
                vec![Event::ConsentDenied {
                    token: token.to_owned(),
                }],
                Ok(asked
                    .callback
                    .map(|callback| back(&callback, &[("denied", token)]))),
            ),
        })
        .await?
}

/// Whether the lifetime of temporary credentials is over.
pub(crate) fn is_expired(credentials: &TemporaryCredentials, now_s: i64) -> bool {
    now_s.saturating_sub(credentials.created_at.as_second()) >= TEMPORARY_CREDENTIALS_LIFETIME_S
}

fn open_credentials<'s>(
    state: &'s State,
    token: &str,
    now_s: i64,
) -> Result<(&'s TemporaryCredentials, Asked), ConsentError> {
    let credentials = state.temporary.get(token).ok_or(ConsentError::Unknown)?;
    match credentials.state {
        CredentialState::Used => return Err(ConsentError::Used),
        CredentialState::Denied => return Err(ConsentError::Denied),
        CredentialState::Pending | CredentialState::Approved { .. } => {}
    }
    if is_expired(credentials, now_s) {
        return Err(ConsentError::Expired);
    }
    let application = state
        .application_with_key(&credentials.client_key)
        .ok_or(ConsentError::Unknown)?;
    let asked = Asked {
        application_id: application.id,
        client_key: application.client_key.clone(),
        name: application.name.clone(),
        description: application.description.clone(),
        website: application.website.clone(),
        // A token can be asked to do less than the application may, never more.
        level: credentials
            .requested_level
            .map_or(application.level, |asked| asked.min(application.level)),
        callback: (credentials.callback != OUT_OF_BAND).then(|| credentials.callback.clone()),
    };
    Ok((credentials, asked))
}

/// The callback with the answer in its query. As X does, of the client's own query only `state` comes back.
fn back(callback: &str, answer: &[(&str, &str)]) -> String {
    let Ok(mut url) = Url::parse(callback) else {
        return callback.to_owned();
    };
    let state: Vec<String> = url
        .query_pairs()
        .filter(|(name, _)| name == "state")
        .map(|(_, value)| value.into_owned())
        .collect();
    url.query_pairs_mut()
        .clear()
        .extend_pairs(state.iter().map(|value| ("state", value.as_str())))
        .extend_pairs(answer);
    url.into()
}
