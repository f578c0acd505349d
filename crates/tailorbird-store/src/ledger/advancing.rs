//! The fast path of sending: what is due, a page at a time, and one job between two sends of a worker.
//!
//! A worker gives the outcome of what it sent and takes the intent of what it sends next in one job, so each
//! delivery costs it one wait for the disk; jobs of several workers share a commit. Both stand in the same
//! transaction: never are more deliveries `sending` than there are workers (rule 4), and an outcome is durable
//! before anything follows (rule 6).

use std::sync::Arc;

use tailorbird_model::Name;
use tailorbird_model::delivery::DeliveryId;
use tailorbird_model::money::Amount;
use tailorbird_model::run::RunId;

use super::outcome::record_sent;
use super::reading::MAX_DELIVERY_PAGE;
use super::rows::find_lane;
use super::sending::intend_one;
use super::{Intended, Lane, Outcome, check_batch};
use crate::charges::{Charges, Held};
use crate::codec::{count, parse};
use crate::error::RefusedTransition;
use crate::lock::Epoch;
use crate::{Store, StoreError};

/// What sending needs of a delivery that is due, and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRequest {
    /// Which delivery.
    pub id: DeliveryId,
    /// Attempts so far.
    pub attempts: u32,
    /// The connection that it was enrolled for.
    pub connection: Name,
    /// The operation.
    pub operation: Name,
    /// The stored request as JSON text; `null` where it was refused before one could be made.
    pub request: String,
}

/// On whose behalf intents are written.
#[derive(Debug, Clone)]
pub struct SendingAs {
    /// The run that sends.
    pub run: RunId,
    /// The process that sends.
    pub epoch: Epoch,
    /// What each send is counted against.
    pub charges: Charges,
}

/// What is to be sent next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// The delivery.
    pub id: DeliveryId,
    /// What it will cost.
    pub cost: Amount,
    /// How many items of a list its request holds; one where it holds none.
    pub items: u32,
}

/// The batch that is to be sent next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextBatch {
    /// The deliveries in it.
    pub ids: Vec<DeliveryId>,
    /// What the request will cost.
    pub cost: Amount,
    /// What each item costs besides.
    pub per_item: Amount,
}

/// What one job between two batches came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AdvancedBatch {
    /// The intents; those that are not pending and due any more are left out.
    pub intended: Vec<Intended>,
    /// Why nothing may be begun now; then there is no intent.
    pub held: Option<Held>,
}

/// What one job between two sends came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Advanced {
    /// The intent of the next one; none where it is not pending and due any more.
    pub intended: Option<Intended>,
    /// Why the outcome of the last one was not taken, where the ledger has moved on meanwhile.
    pub refused: Option<RefusedTransition>,
    /// Why nothing may be begun now; then there is no intent.
    pub held: Option<Held>,
}

impl Store {
    /// A page of what may be sent now, in the order of enrolment, behind a delivery (none: from the beginning).
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn due_requests(
        &self,
        lane: &Lane,
        after: Option<DeliveryId>,
        limit: u32,
    ) -> Result<Vec<DueRequest>, StoreError> {
        let now = (self.clock())().as_microsecond();
        self.read(|db| {
            let Some(lane) = find_lane(db, lane)? else {
                return Ok(Vec::new());
            };
            let mut statement = db.prepare_cached(
                "SELECT d.id, d.attempts, d.connection, d.operation, coalesce(c.request, 'null')
                 FROM delivery d LEFT JOIN delivery_content c ON c.delivery = d.id
                 WHERE d.lane = ?1 AND d.state = 'pending' AND d.id > ?2
                   AND (d.not_before IS NULL OR d.not_before <= ?3)
                 ORDER BY d.id LIMIT ?4",
            )?;
            let after = after.map_or(0, |id| id.0);
            let mut rows = statement.query((lane, after, now, limit.min(MAX_DELIVERY_PAGE)))?;
            let mut due = Vec::new();
            while let Some(row) = rows.next()? {
                let (connection, operation) = (row.get_ref(2)?, row.get_ref(3)?);
                due.push(DueRequest {
                    id: DeliveryId(row.get(0)?),
                    attempts: count("attempts", row.get(1)?)?,
                    connection: parse("connection", connection.as_str().map_err(rusqlite::Error::from)?)?,
                    operation: parse("operation", operation.as_str().map_err(rusqlite::Error::from)?)?,
                    request: row.get(4)?,
                });
            }
            Ok(due)
        })
    }

