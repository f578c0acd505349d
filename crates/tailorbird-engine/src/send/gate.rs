//! How many requests of one connection are under way at once, over all runs of this process, and who is next.
//!
//! A slot is held from before the intent until after the outcome, so no more deliveries of a connection are
//! `sending` than it has slots (rule 4), however many tasks share it. Slots are given in the order of asking: a
//! task with three records stands behind at most one record of each worker of a task with a million.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tailorbird_model::Name;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The slots of one connection.
#[derive(Debug)]
pub(crate) struct Gate {
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// The gates of all connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gates(Arc<Mutex<ByConnection>>);

type ByConnection = HashMap<(Name, usize), Arc<Gate>>;

impl Gates {
    /// The gate of a connection. Another `concurrency` is another gate: runs that began under the old one end under
    /// it.
    pub(crate) fn of(&self, connection: &Name, concurrency: usize) -> Arc<Gate> {
        let slots = concurrency.max(1);
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gates.retain(|_, gate| Arc::strong_count(gate) > 1);
        let gate = gates.entry((connection.clone(), slots)).or_insert_with(|| {
            Arc::new(Gate {
                slots: Arc::new(Semaphore::new(slots)),
                waiting: AtomicUsize::new(0),
            })
        });
        Arc::clone(gate)
    }
}

impl Gate {
    /// Waits for a slot, behind those who asked before.
    pub(super) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            return Some(slot);
        }
        let _counted = Counted::new(&self.waiting);
        // It is never closed, so this is never none; and where it were, nothing would be sent.
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }

    /// Tells whether others wait, so that a slot is to be given back between two records.
    pub(super) fn is_wanted(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }
}

/// Counts one who waits, also where the waiting is given up.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn slots_are_given_in_the_order_of_asking_and_to_no_more() {
        let gates = Gates::default();
        let name: Name = "c".parse().unwrap();
        let gate = gates.of(&name, 2);
        let (first, second) = (gate.slot().await, gate.slot().await);
        assert!(!gate.is_wanted());
        let same = gates.of(&name, 2);
        let small = tokio::spawn(async move { same.slot().await });
        while !gate.is_wanted() {
            tokio::task::yield_now().await;
        }
        assert!(
            tokio::time::timeout(std::time::Duration::from_millis(20), gate.slot())
                .await
                .is_err(),
            "two slots were given three times"
        );
        drop(first);
        assert!(small.await.unwrap().is_some(), "the one who waits gets it");
        assert!(!gate.is_wanted());
        drop(second);
    }

    #[tokio::test]
    async fn a_gate_that_nobody_uses_is_forgotten() {
        let gates = Gates::default();
        let (one, other): (Name, Name) = ("c".parse().unwrap(), "d".parse().unwrap());
        let held = gates.of(&one, 1);
        drop(gates.of(&other, 1));
        drop(gates.of(&one, 1));
        assert_eq!(gates.0.lock().unwrap().len(), 1);
        drop(held);
    }
}
