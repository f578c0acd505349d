//! Looks credentials over for what can be seen without sending anything.

use std::fmt;

use crate::credentials::{ClientCredentials, TokenCredentials};

/// Something about credentials that is probably a slip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suspicion {
    /// White space around the client key.
    ClientKeyHasWhitespace,
    /// White space around the client secret.
    ClientSecretHasWhitespace,
    /// White space around the token.
    TokenHasWhitespace,
    /// White space around the token secret.
    TokenSecretHasWhitespace,
    /// Client key and client secret are the same.
    ClientKeyIsClientSecret,
    /// Token and token secret are the same.
    TokenIsTokenSecret,
    /// The client secret is shorter than the client key; with X it is twice as long. Perhaps swapped.
    ClientKeyAndSecretLookSwapped,
    /// The token secret looks like a token (`digits-letters`, as X makes them). Perhaps swapped.
    TokenAndSecretLookSwapped,
    /// A secret holds `%XX`: perhaps it was copied out of a URL and is encoded.
    SecretLooksEncoded,
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientKeyHasWhitespace => "the client key has white space around it",
            Self::ClientSecretHasWhitespace => "the client secret has white space around it",
            Self::TokenHasWhitespace => "the token has white space around it",
            Self::TokenSecretHasWhitespace => "the token secret has white space around it",
            Self::ClientKeyIsClientSecret => "client key and client secret are the same",
            Self::TokenIsTokenSecret => "token and token secret are the same",
            Self::ClientKeyAndSecretLookSwapped => "client key and client secret look swapped",
            Self::TokenAndSecretLookSwapped => "token and token secret look swapped",
            Self::SecretLooksEncoded => "a secret looks percent-encoded",
        })
    }
}

/// X's tokens: the account's number, a hyphen, letters and digits.
fn looks_like_x_token(text: &str) -> bool {
    text.split_once('-').is_some_and(|(digits, rest)| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) && rest.len() >= 20
    })
}

fn looks_encoded(text: &str) -> bool {
    text.as_bytes()
        .windows(3)
        .any(|part| matches!(part, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit()))
}

/// Looks credentials over; empty if nothing strikes.
pub fn inspect_credentials(client: &ClientCredentials, token: Option<&TokenCredentials>) -> Vec<Suspicion> {
    let outer = |text: &str| text.trim().len() != text.len();
    let secret = client.secret.expose_for_sealing();
    let mut found = vec![
        (outer(&client.key), Suspicion::ClientKeyHasWhitespace),
        (outer(secret), Suspicion::ClientSecretHasWhitespace),
        (
            !secret.is_empty() && client.key == secret,
            Suspicion::ClientKeyIsClientSecret,
        ),
        (
            !secret.is_empty() && secret.len() < client.key.len(),
            Suspicion::ClientKeyAndSecretLookSwapped,
        ),
        (looks_encoded(secret), Suspicion::SecretLooksEncoded),
    ];
    if let Some(token) = token {
        let secret = token.secret.expose_for_sealing();
        found.extend([
            (outer(&token.token), Suspicion::TokenHasWhitespace),
            (outer(secret), Suspicion::TokenSecretHasWhitespace),
            (token.token == secret, Suspicion::TokenIsTokenSecret),
            (
                looks_like_x_token(secret) && !looks_like_x_token(&token.token),
                Suspicion::TokenAndSecretLookSwapped,
            ),
            (looks_encoded(secret), Suspicion::SecretLooksEncoded),
        ]);
    }
    let mut suspicions: Vec<Suspicion> = found
        .into_iter()
        .filter_map(|(strikes, suspicion)| strikes.then_some(suspicion))
        .collect();
    suspicions.dedup();
    suspicions
}
