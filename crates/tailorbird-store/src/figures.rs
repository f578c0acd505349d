//! Counts for metrics, each from an index that holds what is counted and little else.

use rusqlite::Connection;
use tailorbird_model::Name;
use tailorbird_model::measure::Measured;
use tailorbird_model::run::RunState;

use crate::codec::{parse, whole};
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
