//! The five fields of a schedule: minute, hour, day of month, month, day of week.
//!
//! What the fields mean is croner's business (lists, ranges, steps, names, `L` for the last day of a month, `#` for
//! the n-th weekday). Where they fall on the calendar is ours: croner would have to be given a zone, and has its own
//! idea of what happens where clocks are moved.

use croner::Weekday as CronDay;
use croner::parser::{CronParser, Seconds, Year};
use croner::{Cron, CronPattern};
use jiff::civil::{Date, Weekday};

/// Names for common schedules.
const NICKNAMES: [(&str, &str); 6] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// Why a text is not a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldsProblem {
    /// What is wrong, as the end of a sentence.
    pub message: String,
}

/// The five fields, read.
#[derive(Debug, Clone)]
pub struct Fields {
    pattern: CronPattern,
    times: Vec<(i8, i8)>,
    repeats: bool,
    every_hour: bool,
}

impl Fields {
    /// Reads them.
    ///
    /// # Errors
    /// With what is wrong.
    pub fn parse(text: &str) -> Result<Self, FieldsProblem> {
        let problem = |message: String| FieldsProblem { message };
        let trimmed = text.trim();
        let text = match NICKNAMES.iter().find(|(name, _)| *name == trimmed) {
            Some((_, fields)) => fields,
            None => trimmed,
        };
        let given: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, ..] = given.as_slice() else {
            return Err(problem(format!("it has {} field(s) and not five", given.len())));
        };
        if given.len() != 5 {
            return Err(problem(format!("it has {} fields and not five", given.len())));
        }
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let cron: Cron = parser.parse(text).map_err(|error| problem(error.to_string()))?;
        let hours = cron.pattern.hours.values();
        let minutes = cron.pattern.minutes.values();
        let small = |number: &u16| i8::try_from(*number).ok();
        let times = hours
            .iter()
            .filter_map(small)
            .flat_map(|hour| minutes.iter().filter_map(small).map(move |minute| (hour, minute)))
            .collect();
        let is_distance = |field: &str| field.contains('*') || field.contains('/');
        Ok(Self {
            times,
            repeats: is_distance(minute) || is_distance(hour),
            every_hour: hours.len() == 24,
            pattern: cron.pattern,
        })
    }

    /// Whether they match a day of the calendar.
    pub(crate) fn has_day(&self, day: Date) -> bool {
        let (Ok(month), Ok(number)) = (u32::try_from(day.month()), u32::try_from(day.day())) else {
            return false;
        };
        // A month out of range is the one thing that these could refuse.
        self.pattern.month_match(month).unwrap_or(false)
            && self
                .pattern
                .day_match(i32::from(day.year()), month, number, weekday(day.weekday()))
                .unwrap_or(false)
    }

    /// Hour and minute of each time of a matching day, in order.
    pub(crate) fn times(&self) -> impl Iterator<Item = (i8, i8)> {
        self.times.iter().copied()
    }

    /// Whether they mean a distance, not times of the day.
    pub(crate) fn repeats(&self) -> bool {
        self.repeats
    }

    /// Whether every hour has a time.
    pub(crate) fn is_every_hour(&self) -> bool {
        self.every_hour
    }
}

fn weekday(day: Weekday) -> CronDay {
    match day {
        Weekday::Sunday => CronDay::Sunday,
        Weekday::Monday => CronDay::Monday,
        Weekday::Tuesday => CronDay::Tuesday,
        Weekday::Wednesday => CronDay::Wednesday,
        Weekday::Thursday => CronDay::Thursday,
        Weekday::Friday => CronDay::Friday,
        Weekday::Saturday => CronDay::Saturday,
    }
}
