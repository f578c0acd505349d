//! Drives a run to its end: opens or goes on with it, walks its steps, and says how it ended.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tailorbird_connector::{Connector, Pages};
use tailorbird_model::delivery::DeliveryId;
use tailorbird_model::measure::Histogram;
use tailorbird_model::ports::BudgetId;
use tailorbird_model::run::{Counts, Run, RunId, RunState};
use tailorbird_model::task::Task;
use tailorbird_model::{Failure, Meaning, Name, Record, codes};
use tailorbird_store::{DriveLock, RunChange, RunFilter, RunRequest, Store};
use tracing::Instrument as _;

use crate::durable::RunEnd;
use crate::effects::TaskEffects;
use crate::embedded::{Embedded, Patience};
use crate::interpret::{Position, interpret};
use crate::limits::{
    MAX_FOLLOWED_WAIT, MAX_HELD_WAIT, MAX_SERVED_TRIES, MAX_STORE_TRIES, MAX_TRIES, REQUEST_EVERY, SHOW_EVERY,
};
use crate::met::Met;
use crate::operators::Variables;
use crate::plan::{Plan, StepPlan};
use crate::progress::{Progress, ProgressEvent, Stop};
use crate::resources::Resources;
use crate::send::{Gates, Turns};
use crate::{spans, trigger};

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
    /// Which of those runs go first when a limit opens again.
    pub(crate) turns: Turns,
    /// How long effects took. Clones share it.
    pub(crate) effect_times: Arc<Histogram>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
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
    /// When counts were last stored in the middle of an effect.
    pub(crate) last_shown: Instant,
    /// The deliveries that each step has met since this process took the run up.
    pub(crate) met: HashMap<Name, Met>,
    /// The task's variables as this run knows them.
    pub(crate) variables: Variables,
    /// The runs that called this one, the nearest first.
    pub(crate) ancestors: Vec<RunId>,
    /// Whether it was begun at its first step again, so that it reads records which it has counted before.
    pub(crate) is_begun_anew: bool,
    /// Why it ends as soon as what is under way is kept.
    pub(crate) ending: Option<RunEnd>,
    /// Doubts that only a person can settle, as far as this process has asked the provider, with their attempts.
    pub(crate) asked_people: HashSet<(DeliveryId, u32)>,
    /// A listing under way: its step, how many pages were read, and what is known of them.
    pub(crate) pages: Option<(Name, u32, Pages)>,
    /// What fired the run, as expressions see it.
    pub(crate) trigger: Record,
    /// Whether it reads nothing and carries out what a person decided about records of the ledger.
    pub(crate) is_again: bool,
    /// The credentials with which it could make calls since it last waited for their limits.
    pub(crate) served: HashSet<BudgetId>,
}

/// A person sits there and follows.
const FOLLOWED: Patience = Patience {
    hold: MAX_FOLLOWED_WAIT,
    tries: MAX_TRIES,
};

