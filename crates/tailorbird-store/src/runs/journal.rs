//! The journal of a run: what it has done since its last checkpoint, its timers, and the signals sent to it.
//!
//! Invariant: the result of an effect, the counts and cursors that it moved, and the checkpoint before it are one
//! commit. So a run that was killed anywhere answers from here what it had done, and repeats at most one effect.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use tailorbird_model::run::{Counts, Run, RunId};

use super::{RunChange, StepProgress, StepState, change};
use crate::codec::{from_json, time, to_json};
use crate::writer::Writing;
use crate::{Store, StoreError};

/// How many entries a run may hold between two checkpoints; a run makes a checkpoint after nearly every one.
pub const MAX_JOURNAL: u32 = 10_000;

/// The signal that a person has decided about records of a run.
pub const DECIDED: &str = "decided";

/// How many signals may wait for one run.
pub const MAX_SIGNALS: u32 = 1_000;

/// Where the counts stand of a run that was begun anew; no step has this path.
const BEFORE: &str = "/";

/// One thing that a run has done, or waits for.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalEntry {
    /// Where in the task; it names a place and is the same whenever the run comes by.
    pub path: String,
    /// What came of it; the engine's own form.
    pub result: serde_json::Value,
    /// When it was written.
    pub at: Timestamp,
}

/// All that a run knows of itself when it is taken up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Journal {
    /// The place of the last checkpoint; the engine's own form. Absent before the first.
    pub position: Option<serde_json::Value>,
    /// What was done since.
    pub entries: Vec<JournalEntry>,
    /// How far the steps have come.
    pub steps: Vec<StepProgress>,
}

/// What is written in one commit.
#[derive(Debug, Clone, Default)]
pub struct JournalChange {
    /// A new checkpoint. All entries before it go.
    pub position: Option<serde_json::Value>,
    /// A new entry, or another result at its path. It is written after the checkpoint, and stays.
    pub entry: Option<(String, serde_json::Value)>,
    /// Takes this signal, so that it is taken once.
    pub taken: Option<i64>,
    /// What changes of the run besides.
    pub run: RunChange,
}

impl JournalChange {
    /// Says which transitions it is, for tests that end the program there.
    fn marks(&self, writing: &mut Writing<'_>) {
        writing.at("journal.kept");
        writing.at(match (&self.entry, &self.position) {
            (None, None) => "journal.put_off",
            (_, None) => "journal.entry",
            _ => "journal.checkpoint",
        });
        if !self.run.cursors.is_empty() {
            writing.at("journal.cursor");
        }
        if self.taken.is_some() {
            writing.at("signal.taken");
        }
    }
}

/// A signal that nobody has taken yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Its number.
    pub id: i64,
    /// What was sent along.
    pub value: serde_json::Value,
}

