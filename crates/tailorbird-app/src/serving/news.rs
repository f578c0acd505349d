//! What a server tells people while it works: what somebody may have to know in the morning.

use std::sync::Arc;

use jiff::Timestamp;
use tailorbird_model::run::{Run, RunId};
use tailorbird_model::{Failure, Name};

/// Takes in what a server tells. It must not block.
pub type Reporter = Arc<dyn Fn(ServeNews) + Send + Sync>;

/// What a server tells.
#[derive(Debug, Clone)]
pub enum ServeNews {
    /// A run is driven no more: it ended, waits, or is held. The run says which.
    Rests(Box<Run>),
    /// A task did not begin, because a run of it had not ended.
    LeftOut {
        /// The task.
        task: Name,
        /// When it was due.
        due_at: Timestamp,
        /// The run in the way.
        run: RunId,
    },
    /// Times of a task's schedule passed while no server was there.
    Missed {
        /// The task.
        task: Name,
        /// The last of them.
        due_at: Timestamp,
        /// How many of them are noted.
        times: usize,
    },
    /// A schedule does not fire, because it cannot be known when it must not.
    Held {
        /// The task.
        task: Name,
        /// Why.
        failure: Failure,
    },
}
