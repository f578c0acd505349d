//! Runs: start, follow, list, hold, end, try again.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tailorbird_connector::Resolved;
use tailorbird_database::Link;
use tailorbird_engine::{Engine, Resources, Tasks};
use tailorbird_model::access::Right;
use tailorbird_model::connection::Connection;
use tailorbird_model::delivery::DeliveryState;
use tailorbird_model::ports::Credentials;
use tailorbird_model::run::{Run, RunId, RunInput, RunState};
use tailorbird_model::task::check::Catalogue;
use tailorbird_model::task::{CallStep, Task};
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::{DriveLock, RunChange, RunFilter, RunRequest};

pub use tailorbird_connector::MaskedRequest;
pub use tailorbird_engine::{
    Listener, MAX_REHEARSED, Progress, ProgressEvent, Rehearsal, RehearsedRequest, RehearsedWrite, RunNews,
    Stop, Supervisor,
};

use crate::actor::Act;
use crate::{App, AppError, DeliveryFilter, Mapping, Resolution, tasks, total_timeout};

/// How often, and how many times, a request to another process is looked after.
const REQUEST_LOOK_EVERY: Duration = Duration::from_millis(50);
const REQUEST_LOOKS: u32 = 40;

impl Resources for App {
    fn connection(&self, name: &Name) -> Result<(Resolved, Credentials, Connection), Failure> {
        self.usable(name).map_err(|error| error.failure)
    }

    fn database(&self, name: &Name) -> Result<Link, Failure> {
        self.link(&self.database(name)?)
    }

    fn task(&self, name: &Name, version: Option<i64>) -> Result<(Task, i64), Failure> {
        let newest = self.stored_task(name)?;
        let stored = match version {
            Some(version) if version != newest.version => {
                self.store.task_version(name, version)?.unwrap_or(newest)
            }
            _ => newest,
        };
        let task = tasks::parse(&stored)?;
        self.guard_rekey(&task, false).map_err(|error| error.failure)?;
        Ok((task, stored.version))
    }
}

impl Tasks for App {
    fn task_of(&self, run: &Run) -> Result<Task, Failure> {
        self.task_version(&run.task, run.task_version)
            .map_err(|error| error.failure)
    }

    fn admit<'a>(
        &'a self,
        task: &'a Task,
        progress: &'a Progress,
    ) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 'a>> {
        Box::pin(async move {
            self.tell_restored(&task.task, progress);
            self.learn_accounts(task, progress).await;
            self.guard_rekey(task, false).map_err(|error| error.failure)
        })
    }
}

impl App {
    /// Drives all runs of this home until [`Supervisor::stop`]: those that were cut off, those that are opened,
    /// here or by other processes, and those whose time of waiting is over.
    ///
    /// # Errors
    /// RUN-002 where another process drives runs.
    pub async fn supervise(&self, listener: Listener) -> Result<Supervisor, AppError> {
        let tasks: Arc<dyn Tasks> = Arc::new(self.clone());
        Ok(Supervisor::start(self.engine(), tasks, listener).await?)
    }

    /// Opens a run of a task's newest version for whoever drives this home; returns the run of the occasion
    /// where it has one already. [`Supervisor::look`] saves the wait until it is found.
    ///
    /// # Errors
    /// TASK-001 where there is no such task.
    pub async fn open_run(&self, name: &Name, input: RunInput) -> Result<Run, AppError> {
        self.noting(Act::TASK_RUN, name, "")?.queue_run(name, input).await
    }

    async fn queue_run(&self, name: &Name, input: RunInput) -> Result<Run, AppError> {
        let stored = self.stored_task(name)?;
        let opened = self
            .store
            .open_run_with(name, stored.version, RunState::Queued, input);
        Ok(opened.await?)
    }

    pub(crate) fn engine(&self) -> Engine {
        let resources: Arc<dyn Resources> = Arc::new(self.clone());
        Engine::new(
            self.store.clone(),
            self.connector.clone(),
            resources,
            total_timeout(),
        )
    }

