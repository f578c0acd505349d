//! Runs: start, follow, list, hold, end, try again.

use std::sync::Arc;

use tailorbird_connector::Resolved;
use tailorbird_database::Link;
use tailorbird_engine::{Engine, Resources, destination_of};
use tailorbird_model::connection::Connection;
use tailorbird_model::delivery::DeliveryState;
use tailorbird_model::ports::Credentials;
use tailorbird_model::run::{Run, RunId, RunState};
use tailorbird_model::task::{Step, Task};
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::{
    DeliveryFilter, DriveLock, Lane, Resolution, RunChange, RunFilter, RunRequest, StepIdentity,
};

pub use tailorbird_engine::{Progress, ProgressEvent, Stop};

use crate::{App, AppError, TOTAL_TIMEOUT, tasks};

/// The greatest number of rejected records that `run retry` takes up at once.
const MAX_RETRIED: u32 = 100_000;
/// How many deliveries are looked at in one page.
const PAGE: u32 = 1_000;

impl Resources for App {
    fn connection(&self, name: &Name) -> Result<(Resolved, Credentials, Connection), Failure> {
        self.usable(name).map_err(|error| error.failure)
    }

    fn database(&self, name: &Name) -> Result<Link, Failure> {
        self.link(&self.database(name)?)
    }
}

impl App {
    fn engine(&self) -> Engine {
        let resources: Arc<dyn Resources> = Arc::new(self.clone());
        Engine::new(
            self.store.clone(),
            self.connector.clone(),
            resources,
            TOTAL_TIMEOUT,
        )
    }

    /// Runs a task now and follows it to its end; goes on with its unfinished run where there is one.
    ///
    /// # Errors
    /// TASK-001 where there is no such task, TASK-003 where a changed destination would send records again,
    /// RUN-002 where another process drives runs. How the run itself ended is in the run.
    pub async fn run_task(&self, name: &Name, progress: Progress, stop: Stop) -> Result<Run, AppError> {
        let stored = self.stored_task(name)?;
        let task = tasks::parse(&stored)?;
        self.learn_accounts(&task, &progress).await;
        self.guard_rekey(&task, false)?;
        Ok(self
            .engine()
            .run_task(&task, stored.version, progress, stop)
            .await?)
    }

    /// Goes on with a run.
    ///
    /// # Errors
    /// RUN-001 where there is none, RUN-004 where it has ended, TASK-003 where it would send records again: its
    /// connection leads elsewhere since, or its version of the task names records in another way.
    pub async fn resume_run(&self, id: &RunId, progress: Progress, stop: Stop) -> Result<Run, AppError> {
        let run = self.run(id)?;
        let stored = self
            .store
            .task_version(&run.task, run.task_version)?
            .ok_or_else(|| {
                Failure::new(
                    codes::TASK_UNKNOWN,
                    Meaning::NotSent,
                    format!("there is no task `{}`", run.task),
                )
            })?;
        let task = tasks::parse(&stored)?;
        self.guard_rekey(&task, false)?;
        Ok(self.engine().resume(run, &task, progress, stop).await?)
    }

