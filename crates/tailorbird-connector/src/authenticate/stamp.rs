//! What makes one signing differ from the next: the nonce and the time. Neither is secret, so both are kept with the
//! answer, and what was signed can be explained afterwards, to the byte.

use tailorbird_model::Failure;
use tailorbird_oauth::{Nonce, Timestamp};

use crate::entropy;

/// Nonce and time of one signing (RFC 5849 §3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    pub(crate) nonce: Nonce,
    pub(crate) timestamp: Timestamp,
}

impl Stamp {
    /// Draws a fresh nonce for a point in time by the provider's clock, in seconds since 1970.
    pub(crate) fn draw(provider_seconds: u64) -> Result<Self, Failure> {
        Ok(Self {
            nonce: Nonce::from_random(entropy::sixteen_bytes()?),
            timestamp: Timestamp::from_seconds(provider_seconds),
        })
    }
}
