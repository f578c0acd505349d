//! What the writing thread is given: jobs of two kinds, and how they are answered.

use tokio::sync::oneshot;

use super::Writing;
use crate::StoreError;

/// Tells a caller; takes how the commit went.
pub(super) type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// What came of running a job.
pub(super) struct Ran {
    /// Whether what it wrote is to stay.
    pub(super) keep: bool,
    /// Tells the caller.
    pub(super) answer: Answer,
}

/// What may be run once, behind a savepoint of its own.
pub(super) trait Job: Send {
    /// Runs inside the transaction.
    fn run(self: Box<Self>, writing: &mut Writing<'_>) -> Ran;
    /// The answer where it never got to run.
    fn refuse(self: Box<Self>) -> Answer;
}

/// What may be run again after all of its transaction was rolled back, so that it needs no savepoint: SQLite copies
/// each page that changes behind one, into a file where they are many, which costs more than the changes themselves.
pub(super) trait RepeatableJob: Send {
    /// Runs inside the transaction, on what was committed before it. Where it fails, nothing of its transaction may
    /// stay.
    fn run(&mut self, writing: &mut Writing<'_>) -> Result<(), StoreError>;
    /// The answer to its last run, or where it never ran.
    fn answer(self: Box<Self>) -> Answer;
}

/// Something to write.
pub(super) enum Work {
    Once(Box<dyn Job>),
    Repeatable(Box<dyn RepeatableJob>),
}

pub(super) struct TypedJob<T, F> {
    pub(super) work: F,
    // A receiver that is gone has stopped waiting; that is its right, and the answer is dropped.
    pub(super) to: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for TypedJob<T, F>
where
    T: Send + 'static,
    F: FnOnce(&mut Writing<'_>) -> Result<T, StoreError> + Send + 'static,
{
    fn run(self: Box<Self>, writing: &mut Writing<'_>) -> Ran {
        let Self { work, to } = *self;
        match work(writing) {
            Ok(value) => Ran {
                keep: true,
                answer: Box::new(move |commit| drop(to.send(commit.map(|()| value)))),
            },
            Err(error) => Ran {
                keep: false,
                answer: Box::new(move |_| drop(to.send(Err(error)))),
            },
        }
    }

    fn refuse(self: Box<Self>) -> Answer {
        let to = self.to;
        Box::new(move |commit| {
            // An uncommitted transaction always ends in an error; a committed one has no such job.
            if let Err(error) = commit {
                drop(to.send(Err(error)));
            }
        })
    }
}

pub(super) struct TypedRepeatable<T, F> {
    pub(super) work: F,
    pub(super) to: oneshot::Sender<Result<T, StoreError>>,
    pub(super) value: Option<T>,
}

impl<T, F> RepeatableJob for TypedRepeatable<T, F>
where
    T: Send + 'static,
    F: Fn(&mut Writing<'_>) -> Result<T, StoreError> + Send + 'static,
{
    fn run(&mut self, writing: &mut Writing<'_>) -> Result<(), StoreError> {
        // What an earlier run came to was rolled back.
        self.value = None;
        self.value = Some((self.work)(writing)?);
        Ok(())
    }

    fn answer(self: Box<Self>) -> Answer {
        let Self { to, value, .. } = *self;
        Box::new(move |commit| {
            let answer = match (commit, value) {
                (Ok(()), Some(value)) => Ok(value),
                (Ok(()), None) => Err(StoreError::Stopped),
                (Err(error), _) => Err(error),
            };
            drop(to.send(answer));
        })
    }
}
