//! What a run tells while it works, and how it is asked to stop.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use tailorbird_model::Name;
use tailorbird_model::run::Counts;

/// Takes in what a run tells. It must not block.
pub type Progress = Arc<dyn Fn(ProgressEvent) + Send + Sync>;

/// What a run tells while it works.
#[derive(Debug, Clone)]
pub enum ProgressEvent {
    /// The counts so far, in a step.
    Counts {
        /// The step.
        step: Name,
        /// The counts of the whole run.
        counts: Counts,
        /// How many records of this step still wait to be sent, where that is known.
        left: Option<u64>,
    },
    /// The run waits for a limit or a time.
    Waiting {
        /// For what, in words that follow "waiting for".
        what: String,
        /// When it goes on.
        until: Timestamp,
    },
    /// Something a person should know.
    Note(String),
}

impl fmt::Display for ProgressEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counts { step, counts, left } => {
                write!(f, "{step}: {} read, {} delivered", counts.read, counts.delivered)?;
                for (count, word) in [
                    (counts.already, "already"),
                    (counts.rejected, "rejected"),
                    (counts.in_doubt, "in doubt"),
                    (counts.written, "written"),
                ] {
                    if count > 0 {
                        write!(f, ", {count} {word}")?;
                    }
                }
                if let Some(left) = left.filter(|left| *left > 0) {
                    write!(f, ", {left} to go")?;
                }
                Ok(())
            }
            Self::Waiting { what, until } => write!(f, "waiting for {what} until {until}"),
            Self::Note(note) => f.write_str(note),
        }
    }
}

/// Asks a run to stop: what is under way is finished, nothing new is begun.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    wake: Arc<tokio::sync::Notify>,
}

impl Stop {
    /// Asks.
    pub fn set(&self) {
        self.asked.store(true, Ordering::SeqCst);
        self.wake.notify_waiters();
    }

    /// Tells whether it was asked.
    pub fn is_set(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// Waits until it is asked, or for so long.
    pub async fn wait(&self, at_most: std::time::Duration) {
        let woken = self.wake.notified();
        if self.is_set() {
            return;
        }
        // Running out of time is one of the two ways this is meant to end.
        drop(tokio::time::timeout(at_most, woken).await);
    }
}
