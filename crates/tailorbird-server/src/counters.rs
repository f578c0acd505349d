//! What the server counts of its own work, for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;

/// The classes of answers.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Which listener answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listener {
    /// Health, metrics, pages.
    Main,
    /// Webhooks alone.
    Webhooks,
}

/// Answers by listener and class.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    main: [AtomicU64; CLASSES.len()],
    webhooks: [AtomicU64; CLASSES.len()],
}

impl Counters {
    fn of(&self, listener: Listener) -> &[AtomicU64; CLASSES.len()] {
        match listener {
            Listener::Main => &self.main,
            Listener::Webhooks => &self.webhooks,
        }
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, listener: Listener, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(count) = self.of(listener).get(class) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Listener, class and count of each.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        [("main", Listener::Main), ("webhooks", Listener::Webhooks)]
            .into_iter()
            .flat_map(|(name, listener)| {
                CLASSES
                    .iter()
                    .zip(self.of(listener))
                    .map(move |(class, count)| (name, *class, count.load(Ordering::Relaxed)))
            })
    }
}
