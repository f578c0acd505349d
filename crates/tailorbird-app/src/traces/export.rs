//! Hands queued spans over, batch by batch.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tailorbird_connector::{Collector, Handed};
use tailorbird_model::Failure;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::otlp::{self, Span};
use super::{Counts, TraceSettings};

/// Spans that wait for their batch at most; what comes on top is dropped and counted. About 4 MiB.
pub const MAX_QUEUE: usize = 8_192;
/// Spans of one batch at most.
pub const MAX_BATCH: usize = 512;
/// How long a batch is waited for that is not full.
pub const EXPORT_EVERY: Duration = Duration::from_secs(1);
/// How often a batch is handed over before it is dropped.
pub const MAX_HAND_TRIES: u32 = 3;
/// The pause before a batch is handed over again; it doubles.
const HAND_PAUSE: Duration = Duration::from_secs(1);
/// How long the end of the program waits for what is queued. What has not gone by then is dropped.
pub const FLUSH_WITHIN: Duration = Duration::from_secs(5);
/// The same for a collector that has not taken anything yet: it may be dead, and somebody waits for the prompt.
const FLUSH_UNKNOWN_WITHIN: Duration = Duration::from_secs(2);

/// What hands spans over. It does nothing before [`Exporter::start`].
pub struct Exporter {
    collector: Collector,
    resource: Vec<(String, String)>,
    queued: mpsc::Receiver<Span>,
    counts: Arc<Counts>,
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").finish_non_exhaustive()
    }
}

/// An exporter at work.
#[derive(Debug)]
pub struct Exporting {
    end: watch::Sender<bool>,
    work: JoinHandle<()>,
    counts: Arc<Counts>,
}

impl Exporter {
    pub(super) fn new(
        settings: &TraceSettings,
        counts: Arc<Counts>,
    ) -> Result<(mpsc::Sender<Span>, Self), Failure> {
        let collector = Collector::new(&settings.url, settings.headers.clone(), settings.timeout)?;
        let (queue, queued) = mpsc::channel(MAX_QUEUE);
        let resource = settings.resource.clone();
        Ok((
            queue,
            Self {
                collector,
                resource,
                queued,
                counts,
            },
        ))
    }

    /// Begins. To be called in the runtime.
    pub fn start(self) -> Exporting {
        let (end, ended) = watch::channel(false);
        Exporting {
            end,
            counts: Arc::clone(&self.counts),
            work: tokio::spawn(self.work(ended)),
        }
    }

    async fn work(mut self, mut ended: watch::Receiver<bool>) {
        loop {
            let mut batch = Vec::new();
            let is_over = tokio::select! {
                () = fill(&mut self.queued, &mut batch) => false,
                () = over(&mut ended) => true,
            };
            // At the end all that is there goes at once.
            if is_over {
                self.queued.close();
            }
            let mut is_there = self.hand(std::mem::take(&mut batch), &mut ended).await;
            if is_over {
                while self.queued.recv_many(&mut batch, MAX_BATCH).await > 0 {
                    let batch = std::mem::take(&mut batch);
                    // Whoever did not take one batch now will not take the next one either.
                    if is_there {
                        is_there = self.hand(batch, &mut ended).await;
                    } else {
                        let all = u64::try_from(batch.len()).unwrap_or(u64::MAX);
                        self.counts.dropped.fetch_add(all, Ordering::Relaxed);
                    }
                }
                return;
            }
        }
    }

    /// Hands a batch over, or drops it after a few tries, at the end of the program after one. Meanwhile the queue
    /// takes in what ends. Tells whether the collector answers.
    async fn hand(&self, batch: Vec<Span>, ended: &mut watch::Receiver<bool>) -> bool {
        if batch.is_empty() {
            return true;
        }
        let all = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let request = otlp::request(&self.resource, &batch);
        drop(batch);
        let (mut why, mut answers) = (String::new(), false);
        for attempt in 0..MAX_HAND_TRIES {
            if attempt > 0 {
                let pause = tokio::time::sleep(HAND_PAUSE * (1 << (attempt - 1)));
                tokio::select! {
                    () = pause => {}
                    () = over(ended) => break,
                }
            }
            match self.collector.hand(request.clone()).await {
                Handed::Taken { refused } => {
                    let refused = refused.min(all);
                    self.counts.exported.fetch_add(all - refused, Ordering::Relaxed);
                    self.counts.dropped.fetch_add(refused, Ordering::Relaxed);
                    return true;
                }
                Handed::Later(problem) => why = problem,
                Handed::Refused(problem) => {
                    why = problem;
                    answers = true;
                    break;
                }
            }
        }
        self.counts.dropped.fetch_add(all, Ordering::Relaxed);
        tracing::warn!(spans = all, why, "the collector of traces did not take a batch");
        answers
    }
}

/// Waits for the end of the program.
async fn over(ended: &mut watch::Receiver<bool>) {
    // Where nobody can say it any more, it is over as well.
    drop(ended.wait_for(|over| *over).await);
}

/// Takes in what ends until a batch is full or has waited for long enough. Nothing that was taken is lost where the
/// waiting is given up: it is in the batch.
async fn fill(queued: &mut mpsc::Receiver<Span>, batch: &mut Vec<Span>) {
    if queued.recv_many(batch, MAX_BATCH).await == 0 {
        // Nobody can queue any more; the end comes by its own signal.
        std::future::pending::<()>().await;
    }
    let until = tokio::time::Instant::now() + EXPORT_EVERY;
    while batch.len() < MAX_BATCH {
        let room = MAX_BATCH - batch.len();
        if !matches!(tokio::time::timeout_at(until, queued.recv_many(batch, room)).await, Ok(taken) if taken > 0)
        {
            return;
        }
    }
}

impl Exporting {
    /// Hands over what is queued, within [`FLUSH_WITHIN`]; sooner where nothing was ever taken.
    pub async fn flush(self) {
        self.end.send_replace(true);
        let stopping = self.work.abort_handle();
        let is_known = self.counts.exported.load(Ordering::Relaxed) > 0;
        let within = if is_known {
            FLUSH_WITHIN
        } else {
            FLUSH_UNKNOWN_WITHIN
        };
        if tokio::time::timeout(within, self.work).await.is_err() {
            stopping.abort();
            tracing::warn!("traces were left behind: the collector is slow");
        }
    }
}
