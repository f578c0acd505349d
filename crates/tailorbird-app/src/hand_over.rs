//! Hands runs to the process that drives this home, and follows them by reading the store (never-twice rule 19).

use std::time::Duration;

use tailorbird_engine::{MAX_FOLLOWED_WAIT, Progress, ProgressEvent, Stop};
use tailorbird_model::run::{Run, RunId, RunInput, RunState};
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::{DriveLock, RunRequest, StepState};

use crate::{App, AppError};

/// How often a followed run is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl App {
    /// Tells whether a server drives the runs of this home: then runs are handed to it.
    ///
    /// # Errors
    /// Where the lock file cannot be opened.
    pub fn is_served(&self) -> Result<bool, AppError> {
        Ok(DriveLock::is_served(self.store.home())?)
    }

    /// Hands a run of a task to the server and follows it: the one that has not ended, or a new one. One that needs
    /// attention makes way for the new one, as it does when a person runs the task without a server.
    pub(crate) async fn hand_over(
        &self,
        task: &Name,
        progress: Progress,
        stop: Stop,
    ) -> Result<Run, AppError> {
        let mut open = None;
        for run in self.store.unfinished_runs(task)? {
            // One that carries out decisions reads nothing, one that waits for people reads nothing more; and whoever
            // runs the task wants it to read.
            let reads =
                !self.store.run_input(&run.id)?.is_again() && !self.store.waits_for_release(&run.id)?;
            if run.state != RunState::NeedsAttention && reads {
                open = Some(run);
                break;
            }
        }
        let run = match open {
            Some(run) => {
                progress(ProgressEvent::Note(format!(
                    "run {} of {task} has not ended; it goes on",
                    run.id
                )));
                self.let_go_on(&run).await?;
                run
            }
            None => self.open_run(task, RunInput::manual()).await?,
        };
        self.follow(&run.id, &progress, &stop).await
    }

    /// Lets the server go on with a run and follows it.
    pub(crate) async fn hand_back(&self, run: &Run, progress: Progress, stop: Stop) -> Result<Run, AppError> {
        if run.state.is_final() {
            let message = format!("the run {} has ended ({})", run.id, run.state.as_str());
            return Err(Failure::new(codes::TRANSITION, Meaning::NotSent, message)
                .hint(format!("`tailorbird task run {}` opens a new one.", run.task))
                .into());
        }
        self.let_go_on(run).await?;
        self.follow(&run.id, &progress, &stop).await
    }

    async fn let_go_on(&self, run: &Run) -> Result<(), AppError> {
        if matches!(run.state, RunState::Paused | RunState::NeedsAttention) {
            self.store.request_run(&run.id, RunRequest::Resume).await?;
        }
        Ok(())
    }

    /// Follows a run that another process drives, until it rests or following is given up.
    async fn follow(&self, id: &RunId, progress: &Progress, stop: &Stop) -> Result<Run, AppError> {
        let mut told = None;
        loop {
            let run = self.run(id)?;
            if run.state.is_final() || (self.rests(&run) && self.store.run_request(id)?.is_none()) {
                return self.run(id);
            }
            if told.as_ref() != Some(&run.updated_at) {
                told = Some(run.updated_at);
                self.tell(&run, progress)?;
            }
            if stop.is_set() {
                return Ok(run);
            }
            if !self.is_served()? {
                progress(ProgressEvent::Note(format!(
                    "the server has stopped; run {id} goes on when one runs again, or by `tailorbird run resume {id}`"
                )));
                return Ok(run);
            }
            stop.wait(LOOK_EVERY).await;
        }
    }

    /// Tells whether a run waits for a person, or longer than anybody sits there.
    fn rests(&self, run: &Run) -> bool {
        match run.state {
            RunState::Paused | RunState::NeedsAttention => true,
            RunState::Waiting => run.resume_at.is_some_and(|at| {
                let left = Duration::try_from(at.duration_since(self.store.now())).unwrap_or_default();
                left > MAX_FOLLOWED_WAIT
            }),
            _ => run.state.is_final(),
        }
    }

    /// Tells how a run stands, as its driver would.
    fn tell(&self, run: &Run, progress: &Progress) -> Result<(), AppError> {
        if let (RunState::Waiting, Some(until)) = (run.state, run.resume_at) {
            let what = run
                .failure
                .as_ref()
                .map_or_else(|| "its time".to_owned(), |failure| failure.message.clone());
            progress(ProgressEvent::Waiting { what, until });
            return Ok(());
        }
        let steps = self.store.run_steps(&run.id)?;
        let at_work = steps.iter().rev().find(|step| step.state == StepState::Running);
        if let Some(step) = at_work.and_then(|step| step.path.parse::<Name>().ok()) {
            let counts = run.counts;
            progress(ProgressEvent::Counts {
                step,
                counts,
                left: None,
            });
        }
        Ok(())
    }
}
