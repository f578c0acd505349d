//! Who is signed in to the portal and the consent page. In memory only: a restart signs everybody out.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::entropy::{self, EntropyError};

/// Most sessions kept of either kind, signed in or not; the oldest of the kind goes first. They are counted
/// apart: every first visit begins a session, and a flood of visits must sign nobody out.
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
    signed_in: VecDeque<String>,
    anonymous: VecDeque<String>,
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
        let Inner {
            by_id,
            signed_in,
            anonymous,
        } = &mut *inner;
        by_id.insert(session.id.clone(), session.clone());
        let order = if account.is_some() { signed_in } else { anonymous };
        order.push_back(session.id.clone());
        while order.len() > SESSIONS_MAX {
            if let Some(oldest) = order.pop_front() {
                by_id.remove(&oldest);
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
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.by_id.remove(id);
        inner.signed_in.retain(|known| known != id);
        inner.anonymous.retain(|known| known != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_first_visits_signs_nobody_out() {
        let sessions = Sessions::default();
        let person = sessions.begin(Some(7)).unwrap();
        let first = sessions.begin(None).unwrap();
        for _ in 0..SESSIONS_MAX {
            sessions.begin(None).unwrap();
        }
        assert_eq!(sessions.find(&person.id).unwrap().account, Some(7));
        assert!(sessions.find(&first.id).is_none());
        let inner = sessions.inner.lock().unwrap();
        assert_eq!(inner.by_id.len(), SESSIONS_MAX + 1);
    }

    #[test]
    fn sessions_of_people_have_a_limit_too_and_ended_ones_do_not_count() {
        let sessions = Sessions::default();
        let first = sessions.begin(Some(1)).unwrap();
        let ended = sessions.begin(Some(2)).unwrap();
        sessions.end(&ended.id);
        for _ in 0..SESSIONS_MAX - 1 {
            sessions.begin(Some(3)).unwrap();
        }
        assert!(sessions.find(&first.id).is_some());
        sessions.begin(Some(3)).unwrap();
        assert!(sessions.find(&first.id).is_none());
        assert_eq!(sessions.inner.lock().unwrap().by_id.len(), SESSIONS_MAX);
    }
}
