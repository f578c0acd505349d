//! The `filter` step: which records go on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Name;

/// Lets only some records go on: by a condition, by memory, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilterStep {
    /// The step whose records are filtered.
    pub from: Name,
    /// Which records go on: an expression that yields true or false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Lets a record go on only if it was not seen before, or has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
    /// What names a record in the memory; required with `only`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The columns whose change counts (with `only: changed`); all columns where absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compare: Vec<String>,
}

/// What a filter with memory lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Only {
    /// Records whose key was not seen before.
    New,
    /// Records whose key was not seen before, or whose compared columns differ from the last time.
    Changed,
}
