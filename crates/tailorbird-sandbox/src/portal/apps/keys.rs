//! Making keys, secrets and tokens, as long as X makes them.

use jiff::Timestamp;

use crate::entropy::{self, EntropyError};
use crate::state::{AccessToken, Application, Secret};

/// Letters of a client key.
const CLIENT_KEY_LETTERS: usize = 25;
/// Letters of a client secret.
const CLIENT_SECRET_LETTERS: usize = 50;
/// Letters of an access token after the account's id and the dash.
const TOKEN_LETTERS: usize = 40;
/// Letters of a token secret.
const TOKEN_SECRET_LETTERS: usize = 45;

/// A fresh pair of client key and client secret.
///
/// # Errors
/// Fails only when the operating system has no randomness.
pub(super) fn client_pair() -> Result<(String, Secret), EntropyError> {
    Ok((
        entropy::letters(CLIENT_KEY_LETTERS)?,
        entropy::letters(CLIENT_SECRET_LETTERS)?.into(),
    ))
}

/// A fresh access token of `app` for its owner, with the application's present level.
///
/// # Errors
/// Fails only when the operating system has no randomness.
pub(super) fn own_token(app: &Application, now: Timestamp) -> Result<AccessToken, EntropyError> {
    Ok(AccessToken {
        token: format!("{}-{}", app.owner, entropy::letters(TOKEN_LETTERS)?),
        secret: entropy::letters(TOKEN_SECRET_LETTERS)?.into(),
        client_key: app.client_key.clone(),
        account: app.owner,
        level: app.level,
        created_at: now,
        revoked: None,
        temporary_secret: None,
    })
}
