//! The audit log: who changed what, when, from where.
//!
//! Invariant: a change and its line are one commit. A store that is [`Store::noting`] adds the line to the first job
//! that it writes; a job that fails takes the line with it, a job that changes nothing leaves it out.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::Value;
use serde::Serialize;

use crate::codec::time;
use crate::writer::Writing;
use crate::{Store, StoreError};

/// Lines that one call gives at most.
pub const MAX_AUDIT_PAGE: u32 = 200;

/// Characters of a detail that are kept: it says what, it is no copy of it.
const MAX_DETAIL: usize = 1_000;

/// Characters of names and addresses that are kept.
const MAX_WORD: usize = 200;

/// What is to be noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAudit {
    /// How somebody came in: `account`, `link`, `token`, `command_line` or `nobody`.
    pub came_by: &'static str,
    /// Under which name.
    pub who: String,
    /// What was done, for example `task.enabled`.
    pub what: &'static str,
    /// To what.
    pub object: String,
    /// More about it; no secret.
    pub detail: String,
    /// The address that it came from.
    pub address: String,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditLine {
    /// Its number.
    #[serde(serialize_with = "as_text")]
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// How somebody came in.
    pub came_by: String,
    /// Under which name.
    pub who: String,
    /// What was done.
    pub what: String,
    /// To what.
    pub object: String,
    /// More about it.
    pub detail: String,
    /// The address that it came from; empty for the command line.
    pub address: String,
}

/// Which lines.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only lines in which a text occurs: in who, what, object, detail or address.
    pub text: String,
    /// Only what this one did.
    pub who: String,
    /// Only this kind of change, or changes whose name begins so and a full stop: `task`.
    pub what: String,
    /// Go on before this line.
    pub before: Option<i64>,
    /// At most so many, up to [`MAX_AUDIT_PAGE`].
    pub limit: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields so")]
fn as_text<S: serde::Serializer>(number: &i64, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(number)
}

/// The line that waits for its commit.
#[derive(Debug, Clone)]
pub(crate) struct Noting(Arc<Mutex<Option<NewAudit>>>);

impl Noting {
    pub(crate) fn take(&self) -> Option<NewAudit> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn put_back(&self, line: Option<NewAudit>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }
}

impl Store {
    /// The same store, which adds a line to the log with the first change that it writes.
    #[must_use]
    pub fn noting(&self, line: NewAudit) -> Self {
        self.with_noting(Noting(Arc::new(Mutex::new(Some(line)))))
    }

    /// Adds a line by itself: for what changes nothing in the store.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn note(&self, line: NewAudit) -> Result<(), StoreError> {
        self.write(move |writing| add(writing, &line)).await
    }

    /// Lines, the newest first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditLine>, StoreError> {
        let mut sql = "SELECT * FROM audit WHERE id < ?".to_owned();
        let mut values = vec![Value::Integer(filter.before.unwrap_or(i64::MAX))];
        if !filter.who.is_empty() {
            sql.push_str(" AND who = ?");
            values.push(Value::Text(filter.who.clone()));
        }
        if !filter.what.is_empty() {
            sql.push_str(" AND (what = ? OR substr(what, 1, length(?) + 1) = ? || '.')");
            values.extend(std::iter::repeat_n(Value::Text(filter.what.clone()), 3));
        }
        if !filter.text.is_empty() {
            // Not LIKE: a text with `%` or `_` is what it is.
            sql.push_str(
                " AND instr(lower(who || char(10) || what || char(10) || object || char(10) || detail \
                 || char(10) || address), lower(?)) > 0",
            );
            values.push(Value::Text(filter.text.clone()));
        }
        sql.push_str(" ORDER BY id DESC LIMIT ?");
        values.push(Value::Integer(filter.limit.min(MAX_AUDIT_PAGE).into()));
        self.read(|db| {
            let mut statement = db.prepare_cached(&sql)?;
            let mut rows = statement.query(rusqlite::params_from_iter(values))?;
            let mut lines = Vec::new();
            while let Some(row) = rows.next()? {
                lines.push(line(row)?);
            }
            Ok(lines)
        })
    }
}

fn line(row: &Row<'_>) -> Result<AuditLine, StoreError> {
    Ok(AuditLine {
        id: row.get("id")?,
        at: time(row, "at")?,
        came_by: row.get("came_by")?,
        who: row.get("who")?,
        what: row.get("what")?,
        object: row.get("object")?,
        detail: row.get("detail")?,
        address: row.get("address")?,
    })
}

/// Adds a line in an open transaction.
pub(crate) fn add(writing: &Writing<'_>, line: &NewAudit) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached(
            "INSERT INTO audit (at, came_by, who, what, object, detail, address) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            writing.now.as_microsecond(),
            line.came_by,
            cut(&line.who, MAX_WORD),
            line.what,
            cut(&line.object, MAX_WORD),
            cut(&line.detail, MAX_DETAIL),
            cut(&line.address, MAX_WORD),
        ))?;
    Ok(())
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
