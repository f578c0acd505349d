//! Settles doubts by the operation's policy (never-twice rule 10).

use std::collections::HashSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tailorbird_connector::{Request, is_repeatable};
use tailorbird_model::delivery::{Delivery, DeliveryId, Destination, Event};
use tailorbird_model::ports::Budget as _;
use tailorbird_model::service::{InDoubtPolicy, LookUp as HowToLookUp};
use tailorbird_model::{Failure, Meaning, Record, codes, fault};
use tailorbird_store::{Attempt, Held, Intended, LookUp, Outcome, Store, StoreError};

use crate::deliver::Route;
use crate::drive::Driver;
use crate::durable::{EffectOutput, RunEnd, Wait};
use crate::plan::{CallPlan, Plan, StepPlan};
use crate::progress::ProgressEvent;

/// How many doubts of a step are read at once. After a backup came back there may be very many.
const DOUBTS_PAGE: u32 = 100;

/// The words under which look-ups are kept as evidence.
const NOT_THERE_YET: &str = "not_sent_yet";
const NOT_SENT: &str = "not_sent";
const FOUND: &str = "delivered";
const ASK: &str = "ask";

/// What settling the doubts of a step came to.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// How many were found not to have arrived and will be sent again.
    pub(crate) back_to_pending: u64,
    /// How many have to be looked up a second time.
    pub(crate) waiting: u64,
    /// When the earliest of those can be looked up again.
    pub(crate) ready_at: Option<Timestamp>,
}

impl From<Settled> for EffectOutput {
    fn from(settled: Settled) -> Self {
        let wait = settled.ready_at.map(|at| {
            let what = format!(
                "a second look at {} record(s) that may or may not have arrived",
                settled.waiting
            );
            Wait::until(at, what)
        });
        Self {
            moved: settled.back_to_pending,
            left: settled.waiting,
            wait,
            ..Self::default()
        }
    }
}

/// What is decided about one doubt.
enum Verdict {
    Found(Record),
    Absent,
    /// Look again at this time.
    Later(Timestamp),
    /// Only a person can tell.
    Ask(String),
}

impl Driver {
    /// How many deliveries of the plan's steps are in doubt.
    pub(crate) fn doubts(&self, plan: &Plan) -> Result<u64, Failure> {
        let mut count = 0;
        for step in &plan.steps {
            let StepPlan::Call(call) = step else { continue };
            let Ok(route) = self.route(call) else { continue };
            count += self.engine.store.in_doubt_count(&route.lane)?;
        }
        Ok(count)
    }

    /// Settles what can be settled now.
    pub(crate) async fn settle_doubts(&mut self, call: &CallPlan, route: &Route) -> Result<Settled, RunEnd> {
        let mut settled = Settled::default();
        let policy = route
            .resolved
            .operation(call.step.operation.as_str())
            .map_err(RunEnd::Attention)?
            .doubt_policy();
        let mut after = DeliveryId(0);
        loop {
            let doubts = self
                .engine
                .store
                .in_doubt_after(&route.lane, after, DOUBTS_PAGE)?;
            let Some(last) = doubts.last() else {
                return Ok(settled);
            };
            after = last.id;
            self.settle_page(call, route, &policy, doubts, &mut settled)
                .await?;
        }
    }

    async fn settle_page(
        &mut self,
        call: &CallPlan,
        route: &Route,
        policy: &InDoubtPolicy,
        doubts: Vec<Delivery>,
        settled: &mut Settled,
    ) -> Result<(), RunEnd> {
        for delivery in doubts {
            self.look_up_requests().await?;
            if self.asked_people.contains(&(delivery.id, delivery.attempts)) {
                // Asking the provider again at once would tell nothing new.
                continue;
            }
            let verdict = match policy {
                InDoubtPolicy::Ask => continue,
                InDoubtPolicy::Repeat => repeated(route, &delivery),
                InDoubtPolicy::LookUp(look_up) => {
                    let settling = SignedDuration::from_secs(look_up.settling.seconds().into());
                    match self.held_look_up(route, look_up.operation.as_str()).await? {
                        Some(until) => Verdict::Later(until),
                        None => self.look_up(route, &delivery, look_up, settling).await?,
                    }
                }
            };
            self.conclude(call, &delivery, verdict, settled).await?;
        }
        Ok(())
    }

