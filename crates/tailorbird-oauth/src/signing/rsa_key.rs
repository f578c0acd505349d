//! RSASSA-PKCS1-v1_5 (RFC 5849 §3.4.3), keys read from PEM once.

use std::fmt;
use std::sync::Arc;

use rsa::pkcs1::{DecodeRsaPrivateKey as _, DecodeRsaPublicKey as _};
use rsa::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};
use rsa::{PrivateKey as RsaPrivateKey, PublicKey as RsaPublicKey};
use secrecy::{ExposeSecret as _, SecretString};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::secret::RsaPrivateKeyPem;
use crate::signature_method::HashAlgorithm;

/// The longest PEM text that is read, in bytes; a key of 8192 bits needs about 6400.
pub const MAX_PEM_LENGTH: usize = 32 * 1024;

/// Why a PEM text is no usable RSA key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RsaKeyError {
    /// No PEM block with a label that fits.
    #[error("RSA {expected} was expected, but there is {found}")]
    OtherLabel {
        /// What would be right, with the PEM labels.
        expected: &'static str,
        /// What is there instead, never any of the key itself.
        found: &'static str,
    },
    /// Right label, but not a key of a supported size.
    #[error("RSA key is damaged, or has fewer than 512 (private) or 1024 (public) or more than 8192 bits")]
    Damaged,
    /// More than [`MAX_PEM_LENGTH`] bytes.
    #[error("RSA key has {length} bytes of PEM text; at most {MAX_PEM_LENGTH} are read")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// The key is shorter than the digest with its prefix.
    #[error("RSA key is too short for {hash}")]
    TooShortForHash {
        /// The digest that did not fit.
        hash: HashAlgorithm,
    },
}

const PRIVATE_EXPECTED: &str =
    "private key in PEM form, PKCS#8 (BEGIN PRIVATE KEY) or PKCS#1 (BEGIN RSA PRIVATE KEY),";
const PUBLIC_EXPECTED: &str =
    "public key in PEM form, SPKI (BEGIN PUBLIC KEY) or PKCS#1 (BEGIN RSA PUBLIC KEY),";

/// The label of the first PEM block.
fn label(pem: &str) -> Option<&str> {
    pem.split_once("-----BEGIN ")
        .and_then(|(_, rest)| rest.split_once("-----"))
        .map(|(label, _)| label)
}

/// Names what stands there, from a closed list: the text itself may be a secret.
fn describe(label: Option<&str>) -> &'static str {
    match label {
        None => "no PEM block (-----BEGIN …-----) at all",
        Some("PUBLIC KEY" | "RSA PUBLIC KEY") => "a public key",
        Some("PRIVATE KEY" | "RSA PRIVATE KEY") => "a private key",
        Some("ENCRYPTED PRIVATE KEY") => "a private key with a pass phrase; remove the pass phrase first",
        Some("EC PRIVATE KEY") => "an elliptic-curve key",
        Some("OPENSSH PRIVATE KEY") => "an OpenSSH key; convert it to PEM first",
        Some("CERTIFICATE") => "a certificate",
        Some(_) => "a PEM block of another kind",
    }
}

/// Cuts the first PEM block out and unifies its lines: keys arrive with text around them, with CRLF, with
/// indentation, or with `\n` written out after a trip through JSON or an environment file.
fn tidy_pem(pem: &str) -> Result<SecretString, RsaKeyError> {
    if pem.len() > MAX_PEM_LENGTH {
        return Err(RsaKeyError::TooLong { length: pem.len() });
    }
    let unescaped = SecretString::from(pem.replace("\\n", "\n"));
    let mut tidy = String::with_capacity(pem.len() + 1);
    let mut inside = false;
    for line in unescaped.expose_secret().lines().map(str::trim) {
        inside |= line.starts_with("-----BEGIN ");
        if inside && !line.is_empty() {
            tidy.push_str(line);
            tidy.push('\n');
        }
        if line.starts_with("-----END ") {
            break;
        }
    }
    Ok(SecretString::from(tidy))
}

