//! What starts a run: the part of a task file, and the schedule that is made of it.

mod database;
mod file;
mod records;
mod webhook;

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Name;
use crate::event::EventSource;
use crate::run::RunState;
use crate::schedule::due::Missed;
use crate::schedule::hours::{Day, TIME_HINT};
use crate::schedule::{Fields, Hours, Schedule};
use crate::yaml::shape::nearest;

pub use database::DatabaseTrigger;
pub use file::{ArrivedFile, FileTrigger};
pub use records::{MAX_TRIGGER_RECORDS, ReceivedRequest, records};
pub use webhook::{
    Encoding, EventKey, HMAC_BODY, HMAC_TIMESTAMP, HeaderKey, HmacAlgorithm, HmacStyle, HookPath, SignedTime,
    TokenStyle, Verify, WebhookTrigger,
};

/// The name under which steps take the records that a trigger brings.
pub const TRIGGER_SOURCE: &str = "trigger";

/// What starts a run: at most one source. An empty trigger is a manual one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Times: a cron expression of five fields (minute, hour, day of month, month, day of week).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The IANA time zone of the schedule; UTC where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Days on which the schedule does not fire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except: Option<Except>,
    /// Hours of the week outside of which the schedule does not fire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// What happens with times of the schedule that passed while no server was there: one run for all of them
    /// (`once`, where absent), none (`skip`), or a run for each (`all`, the newest hundred).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<Missed>,
    /// What happens when the task is to begin while a run of it has not ended: nothing (`skip`, where absent), or
    /// the new run waits for its turn (`queue`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<WhileRunning>,
    /// The end of another task's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<After>,
    /// A request that a provider sends to `/hooks/PATH`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookTrigger>,
    /// A file that arrives in a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileTrigger>,
    /// A row that changes in a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseTrigger>,
}

/// Days on which a schedule does not fire.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Except {
    /// Dates such as `2026-12-25`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<String>,
    /// A calendar file: one date a line with comments after `#`, or iCalendar with all-day events. A path relative
    /// to the home folder, or absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// Hours of the week, by the clock of the schedule's time zone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// When it begins, for example `"08:00"`; `"00:00"` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// When it ends (that minute no longer belongs to it); `"24:00"` where absent. An end before the beginning is on
    /// the next day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The days on which it begins; every day where absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Day>,
}

/// What happens when a task is to begin while a run of it has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhileRunning {
    /// Nothing; that it was left out is kept and shown.
    #[default]
    Skip,
    /// The new run waits until the other has ended.
    Queue,
}

/// The end of another task's run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// The other task.
    pub task: Name,
    /// How its run has to end; `[succeeded]` where absent.
    #[serde(default = "succeeded", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub when: Vec<End>,
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Well; it may have rejected records.
    Succeeded,
    /// By an error of its own.
    Failed,
    /// By a person, or because a newer version took its place.
    Cancelled,
}

impl End {
    /// The state of a run that ended so.
    pub fn state(self) -> RunState {
        match self {
            Self::Succeeded => RunState::Succeeded,
            Self::Failed => RunState::Failed,
            Self::Cancelled => RunState::Cancelled,
        }
    }
}

fn succeeded() -> Vec<End> {
    vec![End::Succeeded]
}

/// What keeps a trigger's schedule from being used: where (below `/trigger`), what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerProblem {
    /// A JSON Pointer below `/trigger`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What is valid.
    pub hint: String,
}

fn problem(path: &str, message: impl Into<String>, hint: impl Into<String>) -> TriggerProblem {
    TriggerProblem {
        path: path.to_owned(),
        message: message.into(),
        hint: hint.into(),
    }
}

impl Trigger {
    /// Where its events come from; nothing where it brings none, as a schedule or a person.
    pub fn event_source(&self) -> Option<EventSource> {
        if self.webhook.is_some() {
            Some(EventSource::Webhook)
        } else if self.file.is_some() {
            Some(EventSource::File)
        } else if self.database.is_some() {
            Some(EventSource::Database)
        } else {
            None
        }
    }

