//! The seam between what a run does and what makes it survive: the interpreter asks, a [`Durable`] answers.
//!
//! Tried on three engines with one interpreter: a journal of our own, Temporal and Restate. So nothing here knows a
//! store, and what passes through is small: places, counts and references, never records.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tailorbird_model::run::{Counts, RunId};
use tailorbird_model::{Failure, Name};

/// A place in a task: the step, then the part of it. It names and never counts what happened, so a run that is
/// taken up again comes by the same places.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepPath(String);

impl StepPath {
    /// The place of a step itself.
    pub fn of(step: &Name) -> Self {
        Self(step.to_string())
    }

    /// A part of this place.
    #[must_use]
    pub fn at(&self, part: impl fmt::Display) -> Self {
        Self(format!("{}/{part}", self.0))
    }

    /// The place as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StepPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an effect does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectKind {
    /// Finds out what the step does; makes it ready.
    Begin,
    /// Does the next part of the step: a reading, a page, a moment of waiting.
    Chunk,
    /// Brings the one record of a call without a source into the ledger.
    Enrol,
    /// Settles the doubts that can be settled now.
    Settle,
    /// Sends what is due now.
    Send,
    /// Hands what was delivered to the later steps.
    Emit,
    /// Tells, when all steps have ended, whether the run still waits for something: then it waits, and goes on at
    /// the step whose number in the task is the cursor.
    Finish,
}

impl EffectKind {
    /// The word for traces.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Chunk => "chunk",
            Self::Enrol => "enrol",
            Self::Settle => "settle",
            Self::Send => "send",
            Self::Emit => "emit",
            Self::Finish => "finish",
        }
    }
}

/// What the interpreter asks to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectCall {
    /// Where in the task.
    pub path: StepPath,
    /// The step.
    pub step: Name,
    /// What to do.
    pub kind: EffectKind,
    /// Where the effect begins, as the one before it said; a small reference, never data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Json>,
}

/// How a step is gone through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It has no turn of its own: it works when its source yields records.
    #[default]
    Passive,
    /// Part by part, until there is no more.
    Chunks,
    /// It delivers, with one record of its own where it has no source.
    Deliver {
        /// Whether it has one record of its own.
        once: bool,
    },
}

/// Why and until when the run waits before it goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// Not before this time.
    pub until: Timestamp,
    /// For what, in words that follow "waiting for".
    pub what: String,
    /// What the provider said, where that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The signal that ends the wait before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
}

impl Wait {
    /// A wait for a time.
    pub fn until(until: Timestamp, what: impl Into<String>) -> Self {
        Self {
            until,
            what: what.into(),
            failure: None,
            signal: None,
        }
    }
}

/// What came of an effect: counts, where the next one begins, and whether there is one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EffectOutput {
    /// How the step is gone through; of [`EffectKind::Begin`].
    pub role: Role,
    /// What was counted, beside what the ledger counts.
    pub counts: Counts,
    /// Where the next part begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Json>,
    /// Whether there is another part.
    pub more: bool,
    /// How many deliveries it moved: sent, or put back to be sent.
    pub moved: u64,
    /// How many have to be looked at again later.
    pub left: u64,
    /// What has to be waited for before the next part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<Wait>,
    /// The provider was not reached, for this reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreached: Option<Failure>,
    /// The provider asks to come later, for this reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub later: Option<Failure>,
}

/// Why a run does not go on. It says what happened as data, so it can be kept.
#[derive(Debug, Clone, PartialEq)]
pub enum RunEnd {
    /// Asked to stop; it goes on another time.
    Stopped,
    /// A person held it.
    Paused,
    /// A person ended it.
    Cancelled,
    /// It waits longer than it is kept in memory for.
    Waiting(Timestamp, Option<Failure>),
    /// A person must mend something.
    Attention(Failure),
    /// Something stands in the way that may pass: the effect is tried again a few times, then the run has failed.
    TryAgain(Failure),
    /// It ended by an error of its own.
    Failed(Failure),
}

impl From<tailorbird_store::StoreError> for RunEnd {
    fn from(error: tailorbird_store::StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// What a run may ask of whatever drives it. No `Send` bound: the context of a workflow is single-threaded.
///
/// Every call may end the run instead ([`RunEnd`]): a person asked for it, or it is parked. Later it is interpreted
/// again from the last checkpoint, and each call answers as it did before.
#[expect(
    async_fn_in_trait,
    reason = "whether the futures are `Send` follows from the engine, and must not be demanded of all"
)]
pub trait Durable: Clone {
    /// Which run this is.
    fn run_id(&self) -> RunId;

    /// The time of the journal: that of the last thing which was answered. The same whenever it is asked again.
    fn now(&self) -> Timestamp;

    /// Has something done, at least once; the ledger makes it once. Its answer is kept.
    ///
    /// # Errors
    /// A [`RunEnd`].
    async fn effect(&self, call: EffectCall) -> Result<EffectOutput, RunEnd>;

    /// Waits until a time, over any number of restarts.
    ///
    /// # Errors
    /// A [`RunEnd`].
    async fn sleep_until(&self, path: &StepPath, wait: &Wait) -> Result<(), RunEnd>;

    /// Waits for a signal, until a time; nothing where the time came first. Each signal is taken once.
    ///
    /// # Errors
    /// A [`RunEnd`].
    async fn signal(&self, path: &StepPath, name: &str, wait: &Wait) -> Result<Option<Json>, RunEnd>;

    /// Notes where the run goes on. What came before need not be answered any more.
    ///
    /// # Errors
    /// A [`RunEnd`].
    async fn checkpoint(&self, position: &crate::interpret::Position) -> Result<(), RunEnd>;
}
