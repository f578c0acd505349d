//! A delivery: one keyed effect on the outside, and the states it may pass through (never-twice rule 3).

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::key::DeliveryKey;
use crate::run::RunId;
use crate::{Failure, Name, Record};

/// The column of a stored record in which the engine keeps what the record saw beside its own columns: the run that
/// read it, what fired that run, variables. No step sees it.
pub const SEEN_COLUMN: &str = "tailorbird.seen";

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Known and not on its way, maybe with a not-before time.
    Pending,
    /// The intent is durable; the request may be leaving.
    Sending,
    /// Accepted by the provider.
    Delivered,
    /// Refused by the provider for good.
    Rejected,
    /// It may or may not have arrived.
    InDoubt,
    /// A person decided to leave it out.
    Skipped,
}

impl DeliveryState {
    /// All states, in the order of a delivery's life.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Sending,
        Self::Delivered,
        Self::Rejected,
        Self::InDoubt,
        Self::Skipped,
    ];

    /// The word used on the screen, in files and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::Rejected => "rejected",
            Self::InDoubt => "in_doubt",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DeliveryState {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|state| state.as_str() == word).ok_or_else(|| {
            format!("{word:?} is not a delivery state: use pending, sending, delivered, rejected, in_doubt or skipped")
        })
    }
}

/// What happens to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The intent to send became durable.
    Intend,
    /// The provider accepted it.
    Accepted,
    /// The provider refused it for good.
    Refused,
    /// It is known that nothing left, or the provider asked to come back later.
    NotSent,
    /// The answer was lost, or the process that was sending is dead.
    Lost,
    /// A look-up found it at the provider.
    FoundByLookUp,
    /// Two look-ups did not find it.
    AbsentByLookUp,
    /// A person says that it was sent.
    ResolvedSent,
    /// A person wants it sent again.
    ResolvedAgain,
    /// A person leaves it out.
    ResolvedSkip,
    /// The input of a rejected record changed, so it may be tried again (rule 12).
    ContentChanged,
    /// An older ledger came back, so it may have been sent since (rule 20).
    Restored,
}

/// The next state, or nothing where the event cannot happen in that state.
///
/// This is the whole ledger as a pure function. Each pair that is absent here is a bug somewhere else, and
/// the store refuses it.
pub fn next_state(state: DeliveryState, event: Event) -> Option<DeliveryState> {
    use DeliveryState as S;
    use Event as E;
    match (state, event) {
        (S::Pending, E::Intend) => Some(S::Sending),
        (S::Sending, E::Accepted) | (S::InDoubt, E::FoundByLookUp | E::ResolvedSent) => Some(S::Delivered),
        (S::Sending | S::Pending, E::Refused) => Some(S::Rejected),
        (S::Sending, E::NotSent) | (S::InDoubt, E::AbsentByLookUp | E::ResolvedAgain) => Some(S::Pending),
        (S::Sending, E::Lost) | (S::Pending, E::Restored) => Some(S::InDoubt),
        (S::Rejected, E::ResolvedAgain | E::ContentChanged) | (S::Skipped, E::ResolvedAgain) => {
            Some(S::Pending)
        }
        (S::Rejected, E::ResolvedSent) => Some(S::Delivered),
        (S::InDoubt | S::Rejected | S::Pending, E::ResolvedSkip) => Some(S::Skipped),
        _ => None,
    }
}

/// Identifies a delivery in the store. It is a number, printed as a string in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub i64);

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Serialize for DeliveryId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where deliveries of a step go: the origin of the root URL plus the provider's account id (rule 1).
///
/// A rehearsal on the sandbox therefore never marks production as sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Destination(pub String);

impl Destination {
    /// Names a destination by origin and account (or client key where the account is unknown).
    pub fn new(origin: &str, account: &str) -> Self {
        Self(format!("{origin}#{account}"))
    }
}

/// The identity of a delivery: unique in the ledger (rule 1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DeliveryIdentity {
    /// The task.
    pub task: Name,
    /// The step of the task.
    pub step: Name,
    /// Where it goes.
    pub destination: Destination,
    /// Which record.
    pub key: DeliveryKey,
}

/// A delivery as it is kept and shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Its number in the store.
    pub id: DeliveryId,
    /// What makes it unique.
    pub identity: DeliveryIdentity,
    /// The run that touched it last.
    pub run: RunId,
    /// The connection that it goes over.
    pub connection: Name,
    /// The operation.
    pub operation: Name,
    /// Where it stands.
    pub state: DeliveryState,
    /// How many times a request was intended.
    pub attempts: u32,
    /// The input columns, kept so that it can be sent later (rule 15).
    pub input: Record,
    /// The unsigned request as stored for repeats (rule 12), as JSON.
    pub request: serde_json::Value,
    /// SHA-256 of the rendered request; tells whether the content changed.
    pub fingerprint: String,
    /// The columns of the provider's answer.
    pub result: Option<Record>,
    /// Why it was rejected, is in doubt or waits.
    pub failure: Option<Failure>,
    /// Not to be sent before this time.
    pub not_before: Option<Timestamp>,
    /// When the last attempt's intent became durable.
    pub attempted_at: Option<Timestamp>,
    /// When it was accepted.
    pub delivered_at: Option<Timestamp>,
    /// Whether the later steps of its task have taken it up (rule 17).
    pub settled: bool,
    /// When it last changed.
    pub updated_at: Timestamp,
}
