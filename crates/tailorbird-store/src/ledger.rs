//! The ledger: what left, what did not, and what nobody knows (never-twice rules 1 to 17).
//!
//! Invariants: a delivery is unique by lane and key; it changes its state only along
//! [`tailorbird_model::delivery::next_state`]; its narrow row is never deleted; what a call here has
//! returned is on disk.

mod advancing;
pub(crate) mod chain;
mod enrol;
mod identity;
pub(crate) mod outcome;
mod reading;
mod resolving;
mod retention;
mod rows;
mod sending;
pub(crate) mod tally;
mod verify;
mod wanted;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tailorbird_model::delivery::{Delivery, DeliveryId, DeliveryIdentity, DeliveryState, Destination, Event};
use tailorbird_model::key::DeliveryKey;
use tailorbird_model::run::RunId;
use tailorbird_model::{Failure, Name, Record};

pub use advancing::{Advanced, AdvancedBatch, DueRequest, Next, NextBatch, SendingAs};
pub use identity::{Rekey, StepIdentity};
pub use reading::{DeliveryFilter, MAX_DELIVERY_PAGE};
pub use resolving::Resolution;
pub use retention::{MIN_KEEP, Retention};
pub use verify::{ChainHead, ChainReport, MAX_NAMED as MAX_MISFITS, Misfit};
pub use wanted::WantedTask;

use crate::StoreError;

/// Deliveries that one call may bring. A chunk is far smaller; a greater batch would hold up every other
/// writer for the time of its transaction.
pub const MAX_BATCH: usize = 10_000;

/// The task, step and destination that a stream of deliveries shares.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lane {
    /// The task.
    pub task: Name,
    /// The step.
    pub step: Name,
    /// Where the deliveries go.
    pub destination: Destination,
}

impl Lane {
    /// Names a lane.
    pub fn new(task: Name, step: Name, destination: Destination) -> Self {
        Self {
            task,
            step,
            destination,
        }
    }

    /// The lane of a delivery.
    pub fn of(identity: &DeliveryIdentity) -> Self {
        Self {
            task: identity.task.clone(),
            step: identity.step.clone(),
            destination: identity.destination.clone(),
        }
    }
}

/// A record that is to be delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDelivery {
    /// What makes it unique.
    pub identity: DeliveryIdentity,
    /// The run that brings it.
    pub run: RunId,
    /// The connection that it goes over.
    pub connection: Name,
    /// The operation.
    pub operation: Name,
    /// The input columns.
    pub input: Record,
    /// The unsigned request, as JSON; it holds no secret.
    pub request: serde_json::Value,
    /// SHA-256 of the rendered request; tells whether the content changed.
    pub fingerprint: String,
    /// Not to be sent before this time.
    pub not_before: Option<Timestamp>,
}

/// What the ledger made of a record (rules 2 and 12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enrolment {
    /// It is new, and pending now; in doubt where the home came back from a backup (rule 20).
    New,
    /// It was pending already, and the stored request stays the one that will be sent.
    Open {
        /// The record's content differs from what is stored.
        conflict: bool,
    },
    /// It was rejected, its content has changed, and it is pending again with the new content.
    TriedAgain,
    /// It is on its way.
    InFlight {
        /// The record's content differs from what is stored.
        conflict: bool,
    },
    /// It was delivered; changed content makes no difference.
    Already {
        /// Whether the later steps have taken it up.
        settled: bool,
    },
    /// It is not sent: rejected with this very content, in doubt, or skipped.
    Held {
        /// Which of the three.
        state: DeliveryState,
        /// The record's content differs from what is stored; only reported while it is in doubt.
        conflict: bool,
    },
    /// The same key came earlier in this batch; that one counts.
    SameKey {
        /// The place of the first in the batch.
        first: usize,
    },
}

/// A record after it was enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// Its number.
    pub id: DeliveryId,
    /// What the ledger made of it.
    pub enrolment: Enrolment,
    /// The run that had touched it before this call; this call's own where it is new. A run that goes on
    /// after a crash finds its own name here and does not count the record twice.
    pub run: RunId,
    /// Attempts so far.
    pub attempts: u32,
    /// Not to be sent before this time.
    pub not_before: Option<Timestamp>,
}

