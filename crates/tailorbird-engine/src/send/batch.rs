//! Sends deliveries in batches, where the operation takes a list and the task says so.
//!
//! Each record is a delivery of its own with a request of its own; only on the wire they share one. The intents of a
//! batch are one commit and its outcomes another. So at most workers times items are in doubt after a crash. A refusal
//! that names no item is no outcome: the batch is halved until the bad record stands alone.

use std::collections::HashMap;
use std::sync::Arc;

use tailorbird_connector::{
    BatchOutcome, ItemOutcome, Piece, Request, batch_outcome, is_repeatable, pack, relocated,
};
use tailorbird_model::delivery::Event;
use tailorbird_model::money::Amount;
use tailorbird_model::ports::Budget as _;
use tailorbird_model::service::{Operation, Taken};
use tailorbird_model::{Failure, Meaning, codes, fault};
use tailorbird_store::{Intended, NextBatch, Outcome, StoreError};
use tracing::Instrument as _;

use super::one::{Ready, Sent, outcome_of, send, was_in_doubt};
use super::pool::{Ended, Shared};
use super::queue::Taken as Row;
use crate::limits::MAX_STORE_TRIES;
use crate::spans;

/// How many records that are due are looked at for one batch, as a multiple of its size. Records in between that go
/// to another list, say, are left for the next batch.
const LOOK_AHEAD: usize = 4;

/// How the records of a call are packed.
#[derive(Debug, Clone)]
pub(super) struct Batching {
    pub(super) operation: Operation,
    /// The most records of one request.
    pub(super) most: usize,
    /// What each record costs besides the request.
    pub(super) per_item: Amount,
}

/// A record that is due, and its place in a batch; none where it can only go by itself.
pub(super) struct Item {
    ready: Ready,
    piece: Option<Piece>,
}

/// What a batch came to: outcomes, and groups that are to be sent again at once.
type Batch = (Vec<Ended>, Vec<Vec<Item>>);

impl Shared {
    /// One worker: outcomes of the last batch and intents of the next in one commit, then the send.
    pub(super) async fn work_in_batches(self: Arc<Self>, batching: Arc<Batching>) {
        let mut ended: Vec<Ended> = Vec::new();
        // What a refused batch was split into; each is smaller than the last, so this ends.
        let mut parts: Vec<Vec<Item>> = Vec::new();
        let mut slot = None;
        loop {
            for (outcome, sent) in &ended {
                self.count(outcome);
                if sent.rank() > 0 {
                    self.note(sent.clone());
                }
            }
            // Others wait for the connection: the outcomes are stored by themselves, and the slot goes round.
            if slot.is_some() && self.gate.is_wanted() {
                self.step_batch(&batching, std::mem::take(&mut ended), Vec::new())
                    .await;
                slot = None;
            }
            if slot.is_none() {
                slot = tokio::select! {
                    slot = self.gate.slot() => slot,
                    () = self.queue.until_over(), if parts.is_empty() => None,
                };
            }
            let may_begin = slot.is_some() && !self.queue.is_closed() && self.is_allowed();
            let next = match parts.pop() {
                _ if !may_begin => Vec::new(),
                Some(part) => part,
                None => match self.gather(&batching).await {
                    Some(items) => items,
                    None if ended.is_empty() => {
                        slot = None;
                        self.queue.until_filled().await;
                        continue;
                    }
                    None => Vec::new(),
                },
            };
            if ended.is_empty() && next.is_empty() {
                // Those that were refused before sending are stored; more may come.
                if may_begin && !self.queue.is_over() {
                    continue;
                }
                return;
            }
            let (outcomes, again) = self.step_batch(&batching, std::mem::take(&mut ended), next).await;
            ended = outcomes;
            parts.extend(again);
        }
    }

    /// The next records that can share a request; none where there is nothing now and more may come.
    async fn gather(&self, batching: &Batching) -> Option<Vec<Item>> {
        self.queue.until_at_least(batching.most).await;
        let first = match self.queue.take(self.low) {
            Row::Row(due) => *due,
            Row::Empty => return None,
            Row::Over => return Some(Vec::new()),
        };
        let ready = match Ready::read(self, first) {
            Ok(ready) => ready,
            Err(refusal) => {
                self.count(&refusal);
                self.store(refusal, true).await;
                return Some(Vec::new());
            }
        };
        let Some(piece) = Piece::of(&batching.operation, &ready.request) else {
            return Some(vec![Item { ready, piece: None }]);
        };
        let most_bytes = piece.most_bytes(&batching.operation);
        let mut bytes = piece.bytes();
        let mut pieces = Vec::new();
        let others = self.queue.take_fitting(
            self.low,
            batching.most.saturating_sub(1),
            batching.most * LOOK_AHEAD,
            |due| {
                let Ok(Some(request)) = serde_json::from_str::<Option<Request>>(&due.request) else {
                    return false;
                };
                let request = relocated(&self.route.resolved, request);
                let Some(other) = Piece::of(&batching.operation, &request) else {
                    return false;
                };
                let fits = other.fits(&piece) && bytes + other.bytes() <= most_bytes;
                if fits {
                    bytes += other.bytes();
                    pieces.push((request, other));
                }
                fits
            },
        );
        let mut items = vec![Item {
            ready,
            piece: Some(piece),
        }];
        items.extend(
            others
                .into_iter()
                .zip(pieces)
                .map(|(due, (request, piece))| Item {
                    ready: Ready::of(self, due, request),
                    piece: Some(piece),
                }),
        );
        Some(items)
    }

