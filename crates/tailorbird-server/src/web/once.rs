//! Forms that may be sent once: what changes something at a provider is not sent again by a second press, or by loading
//! the page anew.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Forms that stand open at a time; the oldest makes room, and then has to be looked at again.
const MAX_OPEN: usize = 256;

/// Forms that were shown and not sent yet, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Once {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: u64,
    open: VecDeque<u64>,
}

impl Once {
    /// A number for a form that is about to be shown.
    pub(super) fn open(&self) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.last = state.last.saturating_add(1);
        let number = state.last;
        if state.open.len() >= MAX_OPEN {
            state.open.pop_front();
        }
        state.open.push_back(number);
        number
    }

    /// Tells whether a form may be sent; from then on it may not.
    pub(super) fn take(&self, number: &str) -> bool {
        let Ok(number) = number.parse::<u64>() else {
            return false;
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.open.len();
        state.open.retain(|open| *open != number);
        state.open.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_taken_once() {
        let once = Once::default();
        let (first, second) = (once.open().to_string(), once.open().to_string());
        assert!(once.take(&first));
        assert!(!once.take(&first), "a second press");
        assert!(once.take(&second));
        for other in ["", "x", "99"] {
            assert!(!once.take(other), "{other:?}");
        }
    }

    #[test]
    fn the_oldest_of_too_many_is_forgotten() {
        let once = Once::default();
        let first = once.open().to_string();
        for _ in 0..MAX_OPEN {
            once.open();
        }
        assert!(!once.take(&first));
    }
}
