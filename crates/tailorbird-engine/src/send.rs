//! Sends what is due: budget, intent, compare, send, outcome (never-twice rules 4, 5, 6, 9, 13).

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tailorbird_connector::{Answer, Request, Resolved, judge, record, relocated};
use tailorbird_model::delivery::{Delivery, Event};
use tailorbird_model::ports::Budget as _;
use tailorbird_model::run::RunId;
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_store::{DriveLock, Intended, Outcome, StoreError};
use tokio::task::JoinSet;

use crate::deliver::Route;
use crate::drive::{Driver, Engine, RunEnd};
use crate::limits::{
    CHUNK, CONCURRENCY, MAX_LATER, MAX_REACH_TRIES, MAX_ROUNDS, MAX_STORE_TRIES, REACH_PAUSE, STOP_GRACE,
};
use crate::plan::{CallPlan, Plan};
use crate::progress::ProgressEvent;

/// How the sending of one delivery ended, as far as the run must know.
#[derive(Debug)]
pub(crate) enum Sent {
    /// It has an outcome of its own; the run goes on.
    Done,
    /// The connection is at fault: nothing else can go through.
    Fault(Failure),
    /// The provider was not reached.
    Unreached(Failure),
    /// The provider wants to be asked later.
    Later(Failure),
    /// The outcome could not be stored: nothing else may leave.
    Unstored(Failure),
}

