//! Drives a run to its end: opens or goes on with it, walks its steps, and says how it ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tailorbird_connector::Connector;
use tailorbird_model::run::{Counts, Run, RunId, RunState};
use tailorbird_model::task::Task;
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::{DriveLock, RunChange, RunFilter, RunRequest, Store};

use crate::limits::{MAX_FOLLOWED_WAIT, MAX_HELD_WAIT, MAX_STORE_TRIES, REQUEST_EVERY};
use crate::met::Met;
use crate::operators::Variables;
use crate::plan::{Plan, StepPlan};
use crate::progress::{Progress, ProgressEvent, Stop};
use crate::resources::Resources;
use crate::send::Gates;

/// Runs tasks. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) store: Store,
    pub(crate) connector: Connector,
    pub(crate) resources: Arc<dyn Resources>,
    /// How long after its intent an attempt may still take effect at the provider: the connector's time-out.
    pub(crate) attempt_window: Duration,
    /// How many requests of each connection are under way, over all runs that this engine drives.
    pub(crate) gates: Gates,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// Why a run does not go on.
#[derive(Debug)]
pub enum RunEnd {
    /// Asked to stop; it goes on another time.
    Stopped,
    /// A person held it.
    Paused,
    /// A person ended it.
    Cancelled,
    /// It waits longer than a person would sit there.
    Waiting(Timestamp, Option<Failure>),
    /// A person must mend something.
    Attention(Failure),
    /// It ended by an error of its own.
    Failed(Failure),
}

