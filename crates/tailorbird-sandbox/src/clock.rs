//! The sandbox's time: the system's, plus an offset that scripts can move forward.
//!
//! Every date, timestamp check, lifetime and limit window asks this clock, so that an hour can pass in a test
//! without anybody waiting for it.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// The largest offset in seconds (about ten years): beyond it, dates would leave what clients can read.
pub(crate) const OFFSET_MAX_S: i64 = 315_360_000;

/// A clock that only this crate's server moves.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset_s: AtomicI64,
}

impl Clock {
    /// The present moment of the sandbox.
    pub(crate) fn now(&self) -> Timestamp {
        plus_seconds(Timestamp::now(), self.offset_s())
    }

    /// Seconds since the Unix epoch.
    pub(crate) fn now_s(&self) -> u64 {
        u64::try_from(self.now().as_second()).unwrap_or(0)
    }

    /// By how many seconds the sandbox is ahead of the system.
    pub(crate) fn offset_s(&self) -> i64 {
        self.offset_s.load(Ordering::Relaxed)
    }

    /// Sets the offset that the state holds; called at the start and after each `ClockAdvanced`.
    pub(crate) fn set_offset_s(&self, seconds: i64) {
        self.offset_s.store(seconds, Ordering::Relaxed);
    }
}

/// `at` moved by `seconds` (negative: back), stopping at the ends of what a timestamp can hold.
pub(crate) fn plus_seconds(at: Timestamp, seconds: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_secs(seconds))
        .unwrap_or(at)
}

/// An HTTP date (RFC 9110 §5.6.7), such as `Mon, 23 Nov 2026 17:00:00 GMT`.
pub(crate) fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
