//! An open link to a business database: one interface, one driver per kind.
//!
//! All calls block; call them from a thread that may. A link serves one caller at a time (`&mut self`); open
//! a second one to write while reading.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tailorbird_model::database::{Database, DatabaseKind};
use tailorbird_model::{Name, Record, Value};

use crate::outbox::{Change, OutboxState, Removed, Watched};
use crate::sqlite::SqliteLink;
use crate::{DatabaseError, Table};

/// Values of a statement's named parameters, without the colon.
pub type Parameters = BTreeMap<String, Value>;

/// Rows of one chunk at most.
pub const MAX_CHUNK_ROWS: usize = 10_000;

/// Rows that may follow a full chunk because they have the same cursor value as its last row.
pub const MAX_TIED_ROWS: usize = 10_000;

/// What must not be opened as a business database: our own state.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// Files that are refused, however they are spelled.
    pub files: Vec<PathBuf>,
    /// SQLite application ids that are refused, wherever the file lies.
    pub application_ids: Vec<i32>,
}

/// What one statement may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long to wait for another program's lock.
    pub lock_wait: Duration,
    /// How long the database may work until it yields the next chunk, or ends a write.
    pub statement: Duration,
    /// Bytes of one value.
    pub value_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lock_wait: Duration::from_secs(5),
            statement: Duration::from_mins(1),
            value_bytes: 16 * 1024 * 1024,
        }
    }
}

/// Rows that were read.
#[derive(Debug, Clone, PartialEq)]
pub struct Recordset {
    /// The columns, in order.
    pub columns: Arc<[String]>,
    /// The rows.
    pub records: Vec<Record>,
    /// Whether there are more rows than the limit allowed.
    pub truncated: bool,
}

/// How to read a stream.
#[derive(Debug, Clone, Default)]
pub struct StreamOptions {
    /// Rows per chunk, 1 to [`MAX_CHUNK_ROWS`].
    pub chunk_rows: usize,
    /// The column of the cursor. Where given, each chunk carries the column's values as the database keeps
    /// them, and is extended by rows that tie with its last one (never-twice rule 14).
    pub cursor_column: Option<String>,
}

/// Some rows of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// The rows.
    pub records: Vec<Record>,
    /// The cursor column's value of each row, as the database keeps it: a time that is kept as text is text
    /// here, so that it can be compared with the column again.
    pub cursor: Vec<Value>,
}

/// How far a step that writes to this database has read from its API (never-twice rule 18).
#[derive(Debug, Clone, PartialEq)]
pub struct CursorMove {
    /// The task.
    pub task: Name,
    /// The step.
    pub step: Name,
    /// Where the next run begins.
    pub value: serde_json::Value,
    /// The time of the move.
    pub now: Timestamp,
}

/// What an upsert did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Rows that were inserted or updated.
    pub rows: u64,
    /// Whether a unique index on the key did the work. Without one each row is looked for, which is slow on
    /// large tables, and another program may insert the same key twice.
    pub by_unique_index: bool,
}

/// An open link.
#[derive(Debug)]
pub struct Link {
    driver: Driver,
}

#[derive(Debug)]
enum Driver {
    Sqlite(SqliteLink),
}

/// Opens a database as it is defined.
///
/// # Errors
/// Where the settings, the file or its kind are not right, or it is our own home.
pub fn open(database: &Database, guard: &Guard) -> Result<Link, DatabaseError> {
    open_with_limits(database, guard, Limits::default())
}

/// As [`open`], with limits of the caller's.
///
/// # Errors
/// As [`open`].
pub fn open_with_limits(database: &Database, guard: &Guard, limits: Limits) -> Result<Link, DatabaseError> {
    let driver = match database.kind {
        DatabaseKind::Sqlite => Driver::Sqlite(SqliteLink::open(
            &database.settings,
            database.writable,
            guard,
            limits,
        )?),
        other => {
            return Err(DatabaseError::Statement {
                message: format!("this build has no driver for {other:?}"),
                position: None,
                nearest: None,
            });
        }
    };
    Ok(Link { driver })
}

/// Makes a SQLite database that is not there yet, by a script. For samples; links never make one.
///
/// # Errors
/// Where the file exists or the script fails.
pub fn create(path: &Path, script: &str) -> Result<(), DatabaseError> {
    crate::sqlite::create(path, script)
}