/// A parsed private key. Cloning shares it.
#[derive(Clone)]
pub(crate) struct PrivateKey(Arc<RsaPrivateKey>);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(redacted)")
    }
}

impl PrivateKey {
    pub(crate) fn from_pem(pem: &RsaPrivateKeyPem) -> Result<Self, RsaKeyError> {
        let tidy = tidy_pem(pem.expose_for_sealing())?;
        let tidy = tidy.expose_secret();
        let key = match label(tidy) {
            Some("PRIVATE KEY") => RsaPrivateKey::from_pkcs8_pem(tidy).map_err(|_| RsaKeyError::Damaged),
            Some("RSA PRIVATE KEY") => RsaPrivateKey::from_pkcs1_pem(tidy).map_err(|_| RsaKeyError::Damaged),
            other => Err(RsaKeyError::OtherLabel {
                expected: PRIVATE_EXPECTED,
                found: describe(other),
            }),
        }?;
        Ok(Self(Arc::new(key)))
    }

    pub(crate) fn sign(&self, hash: HashAlgorithm, message: &[u8]) -> Result<Vec<u8>, RsaKeyError> {
        match hash {
            HashAlgorithm::Sha1 => self.0.pkcs1v15_sign::<Sha1>(message),
            HashAlgorithm::Sha256 => self.0.pkcs1v15_sign::<Sha256>(message),
            HashAlgorithm::Sha512 => self.0.pkcs1v15_sign::<Sha512>(message),
        }
        .map_err(|_| RsaKeyError::TooShortForHash { hash })
    }

    pub(crate) fn public(&self) -> RsaVerifyingKey {
        RsaVerifyingKey(Arc::new(self.0.to_public_key()))
    }
}

/// A client's RSA public key, with which a server verifies. Cloning shares it.
#[derive(Clone)]
pub struct RsaVerifyingKey(Arc<RsaPublicKey>);

impl fmt::Debug for RsaVerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaVerifyingKey")
    }
}

impl RsaVerifyingKey {
    /// Reads an SPKI (`BEGIN PUBLIC KEY`) or PKCS#1 (`BEGIN RSA PUBLIC KEY`) PEM text of 1024 to 8192 bits.
    ///
    /// # Errors
    /// [`RsaKeyError`], which says what was expected.
    pub fn from_public_pem(pem: &str) -> Result<Self, RsaKeyError> {
        let tidy = tidy_pem(pem)?;
        let tidy = tidy.expose_secret();
        let key = match label(tidy) {
            Some("PUBLIC KEY") => RsaPublicKey::from_public_key_pem(tidy).map_err(|_| RsaKeyError::Damaged),
            Some("RSA PUBLIC KEY") => RsaPublicKey::from_pkcs1_pem(tidy).map_err(|_| RsaKeyError::Damaged),
            other => Err(RsaKeyError::OtherLabel {
                expected: PUBLIC_EXPECTED,
                found: describe(other),
            }),
        }?;
        Ok(Self(Arc::new(key)))
    }

    /// The public half of a private key, for tests and for a client that wants to check itself.
    ///
    /// # Errors
    /// [`RsaKeyError`], which says what was expected.
    pub fn from_private_pem(pem: &RsaPrivateKeyPem) -> Result<Self, RsaKeyError> {
        Ok(PrivateKey::from_pem(pem)?.public())
    }

    pub(crate) fn verify(&self, hash: HashAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        match hash {
            HashAlgorithm::Sha1 => self.0.pkcs1v15_verify::<Sha1>(message, signature),
            HashAlgorithm::Sha256 => self.0.pkcs1v15_verify::<Sha256>(message, signature),
            HashAlgorithm::Sha512 => self.0.pkcs1v15_verify::<Sha512>(message, signature),
        }
        .is_ok()
    }
}
