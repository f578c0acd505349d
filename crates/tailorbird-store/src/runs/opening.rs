//! Opens runs, and tells which runs somebody has to drive now.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};
use tailorbird_model::Name;
use tailorbird_model::run::{Counts, Run, RunId, RunInput, RunState};

use super::{MAX_RUN_PAGE, RunRequest, run};
use crate::codec::{from_json, micros, to_json};
use crate::writer::Writing;
use crate::{Store, StoreError, entropy};

/// Which runs only wait for people to release records (see [`Store::waits_for_release`]), as SQL over `run`. A run that
/// waits for one that it called has the same failure, and awaits no signal itself.
pub(crate) const WAITS_FOR_RELEASE: &str =
    "run.state = 'waiting' AND json_extract(run.failure, '$.code') = 'APPR-003'
    AND EXISTS (SELECT 1 FROM run_await a WHERE a.run = run.id AND a.name = 'decided')
    AND NOT EXISTS (SELECT 1 FROM run_input i WHERE i.run = run.id
                    AND (i.parent IS NOT NULL OR i.variables <> '{}' OR i.data <> 'null'))";

impl Store {
    /// Makes a name for a run that is opened now: `run-20261123-164201-7f3a9c`. Names sort by time.
    ///
    /// # Errors
    /// Where the operating system gives no randomness.
    pub fn new_run_id(&self) -> Result<RunId, StoreError> {
        let time = (self.clock())().strftime("%Y%m%d-%H%M%S").to_string();
        Ok(RunId(format!(
            "run-{time}-{}",
            entropy::hex(&entropy::bytes::<3>()?)
        )))
    }

    /// Opens a run of a task's version, in the given state (running, or queued for another process).
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn open_run(&self, task: &Name, version: i64, state: RunState) -> Result<Run, StoreError> {
        self.open_run_with(task, version, state, RunInput::manual()).await
    }

    /// Opens a run with what it works on. Where the input names an occasion that has a run already, that run is
    /// returned and nothing is opened: telling an occasion twice is harmless.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn open_run_with(
        &self,
        task: &Name,
        version: i64,
        state: RunState,
        input: RunInput,
    ) -> Result<Run, StoreError> {
        let (id, task) = (self.new_run_id()?, task.clone());
        self.write(move |writing| {
            writing.at("run.opened");
            if let Some(known) = run_of_occasion(writing.connection, &task, input.occasion.as_deref())? {
                return Ok(known);
            }
            insert(writing, id, task, version, state, &input)
        })
        .await
    }

    /// What a run was opened with.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn run_input(&self, id: &RunId) -> Result<RunInput, StoreError> {
        self.read(|db| {
            db.prepare_cached("SELECT * FROM run_input WHERE run = ?1")?
                .query_row([&id.0], |row| Ok(input(row)))
                .optional()?
                .unwrap_or_else(|| Ok(RunInput::manual()))
        })
    }

    /// The runs that somebody has to do something about now, the oldest first: queued ones, those that were
    /// being driven, those whose time of waiting is over
    /// (or whose clock went back since), those that were sent the signal they wait for, and those of which something is requested.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn runs_to_take_up(&self, now: Timestamp) -> Result<Vec<(Run, Option<RunRequest>)>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT * FROM run
                 WHERE state NOT IN ('succeeded', 'failed', 'cancelled')
                   -- A called run is driven by the run that called it.
                   AND NOT EXISTS (SELECT 1 FROM run_input i JOIN run p ON p.id = i.parent
                                   WHERE i.run = run.id AND p.state NOT IN ('succeeded', 'failed', 'cancelled'))
                   AND (state IN ('queued', 'running') OR request IS NOT NULL
                        OR (state = 'waiting' AND (resume_at IS NULL OR resume_at <= ?1 OR updated_at > ?1
                                                  OR id IN (SELECT s.run FROM run_signal s JOIN run_await a
                                                            ON a.run = s.run AND a.name = s.name))))
                 ORDER BY started_at, id LIMIT ?2",
            )?;
            let mut rows = statement.query((now.as_microsecond(), MAX_RUN_PAGE))?;
            let mut runs = Vec::new();
            while let Some(row) = rows.next()? {
                let request: Option<String> = row.get("request")?;
                runs.push((run(row)?, request.as_deref().and_then(RunRequest::of)));
            }
            Ok(runs)
        })
    }

    /// Runs of a task that have not ended, the oldest first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn unfinished_runs(&self, task: &Name) -> Result<Vec<Run>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT * FROM run WHERE task = ?1 AND state NOT IN ('succeeded', 'failed', 'cancelled')
                 ORDER BY started_at, id LIMIT ?2",
            )?;
            let mut rows = statement.query((task.as_str(), MAX_RUN_PAGE))?;
            let mut runs = Vec::new();
            while let Some(row) = rows.next()? {
                runs.push(run(row)?);
            }
            Ok(runs)
        })
    }

    /// Tells whether a run has done all its work and only waits for people to release records, so that another run of
    /// its task may take its place: what it asked belongs to the task, and whoever is next goes on with it. One that
    /// works on something of its own stays.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn waits_for_release(&self, run: &RunId) -> Result<bool, StoreError> {
        self.read(|db| {
            Ok(db
                .prepare_cached(&format!(
                    "SELECT EXISTS (SELECT 1 FROM run WHERE id = ?1 AND {WAITS_FOR_RELEASE})"
                ))?
                .query_row([&run.0], |row| row.get(0))?)
        })
    }

    /// The time by the clock of this store.
    pub fn now(&self) -> Timestamp {
        (self.clock())()
    }
}

