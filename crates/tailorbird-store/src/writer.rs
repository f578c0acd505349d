//! The one thread that writes, and group commit.
//!
//! Whoever wants to write sends a job. The thread takes all jobs that wait, runs them in one transaction,
//! commits once and answers each: many deliveries share one sync of the disk. A job that fails spoils no other: it
//! is rolled back to its savepoint, or the whole transaction is, and the others run again without it.
//!
//! Invariant: no job is answered before the commit that holds it is known to have taken place, or known not
//! to have (never-twice rule 6).

mod job;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use tailorbird_model::delivery::DeliveryState;
use tailorbird_model::measure::Histogram;
use tokio::sync::{mpsc, oneshot};

use self::job::{Answer, Job, RepeatableJob, TypedJob, TypedRepeatable, Work};
use crate::clock::Clock;
use crate::ledger::chain::Chain;
use crate::ledger::tally::Tally;
use crate::{StoreError, entropy};

/// Jobs that may wait; a sender beyond them waits itself.
const MAX_WAITING_JOBS: usize = 1024;

/// Jobs that share one commit.
const MAX_JOBS_PER_COMMIT: usize = 512;

/// What a job works with.
pub(crate) struct Writing<'a> {
    /// The open transaction.
    pub(crate) connection: &'a Connection,
    /// The time of this commit.
    pub(crate) now: Timestamp,
    noted: Noted,
}

/// What jobs note for the commit.
#[derive(Default)]
struct Noted {
    /// Deliveries whose narrow row changed; they go into the chain.
    touched: Vec<i64>,
    /// How many deliveries more or less each run has in a state.
    tally: Tally,
    /// Which transitions the commit holds, for tests that end the program there.
    places: Places,
}

/// The names of transitions; nothing in a release build.
#[derive(Default)]
struct Places {
    #[cfg(debug_assertions)]
    names: Vec<&'static str>,
}

impl Places {
    #[cfg(debug_assertions)]
    fn add(&mut self, mut other: Self) {
        self.names.append(&mut other.names);
    }

    #[cfg(not(debug_assertions))]
    fn add(&mut self, _other: Self) {}

    /// Says that the commit is due (`before`), or has taken place (`after`).
    #[cfg(debug_assertions)]
    fn reach(&self, side: &str) {
        for name in &self.names {
            tailorbird_model::fault::reach(&format!("{name}.{side}"));
        }
    }

    #[cfg(not(debug_assertions))]
    fn reach(&self, _side: &str) {}
}

impl Writing<'_> {
    /// Says which transition the job is; see [`tailorbird_model::fault`].
    #[cfg(debug_assertions)]
    pub(crate) fn at(&mut self, transition: &'static str) {
        self.noted.places.names.push(transition);
    }

    /// Nothing, in a release build.
    #[cfg(not(debug_assertions))]
    pub(crate) fn at(&mut self, _transition: &'static str) {}

    /// Notes that a delivery's narrow row changed.
    pub(crate) fn touch(&mut self, delivery: i64) {
        self.noted.touched.push(delivery);
    }

    /// Notes that a delivery of a run came to a state, and which it was in before (none: it is new).
    pub(crate) fn count(&mut self, run: &str, before: Option<DeliveryState>, after: DeliveryState) {
        if let Some(before) = before {
            self.noted.tally.add(run, before, -1);
        }
        self.noted.tally.add(run, after, 1);
    }

    /// Notes that a delivery belongs to a run no longer; what it comes to counts for another.
    pub(crate) fn uncount(&mut self, run: &str, state: DeliveryState) {
        self.noted.tally.add(run, state, -1);
    }
}

