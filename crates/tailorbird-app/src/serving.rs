//! What works while a server runs: the right to drive runs, and the workers that watch for triggers.
//!
//! Invariant: workers only ask for runs (durably, in the store); none of them drives one. So a worker may be
//! ended at any moment, and started again.

mod decisions;
mod figures;
mod news;
mod scheduler;
mod tally;
pub(crate) mod worker;

use std::sync::Arc;

use tailorbird_model::Failure;
use tailorbird_store::{Clock, system_clock};
use tokio::task::JoinSet;

use crate::triggers::{CHANGES, FILES, INBOX};
use crate::{App, AppError, Listener, RunNews, Stop, Supervisor};

pub use figures::{BudgetFigure, Figures, NextFiring};
pub use news::{Reporter, ServeNews};
pub use tailorbird_engine::STOP_GRACE;
pub use tally::{RECORD_COUNTS, TaskTally};

use tally::Tally;

use worker::Worker;

/// Whatever watches for triggers. A new kind of trigger is a new line here.
const WORKERS: &[Worker] = &[
    Worker {
        name: "schedules",
        start: scheduler::start,
    },
    Worker {
        name: "notices",
        start: crate::notices::watch,
    },
    Worker {
        name: "retention",
        start: crate::retention::watch,
    },
    Worker {
        name: "decisions",
        start: decisions::start,
    },
    INBOX,
    FILES,
    CHANGES,
];

/// How to serve.
#[derive(Clone)]
pub struct ServeSettings {
    /// The time that schedules go by.
    pub clock: Clock,
    /// Hears what people may want to know.
    pub report: Reporter,
}

impl Default for ServeSettings {
    fn default() -> Self {
        Self {
            clock: system_clock(),
            report: Arc::new(|_| {}),
        }
    }
}

impl std::fmt::Debug for ServeSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServeSettings").finish_non_exhaustive()
    }
}

/// Tells whether the work goes on.
#[derive(Clone)]
pub struct Pulse {
    app: App,
    stop: Stop,
    tally: Arc<Tally>,
    runs: Supervisor,
    clock: Clock,
}

impl Pulse {
    /// Nothing where runs are driven; else why not.
    ///
    /// # Errors
    /// While it stops, and where the store cannot be read.
    pub fn ready(&self) -> Result<(), Failure> {
        if self.stop.is_set() {
            return Err(Failure::new(
                tailorbird_model::codes::STOPPED,
                tailorbird_model::Meaning::NotSent,
                "the server is stopping",
            ));
        }
        self.app.store.tasks_mark()?;
        Ok(())
    }
}

/// The work behind a running server.
pub struct Serving {
    pulse: Pulse,
    workers: JoinSet<()>,
    runs: Supervisor,
}

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serving").finish_non_exhaustive()
    }
}

impl App {
    /// Takes the right to drive the runs of this home, and begins: whatever a dead process was sending becomes
    /// doubt, and the workers watch for triggers.
    ///
    /// # Errors
    /// RUN-002 where another process drives the runs of this home.
    pub async fn serve(&self, settings: &ServeSettings) -> Result<Serving, AppError> {
        let tally = Arc::new(Tally::new(self.store.clone()));
        let (hears, report) = (Arc::clone(&tally), Arc::clone(&settings.report));
        let listener: Listener = Arc::new(move |id, news| {
            hears.hear(id, &news);
            if let RunNews::Rests(run) = news {
                report(ServeNews::Rests(run));
            }
        });
        let runs = self.supervise(listener).await?;
        let stop = Stop::default();
        let workers = worker::start(self, settings, &stop, &runs, &tally, WORKERS);
        Ok(Serving {
            pulse: Pulse {
                app: self.clone(),
                stop,
                tally,
                runs: runs.clone(),
                clock: settings.clock.clone(),
            },
            workers,
            runs,
        })
    }
}

impl Serving {
    /// Tells whether the work goes on; outlives this value.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Stops: nothing new begins, what is under way is finished, within [`STOP_GRACE`].
    pub async fn stop(mut self) {
        self.pulse.stop.set();
        // Runs first: whatever a worker still asks for is in the store, and is taken up at the next start.
        self.runs.stop().await;
        self.workers.shutdown().await;
    }
}
