//! The driver for SQLite files.

mod bind;
mod cursor;
mod decode;
mod open;
mod outbox;
mod query;
mod tables;
mod upsert;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, ErrorCode};

pub use cursor::CURSOR_TABLE;
pub(crate) use open::create;

use self::watch::Watch;
use crate::DatabaseError;
use crate::link::Limits;
use crate::nearest::nearest;

/// An open SQLite file.
#[derive(Debug)]
pub(crate) struct SqliteLink {
    connection: Connection,
    path: PathBuf,
    writable: bool,
    limits: Limits,
    watch: Arc<Watch>,
}

impl SqliteLink {
    /// Puts SQLite's error into our words.
    fn error(&self, error: rusqlite::Error, sql: &str) -> DatabaseError {
        // SQLite words a refusal differently for each thing refused, and does not always give its code.
        if let Some(what) = self.watch.refused() {
            return DatabaseError::Refused { what };
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                return DatabaseError::Locked {
                    path: self.path.clone(),
                    waited: self.limits.lock_wait,
                };
            }
            Some(ErrorCode::OperationInterrupted) => {
                return DatabaseError::TimeLimit {
                    limit: self.limits.statement,
                };
            }
            Some(ErrorCode::DiskFull) => {
                return DatabaseError::Full {
                    path: self.path.clone(),
                };
            }
            Some(ErrorCode::ReadOnly) => return DatabaseError::NotWritable,
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                return DatabaseError::File {
                    path: self.path.clone(),
                    problem: "is damaged or no SQLite file",
                };
            }
            Some(ErrorCode::CannotOpen) => {
                return DatabaseError::Open {
                    path: self.path.clone(),
                    source: error,
                };
            }
            _ => {}
        }
        match error {
            rusqlite::Error::MultipleStatement => DatabaseError::SeveralStatements,
            rusqlite::Error::Empty => DatabaseError::NoStatement,
            rusqlite::Error::SqlInputError { msg, offset, .. } => {
                let position = usize::try_from(offset).ok().map(|offset| position(sql, offset));
                let nearest = self.nearest_to(&msg);
                DatabaseError::Statement {
                    message: msg,
                    position,
                    nearest,
                }
            }
            rusqlite::Error::SqliteFailure(_, Some(message)) => {
                let nearest = self.nearest_to(&message);
                DatabaseError::Statement {
                    message,
                    position: None,
                    nearest,
                }
            }
            other => DatabaseError::Statement {
                message: other.to_string(),
                position: None,
                nearest: None,
            },
        }
    }

    /// The table that somebody may have meant, from SQLite's own words.
    fn nearest_to(&self, message: &str) -> Option<String> {
        let missing = message.strip_prefix("no such table: ")?;
        let tables = self.table_names().ok()?;
        nearest(missing, tables.iter().map(String::as_str)).map(ToOwned::to_owned)
    }
}

/// Line and column of a byte offset, from 1 on; the column counts characters.
fn position(sql: &str, offset: usize) -> (usize, usize) {
    let before = sql.get(..offset).unwrap_or(sql);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// Quotes an identifier, so that any name of a table or column can be used.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
