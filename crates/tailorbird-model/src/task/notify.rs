//! Whom a task tells when something needs a person.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Name;
use crate::service::Span;

/// The time in which at most one notice goes out, where a task does not say.
pub const DEFAULT_DIGEST: Span = Span::from_seconds(3_600);

/// Tells the task's owner when something needs a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    /// Where notices go, as a signed webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<NotifyWebhook>,
    /// Whom notices go to by mail, over the mail server of the home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<NotifyMail>,
    /// What is told; all of it where absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<NotifyOn>,
    /// At most one notice goes out in this time, and tells all that happened; `1h` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
}

impl Notify {
    /// Tells whether this is told.
    pub fn tells(&self, what: NotifyOn) -> bool {
        self.on.is_empty() || self.on.contains(&what)
    }

    /// The time in which at most one notice goes out.
    pub fn digest(&self) -> Span {
        self.every.unwrap_or(DEFAULT_DIGEST)
    }
}

/// A receiver of notices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotifyWebhook {
    /// A connection of the service `webhook`, or of any other without an authentication of its own.
    pub connection: Name,
    /// The path below its root URL; the root URL itself where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// The recipients of notices by mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotifyMail {
    /// The addresses; at least one, at most 20.
    #[schemars(length(min = 1, max = 20))]
    pub to: Vec<String>,
}

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotifyOn {
    /// A run failed.
    Failed,
    /// A run stopped until a person has mended something.
    NeedsAttention,
    /// A run ended, and nobody knows of some records whether they arrived.
    InDoubt,
    /// A run stopped because more was rejected than the task's `stop` allows.
    Threshold,
}

impl NotifyOn {
    /// The word used in files and in notices.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::NeedsAttention => "needs_attention",
            Self::InDoubt => "in_doubt",
            Self::Threshold => "threshold",
        }
    }
}
