//! Traces for whoever collects them, by OpenTelemetry's protocol (decision 17): which spans there are is said by the
//! engine and the connector ([`tailorbird_model::trace`]); here they are kept until they end, queued, and handed over.
//!
//! Invariant: nothing here makes a run wait. A queue that is full drops, a collector that is dead or slow costs the
//! queue's memory and nothing else, and what was dropped is counted.

mod export;
#[cfg(test)]
mod fuzz;
mod layer;
mod otlp;
mod sampler;
mod settings;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

pub use export::{EXPORT_EVERY, Exporter, Exporting, FLUSH_WITHIN, MAX_BATCH, MAX_HAND_TRIES, MAX_QUEUE};
pub use layer::{MAX_ATTRIBUTES, MAX_EVENTS, MAX_VALUE_CHARS, TraceLayer};
pub use settings::TraceSettings;

/// What became of spans since the process began.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) exported: AtomicU64,
    pub(crate) dropped: AtomicU64,
}

/// The counts of this process, where it traces. A subscriber is one for the whole process, and so are these.
static COUNTS: OnceLock<Arc<Counts>> = OnceLock::new();

/// What became of spans since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceFigures {
    /// Spans that the collector took.
    pub exported: u64,
    /// Spans that were lost: the queue was full, or the collector did not take them.
    pub dropped: u64,
}

impl TraceFigures {
    /// The figures; none where nothing is traced.
    pub fn now() -> Option<Self> {
        COUNTS.get().map(|counts| Self {
            exported: counts.exported.load(Ordering::Relaxed),
            dropped: counts.dropped.load(Ordering::Relaxed),
        })
    }
}

/// Makes what a subscriber needs, and what hands spans over. To be called once in a process.
///
/// # Errors
/// CONN-002 where the collector's address cannot be used.
pub fn traces(settings: &TraceSettings) -> Result<(TraceLayer, Exporter), tailorbird_model::Failure> {
    let counts = Arc::clone(COUNTS.get_or_init(Arc::default));
    let (queue, exporter) = Exporter::new(settings, Arc::clone(&counts))?;
    Ok((TraceLayer::new(settings.sampler, queue, counts), exporter))
}