    /// Makes the rejected records of a run pending again and sends them in a new run.
    ///
    /// # Errors
    /// RUN-001 where there is no such run.
    pub async fn retry_run(&self, id: &RunId, progress: Progress, stop: Stop) -> Result<Run, AppError> {
        let run = self.run(id)?;
        let filter = DeliveryFilter {
            states: vec![DeliveryState::Rejected],
            run: Some(run.id.clone()),
            limit: PAGE,
            ..DeliveryFilter::default()
        };
        let mut count = 0;
        while count < MAX_RETRIED {
            let page = self.store.deliveries(&filter)?;
            if page.is_empty() {
                break;
            }
            for delivery in page {
                self.store
                    .resolve(delivery.id, Resolution::Again, "run retry")
                    .await?;
                count += 1;
            }
        }
        progress(ProgressEvent::Note(format!(
            "{count} rejected record(s) are tried again"
        )));
        self.run_task(&run.task, progress, stop).await
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

    /// Ends a run. Where a process drives it, that process is asked and ends it after what is under way.
    ///
    /// # Errors
    /// RUN-004 where it has ended already.
    pub async fn cancel_run(&self, id: &RunId) -> Result<Run, AppError> {
        self.ask(id, RunRequest::Cancel, RunState::Cancelled).await
    }

    /// Holds a run.
    ///
    /// # Errors
    /// RUN-004 where it has ended already.
    pub async fn pause_run(&self, id: &RunId) -> Result<Run, AppError> {
        self.ask(id, RunRequest::Pause, RunState::Paused).await
    }

    async fn ask(&self, id: &RunId, request: RunRequest, state: RunState) -> Result<Run, AppError> {
        let run = self.run(id)?;
        if run.state.is_final() {
            let message = format!("the run {id} has ended already ({})", run.state.as_str());
            return Err(Failure::new(codes::TRANSITION, Meaning::NotSent, message).into());
        }
        let is_driven = DriveLock::holder(self.store.home())?.is_some();
        if is_driven && matches!(run.state, RunState::Running | RunState::Waiting) {
            self.store.request_run(id, request).await?;
            return self.run(id);
        }
        let change = RunChange {
            state: Some(state),
            resume_at: Some(None),
            ..RunChange::default()
        };
        Ok(self.store.change_run(id, change).await?)
    }

    /// Learns whose account the task's connections are before the first record is named, so that a token set
    /// by hand does not change the destination later. Where the provider cannot tell now, the run says so.
    async fn learn_accounts(&self, task: &Task, progress: &Progress) {
        for step in &task.steps {
            let Some(call) = &step.call else { continue };
            let unknown = self
                .stored_connection(&call.connection)
                .is_ok_and(|connection| connection.account.is_none());
            let can_tell = self
                .resolved(&call.connection)
                .is_ok_and(|(resolved, ..)| resolved.service.account.is_some());
            if unknown
                && can_tell
                && let Err(error) = self.test_connection(&call.connection).await
            {
                progress(ProgressEvent::Note(format!(
                    "could not learn whose account {} is: {}",
                    call.connection, error.failure
                )));
            }
        }
    }

    /// Refuses a change that would send records again, unless it is accepted (never-twice rule 1).
    pub(crate) fn guard_rekey(&self, task: &Task, accept: bool) -> Result<(), AppError> {
        if accept {
            return Ok(());
        }
        let mut lines = Vec::new();
        for step in &task.steps {
            let Some((before_task, before_step, identity)) = self.identity_of(task, step)? else {
                continue;
            };
            if let Some(rekey) = self.store.count_rekey(&before_task, &before_step, &identity)?
                && rekey.delivered + rekey.open > 0
            {
                lines.push(format!(
                    "Step `{}`: {} delivered record(s) would go again, {} open one(s) would stay behind. It was key {:?} to {}; it is key {:?} to {}.",
                    step.id, rekey.delivered, rekey.open, rekey.before.key_template, rekey.before.destination.0,
                    identity.key_template, identity.destination.0
                ));
            }
        }
        if lines.is_empty() {
            return Ok(());
        }
        Err(AppError::usage(
            Failure::new(codes::REKEY, Meaning::NotSent, format!("the change of task `{}` would send records again", task.task))
                .detail(lines.join("\n"))
                .hint(
                    "If a task or step was only renamed, say so with `formerly: OLD-NAME`. If sending again is meant, \
                     apply the file with --accept-rekey.",
                ),
        ))
    }

    /// What names the records of a delivering step, and under which names the ledger knows it.
    fn identity_of(&self, task: &Task, step: &Step) -> Result<Option<(Name, Name, StepIdentity)>, AppError> {
        let Some(call) = &step.call else { return Ok(None) };
        let Some(key) = &call.key else { return Ok(None) };
        let Ok((resolved, credentials, connection)) = self.resolved(&call.connection) else {
            return Ok(None);
        };
        let destination = destination_of(&resolved, &credentials, &connection);
        let before_task = task.formerly.clone().unwrap_or_else(|| task.task.clone());
        let before_step = step.formerly.clone().unwrap_or_else(|| step.id.clone());
        let known = self.store.step_identity(&before_task, &before_step)?.is_some();
        let names = if known {
            (before_task, before_step)
        } else {
            (task.task.clone(), step.id.clone())
        };
        Ok(Some((
            names.0,
            names.1,
            StepIdentity {
                key_template: key.clone(),
                destination,
            },
        )))
    }

    /// Carries what was sent under former names over to the new ones.
    pub(crate) async fn adopt_former_names(&self, task: &Task) -> Result<(), AppError> {
        for step in &task.steps {
            if task.formerly.is_none() && step.formerly.is_none() {
                continue;
            }
            let before_task = task.formerly.as_ref().unwrap_or(&task.task);
            let before_step = step.formerly.as_ref().unwrap_or(&step.id);
            self.store
                .adopt((before_task, before_step), (&task.task, &step.id))
                .await?;
        }
        Ok(())
    }

    /// Notes how the records of each delivering step are named from now on.
    pub(crate) async fn note_identities(&self, task: &Task) -> Result<(), AppError> {
        for step in &task.steps {
            if let Some((_, _, identity)) = self.identity_of(task, step)? {
                let lane = Lane::new(task.task.clone(), step.id.clone(), identity.destination.clone());
                let is_used = self.store.lanes(&task.task)?.contains(&lane);
                let is_known = self.store.step_identity(&task.task, &step.id)?.is_some();
                if is_known || is_used {
                    self.store
                        .set_step_identity(&task.task, &step.id, identity)
                        .await?;
                }
            }
        }
        Ok(())
    }
}