    /// One job for the store, and the send that it allows.
    async fn step_batch(&self, batching: &Batching, ended: Vec<Ended>, next: Vec<Item>) -> Batch {
        if ended.is_empty() && next.is_empty() {
            return Batch::default();
        }
        let asked = (!next.is_empty()).then(|| NextBatch {
            ids: next.iter().map(|item| item.ready.due.id).collect(),
            cost: next
                .iter()
                .map(|item| item.ready.per_call)
                .max()
                .unwrap_or_default(),
            per_item: batching.per_item,
        });
        let done = ended
            .iter()
            .filter(|(_, sent)| matches!(sent, Sent::Done))
            .count();
        let outcomes: Vec<Outcome> = ended.into_iter().map(|(outcome, _)| outcome).collect();
        let kept = outcomes.clone();
        match self
            .engine
            .store
            .advance_batch(outcomes, asked, &self.sending)
            .await
        {
            Ok(advanced) => {
                self.add_sent(done);
                if let Some(held) = advanced.held {
                    spans::limited(&self.span, &self.connection, &self.operation);
                    self.note(Sent::Held(held));
                }
                self.send_batch(next, &advanced.intended).await
            }
            Err(error) => {
                // Nothing else leaves before the outcomes are stored, and not after either: the store is in trouble.
                let failure = Failure::from(error);
                self.store_all(kept, done).await;
                self.note(Sent::Unstored(failure));
                Batch::default()
            }
        }
    }

    /// Stores outcomes, again and again if need be: an outcome that is lost is a doubt (rule 6).
    async fn store_all(&self, outcomes: Vec<Outcome>, done: usize) {
        let mut last = None;
        for attempt in 0..MAX_STORE_TRIES {
            match self.engine.store.record(outcomes.clone()).await {
                Ok(()) | Err(StoreError::Transition { .. }) => return self.add_sent(done),
                Err(error) => last = Some(Failure::from(error)),
            }
            tokio::time::sleep(super::pool::store_pause(attempt)).await;
        }
        let failure = last
            .unwrap_or_else(|| Failure::new(codes::INTERNAL, Meaning::InDoubt, "outcomes were not stored"));
        self.note(Sent::Unstored(failure));
    }

    /// Sends the records whose intents are durable. Those that another decision came between are left out: they are
    /// not ours to send any more.
    async fn send_batch(&self, items: Vec<Item>, intended: &[Intended]) -> Batch {
        let store = &self.engine.store;
        let by_id: HashMap<_, _> = intended.iter().map(|intended| (intended.id, *intended)).collect();
        let mut ours: Vec<(Item, Intended)> = Vec::with_capacity(intended.len());
        for item in items {
            let Some(intended) = by_id.get(&item.ready.due.id) else {
                continue;
            };
            match store.may_send(*intended, &self.sending.epoch) {
                Ok(true) => ours.push((item, *intended)),
                Ok(false) => {}
                Err(error) => {
                    let failure = Failure::from(error);
                    let not_sent = |intended: &Intended| {
                        let outcome = Outcome::failed(*intended, Event::NotSent, failure.clone());
                        (outcome, Sent::Unstored(failure.clone()))
                    };
                    return (by_id.values().map(not_sent).collect(), Vec::new());
                }
            }
        }
        let pieces: Vec<&Piece> = ours.iter().filter_map(|(item, _)| item.piece.as_ref()).collect();
        let Some(request) = pack(&pieces) else {
            // It goes by itself, as if there were no batches.
            return match ours.first() {
                Some((item, intended)) => {
                    let ended = send(self, &item.ready, *intended).await;
                    (ended.into_iter().collect(), Vec::new())
                }
                None => Batch::default(),
            };
        };
        let span = spans::batch(&self.span, &self.connection, &self.operation, ours.len());
        let batch = self.send_packed(&request, ours).instrument(span.clone()).await;
        spans::batched(&span, &batch.0);
        batch
    }

