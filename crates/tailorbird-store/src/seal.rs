//! Sealing: authenticated encryption of secrets under the home's key.
//!
//! Invariant: a sealed value opens only under the owner kind, owner and field that it was sealed for. They
//! are the associated data, so rows of the table cannot be swapped.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::{Digest as _, Sha256};

use crate::{StoreError, entropy};

/// Bytes of a sealing key.
pub(crate) const KEY_BYTES: usize = 32;

/// Bytes of a nonce of XChaCha20-Poly1305; long enough to be drawn at random.
pub(crate) const NONCE_BYTES: usize = 24;

/// Separates this use of the associated data from any later format.
const SEAL_DOMAIN: &[u8] = b"tailorbird secret 1";

/// Separates the key's public name from every other hash of it.
const KEY_ID_DOMAIN: &[u8] = b"tailorbird sealing key id 1";

/// The key that seals a home's secrets.
pub(crate) struct SealingKey(SecretBox<[u8; KEY_BYTES]>);

/// Whom and what a sealed value belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) owner_kind: &'a str,
    pub(crate) owner: &'a str,
    pub(crate) field: &'a str,
}

/// A sealed value as it is stored.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) nonce: [u8; NONCE_BYTES],
    pub(crate) bytes: Vec<u8>,
}

impl SealingKey {
    pub(crate) fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    pub(crate) fn generate() -> Result<Self, StoreError> {
        Ok(Self::new(entropy::bytes()?))
    }

    /// The key in the form of its file: hexadecimal digits.
    pub(crate) fn to_file(&self) -> Zeroizing<String> {
        Zeroizing::new(entropy::hex(self.0.expose_secret()))
    }

    /// Reads the form of the file.
    pub(crate) fn from_file(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() != KEY_BYTES * 2 || !text.is_ascii() {
            return None;
        }
        let mut bytes = Zeroizing::new([0_u8; KEY_BYTES]);
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(digits).ok()?;
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        Some(Self::new(*bytes))
    }

    /// A name for the key that tells nothing about it. The store notes which key its secrets need.
    pub(crate) fn id(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(KEY_ID_DOMAIN);
        hash.update(self.0.expose_secret());
        let digest: [u8; 32] = hash.finalize().into();
        entropy::hex(&digest).chars().take(16).collect()
    }

    pub(crate) fn seal(&self, place: Place<'_>, secret: &[u8]) -> Result<Sealed, StoreError> {
        let nonce = entropy::bytes::<NONCE_BYTES>()?;
        let bytes = self
            .cipher()
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: secret,
                    aad: &place.associated_data(),
                },
            )
            .map_err(|_| place.does_not_open())?;
        Ok(Sealed { nonce, bytes })
    }

    pub(crate) fn open(&self, place: Place<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        self.cipher()
            .decrypt(
                &XNonce::from(sealed.nonce),
                Payload {
                    msg: &sealed.bytes,
                    aad: &place.associated_data(),
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| place.does_not_open())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.0.expose_secret().into())
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({})", self.id())
    }
}

impl Place<'_> {
    /// Each part with its length in front, so that no two places have the same bytes.
    fn associated_data(&self) -> Vec<u8> {
        let mut data = SEAL_DOMAIN.to_vec();
        for part in [self.owner_kind, self.owner, self.field] {
            data.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            data.extend_from_slice(part.as_bytes());
        }
        data
    }

    pub(crate) fn does_not_open(&self) -> StoreError {
        StoreError::Sealed {
            owner_kind: self.owner_kind.to_owned(),
            owner: self.owner.to_owned(),
            field: self.field.to_owned(),
        }
    }
}
