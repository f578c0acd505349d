//! The `for_each` step: steps inside steps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Step;
use crate::Name;

/// How deep `for_each` steps may be nested.
pub const MAX_NESTING: usize = 4;

/// Does steps for each record of another one. The nested steps see the record's columns under its name, for
/// example `{{ order.id }}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForEachStep {
    /// The step whose records are gone through.
    pub from: Name,
    /// The name under which nested expressions see the record. Nested steps also take the record itself from
    /// this name (`from: order`).
    #[serde(default = "parent", rename = "as")]
    pub name: Name,
    /// The nested steps, in order; at least one. They take records from each other.
    #[schemars(length(min = 1))]
    pub steps: Vec<Step>,
}

/// What a record is called where the file does not say.
fn parent() -> Name {
    Name::known("parent")
}