/// A delivery whose intent is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intended {
    /// Which.
    pub id: DeliveryId,
    /// The attempt, from 1 on. The outcome must name it.
    pub attempt: u32,
}

/// How an attempt ended, or how a doubt was settled by a look-up.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Which delivery.
    pub id: DeliveryId,
    /// The attempt that it belongs to.
    pub attempt: u32,
    /// What happened.
    pub event: Event,
    /// The columns of the provider's answer.
    pub result: Option<Record>,
    /// The provider's id of what was made; where absent, the result's column `id`.
    pub result_id: Option<String>,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// Why it was rejected, is in doubt or has to wait.
    pub failure: Option<Failure>,
    /// Not to be sent again before this time.
    pub not_before: Option<Timestamp>,
    /// When it was accepted, where that is known better than by the time of this call.
    pub delivered_at: Option<Timestamp>,
    /// No later step takes it up: once delivered it is settled, too (rule 17).
    pub settled: bool,
}

impl Outcome {
    /// An outcome that says nothing but what happened.
    pub fn new(intended: Intended, event: Event) -> Self {
        Self {
            id: intended.id,
            attempt: intended.attempt,
            event,
            result: None,
            result_id: None,
            status: None,
            failure: None,
            not_before: None,
            delivered_at: None,
            settled: false,
        }
    }

    /// The provider accepted it.
    pub fn accepted(intended: Intended, result: Record) -> Self {
        Self {
            result: Some(result),
            ..Self::new(intended, Event::Accepted)
        }
    }

    /// It did not go through.
    pub fn failed(intended: Intended, event: Event, failure: Failure) -> Self {
        Self {
            status: failure.status,
            failure: Some(failure),
            ..Self::new(intended, event)
        }
    }
}

/// What a look-up at the provider found (rule 10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookUp {
    /// For which delivery.
    pub id: DeliveryId,
    /// For which attempt.
    pub attempt: u32,
    /// When.
    pub at: Timestamp,
    /// How many matches there were, without ids that the ledger holds.
    pub hits: u32,
    /// What was concluded, for example `not_sent_yet`, `not_sent`, `delivered`, `ask`.
    pub decision: String,
    /// The id that was found.
    pub result_id: Option<String>,
    /// What was compared, in words.
    pub detail: String,
}

/// An attempt that came to an end, or the one that is on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// From 1 on.
    pub number: u32,
    /// The run that made it.
    pub run: RunId,
    /// The life of the process that made it.
    pub epoch: String,
    /// When its intent became durable.
    pub intended_at: Timestamp,
    /// When its outcome was stored; absent while it is on its way.
    pub ended_at: Option<Timestamp>,
    /// How it ended, in the words of [`Event`].
    pub outcome: Option<Event>,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// Why it did not go through.
    pub failure: Option<Failure>,
}

/// A decision that a person took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// `sent`, `again` or `skip`.
    pub decision: String,
    /// The state that it was taken in.
    pub from: DeliveryState,
}

/// All that is known of one delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// The delivery as it stands.
    pub delivery: Delivery,
    /// Its attempts, in order.
    pub attempts: Vec<Attempt>,
    /// The look-ups made for it, in order.
    pub look_ups: Vec<LookUp>,
    /// What people decided about it, in order.
    pub decisions: Vec<Decision>,
}

/// The hash under which a key is kept. It is not keyed: a lost sealing key must not make the ledger forget
/// what it has sent.
pub(crate) fn key_hash(key: &DeliveryKey) -> [u8; 32] {
    Sha256::digest(key.as_str().as_bytes()).into()
}

/// Refuses batches that are too large.
pub(crate) fn check_batch(what: &'static str, given: usize) -> Result<(), StoreError> {
    if given > MAX_BATCH {
        return Err(StoreError::TooMany {
            what,
            given,
            limit: MAX_BATCH,
        });
    }
    Ok(())
}