/// Opens a run inside the caller's transaction.
pub(crate) fn insert(
    writing: &Writing<'_>,
    id: RunId,
    task: Name,
    version: i64,
    state: RunState,
    input: &RunInput,
) -> Result<Run, StoreError> {
    let run = Run {
        id,
        task,
        task_version: version,
        state,
        counts: Counts::default(),
        started_at: writing.now,
        updated_at: writing.now,
        ended_at: state.is_final().then_some(writing.now),
        failure: None,
        resume_at: None,
    };
    writing.connection.execute(
        "INSERT INTO run (id, task, task_version, state, counts, started_at, updated_at, ended_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)",
        (
            &run.id.0,
            run.task.as_str(),
            run.task_version,
            run.state.as_str(),
            to_json("counts", &run.counts)?,
            writing.now.as_microsecond(),
            micros(run.ended_at),
        ),
    )?;
    writing.connection.execute(
        "INSERT INTO run_input (run, task, cause, occasion, parent, variables, data)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            &run.id.0,
            run.task.as_str(),
            &input.cause,
            &input.occasion,
            input.parent.as_ref().map(|parent| &parent.0),
            to_json("variables", &input.variables)?,
            to_json("data", &input.data)?,
        ),
    )?;
    Ok(run)
}

pub(crate) fn run_of_occasion(
    db: &Connection,
    task: &Name,
    occasion: Option<&str>,
) -> Result<Option<Run>, StoreError> {
    let Some(occasion) = occasion else { return Ok(None) };
    db.prepare_cached(
        "SELECT run.* FROM run_input JOIN run ON run.id = run_input.run
         WHERE run_input.task = ?1 AND run_input.occasion = ?2",
    )?
    .query_row((task.as_str(), occasion), |row| Ok(run(row)))
    .optional()?
    .transpose()
}

fn input(row: &Row<'_>) -> Result<RunInput, StoreError> {
    let variables: String = row.get("variables")?;
    let data: String = row.get("data")?;
    Ok(RunInput {
        cause: row.get("cause")?,
        occasion: row.get("occasion")?,
        parent: row.get::<_, Option<String>>("parent")?.map(RunId),
        variables: from_json("variables", &variables)?,
        data: from_json("data", &data)?,
    })
}