    /// The schedule, with the days of its calendar file where that could be read; none without `schedule`.
    ///
    /// # Errors
    /// With every problem at once.
    pub fn to_schedule(
        &self,
        holidays: Option<&BTreeSet<Date>>,
    ) -> Result<Option<Schedule>, Vec<TriggerProblem>> {
        let Some(text) = &self.schedule else {
            return Ok(None);
        };
        let mut problems = Vec::new();
        let fields = Fields::parse(text)
            .map_err(|error| {
                problems.push(problem(
                    "/schedule",
                    format!("{text:?} is not a schedule: {}", error.message),
                    "Five fields: minute, hour, day of month, month, day of week; for example `*/5 * * * *`.",
                ));
            })
            .ok();
        let zone = self.zone().map_err(|found| problems.push(found)).ok();
        let dates = self.dates(&mut problems);
        let hours = self.hours(&mut problems);
        let (Some(fields), Some(zone), true) = (fields, zone, problems.is_empty()) else {
            return Err(problems);
        };
        let mut schedule = Schedule::new(fields, zone)
            .except(dates)
            .except(holidays.into_iter().flatten().copied());
        if let Some(hours) = hours {
            schedule = schedule.within(hours);
        }
        Ok(Some(schedule))
    }

    fn zone(&self) -> Result<TimeZone, TriggerProblem> {
        let Some(name) = &self.timezone else {
            return Ok(TimeZone::UTC);
        };
        TimeZone::get(name).map_err(|_| {
            let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
            problem(
                "/timezone",
                format!("there is no time zone {name:?}"),
                zone_hint(name, &known),
            )
        })
    }

    fn dates(&self, problems: &mut Vec<TriggerProblem>) -> Vec<Date> {
        let mut dates = Vec::new();
        let given = self.except.iter().flat_map(|except| &except.dates);
        for (index, text) in given.enumerate() {
            let is_plain = text.len() == 10;
            match text.parse::<Date>() {
                Ok(date) if is_plain => dates.push(date),
                _ => problems.push(problem(
                    &format!("/except/dates/{index}"),
                    format!("{text:?} is not a date"),
                    "Write for example 2026-12-25.",
                )),
            }
        }
        dates
    }

    fn hours(&self, problems: &mut Vec<TriggerProblem>) -> Option<Hours> {
        let window = self.window.as_ref()?;
        let from = window.from.as_deref().unwrap_or("00:00");
        let to = window.to.as_deref().unwrap_or("24:00");
        let begins = Hours::time(from);
        let ends = Hours::end(to);
        for (path, text, is_time) in [
            ("/window/from", from, begins.is_some()),
            ("/window/to", to, ends.is_ok()),
        ] {
            if !is_time {
                problems.push(problem(
                    path,
                    format!("{text:?} is not a time of the day"),
                    TIME_HINT,
                ));
            }
        }
        let hours = Hours::new(begins?, ends.ok()?, window.days.iter().copied());
        if hours.is_none() {
            problems.push(problem(
                "/window",
                "the window ends when it begins",
                "Leave `from` and `to` out for the whole day.",
            ));
        }
        hours
    }
}

/// What could be meant by the name of a time zone: where a place is known by its last part, that; else the nearest.
fn zone_hint(name: &str, known: &[String]) -> String {
    let place = name.rsplit('/').next().unwrap_or(name).replace(' ', "_");
    let same_place = known.iter().find(|zone| {
        zone.rsplit('/')
            .next()
            .is_some_and(|last| last.eq_ignore_ascii_case(&place))
    });
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let nearest = same_place.map(String::as_str).or_else(|| nearest(name, &known));
    match nearest {
        Some(zone) => format!("Did you mean `{zone}`?"),
        None => "Use a name of the IANA list, for example Europe/London, America/New_York or UTC.".to_owned(),
    }
}
