//! The `decide` step: each record takes one branch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Name;

/// Sends each record down the first branch whose condition holds. Later steps take a branch as
/// `STEP.BRANCH`, for example `from: route.big`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideStep {
    /// The step whose records are decided upon.
    pub from: Name,
    /// The branches, in the order in which they are tried; at least one.
    #[schemars(length(min = 1))]
    pub branches: Vec<Branch>,
}

/// One branch of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// Its name, unique in the step.
    pub name: Name,
    /// When a record takes it: an expression that yields true or false. A branch without one takes the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}
