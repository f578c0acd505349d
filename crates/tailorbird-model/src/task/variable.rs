//! Variables of a task, and the `set` step that changes them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Name;

/// A variable: read as `{{ variables.NAME }}` in all expressions, changed by a `set` step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// How long it keeps its value.
    #[serde(default)]
    pub scope: VariableScope,
    /// The value that it begins with.
    #[serde(default)]
    pub value: serde_json::Value,
}

/// How long a variable keeps its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VariableScope {
    /// It begins anew with each run. A caller may give another value.
    #[default]
    Run,
    /// It is kept from run to run.
    Task,
}

/// Changes variables: once, or for each record in turn (the last one holds).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetStep {
    /// The step whose records are looked at. Where absent, the variables are set once, when the run reaches
    /// this step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Name>,
    /// The new values, each a literal or a text with expressions.
    pub variables: BTreeMap<String, serde_json::Value>,
}
