//! Changes in a SQLite file: triggers write them into an outbox table, in the transaction that makes them.
//!
//! The triggers use nothing but `quote()` and `||`, since they run inside the customer's own programs, whatever
//! version of SQLite those have. A row is written as names and SQL literals, so it keeps each value's exact
//! type, and can still be read after the table was altered.

mod literal;
mod sql;

use rusqlite::types::ValueRef;
use tailorbird_model::Value;
use tailorbird_model::change::ChangeKind;

use super::SqliteLink;
use super::decode::{self, Declared};
use crate::outbox::{self, Change, MAX_CHANGES_PER_READ, OUTBOX_TABLE, OutboxState, Removed, Watched};
use crate::{DatabaseError, Table};

impl SqliteLink {
    /// The statements that make the outbox and a table's triggers, for a person to read or run.
    pub(crate) fn outbox_sql(&mut self, watched: &Watched) -> Result<Vec<String>, DatabaseError> {
        let (table, key) = self.watched_table(watched)?;
        let mut statements = vec![sql::create_outbox()];
        for kind in ChangeKind::ALL {
            statements.push(sql::drop_trigger(&table.name, kind));
            if watched.on.contains(&kind) {
                statements.push(sql::create_trigger(&table, &key, kind));
            }
        }
        Ok(statements)
    }

    /// Runs what [`SqliteLink::outbox_sql`] says, in one transaction.
    pub(crate) fn install_outbox(&mut self, watched: &Watched) -> Result<Vec<String>, DatabaseError> {
        let statements = self.outbox_sql(watched)?;
        self.in_transaction(|link| {
            for statement in &statements {
                link.connection
                    .execute_batch(statement)
                    .map_err(|error| link.error(error, statement))?;
            }
            Ok(())
        })?;
        Ok(statements)
    }

    /// Takes a table's triggers away, what they wrote with them, and the outbox after the last of them.
    pub(crate) fn remove_outbox(&mut self, table: &str) -> Result<Removed, DatabaseError> {
        // A table that is gone took its triggers along; what they wrote is still there.
        let table = self
            .table(table)
            .map_or_else(|_| table.to_owned(), |table| table.name);
        self.begin_own();
        let has_outbox = self.has_outbox()?;
        self.in_transaction(|link| {
            let mut removed = Removed::default();
            for kind in ChangeKind::ALL {
                if link.trigger_sql(&table, kind)?.is_some() {
                    link.run(&sql::drop_trigger(&table, kind), [])?;
                    removed.triggers += 1;
                }
            }
            if !has_outbox {
                return Ok(removed);
            }
            let gone = link.run(
                &format!("DELETE FROM {OUTBOX_TABLE} WHERE table_name = ?1"),
                [&table],
            )?;
            removed.changes = u64::try_from(gone).unwrap_or(u64::MAX);
            let users = link.read(
                "SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND sql LIKE ?1 LIMIT 1",
                [format!("%{OUTBOX_TABLE}%")],
                |_| Ok(()),
            )?;
            if users.is_empty() {
                link.run(&format!("DROP TABLE {OUTBOX_TABLE}"), [])?;
                removed.outbox = true;
            }
            Ok(removed)
        })
    }

    /// Compares the triggers of a table with what they should be.
    pub(crate) fn outbox_state(&mut self, watched: &Watched) -> Result<OutboxState, DatabaseError> {
        let (table, key) = self.watched_table(watched)?;
        let mut state = OutboxState::default();
        let has_outbox = self.has_outbox()?;
        for kind in &watched.on {
            match self.trigger_sql(&table.name, *kind)? {
                Some(found) if has_outbox => {
                    let wanted = sql::create_trigger(&table, &key, *kind);
                    if sql::plain(&found) != sql::plain(&wanted) {
                        state.different.push(*kind);
                    }
                }
                _ => state.missing.push(*kind),
            }
        }
        Ok(state)
    }

    /// The oldest changes of some tables, in their order.
    pub(crate) fn read_outbox(&mut self, tables: &[String]) -> Result<Vec<Change>, DatabaseError> {
        self.begin_own();
        let wanted = serde_json::json!(tables).to_string();
        let rows = self.read(
            &format!(
                "SELECT id, at, table_name, operation, \"row\", old_key FROM {OUTBOX_TABLE}
                 WHERE lower(table_name) IN (SELECT lower(value) FROM json_each(?1)) ORDER BY id LIMIT ?2"
            ),
            (wanted, MAX_CHANGES_PER_READ),
            |row| {
                Ok(Stored {
                    id: row.get(0)?,
                    at: row.get(1)?,
                    table: row.get(2)?,
                    operation: row.get(3)?,
                    row: row.get(4)?,
                    old_key: row.get(5)?,
                })
            },
        )?;
        let mut known: Vec<Table> = Vec::new();
        let mut changes = Vec::with_capacity(rows.len());
        for stored in rows {
            if !known.iter().any(|table| table.name == stored.table)
                && let Ok(table) = self.table(&stored.table)
            {
                known.push(table);
            }
            let table = known.iter().find(|table| table.name == stored.table);
            changes.push(stored.change(table, self.limits.value_bytes)?);
        }
        Ok(changes)
    }

