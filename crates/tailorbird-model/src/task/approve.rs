//! The `approve` step: a person releases records before they go on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Name;
use crate::service::Span;

/// Holds records until a person releases them. Where a call that has an effect takes the records, the person
/// sees the exact request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveStep {
    /// The step whose records are held.
    pub from: Name,
    /// What names a record: it is asked for once per key.
    pub key: String,
    /// The text that the person reads first; the record's columns where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show: Option<String>,
    /// Who may decide.
    #[serde(default = "operator")]
    pub role: Name,
    /// How long the question stands; then the record is rejected.
    #[serde(default = "week")]
    pub expires: Span,
}

/// The role that decides where the file does not say.
pub fn operator() -> Name {
    Name::known("operator")
}

/// How long a question stands where the file does not say.
fn week() -> Span {
    Span::from_seconds(7 * 86_400)
}
