//! A run: one execution of a task.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Failure, Name};

/// Identifies a run, for example `run-20261123-164201-7f3a`. It sorts by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Known, not begun.
    Queued,
    /// Working.
    Running,
    /// Waiting for a limit or a time; costs nothing, goes on by itself.
    Waiting,
    /// Held by a person.
    Paused,
    /// Stopped until a person has mended something.
    NeedsAttention,
    /// Ended; rejected records are in the counts.
    Succeeded,
    /// Ended by an error of its own.
    Failed,
    /// Ended by a person.
    Cancelled,
}

impl RunState {
    /// All of them, in the order of a run's life.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Running,
        Self::Waiting,
        Self::Paused,
        Self::NeedsAttention,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word used on the screen, in files and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::NeedsAttention => "needs_attention",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Tells whether the run has come to its end.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl FromStr for RunState {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| format!("{word:?} is not a run state"))
    }
}

/// What a run did, record by record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Records read from a database or an API.
    pub read: u64,
    /// Sent in this run and accepted.
    pub delivered: u64,
    /// Not sent, because an earlier run had delivered them.
    pub already: u64,
    /// Refused for good.
    pub rejected: u64,
    /// Nobody knows yet whether they arrived.
    pub in_doubt: u64,
    /// Left out by a person's decision.
    pub skipped: u64,
    /// Left out because `when` was false.
    pub not_due: u64,
    /// Rows written to a database.
    pub written: u64,
}

impl Counts {
    /// Takes another count away from this one; nothing falls below zero.
    #[must_use]
    pub fn less(&self, other: &Self) -> Self {
        Self {
            read: self.read.saturating_sub(other.read),
            delivered: self.delivered.saturating_sub(other.delivered),
            already: self.already.saturating_sub(other.already),
            rejected: self.rejected.saturating_sub(other.rejected),
            in_doubt: self.in_doubt.saturating_sub(other.in_doubt),
            skipped: self.skipped.saturating_sub(other.skipped),
            not_due: self.not_due.saturating_sub(other.not_due),
            written: self.written.saturating_sub(other.written),
        }
    }

    /// Adds another count to this one.
    pub fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.delivered += other.delivered;
        self.already += other.already;
        self.rejected += other.rejected;
        self.in_doubt += other.in_doubt;
        self.skipped += other.skipped;
        self.not_due += other.not_due;
        self.written += other.written;
    }

    /// What was counted since an earlier count of the same run.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            read: self.read.saturating_sub(earlier.read),
            delivered: self.delivered.saturating_sub(earlier.delivered),
            already: self.already.saturating_sub(earlier.already),
            rejected: self.rejected.saturating_sub(earlier.rejected),
            in_doubt: self.in_doubt.saturating_sub(earlier.in_doubt),
            skipped: self.skipped.saturating_sub(earlier.skipped),
            not_due: self.not_due.saturating_sub(earlier.not_due),
            written: self.written.saturating_sub(earlier.written),
        }
    }
}

/// A run as it is kept and shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Which run.
    pub id: RunId,
    /// The task it executes.
    pub task: Name,
    /// The version of the task that is pinned to this run.
    pub task_version: i64,
    /// Where it stands.
    pub state: RunState,
    /// What it did so far.
    pub counts: Counts,
    /// When it was opened.
    pub started_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it failed, waits or needs attention.
    pub failure: Option<Failure>,
    /// When it goes on, where it waits.
    pub resume_at: Option<Timestamp>,
}

/// What a run is opened with, beside its task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunInput {
    /// What opened it: `manual`, `schedule`, `webhook`, `file`, `database`, `after`, `task`, `again`.
    pub cause: String,
    /// Names the occasion: a time of the schedule, a message, a file. A task has one run for each occasion;
    /// absent, every opening is a run of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occasion: Option<String>,
    /// The run that called this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<RunId>,
    /// Values of run variables that the caller gives.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, serde_json::Value>,
    /// What fired, as a small reference (a time, a range of the inbox, a path), never the records themselves.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub data: serde_json::Value,
}

/// The cause of a run that carries out decisions.
const AGAIN: &str = "again";

impl RunInput {
    /// The input of a run that a person starts.
    pub fn manual() -> Self {
        Self::of("manual")
    }

    /// The input of a run that carries out what a person decided about records of the ledger: it reads nothing, and
    /// sends and writes back what is there. `last` is the number of the last decision.
    pub fn again(last: i64) -> Self {
        Self {
            occasion: Some(format!("{AGAIN} {last}")),
            ..Self::of(AGAIN)
        }
    }

    /// Tells whether the run reads nothing (see [`RunInput::again`]).
    pub fn is_again(&self) -> bool {
        self.cause == AGAIN
    }

    /// An input with nothing but its cause.
    pub fn of(cause: &str) -> Self {
        Self {
            cause: cause.to_owned(),
            occasion: None,
            parent: None,
            variables: BTreeMap::new(),
            data: serde_json::Value::Null,
        }
    }

    /// Tells whether the run works on something of its own, so that another run of the task cannot take its
    /// place: what fired, values of a caller.
    pub fn is_own(&self) -> bool {
        self.parent.is_some() || !self.variables.is_empty() || !self.data.is_null()
    }
}
