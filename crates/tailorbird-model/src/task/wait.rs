//! The `wait` step: the run goes on later.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::service::Span;

/// The longest wait: a year and a day.
pub const MAX_WAIT: Span = Span::from_seconds(366 * 86_400);

/// Waits for a length of time, or until a time. The run is *waiting* meanwhile and costs nothing; the wait goes on
/// over restarts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitStep {
    /// How long, from the moment when the run comes to this step.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub length: Option<Span>,
    /// Until when: a time, or an expression that yields one. A time that has passed is not waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}
