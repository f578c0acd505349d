//! Hours of the week outside of which a schedule does not fire.

use std::collections::BTreeSet;

use jiff::civil::{DateTime, Time, Weekday};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl From<Weekday> for Day {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

/// From a time of the day up to another, on days of the week. Where the end is not after the beginning, it is on
/// the next day: the hours belong to the day on which they begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    from: Time,
    /// Absent: the end of the day.
    to: Option<Time>,
    /// Empty: every day.
    days: BTreeSet<Day>,
}

/// A text that is no time of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotATime;

/// What is valid in its place.
pub const TIME_HINT: &str = "Write hours and minutes, for example \"08:00\"; the end of a day is \"24:00\".";

impl Hours {
    /// Makes hours; none where they would be empty.
    pub fn new(from: Time, to: Option<Time>, days: impl IntoIterator<Item = Day>) -> Option<Self> {
        let hours = Self {
            from,
            to,
            days: days.into_iter().collect(),
        };
        (to != Some(from)).then_some(hours)
    }

    /// Reads `HH:MM`.
    pub fn time(text: &str) -> Option<Time> {
        let (hour, minute) = text.split_once(':')?;
        let number = |digits: &str| {
            let is_two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_two.then(|| digits.parse().ok()).flatten()
        };
        Time::new(number(hour)?, number(minute)?, 0, 0).ok()
    }

    /// Reads `HH:MM`, or `24:00` as the end of the day (none).
    ///
    /// # Errors
    /// Where it is neither.
    pub fn end(text: &str) -> Result<Option<Time>, NotATime> {
        if text == "24:00" {
            return Ok(None);
        }
        Self::time(text).map(Some).ok_or(NotATime)
    }

    /// Whether a civil time lies within; the end does not.
    pub fn contains(&self, at: DateTime) -> bool {
        let on = |day: Weekday| self.days.is_empty() || self.days.contains(&day.into());
        let (time, day) = (at.time(), at.date().weekday());
        match self.to {
            None => time >= self.from && on(day),
            Some(to) if to > self.from => time >= self.from && time < to && on(day),
            Some(to) => (time >= self.from && on(day)) || (time < to && on(day.previous())),
        }
    }
}
