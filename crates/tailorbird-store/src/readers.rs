//! A small pool of connections that can only read.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use crate::{StoreError, schema};

/// Connections that read at the same time; further readers wait for one of them.
const MAX_READERS: usize = 4;

/// The pool.
pub(crate) struct Readers {
    path: PathBuf,
    state: Mutex<State>,
    given_back: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    open: usize,
}

impl Readers {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            state: Mutex::new(State::default()),
            given_back: Condvar::new(),
        }
    }

    /// Reads; each call sees everything that was committed before it.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let connection = self.take()?;
        let answer = work(&connection);
        self.lock().idle.push(connection);
        self.given_back.notify_one();
        answer
    }

    fn take(&self) -> Result<Connection, StoreError> {
        let mut state = self.lock();
        loop {
            if let Some(connection) = state.idle.pop() {
                return Ok(connection);
            }
            if state.open < MAX_READERS {
                state.open += 1;
                drop(state);
                return schema::open_reader(&self.path).inspect_err(|_| self.lock().open -= 1);
            }
            state = self
                .given_back
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    // A reader that panicked leaves the list of idle connections whole, so poison is no danger here.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
