//! What is due, read ahead of the workers while they send.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tailorbird_store::DueRequest;
use tokio::sync::Notify;

/// A queue that one feeder fills and many workers empty.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Wakes workers: there is something, or there will be nothing more.
    filled: Notify,
    /// Wakes who waits for a slot in vain: nothing more can be taken.
    over: Notify,
    /// Wakes the feeder: there is room for another page, or nothing more is wanted.
    drained: Notify,
}

#[derive(Default)]
struct State {
    rows: VecDeque<DueRequest>,
    /// Nothing more comes.
    dry: bool,
    /// Nothing more may be begun.
    closed: bool,
}

/// What a worker finds.
pub(super) enum Taken {
    Row(Box<DueRequest>),
    /// Nothing now; more may come.
    Empty,
    /// Nothing more comes, or nothing more may be begun.
    Over,
}

impl Queue {
    // The state is whole after every statement, so poison is no danger here.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whoever waits for what a taking left behind: the feeder where fewer than `low` are left, those who wait in
    /// vain where there is nothing more.
    fn tell_what_is_left(&self, state: MutexGuard<'_, State>, low: usize) {
        let wants_more = !state.dry && state.rows.len() < low;
        let is_over = state.dry && state.rows.is_empty();
        drop(state);
        if is_over {
            self.over.notify_waiters();
        }
        if wants_more {
            self.drained.notify_one();
        }
    }

    /// Takes the next one; wakes the feeder where fewer than `low` are left.
    pub(super) fn take(&self, low: usize) -> Taken {
        let mut state = self.lock();
        if state.closed {
            return Taken::Over;
        }
        let next = match state.rows.pop_front() {
            Some(row) => Taken::Row(Box::new(row)),
            None if state.dry => Taken::Over,
            None => Taken::Empty,
        };
        self.tell_what_is_left(state, low);
        next
    }

    /// Takes those that `fits` wants, at most so many, looking at no more than the first `look_at`; the others keep
    /// their places.
    pub(super) fn take_fitting(
        &self,
        low: usize,
        most: usize,
        look_at: usize,
        mut fits: impl FnMut(&DueRequest) -> bool,
    ) -> Vec<DueRequest> {
        let mut state = self.lock();
        let mut taken = Vec::new();
        if state.closed {
            return taken;
        }
        let mut passed = VecDeque::new();
        for _ in 0..look_at {
            if taken.len() >= most {
                break;
            }
            let Some(row) = state.rows.pop_front() else {
                break;
            };
            if fits(&row) {
                taken.push(row);
            } else {
                passed.push_back(row);
            }
        }
        while let Some(row) = passed.pop_back() {
            state.rows.push_front(row);
        }
        self.tell_what_is_left(state, low);
        taken
    }

    /// Adds a page; `last` where nothing comes behind it.
    pub(super) fn add(&self, page: Vec<DueRequest>, last: bool) {
        let mut state = self.lock();
        state.rows.extend(page);
        state.dry |= last;
        drop(state);
        self.over.notify_waiters();
        self.filled.notify_waiters();
    }

    /// Lets nothing more be begun; what is under way goes on.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.over.notify_waiters();
        self.filled.notify_waiters();
        self.drained.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Tells whether nothing more can be taken.
    pub(super) fn is_over(&self) -> bool {
        let state = self.lock();
        state.closed || (state.dry && state.rows.is_empty())
    }

    /// Waits until there are so many to take, or no more come.
    pub(super) async fn until_at_least(&self, count: usize) {
        loop {
            let mut filled = std::pin::pin!(self.filled.notified());
            filled.as_mut().enable();
            {
                let state = self.lock();
                if state.closed || state.dry || state.rows.len() >= count {
                    return;
                }
            }
            self.drained.notify_one();
            filled.await;
        }
    }

    fn is_empty_now(&self) -> bool {
        let state = self.lock();
        !state.closed && !state.dry && state.rows.is_empty()
    }

    /// Waits until there is something to take or nothing more comes.
    pub(super) async fn until_filled(&self) {
        let mut filled = std::pin::pin!(self.filled.notified());
        // Enabled before the look, so that what is added between look and wait is not missed.
        filled.as_mut().enable();
        if self.is_empty_now() {
            filled.await;
        }
    }

    /// Waits until nothing more can be taken.
    pub(super) async fn until_over(&self) {
        loop {
            let mut changed = std::pin::pin!(self.over.notified());
            changed.as_mut().enable();
            if self.is_over() {
                return;
            }
            changed.await;
        }
    }

    /// Waits until fewer than `low` are left; false where nothing more is wanted.
    pub(super) async fn until_low(&self, low: usize) -> bool {
        loop {
            {
                let state = self.lock();
                if state.closed {
                    return false;
                }
                if state.rows.len() < low {
                    return true;
                }
            }
            self.drained.notified().await;
        }
    }
}
