//! How fast requests may come, and how often a refusal is written down.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use tailorbird_model::{Failure, Name};

/// Requests to one path that are taken in a second, over a longer time.
pub(super) const PER_SECOND: u32 = 50;

/// Requests to one path that may come at once.
pub(super) const BURST: u32 = 300;

/// Refusals of a task within so many seconds are written down together: a flood of them must not become a flood
/// of writes.
const REFUSAL_SECONDS: i64 = 2;

/// The same, as a pause.
pub(super) const REFUSAL_PAUSE: Duration = Duration::from_secs(2);

/// Paths and tasks that are kept in mind. Only those that exist get here, so this is never reached in earnest.
const MAX_KNOWN: usize = 10_000;

const MICROS: i64 = 1_000_000;

/// What is left of each path's pace.
#[derive(Debug, Default)]
pub(super) struct Pace {
    paths: HashMap<String, Bucket>,
    refusals: HashMap<Name, Refusals>,
}

#[derive(Debug)]
struct Bucket {
    /// Millionths of a request.
    left: i64,
    at: Timestamp,
}

#[derive(Debug, Default)]
struct Refusals {
    noted_at: Option<Timestamp>,
    unnoted: u32,
    last: Option<Failure>,
}

impl Pace {
    /// Takes one request of a path off; tells whether there was one.
    pub(super) fn admit(&mut self, path: &str, now: Timestamp) -> bool {
        if self.paths.len() >= MAX_KNOWN {
            self.paths.clear();
        }
        let full = i64::from(BURST) * MICROS;
        let bucket = self
            .paths
            .entry(path.to_owned())
            .or_insert(Bucket { left: full, at: now });
        // A clock that was put back gives nothing and takes nothing.
        let passed = now
            .as_microsecond()
            .saturating_sub(bucket.at.as_microsecond())
            .max(0);
        bucket.left = bucket
            .left
            .saturating_add(passed.saturating_mul(i64::from(PER_SECOND)))
            .min(full);
        bucket.at = now;
        let admitted = bucket.left >= MICROS;
        if admitted {
            bucket.left -= MICROS;
        }
        admitted
    }

    /// Counts a refusal and keeps its reason until it is written down.
    pub(super) fn note_refusal(&mut self, task: &Name, why: Failure, now: Timestamp) -> Noting {
        if self.refusals.len() >= MAX_KNOWN {
            self.refusals.clear();
        }
        let refusals = self.refusals.entry(task.clone()).or_default();
        let is_first = refusals.unnoted == 0;
        refusals.unnoted = refusals.unnoted.saturating_add(1);
        refusals.last = Some(why);
        let is_time = refusals
            .noted_at
            .is_none_or(|at| (now.as_second() - at.as_second()).abs() >= REFUSAL_SECONDS);
        match (is_time, is_first) {
            (true, _) => Noting::Now,
            (false, true) => Noting::Soon,
            (false, false) => Noting::Arranged,
        }
    }

    /// What is to be written down of a task's refusals: how many, and the last one's reason.
    pub(super) fn take_refusals(&mut self, task: &Name, now: Timestamp) -> Option<(u32, Failure)> {
        let refusals = self.refusals.get_mut(task)?;
        let why = refusals.last.take()?;
        refusals.noted_at = Some(now);
        Some((std::mem::take(&mut refusals.unnoted), why))
    }
}

/// When a refusal is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noting {
    /// At once.
    Now,
    /// After [`REFUSAL_PAUSE`], together with those that come until then; somebody has to see to it.
    Soon,
    /// Somebody sees to it already.
    Arranged,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
    }

    #[test]
    fn a_burst_is_taken_and_then_so_many_in_a_second() {
        let mut pace = Pace::default();
        let taken = |pace: &mut Pace, now| (0..1_000).filter(|_| pace.admit("a", now)).count();
        assert_eq!(taken(&mut pace, at(0)), 300);
        assert_eq!(taken(&mut pace, at(1_000)), 50);
        assert_eq!(taken(&mut pace, at(500)), 0, "a clock that was put back");
        assert_eq!(taken(&mut pace, at(100_000)), 300);
        assert!(pace.admit("b", at(100_000)), "another path has its own");
    }

    #[test]
    fn refusals_are_written_down_now_and_then_and_none_is_lost() {
        let mut pace = Pace::default();
        let task: Name = "orders".parse().unwrap();
        let why = |text: &str| Failure::new("TRIG-001", tailorbird_model::Meaning::Rejected, text);
        assert_eq!(pace.note_refusal(&task, why("a"), at(0)), Noting::Now);
        assert_eq!(pace.take_refusals(&task, at(0)), Some((1, why("a"))));
        assert_eq!(pace.note_refusal(&task, why("b"), at(900)), Noting::Soon);
        for _ in 0..4 {
            assert_eq!(pace.note_refusal(&task, why("c"), at(900)), Noting::Arranged);
        }
        assert_eq!(pace.take_refusals(&task, at(2_900)), Some((5, why("c"))));
        assert_eq!(pace.take_refusals(&task, at(2_900)), None);
        assert_eq!(pace.note_refusal(&task, why("d"), at(5_000)), Noting::Now);
    }
}
