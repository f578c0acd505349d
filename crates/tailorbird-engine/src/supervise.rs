//! Drives all runs of a home in one process, several at once (never-twice rule 19).
//!
//! The supervisor holds the lock for driving runs. It takes up what an earlier process left, what others open,
//! and what waits for a time; a run that waits for long is no task in memory, only a row with a time. Everything
//! it knows is read from the store, so it can be killed anywhere.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tailorbird_model::measure::Measured;
use tailorbird_model::run::{Run, RunId, RunState};
use tailorbird_model::task::Task;
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::{DriveLock, RunChange, RunRequest};
use tokio::sync::Notify;
use tokio::task::{Id, JoinHandle, JoinSet};

use crate::drive::Engine;
use crate::limits::{MAX_RUNS_AT_ONCE, PICK_UP_EVERY, STOP_GRACE};
use crate::progress::{Progress, ProgressEvent, Stop};

/// What the supervisor asks of whoever keeps the tasks.
pub trait Tasks: Send + Sync {
    /// The version of the task that is pinned to a run.
    ///
    /// # Errors
    /// TASK-001 where it is gone, TASK-002 where this version of the program cannot read it.
    fn task_of(&self, run: &Run) -> Result<Task, Failure>;

    /// Looks whether a run may begin or go on: a run that would send records again must not.
    fn admit<'a>(
        &'a self,
        task: &'a Task,
        progress: &'a Progress,
    ) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 'a>>;
}

/// Hears what runs tell. It must not block.
pub type Listener = Arc<dyn Fn(&RunId, RunNews) + Send + Sync>;

/// What a supervised run tells.
#[derive(Debug, Clone)]
pub enum RunNews {
    /// It was taken up: begun, or going on.
    TakenUp,
    /// It tells something on its way.
    Told(ProgressEvent),
    /// It is driven no more: it ended, waits, or is held. The run says which.
    Rests(Box<Run>),
}

/// Drives the runs of a home. Cheap to clone; [`Supervisor::stop`] ends it.
#[derive(Clone)]
pub struct Supervisor {
    shared: Arc<Shared>,
    rounds: Arc<tokio::sync::Mutex<Option<JoinHandle<()>>>>,
}

struct Shared {
    engine: Engine,
    tasks: Arc<dyn Tasks>,
    listener: Listener,
    /// Gone when it was given back. What is still being sent then holds it on its own.
    lock: Mutex<Option<Arc<DriveLock>>>,
    /// The runs that are driven now.
    active: Mutex<HashMap<RunId, Active>>,
    stopping: AtomicBool,
    /// There may be something to take up.
    look: Notify,
    /// A run rests.
    rested: Notify,
}

struct Active {
    task: Name,
    stop: Stop,
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor").finish_non_exhaustive()
    }
}

impl Supervisor {
    /// Takes the lock, turns what a dead process was sending into doubt, and goes on with every run that was
    /// cut off. Returns when it is ready to take up runs.
    ///
    /// # Errors
    /// RUN-002 where another process drives runs of this home.
    pub async fn start(engine: Engine, tasks: Arc<dyn Tasks>, listener: Listener) -> Result<Self, Failure> {
        let lock = DriveLock::acquire_to_serve(engine.store.home())?;
        engine.store.recover(&lock).await?;
        let shared = Arc::new(Shared {
            engine,
            tasks,
            listener,
            lock: Mutex::new(Some(Arc::new(lock))),
            active: Mutex::default(),
            stopping: AtomicBool::new(false),
            look: Notify::new(),
            rested: Notify::new(),
        });
        let rounds = tokio::spawn(Arc::clone(&shared).rounds());
        Ok(Self {
            shared,
            rounds: Arc::new(tokio::sync::Mutex::new(Some(rounds))),
        })
    }

    /// Tells that there may be something to take up, so that it is not waited for. Runs are also found without.
    pub fn look(&self) {
        self.shared.look.notify_one();
    }

    /// How long the pieces of runs took: a chunk of rows, a page, a round of sending.
    pub fn effect_times(&self) -> Measured {
        self.shared.engine.effect_times.measured()
    }

    /// The runs that are driven now.
    pub fn driven(&self) -> Vec<RunId> {
        self.shared.active().keys().cloned().collect()
    }

