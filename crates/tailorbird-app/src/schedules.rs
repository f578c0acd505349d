//! Schedules of tasks: their calendars, and when they fire next.

use std::collections::BTreeSet;
use std::io::Read as _;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use tailorbird_model::run::RunId;
use tailorbird_model::schedule::{Schedule, calendar};
use tailorbird_model::task::Trigger;
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::Firing;

use crate::{App, AppError};

/// How many coming times are told.
const NEXT_TIMES: usize = 3;

/// How many past occasions are told.
const LAST_FIRINGS: u32 = 5;

/// What became of an occasion on which a task was to begin.
#[derive(Debug, Clone, Serialize)]
pub struct FiringView {
    /// When it was due.
    pub due_at: Timestamp,
    /// `fired`; `overlapped`: left out, because a run had not ended; or `missed`.
    pub verdict: &'static str,
    /// The run that it opened, or that was in its way.
    pub run: Option<RunId>,
    /// When that was decided.
    pub decided_at: Timestamp,
}

impl App {
    /// The text of a calendar file, by its path from the home folder; an error in words.
    pub(crate) fn calendar(&self, path: &str) -> Result<String, String> {
        let limit = u64::try_from(calendar::MAX_BYTES).unwrap_or(u64::MAX);
        let path = self.home.join(path);
        let is_file = std::fs::metadata(&path).map(|metadata| metadata.is_file());
        // A pipe or a device would be read for ever.
        if !is_file.map_err(|error| error.to_string())? {
            return Err("it is not a file".to_owned());
        }
        let mut text = String::new();
        std::fs::File::open(&path)
            .and_then(|file| file.take(limit.saturating_add(1)).read_to_string(&mut text))
            .map_err(|error| error.to_string())?;
        Ok(text)
    }

    /// The days that a trigger's calendar file names.
    fn holidays(&self, trigger: &Trigger) -> Result<Option<BTreeSet<Date>>, Failure> {
        let Some(file) = trigger.except.as_ref().and_then(|except| except.file.as_ref()) else {
            return Ok(None);
        };
        let failure = |why: String| {
            Failure::new(
                codes::FILE_UNREADABLE,
                Meaning::NotSent,
                format!("the calendar {file:?} cannot be used: {why}"),
            )
            .detail("Without it nobody knows on which days the schedule must not fire, so it does not fire at all.")
            .hint("Put the file right. What was due meanwhile is treated as `missed:` says.")
        };
        let text = self.calendar(file).map_err(failure)?;
        let days = calendar::read(&text).map_err(|problems| {
            let first = problems.first();
            let (line, why) = first.map_or((0, ""), |problem| (problem.line, problem.message.as_str()));
            failure(format!("line {line}: {why}"))
        })?;
        Ok(Some(days))
    }

    /// A trigger's schedule, with its calendar; none where it has no schedule.
    pub(crate) fn schedule_of(&self, trigger: &Trigger) -> Result<Option<Schedule>, Failure> {
        if trigger.schedule.is_none() {
            return Ok(None);
        }
        let holidays = self.holidays(trigger)?;
        trigger.to_schedule(holidays.as_ref()).map_err(|problems| {
            let first = problems.into_iter().next();
            let (message, hint) = first.map(|p| (p.message, p.hint)).unwrap_or_default();
            Failure::new(codes::TASK_FILE, Meaning::NotSent, message).hint(hint)
        })
    }

    /// What became of the newest occasions on which a task was to begin, the newest first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn firings(&self, task: &Name) -> Result<Vec<FiringView>, AppError> {
        let firings = self.store.firings(task, LAST_FIRINGS)?;
        let view = |firing: Firing| FiringView {
            due_at: firing.due_at,
            verdict: firing.verdict.as_str(),
            run: firing.verdict.run().cloned(),
            decided_at: firing.decided_at,
        };
        Ok(firings.into_iter().map(view).collect())
    }

    /// The next times at which a trigger fires; none where it has no schedule.
    pub(crate) fn next_times(&self, trigger: &Trigger, now: Timestamp) -> Result<Vec<Timestamp>, Failure> {
        let schedule = self.schedule_of(trigger)?;
        Ok(schedule
            .map(|schedule| schedule.next_times(now, NEXT_TIMES))
            .unwrap_or_default())
    }
}
