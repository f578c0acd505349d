//! Intents and outcomes, many to a commit, synced: the program's promise, without the rest of its ledger.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, anyhow};
use rusqlite::Connection;

/// Jobs that share a commit; the program's own number.
const MAX_JOBS_PER_COMMIT: usize = 512;
/// Jobs that may wait.
const MAX_WAITING_JOBS: usize = 1024;

/// The outcome of a row and the intent of the next.
pub(super) struct Job {
    /// Number and the provider's id.
    pub(super) ended: Option<(u64, String)>,
    pub(super) next: Option<u64>,
    /// Called when both are on disk.
    pub(super) done: Box<dyn FnOnce() + Send>,
}

pub(super) struct Ledger {
    jobs: SyncSender<Job>,
    thread: JoinHandle<Result<(u64, u64)>>,
}

impl Ledger {
    pub(super) fn start(path: PathBuf) -> Result<Self> {
        let db = Connection::open(path)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "wal_autocheckpoint", 4_000)?;
        db.execute_batch(
            "CREATE TABLE delivery (number INTEGER PRIMARY KEY, state TEXT NOT NULL, result TEXT) STRICT",
        )?;
        let (jobs, waiting) = sync_channel(MAX_WAITING_JOBS);
        let thread = std::thread::spawn(move || commit(&db, &waiting));
        Ok(Self { jobs, thread })
    }

    pub(super) fn hand_in(&self, job: Job) -> Result<()> {
        self.jobs
            .send(job)
            .map_err(|_| anyhow!("the floor's ledger ended"))
    }

    /// Hands in and waits, for workers of tokio. The queue is longer than there are workers, so handing in never
    /// blocks.
    pub(super) async fn step(&self, ended: Option<(u64, String)>, next: Option<u64>) -> Result<()> {
        let (done, wait) = tokio::sync::oneshot::channel();
        self.hand_in(Job {
            ended,
            next,
            done: Box::new(move || _ = done.send(())),
        })?;
        wait.await.context("the floor's ledger ended")
    }

    /// How many commits were made, and how many rows are delivered.
    pub(super) fn end(self) -> Result<(u64, u64)> {
        drop(self.jobs);
        self.thread
            .join()
            .map_err(|_| anyhow!("the floor's ledger ended by a panic"))?
    }
}

fn commit(db: &Connection, waiting: &Receiver<Job>) -> Result<(u64, u64)> {
    let mut commits = 0_u64;
    while let Ok(first) = waiting.recv() {
        let mut jobs = vec![first];
        jobs.extend(waiting.try_iter().take(MAX_JOBS_PER_COMMIT - 1));
        db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for job in &jobs {
            if let Some((number, id)) = &job.ended {
                db.prepare_cached("UPDATE delivery SET state = 'delivered', result = ?2 WHERE number = ?1")?
                    .execute((i64::try_from(*number)?, id))?;
            }
            if let Some(number) = job.next {
                db.prepare_cached("INSERT INTO delivery (number, state) VALUES (?1, 'sending')")?
                    .execute([i64::try_from(number)?])?;
            }
        }
        db.prepare_cached("COMMIT")?.execute([])?;
        commits = commits.saturating_add(1);
        for job in jobs {
            (job.done)();
        }
    }
    let delivered: i64 = db.query_row(
        "SELECT count(*) FROM delivery WHERE state = 'delivered'",
        [],
        |row| row.get(0),
    )?;
    Ok((commits, u64::try_from(delivered)?))
}
