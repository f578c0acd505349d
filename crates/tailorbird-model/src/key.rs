//! The key of a delivery (never-twice rule 2).

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::Value;

/// The longest key, in bytes.
pub const MAX_KEY_BYTES: usize = 512;

/// A delivery key: NFC text without trailing spaces, 1 to [`MAX_KEY_BYTES`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryKey(String);

/// Why a text is no key.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum KeyProblem {
    /// The expression yielded null, or nothing but spaces.
    #[error("the key is empty")]
    Empty,
    /// Longer than [`MAX_KEY_BYTES`].
    #[error("the key has {bytes} bytes; at most {MAX_KEY_BYTES} are allowed")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
}

impl DeliveryKey {
    /// Makes a key from rendered text.
    ///
    /// # Errors
    /// Empty and overlong keys; the chunk stops, because a guess here would send twice or never.
    pub fn from_text(text: &str) -> Result<Self, KeyProblem> {
        let key: String = text.trim_end().nfc().collect();
        match key.len() {
            0 => Err(KeyProblem::Empty),
            bytes if bytes > MAX_KEY_BYTES => Err(KeyProblem::TooLong { bytes }),
            _ => Ok(Self(key)),
        }
    }

    /// Makes a key from a value; decimals lose trailing zeros, so that 1.10 and 1.1 are one key.
    ///
    /// # Errors
    /// As [`DeliveryKey::from_text`]; null is empty.
    pub fn from_value(value: &Value) -> Result<Self, KeyProblem> {
        match value {
            Value::Decimal(decimal) => Self::from_text(&decimal.normalize().to_string()),
            other => Self::from_text(&other.to_string()),
        }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeliveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
