//! What became of the times of schedules and of the ends of other tasks' runs.
//!
//! Invariant: an occasion is decided once. Its row, its run and how far the trigger is decided are one commit.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};
use tailorbird_model::Name;
use tailorbird_model::run::{Run, RunId, RunInput, RunState};

use crate::codec::{from_micros, to_json};
use crate::runs::opening::WAITS_FOR_RELEASE;
use crate::runs::{self, opening};
use crate::writer::Writing;
use crate::{Store, StoreError};

/// How many firings of a task are kept.
const MAX_KEPT: u32 = 2_000;

/// How many runs of a task may wait for their turn; further firings are left out.
pub const MAX_QUEUED: u32 = 200;

/// How many ends of runs are looked at together.
const MAX_ENDS: u32 = 1_000;

/// How far a trigger is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerClock {
    /// Which trigger it was decided for.
    pub source: String,
    /// When this trigger was first seen.
    pub begun_at: Timestamp,
    /// Up to when it is decided.
    pub decided_at: Timestamp,
}

/// An occasion on which a task is to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occasion {
    /// Names it among all occasions of the task, for ever.
    pub name: String,
    /// `schedule` or `after`.
    pub cause: &'static str,
    /// When it was due.
    pub due_at: Timestamp,
    /// What is to become of it.
    pub wish: Wish,
}

/// What is to become of an occasion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// It opens a run, unless a run of the task has not ended.
    Fire,
    /// It opens a run that waits for its turn.
    Queue,
    /// It was missed and opens none.
    Miss,
}

/// What became of an occasion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firing {
    /// When it was due.
    pub due_at: Timestamp,
    /// What became of it.
    pub verdict: FiringVerdict,
    /// When that was decided.
    pub decided_at: Timestamp,
}

/// What became of an occasion, with the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FiringVerdict {
    /// It opened this run.
    Fired(RunId),
    /// It was left out, because this run had not ended.
    Overlapped(RunId),
    /// It was missed, and left out.
    Missed,
}

impl FiringVerdict {
    /// The word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Fired(_) => "fired",
            Self::Overlapped(_) => "overlapped",
            Self::Missed => "missed",
        }
    }

    /// The run that it opened, or that was in its way.
    pub fn run(&self) -> Option<&RunId> {
        match self {
            Self::Fired(run) | Self::Overlapped(run) => Some(run),
            Self::Missed => None,
        }
    }
}

impl Store {
    /// How far a task's trigger is decided; none where it never was looked at, or was disabled since.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn trigger_clock(&self, task: &Name) -> Result<Option<TriggerClock>, StoreError> {
        self.read(|db| clock_of(db, task))
    }

    /// Notes that a trigger is looked at from now on: what lies before is none of its business.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn begin_trigger(&self, task: &Name, source: &str, at: Timestamp) -> Result<(), StoreError> {
        let (task, source) = (task.clone(), source.to_owned());
        self.write(move |writing| {
            writing.at("firing.begun");
            let row = (
                task.as_str(),
                &source,
                at.as_microsecond(),
                writing.now.as_microsecond(),
            );
            writing.connection.execute(
                "INSERT INTO trigger_clock (task, source, begun_at, decided_at, updated_at)
                 VALUES (?1, ?2, ?3, ?3, ?4)
                 ON CONFLICT (task) DO UPDATE SET source = excluded.source, begun_at = excluded.begun_at,
                     decided_at = excluded.decided_at, updated_at = excluded.updated_at",
                row,
            )?;
            Ok(())
        })
        .await
    }

    /// Decides occasions, in order, and notes how far the trigger is decided. An occasion that was decided before
    /// stays as it is. Gives what became of the new ones; nothing where the task was disabled, removed or changed
    /// meanwhile.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn decide_occasions(
        &self,
        task: &Name,
        version: i64,
        occasions: Vec<Occasion>,
        decided_at: Timestamp,
    ) -> Result<Vec<Firing>, StoreError> {
        let task = task.clone();
        let mut named = Vec::with_capacity(occasions.len());
        for occasion in occasions {
            named.push((self.new_run_id()?, occasion));
        }
        self.write(move |writing| {
            writing.at("firing.decided");
            let db = writing.connection;
            let is_current = db
                .prepare_cached(
                    "SELECT 1 FROM task WHERE name = ?1 AND version = ?2 AND enabled = 1 AND removed = 0",
                )?
                .exists((task.as_str(), version))?;
            if !is_current {
                return Ok(Vec::new());
            }
            let mut firings = Vec::new();
            for (id, occasion) in named {
                firings.extend(decide(writing, &task, version, id, &occasion)?);
            }
            db.prepare_cached("UPDATE trigger_clock SET decided_at = ?2, updated_at = ?3 WHERE task = ?1")?
                .execute((
                    task.as_str(),
                    decided_at.as_microsecond(),
                    writing.now.as_microsecond(),
                ))?;
            forget(db, &task)?;
            Ok(firings)
        })
        .await
    }

    /// What became of the newest occasions of a task, the newest first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn firings(&self, task: &Name, limit: u32) -> Result<Vec<Firing>, StoreError> {
        self.read(|db| {
            let sql = "SELECT * FROM firing WHERE task = ?1 ORDER BY due_at DESC, occasion DESC LIMIT ?2";
            let mut statement = db.prepare_cached(sql)?;
            let mut rows = statement.query((task.as_str(), limit.min(MAX_KEPT)))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(firing(row)?);
            }
            Ok(found)
        })
    }

    /// The runs of a task that ended in one of these states after an instant and of which nothing was decided yet
    /// for another task, the first that ended first. The name of the occasion is [`after_occasion`].
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn ends_to_decide(
        &self,
        of: &Name,
        states: &[RunState],
        after: Timestamp,
        decides: &Name,
    ) -> Result<Vec<Run>, StoreError> {
        let states: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT run.* FROM run
                 WHERE task = ?1 AND ended_at > ?2 AND state IN (SELECT value FROM json_each(?3))
                   AND NOT EXISTS (SELECT 1 FROM firing WHERE firing.task = ?4 AND occasion = 'after ' || run.id)
                 ORDER BY ended_at, id LIMIT ?5",
            )?;
            let mut rows = statement.query((
                of.as_str(),
                after.as_microsecond(),
                to_json("states", &states)?,
                decides.as_str(),
                MAX_ENDS,
            ))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(runs::run(row)?);
            }
            Ok(found)
        })
    }
}

