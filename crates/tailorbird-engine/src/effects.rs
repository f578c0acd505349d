//! What the interpreter asks for, done by the parts of the engine. Each effect may be done twice and ends in the same
//! state: enrolling, writing and settling are repeated without harm, and sending goes through the ledger.

use tailorbird_model::run::Counts;
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::CursorMove;
use tracing::Instrument as _;

use crate::drive::Driver;
use crate::durable::{EffectCall, EffectKind, EffectOutput, Role, RunEnd};
use crate::plan::{CallPlan, Plan, StepPlan};
use crate::progress::ProgressEvent;
use crate::spans::{self, StepSpan};

/// What came of an effect, and the cursors over all runs that move in the same commit.
#[derive(Debug, Default)]
pub(crate) struct Performed {
    pub(crate) output: EffectOutput,
    pub(crate) cursors: Vec<CursorMove>,
}

impl From<EffectOutput> for Performed {
    fn from(output: EffectOutput) -> Self {
        Self {
            output,
            cursors: Vec::new(),
        }
    }
}

/// Does effects, and stands for the run to whoever follows it. [`crate::embedded::Embedded`] keeps what came of them.
pub(crate) trait Effects {
    /// Does an effect.
    async fn perform(&mut self, call: &EffectCall) -> Result<Performed, RunEnd>;

    /// Ends the run where a person asked for it.
    async fn asked(&mut self) -> Result<(), RunEnd>;

    /// The counts of the whole run.
    fn counts(&self) -> Result<Counts, Failure>;

    /// Waits so long, or until it is asked to stop.
    async fn idle(&self, at_most: std::time::Duration);

    /// Tells whoever follows.
    fn tell(&self, event: ProgressEvent);
}

/// The effects of a task.
pub(crate) struct TaskEffects<'p> {
    pub(crate) driver: Driver,
    pub(crate) plan: &'p Plan,
    step: StepSpan,
}

impl<'p> TaskEffects<'p> {
    pub(crate) fn new(driver: Driver, plan: &'p Plan) -> Self {
        Self {
            driver,
            plan,
            step: StepSpan::default(),
        }
    }
}

impl Effects for TaskEffects<'_> {
    async fn perform(&mut self, call: &EffectCall) -> Result<Performed, RunEnd> {
        let before = self.driver.counts;
        let begun = std::time::Instant::now();
        let span = self.step.effect(call);
        let done = self
            .driver
            .perform(self.plan, call)
            .instrument(span.clone())
            .await;
        spans::performed(&span, &done);
        self.driver.engine.effect_times.observe(begun.elapsed());
        match done {
            Ok(mut performed) => {
                self.driver.keep_variables().await?;
                performed.output.counts = self.driver.counts.since(&before);
                if call.kind != EffectKind::Begin {
                    let counts = self.counts().map_err(RunEnd::Failed)?;
                    (self.driver.progress)(ProgressEvent::Counts {
                        step: call.step.clone(),
                        counts,
                        left: None,
                    });
                }
                Ok(performed)
            }
            Err(end) => {
                if matches!(end, RunEnd::TryAgain(_)) {
                    // It is counted when it is done.
                    self.driver.counts = before;
                }
                Err(end)
            }
        }
    }

    async fn asked(&mut self) -> Result<(), RunEnd> {
        self.driver.look_up_requests().await
    }

    fn counts(&self) -> Result<Counts, Failure> {
        self.driver.all_counts(self.plan)
    }

    async fn idle(&self, at_most: std::time::Duration) {
        self.driver.stop.wait(at_most).await;
    }

    fn tell(&self, event: ProgressEvent) {
        (self.driver.progress)(event);
    }
}

