//! Giving events to runs.

use std::sync::Arc;

use rusqlite::Connection;
use serde_json::json;
use tailorbird_model::Name;
use tailorbird_model::event::{EventId, EventSource, TriggerEvent};
use tailorbird_model::run::{Run, RunId, RunInput, RunState};

use super::{MAX_EVENT_PAGE, event, events, identity};
use crate::codec::from_micros;
use crate::runs::opening;
use crate::{Store, StoreError, secrets};

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
            writing.at("event.taken");
            let input = input_of(db, &id, None)?;
            let run = opening::insert(writing, id, task, version, state, &input)?;
            Ok(Some((run, u32::try_from(taken).unwrap_or(u32::MAX))))
        })
        .await
    }

    /// Carries what a trigger received, and its secret, over to the new name of its task.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn adopt_events(&self, before: &Name, after: &Name) -> Result<(), StoreError> {
        let (before, after) = (before.clone(), after.clone());
        let (home, key) = (self.home().clone(), Arc::clone(self.key()));
        self.write(move |writing| {
            let db = writing.connection;
            // One that both names have received stays where it is.
            db.execute(
                "UPDATE OR IGNORE trigger_event SET task = ?2 WHERE task = ?1",
                (before.as_str(), after.as_str()),
            )?;
            db.execute(
                "UPDATE OR IGNORE trigger_state SET task = ?2 WHERE task = ?1",
                (before.as_str(), after.as_str()),
            )?;
            Self::with_key(db, &home, &key, |key| {
                secrets::adopt_task_secret(db, key, &before, &after, writing.now)
            })
        })
        .await
    }

    /// Opens a run that works once more on the events of one that ended; nothing where that had none, or only
    /// files, which were moved away. The ledger knows what was sent for them already.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn open_run_again(
        &self,
        from: &Run,
        version: i64,
        state: RunState,
    ) -> Result<Option<Run>, StoreError> {
        let (id, task, from) = (self.new_run_id()?, from.task.clone(), from.id.clone());
        self.write(move |writing| {
            let db = writing.connection;
            let moved = db.execute(
                "UPDATE trigger_event SET run = ?2, state = 'taken', done_at = NULL
                 WHERE run = ?1 AND payload IS NOT NULL AND source IN ('webhook', 'database')",
                (&from.0, &id.0),
            )?;
            if moved == 0 {
                return Ok(None);
            }
            let input = input_of(db, &id, Some(&from))?;
            Ok(Some(opening::insert(writing, id, task, version, state, &input)?))
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
            writing.at("event.closed");
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
            writing.at("file.finished");
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

    /// Events of a task to look at without taking them: the oldest that wait, or where none does the newest whose
    /// contents are kept.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn events_to_rehearse(&self, task: &Name, limit: u32) -> Result<Vec<TriggerEvent>, StoreError> {
        let limit = limit.min(MAX_EVENT_PAGE);
        self.read(|db| {
            let sql = "SELECT * FROM trigger_event WHERE task = ?1 AND state = 'new' ORDER BY id LIMIT ?2";
            let waiting = events(db, sql, (task.as_str(), limit))?;
            if !waiting.is_empty() {
                return Ok(waiting);
            }
            let sql = "SELECT * FROM trigger_event WHERE task = ?1 AND payload IS NOT NULL
                       ORDER BY id DESC LIMIT ?2";
            events(db, sql, (task.as_str(), limit))
        })
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

/// What a run is opened with: a small reference to its events.
fn input_of(db: &Connection, id: &RunId, again_for: Option<&RunId>) -> Result<RunInput, StoreError> {
    let (source, first, count, received_at) = db
        .prepare_cached("SELECT source, min(id), count(*), received_at FROM trigger_event WHERE run = ?1")?
        .query_row([&id.0], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, i64>(2)?,
                row.get::<_, i64>(3)?,
            ))
        })?;
    let mut data = json!({
        "events": count,
        "first_event": first,
        "received_at": from_micros(received_at)?,
    });
    if let (Some(from), Some(members)) = (again_for, data.as_object_mut()) {
        members.insert("again_for".to_owned(), from.0.as_str().into());
    }
    Ok(RunInput {
        data,
        ..RunInput::of(&source)
    })
}
