//! Runs and how far their steps have come, so that a run that was killed anywhere goes on.

pub(crate) mod journal;
pub(crate) mod opening;

pub use journal::{DECIDED, Journal, JournalChange, JournalEntry, MAX_JOURNAL, MAX_SIGNALS, Signal};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};
use tailorbird_model::run::{Counts, Run, RunId, RunState};
use tailorbird_model::{Failure, Name};

use crate::codec::{
    count, from_json, from_optional_json, micros, optional_time, parse, time, to_json, whole,
};
use crate::error::Kind;
use crate::{Store, StoreError, cursors};

/// How many runs one page of a list may hold.
pub const MAX_RUN_PAGE: u32 = 1000;

/// What a person asks of a run from outside its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunRequest {
    /// End it after what is on its way.
    Cancel,
    /// Hold it.
    Pause,
    /// Let it go on.
    Resume,
}

impl RunRequest {
    const ALL: [Self; 3] = [Self::Cancel, Self::Pause, Self::Resume];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|request| request.as_str() == word)
    }
}

/// Where a step of a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Begun, or between two chunks.
    Running,
    /// Ended well.
    Done,
    /// Ended by an error.
    Failed,
}

impl StepState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// How far a step of a run has come.
#[derive(Debug, Clone, PartialEq)]
pub struct StepProgress {
    /// The step's path in the task; it names and never counts.
    pub path: String,
    /// Where it stands.
    pub state: StepState,
    /// Chunks that are complete.
    pub chunk: u64,
    /// What the next chunk begins with; the engine's own form.
    pub cursor: Option<serde_json::Value>,
    /// What the step did.
    pub counts: Counts,
    /// Tries of the current chunk, from 0 on.
    pub attempt: u32,
    /// Not to be tried again before this time.
    pub not_before: Option<Timestamp>,
    /// Why it failed or waits.
    pub failure: Option<Failure>,
}

impl StepProgress {
    /// A step at its beginning.
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            state: StepState::Running,
            chunk: 0,
            cursor: None,
            counts: Counts::default(),
            attempt: 0,
            not_before: None,
            failure: None,
        }
    }
}

/// A step's cursor over all runs of its task.
#[derive(Debug, Clone, PartialEq)]
pub struct CursorMove {
    /// The step.
    pub step: Name,
    /// Where the next run begins; the database's or provider's own value.
    pub value: serde_json::Value,
}

/// A change of a run. All parts are stored in one commit; what is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct RunChange {
    /// The new state. A final state also sets the time of the end; leaving one clears it.
    pub state: Option<RunState>,
    /// The new counts, in place of the old ones.
    pub counts: Option<Counts>,
    /// The new failure; `Some(None)` clears it.
    pub failure: Option<Option<Failure>>,
    /// The new time to go on; `Some(None)` clears it.
    pub resume_at: Option<Option<Timestamp>>,
    /// Steps that have come further.
    pub steps: Vec<StepProgress>,
    /// Cursors that move in the same commit, so that no row is passed without its progress.
    pub cursors: Vec<CursorMove>,
}

/// Which runs to list.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Only of this task.
    pub task: Option<Name>,
    /// Only in these states; empty means all.
    pub states: Vec<RunState>,
    /// Only runs that come after this one in the list.
    pub after: Option<RunId>,
    /// At most so many; at most [`MAX_RUN_PAGE`].
    pub limit: u32,
}

impl Store {
    /// Changes a run.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] where there is no such run.
    pub async fn change_run(&self, id: &RunId, change: RunChange) -> Result<Run, StoreError> {
        let id = id.clone();
        self.write(move |writing| {
            writing.at(match change.state {
                Some(state) if state.is_final() => "run.ended",
                Some(RunState::Waiting) => "run.waiting",
                _ => "run.state",
            });
            self::change(writing.connection, &id, change, writing.now)
        })
        .await
    }

    /// A run.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn run(&self, id: &RunId) -> Result<Option<Run>, StoreError> {
        self.read(|db| run_of(db, id))
    }

    /// Runs, the newest first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, StoreError> {
        let states: Vec<&str> = filter.states.iter().map(|state| state.as_str()).collect();
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT * FROM run
                 WHERE (?1 IS NULL OR task = ?1)
                   AND (?2 = '[]' OR state IN (SELECT value FROM json_each(?2)))
                   AND (?3 IS NULL OR (started_at, id) < (SELECT started_at, id FROM run WHERE id = ?3))
                 ORDER BY started_at DESC, id DESC LIMIT ?4",
            )?;
            let mut rows = statement.query((
                filter.task.as_ref().map(Name::as_str),
                to_json("states", &states)?,
                filter.after.as_ref().map(|id| id.0.as_str()),
                filter.limit.min(MAX_RUN_PAGE),
            ))?;
            let mut runs = Vec::new();
            while let Some(row) = rows.next()? {
                runs.push(run(row)?);
            }
            Ok(runs)
        })
    }

    /// The steps of a run, in the order of their paths.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn run_steps(&self, id: &RunId) -> Result<Vec<StepProgress>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached("SELECT * FROM run_step WHERE run = ?1 ORDER BY path")?;
            let mut rows = statement.query([&id.0])?;
            let mut steps = Vec::new();
            while let Some(row) = rows.next()? {
                steps.push(step(row)?);
            }
            Ok(steps)
        })
    }

    /// Leaves a request for the process that drives a run; the newest one counts.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] where there is no such run.
    pub async fn request_run(&self, id: &RunId, request: RunRequest) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |writing| {
            let changed = writing.connection.execute(
                "UPDATE run SET request = ?2, updated_at = ?3 WHERE id = ?1",
                (&id.0, request.as_str(), writing.now.as_microsecond()),
            )?;
            if changed == 0 { Err(unknown(&id)) } else { Ok(()) }
        })
        .await
    }

    /// What was requested of a run and not yet taken up.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn run_request(&self, id: &RunId) -> Result<Option<RunRequest>, StoreError> {
        self.read(|db| request_of(db, id))
    }

    /// Takes a request up: it is returned once.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn take_run_request(&self, id: &RunId) -> Result<Option<RunRequest>, StoreError> {
        let id = id.clone();
        self.write(move |writing| {
            let request = request_of(writing.connection, &id)?;
            if request.is_some() {
                writing
                    .connection
                    .execute("UPDATE run SET request = NULL WHERE id = ?1", [&id.0])?;
            }
            Ok(request)
        })
        .await
    }
}

