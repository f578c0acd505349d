//! Counts for metrics, each from an index that holds what is counted and little else.

use jiff::Timestamp;
use rusqlite::Connection;
use tailorbird_model::Name;
use tailorbird_model::measure::Measured;
use tailorbird_model::run::{Counts, RunState};

use crate::codec::{from_micros, parse, whole};
use crate::{Store, StoreError};

/// Runs of a task that have not ended, in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFigure {
    /// The task.
    pub task: Name,
    /// The state.
    pub state: RunState,
    /// How many.
    pub count: u64,
}

/// Deliveries of a step in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryFigure {
    /// The task.
    pub task: String,
    /// The step.
    pub step: String,
    /// The connection of the first of them; it is the same for all, unless the task was changed.
    pub connection: String,
    /// The state: pending, sending, in doubt or rejected.
    pub state: &'static str,
    /// How many.
    pub count: u64,
}

/// What the runs of a task that ended within one hour did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourFigure {
    /// The beginning of the hour.
    pub from: Timestamp,
    /// The task.
    pub task: Name,
    /// Runs that ended.
    pub runs: u64,
    /// Of these, runs that failed.
    pub failed: u64,
    /// What they counted.
    pub counts: Counts,
}

/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;

/// Hours and tasks that one call gives at most.
const MAX_HOURS: u32 = 10_000;

/// The states that have an index of their own. Delivered ones are counted as they are made: counting a million of
/// them at each look would not be cheap.
const STATES: [&str; 4] = ["pending", "sending", "in_doubt", "rejected"];

impl Store {
    /// Runs that have not ended, by task and state.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn open_run_figures(&self) -> Result<Vec<RunFigure>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT task, state, count(*) AS number FROM run
                 WHERE state NOT IN ('succeeded', 'failed', 'cancelled') GROUP BY task, state ORDER BY task, state",
            )?;
            let mut rows = statement.query([])?;
            let mut figures = Vec::new();
            while let Some(row) = rows.next()? {
                figures.push(RunFigure {
                    task: parse("task", &row.get::<_, String>("task")?)?,
                    state: parse("run state", &row.get::<_, String>("state")?)?,
                    count: whole(row, "number")?,
                });
            }
            Ok(figures)
        })
    }

    /// Deliveries that are not settled well, by step and state.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn delivery_figures(&self) -> Result<Vec<DeliveryFigure>, StoreError> {
        self.read(|db| {
            let mut figures = Vec::new();
            for state in STATES {
                deliveries(db, state, &mut figures)?;
            }
            Ok(figures)
        })
    }

    /// Deliveries in doubt, and approvals that wait.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn waiting_figures(&self) -> Result<(u64, u64), StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT (SELECT count(*) FROM delivery WHERE state = 'in_doubt'),
                        (SELECT count(*) FROM approval WHERE state = 'waiting')",
            )?;
            Ok(statement.query_row([], |row| Ok((whole(row, 0)?, whole(row, 1)?)))?)
        })
    }

    /// What runs that ended since a time did, by the hour of their end and by task.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn hour_figures(&self, since: Timestamp) -> Result<Vec<HourFigure>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT ended_at / ?2 AS hour, task, count(*) AS runs, sum(state = 'failed') AS failed,
                        sum(counts ->> 'delivered') AS delivered, sum(counts ->> 'rejected') AS rejected,
                        sum(counts ->> 'in_doubt') AS in_doubt, sum(counts ->> 'read') AS read,
                        sum(counts ->> 'written') AS written, sum(counts ->> 'skipped') AS skipped,
                        sum(counts ->> 'already') AS already, sum(counts ->> 'not_due') AS not_due
                 FROM run WHERE ended_at >= ?1 GROUP BY hour, task ORDER BY hour, task LIMIT ?3",
            )?;
            let mut rows = statement.query((since.as_microsecond(), HOUR, MAX_HOURS))?;
            let mut figures = Vec::new();
            while let Some(row) = rows.next()? {
                figures.push(HourFigure {
                    from: from_micros(row.get::<_, i64>("hour")?.saturating_mul(HOUR))?,
                    task: parse("task", &row.get::<_, String>("task")?)?,
                    runs: whole(row, "runs")?,
                    failed: whole(row, "failed")?,
                    counts: Counts {
                        read: whole(row, "read")?,
                        delivered: whole(row, "delivered")?,
                        already: whole(row, "already")?,
                        rejected: whole(row, "rejected")?,
                        in_doubt: whole(row, "in_doubt")?,
                        skipped: whole(row, "skipped")?,
                        not_due: whole(row, "not_due")?,
                        written: whole(row, "written")?,
                    },
                });
            }
            Ok(figures)
        })
    }

    /// How long commits took, from the first statement until the disk had synced.
    pub fn commit_times(&self) -> Measured {
        self.writer_times().measured()
    }
}

fn deliveries(
    db: &Connection,
    state: &'static str,
    into: &mut Vec<DeliveryFigure>,
) -> Result<(), StoreError> {
    // The state is written out, because a partial index is used for a constant only.
    let sql = format!(
        "SELECT lane.task, lane.step, delivery.connection, found.number
         FROM (SELECT lane, min(id) AS first, count(*) AS number FROM delivery WHERE state = '{state}' GROUP BY lane)
             AS found
         JOIN lane ON lane.id = found.lane JOIN delivery ON delivery.id = found.first
         ORDER BY lane.task, lane.step, lane.id"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        into.push(DeliveryFigure {
            task: row.get(0)?,
            step: row.get(1)?,
            connection: row.get(2)?,
            state,
            count: whole(row, 3)?,
        });
    }
    Ok(())
}
