//! Opening the database file and bringing its schema up to date.
//!
//! Migrations go forward only, one file each, and never change once released.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior};

use crate::StoreError;

/// Marks a SQLite file as a Tailorbird home ("tBrd"). The database room refuses files that bear it.
pub const APPLICATION_ID: i32 = 0x7442_7264;

/// The migrations, in order; the first is version 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001.sql"),
    include_str!("../migrations/0002.sql"),
    include_str!("../migrations/0003.sql"),
    include_str!("../migrations/0004.sql"),
];

/// How long a statement waits for another process before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Pages of the write-ahead log (16 MB) after which they are moved into the file. A page that changes often, as the
/// ends of the ledger's tables do, is then moved once for many commits.
const CHECKPOINT_PAGES: i64 = 4_000;

/// Memory for pages that the writer keeps, in KiB: the upper levels of the indexes of a million deliveries.
const CACHE_KIB: i64 = 4_096;

/// Prepared statements kept per connection.
const STATEMENT_CACHE: usize = 128;

/// What the caller expects to find in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    /// Nothing: the home is being made.
    Empty,
    /// A home's database.
    Home,
}

/// The newest schema version that this program knows.
pub(crate) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Opens the one connection that writes.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    // Without SQLITE_OPEN_CREATE: a ledger that went missing must never be made anew in silence.
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL syncs the log at each commit: what we call durable survives a power cut (rule 22).
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    Ok(connection)
}

/// Opens a connection that can only read.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    Ok(connection)
}

/// Opens a connection that reads one moment of the database and copies it into another file. It cannot write to
/// the database itself.
pub(crate) fn open_copier(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

/// Checks that the file is what it should be, and applies the migrations that it lacks.
pub(crate) fn migrate(
    connection: &mut Connection,
    home: &Path,
    now: Timestamp,
    expect: Expect,
) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let odd = |problem: &str| StoreError::HomeOdd {
        path: home.to_owned(),
        problem: problem.to_owned(),
        hint: "Put ledger.db back from your backup: an empty one would send everything again.",
    };
    let application_id: i32 = transaction.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let objects: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match expect {
        Expect::Empty if application_id != 0 || objects != 0 => return Err(odd("has a ledger.db already")),
        Expect::Home if objects == 0 => return Err(odd("has a ledger.db that is empty")),
        Expect::Home if application_id != APPLICATION_ID => {
            return Err(odd("has a ledger.db that was not made by this program"));
        }
        Expect::Empty | Expect::Home => {}
    }
    let found = if objects == 0 { 0 } else { version(&transaction)? };
    if found > newest() {
        return Err(StoreError::SchemaNewer {
            found,
            known: newest(),
        });
    }
    for (number, sql) in (1_i64..).zip(MIGRATIONS).filter(|(number, _)| *number > found) {
        transaction.execute_batch(sql)?;
        transaction.execute(
            "INSERT INTO schema_version (version, applied_at) VALUES (?1, ?2)",
            (number, now.as_microsecond()),
        )?;
    }
    if expect == Expect::Empty {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    transaction.commit()?;
    Ok(())
}

/// The schema version of a database that has one.
pub(crate) fn version(connection: &Connection) -> Result<i64, StoreError> {
    let found = connection
        .query_row("SELECT max(version) FROM schema_version", [], |row| {
            row.get::<_, Option<i64>>(0)
        })
        .optional()?;
    Ok(found.flatten().unwrap_or(0))
}