/// The way to the thread.
pub(crate) struct Writer {
    sender: Option<mpsc::Sender<Work>>,
    thread: Option<JoinHandle<()>>,
    commits: Arc<AtomicU64>,
    times: Arc<Histogram>,
    name: String,
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(connection: Connection, chain: Chain, clock: Clock) -> Result<Self, StoreError> {
        let (sender, receiver) = mpsc::channel(MAX_WAITING_JOBS);
        let commits = Arc::new(AtomicU64::new(0));
        let times = Arc::new(Histogram::default());
        let name = entropy::hex(&entropy::bytes::<8>()?);
        let committer = Committer {
            connection,
            chain,
            clock,
            name: name.clone(),
            batch: 0,
            commits: Arc::clone(&commits),
            times: Arc::clone(&times),
        };
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || committer.run(receiver))
            .map_err(|source| StoreError::Io {
                action: "start a thread for",
                path: "ledger.db".into(),
                source,
            })?;
        Ok(Self {
            sender: Some(sender),
            thread: Some(thread),
            commits,
            times,
            name,
        })
    }

    /// Runs a job in a transaction and waits until it is durable.
    ///
    /// A caller that stops waiting does not stop the job.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (to, wait) = oneshot::channel();
        self.hand_in(Work::Once(Box::new(TypedJob { work, to }))).await?;
        wait.await.map_err(|_| StoreError::Stopped)?
    }

    /// As [`Writer::write`], for what is written often: several times as fast, and run again where another job of its
    /// transaction fails.
    pub(crate) async fn write_often<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (to, wait) = oneshot::channel();
        let value = None;
        let job = Work::Repeatable(Box::new(TypedRepeatable { work, to, value }));
        self.hand_in(job).await?;
        wait.await.map_err(|_| StoreError::Stopped)?
    }

    async fn hand_in(&self, work: Work) -> Result<(), StoreError> {
        let sender = self.sender.as_ref().ok_or(StoreError::Stopped)?;
        sender.send(work).await.map_err(|_| StoreError::Stopped)
    }

    /// Runs a job some time later; nobody learns how it went. For what may be lost, such as budgets.
    pub(crate) fn write_later<F>(&self, work: F)
    where
        F: FnOnce(&mut Writing<'_>) -> Result<(), StoreError> + Send + 'static,
    {
        let (answer, _) = oneshot::channel();
        if let Some(sender) = &self.sender
            && sender
                .try_send(Work::Once(Box::new(TypedJob { work, to: answer })))
                .is_err()
        {
            tracing::debug!("the store's queue is full; a limit report was not kept");
        }
    }

    /// How many commits this process has made.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// How long commits took.
    pub(crate) fn times(&self) -> &Histogram {
        &self.times
    }

    /// The name under which this process marks its commits.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Writer {
    /// Lets the thread finish what waits, so that the folder can be removed or opened again at once.
    fn drop(&mut self) {
        drop(self.sender.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer ended by a panic");
        }
    }
}

/// How a commit ended.
enum Ended {
    Committed,
    NotCommitted(Arc<rusqlite::Error>),
    Unknown(Arc<rusqlite::Error>),
}

struct Committer {
    connection: Connection,
    chain: Chain,
    clock: Clock,
    name: String,
    batch: i64,
    commits: Arc<AtomicU64>,
    times: Arc<Histogram>,
}

impl Committer {
    fn run(mut self, mut receiver: mpsc::Receiver<Work>) {
        while let Some(first) = receiver.blocking_recv() {
            let mut jobs = vec![first];
            while jobs.len() < MAX_JOBS_PER_COMMIT
                && let Ok(job) = receiver.try_recv()
            {
                jobs.push(job);
            }
            self.commit(jobs);
        }
        if let Err(error) = self
            .connection
            .execute("DELETE FROM commit_mark WHERE writer = ?1", [&self.name])
        {
            tracing::debug!(%error, "the commit mark stays behind");
        }
    }

    fn commit(&mut self, jobs: Vec<Work>) {
        let mut answers = Vec::with_capacity(jobs.len());
        let begun = Instant::now();
        let ended = match self.transact(jobs, &mut answers) {
            Ok(()) => Ended::Committed,
            Err(StoreError::Sqlite(source)) => self.read_back(Arc::new(source)),
            Err(other) => {
                let source = rusqlite::Error::ToSqlConversionFailure(Box::new(other));
                self.read_back(Arc::new(source))
            }
        };
        self.times.observe(begun.elapsed());
        match &ended {
            Ended::Committed => {
                self.commits.fetch_add(1, Ordering::Relaxed);
            }
            Ended::NotCommitted(error) => tracing::error!(%error, "the store could not commit"),
            Ended::Unknown(error) => tracing::error!(%error, "it is unknown whether a commit took place"),
        }
        let batch = self.batch;
        for answer in answers {
            answer(match &ended {
                Ended::Committed => Ok(()),
                Ended::NotCommitted(source) => Err(StoreError::NotCommitted(Arc::clone(source))),
                Ended::Unknown(source) => Err(StoreError::CommitUnknown {
                    batch,
                    source: Arc::clone(source),
                }),
            });
        }
    }

    /// Runs a statement of the transaction itself; prepared once, because each job has two of them.
    fn say(&self, statement: &str) -> Result<(), rusqlite::Error> {
        self.connection.prepare_cached(statement)?.execute([]).map(drop)
    }