    /// Until when a look-up has to wait for a limit; counts it where it need not.
    async fn held_look_up(&self, route: &Route, operation: &str) -> Result<Option<Timestamp>, RunEnd> {
        let store = &self.engine.store;
        if let Some(until) = store.wait_until(route.budget(), operation, Timestamp::now()) {
            return Ok(Some(until));
        }
        let cost = route
            .resolved
            .operation(operation)
            .ok()
            .and_then(|found| found.cost.as_ref());
        let cost = cost.map(|cost| cost.per_call).unwrap_or_default();
        Ok(match store.take_call(&route.charges(operation), 1, cost).await? {
            Some(Held::Limit { until, .. } | Held::Cap { until, .. }) => Some(until),
            Some(Held::NeverFits) | None => None,
        })
    }

    /// Asks the provider, at most once before and once after the time in which the attempt may still take
    /// effect.
    async fn look_up(
        &mut self,
        route: &Route,
        delivery: &Delivery,
        how: &HowToLookUp,
        settling: SignedDuration,
    ) -> Result<Verdict, RunEnd> {
        let Ok(request) = serde_json::from_value::<Request>(delivery.request.clone()) else {
            return Ok(Verdict::Ask("the stored request cannot be read back".to_owned()));
        };
        let attempted_at = delivery.attempted_at.unwrap_or(delivery.updated_at);
        let after_duplicate = is_duplicate(delivery);
        // The attempt itself was refused as a duplicate, so only the provider's list may be behind.
        let window = if after_duplicate {
            SignedDuration::ZERO
        } else {
            SignedDuration::try_from(self.engine.attempt_window).unwrap_or(SignedDuration::from_mins(2))
        };
        // A doubt of a restored home may have been sent at any time between the backup and its return.
        let sent_before = self.engine.store.sent_before(attempted_at)?;
        let sure_at = sent_before
            .unwrap_or(attempted_at)
            .checked_add(window + settling)
            .unwrap_or(Timestamp::MAX);
        let now = Timestamp::now();
        let story = self.engine.store.story(delivery.id)?;
        let looked_before = looked_before(&story.look_ups, delivery, sent_before);
        if looked_before && now < sure_at {
            return Ok(Verdict::Later(sure_at));
        }
        let found = self
            .engine
            .connector
            .look_up(
                &route.resolved,
                &route.credentials,
                &request,
                first_doubt(&story.attempts, attempted_at),
            )
            .await;
        fault::reach("look_up.answered");
        let found = match found {
            Ok(found) => found,
            Err(failure) if failure.meaning == Meaning::ConnectionFault => {
                return Err(RunEnd::Attention(failure));
            }
            // The provider cannot tell now: the doubt stays, and the next run asks again.
            Err(failure) => {
                (self.progress)(ProgressEvent::Note(format!(
                    "could not look {} up: {failure}",
                    delivery.identity.key
                )));
                return Ok(match failure.retry_at {
                    Some(at) if failure.meaning == Meaning::RetryLater => {
                        let operation = how.operation.as_str();
                        self.engine.store.report(route.budget(), operation, &[], Some(at));
                        Verdict::Later(at)
                    }
                    _ => Verdict::Ask(failure.to_string()),
                });
            }
        };
        self.engine
            .store
            .report(route.budget(), how.operation.as_str(), &found.reports, None);
        let compared = format!(
            "{} records on {} pages were compared",
            found.compared, found.pages
        );
        let complete = found.complete;
        let mut candidates = unknown_candidates(
            &self.engine.store,
            &delivery.identity.destination,
            found.candidates,
        )?;
        let hits = candidates.len();
        let verdict = match (hits, candidates.pop()) {
            (1, Some(only)) => Verdict::Found(only),
            (0, _) if !complete => {
                Verdict::Ask("not all of the time span could be looked through".to_owned())
            }
            (0, _) if after_duplicate && now >= sure_at => Verdict::Ask(
                "the provider called it a duplicate, and it was not found among the recent ones".to_owned(),
            ),
            (0, _) if now >= sure_at && looked_before => Verdict::Absent,
            (0, _) => Verdict::Later(sure_at.max(now)),
            _ => Verdict::Ask(format!("{hits} effects look like it")),
        };
        let (decision, result_id) = match &verdict {
            Verdict::Found(record) => (FOUND, record.get("id").map(ToString::to_string)),
            Verdict::Absent => (NOT_SENT, None),
            Verdict::Later(_) => (NOT_THERE_YET, None),
            Verdict::Ask(_) => (ASK, None),
        };
        let evidence = LookUp {
            id: delivery.id,
            attempt: delivery.attempts,
            at: now,
            hits: u32::try_from(hits).unwrap_or(u32::MAX),
            decision: decision.to_owned(),
            result_id,
            detail: compared,
        };
        self.engine.store.note_look_up(evidence).await?;
        Ok(verdict)
    }

