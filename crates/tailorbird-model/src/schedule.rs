//! When a schedule fires. Pure: the time is a parameter, the calendar's text too.
//!
//! The five fields are matched on the civil time of the schedule's zone, so `0 9 * * *` is nine o'clock on the
//! wall, in summer as in winter. Where the wall clock jumps:
//!
//! - **A time inside the gap** (clocks go forward) fires once, at the first instant after it. Where the hour
//!   field is `*` nothing is added: the next hour's time is there anyway.
//! - **A time in the fold** (clocks go back) fires once, the first time. Where the hour or the minute field is `*`
//!   or has a step, the schedule means a distance, not a time of day, and fires both times.
//!
//! Invariant: [`Schedule::next_after`] is strictly after its argument, and is found or not within [`HORIZON_DAYS`].

pub mod calendar;
pub mod due;
mod fields;
pub mod hours;

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

pub use fields::{Fields, FieldsProblem};
pub use hours::Hours;

/// How far ahead a time is looked for: every combination of a leap day with a weekday comes within 40 years.
pub const HORIZON_DAYS: u32 = 41 * 366;

/// When a task fires by itself.
#[derive(Debug, Clone)]
pub struct Schedule {
    fields: Fields,
    zone: TimeZone,
    except: BTreeSet<Date>,
    hours: Option<Hours>,
}

impl Schedule {
    /// A schedule without exceptions.
    pub fn new(fields: Fields, zone: TimeZone) -> Self {
        Self {
            fields,
            zone,
            except: BTreeSet::new(),
            hours: None,
        }
    }

    /// Leaves these days out.
    #[must_use]
    pub fn except(mut self, days: impl IntoIterator<Item = Date>) -> Self {
        self.except.extend(days);
        self
    }

    /// Leaves out what lies outside these hours.
    #[must_use]
    pub fn within(mut self, hours: Hours) -> Self {
        self.hours = Some(hours);
        self
    }

    /// The zone whose wall clock counts.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The first time after an instant; none where none comes within [`HORIZON_DAYS`].
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        // A day early: the first instant after a gap can belong to a time of the day before.
        let mut day = self.zone.to_datetime(after).date().yesterday().ok()?;
        for _ in 0..HORIZON_DAYS {
            if let Some(found) = self.on(day).into_iter().find(|at| *at > after) {
                return Some(found);
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// The next few times after an instant.
    pub fn next_times(&self, after: Timestamp, count: usize) -> Vec<Timestamp> {
        let mut times = Vec::new();
        let mut from = after;
        while times.len() < count
            && let Some(next) = self.next_after(from)
        {
            times.push(next);
            from = next;
        }
        times
    }

    /// Whether the calendar and the hours let a run begin at an instant that is no time of the schedule: what was
    /// missed is not caught up on a holiday or at night.
    pub fn allows(&self, at: Timestamp) -> bool {
        self.lets_through(self.zone.to_datetime(at))
    }

    fn lets_through(&self, at: DateTime) -> bool {
        !self.except.contains(&at.date()) && self.hours.as_ref().is_none_or(|hours| hours.contains(at))
    }

    /// The times of a civil day, in order, each once.
    pub(crate) fn on(&self, day: Date) -> Vec<Timestamp> {
        if self.except.contains(&day) || !self.fields.has_day(day) {
            return Vec::new();
        }
        let mut times = Vec::new();
        for (hour, minute) in self.fields.times() {
            let civil = day.at(hour, minute, 0, 0);
            if self.lets_through(civil) {
                self.instants(civil, &mut times);
            }
        }
        times.sort_unstable();
        times.dedup();
        times
    }

    /// The instants that a civil time stands for: none or one in a gap, one or two in a fold.
    fn instants(&self, civil: DateTime, into: &mut Vec<Timestamp>) {
        let at = |offset: jiff::tz::Offset| offset.to_timestamp(civil).ok();
        let found = self.zone.to_ambiguous_timestamp(civil);
        match found.offset() {
            AmbiguousOffset::Unambiguous { offset } => into.extend(at(offset)),
            AmbiguousOffset::Gap { before, .. } => {
                if !self.fields.is_every_hour() {
                    into.extend(at(before).and_then(|at| self.last_transition(at)));
                }
            }
            AmbiguousOffset::Fold { before, after } => {
                into.extend(at(before));
                if self.fields.repeats() {
                    into.extend(at(after));
                }
            }
        }
    }

    /// The last instant, not after this one, at which the zone's clocks were moved.
    fn last_transition(&self, at: Timestamp) -> Option<Timestamp> {
        let just_after = at.checked_add(SignedDuration::from_nanos(1)).ok()?;
        let mut earlier = self.zone.preceding(just_after);
        earlier.next().map(|transition| transition.timestamp())
    }

    /// The civil day of an instant, by the zone's clock.
    pub(crate) fn day_of(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// The day before; the same where there is none.
    pub(crate) fn day_before(day: Date) -> Date {
        day.checked_sub(1.day()).unwrap_or(day)
    }
}