    /// Runs the jobs in one transaction. An answer is pushed for each job, whatever comes.
    fn transact(&mut self, jobs: Vec<Work>, answers: &mut Vec<Answer>) -> Result<(), StoreError> {
        self.batch += 1;
        let now = (self.clock)();
        let (mut once, mut repeatable) = (Vec::new(), Vec::with_capacity(jobs.len()));
        for job in jobs {
            match job {
                Work::Once(job) => once.push(job),
                Work::Repeatable(job) => repeatable.push(job),
            }
        }
        let mut once = once.into_iter();
        let mut noted = Noted::default();
        let ran = self
            .begin_with(&mut repeatable, now, &mut noted, answers)
            .and_then(|()| {
                for job in once.by_ref() {
                    self.run_once(job, now, &mut noted, answers)?;
                }
                self.chain.append(&self.connection, now, &mut noted.touched)?;
                noted.tally.store(&self.connection)?;
                self.connection
                    .prepare_cached(
                        "INSERT INTO commit_mark (writer, batch, at) VALUES (?1, ?2, ?3)
                         ON CONFLICT (writer) DO UPDATE SET batch = excluded.batch, at = excluded.at",
                    )?
                    .execute((&self.name, self.batch, now.as_microsecond()))?;
                noted.places.reach("before");
                self.say("COMMIT")?;
                noted.places.reach("after");
                Ok(())
            });
        // Jobs that were not reached are told the same as those that were.
        answers.extend(repeatable.into_iter().map(RepeatableJob::answer));
        answers.extend(once.map(Job::refuse));
        ran
    }

    /// Begins the transaction with the jobs that can be run again. One that fails ends the transaction for all; the
    /// others then run in a new one without it, so this ends after as many tries as there are jobs.
    fn begin_with(
        &self,
        jobs: &mut Vec<Box<dyn RepeatableJob>>,
        now: Timestamp,
        noted: &mut Noted,
        answers: &mut Vec<Answer>,
    ) -> Result<(), StoreError> {
        loop {
            self.say("BEGIN IMMEDIATE")?;
            let mut writing = Writing {
                connection: &self.connection,
                now,
                noted: Noted::default(),
            };
            let failed = jobs
                .iter_mut()
                .enumerate()
                .find_map(|(place, job)| job.run(&mut writing).err().map(|error| (place, error)));
            let Some((place, error)) = failed else {
                *noted = writing.noted;
                return Ok(());
            };
            if !self.connection.is_autocommit() {
                self.say("ROLLBACK")?;
            }
            // Whether or not the others are committed, this one is not.
            let answer = jobs.remove(place).answer();
            answers.push(Box::new(move |_| answer(Err(error))));
        }
    }

    /// Runs a job behind a savepoint.
    fn run_once(
        &self,
        job: Box<dyn Job>,
        now: Timestamp,
        noted: &mut Noted,
        answers: &mut Vec<Answer>,
    ) -> Result<(), StoreError> {
        let mut writing = Writing {
            connection: &self.connection,
            now,
            noted: Noted::default(),
        };
        if let Err(error) = self.say("SAVEPOINT job") {
            answers.push(job.refuse());
            return Err(error.into());
        }
        let ran = job.run(&mut writing);
        answers.push(ran.answer);
        if ran.keep {
            noted.touched.append(&mut writing.noted.touched);
            noted.tally.merge(&writing.noted.tally);
            noted.places.add(writing.noted.places);
        } else if self.connection.is_autocommit() {
            // A full disk or an I/O error has rolled back the whole transaction, not only this job.
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL),
                Some("the transaction was rolled back by the database".to_owned()),
            )
            .into());
        } else {
            self.say("ROLLBACK TO job")?;
        }
        self.say("RELEASE job")?;
        Ok(())
    }

    /// After a failure: ends the transaction and asks the database whether it took place.
    fn read_back(&self, source: Arc<rusqlite::Error>) -> Ended {
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
        match mark(&self.connection, &self.name) {
            Ok(Some(batch)) if batch >= self.batch => Ended::Committed,
            Ok(_) => Ended::NotCommitted(source),
            Err(_) => Ended::Unknown(source),
        }
    }
}

/// The number of a writer's last commit, if it has made one.
pub(crate) fn mark(connection: &Connection, writer: &str) -> Result<Option<i64>, StoreError> {
    Ok(connection
        .query_row(
            "SELECT batch FROM commit_mark WHERE writer = ?1",
            [writer],
            |row| row.get(0),
        )
        .optional()?)
}

#[cfg(test)]
mod tests;
