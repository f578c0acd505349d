//! `call_task`: runs another task, once or for each record, and follows it.
//!
//! Invariant: a run starts a called task once per step and key. The called run is opened for an occasion that is
//! made of run, step and key, so a crash at any moment finds the same run again and never opens a second one.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tailorbird_model::key::DeliveryKey;
use tailorbird_model::run::{Run, RunId, RunInput, RunState};
use tailorbird_model::task::MAX_CALL_DEPTH;
use tailorbird_model::{Failure, Meaning, Record, Value, codes};
use tailorbird_store::{NewTaskCall, RunChange, RunRequest, TaskCall};

use super::unusable;
use crate::deliver::key_of;
use crate::drive::{Driver, Engine};
use crate::durable::RunEnd;
use crate::limits::{BUSY_PAUSE, CHUNK};
use crate::plan::{CallTaskPlan, Plan, evaluate};
use crate::progress::ProgressEvent;
use crate::tail::Emitted;

/// The key of a call that is made once in a run.
const ONCE: &str = "once";

impl Driver {
    /// Notes for which records the task is run. It is run when the step is reached.
    pub(crate) async fn note_calls(
        &mut self,
        plan: &Plan,
        call: &CallTaskPlan,
        records: &[Emitted],
    ) -> Result<(), RunEnd> {
        let mut batch = Vec::with_capacity(records.len());
        for record in records {
            let key = match &call.key {
                None => DeliveryKey::from_text(ONCE).map_err(|problem| {
                    let message = format!("a key of our own is none: {problem}");
                    RunEnd::Failed(Failure::new(codes::INTERNAL, Meaning::NotSent, message))
                })?,
                Some(template) => {
                    let scope = self.see_of(&record.for_key());
                    key_of(&call.id, &call.expressions, template, &scope, &record.record)?
                }
            };
            let values = evaluate(&call.expressions, &call.variables, &self.see_of(record))
                .map_err(|failure| unusable(&call.id, &record.record, failure))?;
            batch.push(NewTaskCall {
                key,
                input: self.to_store(record, &call.keeps),
                variables: values
                    .iter()
                    .map(|(name, value)| (name.clone(), value.to_json()))
                    .collect(),
            });
        }
        let noted = self
            .engine
            .store
            .note_task_calls(&self.run, &call.id, batch)
            .await?;
        if self.is_begun_anew && plan.counts_reads_of(call.source.as_ref()) {
            let known = noted.iter().filter(|is_new| !**is_new).count();
            let known = u64::try_from(known).unwrap_or_default();
            // This run read them before, and counted them then.
            self.counts.read = self.counts.read.saturating_sub(known);
        }
        Ok(())
    }

    /// Notes the one call of a step without `for_each`.
    pub(crate) async fn note_call_once(&mut self, plan: &Plan, call: &CallTaskPlan) -> Result<(), RunEnd> {
        let nothing = Emitted::plain(Record::from_pairs([]));
        self.note_calls(plan, call, &[nothing]).await
    }