    /// Runs a task now and follows it to its end; goes on with its unfinished run where there is one. Where a
    /// server drives this home, the run is handed to it; then `stop` ends the following and not the run.
    ///
    /// # Errors
    /// TASK-001 where there is no such task, TASK-003 where a changed destination would send records again,
    /// RUN-002 where another process drives runs. How the run itself ended is in the run.
    pub async fn run_task(&self, name: &Name, progress: Progress, stop: Stop) -> Result<Run, AppError> {
        self.actor().need(Right::Operate)?;
        let stored = self.stored_task(name)?;
        let task = tasks::parse(&stored)?;
        self.tell_restored(&task.task, &progress);
        if self.is_served()? {
            self.guard_rekey(&task, false)?;
            return self.hand_over(name, progress, stop).await;
        }
        self.note(Act::TASK_RUN, name, "").await?;
        if let Some(run) = Box::pin(self.event_run(&task, stored.version)).await? {
            // Boxed, so that whoever runs tasks does not carry both ways with it.
            return Box::pin(self.go_on(&run.id, progress, stop)).await;
        }
        self.learn_accounts(&task, &progress).await;
        self.guard_rekey(&task, false)?;
        let engine = self.engine();
        let run = Box::pin(engine.run_task(&task, stored.version, progress, stop)).await?;
        self.tell_owners_after_run().await;
        Ok(run)
    }

    /// Tells what a run of a task would do now: sources are read, requests are built, nothing is sent, written
    /// or remembered.
    ///
    /// # Errors
    /// TASK-001 where there is no such task. What goes wrong on the way is in the rehearsal.
    pub async fn rehearse_task(
        &self,
        name: &Name,
        limit: usize,
        progress: Progress,
    ) -> Result<Rehearsal, AppError> {
        let task = tasks::parse(&self.stored_task(name)?)?;
        Ok(self.engine().rehearse(&task, limit, progress).await?)
    }

    /// The run that events of a task's trigger want next: the oldest that has not ended, or one that is opened for
    /// events that wait.
    async fn event_run(&self, task: &Task, version: i64) -> Result<Option<Run>, AppError> {
        let source = task.trigger.event_source();
        if source.is_none() {
            return Ok(None);
        }
        for run in self.store.unfinished_runs(&task.task)? {
            if self.store.run_input(&run.id)?.is_own() {
                return Ok(Some(run));
            }
        }
        if let Some(trigger) = &task.trigger.database {
            self.look_for_changes(trigger).await?;
        }
        Ok(self
            .open_event_run(&task.task, version, RunState::Queued, source)
            .await?)
    }

    /// Goes on with a run.
    ///
    /// # Errors
    /// RUN-001 where there is none, RUN-004 where it has ended, TASK-003 where it would send records again: its
    /// connection leads elsewhere since, or its version of the task names records in another way.
    pub async fn resume_run(&self, id: &RunId, progress: Progress, stop: Stop) -> Result<Run, AppError> {
        self.note(Act::RUN_RESUMED, id, "").await?;
        Box::pin(self.go_on(id, progress, stop)).await
    }

    async fn go_on(&self, id: &RunId, progress: Progress, stop: Stop) -> Result<Run, AppError> {
        let run = self.run(id)?;
        let task = self.task_of(&run)?;
        self.tell_restored(&task.task, &progress);
        self.guard_rekey(&task, false)?;
        if self.is_served()? {
            return self.hand_back(&run, progress, stop).await;
        }
        let run = self.engine().resume(run, &task, progress, stop).await?;
        self.tell_owners_after_run().await;
        Ok(run)
    }

