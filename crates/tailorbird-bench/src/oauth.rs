//! OAuth 1.0a HMAC-SHA1 by hand, for this mock's one address.
//!
//! The mock checks the program's signatures with it and the floor signs with it. It shares nothing with the
//! program's own signer, so a signature that passes here was computed twice.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// The client credentials' identifier.
pub(crate) const CLIENT_KEY: &str = "bench-client-key";
/// The client credentials' secret.
pub(crate) const CLIENT_SECRET: &str = "bench client secret, with + and %";
/// The token.
pub(crate) const TOKEN: &str = "7-bench-token";
/// The token's secret.
pub(crate) const TOKEN_SECRET: &str = "bench/token/secret";

/// The most parameters of a header that are read.
const MAX_PARAMETERS: usize = 16;

/// Signs and checks `POST` requests to one address without a query, with a body that is no form.
#[derive(Clone)]
pub(crate) struct Signer {
    keyed: Hmac<Sha1>,
    /// Method and address as they begin the base string.
    beginning: String,
}

impl Signer {
    pub(crate) fn new(url: &str) -> anyhow::Result<Self> {
        let key = format!("{}&{}", encoded(CLIENT_SECRET), encoded(TOKEN_SECRET));
        Ok(Self {
            keyed: Hmac::new_from_slice(key.as_bytes())?,
            beginning: format!("POST&{}&", encoded(url)),
        })
    }

    fn mac(&self, pairs: &[(String, String)]) -> Hmac<Sha1> {
        let joined: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut mac = self.keyed.clone();
        mac.update(self.beginning.as_bytes());
        mac.update(encoded(&joined.join("&")).as_bytes());
        mac
    }

    /// The `Authorization` header of a request.
    pub(crate) fn authorization(&self, nonce: u64, seconds: u64) -> String {
        let pairs = [
            ("oauth_consumer_key", encoded(CLIENT_KEY)),
            ("oauth_nonce", format!("{nonce:016x}")),
            ("oauth_signature_method", "HMAC-SHA1".to_owned()),
            ("oauth_timestamp", seconds.to_string()),
            ("oauth_token", encoded(TOKEN)),
            ("oauth_version", "1.0".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        let signature = STANDARD.encode(self.mac(&pairs).finalize().into_bytes());
        let mut header = "OAuth ".to_owned();
        for (name, value) in &pairs {
            header.push_str(&format!("{name}=\"{value}\", "));
        }
        header.push_str(&format!("oauth_signature=\"{}\"", encoded(&signature)));
        header
    }

    /// Whether a header is signed by the credentials above.
    pub(crate) fn verifies(&self, header: &str) -> bool {
        let Some(parameters) = header.strip_prefix("OAuth ") else {
            return false;
        };
        let mut pairs = Vec::with_capacity(MAX_PARAMETERS);
        let mut signature = None;
        for parameter in parameters.split(',').take(MAX_PARAMETERS) {
            let Some((name, value)) = parameter.trim().split_once('=') else {
                return false;
            };
            let value = value.trim_matches('"');
            match name {
                "realm" => {}
                "oauth_signature" => signature = STANDARD.decode(without_escapes(value)).ok(),
                // Taken apart and put together again: how the client escaped is its affair.
                _ => pairs.push((name.to_owned(), encoded(&without_escapes(value)))),
            }
        }
        pairs.sort();
        let is = |name: &str, wanted: &str| {
            let wanted = encoded(wanted);
            pairs
                .iter()
                .any(|(known, value)| known == name && *value == wanted)
        };
        is("oauth_consumer_key", CLIENT_KEY)
            && is("oauth_token", TOKEN)
            && is("oauth_signature_method", "HMAC-SHA1")
            && signature.is_some_and(|signature| self.mac(&pairs).verify_slice(&signature).is_ok())
    }
}

/// RFC 5849 §3.6.
pub(crate) fn encoded(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len().saturating_mul(2));
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for half in [byte >> 4, byte & 15] {
                out.push(char::from(
                    HEX.get(usize::from(half)).copied().unwrap_or_default(),
                ));
            }
        }
    }
    out
}

fn without_escapes(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        if byte == b'%'
            && let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next()))
        {
            bytes.extend(u8::try_from(high * 16 + low));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_verifies_and_a_changed_one_does_not() {
        let signer = Signer::new("http://127.0.0.1:80/orders").unwrap();
        let header = signer.authorization(7, 1_700_000_000);
        assert!(signer.verifies(&header), "{header}");
        for changed in [
            header.replace("1700000000", "1700000001"),
            header.replace("OAuth ", "Bearer "),
            header.replace("bench-client-key", "other-client-key"),
        ] {
            assert!(!signer.verifies(&changed), "{changed}");
        }
        let elsewhere = Signer::new("http://127.0.0.1:80/other").unwrap();
        assert!(!elsewhere.verifies(&header));
    }

    #[test]
    fn a_signature_is_what_another_implementation_computes() {
        // Computed by oauthlib 3.3.1 for the same parameters.
        let signer = Signer::new("http://127.0.0.1:8080/orders").unwrap();
        let header = signer.authorization(255, 1_700_000_000);
        assert!(header.contains("oauth_nonce=\"00000000000000ff\""), "{header}");
        assert!(header.ends_with(ORACLE), "{header}");
    }

    const ORACLE: &str = "oauth_signature=\"mEj8MXkyzlCAjiqf7RL6vf2NwQA%3D\"";
}
