//! Sends what is due: budget, intent, compare, send, outcome (never-twice rules 4, 5, 6, 9, 13).

mod batch;
mod gate;
mod one;
mod pool;
mod queue;
mod threshold;
mod turns;

use std::time::Instant;

use tailorbird_model::ports::Budget as _;
use tailorbird_store::SendingAs;

use batch::Batching;
pub(crate) use gate::Gates;
pub(crate) use one::Sent;
#[cfg(test)]
pub(crate) use one::outcome_of;
use pool::{Pool, Work};
pub(crate) use turns::Turns;

use crate::charge::{most_items, why_held};
use crate::deliver::Route;
use crate::drive::Driver;
use crate::durable::{EffectOutput, RunEnd, Wait};
use crate::embedded::later_by;
use crate::limits::{CHUNK, MAX_PUT_OFF, STOP_GRACE, TELL_EVERY};
use crate::listing::limit_of;
use crate::plan::{CallPlan, Plan};
use crate::progress::ProgressEvent;

impl Driver {
    /// Sends what is due now and hands on what went through.
    pub(crate) async fn send_part(&mut self, plan: &Plan, call: &CallPlan) -> Result<EffectOutput, RunEnd> {
        let route = self.route(call)?;
        let store = self.engine.store.clone();
        let (connection, operation) = (&call.step.connection, call.step.operation.as_str());
        self.check_threshold(plan, &call.id).await?;
        let waiting = |wait: Wait| EffectOutput {
            more: true,
            wait: Some(wait),
            ..EffectOutput::default()
        };
        if let Some(until) = store.wait_until(route.budget(), operation, store.now()) {
            self.waits_for(route.budget(), until);
            return Ok(waiting(limit_of(connection, until, None)));
        }
        if store.due_requests(&route.lane, None, 1)?.is_empty() {
            let next = store.next_due_at(&route.lane)?;
            let latest = later_by(store.now(), MAX_PUT_OFF);
            if next.is_some_and(|at| at > latest) {
                // The clock was ahead when that was noted; now nothing keeps these from being sent.
                store.undo_put_off(&route.lane, latest).await?;
                return Ok(EffectOutput {
                    more: true,
                    ..EffectOutput::default()
                });
            }
            return Ok(next.map_or_else(EffectOutput::default, |at| {
                waiting(limit_of(connection, at, None))
            }));
        }
        self.give_way(route.budget()).await?;
        let (moved, trouble, asked) = self.send_lane(plan, call, &route).await?;
        if moved > 0 {
            self.was_served(route.budget());
        }
        self.store_counts(plan, Some(&call.id)).await?;
        // What went through is written back also where the rest has to wait.
        let emitted = self.emit_settled(plan, call, &route).await;
        // What was sent and counted is kept before the run is left.
        self.ending = asked.err();
        let (unreached, later) = match trouble {
            Some(Sent::Held(held)) => {
                emitted?;
                let why = why_held(&route.connection, route.connection.spending_cap(), &held);
                return match why.retry_at {
                    Some(until) => {
                        self.waits_for(route.budget(), until);
                        Ok(EffectOutput {
                            moved,
                            ..waiting(limit_of(connection, until, Some(why)))
                        })
                    }
                    None => Err(RunEnd::Attention(why)),
                };
            }
            Some(Sent::Fault(failure)) => return Err(RunEnd::Attention(failure)),
            Some(Sent::Unstored(failure)) => return Err(RunEnd::Failed(failure)),
            Some(Sent::Unreached(failure)) => (Some(failure), None),
            Some(Sent::Later(failure)) => (None, Some(failure)),
            Some(Sent::Done | Sent::Again) | None => (None, None),
        };
        emitted?;
        Ok(EffectOutput {
            more: true,
            moved,
            unreached,
            later,
            ..EffectOutput::default()
        })
    }

    /// Sends what is due in a lane, at most as many at once as the connection allows, and hands on what was
    /// delivered meanwhile. After trouble nothing new is begun; what is under way is always finished, also when
    /// the run is asked to stop. Tells how many have an outcome, what went wrong, and what was asked meanwhile.
    async fn send_lane(
        &mut self,
        plan: &Plan,
        call: &CallPlan,
        route: &Route,
    ) -> Result<(u64, Option<Sent>, Result<(), RunEnd>), RunEnd> {
        let settles = plan.takers(&call.id).next().is_none();
        let lock = self.driving()?;
        let epoch = lock.epoch().clone();
        let mut pool = Pool::start(Work {
            engine: self.engine.clone(),
            lock,
            route: route.clone(),
            sending: SendingAs {
                run: self.run.clone(),
                epoch,
                charges: route.charges(call.step.operation.as_str()),
            },
            threshold: self.threshold(plan)?,
            cost: route
                .resolved
                .operation(call.step.operation.as_str())
                .ok()
                .and_then(|operation| operation.cost.clone()),
            settles,
            connection: call.step.connection.clone(),
            operation: call.step.operation.to_string(),
            gate: self.engine.gates.of(&call.step.connection, route.concurrency),
            workers: route.concurrency,
            batching: batching_of(call, route),
        });
        let mut asked: Result<(), RunEnd> = Ok(());
        let mut handed_on = 0;
        let mut closed_at: Option<Instant> = None;
        while tokio::time::timeout(TELL_EVERY, pool.ended()).await.is_err() {
            (self.progress)(ProgressEvent::Counts {
                step: call.id.clone(),
                counts: self.counts_with(pool.sent()),
                left: None,
            });
            if asked.is_ok() {
                asked = self.look_up_requests().await;
            }
            // Whole chunks only: the rest is handed on when all is sent.
            let whole = (pool.sent() - handed_on) / u64::try_from(CHUNK).unwrap_or(u64::MAX);
            if asked.is_ok() && whole > 0 {
                handed_on = pool.sent();
                asked = self.emit_chunks(plan, call, route, Some(whole)).await;
            }
            if asked.is_err() {
                pool.close();
                let since = closed_at.get_or_insert_with(Instant::now);
                if self.stop.is_set() && since.elapsed() > STOP_GRACE {
                    // They keep the lock and go on; should the process end first, they are doubt.
                    return Err(RunEnd::Stopped);
                }
            }
        }
        Ok((pool.sent(), pool.trouble(), asked))
    }

    /// Counts for the line of progress; the ledger is asked only now and then.
    fn counts_with(&self, sent: u64) -> tailorbird_model::run::Counts {
        let mut counts = self.counts;
        counts.delivered += sent;
        counts
    }

    /// Notes the key template and destination that the step runs with, so that a later change is noticed.
    pub(crate) async fn note_identity(&self, call: &CallPlan, route: &Route) -> Result<(), RunEnd> {
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

/// How the records of a call are packed; none where the operation takes no list. Where the task packs none, lists of
/// one are read by the same rules.
fn batching_of(call: &CallPlan, route: &Route) -> Option<Batching> {
    let operation = route.resolved.operation(call.step.operation.as_str()).ok()?;
    operation.batch.as_ref()?;
    let charges = route.charges(call.step.operation.as_str());
    let most = most_items(call.step.batch.unwrap_or(1), operation, &charges);
    Some(Batching {
        per_item: operation
            .cost
            .as_ref()
            .and_then(|cost| cost.per_item)
            .unwrap_or_default(),
        operation: operation.clone(),
        most,
    })
}