    /// Makes the records of a run that are in a state (the rejected ones, where none is given) pending again, and
    /// sends them in a new run.
    ///
    /// # Errors
    /// RUN-001 where there is no such run.
    pub async fn retry_run(
        &self,
        id: &RunId,
        state: Option<DeliveryState>,
        mapping: Mapping,
        progress: Progress,
        stop: Stop,
    ) -> Result<Run, AppError> {
        let noting = self.noting(Act::RUN_RETRIED, id, "")?;
        let run = self.run(id)?;
        let state = state.unwrap_or(DeliveryState::Rejected);
        let filter = DeliveryFilter {
            state: Some(state),
            run: Some(run.id.clone()),
            ..DeliveryFilter::default()
        };
        let decided = noting
            .resolve_pages(&filter, &Resolution::Again, mapping, &stop, &mut |_| ())
            .await?;
        progress(ProgressEvent::Note(format!(
            "{} {} record(s) are tried again",
            decided.resolved,
            state.as_str().replace('_', " ")
        )));
        if let Some(first) = decided.named.first() {
            progress(ProgressEvent::Note(format!(
                "{} record(s) stay as they are; the first is {}: {}",
                decided.left, first.key, first.why
            )));
        }
        if run.state.is_final() {
            let version = self.stored_task(&run.task)?.version;
            let again = noting
                .store
                .open_run_again(&run, version, RunState::Queued)
                .await?;
            if let Some(again) = again {
                progress(ProgressEvent::Note(format!(
                    "run {} works on what fired {} once more; what was sent stays sent",
                    again.id, run.id
                )));
                return Box::pin(self.go_on(&again.id, progress, stop)).await;
            }
        }
        self.run_task(&run.task, progress, stop).await
    }

    /// Lets a run go on, for whoever drives this home; nobody follows it.
    ///
    /// # Errors
    /// RUN-001 where there is none, RUN-004 where it has ended, TASK-003 where it would send records again.
    pub async fn ask_to_resume(&self, id: &RunId) -> Result<Run, AppError> {
        self.noting(Act::RUN_RESUMED, id, "")?.request_resume(id).await
    }

    async fn request_resume(&self, id: &RunId) -> Result<Run, AppError> {
        let run = self.run(id)?;
        if run.state.is_final() {
            let message = format!("the run {id} has ended already ({})", run.state.as_str());
            return Err(Failure::new(codes::TRANSITION, Meaning::NotSent, message).into());
        }
        self.guard_rekey(&self.task_of(&run)?, false)?;
        self.store.request_run(id, RunRequest::Resume).await?;
        self.run(id)
    }

    /// Makes the rejected records of a run pending again and opens the run that sends them, for whoever drives this
    /// home; tells how many they are. The run itself goes on where it has not ended.
    ///
    /// # Errors
    /// RUN-001 where there is no such run, TASK-001 where its task is gone.
    pub async fn ask_to_retry(&self, id: &RunId, mapping: Mapping) -> Result<(Run, u64), AppError> {
        let noting = self.noting(Act::RUN_RETRIED, id, "")?;
        let run = self.run(id)?;
        let version = self.stored_task(&run.task)?.version;
        let filter = DeliveryFilter {
            state: Some(DeliveryState::Rejected),
            run: Some(run.id.clone()),
            ..DeliveryFilter::default()
        };
        let decided = noting
            .resolve_pages(
                &filter,
                &Resolution::Again,
                mapping,
                &Stop::default(),
                &mut |_| (),
            )
            .await?;
        if !run.state.is_final() {
            return Ok((noting.request_resume(id).await?, decided.resolved));
        }
        let again = noting
            .store
            .open_run_again(&run, version, RunState::Queued)
            .await?;
        let run = match again {
            Some(again) => again,
            None => noting.queue_run(&run.task, RunInput::manual()).await?,
        };
        Ok((run, decided.resolved))
    }

