//! Wrong keys that people sign with.

use crate::diagnose::Candidates;
use crate::diagnose::cause::Cause;
use crate::percent_encoding::percent_encode;
use crate::secret::{ClientSecret, TokenSecret};
use crate::signature_method::{HashAlgorithm, SignatureFamily, SignatureMethod};
use crate::signing::rsa_key::RsaVerifyingKey;
use crate::signing::signing_key::{SigningKey, decode_signature};

/// A key to try, with the mistake that using it would be.
pub(crate) struct Key {
    pub(crate) cause: Option<Cause>,
    kind: Kind,
}

enum Kind {
    Shared(SigningKey),
    Rsa(HashAlgorithm, RsaVerifyingKey),
}

impl Key {
    pub(crate) fn fits(&self, base_string: &[u8], signature: &str) -> bool {
        match &self.kind {
            Kind::Shared(key) => key.verify(base_string, signature).unwrap_or(false),
            Kind::Rsa(hash, key) => {
                decode_signature(signature).is_some_and(|bytes| key.verify(*hash, base_string, &bytes))
            }
        }
    }
}

/// White space that slips in when a secret is copied.
const SLIPS: [(&str, &str); 6] = [
    ("", " "),
    (" ", ""),
    ("", "\n"),
    ("", "\r\n"),
    ("", "\t"),
    (" ", " "),
];

/// The right key first, then the wrong ones. For RSA there is one key, or none.
pub(crate) fn key_mistakes(method: SignatureMethod, candidates: &Candidates<'_>) -> Vec<Key> {
    if let SignatureFamily::Rsa(hash) = method.family() {
        let key = candidates.rsa_public_key.map(|key| Key {
            cause: None,
            kind: Kind::Rsa(hash, key.clone()),
        });
        return key.into_iter().collect();
    }
    let client = candidates.client_secret.expose_for_sealing();
    let token = candidates
        .token_secret
        .map(TokenSecret::expose_for_sealing)
        .unwrap_or_default();
    let mut keys = Keys {
        method,
        found: Vec::new(),
    };
    keys.add(None, client, token);
    keys.add(Some(Cause::ClientKeyUsedAsSecret), candidates.client_key, token);
    if let Some(name) = candidates.token {
        keys.add(Some(Cause::TokenUsedAsSecret), client, name);
    }
    if let Some(secret) = candidates.temporary_secret {
        keys.add(
            Some(Cause::TemporarySecretUsed),
            client,
            secret.expose_for_sealing(),
        );
    }
    if !token.is_empty() {
        keys.add(Some(Cause::TokenSecretMissing), client, "");
        keys.add(Some(Cause::SecretsSwapped), token, client);
    }
    keys.add_whitespace(client, token);
    for (whose, secret) in candidates.other_token_secrets {
        let cause = Cause::OtherTokenSecretUsed {
            whose: (*whose).to_owned(),
        };
        keys.add(Some(cause), client, secret.expose_for_sealing());
    }
    for (whose, secret) in candidates.other_client_secrets {
        let cause = Cause::OtherClientSecretUsed {
            whose: (*whose).to_owned(),
        };
        keys.add(Some(cause), secret.expose_for_sealing(), token);
    }
    let encoded = format!("{}&{}", percent_encode(client), percent_encode(token));
    let plain = format!("{client}&{token}");
    if plain != encoded {
        keys.add_whole(Cause::SecretsNotEncoded, plain);
    }
    if token.is_empty() {
        keys.add_whole(Cause::AmpersandMissing, percent_encode(client));
    }
    keys.found
}

struct Keys {
    method: SignatureMethod,
    found: Vec<Key>,
}

impl Keys {
    fn add(&mut self, cause: Option<Cause>, client: &str, token: &str) {
        let client = ClientSecret::new(client);
        let token = TokenSecret::new(token);
        if let Ok(key) = SigningKey::from_secrets(self.method, &client, Some(&token)) {
            self.found.push(Key {
                cause,
                kind: Kind::Shared(key),
            });
        }
    }

    fn add_whole(&mut self, cause: Cause, key: String) {
        if let Ok(key) = SigningKey::from_shared_key(self.method, key.into()) {
            self.found.push(Key {
                cause: Some(cause),
                kind: Kind::Shared(key),
            });
        }
    }

    /// Either the sender's secret had white space that ours lacks, or ours has some that it lacked.
    fn add_whitespace(&mut self, client: &str, token: &str) {
        for (before, after) in SLIPS {
            let slipped = format!("{before}{client}{after}");
            self.add(Some(Cause::ClientSecretHasWhitespace), &slipped, token);
            if !token.is_empty() {
                let slipped = format!("{before}{token}{after}");
                self.add(Some(Cause::TokenSecretHasWhitespace), client, &slipped);
            }
        }
        if client.trim() != client {
            self.add(Some(Cause::ClientSecretHasWhitespace), client.trim(), token);
        }
        if token.trim() != token {
            self.add(Some(Cause::TokenSecretHasWhitespace), client, token.trim());
        }
    }
}
