//! Timestamp window and nonce memory (RFC 5849 §3.3). Both take the time as a parameter.

use std::collections::BTreeSet;

use crate::timestamp::Timestamp;
use crate::verify::rejection::Rejection;

/// How far a timestamp may lie from the server's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWindow {
    /// Seconds that a timestamp may be behind.
    pub past_seconds: u64,
    /// Seconds that it may be ahead.
    pub future_seconds: u64,
}

impl TimeWindow {
    /// Five minutes in both directions: the usual figure; X publishes none.
    pub const FIVE_MINUTES: Self = Self {
        past_seconds: 300,
        future_seconds: 300,
    };

    /// Checks a timestamp.
    ///
    /// # Errors
    /// [`Rejection::TimestampOutside`] with the distance.
    pub fn check(self, timestamp: Timestamp, now: Timestamp) -> Result<(), Rejection> {
        let (given, now) = (timestamp.seconds(), now.seconds());
        let distance = given.abs_diff(now);
        let (allowed_seconds, sign) = if given < now {
            (self.past_seconds, -1)
        } else {
            (self.future_seconds, 1)
        };
        if distance <= allowed_seconds {
            return Ok(());
        }
        let offset_seconds = i64::try_from(distance).unwrap_or(i64::MAX).saturating_mul(sign);
        Err(Rejection::TimestampOutside {
            offset_seconds,
            allowed_seconds,
        })
    }
}

/// Remembers nonces for as long as their timestamps are acceptable, and never more than its capacity.
///
/// When it is full, the oldest timestamps are forgotten and from then on refused: a flood can make old
/// requests fail, but never makes a repetition pass.
#[derive(Clone, Debug)]
pub struct NonceMemory {
    capacity: usize,
    window_seconds: u64,
    /// Timestamp first, so that the oldest are at the beginning.
    seen: BTreeSet<(u64, String)>,
    /// Everything up to this timestamp may have been forgotten.
    forgotten_until: Option<u64>,
}

impl NonceMemory {
    /// A memory of at most `capacity` nonces (at least 1), kept for `window_seconds` after their
    /// timestamp: the past part of the time window.
    pub const fn new(capacity: usize, window_seconds: u64) -> Self {
        let capacity = if capacity == 0 { 1 } else { capacity };
        Self {
            capacity,
            window_seconds,
            seen: BTreeSet::new(),
            forgotten_until: None,
        }
    }

    /// How many nonces are remembered at present.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Remembers a nonce, unless it was used with the same timestamp, client and token before.
    ///
    /// # Errors
    /// [`Rejection::NonceUsed`]; [`Rejection::NonceForgotten`] when the timestamp is older than what is
    /// remembered.
    pub fn remember(
        &mut self,
        consumer_key: &str,
        token: Option<&str>,
        timestamp: Timestamp,
        nonce: &str,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        self.forget_expired(now);
        let seconds = timestamp.seconds();
        if let Some(oldest_seconds) = self.forgotten_until.filter(|until| seconds <= *until) {
            return Err(Rejection::NonceForgotten { oldest_seconds });
        }
        if !self.seen.insert((seconds, identity(consumer_key, token, nonce))) {
            return Err(Rejection::NonceUsed);
        }
        while self.seen.len() > self.capacity {
            if let Some((oldest, _)) = self.seen.pop_first() {
                self.forgotten_until = self.forgotten_until.max(Some(oldest));
            }
        }
        Ok(())
    }

    fn forget_expired(&mut self, now: Timestamp) {
        let Some(limit) = now.seconds().checked_sub(self.window_seconds) else {
            return;
        };
        while let Some((oldest, _)) = self.seen.first()
            && *oldest < limit
        {
            self.seen.pop_first();
        }
        // A request before the limit is forgotten in any case, so it must not pass either.
        if let Some(last_expired) = limit.checked_sub(1) {
            self.forgotten_until = self.forgotten_until.max(Some(last_expired));
        }
    }
}

/// One text per client, token and nonce. The lengths keep `("ab", "c")` and `("a", "bc")` apart.
fn identity(consumer_key: &str, token: Option<&str>, nonce: &str) -> String {
    let token = token.unwrap_or_default();
    format!(
        "{}:{consumer_key}{}:{token}{nonce}",
        consumer_key.len(),
        token.len()
    )
}