    /// Waits until a run rests: it ended, waits for a time, or is held; and returns it.
    ///
    /// # Errors
    /// RUN-001 where there is no such run; RUN-005 where the supervisor stopped before.
    pub async fn rest_of(&self, id: &RunId) -> Result<Run, Failure> {
        loop {
            let rested = self.shared.rested.notified();
            let run = self.shared.engine.store.run(id)?.ok_or_else(|| {
                let message = format!("there is no run {id}");
                Failure::new(codes::RUN_UNKNOWN, Meaning::NotSent, message)
            })?;
            let is_driven = self.shared.active().contains_key(id);
            if !is_driven && !matches!(run.state, RunState::Queued | RunState::Running) {
                return Ok(run);
            }
            if !is_driven && self.shared.is_stopping() {
                return Err(stopping());
            }
            // Running out of time is fine: another process may have changed the run.
            drop(tokio::time::timeout(PICK_UP_EVERY, rested).await);
        }
    }

    /// Takes up no more runs, lets those under way finish what is on its way, and gives the lock back. They go
    /// on when a process drives this home again.
    pub async fn stop(&self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.look.notify_one();
        if let Some(rounds) = self.rounds.lock().await.take() {
            // Its only other end is a panic, and then nothing is driven either.
            drop(rounds.await);
        }
    }
}

/// How a driven run ended, or why it could not be driven.
type Driven = Result<Run, Failure>;

