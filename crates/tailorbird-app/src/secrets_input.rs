//! Secrets as a person gives them: JSON from a file or standard input, never a flag.

use std::fmt;

use serde::Deserialize;
use tailorbird_model::ports::Credentials;
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_oauth::{ClientCredentials, TokenCredentials};

use crate::AppError;

/// Secrets to be set; what is absent stays as it is.
#[derive(Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretsInput {
    /// The client key.
    #[serde(default)]
    pub client_key: Option<String>,
    /// The client secret.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// The token.
    #[serde(default)]
    pub token: Option<String>,
    /// The token secret.
    #[serde(default)]
    pub token_secret: Option<String>,
    /// The private key for RSA signature methods, PEM.
    #[serde(default)]
    pub rsa_private_key: Option<String>,
}

impl fmt::Debug for SecretsInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretsInput(redacted)")
    }
}

impl SecretsInput {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// CONN-005; the message never repeats what was read, because it is secret.
    pub fn from_json(text: &str) -> Result<Self, AppError> {
        serde_json::from_str(text).map_err(|error| {
            AppError::usage(
                Failure::new(
                    codes::SECRETS_UNREADABLE,
                    Meaning::ConnectionFault,
                    format!("the secrets cannot be read (line {}, column {})", error.line(), error.column()),
                )
                .hint(
                    "Give one JSON object with any of \"client_key\", \"client_secret\", \"token\", \"token_secret\" \
                     and \"rsa_private_key\", each a text.",
                ),
            )
        })
    }

    /// The same as credentials, for the checks; absent members are empty.
    pub(crate) fn as_credentials(&self) -> Credentials {
        let text = |member: &Option<String>| member.clone().unwrap_or_default();
        let client = (self.client_key.is_some() || self.client_secret.is_some())
            .then(|| ClientCredentials::new(text(&self.client_key), text(&self.client_secret)));
        let token = (self.token.is_some() || self.token_secret.is_some())
            .then(|| TokenCredentials::new(text(&self.token), text(&self.token_secret)));
        Credentials {
            client,
            token,
            rsa_private_key: self.rsa_private_key.clone().map(Into::into),
            ..Credentials::default()
        }
    }
}
