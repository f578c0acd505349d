//! The `transform` step: new columns from expressions.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Name;

/// Gives each record new columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransformStep {
    /// The step whose records are changed.
    pub from: Name,
    /// The new columns, each a literal or a text with expressions. All of them see the record as it came.
    pub columns: BTreeMap<String, serde_json::Value>,
    /// Whether the other columns stay. Where false, a record has the given columns only.
    #[serde(default = "keeps", skip_serializing_if = "Clone::clone")]
    pub keep: bool,
}

fn keeps() -> bool {
    true
}
