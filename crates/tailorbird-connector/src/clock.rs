//! The clock, and what is known about how far it is off.
//!
//! OAuth 1.0a providers refuse a request whose timestamp is too far from their own time (RFC 5849 §3.3).
//! The provider's `Date` header tells its time, so a wrong clock need not stop anybody: the difference is
//! learnt from a refusal, kept per origin, used from then on, and told.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::origin::Origin;

/// Tells the time. A parameter, so that tests can move it.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The least difference, in seconds, that counts as a clock that is off.
///
/// A `Date` header has whole seconds and is as old as the answer's way; half a minute is far from both,
/// and far from the 300 seconds that providers usually forgive.
pub const NOTABLE_SKEW_SECONDS: i64 = 30;

/// The most origins whose difference is kept; beyond it the table begins anew.
const MAX_ORIGINS: usize = 1_000;

/// How far each provider's clock is from ours, in seconds; positive where ours is behind.
#[derive(Debug, Default)]
pub struct SkewTable {
    by_origin: Mutex<BTreeMap<Origin, i64>>,
}

impl SkewTable {
    /// The known difference for an origin, in seconds; zero where none is known.
    pub fn seconds(&self, origin: &Origin) -> i64 {
        let table = self.by_origin.lock().unwrap_or_else(PoisonError::into_inner);
        table.get(origin).copied().unwrap_or_default()
    }

    /// Keeps a difference for an origin.
    pub fn learn(&self, origin: &Origin, seconds: i64) {
        let mut table = self.by_origin.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= MAX_ORIGINS && !table.contains_key(origin) {
            table.clear();
        }
        table.insert(origin.clone(), seconds);
    }
}

/// How far the provider's clock is ahead of ours, in whole seconds.
pub(crate) fn skew_seconds(provider: Timestamp, ours: Timestamp) -> i64 {
    provider.duration_since(ours).as_secs()
}

/// A point in time moved by seconds; unmoved where the result could not be told.
pub(crate) fn shifted(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(at)
}

/// Says a difference in words: "412 seconds behind".
pub(crate) fn skew_words(seconds: i64) -> String {
    let direction = if seconds >= 0 { "behind" } else { "ahead of" };
    format!("{} seconds {direction}", seconds.unsigned_abs())
}
