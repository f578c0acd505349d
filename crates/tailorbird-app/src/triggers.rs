//! What watches for events while a server runs: the inbox, folders, and outboxes of databases.
//!
//! Invariant: a watch only puts events into the inbox, where each is known when it comes again; the inbox's own
//! watch is the only one that opens runs. So each of them may be ended at any moment and started again.

mod changes;
mod files;
mod inbox;
mod secret;
mod view;

pub(crate) use changes::CHANGES;
pub(crate) use files::FILES;
pub(crate) use inbox::INBOX;
pub use secret::TaskSecretInput;
pub(crate) use view::summary;
pub use view::{RecentEvent, TriggerView};

use tailorbird_model::task::Task;
use tailorbird_model::{Failure, Name};

use crate::serving::worker::Watch;
use crate::{App, tasks};

/// A task whose trigger is watched.
#[derive(Clone)]
struct Watched<T> {
    task: Name,
    trigger: T,
    enabled: bool,
}

/// The tasks that a watch tends, read anew only when tasks change: reading their files is the dearest part of a
/// look, and an idle server must cost nothing.
struct Known<T> {
    tasks: Vec<Watched<T>>,
    is_read: bool,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self {
            tasks: Vec::new(),
            is_read: false,
        }
    }
}

impl<T> Known<T> {
    fn look(&mut self, watch: &mut Watch, pick: impl Fn(&Task) -> Option<T>) -> &[Watched<T>] {
        let has_changed = watch.tasks.has_changed().unwrap_or(false);
        if has_changed || !self.is_read {
            watch.tasks.mark_unchanged();
            match watch.app.watched(pick) {
                Ok(tasks) => {
                    self.tasks = tasks;
                    self.is_read = true;
                }
                Err(failure) => {
                    self.is_read = false;
                    tracing::warn!(reason = %failure, "the tasks could not be looked at");
                }
            }
        }
        &self.tasks
    }
}

impl App {
    /// The tasks with a trigger of some kind. A task that this version cannot read is not watched; `task list`
    /// tells about it.
    fn watched<T>(&self, pick: impl Fn(&Task) -> Option<T>) -> Result<Vec<Watched<T>>, Failure> {
        let mut watched = Vec::new();
        for stored in self.store.tasks()? {
            let Ok(task) = tasks::parse(&stored) else { continue };
            if let Some(trigger) = pick(&task) {
                watched.push(Watched {
                    task: stored.name,
                    trigger,
                    enabled: stored.enabled,
                });
            }
        }
        Ok(watched)
    }

    /// Notes why a trigger cannot look for events, or that it can again. Where even that cannot be stored, the
    /// next look tries again.
    async fn note_problem(&self, task: &Name, problem: Option<Failure>) {
        if let Some(problem) = &problem {
            tracing::debug!(%task, reason = %problem, "a trigger has a problem");
        }
        if let Err(error) = self.store.note_trigger_problem(task, problem).await {
            tracing::warn!(%task, %error, "the state of a trigger was not stored");
        }
    }
}