impl Driver {
    /// Sends all that is due in a step, settles doubts, and hands results to the later steps.
    pub(crate) async fn deliver(&mut self, plan: &Plan, call: &CallPlan) -> Result<(), RunEnd> {
        let route = self.route(call)?;
        self.note_identity(call, &route).await?;
        for _ in 0..MAX_ROUNDS {
            let before = self.settle_doubts(call, &route).await?;
            let sent = self.send_due(plan, call, &route).await?;
            // Without a send there is no new doubt, and the provider need not be asked twice.
            let again = if sent == 0 {
                before
            } else {
                self.settle_doubts(call, &route).await?
            };
            self.emit_settled(plan, call, &route).await?;
            match again.ready_at {
                Some(at) if again.waiting > 0 => {
                    (self.progress)(ProgressEvent::Note(format!(
                        "{} record(s) may or may not have arrived; the provider is asked again at {at}",
                        again.waiting
                    )));
                    self.wait_until(&call.step.connection, at, None).await?;
                }
                _ if sent == 0 && again.back_to_pending == 0 => return Ok(()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Sends until nothing is due; returns how many left.
    async fn send_due(&mut self, plan: &Plan, call: &CallPlan, route: &Route) -> Result<u64, RunEnd> {
        let mut total = 0;
        let mut tries = 0;
        let mut laters = 0;
        loop {
            self.look_up_requests().await?;
            let connection = &call.step.connection;
            if let Some(until) =
                self.engine
                    .store
                    .wait_until(connection, call.step.operation.as_str(), Timestamp::now())
            {
                self.wait_until(connection, until, None).await?;
            }
            let due = self
                .engine
                .store
                .due(&route.lane, u32::try_from(CHUNK).unwrap_or(u32::MAX))?;
            if due.is_empty() {
                match self.engine.store.next_due_at(&route.lane)? {
                    Some(at) => {
                        self.wait_until(connection, at, None).await?;
                        continue;
                    }
                    None => return Ok(total),
                }
            }
            let (sent, trouble, asked) = self.send_chunk(call, route, due).await?;
            total += sent;
            self.store_counts(plan, Some(&call.id)).await?;
            // What went through is written back also where the rest has to wait.
            let emitted = self.emit_settled(plan, call, route).await;
            asked?;
            match trouble {
                None => tries = 0,
                Some(Sent::Fault(failure)) => return Err(RunEnd::Attention(failure)),
                Some(Sent::Unstored(failure)) => return Err(RunEnd::Failed(failure)),
                Some(Sent::Unreached(failure)) => {
                    tries += 1;
                    if tries >= MAX_REACH_TRIES {
                        return Err(RunEnd::Failed(failure.hint(
                            "Nothing is lost: what was not sent stays pending. Run the task again when the provider is back.",
                        )));
                    }
                    self.stop.wait(REACH_PAUSE * 2_u32.pow(tries)).await;
                }
                Some(Sent::Later(failure)) => {
                    laters += 1;
                    if laters >= MAX_LATER {
                        return Err(RunEnd::Attention(failure));
                    }
                }
                Some(Sent::Done) => {}
            }
            emitted?;
        }
    }

    /// Sends a chunk, at most [`CONCURRENCY`] at once. After trouble nothing new is begun; what is under way
    /// is always finished, also when the run is asked to stop. Tells how many left, what went wrong, and what
    /// was asked meanwhile.
    async fn send_chunk(
        &mut self,
        call: &CallPlan,
        route: &Route,
        due: Vec<Delivery>,
    ) -> Result<(u64, Option<Sent>, Result<(), RunEnd>), RunEnd> {
        let mut waiting = due.into_iter();
        let mut under_way: JoinSet<Sent> = JoinSet::new();
        let mut sent = 0;
        let mut trouble: Option<Sent> = None;
        let mut asked: Result<(), RunEnd> = Ok(());
        loop {
            if asked.is_ok() {
                asked = self.look_up_requests().await;
            }
            while under_way.len() < CONCURRENCY
                && trouble.is_none()
                && asked.is_ok()
                && !self.stop.is_set()
                && self.is_allowed(call)
            {
                let Some(delivery) = waiting.next() else { break };
                let sender = Sender {
                    engine: self.engine.clone(),
                    lock: Arc::clone(&self.lock),
                    run: self.run.clone(),
                    route: route.clone(),
                };
                under_way.spawn(sender.send(delivery));
            }
            let next = if self.stop.is_set() {
                let Ok(next) = tokio::time::timeout(STOP_GRACE, under_way.join_next()).await else {
                    // They keep the lock and go on; should the process end first, they are doubt.
                    under_way.detach_all();
                    return Err(RunEnd::Stopped);
                };
                next
            } else {
                under_way.join_next().await
            };
            match next {
                None => break,
                Some(Ok(Sent::Done)) => {
                    sent += 1;
                    let counts = self.counts_with(sent);
                    let left = u64::try_from(waiting.len()).ok();
                    (self.progress)(ProgressEvent::Counts {
                        step: call.id.clone(),
                        counts,
                        left,
                    });
                }
                Some(Ok(other)) => {
                    if trouble.as_ref().is_none_or(|known| rank(&other) > rank(known)) {
                        trouble = Some(other);
                    }
                }
                Some(Err(error)) => {
                    let message = format!("the sending of a record ended abruptly: {error}");
                    trouble = Some(Sent::Unstored(Failure::new(
                        codes::INTERNAL,
                        Meaning::InDoubt,
                        message,
                    )));
                }
            }
        }
        Ok((sent, trouble, asked))
    }

    /// Tells whether the limits that the last answers reported allow another request now (rule 5).
    fn is_allowed(&self, call: &CallPlan) -> bool {
        let (connection, operation) = (&call.step.connection, call.step.operation.as_str());
        self.engine
            .store
            .wait_until(connection, operation, Timestamp::now())
            .is_none()
    }

    /// Counts for the line of progress; the ledger is asked only between chunks.
    fn counts_with(&self, sent: u64) -> tailorbird_model::run::Counts {
        let mut counts = self.counts;
        counts.delivered += sent;
        counts
    }

    /// Notes the key template and destination that the step runs with, so that a later change is noticed.
    async fn note_identity(&self, call: &CallPlan, route: &Route) -> Result<(), RunEnd> {
        let identity = tailorbird_store::StepIdentity {
            key_template: call.step.key.clone().unwrap_or_default(),
            destination: route.lane.destination.clone(),
        };
        self.engine
            .store
            .set_step_identity(&self.task, &call.id, identity)
            .await?;
        Ok(())
    }
}

/// Which trouble ends a chunk where several occur.
fn rank(sent: &Sent) -> u8 {
    match sent {
        Sent::Done => 0,
        Sent::Later(_) => 1,
        Sent::Unreached(_) => 2,
        Sent::Fault(_) => 3,
        Sent::Unstored(_) => 4,
    }
}

/// Sends one delivery; runs detached, so that nothing can stop it between send and outcome (rule 6).
struct Sender {
    engine: Engine,
    lock: Arc<DriveLock>,
    run: RunId,
    route: Route,
}

impl Sender {
    async fn send(self, delivery: Delivery) -> Sent {
        if delivery.request.is_null() {
            // It was refused before sending, made pending again, and its row did not come again to be mapped anew.
            let earlier = delivery.failure.clone().unwrap_or_else(|| {
                Failure::new(
                    codes::EXPRESSION,
                    Meaning::Rejected,
                    "the record could not be made into a request",
                )
            });
            let failure = earlier.detail("There is no request to send: the record was refused before one could be made.").hint(
                "Mend the row or the mapping and let the statement select the row again; a changed record is tried again by itself.",
            );
            return self.refuse_unreadable(&delivery, failure).await;
        }
        let request: Request = match serde_json::from_value(delivery.request.clone()) {
            Ok(request) => request,
            Err(error) => {
                let message = format!("a stored request cannot be read back: {error}");
                return self
                    .refuse_unreadable(
                        &delivery,
                        Failure::new(codes::INTERNAL, Meaning::Rejected, message),
                    )
                    .await;
            }
        };
        let request = relocated(&self.route.resolved, request);
        let store = &self.engine.store;
        let intended = match store
            .intend(vec![delivery.id], &self.run, self.lock.epoch())
            .await
        {
            Ok(intended) => intended,
            Err(error) => return Sent::Unstored(error.into()),
        };
        // Another decision may have come between: then it is not ours to send any more.
        let Some(intended) = intended.into_iter().next() else {
            return Sent::Done;
        };
        match store.may_send(intended, self.lock.epoch()) {
            Ok(true) => {}
            Ok(false) => return Sent::Done,
            Err(error) => {
                let failure = Failure::from(error);
                return self
                    .store_outcome(
                        Outcome::failed(intended, Event::NotSent, failure.clone()),
                        Sent::Unstored(failure),
                    )
                    .await;
            }
        }
        let sent = self
            .engine
            .connector
            .send(&self.route.resolved, &self.route.credentials, &request)
            .await;
        let (outcome, end) = match sent {
            Ok(answer) => {
                let judged = judge(&self.route.resolved, &request, &answer);
                let retry_at = judged.as_ref().err().and_then(|failure| failure.retry_at);
                store.report(
                    &delivery.connection,
                    delivery.operation.as_str(),
                    &answer.reports,
                    retry_at,
                );
                match judged {
                    Ok(()) => (
                        accepted(&self.route.resolved, intended, &request, &answer),
                        Sent::Done,
                    ),
                    Err(failure) => self.outcome_of(intended, failure),
                }
            }
            Err(failure) => self.outcome_of(intended, failure),
        };
        self.store_outcome(outcome, end).await
    }

    fn outcome_of(&self, intended: Intended, failure: Failure) -> (Outcome, Sent) {
        // After a doubt the duplicate may be our own. Where the ledger cannot be asked, that is assumed.
        let was_in_doubt = failure.meaning == Meaning::Duplicate
            && intended.attempt > 1
            && self.engine.store.story(intended.id).map_or(true, |story| {
                story
                    .attempts
                    .iter()
                    .any(|attempt| attempt.outcome == Some(Event::Lost))
            });
        outcome_of(intended, failure, was_in_doubt)
    }

    async fn refuse_unreadable(&self, delivery: &Delivery, failure: Failure) -> Sent {
        let intended = Intended {
            id: delivery.id,
            attempt: delivery.attempts,
        };
        self.store_outcome(Outcome::failed(intended, Event::Refused, failure), Sent::Done)
            .await
    }

    /// Stores an outcome, again and again if need be: an outcome that is lost is a doubt (rule 6).
    async fn store_outcome(&self, outcome: Outcome, end: Sent) -> Sent {
        let mut last = None;
        for attempt in 0..MAX_STORE_TRIES {
            match self.engine.store.record(vec![outcome.clone()]).await {
                Ok(()) => return end,
                // The ledger has moved on: a person or a later attempt decided.
                Err(StoreError::Transition { .. }) => return end,
                Err(error) => last = Some(Failure::from(error)),
            }
            tokio::time::sleep(Duration::from_millis(200 << attempt)).await;
        }
        Sent::Unstored(
            last.unwrap_or_else(|| {
                Failure::new(codes::INTERNAL, Meaning::InDoubt, "an outcome was not stored")
            }),
        )
    }
}

/// 2xx: delivered. Where the body cannot be read, the outcome is stored without delay all the same; the id is
/// looked up afterwards, one delivery at a time, so that two with the same text do not take one id (rules 9, 10).
fn accepted(resolved: &Resolved, intended: Intended, request: &Request, answer: &Answer) -> Outcome {
    let (result, failure) = match record(resolved, request, answer) {
        Ok(result) => (Some(result), None),
        Err(unreadable) => (None, Some(unreadable)),
    };
    Outcome {
        result,
        failure,
        status: Some(answer.status),
        ..Outcome::new(intended, Event::Accepted)
    }
}

/// What a failure means for the delivery and for the run (rule 9).
pub(crate) fn outcome_of(intended: Intended, failure: Failure, was_in_doubt: bool) -> (Outcome, Sent) {
    let outcome = |event: Event| Outcome::failed(intended, event, failure.clone());
    match failure.meaning {
        Meaning::Rejected => (outcome(Event::Refused), Sent::Done),
        // The duplicate may be the effect of the attempt that was in doubt: look it up (rule 10).
        Meaning::Duplicate if was_in_doubt => (outcome(Event::Lost), Sent::Done),
        Meaning::Duplicate => (outcome(Event::Refused), Sent::Done),
        Meaning::ConnectionFault => (outcome(Event::NotSent), Sent::Fault(failure)),
        Meaning::RetryLater => {
            let later = Outcome {
                not_before: failure.retry_at,
                ..outcome(Event::NotSent)
            };
            (later, Sent::Later(failure))
        }
        Meaning::NotSent => (outcome(Event::NotSent), Sent::Unreached(failure)),
        Meaning::InDoubt => (outcome(Event::Lost), Sent::Done),
        // A meaning that a newer connector knows and we do not: claim nothing.
        _ => (outcome(Event::Lost), Sent::Done),
    }
}