impl Link {
    /// The tables and views, by name.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn tables(&mut self) -> Result<Vec<Table>, DatabaseError> {
        match &mut self.driver {
            Driver::Sqlite(link) => link.tables(),
        }
    }

    /// Reads at most `limit` rows.
    ///
    /// # Errors
    /// Where the statement is not one SELECT, its parameters do not match, or a value cannot be read exactly.
    pub fn query(
        &mut self,
        sql: &str,
        parameters: &Parameters,
        limit: usize,
    ) -> Result<Recordset, DatabaseError> {
        match &mut self.driver {
            Driver::Sqlite(link) => link.query(sql, parameters, limit),
        }
    }

    /// The columns that a statement yields, without running it.
    ///
    /// # Errors
    /// As [`Link::query`], as far as that can be known without running it.
    pub fn describe(&mut self, sql: &str) -> Result<Vec<String>, DatabaseError> {
        match &mut self.driver {
            Driver::Sqlite(link) => link.describe(sql),
        }
    }

    /// Reads all rows, chunk by chunk, in constant memory. The sink may stop the stream; the answer is the
    /// number of rows it was given.
    ///
    /// # Errors
    /// As [`Link::query`], and the sink's own.
    pub fn stream<E: From<DatabaseError>>(
        &mut self,
        sql: &str,
        parameters: &Parameters,
        options: &StreamOptions,
        sink: impl FnMut(Chunk) -> Result<ControlFlow<()>, E>,
    ) -> Result<u64, E> {
        match &mut self.driver {
            Driver::Sqlite(link) => link.stream(sql, parameters, options, sink),
        }
    }

    /// Updates the row with a record's key or inserts it, for all records in one transaction. Doing it twice
    /// leaves the same rows as doing it once.
    ///
    /// # Errors
    /// Where the link is read-only, the table or its columns do not fit, or the database refuses a row; then
    /// nothing is written.
    pub fn upsert(
        &mut self,
        table: &str,
        key: &[String],
        records: &[Record],
    ) -> Result<Written, DatabaseError> {
        match &mut self.driver {
            Driver::Sqlite(link) => link.upsert(table, key, records, None),
        }
    }

    /// As [`Link::upsert`], and moves a cursor in the same transaction: the records and the place after them
    /// are stored both or not at all (never-twice rule 18). The cursor's table is made where it is missing.
    ///
    /// # Errors
    /// As [`Link::upsert`].
    pub fn upsert_with_cursor(
        &mut self,
        table: &str,
        key: &[String],
        records: &[Record],
        cursor: &CursorMove,
    ) -> Result<Written, DatabaseError> {
        match &mut self.driver {
            Driver::Sqlite(link) => link.upsert(table, key, records, Some(cursor)),
        }
    }

    /// The cursor that [`Link::upsert_with_cursor`] stored; absent before its first call.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn read_cursor(
        &mut self,
        task: &Name,
        step: &Name,
    ) -> Result<Option<serde_json::Value>, DatabaseError> {
        match &mut self.driver {
            Driver::Sqlite(link) => link.read_cursor(task, step),
        }
    }

    /// The statements that write down the changes of a table, for a person to review: the outbox table, and a
    /// trigger for each kind of change.
    ///
    /// # Errors
    /// Where there is no such table or column, or no key.
    pub fn outbox_sql(&mut self, watched: &Watched) -> Result<Vec<String>, DatabaseError> {
        match &mut self.driver {
            Driver::Sqlite(link) => link.outbox_sql(watched),
        }
    }

    /// Runs the statements of [`Link::outbox_sql`] in one transaction; doing it again renews the triggers.
    ///
    /// # Errors
    /// As [`Link::outbox_sql`], and where the link is read-only.
    pub fn install_outbox(&mut self, watched: &Watched) -> Result<Vec<String>, DatabaseError> {
        match &mut self.driver {
            Driver::Sqlite(link) => link.install_outbox(watched),
        }
    }

    /// Takes the triggers of a table away, and the outbox after the last of them. A table that is gone is fine.
    ///
    /// # Errors
    /// Where the link is read-only.
    pub fn remove_outbox(&mut self, table: &str) -> Result<Removed, DatabaseError> {
        match &mut self.driver {
            Driver::Sqlite(link) => link.remove_outbox(table),
        }
    }

    /// Compares the triggers of a table with those that it should have.
    ///
    /// # Errors
    /// Where there is no such table or column, or no key.
    pub fn outbox_state(&mut self, watched: &Watched) -> Result<OutboxState, DatabaseError> {
        match &mut self.driver {
            Driver::Sqlite(link) => link.outbox_state(watched),
        }
    }

    /// The oldest changes of some tables, at most [`crate::MAX_CHANGES_PER_READ`], in the order in which they
    /// were made. Reading takes nothing away.
    ///
    /// # Errors
    /// Where there is no outbox, or an entry of it cannot be read.
    pub fn read_outbox(&mut self, tables: &[String]) -> Result<Vec<Change>, DatabaseError> {
        match &mut self.driver {
            Driver::Sqlite(link) => link.read_outbox(tables),
        }
    }

    /// Takes changes out of the outbox, once they are kept elsewhere.
    ///
    /// # Errors
    /// Where the link is read-only or the database is locked.
    pub fn acknowledge_outbox(&mut self, ids: &[i64]) -> Result<usize, DatabaseError> {
        match &mut self.driver {
            Driver::Sqlite(link) => link.acknowledge_outbox(ids),
        }
    }
}
