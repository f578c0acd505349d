//! What a person should see first: what needs somebody, what the day was like, what comes.

use jiff::{SignedDuration, Timestamp};
use tailorbird_model::Name;
use tailorbird_model::delivery::DeliveryState;
use tailorbird_model::run::{Run, RunId, RunState};
use tailorbird_store::{DeliveryFigure, HourFigure, RunFilter, StepProgress};

use crate::{App, AppError, ConnectionView, TaskView};

/// How far back the day goes.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Runs of each kind that are given at most.
const MAX_RUNS: u32 = 50;

/// What waits for somebody's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Deliveries in doubt.
    pub in_doubt: u64,
    /// Approvals that wait.
    pub approvals: u64,
}

/// The installation at a glance.
#[derive(Debug, Clone)]
pub struct Overview {
    /// When it was looked at.
    pub at: Timestamp,
    /// Deliveries that are pending, sending, in doubt or rejected, by step.
    pub deliveries: Vec<DeliveryFigure>,
    /// Approvals that wait.
    pub approvals: u64,
    /// Runs that have not ended, the newest first.
    pub open_runs: Vec<Run>,
    /// What runs that ended within the last 24 hours did, by hour and task.
    pub day: Vec<HourFigure>,
    /// Connections.
    pub connections: Vec<ConnectionView>,
    /// The number of databases.
    pub databases: usize,
    /// Tasks.
    pub tasks: Vec<TaskView>,
    /// Runs that failed within the day, the newest first.
    pub failed: Vec<Run>,
}

impl Overview {
    /// Deliveries in one of the states that are counted.
    pub fn in_state(&self, state: DeliveryState) -> u64 {
        let figures = self.deliveries.iter();
        figures
            .filter(|figure| figure.state == state.as_str())
            .map(|figure| figure.count)
            .sum()
    }

    /// Open runs in a state.
    pub fn runs_in(&self, state: RunState) -> impl Iterator<Item = &Run> {
        self.open_runs.iter().filter(move |run| run.state == state)
    }
}

impl App {
    /// The present time, as this home sees it.
    pub fn now(&self) -> Timestamp {
        self.store.now()
    }

    /// What waits for somebody's word.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn waiting(&self) -> Result<Waiting, AppError> {
        let (in_doubt, approvals) = self.store.waiting_figures()?;
        Ok(Waiting { in_doubt, approvals })
    }

    /// The installation at a glance. Each part comes from an index, however many deliveries there are.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn overview(&self) -> Result<Overview, AppError> {
        let at = self.store.now();
        let since = at.saturating_sub(DAY).unwrap_or(Timestamp::MIN);
        let runs = |states: Vec<RunState>| {
            self.store.runs(&RunFilter {
                states,
                limit: MAX_RUNS,
                ..RunFilter::default()
            })
        };
        let mut failed = runs(vec![RunState::Failed])?;
        failed.retain(|run| run.updated_at >= since);
        Ok(Overview {
            at,
            deliveries: self.store.delivery_figures()?,
            approvals: self.waiting()?.approvals,
            open_runs: runs(
                RunState::ALL
                    .into_iter()
                    .filter(|state| !state.is_final())
                    .collect(),
            )?,
            day: self.store.hour_figures(since)?,
            connections: self.connections()?,
            databases: self.store.databases()?.len(),
            tasks: self.tasks()?,
            failed,
        })
    }

    /// How far the steps of a run have come, by their path in the task.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn run_steps(&self, id: &RunId) -> Result<Vec<StepProgress>, AppError> {
        Ok(self.store.run_steps(id)?)
    }

    /// A page of runs, the newest first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn runs_page(
        &self,
        task: Option<&Name>,
        states: &[RunState],
        after: Option<&RunId>,
        limit: u32,
    ) -> Result<Vec<Run>, AppError> {
        Ok(self.store.runs(&RunFilter {
            task: task.cloned(),
            states: states.to_vec(),
            after: after.cloned(),
            limit,
        })?)
    }
}
