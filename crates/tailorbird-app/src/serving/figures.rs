//! The figures of a server, for whoever shows them. Each is cheap: an index, or a number in memory.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tailorbird_connector::AnswerTimes;
use tailorbird_model::measure::Measured;
use tailorbird_model::ports::BudgetReport;
use tailorbird_model::{Failure, Name};
use tailorbird_store::{DeliveryFigure, RunFigure};

use super::{Pulse, TaskTally};
use crate::{TraceFigures, tasks};

/// When a task fires next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextFiring {
    /// The task.
    pub task: Name,
    /// When; none where it cannot fire, because its calendar cannot be used.
    pub at: Option<Timestamp>,
}

/// A limit of a connection as it was last reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetFigure {
    /// The connection.
    pub connection: Name,
    /// The operation that the report came with.
    pub operation: String,
    /// What is left.
    pub report: BudgetReport,
}

/// The figures of a server at one moment.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Runs that have not ended.
    pub open_runs: Vec<RunFigure>,
    /// Runs that are driven at this moment.
    pub driven: usize,
    /// What runs did since the server began.
    pub tasks: BTreeMap<Name, TaskTally>,
    /// Deliveries that are pending, sending, in doubt or rejected.
    pub deliveries: Vec<DeliveryFigure>,
    /// What is left of limits.
    pub budgets: Vec<BudgetFigure>,
    /// When enabled tasks with a schedule fire next.
    pub next: Vec<NextFiring>,
    /// How long the pieces of runs took, since the server began.
    pub effects: Measured,
    /// How long providers took to answer, since the server began.
    pub answers: AnswerTimes,
    /// Commits of the store since the server began.
    pub commits: u64,
    /// How long commits took.
    pub commit_times: Measured,
    /// What became of spans; none where nothing is traced.
    pub traces: Option<TraceFigures>,
}

impl Pulse {
    /// The figures.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn figures(&self) -> Result<Figures, Failure> {
        let store = &self.app.store;
        let mut budgets = Vec::new();
        for connection in store.connections()? {
            let connection = connection.value.connection;
            let entries = store.budget(&store.open_credentials(&connection)?.budget)?;
            budgets.extend(entries.into_iter().map(|entry| BudgetFigure {
                connection: connection.clone(),
                operation: entry.operation,
                report: entry.report,
            }));
        }
        Ok(Figures {
            open_runs: store.open_run_figures()?,
            driven: self.runs.driven().len(),
            tasks: self.tally.tasks(),
            deliveries: store.delivery_figures()?,
            budgets,
            next: self.next_firings()?,
            effects: self.runs.effect_times(),
            answers: self.app.connector.answer_times(),
            commits: store.commits(),
            commit_times: store.commit_times(),
            traces: TraceFigures::now(),
        })
    }

    fn next_firings(&self) -> Result<Vec<NextFiring>, Failure> {
        let mut next = Vec::new();
        for stored in self
            .app
            .store
            .tasks()?
            .into_iter()
            .filter(|stored| stored.enabled)
        {
            // A task that cannot be read does not fire, and its figures would be no figures.
            let Ok(task) = tasks::parse(&stored) else { continue };
            if task.trigger.schedule.is_some() {
                let times = self.app.next_times(&task.trigger, (self.clock)());
                next.push(NextFiring {
                    task: stored.name,
                    at: times.ok().and_then(|times| times.first().copied()),
                });
            }
        }
        Ok(next)
    }
}