/// Changes a run within a commit.
fn change(db: &Connection, id: &RunId, change: RunChange, now: Timestamp) -> Result<Run, StoreError> {
    let mut run = run_of(db, id)?.ok_or_else(|| unknown(id))?;
    if let Some(state) = change.state {
        run.state = state;
        run.ended_at = state.is_final().then_some(now);
        if state.is_final() {
            // Nothing goes on any more; the counts and the steps stay.
            journal::close(db, id)?;
        }
    }
    run.counts = change.counts.unwrap_or(run.counts);
    run.failure = change.failure.unwrap_or(run.failure);
    run.resume_at = change.resume_at.unwrap_or(run.resume_at);
    run.updated_at = now;
    let failure = run
        .failure
        .as_ref()
        .map(|failure| to_json("failure", failure))
        .transpose()?;
    db.prepare_cached(
        "UPDATE run SET state = ?2, counts = ?3, failure = ?4, resume_at = ?5, ended_at = ?6,
                updated_at = ?7 WHERE id = ?1",
    )?
    .execute((
        &id.0,
        run.state.as_str(),
        to_json("counts", &run.counts)?,
        failure,
        micros(run.resume_at),
        micros(run.ended_at),
        now.as_microsecond(),
    ))?;
    for step in &change.steps {
        save_step(db, id, step, now)?;
    }
    for cursor in &change.cursors {
        cursors::put(db, &run.task, &cursor.step, &cursor.value, now)?;
    }
    Ok(run)
}

fn request_of(db: &Connection, id: &RunId) -> Result<Option<RunRequest>, StoreError> {
    let word = db
        .prepare_cached("SELECT request FROM run WHERE id = ?1")?
        .query_row([&id.0], |row| row.get::<_, Option<String>>(0))
        .optional()?
        .flatten();
    Ok(word.as_deref().and_then(RunRequest::of))
}

fn unknown(id: &RunId) -> StoreError {
    StoreError::Unknown {
        kind: Kind::Run,
        name: id.to_string(),
    }
}

fn run_of(db: &Connection, id: &RunId) -> Result<Option<Run>, StoreError> {
    db.prepare_cached("SELECT * FROM run WHERE id = ?1")?
        .query_row([&id.0], |row| Ok(run(row)))
        .optional()?
        .transpose()
}

pub(crate) fn run(row: &Row<'_>) -> Result<Run, StoreError> {
    let task: String = row.get("task")?;
    let state: String = row.get("state")?;
    let counts: String = row.get("counts")?;
    Ok(Run {
        id: RunId(row.get("id")?),
        task: parse("task", &task)?,
        task_version: row.get("task_version")?,
        state: parse("run state", &state)?,
        counts: from_json("counts", &counts)?,
        started_at: time(row, "started_at")?,
        updated_at: time(row, "updated_at")?,
        ended_at: optional_time(row, "ended_at")?,
        failure: from_optional_json("failure", row.get("failure")?)?,
        resume_at: optional_time(row, "resume_at")?,
    })
}

fn save_step(db: &Connection, run: &RunId, step: &StepProgress, now: Timestamp) -> Result<(), StoreError> {
    let chunk = i64::try_from(step.chunk).map_err(|_| StoreError::TooMany {
        what: "chunks",
        given: usize::MAX,
        limit: usize::MAX,
    })?;
    let cursor = step
        .cursor
        .as_ref()
        .map(|cursor| to_json("cursor", cursor))
        .transpose()?;
    let failure = step
        .failure
        .as_ref()
        .map(|failure| to_json("failure", failure))
        .transpose()?;
    db.prepare_cached(
        "INSERT INTO run_step (run, path, state, chunk, cursor, counts, attempt, not_before, failure,
                               started_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)
         ON CONFLICT (run, path) DO UPDATE SET state = excluded.state, chunk = excluded.chunk,
             cursor = excluded.cursor, counts = excluded.counts, attempt = excluded.attempt,
             not_before = excluded.not_before, failure = excluded.failure, updated_at = excluded.updated_at",
    )?
    .execute((
        &run.0,
        &step.path,
        step.state.as_str(),
        chunk,
        cursor,
        to_json("counts", &step.counts)?,
        step.attempt,
        micros(step.not_before),
        failure,
        now.as_microsecond(),
    ))?;
    Ok(())
}

fn step(row: &Row<'_>) -> Result<StepProgress, StoreError> {
    let state: String = row.get("state")?;
    let counts: String = row.get("counts")?;
    Ok(StepProgress {
        path: row.get("path")?,
        state: match state.as_str() {
            "done" => StepState::Done,
            "failed" => StepState::Failed,
            _ => StepState::Running,
        },
        chunk: whole(row, "chunk")?,
        cursor: from_optional_json("cursor", row.get("cursor")?)?,
        counts: from_json("counts", &counts)?,
        attempt: count("attempt", row.get("attempt")?)?,
        not_before: optional_time(row, "not_before")?,
        failure: from_optional_json("failure", row.get("failure")?)?,
    })
}
