//! How far queries and calls have read over all runs (never-twice rule 14).

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use tailorbird_model::Name;

use crate::codec::{from_optional_json, to_json};
use crate::{Store, StoreError};

impl Store {
    /// Where the next run of a step begins; absent before its first run.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn step_cursor(&self, task: &Name, step: &Name) -> Result<Option<serde_json::Value>, StoreError> {
        self.read(|db| {
            let text = db
                .prepare_cached("SELECT value FROM step_cursor WHERE task = ?1 AND step = ?2")?
                .query_row((task.as_str(), step.as_str()), |row| row.get(0))
                .optional()?;
            from_optional_json("cursor", text)
        })
    }

    /// Sets a step's cursor outside of a run; within one, [`crate::RunChange::cursors`] moves it.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn set_step_cursor(
        &self,
        task: &Name,
        step: &Name,
        value: serde_json::Value,
    ) -> Result<(), StoreError> {
        let (task, step) = (task.clone(), step.clone());
        self.write(move |writing| put(writing.connection, &task, &step, &value, writing.now))
            .await
    }
}

pub(crate) fn put(
    db: &Connection,
    task: &Name,
    step: &Name,
    value: &serde_json::Value,
    now: Timestamp,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO step_cursor (task, step, value, updated_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (task, step) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
    )?
    .execute((
        task.as_str(),
        step.as_str(),
        to_json("cursor", value)?,
        now.as_microsecond(),
    ))?;
    Ok(())
}