impl Driver {
    async fn perform(&mut self, plan: &Plan, asked: &EffectCall) -> Result<Performed, RunEnd> {
        let step = plan
            .steps
            .iter()
            .find(|step| *step.id() == asked.step)
            .ok_or_else(|| misplaced(&asked.step, asked.kind))?;
        let place = asked.cursor.clone();
        match (asked.kind, step) {
            (EffectKind::Begin, step) => Ok(self.begin(step).await?.into()),
            (EffectKind::Chunk, StepPlan::Trigger(trigger)) => {
                self.emit_events(plan, trigger, place.as_ref()).await
            }
            (EffectKind::Chunk, StepPlan::Query(query)) => self.query(plan, query, place).await,
            (EffectKind::Chunk, StepPlan::Call(call)) => self.listing(plan, call, place).await,
            (EffectKind::Chunk, StepPlan::Wait(wait)) => Ok(self.wait(wait, place.as_ref())?.into()),
            (EffectKind::Chunk, StepPlan::CallTask(call)) => {
                if call.source.is_none() {
                    self.note_call_once(plan, call).await?;
                }
                self.call_tasks(plan, call).await?;
                Ok(Performed::default())
            }
            (EffectKind::Chunk, StepPlan::Approve(approve)) => {
                self.approve(plan, approve).await?;
                Ok(Performed::default())
            }
            (EffectKind::Chunk, StepPlan::Set(set)) => {
                self.set_once(set).await?;
                Ok(Performed::default())
            }
            (EffectKind::Enrol, StepPlan::Call(call)) => {
                self.enrol_once(plan, call).await?;
                Ok(Performed::default())
            }
            (EffectKind::Settle, StepPlan::Call(call)) => {
                let route = self.route(call)?;
                let settled = EffectOutput::from(self.settle_doubts(call, &route).await?);
                if let Some(wait) = &settled.wait {
                    let note = format!(
                        "waiting for {}; the provider is asked again at {}",
                        wait.what, wait.until
                    );
                    (self.progress)(ProgressEvent::Note(note));
                }
                Ok(settled.into())
            }
            (EffectKind::Send, StepPlan::Call(call)) => Ok(self.send_part(plan, call).await?.into()),
            (EffectKind::Emit, StepPlan::Call(call)) => {
                let route = self.route(call)?;
                self.emit_settled(plan, call, &route).await?;
                Ok(Performed::default())
            }
            // Questions are waited for by runs that read.
            (EffectKind::Finish, _) if self.is_again => Ok(Performed::default()),
            (EffectKind::Finish, _) => Ok(self.waits_for_release(plan)?.into()),
            (kind, step) => Err(misplaced(step.id(), kind)),
        }
    }

    /// Finds out how a step is gone through.
    async fn begin(&mut self, step: &StepPlan) -> Result<EffectOutput, RunEnd> {
        let role = match step {
            StepPlan::Call(call) => self.begin_call(call).await?,
            // What is in the ledger is sent, and goes on from there.
            _ if self.is_again => Role::Passive,
            StepPlan::Query(query) if query.source.is_none() => Role::Chunks,
            StepPlan::Set(set) if set.source.is_none() => Role::Chunks,
            StepPlan::Trigger(_) | StepPlan::Wait(_) | StepPlan::Approve(_) | StepPlan::CallTask(_) => {
                Role::Chunks
            }
            // All others work when their source yields records.
            _ => Role::Passive,
        };
        Ok(EffectOutput {
            role,
            ..EffectOutput::default()
        })
    }

    async fn begin_call(&mut self, call: &CallPlan) -> Result<Role, RunEnd> {
        let once = call.source.is_none();
        if self.is_delivering(call)? {
            let route = self.route(call)?;
            self.note_identity(call, &route).await?;
            return Ok(Role::Deliver {
                once: once && !self.is_again,
            });
        }
        // A reading call with a source works when that yields records.
        Ok(if once && !self.is_again {
            Role::Chunks
        } else {
            Role::Passive
        })
    }
}

/// The interpreter asked for something that the step does not do: a fault of this program.
fn misplaced(step: &Name, kind: EffectKind) -> RunEnd {
    debug_assert!(false, "{kind:?} was asked of step {step}");
    let message = format!("step `{step}` was asked for an effect that it does not have ({kind:?})");
    RunEnd::Failed(Failure::new(codes::INTERNAL, Meaning::NotSent, message))
}