/// A server drives many runs.
const SERVED: Patience = Patience {
    hold: MAX_HELD_WAIT,
    tries: MAX_SERVED_TRIES,
};

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
            turns: Turns::default(),
            effect_times: Arc::default(),
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
            Some(run) => {
                // A wait of the task's own would never end if each call began it anew.
                if !self.is_at_a_wait(&run, task)? {
                    self.begin_anew(&run, task).await?;
                }
                run
            }
            None => {
                self.store
                    .open_run(&task.task, version, RunState::Running)
                    .await?
            }
        };
        // A request that nobody took up while the run rested is over.
        self.store.take_run_request(&run.id).await?;
        self.drive(lock, run, task, progress, stop, false).await
    }

    /// Tells whether a run stands at a `wait` step.
    fn is_at_a_wait(&self, run: &Run, task: &Task) -> Result<bool, Failure> {
        let position = self.store.journal(&run.id)?.position;
        let position = position.and_then(|json| serde_json::from_value::<Position>(json).ok());
        let plan = Plan::of(task)?;
        let step = position.and_then(|position| plan.steps.get(position.step));
        Ok(matches!(step, Some(StepPlan::Wait(_))))
    }

    /// Lets a run begin at its first step again, so that a person who runs the task sees what is due now. The
    /// ledger knows what it did; what that does not know of its counts is carried on.
    async fn begin_anew(&self, run: &Run, task: &Task) -> Result<(), Failure> {
        // What the ledger knows of the run is added anew each time; the rest is carried on.
        let known = self.store.run_delivery_counts(&run.id)?;
        // Without deliveries all that was read is read and written again.
        let counts = if Plan::of(task)?.has_keys() {
            // What called runs did is added anew, too.
            carried_on(run.counts.less(&self.store.child_counts(&run.id)?), &known)
        } else {
            Counts::default()
        };
        self.store.begin_anew(&run.id, counts).await?;
        Ok(())
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
        // A request that nobody took up while the run rested is over.
        self.store.take_run_request(&run.id).await?;
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
            let input = self.store.run_input(&run.id)?;
            let is_again = input.is_again();
            let parent = input
                .parent
                .map(|parent| self.store.run(&parent))
                .transpose()?
                .flatten();
            if parent.is_some_and(|parent| !parent.state.is_final()) {
                // The run that called it goes on with it.
                continue;
            }
            // One that reads nothing is no run to go on with: whoever runs the task wants it to read.
            if current.is_none() && run.task_version == version && !is_again {
                current = Some(run);
                continue;
            }
            // What fired a run is in no other one.
            if !self.store.run_input(&run.id)?.is_own() {
                self.replace(&run).await?;
            }
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
        let span = spans::run(&run, task);
        let driven = self.go_on(lock, run, task, progress, stop, is_supervised);
        let ended = driven.instrument(span.clone()).await;
        spans::ended(&span, &ended);
        ended
    }

    async fn go_on(
        &self,
        lock: Arc<DriveLock>,
        run: Run,
        task: &Task,
        progress: Progress,
        stop: Stop,
        is_supervised: bool,
    ) -> Result<Run, Failure> {
        let plan = Plan::of(task)?;
        let change = RunChange {
            state: Some(RunState::Running),
            failure: Some(None),
            resume_at: Some(None),
            ..RunChange::default()
        };
        let run = self.store.change_run(&run.id, change).await?;
        // What was asked since a supervisor found the run must not get lost. It is taken after the state has changed, so
        // that whoever follows the run never sees it rest in between.
        let ending = match self.store.take_run_request(&run.id).await? {
            Some(RunRequest::Cancel) => Some(RunEnd::Cancelled),
            Some(RunRequest::Pause) => Some(RunEnd::Paused),
            Some(RunRequest::Resume) | None => None,
        };
        let steps: Vec<Name> = plan.steps.iter().map(|step| step.id().clone()).collect();
        let patience = if is_supervised { SERVED } else { FOLLOWED };
        let input = self.store.run_input(&run.id)?;
        let variables = Variables::load(&self.store, &task.task, &run.id, &task.variables, &input)?;
        let trigger = trigger::about(&self.store, &run, &input, &task.trigger)?;
        let ancestors = self.ancestors(&input)?;
        let is_begun_anew = self.store.is_begun_anew(&run.id)?;
        let (durable, position) =
            Embedded::take_up(self.store.clone(), run.id.clone(), patience, |counts| {
                let driver = Driver {
                    engine: self.clone(),
                    lock: Some(lock),
                    task: task.task.clone(),
                    run: run.id.clone(),
                    counts,
                    progress,
                    stop,
                    is_supervised,
                    last_look: Instant::now(),
                    last_shown: Instant::now(),
                    met: HashMap::new(),
                    variables,
                    ancestors,
                    is_begun_anew,
                    ending,
                    asked_people: HashSet::new(),
                    pages: None,
                    trigger,
                    is_again: input.is_again(),
                    served: HashSet::new(),
                };
                TaskEffects::new(driver, &plan)
            })?;
        let ended = interpret(&durable, &steps, position).await;
        let mut effects = durable.into_effects().ok_or_else(|| {
            Failure::new(
                codes::INTERNAL,
                Meaning::NotSent,
                "a run is still held after its end",
            )
        })?;
        effects.driver.finish(&plan, ended).await
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

    /// Shows how far a reading has come, now and then: each time costs a commit, and what counts is stored with the
    /// effect.
    pub(crate) async fn show_counts(&mut self, plan: &Plan, step: &Name) -> Result<(), RunEnd> {
        if self.last_shown.elapsed() < SHOW_EVERY {
            return Ok(());
        }
        self.last_shown = Instant::now();
        self.store_counts(plan, Some(step)).await
    }

    /// Looks whether a person, here or in another process, wants the run to stop.
    pub(crate) async fn look_up_requests(&mut self) -> Result<(), RunEnd> {
        if let Some(end) = self.ending.take() {
            return Err(end);
        }
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

    /// Waits in the middle of an effect: of a reading that cannot be gone on with later. A long wait parks the run,
    /// and the reading is repeated.
    pub(crate) async fn wait_until(
        &mut self,
        connection: &Name,
        until: Timestamp,
        why: Option<Failure>,
    ) -> Result<(), RunEnd> {
        let left =
            |until: Timestamp| Duration::try_from(until.duration_since(Timestamp::now())).unwrap_or_default();
        if left(until) > MAX_FOLLOWED_WAIT {
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
                what: format!("the limit of {connection}"),
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
            Err(RunEnd::Failed(failure) | RunEnd::TryAgain(failure)) => {
                (RunState::Failed, Some(failure), None)
            }
        };
        if state != RunState::Waiting {
            self.engine.turns.forget(&self.run);
        }
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
