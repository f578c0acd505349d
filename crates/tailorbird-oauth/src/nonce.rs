//! `oauth_nonce` (RFC 5849 §3.3) as a value that the caller draws: this crate has no randomness.

use std::fmt;

use crate::percent_encoding::ascii_string;

/// A value that is used once per timestamp, client and token (RFC 5849 §3.3).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Nonce(String);

impl Nonce {
    /// Takes a text: 1 to [`Nonce::MAX_LENGTH`] printable ASCII characters. X refuses anything else.
    ///
    /// # Errors
    /// [`NonceError`] when it is empty, too long, or has other characters.
    pub fn new(text: impl Into<String>) -> Result<Self, NonceError> {
        let text = text.into();
        if text.is_empty() {
            return Err(NonceError::Empty);
        }
        if text.len() > Self::MAX_LENGTH {
            return Err(NonceError::TooLong { length: text.len() });
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(NonceError::NotPrintable);
        }
        Ok(Self(text))
    }

    /// Writes 16 bytes from the caller's entropy as 32 hexadecimal digits.
    ///
    /// Hexadecimal on purpose: base64 would bring `+`, `/` and `=`, which half of the peers encode wrongly.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
        let mut digits = Vec::with_capacity(32);
        for byte in bytes {
            digits.extend_from_slice(&[digit(byte >> 4), digit(byte & 0x0f)]);
        }
        Self(ascii_string(digits))
    }

    /// The longest accepted nonce, in bytes.
    pub const MAX_LENGTH: usize = 255;

    /// The text as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonce({:?})", self.0)
    }
}

/// Why a text is no nonce.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NonceError {
    /// Nothing was given.
    #[error(
        "nonce is empty; it needs 1 to {} printable ASCII characters",
        Nonce::MAX_LENGTH
    )]
    Empty,
    /// More than [`Nonce::MAX_LENGTH`] bytes.
    #[error("nonce has {length} bytes; at most {} are allowed", Nonce::MAX_LENGTH)]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// A space, a control character or something beyond ASCII.
    #[error("nonce holds other than printable ASCII characters")]
    NotPrintable,
}
