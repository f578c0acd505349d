//! The one door to the state: reading, and changing by events that are durable before the caller goes on.

use std::path::Path;
use std::sync::{PoisonError, RwLock};

use super::{Event, State};
use crate::journal::{Journal, JournalError, WriteFailed};

/// A change did not reach the disk. The sandbox answers 503 from then on.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("could not store the change")]
pub(crate) struct CommitError(#[source] WriteFailed);

/// Proof that a change is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Applied;

/// State plus, with a state file, its journal.
pub(crate) struct Store {
    state: RwLock<State>,
    journal: Option<Journal>,
}

impl Store {
    /// Opens the state file, or begins an empty state in memory.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, JournalError> {
        match path {
            None => Ok(Self {
                state: RwLock::default(),
                journal: None,
            }),
            Some(path) => {
                let opened = Journal::open(path)?;
                Ok(Self {
                    state: RwLock::new(opened.state),
                    journal: Some(opened.journal),
                })
            }
        }
    }

    /// Looks at the state. The closure must be short: writers wait for it.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Applies one event and returns when it is durable.
    ///
    /// # Errors
    /// Fails when the state file cannot be written.
    pub(crate) async fn commit(&self, event: Event) -> Result<Applied, CommitError> {
        self.transact(|_| (vec![event], Applied)).await
    }

    /// Decides under the lock, then applies: `decide` sees the state as no other change can alter it, and
    /// gives the events to apply (none, to refuse) and a value for the caller. All events of one call are one
    /// line of the journal: after a crash either all of them happened or none. Returns when they are durable.
    ///
    /// # Errors
    /// Fails when the state file cannot be written.
    pub(crate) async fn transact<T>(
        &self,
        decide: impl FnOnce(&State) -> (Vec<Event>, T),
    ) -> Result<T, CommitError> {
        let (value, sequence) = {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            let (events, value) = decide(&state);
            if events.is_empty() {
                (value, None)
            } else {
                let sequence = match &self.journal {
                    Some(journal) => Some(journal.append(&events).map_err(CommitError)?),
                    None => None,
                };
                for event in events {
                    state.apply(event);
                }
                (value, sequence)
            }
        };
        if let (Some(journal), Some(sequence)) = (&self.journal, sequence) {
            journal.wait(sequence).await.map_err(CommitError)?;
        }
        Ok(value)
    }

    /// Returns when everything applied so far is durable. The server calls it before each answer leaves, so
    /// that not even a read tells of something that a crash could still undo.
    ///
    /// # Errors
    /// Fails when the state file cannot be written.
    pub(crate) async fn settled(&self) -> Result<(), CommitError> {
        match &self.journal {
            Some(journal) => journal.wait(journal.sequence()).await.map_err(CommitError),
            None => Ok(()),
        }
    }

    /// Writes what is queued and closes the file.
    pub(crate) fn close(&self) {
        if let Some(journal) = &self.journal {
            journal.close();
        }
    }
}