impl From<tailorbird_store::StoreError> for RunEnd {
    fn from(error: tailorbird_store::StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// A run under way.
pub(crate) struct Driver {
    pub(crate) engine: Engine,
    /// Gives the right to send. A rehearsal has none.
    pub(crate) lock: Option<Arc<DriveLock>>,
    pub(crate) task: Name,
    pub(crate) run: RunId,
    /// Counts that do not follow from the ledger: read, already, held ones, not due, written.
    pub(crate) counts: Counts,
    pub(crate) progress: Progress,
    pub(crate) stop: Stop,
    /// Whether a supervisor drives it: long waits are left to it, and a stop is not a person's.
    pub(crate) is_supervised: bool,
    pub(crate) last_look: Instant,
    /// The deliveries that each step has met since this process took the run up.
    pub(crate) met: HashMap<Name, Met>,
    /// The task's variables as this run knows them.
    pub(crate) variables: Variables,
    /// The runs that called this one, the nearest first.
    pub(crate) ancestors: Vec<RunId>,
}

impl Engine {
    /// Makes an engine. `attempt_window` is the connector's total time-out.
    pub fn new(
        store: Store,
        connector: Connector,
        resources: Arc<dyn Resources>,
        attempt_window: Duration,
    ) -> Self {
        Self {
            store,
            connector,
            resources,
            attempt_window,
            gates: Gates::default(),
        }
    }

    /// Runs a task: goes on with its unfinished run, or opens a new one, and follows it.
    ///
    /// # Errors
    /// RUN-002 where another process drives runs of this home. How the run itself ended is in the run.
    pub async fn run_task(
        &self,
        task: &Task,
        version: i64,
        progress: Progress,
        stop: Stop,
    ) -> Result<Run, Failure> {
        let lock = self.lock(&progress).await?;
        let run = match self.unfinished(&task.task, version).await? {
            Some(run) => run,
            None => {
                self.store
                    .open_run(&task.task, version, RunState::Running)
                    .await?
            }
        };
        self.drive(lock, run, task, progress, stop, false).await
    }

    /// Drives a run of a supervisor, which holds the lock and has recovered what dead processes left.
    pub(crate) async fn drive_supervised(
        &self,
        lock: Arc<DriveLock>,
        run: Run,
        task: &Task,
        progress: Progress,
        stop: Stop,
    ) -> Result<Run, Failure> {
        self.drive(lock, run, task, progress, stop, true).await
    }

    /// Goes on with a run that is held, waits, was interrupted or needed attention.
    ///
    /// # Errors
    /// RUN-004 where it has ended; RUN-002 as [`Engine::run_task`].
    pub async fn resume(
        &self,
        run: Run,
        task: &Task,
        progress: Progress,
        stop: Stop,
    ) -> Result<Run, Failure> {
        if run.state.is_final() {
            let message = format!("the run {} has ended ({})", run.id, run.state.as_str());
            return Err(Failure::new(codes::TRANSITION, Meaning::NotSent, message)
                .hint(format!("`tailorbird task run {}` opens a new one.", run.task)));
        }
        let lock = self.lock(&progress).await?;
        self.drive(lock, run, task, progress, stop, false).await
    }

    /// Takes the lock for driving runs; whatever a dead process was sending becomes doubt.
    async fn lock(&self, progress: &Progress) -> Result<Arc<DriveLock>, Failure> {
        let lock = DriveLock::acquire(self.store.home())?;
        let doubts = self.store.recover(&lock).await?;
        if !doubts.is_empty() {
            progress(ProgressEvent::Note(format!(
                "an earlier run was cut off while {} record(s) were on their way; nobody knows yet whether they arrived",
                doubts.len()
            )));
        }
        Ok(Arc::new(lock))
    }

    /// The run of a task that has not ended. One of an older version of the task is ended: the ledger holds
    /// all that it knew, so a new run with the new version loses nothing.
    async fn unfinished(&self, task: &Name, version: i64) -> Result<Option<Run>, Failure> {
        let states = [
            RunState::Queued,
            RunState::Running,
            RunState::Waiting,
            RunState::Paused,
            RunState::NeedsAttention,
        ];
        let filter = RunFilter {
            task: Some(task.clone()),
            states: states.to_vec(),
            limit: 100,
            ..RunFilter::default()
        };
        let mut current = None;
        for run in self.store.runs(&filter)? {
            let parent = self.store.run_input(&run.id)?.parent;
            let parent = parent
                .map(|parent| self.store.run(&parent))
                .transpose()?
                .flatten();
            if parent.is_some_and(|parent| !parent.state.is_final()) {
                // The run that called it goes on with it.
                continue;
            }
            if current.is_none() && run.task_version == version {
                current = Some(run);
                continue;
            }
            self.replace(&run).await?;
        }
        Ok(current)
    }

    /// Ends a run in favour of a newer one.
    pub(crate) async fn replace(&self, run: &Run) -> Result<(), Failure> {
        let why = Failure::new(
            codes::TRANSITION,
            Meaning::NotSent,
            "a newer run or version took its place",
        )
        .detail("What it had not sent is still in the ledger and goes on with the newer one.");
        let change = RunChange {
            state: Some(RunState::Cancelled),
            failure: Some(Some(why)),
            resume_at: Some(None),
            ..RunChange::default()
        };
        self.store.change_run(&run.id, change).await?;
        self.cancel_children(&run.id).await
    }

    pub(crate) async fn drive(
        &self,
        lock: Arc<DriveLock>,
        run: Run,
        task: &Task,
        progress: Progress,
        stop: Stop,
        is_supervised: bool,
    ) -> Result<Run, Failure> {
        let plan = Plan::of(task)?;
        self.store.take_run_request(&run.id).await?;
        let change = RunChange {
            state: Some(RunState::Running),
            failure: Some(None),
            resume_at: Some(None),
            ..RunChange::default()
        };
        let run = self.store.change_run(&run.id, change).await?;
        // What the ledger knows of the run is added anew each time; the rest is carried on.
        let known = self.store.run_delivery_counts(&run.id)?;
        // Without deliveries all that was read is read and written again.
        let counts = if plan.has_keys() {
            // What called runs did is added anew, too.
            carried_on(run.counts.less(&self.store.child_counts(&run.id)?), &known)
        } else {
            Counts::default()
        };
        let input = self.store.run_input(&run.id)?;
        let variables = Variables::load(&self.store, &task.task, &run.id, &task.variables, &input)?;
        let mut driver = Driver {
            engine: self.clone(),
            lock: Some(lock),
            task: task.task.clone(),
            run: run.id.clone(),
            counts,
            progress,
            stop,
            is_supervised,
            last_look: Instant::now(),
            met: HashMap::new(),
            variables,
            ancestors: self.ancestors(&input)?,
        };
        let ended = driver.steps(&plan).await;
        driver.finish(&plan, ended).await
    }
}

impl Driver {
    /// The right to send.
    pub(crate) fn driving(&self) -> Result<Arc<DriveLock>, RunEnd> {
        self.lock.clone().ok_or_else(|| {
            let message = "something was to be sent in a rehearsal";
            RunEnd::Failed(Failure::new(codes::INTERNAL, Meaning::NotSent, message))
        })
    }

    async fn steps(&mut self, plan: &Plan) -> Result<(), RunEnd> {
        for step in &plan.steps {
            self.look_up_requests().await?;
            match step {
                StepPlan::Query(query) if query.source.is_none() => self.query(plan, query).await?,
                StepPlan::Call(call) if self.is_delivering(call)? => {
                    if call.source.is_none() {
                        self.enrol_once(plan, call).await?;
                    }
                    self.deliver(plan, call).await?;
                }
                StepPlan::Call(call) if call.source.is_none() => self.listing(plan, call).await?,
                StepPlan::Set(set) if set.source.is_none() => self.set_once(set).await?,
                StepPlan::Approve(approve) => self.approve(plan, approve).await?,
                StepPlan::CallTask(call) => {
                    if call.source.is_none() {
                        self.note_call_once(plan, call).await?;
                    }
                    self.call_tasks(plan, call).await?;
                }
                // All others work when their source yields records.
                _ => {}
            }
            self.keep_variables().await?;
            self.store_counts(plan, Some(step.id())).await?;
        }
        match self.waits_for_release(plan)? {
            Some(waiting) => Err(waiting),
            None => Ok(()),
        }
    }

    /// The counts of the whole run: what was counted here, and what the ledger says.
    pub(crate) fn all_counts(&self, plan: &Plan) -> Result<Counts, Failure> {
        let known = self.engine.store.run_delivery_counts(&self.run)?;
        let mut counts = self.counts;
        counts.delivered += known.delivered;
        counts.rejected += known.rejected;
        counts.skipped += known.skipped;
        counts.in_doubt = self.doubts(plan)?;
        if plan.calls_tasks() {
            counts.add(&self.engine.store.child_counts(&self.run)?);
        }
        Ok(counts)
    }

    pub(crate) async fn store_counts(&mut self, plan: &Plan, step: Option<&Name>) -> Result<(), RunEnd> {
        let counts = self.all_counts(plan).map_err(RunEnd::Failed)?;
        let change = RunChange {
            counts: Some(counts),
            ..RunChange::default()
        };
        self.engine.store.change_run(&self.run, change).await?;
        if let Some(step) = step {
            (self.progress)(ProgressEvent::Counts {
                step: step.clone(),
                counts,
                left: None,
            });
        }
        Ok(())
    }

    /// Looks whether a person, here or in another process, wants the run to stop.
    pub(crate) async fn look_up_requests(&mut self) -> Result<(), RunEnd> {
        if self.stop.is_set() {
            return Err(RunEnd::Stopped);
        }
        if self.last_look.elapsed() < REQUEST_EVERY {
            return Ok(());
        }
        self.last_look = Instant::now();
        if self.is_asked_above()? {
            return Err(RunEnd::Stopped);
        }
        // Looking costs no commit; only a request that is there is taken.
        if self.engine.store.run_request(&self.run)?.is_none() {
            return Ok(());
        }
        match self.engine.store.take_run_request(&self.run).await? {
            Some(RunRequest::Cancel) => Err(RunEnd::Cancelled),
            Some(RunRequest::Pause) => Err(RunEnd::Paused),
            Some(RunRequest::Resume) | None => Ok(()),
        }
    }

    /// Waits until a time. A long wait ends the following of the run, not the run.
    pub(crate) async fn wait_until(
        &mut self,
        connection: &Name,
        until: Timestamp,
        why: Option<Failure>,
    ) -> Result<(), RunEnd> {
        let left =
            |until: Timestamp| Duration::try_from(until.duration_since(Timestamp::now())).unwrap_or_default();
        let longest = if self.is_supervised {
            MAX_HELD_WAIT
        } else {
            MAX_FOLLOWED_WAIT
        };
        if left(until) > longest {
            return Err(RunEnd::Waiting(until, why));
        }
        if left(until).is_zero() {
            return Ok(());
        }
        let change = RunChange {
            state: Some(RunState::Waiting),
            resume_at: Some(Some(until)),
            failure: Some(why),
            ..RunChange::default()
        };
        self.engine.store.change_run(&self.run, change).await?;
        while !left(until).is_zero() {
            (self.progress)(ProgressEvent::Waiting {
                connection: connection.clone(),
                until,
            });
            self.stop.wait(left(until).min(REQUEST_EVERY)).await;
            self.look_up_requests().await?;
        }
        let change = RunChange {
            state: Some(RunState::Running),
            resume_at: Some(None),
            failure: Some(None),
            ..RunChange::default()
        };
        self.engine.store.change_run(&self.run, change).await?;
        Ok(())
    }

    async fn finish(&mut self, plan: &Plan, ended: Result<(), RunEnd>) -> Result<Run, Failure> {
        let (state, failure, resume_at) = match ended {
            Ok(()) => (RunState::Succeeded, None, None),
            // It goes on by itself when the home is driven again.
            Err(RunEnd::Stopped) if self.is_supervised => {
                (RunState::Running, Some(interrupted(&self.task)), None)
            }
            Err(RunEnd::Stopped) => (RunState::Paused, Some(interrupted(&self.task)), None),
            Err(RunEnd::Paused) => (RunState::Paused, None, None),
            Err(RunEnd::Cancelled) => (RunState::Cancelled, None, None),
            Err(RunEnd::Waiting(until, why)) => (RunState::Waiting, why, Some(until)),
            Err(RunEnd::Attention(failure)) => (RunState::NeedsAttention, Some(failure), None),
            Err(RunEnd::Failed(failure)) => (RunState::Failed, Some(failure), None),
        };
        let mut last = None;
        for attempt in 0..MAX_STORE_TRIES {
            let change = RunChange {
                state: Some(state),
                counts: self.all_counts(plan).ok(),
                failure: Some(failure.clone()),
                resume_at: Some(resume_at),
                ..RunChange::default()
            };
            match self.engine.store.change_run(&self.run, change).await {
                Ok(run) => {
                    if state == RunState::Cancelled {
                        self.engine.cancel_children(&self.run).await?;
                    }
                    return Ok(run);
                }
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
        }
        Err(last.map_or_else(
            || {
                Failure::new(
                    codes::INTERNAL,
                    Meaning::NotSent,
                    "the end of a run was not stored",
                )
            },
            Failure::from,
        ))
    }
}

/// The counts that a run goes on with. What the ledger knows is added anew each time. Records that are not
/// the run's own (delivered or held before) or were not due are read and counted again, so they are taken out.
pub(crate) fn carried_on(stored: Counts, known: &Counts) -> Counts {
    let held = stored.rejected.saturating_sub(known.rejected) + stored.skipped.saturating_sub(known.skipped);
    Counts {
        read: stored.read.saturating_sub(stored.already + stored.not_due + held),
        written: stored.written,
        ..Counts::default()
    }
}

fn interrupted(task: &Name) -> Failure {
    Failure::new(codes::STOPPED, Meaning::NotSent, "the run was stopped on request")
        .detail("What was on its way was finished first. Nothing is lost.")
        .hint(format!("`tailorbird task run {task}` goes on where it was."))
}
