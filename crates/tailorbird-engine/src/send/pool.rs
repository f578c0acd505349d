//! The workers that send what is due in one lane, and the feeder that reads ahead of them.
//!
//! Each worker has at most one delivery under way, so at most as many can be in doubt as there are workers
//! (rule 4). Workers run detached: whoever waits for them may be cancelled, and what is under way still gets its
//! outcome stored (rule 6).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tailorbird_model::delivery::DeliveryId;
use tailorbird_model::ports::Budget as _;
use tailorbird_model::service::Cost;
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_store::{DriveLock, Next, Outcome, SendingAs, StoreError};
use tokio::task::JoinSet;
use tracing::Span;

use super::batch::Batching;
use super::gate::Gate;
use super::one::{Ready, Sent, send};
use super::queue::{Queue, Taken};
use super::threshold::Threshold;
use crate::deliver::Route;
use crate::drive::Engine;
use crate::limits::{DUE_PAGE, MAX_STORE_TRIES};
use crate::spans;

/// What all workers of a lane share.
pub(super) struct Shared {
    pub(super) engine: Engine,
    pub(super) route: Route,
    pub(super) sending: Arc<SendingAs>,
    /// No later step takes up what is delivered: it is settled at once.
    pub(super) settles: bool,
    /// What a call costs.
    pub(super) cost: Option<Cost>,
    /// When too much is rejected.
    pub(super) threshold: Option<Threshold>,
    /// The connection and operation whose limits count.
    pub(super) operation: String,
    pub(super) connection: tailorbird_model::Name,
    pub(super) gate: Arc<Gate>,
    pub(super) queue: Queue,
    /// Below so many that are read ahead, more are read.
    pub(super) low: usize,
    /// The effect that sends, for whoever traces.
    pub(super) span: Span,
    sent: AtomicU64,
    trouble: Mutex<Option<Sent>>,
    /// Held as long as anything is under way, also where nobody waits for it any more.
    _lock: Arc<DriveLock>,
}

/// What is to be sent, and as what.
pub(super) struct Work {
    pub(super) engine: Engine,
    pub(super) lock: Arc<DriveLock>,
    pub(super) route: Route,
    pub(super) sending: SendingAs,
    pub(super) settles: bool,
    /// What a call costs.
    pub(super) cost: Option<Cost>,
    pub(super) threshold: Option<Threshold>,
    pub(super) connection: tailorbird_model::Name,
    pub(super) operation: String,
    /// Gives the slots of the connection.
    pub(super) gate: Arc<Gate>,
    /// How many workers there are: not more than slots.
    pub(super) workers: usize,
    /// How records are packed, where they are.
    pub(super) batching: Option<Batching>,
}

/// A delivery that was sent: its outcome, and what the run must know.
pub(super) type Ended = (Outcome, Sent);

/// Workers under way.
pub(super) struct Pool {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

impl Pool {
    /// Begins to send.
    pub(super) fn start(work: Work) -> Self {
        let batching = work.batching.map(Arc::new);
        let most = batching.as_ref().map_or(0, |batching| batching.most);
        let shared = Arc::new(Shared {
            engine: work.engine,
            route: work.route,
            sending: Arc::new(work.sending),
            settles: work.settles,
            cost: work.cost,
            threshold: work.threshold,
            connection: work.connection,
            operation: work.operation,
            span: Span::current(),
            gate: work.gate,
            queue: Queue::default(),
            low: most.max(DUE_PAGE / 2),
            sent: AtomicU64::new(0),
            trouble: Mutex::new(None),
            _lock: work.lock,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(feed(Arc::clone(&shared)));
        for _ in 0..work.workers.max(1) {
            match &batching {
                Some(batching) => tasks.spawn(Arc::clone(&shared).work_in_batches(Arc::clone(batching))),
                None => tasks.spawn(Arc::clone(&shared).work()),
            };
        }
        Self { shared, tasks }
    }

    /// Begins nothing more; what is under way is finished.
    pub(super) fn close(&self) {
        self.shared.queue.close();
    }

    /// How many have an outcome of their own by now: delivered, rejected or in doubt.
    pub(super) fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::Relaxed)
    }

