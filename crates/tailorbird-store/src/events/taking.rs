//! Giving events to runs.

use serde_json::json;
use tailorbird_model::Name;
use tailorbird_model::event::{EventId, EventSource, TriggerEvent};
use tailorbird_model::run::{Run, RunId, RunInput, RunState};

use super::{MAX_EVENT_PAGE, event, events, identity};
use crate::codec::from_micros;
use crate::runs::opening;
use crate::{Store, StoreError};

impl Store {
    /// Opens a run of a task for the oldest events that wait for it: at most `limit`, all of one source. The
    /// events are the run's in the commit that opens it. Without waiting events nothing is opened.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn open_run_for_events(
        &self,
        task: &Name,
        version: i64,
        state: RunState,
        limit: u32,
    ) -> Result<Option<(Run, u32)>, StoreError> {
        let (id, task) = (self.new_run_id()?, task.clone());
        self.write(move |writing| {
            let db = writing.connection;
            let taken = db
                .prepare_cached(
                    "UPDATE trigger_event SET state = 'taken', run = ?2
                     WHERE id IN (
                         SELECT id FROM trigger_event WHERE task = ?1 AND state = 'new' AND source = (
                             SELECT source FROM trigger_event WHERE task = ?1 AND state = 'new' ORDER BY id LIMIT 1)
                         ORDER BY id LIMIT ?3)",
                )?
                .execute((task.as_str(), &id.0, limit))?;
            if taken == 0 {
                return Ok(None);
            }
            let (source, first, received_at) = db
                .prepare_cached(
                    "SELECT source, min(id), received_at FROM trigger_event WHERE run = ?1",
                )?
                .query_row([&id.0], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
                })?;
            let input = RunInput {
                data: json!({
                    "events": taken,
                    "first_event": first,
                    "received_at": from_micros(received_at)?,
                }),
                ..RunInput::of(&source)
            };
            let run = opening::insert(writing, id, task, version, state, &input)?;
            Ok(Some((run, u32::try_from(taken).unwrap_or(u32::MAX))))
        })
        .await
    }

    /// Gives the events of a run that ended to another one, which works on them once more. The ledger knows
    /// what was sent for them already.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn hand_events_over(&self, from: &RunId, to: &RunId) -> Result<u32, StoreError> {
        let (from, to) = (from.clone(), to.clone());
        self.write(move |writing| {
            let moved = writing.connection.execute(
                "UPDATE trigger_event SET run = ?2, state = 'taken', done_at = NULL
                 WHERE run = ?1 AND payload IS NOT NULL",
                (&from.0, &to.0),
            )?;
            Ok(u32::try_from(moved).unwrap_or(u32::MAX))
        })
        .await
    }

    /// Marks the events of ended runs as done, apart from files: those are done once they were moved.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn close_events(&self) -> Result<usize, StoreError> {
        let due = self.read(|db| {
            Ok(db
                .prepare_cached(
                    "SELECT 1 FROM trigger_event e LEFT JOIN run r ON r.id = e.run
                     WHERE e.state = 'taken' AND e.source IN ('webhook', 'database')
                       AND (r.id IS NULL OR r.state IN ('succeeded', 'failed', 'cancelled')) LIMIT 1",
                )?
                .exists([])?)
        })?;
        if !due {
            return Ok(0);
        }
        self.write(|writing| {
            Ok(writing
                .connection
                .prepare_cached(
                    "UPDATE trigger_event SET state = 'done', done_at = ?1
                     WHERE state = 'taken' AND source IN ('webhook', 'database')
                       AND NOT EXISTS (SELECT 1 FROM run r WHERE r.id = trigger_event.run
                                       AND r.state NOT IN ('succeeded', 'failed', 'cancelled'))",
                )?
                .execute([writing.now.as_microsecond()])?)
        })
        .await
    }

    /// Files whose runs have ended and that were not moved yet, each with how its run ended (nothing where the
    /// run is gone).
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn files_to_move(&self, task: &Name) -> Result<Vec<(TriggerEvent, Option<RunState>)>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT e.*, r.state AS run_state FROM trigger_event e LEFT JOIN run r ON r.id = e.run
                 WHERE e.state = 'taken' AND e.source = 'file' AND e.task = ?1
                   AND (r.id IS NULL OR r.state IN ('succeeded', 'failed', 'cancelled'))
                 ORDER BY e.id LIMIT ?2",
            )?;
            let mut rows = statement.query((task.as_str(), MAX_EVENT_PAGE))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let state: Option<String> = row.get("run_state")?;
                let state = state
                    .map(|state| crate::codec::parse("run state", &state))
                    .transpose()?;
                found.push((event(row)?, state));
            }
            Ok(found)
        })
    }

    /// Marks files as done: they were moved away. Their identities are given up with them, so that a person
    /// who puts one back into the folder has it worked on again.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn finish_files(&self, ids: Vec<EventId>) -> Result<(), StoreError> {
        self.write(move |writing| {
            let mut statement = writing.connection.prepare_cached(
                "UPDATE trigger_event SET state = 'done', done_at = ?2, identity = ?3
                 WHERE id = ?1 AND state = 'taken' AND source = 'file'",
            )?;
            for id in &ids {
                let moved = identity(EventSource::File, &format!("moved {id}"));
                statement.execute((id.0, writing.now.as_microsecond(), moved))?;
            }
            Ok(())
        })
        .await
    }

    /// The newest events of a task, the newest first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn newest_events(&self, task: &Name, limit: u32) -> Result<Vec<TriggerEvent>, StoreError> {
        self.read(|db| {
            events(
                db,
                "SELECT * FROM trigger_event WHERE task = ?1 ORDER BY id DESC LIMIT ?2",
                (task.as_str(), limit.min(MAX_EVENT_PAGE)),
            )
        })
    }

    /// Whether a run was opened by events, and of which source.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn run_event_source(&self, run: &RunId) -> Result<Option<EventSource>, StoreError> {
        Ok(self.run_events(run, None, 1)?.first().map(|event| event.source))
    }
}
