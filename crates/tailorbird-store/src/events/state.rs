//! What a person wants to know of a task's trigger: what came last, what was refused, what is wrong.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use serde::Serialize;
use tailorbird_model::{Failure, Name};

use crate::codec::{from_optional_json, optional_time, to_json, whole};
use crate::{Store, StoreError};

/// How a task's trigger stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TriggerState {
    /// Events received since the task was taken in.
    pub events: u64,
    /// What people call the last one.
    pub last_event: Option<String>,
    /// When it was received.
    pub last_event_at: Option<Timestamp>,
    /// Events that were refused.
    pub refusals: u64,
    /// Why the last one was.
    pub last_refusal: Option<Failure>,
    /// When that was.
    pub last_refusal_at: Option<Timestamp>,
    /// Why it cannot look for events at present.
    pub problem: Option<Failure>,
    /// Since when.
    pub problem_at: Option<Timestamp>,
}

impl Store {
    /// How a task's trigger stands.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn trigger_state(&self, task: &Name) -> Result<TriggerState, StoreError> {
        self.read(|db| {
            let state = db
                .prepare_cached("SELECT * FROM trigger_state WHERE task = ?1")?
                .query_row([task.as_str()], |row| {
                    Ok((|| {
                        Ok(TriggerState {
                            events: whole(row, "events")?,
                            last_event: row.get("last_event")?,
                            last_event_at: optional_time(row, "last_event_at")?,
                            refusals: whole(row, "refusals")?,
                            last_refusal: from_optional_json("refusal", row.get("last_refusal")?)?,
                            last_refusal_at: optional_time(row, "last_refusal_at")?,
                            problem: from_optional_json("problem", row.get("problem")?)?,
                            problem_at: optional_time(row, "problem_at")?,
                        })
                    })())
                })
                .optional()?
                .transpose();
            state.map(Option::unwrap_or_default)
        })
    }

    /// Notes that events of a task were refused, and why the last one was. Some time later, since a refusal
    /// must cost its sender more than us.
    pub fn note_refusals(&self, task: &Name, count: u32, why: Failure) {
        let task = task.clone();
        self.write_later(move |writing| {
            writing
                .connection
                .prepare_cached(
                    "INSERT INTO trigger_state (task, refusals, last_refusal, last_refusal_at) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (task) DO UPDATE SET refusals = refusals + excluded.refusals,
                         last_refusal = excluded.last_refusal, last_refusal_at = excluded.last_refusal_at",
                )?
                .execute((
                    task.as_str(),
                    count,
                    to_json("refusal", &why)?,
                    writing.now.as_microsecond(),
                ))?;
            Ok(())
        });
    }

    /// Notes why a task's trigger cannot look for events, or that it can again. The time is that of the first
    /// note of the same problem.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn note_trigger_problem(
        &self,
        task: &Name,
        problem: Option<Failure>,
    ) -> Result<(), StoreError> {
        let known = self.trigger_state(task)?.problem;
        if known == problem {
            return Ok(());
        }
        let task = task.clone();
        self.write(move |writing| {
            let at = problem.as_ref().map(|_| writing.now.as_microsecond());
            let problem = problem
                .map(|problem| to_json("problem", &problem))
                .transpose()?;
            writing.connection.execute(
                "INSERT INTO trigger_state (task, problem, problem_at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (task) DO UPDATE SET problem = excluded.problem, problem_at = excluded.problem_at",
                (task.as_str(), problem, at),
            )?;
            Ok(())
        })
        .await
    }
}

/// Notes that an event was received, inside the caller's transaction.
pub(super) fn note_event(
    db: &Connection,
    task: &Name,
    label: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO trigger_state (task, events, last_event, last_event_at) VALUES (?1, 1, ?2, ?3)
         ON CONFLICT (task) DO UPDATE SET events = events + 1, last_event = excluded.last_event,
             last_event_at = excluded.last_event_at",
    )?
    .execute((task.as_str(), label, now.as_microsecond()))?;
    Ok(())
}