    /// Lets the counting of a run's threshold begin anew.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn set_threshold_base(&self, run: &RunId, rejected: u64, ended: u64) -> Result<(), StoreError> {
        let run = run.0.clone();
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let (rejected, ended) = (number(rejected), number(ended));
        self.write(move |writing| {
            writing.connection.execute(
                "INSERT INTO run_threshold (run, rejected, ended) VALUES (?1, ?2, ?3)
                 ON CONFLICT (run) DO UPDATE SET rejected = excluded.rejected, ended = excluded.ended",
                (run, rejected, ended),
            )?;
            Ok(())
        })
        .await
    }

    /// Stores how the last send ended and makes the intent of the next one durable, in one commit.
    ///
    /// When this returns, a crash turns exactly the returned intent into doubt.
    ///
    /// # Errors
    /// Where the database refuses: then neither is stored, nothing may be sent, and the outcome must be stored
    /// again by [`Store::record`] (rule 6).
    pub async fn advance(
        &self,
        ended: Option<Outcome>,
        next: Option<Next>,
        sending: &Arc<SendingAs>,
    ) -> Result<Advanced, StoreError> {
        let sending = Arc::clone(sending);
        self.write_often(move |writing| {
            if ended.is_some() {
                writing.at("ledger.outcome");
            }
            let mut advanced = Advanced::default();
            if let Some(outcome) = &ended
                && let Err(reason) = record_sent(writing, outcome, &sending.run)?
            {
                advanced.refused = Some(RefusedTransition {
                    id: outcome.id,
                    event: outcome.event,
                    reason,
                });
            }
            if let Some(Next { id, cost, items }) = next {
                let charges = &sending.charges;
                advanced.held = charges.held(writing, items, cost)?;
                if advanced.held.is_none() {
                    advanced.intended = intend_one(writing, id, &sending.run, &sending.epoch)?;
                    if advanced.intended.is_some() {
                        charges.count(writing, items, cost)?;
                    }
                }
            }
            Ok(advanced)
        })
        .await
    }

    /// The same for a batch: stores how the items of the last one ended and makes the intents of the next one durable,
    /// in one commit.
    ///
    /// When this returns, a crash turns exactly the returned intents into doubt: at most as many as there are workers,
    /// times the items of a batch (rule 4).
    ///
    /// # Errors
    /// As [`Store::advance`].
    pub async fn advance_batch(
        &self,
        ended: Vec<Outcome>,
        next: Option<NextBatch>,
        sending: &Arc<SendingAs>,
    ) -> Result<AdvancedBatch, StoreError> {
        check_batch("outcomes", ended.len())?;
        check_batch("intents", next.as_ref().map_or(0, |next| next.ids.len()))?;
        let sending = Arc::clone(sending);
        self.write_often(move |writing| {
            for outcome in &ended {
                // Where the ledger has moved on meanwhile, a person or a later attempt decided.
                let _moved_on = record_sent(writing, outcome, &sending.run)?;
            }
            let mut advanced = AdvancedBatch::default();
            let Some(next) = &next else {
                return Ok(advanced);
            };
            let charges = &sending.charges;
            let cost = |items: usize| {
                next.cost
                    .plus(next.per_item.times(u64::try_from(items).unwrap_or(u64::MAX)))
            };
            let number = |items: usize| u32::try_from(items).unwrap_or(u32::MAX);
            let asked = next.ids.len();
            advanced.held = charges.held(writing, number(asked), cost(asked))?;
            if advanced.held.is_none() {
                for id in &next.ids {
                    advanced
                        .intended
                        .extend(intend_one(writing, *id, &sending.run, &sending.epoch)?);
                }
                let items = advanced.intended.len();
                if items > 0 {
                    charges.count(writing, number(items), cost(items))?;
                }
            }
            Ok(advanced)
        })
        .await
    }
}
