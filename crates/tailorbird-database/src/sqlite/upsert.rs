//! Writing records by key, many rows per statement, all of a call in one transaction.

use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, ErrorCode, params_from_iter};
use tailorbird_model::{Record, Value, fault};

use super::bind::{Affinity, sql_value};
use super::{SqliteLink, cursor, quote};
use crate::link::{CursorMove, Written};
use crate::{DatabaseError, Table};

/// Rows of one INSERT.
const ROWS_PER_STATEMENT: usize = 500;

/// Parameters of one statement; SQLite allows 32,766.
const PARAMETERS_PER_STATEMENT: usize = 30_000;

impl SqliteLink {
    pub(crate) fn upsert(
        &mut self,
        table: &str,
        key: &[String],
        records: &[Record],
        cursor: Option<&CursorMove>,
    ) -> Result<Written, DatabaseError> {
        if !self.writable {
            return Err(DatabaseError::NotWritable);
        }
        let begin = "BEGIN IMMEDIATE";
        self.begin_own();
        self.connection
            .execute_batch(begin)
            .map_err(|error| self.error(error, begin))?;
        let written = self
            .upsert_in_transaction(table, key, records)
            .and_then(|written| {
                if let Some(cursor) = cursor {
                    cursor::store(&self.connection, cursor).map_err(|error| self.error(error, ""))?;
                }
                fault::reach("target.before_commit");
                self.connection
                    .execute_batch("COMMIT")
                    .map_err(|error| self.error(error, "COMMIT"))?;
                Ok(written)
            });
        if written.is_err()
            && !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction in a business database could not be rolled back");
        }
        self.watch.set_own(false);
        written
    }

    fn upsert_in_transaction(
        &mut self,
        table: &str,
        key: &[String],
        records: &[Record],
    ) -> Result<Written, DatabaseError> {
        let table = self.table(table)?;
        let mut written = Written {
            rows: 0,
            by_unique_index: has_unique_index(&table, key),
        };
        let mut done = 0;
        // Records of one step share their columns; where they do not, each stretch has its own statement.
        for stretch in records.chunk_by(|a, b| a.columns() == b.columns()) {
            let Some(first) = stretch.first() else { continue };
            let plan = Plan::make(&table, key, first.columns(), written.by_unique_index)?;
            for rows in stretch.chunks(plan.rows_per_statement()) {
                self.watch.allow(self.limits.statement);
                self.write_rows(&plan, rows, done)?;
                done += rows.len();
            }
        }
        written.rows = u64::try_from(done).unwrap_or(u64::MAX);
        Ok(written)
    }

    fn write_rows(&self, plan: &Plan, records: &[Record], before: usize) -> Result<(), DatabaseError> {
        let mut rows = Vec::with_capacity(records.len());
        for (number, record) in (before + 1..).zip(records) {
            rows.push(plan.bind(record, number)?);
        }
        if !plan.by_unique_index {
            for (number, row) in (before + 1..).zip(&rows) {
                plan.update_or_insert(&self.connection, row)
                    .map_err(|error| self.row_error(error, number))?;
            }
            return Ok(());
        }
        let Err(error) = plan.insert(&self.connection, &rows) else {
            return Ok(());
        };
        if rows.len() > 1 && error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) {
            // Once more, one by one, to learn which row it was. The transaction is rolled back in any case.
            for (number, row) in (before + 1..).zip(&rows) {
                plan.insert(&self.connection, std::slice::from_ref(row))
                    .map_err(|error| self.row_error(error, number))?;
            }
        }
        Err(self.row_error(error, before + 1))
    }

    fn row_error(&self, error: rusqlite::Error, row: usize) -> DatabaseError {
        match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch) => {
                let message = match error {
                    rusqlite::Error::SqliteFailure(_, Some(message)) => message,
                    other => other.to_string(),
                };
                DatabaseError::Row { row, message }
            }
            _ => self.error(error, ""),
        }
    }
}

/// Whether a unique index on exactly these columns exists, in any order.
fn has_unique_index(table: &Table, key: &[String]) -> bool {
    table.unique_keys.iter().any(|unique| {
        unique.len() == key.len()
            && unique
                .iter()
                .all(|column| key.iter().any(|name| name.eq_ignore_ascii_case(column)))
    })
}

/// How the records of one stretch are written.
struct Plan {
    by_unique_index: bool,
    table: String,
    /// The columns written, with what each does to its values and whether it is part of the key.
    columns: Vec<Target>,
}

struct Target {
    name: String,
    affinity: Affinity,
    is_key: bool,
}

