//! `oauth_timestamp` (RFC 5849 §3.3) as a value that the caller reads: this crate has no clock.

use std::fmt;
use std::str::FromStr;

/// Whole seconds since 1970-01-01 00:00 UTC, positive (RFC 5849 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Takes seconds since the Unix epoch.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since the Unix epoch.
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is no timestamp.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("timestamp {given:?} is not a positive whole number of seconds since 1970")]
pub struct TimestampError {
    /// The text as it was given.
    pub given: String,
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Reads digits only: `u64`'s own parser would take a leading `+`, which no provider does.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || TimestampError {
            given: text.to_owned(),
        };
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(error());
        }
        match text.parse::<u64>() {
            Ok(0) | Err(_) => Err(error()),
            Ok(seconds) => Ok(Self(seconds)),
        }
    }
}