    async fn conclude(
        &mut self,
        call: &CallPlan,
        delivery: &Delivery,
        verdict: Verdict,
        settled: &mut Settled,
    ) -> Result<(), RunEnd> {
        let intended = Intended {
            id: delivery.id,
            attempt: delivery.attempts,
        };
        let outcome = match verdict {
            Verdict::Found(record) => {
                if delivery.run != self.run {
                    self.counts.already += 1;
                }
                Outcome {
                    result: Some(record),
                    delivered_at: delivery.attempted_at,
                    ..Outcome::new(intended, Event::FoundByLookUp)
                }
            }
            Verdict::Absent => {
                settled.back_to_pending += 1;
                Outcome::new(intended, Event::AbsentByLookUp)
            }
            Verdict::Later(at) => {
                settled.waiting += 1;
                settled.ready_at = Some(settled.ready_at.map_or(at, |known| known.min(at)));
                return Ok(());
            }
            Verdict::Ask(why) => {
                self.asked_people.insert((delivery.id, delivery.attempts));
                let note = format!(
                    "step {}: {} stays in doubt: {why}",
                    call.id, delivery.identity.key
                );
                (self.progress)(ProgressEvent::Note(note));
                return Ok(());
            }
        };
        match self.engine.store.record(vec![outcome]).await {
            // A person decided meanwhile.
            Ok(()) | Err(StoreError::Transition { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Tells whether the provider called it a duplicate.
fn is_duplicate(delivery: &Delivery) -> bool {
    let failure = delivery.failure.as_ref();
    failure.is_some_and(|failure| failure.code == codes::DUPLICATE)
}

/// A doubt where repeating has no second effect. A request without the key that makes it so, because it was stored
/// before the service file named one, is no such doubt.
fn repeated(route: &Route, delivery: &Delivery) -> Verdict {
    match serde_json::from_value::<Request>(delivery.request.clone()) {
        Ok(request) if is_repeatable(&route.resolved, &request) => Verdict::Absent,
        Ok(_) => Verdict::Ask("its request carries no idempotency key".to_owned()),
        Err(_) => Verdict::Ask("the stored request cannot be read back".to_owned()),
    }
}

impl Driver {
    /// Looks up the results of deliveries that were accepted with an answer nobody could read, or that a
    /// person called sent. Where the provider cannot be asked now, the delivery is put off to the next run;
    /// where it does not know, the later steps go on without.
    pub(crate) async fn find_results(
        &mut self,
        call: &CallPlan,
        route: &Route,
        chunk: &mut Vec<Delivery>,
        put_off: &mut HashSet<DeliveryId>,
    ) -> Result<(), RunEnd> {
        let operation = route
            .resolved
            .operation(call.step.operation.as_str())
            .map_err(RunEnd::Attention)?;
        let InDoubtPolicy::LookUp(look_up) = operation.doubt_policy() else {
            return Ok(());
        };
        let settling = Duration::from_secs(look_up.settling.seconds().into());
        for delivery in chunk.iter_mut().filter(|delivery| delivery.result.is_none()) {
            self.look_up_requests().await?;
            match self.find_result(route, delivery, settling).await? {
                Missing::Found(result) => {
                    match self
                        .engine
                        .store
                        .complete_result(delivery.id, result.clone())
                        .await
                    {
                        Ok(()) | Err(StoreError::Transition { .. }) => delivery.result = Some(result),
                        Err(error) => return Err(error.into()),
                    }
                }
                Missing::Unknown => {
                    let note = format!(
                        "step {}: {} was delivered, and its id is not known",
                        call.id, delivery.identity.key
                    );
                    (self.progress)(ProgressEvent::Note(note));
                }
                Missing::PutOff(failure) => {
                    let note = format!(
                        "could not look the id of {} up: {failure}; the next run tries again",
                        delivery.identity.key
                    );
                    (self.progress)(ProgressEvent::Note(note));
                    put_off.insert(delivery.id);
                }
            }
        }
        chunk.retain(|delivery| !put_off.contains(&delivery.id));
        Ok(())
    }

    /// Looks for the one effect of a delivery that is known to have arrived; a second time after the
    /// provider's settling delay.
    async fn find_result(
        &mut self,
        route: &Route,
        delivery: &Delivery,
        settling: Duration,
    ) -> Result<Missing, RunEnd> {
        let Ok(request) = serde_json::from_value::<Request>(delivery.request.clone()) else {
            return Ok(Missing::Unknown);
        };
        let attempts = self.engine.store.story(delivery.id)?.attempts;
        let Some(from) = attempts.iter().map(|attempt| attempt.intended_at).min() else {
            return Ok(Missing::Unknown);
        };
        for is_last in [false, true] {
            let found = self
                .engine
                .connector
                .look_up(&route.resolved, &route.credentials, &request, from)
                .await;
            let found = match found {
                Ok(found) => found,
                Err(failure) => return Ok(Missing::PutOff(failure)),
            };
            let mut candidates = unknown_candidates(
                &self.engine.store,
                &delivery.identity.destination,
                found.candidates,
            )?;
            match (candidates.len(), candidates.pop()) {
                (1, Some(only)) => return Ok(Missing::Found(only)),
                (0, _) if !is_last => self.stop.wait(settling).await,
                _ => break,
            }
        }
        Ok(Missing::Unknown)
    }
}

/// Tells whether the provider was asked about this attempt before, and after it may have been sent.
fn looked_before(look_ups: &[LookUp], delivery: &Delivery, sent_before: Option<Timestamp>) -> bool {
    look_ups
        .iter()
        .filter(|look| sent_before.is_none_or(|at| look.at >= at))
        .any(|look| look.attempt == delivery.attempts && look.decision == NOT_THERE_YET)
}

/// What became of a result that is missing.
enum Missing {
    Found(Record),
    Unknown,
    PutOff(Failure),
}

/// When the first attempt was made whose effect is not known: a look-up begins there.
pub(crate) fn first_doubt(attempts: &[Attempt], last: Timestamp) -> Timestamp {
    attempts
        .iter()
        .filter(|attempt| attempt.outcome == Some(Event::Lost))
        .map(|attempt| attempt.intended_at)
        .fold(last, Timestamp::min)
}

/// The candidates whose id no delivery to that destination holds yet: two rows with one text must not share
/// one post.
pub(crate) fn unknown_candidates(
    store: &Store,
    destination: &Destination,
    candidates: Vec<Record>,
) -> Result<Vec<Record>, StoreError> {
    let id = |record: &Record| record.get("id").map(ToString::to_string);
    let ids: Vec<String> = candidates.iter().filter_map(id).collect();
    let known = store.known_result_ids(destination, &ids)?;
    Ok(candidates
        .into_iter()
        .filter(|record| id(record).is_none_or(|id| !known.contains(&id)))
        .collect())
}
