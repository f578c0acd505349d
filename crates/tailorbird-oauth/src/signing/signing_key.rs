//! The key of a signature: HMAC (RFC 5849 §3.4.2), RSA (§3.4.3) or the secrets themselves (§3.4.4).
//!
//! Made once and used for every request of the same credentials: for HMAC the state after the key is
//! kept, so that a signature hashes the base string and nothing else; for RSA the PEM is parsed once.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq as _;

use crate::credentials::ClientCredentials;
use crate::percent_encoding::{ascii_string, encode_into};
use crate::secret::{ClientSecret, RsaPrivateKeyPem, TokenSecret};
use crate::signature_method::{HashAlgorithm, SignatureFamily, SignatureMethod};
use crate::signing::rsa_key::{PrivateKey, RsaKeyError};

/// Why there is no key for a method.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningKeyError {
    /// An RSA method was asked for and the credentials hold no RSA private key.
    #[error("{method} needs an RSA private key in PEM form (PKCS#8 or PKCS#1), and there is none")]
    RsaKeyMissing {
        /// The method.
        method: SignatureMethod,
    },
    /// HMAC or PLAINTEXT was asked for where only RSA can be made.
    #[error("{method} signs with the secrets, not with an RSA key; use RSA-SHA1, RSA-SHA256 or RSA-SHA512")]
    NotAnRsaMethod {
        /// The method.
        method: SignatureMethod,
    },
    /// The RSA private key cannot be used.
    #[error("RSA private key cannot be used")]
    Rsa(#[from] RsaKeyError),
}

#[derive(Clone)]
enum Kind {
    HmacSha1(Hmac<Sha1>),
    HmacSha256(Box<Hmac<Sha256>>),
    HmacSha512(Box<Hmac<Sha512>>),
    Rsa(HashAlgorithm, PrivateKey),
    Plaintext(SecretString),
}

/// A key ready to sign with, for one method and one pair of secrets. `Debug` shows the method only.
#[derive(Clone)]
pub struct SigningKey {
    method: SignatureMethod,
    kind: Kind,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// `encode(client secret) & encode(token secret)` (RFC 5849 §3.4.2): the ampersand stands also where the
/// token secret is empty or absent.
fn shared_key(client_secret: &ClientSecret, token_secret: Option<&TokenSecret>) -> SecretString {
    let client = client_secret.expose_for_sealing().as_bytes();
    let token = token_secret
        .map(TokenSecret::expose_for_sealing)
        .unwrap_or_default()
        .as_bytes();
    let mut key = Vec::with_capacity((client.len() + token.len()) * 3 + 1);
    encode_into(&mut key, client);
    key.push(b'&');
    encode_into(&mut key, token);
    SecretString::from(ascii_string(key))
}

impl SigningKey {
    /// The key of a client, with the token's secret where there is a token: whichever of secret and RSA
    /// key the method needs.
    ///
    /// # Errors
    /// [`SigningKeyError`] when the method is an RSA one and the client's RSA key is missing or unusable.
    pub fn for_client(
        method: SignatureMethod,
        client: &ClientCredentials,
        token_secret: Option<&TokenSecret>,
    ) -> Result<Self, SigningKeyError> {
        match (&client.rsa_private_key, method.is_rsa()) {
            (Some(pem), true) => Self::from_rsa_private_key(method, pem),
            (None, true) => Err(SigningKeyError::RsaKeyMissing { method }),
            (_, false) => Self::from_secrets(method, &client.secret, token_secret),
        }
    }

    /// The key made of both secrets, for HMAC and PLAINTEXT.
    ///
    /// # Errors
    /// [`SigningKeyError::RsaKeyMissing`] when the method is an RSA one.
    pub fn from_secrets(
        method: SignatureMethod,
        client_secret: &ClientSecret,
        token_secret: Option<&TokenSecret>,
    ) -> Result<Self, SigningKeyError> {
        Self::from_shared_key(method, shared_key(client_secret, token_secret))
    }

