//! The values of a task's variables: kept from run to run, or known to one run.

use std::collections::BTreeMap;

use rusqlite::Connection;
use tailorbird_model::run::RunId;
use tailorbird_model::{Name, Value};

use crate::codec::{from_json, to_json};
use crate::{Store, StoreError};

/// Values by the names of their variables.
pub type Variables = BTreeMap<String, Value>;

impl Store {
    /// The values that a task keeps from run to run.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn task_variables(&self, task: &Name) -> Result<Variables, StoreError> {
        self.read(|db| {
            values(
                db,
                "SELECT name, value FROM task_variable WHERE task = ?1",
                task.as_str(),
            )
        })
    }

    /// The values that the steps of a run have set.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn run_variables(&self, run: &RunId) -> Result<Variables, StoreError> {
        self.read(|db| values(db, "SELECT name, value FROM run_variable WHERE run = ?1", &run.0))
    }

    /// Keeps values of a task from run to run.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn set_task_variables(&self, task: &Name, values: Variables) -> Result<(), StoreError> {
        let task = task.clone();
        self.write(move |writing| {
            writing.at("variables.task");
            put(
                writing.connection,
                "INSERT INTO task_variable (task, name, value, updated_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (task, name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
                task.as_str(),
                &values,
                writing.now.as_microsecond(),
            )
        })
        .await
    }

    /// Keeps values of a run, so that it goes on with them.
    ///
    /// # Errors
    /// Where there is no such run, or the database refuses.
    pub async fn set_run_variables(&self, run: &RunId, values: Variables) -> Result<(), StoreError> {
        let run = run.clone();
        self.write(move |writing| {
            writing.at("variables.run");
            put(
                writing.connection,
                "INSERT INTO run_variable (run, name, value, updated_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (run, name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
                &run.0,
                &values,
                writing.now.as_microsecond(),
            )
        })
        .await
    }
}

fn put(db: &Connection, sql: &str, owner: &str, values: &Variables, now: i64) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    for (name, value) in values {
        statement.execute((owner, name, to_json("variable", value)?, now))?;
    }
    Ok(())
}

fn values(db: &Connection, sql: &str, owner: &str) -> Result<Variables, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([owner])?;
    let mut found = Variables::new();
    while let Some(row) = rows.next()? {
        found.insert(row.get(0)?, from_json("variable", &row.get::<_, String>(1)?)?);
    }
    Ok(found)
}
