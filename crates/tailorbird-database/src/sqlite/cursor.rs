//! The cursor that lives in the target database, moved in the same transaction as the rows (rule 18).

use rusqlite::{Connection, OptionalExtension as _};
use tailorbird_model::Name;

use super::SqliteLink;
use crate::DatabaseError;
use crate::link::CursorMove;

/// The table in the business database that holds our cursors.
pub const CURSOR_TABLE: &str = "_tailorbird_cursor";

impl SqliteLink {
    pub(crate) fn read_cursor(
        &mut self,
        task: &Name,
        step: &Name,
    ) -> Result<Option<serde_json::Value>, DatabaseError> {
        self.begin_own();
        let made = self.read(
            "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1",
            [CURSOR_TABLE],
            |_| Ok(()),
        )?;
        if made.is_empty() {
            return Ok(None);
        }
        let sql = format!("SELECT value FROM {CURSOR_TABLE} WHERE task = ?1 AND step = ?2");
        let text: Option<String> = self
            .connection
            .query_row(&sql, (task.as_str(), step.as_str()), |row| row.get(0))
            .optional()
            .map_err(|error| self.error(error, &sql))?;
        text.map(|text| {
            serde_json::from_str(&text).map_err(|error| DatabaseError::Value {
                column: "value".to_owned(),
                row: 1,
                problem: format!("of {CURSOR_TABLE} is not JSON: {error}"),
            })
        })
        .transpose()
    }
}

/// Moves a cursor inside the caller's transaction.
pub(super) fn store(connection: &Connection, cursor: &CursorMove) -> Result<(), rusqlite::Error> {
    connection.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS {CURSOR_TABLE} (
             task TEXT NOT NULL, step TEXT NOT NULL, value TEXT NOT NULL, updated_at TEXT NOT NULL,
             PRIMARY KEY (task, step))"
    ))?;
    connection.execute(
        &format!(
            "INSERT INTO {CURSOR_TABLE} (task, step, value, updated_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (task, step) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at"
        ),
        (
            cursor.task.as_str(),
            cursor.step.as_str(),
            cursor.value.to_string(),
            cursor.now.to_string(),
        ),
    )?;
    Ok(())
}
