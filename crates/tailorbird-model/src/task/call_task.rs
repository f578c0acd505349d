//! The `call_task` step: runs another task.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Name;

/// How deep tasks may call tasks at run time.
pub const MAX_CALL_DEPTH: usize = 8;

/// Runs another task, once or for each record, and follows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallTaskStep {
    /// The task that is run.
    pub task: Name,
    /// The step for each of whose records the task is run. Where absent, it is run once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_each: Option<Name>,
    /// What names a record; required with `for_each`. A run starts the task once per key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Values for the called task's variables of scope `run`.
    #[serde(default, rename = "with", skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, serde_json::Value>,
}
