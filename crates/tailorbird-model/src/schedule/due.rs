//! What is due of a schedule, and what of it was missed. Pure: decided from times alone, and done elsewhere.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Schedule;

/// How late a time may be taken up and still count as on time: as long as the shortest distance of two times.
pub const ON_TIME: SignedDuration = SignedDuration::from_secs(60);

/// How many missed times are told one by one, and caught up by `missed: all`: the newest ones.
pub const MAX_MISSED: usize = 100;

/// How many days are looked through for missed times; who was away for longer starts anew.
const MAX_DAYS_BACK: usize = 400;

/// What happens with times that passed while nobody could act on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// One run for all of them.
    #[default]
    Once,
    /// No run.
    Skip,
    /// A run for each, the newest hundred.
    All,
}

/// What becomes of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It opens a run.
    Fires,
    /// It was missed, and opens none.
    Missed,
}

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Due {
    /// Times with what becomes of them, in order.
    pub times: Vec<(Timestamp, Verdict)>,
    /// Whether more times were missed than are named here.
    pub more: bool,
}

impl Due {
    /// What is due after the instant up to which all is decided, up to now. Nothing where what was missed has to
    /// wait, because now lies outside the hours of the schedule or on a day that is left out; it comes up again.
    pub fn of(schedule: &Schedule, missed: Missed, decided: Timestamp, now: Timestamp) -> Self {
        let (times, more) = newest(schedule, decided, now);
        let Some(last) = times.last().copied() else {
            return Self::default();
        };
        let on_time = now.duration_since(last) <= ON_TIME;
        if !on_time && missed != Missed::Skip && !schedule.allows(now) {
            return Self::default();
        }
        let verdict = |at: Timestamp| match missed {
            Missed::All => Verdict::Fires,
            Missed::Once if at == last => Verdict::Fires,
            Missed::Skip if at == last && on_time => Verdict::Fires,
            Missed::Once | Missed::Skip => Verdict::Missed,
        };
        Self {
            times: times.into_iter().map(|at| (at, verdict(at))).collect(),
            more,
        }
    }
}

/// The newest times after one instant, up to another, in order; and whether there are more.
fn newest(schedule: &Schedule, after: Timestamp, until: Timestamp) -> (Vec<Timestamp>, bool) {
    let mut found = Vec::new();
    // A day late: a time of the day before can lie on the next one, behind a gap; so can the zone's midnight.
    let mut day = schedule
        .day_of(until)
        .tomorrow()
        .unwrap_or(schedule.day_of(until));
    let first = Schedule::day_before(Schedule::day_before(schedule.day_of(after)));
    for _ in 0..MAX_DAYS_BACK {
        let times = schedule.on(day);
        for at in times.into_iter().rev().filter(|at| *at > after && *at <= until) {
            found.push(at);
        }
        if day <= first {
            break;
        }
        if found.len() > MAX_MISSED.saturating_mul(2) {
            break;
        }
        day = Schedule::day_before(day);
    }
    found.sort_unstable();
    found.dedup();
    let surplus = found.len().saturating_sub(MAX_MISSED);
    found.drain(..surplus);
    (found, surplus > 0)
}