    /// Takes changes out of the outbox: whoever wanted them has them.
    pub(crate) fn acknowledge_outbox(&mut self, ids: &[i64]) -> Result<usize, DatabaseError> {
        let ids = serde_json::json!(ids).to_string();
        self.in_transaction(|link| {
            link.run(
                &format!("DELETE FROM {OUTBOX_TABLE} WHERE id IN (SELECT value FROM json_each(?1))"),
                [&ids],
            )
        })
    }

    /// A table that can be watched, and the columns of its key.
    fn watched_table(&mut self, watched: &Watched) -> Result<(Table, Vec<String>), DatabaseError> {
        let table = self.table(&watched.table)?;
        let unknown: Vec<String> = watched
            .key
            .iter()
            .filter(|name| table.column(name).is_none())
            .cloned()
            .collect();
        if !unknown.is_empty() {
            return Err(DatabaseError::ColumnUnknown {
                table: table.name,
                names: unknown,
                valid: table.columns.into_iter().map(|column| column.name).collect(),
            });
        }
        let key: Vec<String> = if watched.key.is_empty() {
            let mut primary: Vec<_> = table
                .columns
                .iter()
                .filter_map(|column| Some((column.primary_key?, column.name.clone())))
                .collect();
            primary.sort();
            primary.into_iter().map(|(_, name)| name).collect()
        } else {
            watched
                .key
                .iter()
                .filter_map(|name| table.column(name))
                .map(|column| column.name.clone())
                .collect()
        };
        if key.is_empty() {
            return Err(DatabaseError::KeyMissing { names: Vec::new() });
        }
        Ok((table, key))
    }

    fn has_outbox(&self) -> Result<bool, DatabaseError> {
        let found = self.read(
            "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1",
            [OUTBOX_TABLE],
            |_| Ok(()),
        )?;
        Ok(!found.is_empty())
    }

    /// The text of one of our triggers, where it is there and belongs to that table.
    fn trigger_sql(&self, table: &str, kind: ChangeKind) -> Result<Option<String>, DatabaseError> {
        let found = self.read(
            "SELECT sql FROM sqlite_schema
             WHERE type = 'trigger' AND lower(name) = lower(?1) AND lower(tbl_name) = lower(?2)",
            (sql::trigger_name(table, kind), table),
            |row| row.get(0),
        )?;
        Ok(found.into_iter().next())
    }

    fn run(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<usize, DatabaseError> {
        self.connection
            .execute(sql, parameters)
            .map_err(|error| self.error(error, sql))
    }

    fn in_transaction<T>(
        &mut self,
        work: impl FnOnce(&Self) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        if !self.writable {
            return Err(DatabaseError::NotWritable);
        }
        self.begin_own();
        self.run("BEGIN IMMEDIATE", [])?;
        let done = work(self).and_then(|done| {
            self.run("COMMIT", [])?;
            Ok(done)
        });
        if done.is_err()
            && !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction in a business database could not be rolled back");
        }
        self.watch.set_own(false);
        done
    }
}

/// A row of the outbox.
struct Stored {
    id: i64,
    at: String,
    table: String,
    operation: String,
    row: String,
    old_key: String,
}

impl Stored {
    fn change(self, table: Option<&Table>, max_bytes: usize) -> Result<Change, DatabaseError> {
        let odd = |column: &str, problem: String| DatabaseError::Outbox {
            table: self.table.clone(),
            problem: format!(
                "holds an entry that cannot be read (id {}, {column}: {problem})",
                self.id
            ),
        };
        let kind: ChangeKind = self
            .operation
            .parse()
            .map_err(|problem| odd("operation", problem))?;
        let values = |column: &'static str, text: &str| -> Result<Vec<(String, Value)>, DatabaseError> {
            let pairs = literal::pairs(text).map_err(|problem| odd(column, problem))?;
            pairs
                .into_iter()
                .map(|(name, cell)| {
                    let declared = table
                        .and_then(|table| table.column(&name))
                        .map_or(Declared::Other, |column| {
                            Declared::of(Some(&column.declared_type))
                        });
                    let value = decode::value(ValueRef::from(&cell), declared, max_bytes)
                        .map_err(|problem| odd(column, format!("the column {name} {problem}")))?;
                    Ok((name, value))
                })
                .collect()
        };
        let row = values("row", &self.row)?;
        let old_key = values("old_key", &self.old_key)?;
        Ok(Change {
            record: outbox::record(row, kind, self.id, &self.at, old_key),
            id: self.id,
            at: self.at,
            table: self.table,
            kind,
        })
    }
}