impl Plan {
    fn make(
        table: &Table,
        key: &[String],
        columns: &[String],
        by_unique_index: bool,
    ) -> Result<Self, DatabaseError> {
        let writable = |name: &str| table.column(name).filter(|column| !column.generated);
        let unknown: Vec<String> = columns
            .iter()
            .filter(|name| writable(name).is_none())
            .cloned()
            .collect();
        if !unknown.is_empty() {
            let valid = table.columns.iter().filter(|column| !column.generated);
            return Err(DatabaseError::ColumnUnknown {
                table: table.name.clone(),
                names: unknown,
                valid: valid.map(|column| column.name.clone()).collect(),
            });
        }
        let missing: Vec<String> = key
            .iter()
            .filter(|name| !columns.iter().any(|column| column.eq_ignore_ascii_case(name)))
            .cloned()
            .collect();
        if key.is_empty() || !missing.is_empty() {
            return Err(DatabaseError::KeyMissing { names: missing });
        }
        let columns = columns
            .iter()
            .filter_map(|name| table.column(name))
            .map(|column| Target {
                name: column.name.clone(),
                affinity: Affinity::of(&column.declared_type),
                is_key: key.iter().any(|name| name.eq_ignore_ascii_case(&column.name)),
            })
            .collect();
        Ok(Self {
            by_unique_index,
            table: quote(&table.name),
            columns,
        })
    }

    fn rows_per_statement(&self) -> usize {
        (PARAMETERS_PER_STATEMENT / self.columns.len().max(1)).clamp(1, ROWS_PER_STATEMENT)
    }

    /// A record's values in the order of the columns.
    fn bind(&self, record: &Record, row: usize) -> Result<Vec<SqlValue>, DatabaseError> {
        let mut values = Vec::with_capacity(self.columns.len());
        for (target, value) in self.columns.iter().zip(record.values()) {
            if target.is_key && *value == Value::Null {
                return Err(DatabaseError::KeyNull {
                    column: target.name.clone(),
                    row,
                });
            }
            values.push(
                sql_value(value, target.affinity).map_err(|problem| DatabaseError::Value {
                    column: target.name.clone(),
                    row,
                    problem,
                })?,
            );
        }
        Ok(values)
    }

    fn names(&self, pick: impl Fn(&Target) -> bool) -> Vec<String> {
        self.columns
            .iter()
            .filter(|target| pick(target))
            .map(|target| quote(&target.name))
            .collect()
    }

    fn insert(&self, connection: &Connection, rows: &[Vec<SqlValue>]) -> Result<(), rusqlite::Error> {
        let row = format!("({})", vec!["?"; self.columns.len()].join(", "));
        let values = vec![row; rows.len()].join(", ");
        let updates: Vec<String> = self
            .names(|target| !target.is_key)
            .iter()
            .map(|name| format!("{name} = excluded.{name}"))
            .collect();
        let on_conflict = match (self.by_unique_index, updates.is_empty()) {
            (false, _) => String::new(),
            (true, true) => format!(
                "ON CONFLICT ({}) DO NOTHING",
                self.names(|target| target.is_key).join(", ")
            ),
            (true, false) => format!(
                "ON CONFLICT ({}) DO UPDATE SET {}",
                self.names(|target| target.is_key).join(", "),
                updates.join(", ")
            ),
        };
        let sql = format!(
            "INSERT INTO {} ({}) VALUES {values} {on_conflict}",
            self.table,
            self.names(|_| true).join(", ")
        );
        connection
            .prepare_cached(&sql)?
            .execute(params_from_iter(rows.iter().flatten()))?;
        Ok(())
    }

    /// Without a unique index: updates the rows with the key, and inserts one where there is none.
    fn update_or_insert(&self, connection: &Connection, row: &[SqlValue]) -> Result<(), rusqlite::Error> {
        let pick = |key: bool| {
            self.columns
                .iter()
                .zip(row)
                .filter(move |(target, _)| target.is_key == key)
                .map(|(_, value)| value)
        };
        let equals = |names: Vec<String>, with: &str| {
            names
                .iter()
                .map(|name| format!("{name} = ?"))
                .collect::<Vec<_>>()
                .join(with)
        };
        let key = equals(self.names(|target| target.is_key), " AND ");
        let found = if self.columns.iter().all(|target| target.is_key) {
            let sql = format!("SELECT 1 FROM {} WHERE {key}", self.table);
            connection
                .prepare_cached(&sql)?
                .exists(params_from_iter(pick(true)))?
        } else {
            let sets = equals(self.names(|target| !target.is_key), ", ");
            let sql = format!("UPDATE {} SET {sets} WHERE {key}", self.table);
            connection
                .prepare_cached(&sql)?
                .execute(params_from_iter(pick(false).chain(pick(true))))?
                > 0
        };
        if !found {
            self.insert(connection, &[row.to_vec()])?;
        }
        Ok(())
    }
}
