//! What works while a server runs: the right to drive runs, and the workers that watch for triggers.
//!
//! Invariant: workers only ask for runs (durably, in the store); none of them drives one. So a worker may be
//! ended at any moment, and started again.

mod worker;

use std::sync::Arc;
use std::time::Duration;

use tailorbird_model::Failure;
use tailorbird_store::{Clock, DriveLock, system_clock};
use tokio::task::JoinSet;

use crate::{App, AppError, Stop};

use worker::Worker;

/// How long a stop waits for what is under way, before the process ends all the same. What is cut off then is
/// as safe as after a power cut: on its way is in doubt, and is looked up at the next start.
pub const STOP_GRACE: Duration = Duration::from_secs(45);

/// Whatever watches for triggers. A new kind of trigger is a new line here.
const WORKERS: &[Worker] = &[];

/// How to serve.
#[derive(Clone)]
pub struct ServeSettings {
    /// The time that schedules go by.
    pub clock: Clock,
}

impl Default for ServeSettings {
    fn default() -> Self {
        Self {
            clock: system_clock(),
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
    _lock: Arc<DriveLock>,
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
        let lock = Arc::new(DriveLock::acquire(self.store.home())?);
        self.store.recover(&lock).await?;
        let stop = Stop::default();
        let workers = worker::start(self, settings, &stop, WORKERS);
        Ok(Serving {
            pulse: Pulse {
                app: self.clone(),
                stop,
            },
            workers,
            _lock: lock,
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
        let finish = async { while self.workers.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_GRACE, finish).await.is_err() {
            tracing::warn!("not everything was finished within the grace of a stop");
        }
        self.workers.shutdown().await;
    }
}
