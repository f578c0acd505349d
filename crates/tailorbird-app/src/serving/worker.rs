//! Workers: what watches the outside for triggers, from the server's start to its stop.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tailorbird_store::{Clock, TasksMark};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::tally::Tally;
use super::{Reporter, ServeSettings};
use crate::{App, Stop, Supervisor};

/// The pause before a worker that broke is started again.
const RESTART_PAUSE: Duration = Duration::from_secs(5);

/// How often the definitions are looked at for changes by other processes. One query on an index.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A worker's work; it ends soon after a stop was asked for.
pub(crate) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One kind of trigger's watch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Worker {
    /// For the log.
    pub(crate) name: &'static str,
    /// Begins it. A worker that panicked is begun again, so what it must not forget is in the store.
    pub(crate) start: fn(Watch) -> Work,
}

/// What a worker works with.
#[derive(Clone)]
pub(crate) struct Watch {
    /// The use-cases.
    pub(crate) app: App,
    /// Set when the server stops.
    pub(crate) stop: Stop,
    /// The time.
    pub(crate) clock: Clock,
    /// Whoever drives the runs: tell it that one was opened.
    pub(crate) runs: Supervisor,
    /// Hears what people may want to know.
    pub(crate) report: Reporter,
    /// Counts for metrics.
    pub(crate) tally: Arc<Tally>,
    /// Changes whenever a task was applied, enabled, disabled or removed, by whatever process.
    pub(crate) tasks: watch::Receiver<TasksMark>,
}

impl Watch {
    /// Waits for so long, or until the tasks change, or the server stops. Tells whether to go on.
    pub(crate) async fn pause(&self, at_most: Duration) -> bool {
        // A clone's: the caller is to find the change still unseen.
        let mut tasks = self.tasks.clone();
        tokio::select! {
            () = self.stop.wait(at_most) => {}
            changed = tasks.changed() => {
                // The sender is gone only when everything ends.
                if changed.is_err() {
                    return false;
                }
            }
        }
        !self.stop.is_set()
    }
}

/// Starts all workers, and the look-out for changed tasks that they share.
pub(super) fn start(
    app: &App,
    settings: &ServeSettings,
    stop: &Stop,
    runs: &Supervisor,
    tally: &Arc<Tally>,
    workers: &'static [Worker],
) -> JoinSet<()> {
    let mut all = JoinSet::new();
    let (changed, tasks) = watch::channel(TasksMark::default());
    all.spawn(look_out(app.clone(), stop.clone(), changed));
    let watch = Watch {
        app: app.clone(),
        stop: stop.clone(),
        clock: settings.clock.clone(),
        report: settings.report.clone(),
        runs: runs.clone(),
        tally: Arc::clone(tally),
        tasks,
    };
    for worker in workers {
        all.spawn(keep_up(*worker, watch.clone()));
    }
    all
}

/// Starts a worker, and starts it again where it breaks: one bad file or task must not end the others' watch.
async fn keep_up(worker: Worker, watch: Watch) {
    while !watch.stop.is_set() {
        match tokio::spawn((worker.start)(watch.clone())).await {
            Ok(()) if watch.stop.is_set() => return,
            Ok(()) => tracing::error!(worker = worker.name, "a trigger's watch ended by itself"),
            Err(error) => tracing::error!(worker = worker.name, %error, "a trigger's watch broke"),
        }
        watch.stop.wait(RESTART_PAUSE).await;
    }
}

/// Tells the workers when tasks changed. Other processes apply, enable and disable them in the same store.
async fn look_out(app: App, stop: Stop, changed: watch::Sender<TasksMark>) {
    while !stop.is_set() {
        match app.store.tasks_mark() {
            Ok(mark) => {
                changed.send_if_modified(|known| std::mem::replace(known, mark) != mark);
            }
            Err(error) => tracing::warn!(%error, "the tasks could not be looked at"),
        }
        stop.wait(LOOK_EVERY).await;
    }
}
