//! A record that waits for a person's release.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::key::DeliveryKey;
use crate::run::RunId;
use crate::{Name, Record};

/// Where the question about a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Nobody has decided yet.
    Waiting,
    /// A person released it.
    Released,
    /// A person refused it: it is skipped.
    Refused,
    /// Nobody decided in time: it is rejected.
    Expired,
}

impl ApprovalState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Released, Self::Refused, Self::Expired];

    /// The word used on the screen, in files and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Released => "released",
            Self::Refused => "refused",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for ApprovalState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ApprovalState {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| {
                format!("{word:?} is not a state of an approval: use waiting, released, refused or expired")
            })
    }
}

/// Identifies a question in the store. It is a number, printed as a string in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApprovalId(pub i64);

impl fmt::Display for ApprovalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Serialize for ApprovalId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A request that goes out when its record is released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownRequest {
    /// The step that sends it.
    pub step: Name,
    /// The connection that it goes over.
    pub connection: Name,
    /// The operation.
    pub operation: Name,
    /// The HTTP method; absent where no request can be built.
    pub method: Option<String>,
    /// The whole address.
    pub address: Option<String>,
    /// The body as text.
    pub body: Option<String>,
    /// Why no request can be built, where that is so.
    pub problem: Option<String>,
}

/// The question about a record, as it is kept and shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Approval {
    /// Its number in the store.
    pub id: ApprovalId,
    /// The task.
    pub task: Name,
    /// The step.
    pub step: Name,
    /// Which record.
    pub key: DeliveryKey,
    /// The run that asked last.
    pub run: RunId,
    /// Where it stands.
    pub state: ApprovalState,
    /// The text that a person reads first.
    pub shown: String,
    /// The exact requests that would be sent.
    pub requests: Vec<ShownRequest>,
    /// A digest of what is shown and sent: released is this and nothing else.
    #[serde(skip)]
    pub fingerprint: String,
    /// The record.
    #[serde(serialize_with = "as_shown")]
    pub input: Record,
    /// Who may decide.
    pub role: Name,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// Until when it can be decided.
    pub expires_at: Timestamp,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// Why it was refused, or asked again.
    pub reason: Option<String>,
}

/// For people and command-line consumers, not for storing.
fn as_shown<S: serde::Serializer>(record: &Record, serializer: S) -> Result<S::Ok, S::Error> {
    record.to_json().serialize(serializer)
}