    /// Runs the task for each record noted, one after the other. One that does not end well keeps no other from
    /// being run.
    pub(crate) async fn call_tasks(&mut self, plan: &Plan, call: &CallTaskPlan) -> Result<(), RunEnd> {
        let mut first: Option<RunEnd> = None;
        let mut after = 0;
        loop {
            let limit = u32::try_from(CHUNK).unwrap_or(u32::MAX);
            let open = self
                .engine
                .store
                .open_task_calls(&self.run, &call.id, after, limit)?;
            let Some(last) = open.last() else { break };
            after = last.id;
            for called in open {
                self.look_up_requests().await?;
                let run = self.run_called(call, &called).await?;
                match self.followed(call, &called, &run).await? {
                    Ok(true) => {
                        let record = self.as_seen(emitted(call, &called, &run))?;
                        self.hand_on(plan, &call.id, &[record]).await?;
                        self.engine.store.settle_task_call(called.id).await?;
                    }
                    Ok(false) => self.engine.store.settle_task_call(called.id).await?,
                    Err(end) => {
                        first.get_or_insert(end);
                    }
                }
                self.store_counts(plan, Some(&call.id)).await?;
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// Opens the called run, or finds it, and drives it.
    async fn run_called(&mut self, call: &CallTaskPlan, called: &TaskCall) -> Result<Run, RunEnd> {
        let store = self.engine.store.clone();
        let (task, version) = self
            .engine
            .resources
            .task(&call.step.task, None)
            .map_err(RunEnd::Attention)?;
        self.guard_depth(call)?;
        let input = RunInput {
            occasion: Some(format!("{}/{}/{}", self.run, call.id, called.key)),
            parent: Some(self.run.clone()),
            variables: called.variables.clone().into_iter().collect(),
            ..RunInput::of("task")
        };
        let run = store
            .open_run_with(&task.task, version, RunState::Queued, input)
            .await?;
        if run.state.is_final() {
            return Ok(run);
        }
        // A version that was applied since is for the runs to come.
        let task = if run.task_version == version {
            task
        } else {
            let pinned = self.engine.resources.task(&run.task, Some(run.task_version));
            pinned.map_err(RunEnd::Attention)?.0
        };
        if self.is_supervised {
            self.wait_for_turn(&run)?;
        }
        let driven = self.engine.drive(
            self.driving()?,
            run,
            &task,
            Arc::clone(&self.progress),
            self.stop.clone(),
            self.is_supervised,
        );
        Box::pin(driven).await.map_err(RunEnd::Failed)
    }

    /// One run of a task at a time: while another one is under way, this one waits.
    fn wait_for_turn(&self, run: &Run) -> Result<(), RunEnd> {
        let others = self.engine.store.unfinished_runs(&run.task)?;
        let is_busy = others
            .iter()
            .any(|other| other.id != run.id && other.state == RunState::Running);
        if !is_busy {
            return Ok(());
        }
        let until = Timestamp::now()
            .checked_add(SignedDuration::try_from(BUSY_PAUSE).unwrap_or_default())
            .unwrap_or(Timestamp::MAX);
        let message = format!("another run of the task `{}` is under way", run.task);
        Err(RunEnd::Waiting(
            until,
            Some(Failure::new(codes::RUN_BUSY, Meaning::NotSent, message)),
        ))
    }

    fn guard_depth(&self, call: &CallTaskPlan) -> Result<(), RunEnd> {
        let mut tasks = vec![self.task.to_string()];
        for ancestor in &self.ancestors {
            if let Some(run) = self.engine.store.run(ancestor)? {
                tasks.push(run.task.to_string());
            }
        }
        let comes_again = tasks.iter().any(|task| task == call.step.task.as_str());
        if !comes_again && tasks.len() < MAX_CALL_DEPTH {
            return Ok(());
        }
        tasks.reverse();
        tasks.push(call.step.task.to_string());
        let message = if comes_again {
            format!("the task `{}` would call itself", call.step.task)
        } else {
            format!("tasks call each other more than {MAX_CALL_DEPTH} deep")
        };
        Err(RunEnd::Attention(
            Failure::new(codes::CALLS_TOO_DEEP, Meaning::NotSent, message)
                .detail(format!("The calls: {}.", tasks.join(" → ")))
                .hint("Change one of the tasks so that the calls come to an end."),
        ))
    }

    /// What the end of a called run means: it is handed on (true), left out (false), or this run does not end
    /// well either.
    async fn followed(
        &mut self,
        call: &CallTaskPlan,
        called: &TaskCall,
        run: &Run,
    ) -> Result<Result<bool, RunEnd>, RunEnd> {
        let told = |failure: &Option<Failure>| {
            let message = format!(
                "run {} of task `{}`, called for {}, is {}",
                run.id,
                run.task,
                called.key,
                run.state.as_str()
            );
            let known = failure.clone().unwrap_or_else(|| {
                Failure::new(codes::TRANSITION, Meaning::NotSent, "nothing more is known")
            });
            Failure {
                message: format!("{message}: {}", known.message),
                ..known
            }
        };
        Ok(match run.state {
            RunState::Succeeded => Ok(true),
            RunState::Cancelled => {
                self.counts.skipped += 1;
                let note = format!("step {}: {} was cancelled", call.id, run.id);
                (self.progress)(ProgressEvent::Note(note));
                Ok(false)
            }
            RunState::Failed => Err(RunEnd::Failed(told(&run.failure))),
            RunState::NeedsAttention => Err(RunEnd::Attention(told(&run.failure))),
            RunState::Waiting => Err(RunEnd::Waiting(
                run.resume_at.unwrap_or_else(Timestamp::now),
                Some(told(&run.failure)),
            )),
            RunState::Queued | RunState::Running | RunState::Paused => {
                // It stopped because this run, or one above it, was asked to.
                match self.engine.store.take_run_request(&self.run).await? {
                    Some(RunRequest::Cancel) => return Err(RunEnd::Cancelled),
                    Some(RunRequest::Pause) => return Err(RunEnd::Paused),
                    Some(RunRequest::Resume) | None => {}
                }
                if self.stop.is_set() || self.is_asked_above()? {
                    return Err(RunEnd::Stopped);
                }
                Err(RunEnd::Attention(told(&run.failure)))
            }
        })
    }

    /// Tells whether one of the runs that called this one is asked to stop.
    pub(crate) fn is_asked_above(&self) -> Result<bool, RunEnd> {
        for ancestor in &self.ancestors {
            let request = self.engine.store.run_request(ancestor)?;
            if matches!(request, Some(RunRequest::Cancel | RunRequest::Pause)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Engine {
    /// The runs that called a run, the nearest first.
    pub(crate) fn ancestors(&self, input: &RunInput) -> Result<Vec<RunId>, Failure> {
        let mut ancestors = Vec::new();
        let mut next = input.parent.clone();
        while let Some(parent) = next.take() {
            if ancestors.len() > MAX_CALL_DEPTH {
                break;
            }
            next = self.store.run_input(&parent)?.parent;
            ancestors.push(parent);
        }
        Ok(ancestors)
    }

    /// Ends what a run has called, where the run itself was ended by a person or a newer version.
    ///
    /// # Errors
    /// Where the store refuses.
    pub async fn cancel_children(&self, run: &RunId) -> Result<(), Failure> {
        let mut open = vec![run.clone()];
        while let Some(parent) = open.pop() {
            for child in self.store.unfinished_children(&parent)? {
                let change = RunChange {
                    state: Some(RunState::Cancelled),
                    resume_at: Some(None),
                    ..RunChange::default()
                };
                self.store.change_run(&child.id, change).await?;
                open.push(child.id);
            }
        }
        Ok(())
    }
}

/// The record, with what the called run did as `result`.
fn emitted(call: &CallTaskPlan, called: &TaskCall, run: &Run) -> Emitted {
    let number = |count: u64| Value::Integer(i64::try_from(count).unwrap_or(i64::MAX));
    let counts = run.counts;
    let result = [
        ("run", Value::from(run.id.0.as_str())),
        ("state", Value::from(run.state.as_str())),
        ("read", number(counts.read)),
        ("delivered", number(counts.delivered)),
        ("already", number(counts.already)),
        ("rejected", number(counts.rejected)),
        ("in_doubt", number(counts.in_doubt)),
        ("skipped", number(counts.skipped)),
        ("not_due", number(counts.not_due)),
        ("written", number(counts.written)),
    ];
    Emitted {
        result: Some(Record::from_pairs(
            result.map(|(name, value)| (name.to_owned(), value)),
        )),
        ..Emitted::restored(&called.input, &call.outer)
    }
}
