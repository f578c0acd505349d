//! Tasks that a run calls: for which records, and what became of each.

use rusqlite::Row;
use tailorbird_model::key::DeliveryKey;
use tailorbird_model::run::{Counts, Run, RunId};
use tailorbird_model::{Name, Record};

use crate::codec::{from_json, to_json, whole};
use crate::ledger::{check_batch, key_hash};
use crate::runs::run;
use crate::{MAX_RUN_PAGE, Store, StoreError};

/// A record for which a task is to be run.
#[derive(Debug, Clone)]
pub struct NewTaskCall {
    /// Which record.
    pub key: DeliveryKey,
    /// The record, as it is handed on later.
    pub input: Record,
    /// Values for the called task's variables.
    pub variables: serde_json::Map<String, serde_json::Value>,
}

/// A call that has not ended.
#[derive(Debug, Clone)]
pub struct TaskCall {
    /// Its number in the store.
    pub id: i64,
    /// Which record.
    pub key: String,
    /// The record.
    pub input: Record,
    /// Values for the called task's variables.
    pub variables: serde_json::Map<String, serde_json::Value>,
}

impl Store {
    /// Notes for which records a run calls a task in a step; tells for each whether it is new. Noting twice is
    /// noting once.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] beyond [`crate::MAX_BATCH`] records, or where the database refuses.
    pub async fn note_task_calls(
        &self,
        run: &RunId,
        step: &Name,
        batch: Vec<NewTaskCall>,
    ) -> Result<Vec<bool>, StoreError> {
        check_batch("calls of tasks", batch.len())?;
        let (run, step) = (run.clone(), step.clone());
        self.write(move |writing| {
            writing.at("calls.noted");
            let mut statement = writing.connection.prepare_cached(
                "INSERT INTO task_call (run, step, key_hash, key, input, variables) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (run, step, key_hash) DO NOTHING",
            )?;
            batch
                .iter()
                .map(|new| {
                    let inserted = statement.execute((
                        &run.0,
                        step.as_str(),
                        key_hash(&new.key),
                        new.key.as_str(),
                        to_json("input", &new.input)?,
                        to_json("variables", &new.variables)?,
                    ))?;
                    Ok(inserted == 1)
                })
                .collect()
        })
        .await
    }

    /// Calls of a step that have not ended, in order, after the one with that number.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn open_task_calls(
        &self,
        run: &RunId,
        step: &Name,
        after: i64,
        limit: u32,
    ) -> Result<Vec<TaskCall>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT id, key, input, variables FROM task_call
                 WHERE run = ?1 AND step = ?2 AND settled = 0 AND id > ?3 ORDER BY id LIMIT ?4",
            )?;
            let mut rows = statement.query((&run.0, step.as_str(), after, limit))?;
            let mut calls = Vec::new();
            while let Some(row) = rows.next()? {
                calls.push(task_call(row)?);
            }
            Ok(calls)
        })
    }

    /// Notes that a call has ended and the later steps have taken what came of it.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn settle_task_call(&self, id: i64) -> Result<(), StoreError> {
        self.write(move |writing| {
            writing.at("calls.settled");
            writing
                .connection
                .prepare_cached("UPDATE task_call SET settled = 1 WHERE id = ?1")?
                .execute([id])?;
            Ok(())
        })
        .await
    }

    /// What the runs did that a run has called.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn child_counts(&self, parent: &RunId) -> Result<Counts, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT sum(counts ->> 'read'), sum(counts ->> 'delivered'), sum(counts ->> 'already'),
                        sum(counts ->> 'rejected'), sum(counts ->> 'in_doubt'), sum(counts ->> 'skipped'),
                        sum(counts ->> 'not_due'), sum(counts ->> 'written')
                 FROM run JOIN run_input ON run_input.run = run.id WHERE run_input.parent = ?1",
            )?;
            Ok(statement.query_row([&parent.0], |row| {
                let sum = |index: usize| match row.get::<_, Option<i64>>(index)? {
                    None => Ok(0),
                    Some(_) => whole(row, index),
                };
                Ok(Counts {
                    read: sum(0)?,
                    delivered: sum(1)?,
                    already: sum(2)?,
                    rejected: sum(3)?,
                    in_doubt: sum(4)?,
                    skipped: sum(5)?,
                    not_due: sum(6)?,
                    written: sum(7)?,
                })
            })?)
        })
    }

    /// The runs that a run has called and that have not ended.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn unfinished_children(&self, parent: &RunId) -> Result<Vec<Run>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT run.* FROM run JOIN run_input ON run_input.run = run.id
                 WHERE run_input.parent = ?1 AND run.state NOT IN ('succeeded', 'failed', 'cancelled')
                 ORDER BY run.started_at, run.id LIMIT ?2",
            )?;
            let mut rows = statement.query((&parent.0, MAX_RUN_PAGE))?;
            let mut runs = Vec::new();
            while let Some(row) = rows.next()? {
                runs.push(run(row)?);
            }
            Ok(runs)
        })
    }
}

fn task_call(row: &Row<'_>) -> Result<TaskCall, StoreError> {
    Ok(TaskCall {
        id: row.get("id")?,
        key: row.get("key")?,
        input: from_json("input", &row.get::<_, String>("input")?)?,
        variables: from_json("variables", &row.get::<_, String>("variables")?)?,
    })
}