impl Shared {
    fn active(&self) -> MutexGuard<'_, HashMap<RunId, Active>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    async fn rounds(self: Arc<Self>) {
        let mut under_way: JoinSet<Driven> = JoinSet::new();
        let mut names: HashMap<Id, RunId> = HashMap::new();
        while !self.is_stopping() {
            // Where the store cannot be read now, the next round tries again.
            let taken_up = self.take_up(&mut under_way, &mut names).await;
            let pause = if taken_up.is_ok() {
                PICK_UP_EVERY
            } else {
                PICK_UP_EVERY * 10
            };
            tokio::select! {
                Some(ended) = under_way.join_next_with_id() => self.ended(ended, &mut names).await,
                () = self.look.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        for active in self.active().values() {
            active.stop.set();
        }
        let all = async {
            while let Some(ended) = under_way.join_next_with_id().await {
                self.ended(ended, &mut names).await;
            }
        };
        // What takes longer is given up; should it be sending, it is in doubt.
        drop(tokio::time::timeout(STOP_GRACE + Duration::from_secs(1), all).await);
        under_way.abort_all();
        while under_way.join_next().await.is_some() {}
        self.active().clear();
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.rested.notify_waiters();
    }

    /// Does what has to be done about each run now.
    async fn take_up(
        self: &Arc<Self>,
        under_way: &mut JoinSet<Driven>,
        names: &mut HashMap<Id, RunId>,
    ) -> Result<(), Failure> {
        let store = &self.engine.store;
        for (run, request) in store.runs_to_take_up(store.now())? {
            if self.active().contains_key(&run.id) {
                // Whoever drives it looks for requests.
                continue;
            }
            match (request, run.state) {
                (Some(RunRequest::Cancel), _) => self.set(&run, RunState::Cancelled).await?,
                (Some(RunRequest::Pause), _) => self.set(&run, RunState::Paused).await?,
                (None, RunState::Paused | RunState::NeedsAttention) => {}
                _ if self.active().len() >= MAX_RUNS_AT_ONCE => {}
                // One run of a task at a time, also where several have begun.
                _ if self.active().values().any(|active| active.task == run.task) => {}
                (Some(RunRequest::Resume) | None, _) => {
                    if run.state != RunState::Queued || self.has_its_turn(&run).await? {
                        self.begin(run, under_way, names);
                    }
                }
            }
        }
        Ok(())
    }

    /// One run of a task at a time: a queued one waits until those before it have ended.
    async fn has_its_turn(&self, run: &Run) -> Result<bool, Failure> {
        if self.active().values().any(|active| active.task == run.task) {
            return Ok(false);
        }
        for other in self.engine.store.unfinished_runs(&run.task)? {
            match other.state {
                _ if other.id == run.id => {}
                RunState::Queued => {
                    if (other.started_at, &other.id) < (run.started_at, &run.id) {
                        return Ok(false);
                    }
                }
                // One that carries out decisions is none that the other one could be replaced by.
                RunState::NeedsAttention if self.is_again(run)? => {}
                RunState::NeedsAttention => self.replace(&other).await?,
                // What it asked belongs to the task: the next one reads, asks, and goes on with what is released.
                RunState::Waiting if self.engine.store.waits_for_release(&other.id)? => {
                    if !self.is_again(run)? {
                        self.engine.replace(&other).await?;
                    }
                }
                // What it waits for, the one that reads waits for as well, and does its work besides.
                RunState::Waiting if self.is_again(&other)? && !self.is_again(run)? => {
                    self.replace(&other).await?;
                }
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Whether a run carries out decisions only.
    fn is_again(&self, run: &Run) -> Result<bool, Failure> {
        Ok(self.engine.store.run_input(&run.id)?.is_again())
    }

    /// A run that needs attention makes way for a newer one: the ledger holds all that it knew. Only one that
    /// works on something of its own (what fired it) stays for a person.
    async fn replace(&self, run: &Run) -> Result<(), Failure> {
        if self.engine.store.run_input(&run.id)?.is_own() {
            return Ok(());
        }
        self.engine.replace(run).await
    }

    /// Sets the state of a run that nobody drives, and takes its request away.
    async fn set(&self, run: &Run, state: RunState) -> Result<(), Failure> {
        self.engine.store.take_run_request(&run.id).await?;
        let change = RunChange {
            state: Some(state),
            resume_at: Some(None),
            ..RunChange::default()
        };
        let run = self.engine.store.change_run(&run.id, change).await?;
        (self.listener)(&run.id.clone(), RunNews::Rests(Box::new(run)));
        self.rested.notify_waiters();
        Ok(())
    }

    fn begin(self: &Arc<Self>, run: Run, under_way: &mut JoinSet<Driven>, names: &mut HashMap<Id, RunId>) {
        let stop = Stop::default();
        let active = Active {
            task: run.task.clone(),
            stop: stop.clone(),
        };
        self.active().insert(run.id.clone(), active);
        (self.listener)(&run.id, RunNews::TakenUp);
        let id = run.id.clone();
        let driving = under_way.spawn(Arc::clone(self).drive(run, stop));
        names.insert(driving.id(), id);
    }

    async fn drive(self: Arc<Self>, run: Run, stop: Stop) -> Driven {
        let (listener, id) = (Arc::clone(&self.listener), run.id.clone());
        let progress: Progress = Arc::new(move |event| listener(&id, RunNews::Told(event)));
        let admitted = match self.tasks.task_of(&run) {
            Ok(task) => self.tasks.admit(&task, &progress).await.map(|()| task),
            Err(failure) => Err(failure),
        };
        match admitted {
            Ok(task) => {
                let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let lock = lock.ok_or_else(stopping)?;
                self.engine
                    .drive_supervised(lock, run, &task, progress, stop)
                    .await
            }
            Err(failure) => {
                self.engine.store.take_run_request(&run.id).await?;
                let change = RunChange {
                    state: Some(RunState::NeedsAttention),
                    failure: Some(Some(failure)),
                    resume_at: Some(None),
                    ..RunChange::default()
                };
                Ok(self.engine.store.change_run(&run.id, change).await?)
            }
        }
    }

    /// Takes note of a run that is driven no more. One that panicked has failed; the others are not touched.
    async fn ended(
        &self,
        ended: Result<(Id, Driven), tokio::task::JoinError>,
        names: &mut HashMap<Id, RunId>,
    ) {
        let (task, driven) = match ended {
            Ok((task, driven)) => (task, driven),
            Err(error) => {
                let message = format!("the run ended abruptly: {error}");
                (
                    error.id(),
                    Err(Failure::new(codes::INTERNAL, Meaning::NotSent, message)),
                )
            }
        };
        let Some(id) = names.remove(&task) else { return };
        let run = match driven {
            Ok(run) => Some(run),
            Err(failure) => {
                let change = RunChange {
                    state: Some(RunState::Failed),
                    failure: Some(Some(failure)),
                    resume_at: Some(None),
                    ..RunChange::default()
                };
                // Where even that cannot be stored, the run is still there as running and is taken up again.
                self.engine.store.change_run(&id, change).await.ok()
            }
        };
        self.active().remove(&id);
        if let Some(run) = run {
            (self.listener)(&id, RunNews::Rests(Box::new(run)));
        }
        self.rested.notify_waiters();
    }
}

fn stopping() -> Failure {
    Failure::new(codes::STOPPED, Meaning::NotSent, "the server is stopping")
        .hint("The run goes on when a server runs again, or by `tailorbird run resume`.")
}
