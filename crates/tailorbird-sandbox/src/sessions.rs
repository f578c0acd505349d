//! Who is signed in to the portal and the consent page. In memory only: a restart signs everybody out.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::entropy::{self, EntropyError};

/// Most sessions kept; the oldest goes first.
const SESSIONS_MAX: usize = 1_000;
/// Letters of a session id and of a form token: about 190 bits.
const ID_LETTERS: usize = 32;

/// One signed-in browser (or one that is about to sign in: then `account` is none).
#[derive(Clone)]
pub(crate) struct Session {
    /// The value of the session cookie.
    pub id: String,
    /// The signed-in account.
    pub account: Option<u64>,
    /// The value that each form of this session must carry.
    pub csrf: String,
}

#[derive(Default)]
struct Inner {
    by_id: BTreeMap<String, Session>,
    order: VecDeque<String>,
}

/// All sessions.
#[derive(Default)]
pub(crate) struct Sessions {
    inner: Mutex<Inner>,
}

impl Sessions {
    /// Begins a session. Signing in begins a new one, so that an id known before is worth nothing after.
    ///
    /// # Errors
    /// Fails only when the operating system has no randomness.
    pub(crate) fn begin(&self, account: Option<u64>) -> Result<Session, EntropyError> {
        let session = Session {
            id: entropy::letters(ID_LETTERS)?,
            account,
            csrf: entropy::letters(ID_LETTERS)?,
        };
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.by_id.insert(session.id.clone(), session.clone());
        inner.order.push_back(session.id.clone());
        while inner.order.len() > SESSIONS_MAX {
            if let Some(oldest) = inner.order.pop_front() {
                inner.by_id.remove(&oldest);
            }
        }
        Ok(session)
    }

    /// The session with this cookie value.
    pub(crate) fn find(&self, id: &str) -> Option<Session> {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .by_id
            .get(id)
            .cloned()
    }

    /// Ends a session; unknown ids are ignored.
    pub(crate) fn end(&self, id: &str) {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .by_id
            .remove(id);
    }
}
