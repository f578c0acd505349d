//! Opening a SQLite file, as narrowly as its definition allows.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::SqliteLink;
use super::watch::Watch;
use crate::DatabaseError;
use crate::link::{Guard, Limits};

/// The settings of a SQLite database; a test compares them with those that the forms ask for.
pub(crate) const SETTINGS: &[&str] = &["path"];

/// The bytes at which every SQLite file begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Where the application id stands in the file's header.
const APPLICATION_ID_AT: usize = 68;

/// Bytes of the file's header.
const HEADER_BYTES: usize = 100;

/// Prepared statements kept.
const STATEMENT_CACHE: usize = 32;

/// Bytes that SQLite must be able to handle for its own sake, however small the limit of a value.
const LEAST_ROW_BYTES: usize = 1024 * 1024;

/// How many values of the greatest size a row may have.
const VALUES_PER_ROW: usize = 4;

impl SqliteLink {
    pub(crate) fn open(
        settings: &BTreeMap<String, String>,
        writable: bool,
        guard: &Guard,
        limits: Limits,
    ) -> Result<Self, DatabaseError> {
        let path = path_of(settings)?;
        check_file(&path, guard)?;
        let link = connect(path, writable, limits)?;
        // The first read finds out whether the file is a database at all, and whether it is locked.
        link.watch.set_own(true);
        let probe = link
            .connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| {
                row.get::<_, i64>(0)
            });
        probe.map_err(|error| link.error(error, ""))?;
        link.watch.set_own(false);
        link.connection
            .set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        Ok(link)
    }
}

fn path_of(settings: &BTreeMap<String, String>) -> Result<PathBuf, DatabaseError> {
    let unknown: Vec<String> = settings
        .keys()
        .filter(|name| !SETTINGS.contains(&name.as_str()))
        .cloned()
        .collect();
    if !unknown.is_empty() {
        return Err(DatabaseError::SettingUnknown {
            names: unknown,
            valid: SETTINGS,
        });
    }
    settings
        .get("path")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .ok_or(DatabaseError::SettingMissing {
            name: "path",
            valid: SETTINGS,
        })
}

/// Looks at the file before SQLite does: SQLite would make a missing one, and would open our own.
fn check_file(path: &Path, guard: &Guard) -> Result<(), DatabaseError> {
    let wrong = |problem| DatabaseError::File {
        path: path.to_owned(),
        problem,
    };
    let real = path.canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => wrong("does not exist"),
        std::io::ErrorKind::PermissionDenied => wrong("is in a folder that this user may not read"),
        _ => wrong("cannot be found"),
    })?;
    let kind = real
        .metadata()
        .map_err(|_| wrong("cannot be read by this user"))?
        .file_type();
    if kind.is_dir() {
        return Err(wrong("is a folder"));
    }
    // Opening a pipe waits for a writer, and a device may do anything.
    if !kind.is_file() {
        return Err(wrong("is no regular file"));
    }
    if guard
        .files
        .iter()
        .filter_map(|file| file.canonicalize().ok())
        .any(|file| file == real)
    {
        return Err(DatabaseError::OwnHome {
            path: path.to_owned(),
        });
    }
    let mut header = Vec::with_capacity(HEADER_BYTES);
    File::open(&real)
        .and_then(|file| {
            file.take(u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX))
                .read_to_end(&mut header)
        })
        .map_err(|_| wrong("cannot be read by this user"))?;
    // An empty file is a valid database without tables.
    if !header.is_empty() && !header.starts_with(MAGIC) {
        return Err(wrong("is no SQLite file"));
    }
    let id = header
        .get(APPLICATION_ID_AT..)
        .and_then(|rest| rest.first_chunk::<4>())
        .map(|bytes| i32::from_be_bytes(*bytes));
    if id.is_some_and(|id| guard.application_ids.contains(&id)) {
        return Err(DatabaseError::OwnHome {
            path: path.to_owned(),
        });
    }
    Ok(())
}

fn connect(path: PathBuf, writable: bool, limits: Limits) -> Result<SqliteLink, DatabaseError> {
    let mode = if writable {
        OpenFlags::SQLITE_OPEN_READ_WRITE
    } else {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    };
    // Neither SQLITE_OPEN_CREATE nor SQLITE_OPEN_URI: a path is a path, and a missing file stays missing.
    let configure = || -> Result<(Connection, std::sync::Arc<Watch>), rusqlite::Error> {
        let mut connection = Connection::open_with_flags(&path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(limits.lock_wait)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
        let row_bytes = i32::try_from(
            limits
                .value_bytes
                .saturating_mul(VALUES_PER_ROW)
                .max(LEAST_ROW_BYTES),
        )
        .unwrap_or(i32::MAX);
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, row_bytes)?;
        if writable {
            // SQLite leaves them off for old programs' sake; what we write must hold to the owner's rules.
            connection.pragma_update(None, "foreign_keys", true)?;
        } else {
            connection.pragma_update(None, "query_only", true)?;
        }
        let watch = Watch::install(&mut connection)?;
        Ok((connection, watch))
    };
    match configure() {
        Ok((connection, watch)) => {
            watch.allow(limits.statement);
            Ok(SqliteLink {
                connection,
                path,
                writable,
                limits,
                watch,
            })
        }
        Err(source) => Err(DatabaseError::Open { path, source }),
    }
}

/// Makes a database by a script.
pub(crate) fn create(path: &Path, script: &str) -> Result<(), DatabaseError> {
    if path.exists() {
        return Err(DatabaseError::File {
            path: path.to_owned(),
            problem: "exists already",
        });
    }
    let fail = |source| DatabaseError::Open {
        path: path.to_owned(),
        source,
    };
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(fail)?;
    let transaction = connection.transaction().map_err(fail)?;
    transaction
        .execute_batch(script)
        .map_err(|error| DatabaseError::Statement {
            message: error.to_string(),
            position: None,
            nearest: None,
        })?;
    transaction.commit().map_err(fail)
}

#[cfg(test)]
mod tests {
    use tailorbird_model::database::DatabaseKind;

    use super::*;

    #[test]
    fn forms_ask_for_the_settings_that_there_are() {
        let asked: Vec<&str> = DatabaseKind::Sqlite
            .fields()
            .iter()
            .map(|field| field.name)
            .collect();
        assert_eq!(asked, SETTINGS);
    }
}
