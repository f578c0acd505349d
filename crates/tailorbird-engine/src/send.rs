//! Sends what is due: budget, intent, compare, send, outcome (never-twice rules 4, 5, 6, 9, 13).

mod gate;
mod one;
mod pool;
mod queue;

use std::time::Instant;

use jiff::Timestamp;
use tailorbird_model::ports::Budget as _;
use tailorbird_store::SendingAs;

pub(crate) use gate::Gates;
pub(crate) use one::Sent;
#[cfg(test)]
pub(crate) use one::outcome_of;
use pool::{Pool, Work};

use crate::deliver::Route;
use crate::drive::{Driver, RunEnd};
use crate::limits::{CHUNK, MAX_LATER, MAX_REACH_TRIES, MAX_ROUNDS, REACH_PAUSE, STOP_GRACE, TELL_EVERY};
use crate::plan::{CallPlan, Plan};
use crate::progress::ProgressEvent;

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
            if self.engine.store.due_requests(&route.lane, None, 1)?.is_empty() {
                match self.engine.store.next_due_at(&route.lane)? {
                    Some(at) => {
                        self.wait_until(connection, at, None).await?;
                        continue;
                    }
                    None => return Ok(total),
                }
            }
            let (sent, trouble, asked) = self.send_lane(plan, call, route).await?;
            total += sent;
            self.store_counts(plan, Some(&call.id)).await?;
            // What went through is written back also where the rest has to wait.
            let emitted = self.emit_settled(plan, call, route).await;
            asked?;
            if sent > 0 {
                tries = 0;
            }
            match trouble {
                None | Some(Sent::Done) => {}
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
            }
            emitted?;
        }
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
            },
            settles,
            connection: call.step.connection.clone(),
            operation: call.step.operation.to_string(),
            gate: self.engine.gates.of(&call.step.connection, route.concurrency),
            workers: route.concurrency,
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
