//! Checks of what starts a task.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::Checker;
use crate::schedule::calendar;
use crate::task::Trigger;

/// The instant from which a schedule's first time is looked for. Which one does not matter: what fires at all fires
/// within the horizon from anywhere.
const ANY_TIME: Timestamp = Timestamp::UNIX_EPOCH;

impl Checker<'_> {
    pub(super) fn trigger(&mut self, trigger: &Trigger) {
        self.sources(trigger);
        let holidays = self.holidays(trigger);
        match trigger.to_schedule(holidays.as_ref()) {
            Err(problems) => {
                for problem in problems {
                    self.error(
                        &format!("/trigger{}", problem.path),
                        problem.message,
                        problem.hint,
                    );
                }
            }
            Ok(Some(schedule)) if schedule.next_after(ANY_TIME).is_none() => {
                let bare = Trigger {
                    schedule: trigger.schedule.clone(),
                    ..Trigger::default()
                };
                let fires_bare = bare
                    .to_schedule(None)
                    .is_ok_and(|bare| bare.is_some_and(|bare| bare.next_after(ANY_TIME).is_some()));
                let hint = if fires_bare {
                    "`window` and `except` leave none of its times."
                } else {
                    "No day of the calendar fits; 30 February, for example, never comes."
                };
                self.error("/trigger/schedule", "a schedule that never fires", hint);
            }
            Ok(_) => {}
        }
    }

    /// At most one source, and nothing that belongs to a schedule without one.
    fn sources(&mut self, trigger: &Trigger) {
        if trigger.schedule.is_some() && trigger.after.is_some() {
            self.error(
                "/trigger/after",
                "a trigger has one source, and `schedule` is one",
                "Keep one of them, or make two tasks.",
            );
        }
        if trigger.schedule.is_some() {
            return;
        }
        for (name, is_there) in [
            ("timezone", trigger.timezone.is_some()),
            ("except", trigger.except.is_some()),
            ("window", trigger.window.is_some()),
            ("missed", trigger.missed.is_some()),
        ] {
            if is_there {
                self.error(
                    &format!("/trigger/{name}"),
                    format!("`{name}` belongs to a schedule, and there is none"),
                    "Add `schedule`, or remove it.",
                );
            }
        }
    }

    /// The days of the calendar file; none where there is no such file, or where it has problems.
    fn holidays(&mut self, trigger: &Trigger) -> Option<BTreeSet<Date>> {
        let file = trigger.except.as_ref()?.file.as_ref()?;
        // Without a home nobody knows where the file would lie.
        let text = match self.catalogue?.file(file) {
            Ok(text) => text,
            Err(why) => {
                self.error(
                    "/trigger/except/file",
                    format!("the calendar {file:?} cannot be read: {why}"),
                    "Give a path relative to the home folder, or an absolute one.",
                );
                return None;
            }
        };
        match calendar::read(&text) {
            Ok(days) => Some(days),
            Err(problems) => {
                for problem in problems {
                    self.error(
                        "/trigger/except/file",
                        format!("{file}:{}: {}", problem.line, problem.message),
                        "A calendar has one date a line with comments after `#`, or is iCalendar with all-day events.",
                    );
                }
                None
            }
        }
    }
}