    /// The key that is already joined. Only a diagnosis makes one by other rules than the RFC's.
    pub(crate) fn from_shared_key(
        method: SignatureMethod,
        shared: SecretString,
    ) -> Result<Self, SigningKeyError> {
        let bytes = shared.expose_secret().as_bytes();
        // HMAC takes keys of any length, so the error of these constructors cannot occur; should it ever,
        // the missing key is reported instead of a panic.
        let none = |_| SigningKeyError::RsaKeyMissing { method };
        let kind = match method.family() {
            SignatureFamily::Hmac(HashAlgorithm::Sha1) => {
                Kind::HmacSha1(Hmac::new_from_slice(bytes).map_err(none)?)
            }
            SignatureFamily::Hmac(HashAlgorithm::Sha256) => {
                Kind::HmacSha256(Box::new(Hmac::new_from_slice(bytes).map_err(none)?))
            }
            SignatureFamily::Hmac(HashAlgorithm::Sha512) => {
                Kind::HmacSha512(Box::new(Hmac::new_from_slice(bytes).map_err(none)?))
            }
            SignatureFamily::Plaintext => Kind::Plaintext(shared),
            SignatureFamily::Rsa(_) => return Err(SigningKeyError::RsaKeyMissing { method }),
        };
        Ok(Self { method, kind })
    }

    /// The key made of a private key, for the RSA methods. Secrets play no part in them.
    ///
    /// # Errors
    /// [`SigningKeyError`] when the method is no RSA method or the PEM cannot be used.
    pub fn from_rsa_private_key(
        method: SignatureMethod,
        pem: &RsaPrivateKeyPem,
    ) -> Result<Self, SigningKeyError> {
        let SignatureFamily::Rsa(hash) = method.family() else {
            return Err(SigningKeyError::NotAnRsaMethod { method });
        };
        Ok(Self {
            method,
            kind: Kind::Rsa(hash, PrivateKey::from_pem(pem)?),
        })
    }

    /// The same RSA key under another RSA method, without parsing the PEM again.
    pub(crate) fn with_rsa_method(&self, method: SignatureMethod) -> Option<Self> {
        match (&self.kind, method.family()) {
            (Kind::Rsa(_, key), SignatureFamily::Rsa(hash)) => Some(Self {
                method,
                kind: Kind::Rsa(hash, key.clone()),
            }),
            _ => None,
        }
    }

    /// The method that this key signs with.
    pub const fn method(&self) -> SignatureMethod {
        self.method
    }

    /// Signs a base string; the result is what `oauth_signature` carries before it is encoded.
    ///
    /// # Errors
    /// [`RsaKeyError::TooShortForHash`] when an RSA key has fewer bits than the digest needs.
    pub fn sign(&self, base_string: &[u8]) -> Result<String, RsaKeyError> {
        let mut signature = String::new();
        self.sign_into(base_string, &mut signature)?;
        Ok(signature)
    }

    /// Appends the signature to a buffer.
    pub(crate) fn sign_into(&self, base_string: &[u8], out: &mut String) -> Result<(), RsaKeyError> {
        match &self.kind {
            Kind::HmacSha1(keyed) => {
                STANDARD.encode_string(
                    keyed.clone().chain_update(base_string).finalize().into_bytes(),
                    out,
                );
            }
            Kind::HmacSha256(keyed) => {
                let keyed = Hmac::clone(keyed);
                STANDARD.encode_string(keyed.chain_update(base_string).finalize().into_bytes(), out);
            }
            Kind::HmacSha512(keyed) => {
                let keyed = Hmac::clone(keyed);
                STANDARD.encode_string(keyed.chain_update(base_string).finalize().into_bytes(), out);
            }
            Kind::Rsa(hash, key) => STANDARD.encode_string(key.sign(*hash, base_string)?, out),
            Kind::Plaintext(shared) => out.push_str(shared.expose_secret()),
        }
        Ok(())
    }

    /// Whether `signature` is what this key makes of `base_string`, in constant time.
    ///
    /// # Errors
    /// As [`SigningKey::sign`].
    pub fn verify(&self, base_string: &[u8], signature: &str) -> Result<bool, RsaKeyError> {
        let expected = SecretString::from(self.sign(base_string)?);
        Ok(same_signature(self.method, expected.expose_secret(), signature))
    }
}

/// Compares two signatures in constant time: PLAINTEXT as text, the others as the bytes that the base64
/// stands for, so that a missing `=` of padding does not look like a wrong key.
fn same_signature(method: SignatureMethod, expected: &str, given: &str) -> bool {
    if matches!(method.family(), SignatureFamily::Plaintext) {
        return bool::from(expected.as_bytes().ct_eq(given.as_bytes()));
    }
    match (decode_signature(expected), decode_signature(given)) {
        (Some(expected), Some(given)) => bool::from(expected.ct_eq(&given)),
        _ => false,
    }
}

/// Decodes the base64 of a signature, with or without its padding.
pub(crate) fn decode_signature(signature: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    LENIENT.decode(signature).ok()
}
