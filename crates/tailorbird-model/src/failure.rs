//! A failure as data: what happened, in words for a person and in a code for a program.
//!
//! A failure is stored in the ledger and read after a crash, so it is plain data and never an error chain.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an answer, or the lack of one, means for the delivery (never-twice rule 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Meaning {
    /// The provider refused this content for good; another row may still go through.
    Rejected,
    /// The connection itself is at fault (credentials, level, plan, root): no row can go through, none is lost.
    ConnectionFault,
    /// The provider asks to come back later (429).
    RetryLater,
    /// Nothing was sent: refused connection, name not found, TLS failed before the first request byte.
    NotSent,
    /// It may or may not have arrived.
    InDoubt,
    /// The provider says that it already has this content.
    Duplicate,
}

/// A failed call or step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The code of the page that explains it, for example `SEND-001` (see [`crate::codes`]).
    pub code: String,
    /// Short, lower case, no full stop: what was attempted and how it ended.
    pub message: String,
    /// Whole sentences: the facts. Empty where the message says all.
    #[serde(default)]
    pub detail: String,
    /// Whole sentences: what to do next. Empty where nothing helps.
    #[serde(default)]
    pub hint: String,
    /// What it means for the delivery.
    pub meaning: Meaning,
    /// The HTTP status, where there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The provider's own code, for example `187` or `oauth1-permissions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_code: Option<String>,
    /// The provider's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_message: Option<String>,
    /// The earliest time at which trying again makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
}

impl Failure {
    /// Makes a failure with a code, its meaning and a message.
    pub fn new(code: &str, meaning: Meaning, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            detail: String::new(),
            hint: String::new(),
            meaning,
            status: None,
            provider_code: None,
            provider_message: None,
            retry_at: None,
        }
    }

    /// Adds the facts.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.message, self.code)
    }
}