impl Store {
    /// What a run knows of itself.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn journal(&self, run: &RunId) -> Result<Journal, StoreError> {
        let steps = self.run_steps(run)?;
        self.read(|db| {
            let position: Option<String> = db
                .prepare_cached("SELECT position FROM run_checkpoint WHERE run = ?1")?
                .query_row([&run.0], |row| row.get(0))
                .optional()?;
            let mut statement = db.prepare_cached(
                "SELECT path, result, at FROM run_journal WHERE run = ?1 ORDER BY at, path LIMIT ?2",
            )?;
            let mut rows = statement.query((&run.0, MAX_JOURNAL))?;
            let mut entries = Vec::new();
            while let Some(row) = rows.next()? {
                let result: String = row.get("result")?;
                entries.push(JournalEntry {
                    path: row.get("path")?,
                    result: from_json("result", &result)?,
                    at: time(row, "at")?,
                });
            }
            Ok(Journal {
                position: position.map(|text| from_json("position", &text)).transpose()?,
                entries,
                steps,
            })
        })
    }

    /// Writes an entry, the checkpoint before it and what the run gained, in one commit.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] where there is no such run.
    pub async fn keep(&self, run: &RunId, kept: JournalChange) -> Result<Run, StoreError> {
        let run = run.clone();
        self.write(move |writing| {
            kept.marks(writing);
            let (db, now) = (writing.connection, writing.now);
            if let Some(position) = &kept.position {
                db.prepare_cached("DELETE FROM run_journal WHERE run = ?1")?
                    .execute([&run.0])?;
                db.prepare_cached(
                    "INSERT INTO run_checkpoint (run, position, at) VALUES (?1, ?2, ?3)
                     ON CONFLICT (run) DO UPDATE SET position = excluded.position, at = excluded.at",
                )?
                .execute((&run.0, to_json("position", position)?, now.as_microsecond()))?;
            }
            if let Some((path, result)) = &kept.entry {
                db.prepare_cached(
                    "INSERT INTO run_journal (run, path, result, at) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (run, path) DO UPDATE SET result = excluded.result, at = excluded.at",
                )?
                .execute((
                    &run.0,
                    path,
                    to_json("result", result)?,
                    now.as_microsecond(),
                ))?;
            }
            // Whatever it waited for: it is past that.
            db.prepare_cached("DELETE FROM run_await WHERE run = ?1")?
                .execute([&run.0])?;
            if let Some(signal) = kept.taken {
                db.prepare_cached("DELETE FROM run_signal WHERE id = ?1 AND run = ?2")?
                    .execute((signal, &run.0))?;
            }
            change(db, &run, kept.run, now)
        })
        .await
    }

    /// Lets a run begin at its first step again, with what it counted so far.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn begin_anew(&self, run: &RunId, counts: Counts) -> Result<(), StoreError> {
        let run = run.clone();
        self.write(move |writing| {
            writing.at("run.anew");
            let db = writing.connection;
            for table in ["run_journal", "run_checkpoint", "run_step"] {
                db.prepare_cached(&format!("DELETE FROM {table} WHERE run = ?1"))?
                    .execute([&run.0])?;
            }
            let mut before = StepProgress::new(BEFORE);
            before.state = StepState::Done;
            before.counts = counts;
            super::save_step(db, &run, &before, writing.now)
        })
        .await
    }

    /// Tells whether a run was begun at its first step again.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn is_begun_anew(&self, run: &RunId) -> Result<bool, StoreError> {
        Ok(self.run_steps(run)?.iter().any(|step| step.path == BEFORE))
    }

    /// Notes which signal a run waits for while it is parked: that one wakes it.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn await_signal(&self, run: &RunId, name: &str) -> Result<(), StoreError> {
        let (run, name) = (run.clone(), name.to_owned());
        self.write(move |writing| {
            writing.at("signal.awaited");
            writing
                .connection
                .prepare_cached(
                    "INSERT INTO run_await (run, name) VALUES (?1, ?2)
                     ON CONFLICT (run) DO UPDATE SET name = excluded.name",
                )?
                .execute((&run.0, &name))?;
            Ok(())
        })
        .await
    }

    /// Sends a signal to a run, from any process. It is kept until the run takes it.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] where there is no such run, [`StoreError::TooMany`] where too many wait for it.
    pub async fn signal_run(
        &self,
        run: &RunId,
        name: &str,
        value: serde_json::Value,
    ) -> Result<(), StoreError> {
        let (run, name) = (run.clone(), name.to_owned());
        self.write(move |writing| {
            writing.at("signal.sent");
            let db = writing.connection;
            super::run_of(db, &run)?.ok_or_else(|| super::unknown(&run))?;
            let waiting: u32 = db
                .prepare_cached("SELECT count(*) FROM run_signal WHERE run = ?1")?
                .query_row([&run.0], |row| row.get(0))?;
            if waiting >= MAX_SIGNALS {
                return Err(StoreError::TooMany {
                    what: "signals",
                    given: usize::try_from(waiting).unwrap_or(usize::MAX),
                    limit: usize::try_from(MAX_SIGNALS).unwrap_or(usize::MAX),
                });
            }
            db.prepare_cached("INSERT INTO run_signal (run, name, value, at) VALUES (?1, ?2, ?3, ?4)")?
                .execute((
                    &run.0,
                    &name,
                    to_json("signal", &value)?,
                    writing.now.as_microsecond(),
                ))?;
            Ok(())
        })
        .await
    }

    /// The oldest signal of a name that waits for a run.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn waiting_signal(&self, run: &RunId, name: &str) -> Result<Option<Signal>, StoreError> {
        self.read(|db| signal(db, run, name))
    }
}

/// Sends a signal that says nothing but that there is something to look at: one that waits already is enough. A run that
/// has ended needs none.
pub(crate) fn nudge(writing: &Writing<'_>, run: &RunId, name: &str) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached(
            "INSERT INTO run_signal (run, name, value, at)
             SELECT id, ?2, 'null', ?3 FROM run
             WHERE id = ?1 AND state NOT IN ('succeeded', 'failed', 'cancelled')
               AND NOT EXISTS (SELECT 1 FROM run_signal WHERE run = ?1 AND name = ?2)",
        )?
        .execute((&run.0, name, writing.now.as_microsecond()))?;
    Ok(())
}

fn signal(db: &Connection, run: &RunId, name: &str) -> Result<Option<Signal>, StoreError> {
    let found: Option<(i64, String)> = db
        .prepare_cached("SELECT id, value FROM run_signal WHERE run = ?1 AND name = ?2 ORDER BY id LIMIT 1")?
        .query_row((&run.0, name), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found
        .map(|(id, value)| {
            let value = from_json("signal", &value)?;
            Ok(Signal { id, value })
        })
        .transpose()
}

/// Lets go of the journal of a run that has ended.
pub(super) fn close(db: &Connection, run: &RunId) -> Result<(), StoreError> {
    for table in ["run_journal", "run_checkpoint", "run_signal", "run_await"] {
        db.prepare_cached(&format!("DELETE FROM {table} WHERE run = ?1"))?
            .execute([&run.0])?;
    }
    Ok(())
}
