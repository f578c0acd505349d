//! The three kinds of credentials of RFC 5849 §1.1, under the RFC's names.

use std::fmt;

use crate::secret::{ClientSecret, RsaPrivateKeyPem, TokenSecret};

/// Who the client is: identifier and shared secret, or RSA key (RFC 5849 §1.1; "consumer key and secret").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCredentials {
    /// The identifier, sent as `oauth_consumer_key`.
    pub key: String,
    /// The shared secret. Empty where the provider knows only the RSA public key.
    pub secret: ClientSecret,
    /// The private key for the RSA methods.
    pub rsa_private_key: Option<RsaPrivateKeyPem>,
}

impl ClientCredentials {
    /// Credentials with a shared secret.
    pub fn new(key: impl Into<String>, secret: impl Into<ClientSecret>) -> Self {
        Self {
            key: key.into(),
            secret: secret.into(),
            rsa_private_key: None,
        }
    }

    /// The same with an RSA key.
    #[must_use]
    pub fn with_rsa_private_key(mut self, pem: impl Into<RsaPrivateKeyPem>) -> Self {
        self.rsa_private_key = Some(pem.into());
        self
    }
}

/// What step 1 hands out and step 3 takes back (RFC 5849 §2.1; "request token").
#[derive(Clone, PartialEq, Eq)]
pub struct TemporaryCredentials {
    /// The identifier, sent as `oauth_token`.
    pub token: String,
    /// Its secret.
    pub secret: TokenSecret,
}

impl TemporaryCredentials {
    /// Puts both together.
    pub fn new(token: impl Into<String>, secret: impl Into<TokenSecret>) -> Self {
        Self {
            token: token.into(),
            secret: secret.into(),
        }
    }
}

/// What step 3 hands out and every later request is signed with (RFC 5849 §2.3; "access token").
#[derive(Clone, PartialEq, Eq)]
pub struct TokenCredentials {
    /// The identifier, sent as `oauth_token`.
    pub token: String,
    /// Its secret.
    pub secret: TokenSecret,
}

impl TokenCredentials {
    /// Puts both together.
    pub fn new(token: impl Into<String>, secret: impl Into<TokenSecret>) -> Self {
        Self {
            token: token.into(),
            secret: secret.into(),
        }
    }
}

// The token itself is no secret by the RFC, but with it a PLAINTEXT or stolen-secret attack is halfway
// done, and logs are read by many: only its beginning is shown.
impl fmt::Debug for TemporaryCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemporaryCredentials")
            .field("token", &shortened(&self.token))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TokenCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCredentials")
            .field("token", &shortened(&self.token))
            .finish_non_exhaustive()
    }
}

/// How many characters of a token `Debug` shows.
const SHOWN_TOKEN_CHARACTERS: usize = 6;

fn shortened(token: &str) -> String {
    let mut text: String = token.chars().take(SHOWN_TOKEN_CHARACTERS).collect();
    text.push('…');
    text
}
