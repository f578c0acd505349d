//! What a trigger brought: kept in the inbox until a run has worked on it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Name;
use crate::run::RunId;

/// The number of an event in the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub i64);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Where an event came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventSource {
    /// A request of a provider.
    Webhook,
    /// A file that arrived in a folder.
    File,
    /// A row that changed in a database.
    Database,
}

impl EventSource {
    /// The word used in files, in JSON and in expressions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::File => "file",
            Self::Database => "database",
        }
    }
}

impl FromStr for EventSource {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        [Self::Webhook, Self::File, Self::Database]
            .into_iter()
            .find(|source| source.as_str() == word)
            .ok_or_else(|| format!("{word:?} is not a source of events"))
    }
}

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventState {
    /// Received; no run has it.
    New,
    /// A run has it.
    Taken,
    /// Its run has ended, and nothing is left to do.
    Done,
}

impl EventState {
    /// The word used in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Taken => "taken",
            Self::Done => "done",
        }
    }
}

impl FromStr for EventState {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        [Self::New, Self::Taken, Self::Done]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| format!("{word:?} is not a state of an event"))
    }
}

/// An event as the inbox keeps it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TriggerEvent {
    /// Its number; later events have greater ones.
    pub id: EventId,
    /// The task that it starts.
    pub task: Name,
    /// Where it came from.
    pub source: EventSource,
    /// What people call it: a delivery id, a file's name, a changed row.
    pub label: String,
    /// When it was received.
    pub received_at: Timestamp,
    /// Where it stands.
    pub state: EventState,
    /// The run that works or worked on it.
    pub run: Option<RunId>,
    /// What it says, in the form of its source; null once it was dropped for its age.
    pub payload: serde_json::Value,
}
