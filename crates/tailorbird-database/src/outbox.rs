//! Changes of rows, written down by the database itself: what to watch, and what was seen.

use tailorbird_model::change::ChangeKind;
use tailorbird_model::{Record, Value};

/// The table in the business database that holds changes until we have them.
pub const OUTBOX_TABLE: &str = "_tailorbird_outbox";

/// Changes that one reading yields at most.
pub const MAX_CHANGES_PER_READ: u32 = 500;

/// A table whose changes are to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The table.
    pub table: String,
    /// The columns that identify a row; the primary key where empty.
    pub key: Vec<String>,
    /// Which changes.
    pub on: Vec<ChangeKind>,
}

/// A row that changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its number in the outbox; later changes have greater ones.
    pub id: i64,
    /// When it was, in the database's own words.
    pub at: String,
    /// The table.
    pub table: String,
    /// What happened.
    pub kind: ChangeKind,
    /// The columns after the change, or before it where the row is gone; then `operation`, `change_id`,
    /// `changed_at` and `old`, the key before an update. A column of the table that has one of these names gets
    /// an underscore behind it.
    pub record: Record,
}

/// How the triggers of a table stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutboxState {
    /// Changes that no trigger writes down, though they are wanted.
    pub missing: Vec<ChangeKind>,
    /// Changes whose trigger is not the one that we would make today: the table was altered since, or a person
    /// edited it.
    pub different: Vec<ChangeKind>,
}

/// What removing took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    /// Triggers.
    pub triggers: usize,
    /// Changes that nobody had received.
    pub changes: u64,
    /// Whether the outbox itself went, because no trigger uses it any more.
    pub outbox: bool,
}

/// The names that a change adds to the columns of its row.
const ADDED: [&str; 4] = ["operation", "change_id", "changed_at", "old"];

/// The record of a change.
pub(crate) fn record(
    row: Vec<(String, Value)>,
    kind: ChangeKind,
    id: i64,
    at: &str,
    old_key: Vec<(String, Value)>,
) -> Record {
    let own = row.into_iter().map(|(name, value)| {
        let is_taken = ADDED.contains(&name.as_str());
        (if is_taken { format!("{name}_") } else { name }, value)
    });
    let old = Record::from_pairs(old_key).to_json();
    let added = [
        Value::from(kind.as_str()),
        Value::Integer(id),
        at.parse().map_or_else(|_| Value::from(at), Value::Timestamp),
        Value::Json(old),
    ];
    Record::from_pairs(own.chain(ADDED.map(str::to_owned).into_iter().zip(added)))
}