    /// Sends the one request of a batch.
    async fn send_packed(&self, request: &Request, ours: Vec<(Item, Intended)>) -> Batch {
        let (store, route) = (&self.engine.store, &self.route);
        let connector = &self.engine.connector;
        fault::reach("request.due");
        let sent = connector.send(&route.resolved, &route.credentials, request).await;
        fault::reach("request.answered");
        let (status, outcome) = match sent {
            Err(failure) => (None, BatchOutcome::Whole(failure)),
            Ok(answer) => {
                let outcome = batch_outcome(&route.resolved, request, &answer, ours.len());
                let retry_at = match &outcome {
                    BatchOutcome::Whole(failure) => failure.retry_at,
                    BatchOutcome::Each(_) => None,
                };
                store.report(self.route.budget(), &self.operation, &answer.reports, retry_at);
                (Some(answer.status), outcome)
            }
        };
        match outcome {
            BatchOutcome::Whole(failure) => self.failed_whole(request, ours, &failure),
            BatchOutcome::Each(outcomes) => self.ended_each(status, ours, outcomes),
        }
    }

    /// What a failure that names no item means for each of them.
    fn failed_whole(&self, request: &Request, ours: Vec<(Item, Intended)>, failure: &Failure) -> Batch {
        let is_refusal = matches!(failure.meaning, Meaning::Rejected | Meaning::Duplicate);
        if !is_refusal || ours.len() == 1 {
            let each = |(_, intended): &(Item, Intended)| {
                let was_in_doubt = was_in_doubt(self, *intended, failure);
                outcome_of(*intended, failure.clone(), was_in_doubt)
            };
            return (ours.iter().map(each).collect(), Vec::new());
        }
        let resolved = &self.route.resolved;
        let taken = resolved
            .operation(&self.operation)
            .ok()
            .and_then(|operation| operation.batch.as_ref())
            .map(|batch| batch.taken)
            .unwrap_or_default();
        if taken == Taken::Singly && !is_repeatable(resolved, request) {
            let doubt = in_doubt(failure, ours.len());
            let each = |(_, intended): &(Item, Intended)| outcome_of(*intended, doubt.clone(), false);
            return (ours.iter().map(each).collect(), Vec::new());
        }
        let why = split(failure, ours.len());
        let mut first: Vec<(Item, Intended)> = ours;
        let second = first.split_off(first.len() / 2);
        let mut ended = Vec::new();
        let mut parts = Vec::new();
        // The first half is taken from the end of the list of parts, so it goes first.
        for half in [second, first] {
            ended.extend(half.iter().map(|(_, intended)| again(*intended, &why)));
            parts.push(half.into_iter().map(|(item, _)| item).collect());
        }
        (ended, parts)
    }

    fn ended_each(
        &self,
        status: Option<u16>,
        ours: Vec<(Item, Intended)>,
        outcomes: Vec<ItemOutcome>,
    ) -> Batch {
        let count = ours.len();
        let mut ended = Vec::with_capacity(count);
        let mut rest = Vec::new();
        for ((item, intended), outcome) in ours.into_iter().zip(outcomes) {
            ended.push(match outcome {
                ItemOutcome::Accepted(result) => {
                    let outcome = Outcome {
                        status,
                        settled: self.settles && result.is_some(),
                        result,
                        ..Outcome::new(intended, Event::Accepted)
                    };
                    (outcome, Sent::Done)
                }
                ItemOutcome::Failed(failure) => {
                    let was_in_doubt = was_in_doubt(self, intended, &failure);
                    outcome_of(intended, failure, was_in_doubt)
                }
                ItemOutcome::Unknown(failure) => outcome_of(intended, failure, false),
                ItemOutcome::NotTaken(failure) => {
                    rest.push(item);
                    again(intended, &split(&failure, count))
                }
            });
        }
        let parts = if rest.is_empty() { Vec::new() } else { vec![rest] };
        (ended, parts)
    }
}

/// Nothing was taken: back to pending, and sent again at once.
fn again(intended: Intended, why: &Failure) -> Ended {
    (
        Outcome::failed(intended, Event::NotSent, why.clone()),
        Sent::Again,
    )
}

/// Why a record that was in a refused batch is sent again.
fn split(failure: &Failure, count: usize) -> Failure {
    let mut why = failure.clone();
    why.meaning = Meaning::NotSent;
    why.message = format!(
        "a batch of {count} records with this one was refused: {}",
        failure.message
    );
    "Nothing of the batch was taken. It is sent again without the record that is to blame, which is found by splitting."
        .clone_into(&mut why.hint);
    why
}

/// Why a refused batch is in doubt where the provider takes items one by one.
fn in_doubt(failure: &Failure, count: usize) -> Failure {
    let mut doubt = failure.clone();
    codes::IN_DOUBT.clone_into(&mut doubt.code);
    doubt.meaning = Meaning::InDoubt;
    doubt.message = format!(
        "a batch of {count} records with this one was refused: {}",
        failure.message
    );
    doubt.detail = format!(
        "{} The provider takes records one by one (`taken: singly`) and does not say which it took.",
        failure.detail
    );
    "It is looked up at the provider, or waits for your decision: `tailorbird delivery list`."
        .clone_into(&mut doubt.hint);
    doubt
}