/// Names the end of a run as an occasion.
pub fn after_occasion(run: &RunId) -> String {
    format!("after {run}")
}

/// Begins the trigger anew when it is enabled again: what passed while it was disabled was not missed.
pub(crate) fn forget_clock(db: &Connection, task: &Name) -> Result<(), StoreError> {
    db.execute("DELETE FROM trigger_clock WHERE task = ?1", [task.as_str()])?;
    Ok(())
}

fn decide(
    writing: &Writing<'_>,
    task: &Name,
    version: i64,
    id: RunId,
    occasion: &Occasion,
) -> Result<Option<Firing>, StoreError> {
    let db = writing.connection;
    let is_decided = db
        .prepare_cached("SELECT 1 FROM firing WHERE task = ?1 AND occasion = ?2")?
        .exists((task.as_str(), &occasion.name))?;
    // The row may have been forgotten; the run never is while it is kept.
    if is_decided || opening::run_of_occasion(db, task, Some(&occasion.name))?.is_some() {
        return Ok(None);
    }
    let verdict = if occasion.wish == Wish::Miss {
        FiringVerdict::Missed
    } else if let Some(run) = in_the_way(db, task, occasion.wish)? {
        FiringVerdict::Overlapped(run)
    } else {
        let input = RunInput {
            occasion: Some(occasion.name.clone()),
            ..RunInput::of(occasion.cause)
        };
        let run = opening::insert(writing, id, task.clone(), version, RunState::Queued, &input)?;
        FiringVerdict::Fired(run.id)
    };
    db.prepare_cached(
        "INSERT INTO firing (task, occasion, due_at, verdict, run, decided_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute((
        task.as_str(),
        &occasion.name,
        occasion.due_at.as_microsecond(),
        verdict.as_str(),
        verdict.run().map(|run| &run.0),
        writing.now.as_microsecond(),
    ))?;
    Ok(Some(Firing {
        due_at: occasion.due_at,
        verdict,
        decided_at: writing.now,
    }))
}

/// The run because of which an occasion opens none. A run that needs attention is in nobody's way: it makes room for
/// the next one. Nor is one that carries out decisions and reads nothing, or that only waits for people to release
/// records: the next one waits for it, or takes its place.
fn in_the_way(db: &Connection, task: &Name, wish: Wish) -> Result<Option<RunId>, StoreError> {
    let (states, spared) = match wish {
        Wish::Queue => ("'queued'", MAX_QUEUED.saturating_sub(1)),
        Wish::Fire | Wish::Miss => ("'queued', 'running', 'waiting', 'paused'", 0),
    };
    let sql = format!(
        "SELECT id FROM run WHERE task = ?1 AND state IN ({states})
             AND state NOT IN ('succeeded', 'failed', 'cancelled')
             AND NOT EXISTS (SELECT 1 FROM run_input i WHERE i.run = run.id AND i.cause = 'again')
             AND NOT ({WAITS_FOR_RELEASE})
         ORDER BY started_at DESC LIMIT 1 OFFSET ?2"
    );
    let run = db
        .prepare_cached(&sql)?
        .query_row((task.as_str(), spared), |row| row.get(0))
        .optional()?;
    Ok(run.map(RunId))
}

fn forget(db: &Connection, task: &Name) -> Result<(), StoreError> {
    db.prepare_cached(
        "DELETE FROM firing WHERE task = ?1 AND due_at <
             (SELECT due_at FROM firing WHERE task = ?1 ORDER BY due_at DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute((task.as_str(), MAX_KEPT))?;
    Ok(())
}

fn clock_of(db: &Connection, task: &Name) -> Result<Option<TriggerClock>, StoreError> {
    let found = db
        .prepare_cached("SELECT source, begun_at, decided_at FROM trigger_clock WHERE task = ?1")?
        .query_row([task.as_str()], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        })
        .optional()?;
    found
        .map(|(source, begun_at, decided_at)| {
            Ok(TriggerClock {
                source,
                begun_at: from_micros(begun_at)?,
                decided_at: from_micros(decided_at)?,
            })
        })
        .transpose()
}

fn firing(row: &Row<'_>) -> Result<Firing, StoreError> {
    let verdict: String = row.get("verdict")?;
    let run = row.get::<_, Option<String>>("run")?.map(RunId);
    Ok(Firing {
        due_at: from_micros(row.get("due_at")?)?,
        verdict: match (verdict.as_str(), run) {
            ("fired", Some(run)) => FiringVerdict::Fired(run),
            ("overlapped", Some(run)) => FiringVerdict::Overlapped(run),
            _ => FiringVerdict::Missed,
        },
        decided_at: from_micros(row.get("decided_at")?)?,
    })
}
