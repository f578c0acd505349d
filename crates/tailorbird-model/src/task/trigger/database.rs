//! Rows that change in a database.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Name;
use crate::change::ChangeKind;
use crate::service::Span;

/// How often the outbox is looked at, where the file does not say.
const EVERY: Span = Span::from_seconds(10);

/// Starts a run for rows that changed. The database writes each change down by itself, with the triggers that
/// `tailorbird database trigger-sql` makes, so that nothing is missed while nobody looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseTrigger {
    /// The database; it must be writable, because what was received is taken out of its outbox.
    pub database: Name,
    /// The table.
    pub table: String,
    /// The columns that identify a row; the primary key where absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// Which changes count; all where absent.
    #[serde(default = "all")]
    pub on: Vec<ChangeKind>,
    /// How often the outbox is looked at.
    #[serde(default = "every")]
    pub every: Span,
}

fn all() -> Vec<ChangeKind> {
    ChangeKind::ALL.to_vec()
}

fn every() -> Span {
    EVERY
}