    /// Waits until all is sent that was due, or what was under way at [`Pool::close`] is finished.
    pub(super) async fn ended(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                let message = format!("the sending of a record ended abruptly: {error}");
                let failure = Failure::new(codes::INTERNAL, Meaning::InDoubt, message);
                self.shared.note(Sent::Unstored(failure));
            }
        }
    }

    /// The worst that went wrong.
    pub(super) fn trouble(&self) -> Option<Sent> {
        self.shared
            .trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Pool {
    /// What is under way goes on to its outcome, also where nobody waits any more.
    fn drop(&mut self) {
        self.shared.queue.close();
        self.tasks.detach_all();
    }
}

/// The pause before a store that refused an outcome is asked again; it doubles each time.
pub(super) fn store_pause(attempt: u32) -> Duration {
    Duration::from_millis(200 << attempt.min(MAX_STORE_TRIES))
}

/// Reads what is due, a page ahead of the workers.
async fn feed(shared: Arc<Shared>) {
    let mut after: Option<DeliveryId> = None;
    while shared.queue.until_low(shared.low).await {
        let reader = Arc::clone(&shared);
        let limit = u32::try_from(DUE_PAGE).unwrap_or(u32::MAX);
        let read = tokio::task::spawn_blocking(move || {
            reader.engine.store.due_requests(&reader.route.lane, after, limit)
        });
        let page = match read.await {
            Ok(Ok(page)) => page,
            Ok(Err(error)) => return shared.note(Sent::Unstored(error.into())),
            Err(error) => {
                let message = format!("the reading of what is due ended abruptly: {error}");
                let failure = Failure::new(codes::INTERNAL, Meaning::NotSent, message);
                return shared.note(Sent::Unstored(failure));
            }
        };
        after = page.last().map(|last| last.id).or(after);
        let is_last = page.len() < DUE_PAGE;
        shared.queue.add(page, is_last);
        if is_last {
            return;
        }
    }
}

impl Shared {
    /// Counts those that have an outcome now.
    pub(super) fn add_sent(&self, count: usize) {
        self.sent
            .fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Keeps the worst trouble and begins nothing more.
    pub(super) fn note(&self, trouble: Sent) {
        let mut known = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|known| trouble.rank() > known.rank()) {
            *known = Some(trouble);
        }
        drop(known);
        self.queue.close();
    }

    /// Begins nothing more where an outcome reaches the task's threshold; the run sees it when all is quiet.
    pub(super) fn count(&self, outcome: &Outcome) {
        if self
            .threshold
            .as_ref()
            .is_some_and(|threshold| threshold.is_reached_with(outcome))
        {
            self.queue.close();
        }
    }

    /// Tells whether the limits allow another request now (rule 5). Where not, nothing more is begun; the run
    /// waits when all is quiet.
    pub(super) fn is_allowed(&self) -> bool {
        let store = &self.engine.store;
        let allowed = store
            .wait_until(self.route.budget(), &self.operation, Timestamp::now())
            .is_none();
        if !allowed {
            spans::limited(&self.span, &self.connection, &self.operation);
            self.queue.close();
        }
        allowed
    }

    /// One worker: outcome of the last and intent of the next in one commit, then the send.
    async fn work(self: Arc<Self>) {
        let mut ended: Option<Ended> = None;
        let mut slot = None;
        loop {
            if let Some((outcome, sent)) = &ended {
                self.count(outcome);
                if sent.rank() > 0 {
                    self.note(sent.clone());
                }
            }
            // Others wait for the connection: the outcome is stored by itself, and the slot goes round.
            if slot.is_some() && self.gate.is_wanted() {
                ended = self.step(ended.take(), None).await;
                slot = None;
            }
            if slot.is_none() {
                slot = tokio::select! {
                    slot = self.gate.slot() => slot,
                    () = self.queue.until_over() => None,
                };
            }
            let next = if slot.is_none() || self.queue.is_closed() || !self.is_allowed() {
                None
            } else {
                match self.queue.take(self.low) {
                    Taken::Row(due) => Some(*due),
                    Taken::Empty if ended.is_none() => {
                        slot = None;
                        self.queue.until_filled().await;
                        continue;
                    }
                    Taken::Empty | Taken::Over => None,
                }
            };
            if ended.is_none() && next.is_none() {
                return;
            }
            let ready = match next.map(|due| Ready::read(&self, due)) {
                None => None,
                Some(Ok(ready)) => Some(ready),
                Some(Err(refusal)) => {
                    self.count(&refusal);
                    self.store(refusal, true).await;
                    None
                }
            };
            ended = self.step(ended.take(), ready).await;
        }
    }

    /// One job for the store, and the send that it allows.
    async fn step(&self, ended: Option<Ended>, ready: Option<Ready>) -> Option<Ended> {
        if ended.is_none() && ready.is_none() {
            return None;
        }
        let next = ready.as_ref().map(|ready| Next {
            id: ready.due.id,
            cost: ready.cost(self),
            items: ready.items,
        });
        let is_done = matches!(ended, Some((_, Sent::Done)));
        let outcome = ended.map(|(outcome, _)| outcome);
        let kept = outcome.clone();
        match self.engine.store.advance(outcome, next, &self.sending).await {
            Ok(advanced) => {
                if is_done {
                    self.sent.fetch_add(1, Ordering::Relaxed);
                }
                if let Some(held) = advanced.held {
                    spans::limited(&self.span, &self.connection, &self.operation);
                    self.note(Sent::Held(held));
                }
                // Another decision may have come between: then there is no intent, and nothing to send.
                let (ready, intended) = (ready?, advanced.intended?);
                send(self, &ready, intended).await
            }
            Err(error) => {
                // Nothing else leaves before the outcome is stored, and not after either: the store is in trouble.
                let failure = Failure::from(error);
                if let Some(outcome) = kept {
                    self.store(outcome, is_done).await;
                }
                self.note(Sent::Unstored(failure));
                None
            }
        }
    }

    /// Stores an outcome, again and again if need be: an outcome that is lost is a doubt (rule 6).
    pub(super) async fn store(&self, outcome: Outcome, is_done: bool) {
        let mut last = None;
        for attempt in 0..MAX_STORE_TRIES {
            match self.engine.store.record(vec![outcome.clone()]).await {
                // In the second case the ledger has moved on: a person or a later attempt decided.
                Ok(()) | Err(StoreError::Transition { .. }) => {
                    self.sent.fetch_add(u64::from(is_done), Ordering::Relaxed);
                    return;
                }
                Err(error) => last = Some(Failure::from(error)),
            }
            tokio::time::sleep(store_pause(attempt)).await;
        }
        let failure = last
            .unwrap_or_else(|| Failure::new(codes::INTERNAL, Meaning::InDoubt, "an outcome was not stored"));
        self.note(Sent::Unstored(failure));
    }
}