    /// Runs, the newest first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn runs(&self, task: Option<&Name>, limit: usize) -> Result<Vec<Run>, AppError> {
        let limit = u32::try_from(limit)
            .unwrap_or(u32::MAX)
            .min(tailorbird_store::MAX_RUN_PAGE);
        Ok(self.store.runs(&RunFilter {
            task: task.cloned(),
            limit,
            ..RunFilter::default()
        })?)
    }

    /// A run.
    ///
    /// # Errors
    /// RUN-001 where there is none.
    pub fn run(&self, id: &RunId) -> Result<Run, AppError> {
        self.store.run(id)?.ok_or_else(|| {
            Failure::new(
                codes::RUN_UNKNOWN,
                Meaning::NotSent,
                format!("there is no run {id}"),
            )
            .hint("`tailorbird run list` shows what there is.")
            .into()
        })
    }

    /// A version of a task, as runs that pinned it see it.
    ///
    /// # Errors
    /// TASK-001 where there is none.
    pub fn task_version(&self, name: &Name, version: i64) -> Result<Task, AppError> {
        let stored = self.store.task_version(name, version)?;
        let stored = stored.ok_or_else(|| {
            let message = format!("there is no version {version} of the task `{name}`");
            Failure::new(codes::TASK_UNKNOWN, Meaning::NotSent, message)
        })?;
        Ok(tasks::parse(&stored)?)
    }

    /// Ends a run. Where a process drives it, that process is asked and ends it after what is under way.
    ///
    /// # Errors
    /// RUN-004 where it has ended already.
    pub async fn cancel_run(&self, id: &RunId) -> Result<Run, AppError> {
        self.noting(Act::RUN_CANCELLED, id, "")?
            .ask(id, RunRequest::Cancel, RunState::Cancelled)
            .await
    }

    /// Holds a run.
    ///
    /// # Errors
    /// RUN-004 where it has ended already.
    pub async fn pause_run(&self, id: &RunId) -> Result<Run, AppError> {
        self.noting(Act::RUN_PAUSED, id, "")?
            .ask(id, RunRequest::Pause, RunState::Paused)
            .await
    }

    async fn ask(&self, id: &RunId, request: RunRequest, state: RunState) -> Result<Run, AppError> {
        let run = self.run(id)?;
        if run.state.is_final() {
            let message = format!("the run {id} has ended already ({})", run.state.as_str());
            return Err(Failure::new(codes::TRANSITION, Meaning::NotSent, message).into());
        }
        let home = self.store.home();
        let is_driven = DriveLock::holder(home)?.is_some();
        if is_driven && matches!(run.state, RunState::Running | RunState::Waiting)
            || DriveLock::is_served(home)?
        {
            self.store.request_run(id, request).await?;
            return self.taken_up(id).await;
        }
        let change = RunChange {
            state: Some(state),
            resume_at: Some(None),
            ..RunChange::default()
        };
        let run = self.store.change_run(id, change).await?;
        if state == RunState::Cancelled {
            self.engine().cancel_children(id).await?;
        }
        Ok(run)
    }

    /// The run once the process that drives it has taken the request up, or as it is where that takes long: what
    /// is on its way is finished first.
    async fn taken_up(&self, id: &RunId) -> Result<Run, AppError> {
        for _ in 0..REQUEST_LOOKS {
            tokio::time::sleep(REQUEST_LOOK_EVERY).await;
            let run = self.run(id)?;
            if self.store.run_request(id)?.is_none() && !matches!(run.state, RunState::Running) {
                return Ok(run);
            }
        }
        self.run(id)
    }

    /// The calls of operations in a task and in those that it calls.
    fn calls_of(&self, task: &Task) -> Vec<CallStep> {
        let (mut open, mut seen, mut calls) = (vec![task.clone()], BTreeSet::new(), Vec::new());
        while let Some(task) = open.pop() {
            if !seen.insert(task.task.clone()) {
                continue;
            }
            for flat in task.flat_steps() {
                calls.extend(flat.step.call.clone());
                let called = flat.step.call_task.as_ref();
                open.extend(called.and_then(|called| Catalogue::task(self, &called.task)));
            }
        }
        calls
    }

    /// Learns whose account the task's connections are before the first record is named, so that a token set
    /// by hand does not change the destination later. Where the provider cannot tell now, the run says so.
    async fn learn_accounts(&self, task: &Task, progress: &Progress) {
        for call in self.calls_of(task) {
            let unknown = self
                .stored_connection(&call.connection)
                .is_ok_and(|connection| connection.account.is_none());
            let can_tell = self
                .resolved(&call.connection)
                .is_ok_and(|(resolved, ..)| resolved.service.account.is_some());
            if unknown
                && can_tell
                && let Err(error) = self.learn_account(&call.connection).await
            {
                progress(ProgressEvent::Note(format!(
                    "could not learn whose account {} is: {}",
                    call.connection, error.failure
                )));
            }
        }
    }
}
