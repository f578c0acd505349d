//! A dry run of a whole task: live sources are read, every request is built and shown, nothing is sent, written
//! or remembered.
//!
//! Invariant: a rehearsal holds no lock, so nothing can be sent in it, and it calls no method of the store that
//! writes.

mod batches;
mod walk;
mod watch;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

use serde::Serialize;
use serde_json::Value as Json;
use tailorbird_connector::MaskedRequest;
use tailorbird_model::money::Amount;
use tailorbird_model::run::{Counts, RunId, RunInput};
use tailorbird_model::task::Task;
use tailorbird_model::{Failure, Name};

use crate::drive::{Driver, Engine};
use crate::durable::RunEnd;
use crate::operators::Variables;
use crate::plan::Plan;
use crate::progress::{Progress, Stop};
use crate::trigger;
use walk::Walk;
use watch::Watch;
pub use watch::{MAX_WATCHED, Watched, WatchedRecord, WatchedValue};

/// The greatest number of records of one step that a rehearsal looks at.
pub const MAX_REHEARSED: usize = 10_000;

/// What expressions see as `run.id`.
const NO_RUN: &str = "dry-run";

/// What a run of a task would do now.
#[derive(Debug, Clone, Serialize)]
pub struct Rehearsal {
    /// The task.
    pub task: Name,
    /// How many records of each source were looked at, at most.
    pub limit: usize,
    /// Whether that was all there is.
    pub complete: bool,
    /// The steps, in order.
    pub steps: Vec<RehearsedStep>,
    /// The requests of calls that have an effect.
    pub requests: Vec<RehearsedRequest>,
    /// The requests that several of those would share.
    pub batches: Vec<RehearsedBatch>,
    /// What these requests would cost, by the prices of the service files.
    pub costs: Vec<RehearsedCost>,
    /// The rows that would be written.
    pub writes: Vec<RehearsedWrite>,
    /// What a person would be asked first.
    pub approvals: Vec<RehearsedApproval>,
    /// The tasks that would be called.
    pub task_calls: Vec<RehearsedTaskCall>,
    /// The task's variables at the end.
    pub variables: BTreeMap<String, Json>,
    /// Why it went no further, where that is so.
    pub failure: Option<Failure>,
}

/// What came to a step.
#[derive(Debug, Clone, Serialize)]
pub struct RehearsedStep {
    /// The step.
    pub step: Name,
    /// Its kind.
    pub kind: &'static str,
    /// How many records it read, or took from its source.
    pub records: u64,
    /// How many of them it left out (`when`, memory, no branch).
    pub left_out: u64,
}

/// A request that would be sent, or the reason why it would not.
#[derive(Debug, Clone, Serialize)]
pub struct RehearsedRequest {
    /// The step.
    pub step: Name,
    /// The key of the record.
    pub key: String,
    /// What a run would do: `send`, `already` (it was sent), `reject`, `held` (rejected before, unchanged),
    /// `in_doubt`, `skipped`, or `sending` (another run is at it).
    pub would: &'static str,
    /// Whether it would go only after a person has released it.
    pub after_approval: bool,
    /// The connection.
    pub connection: Name,
    /// The operation.
    pub operation: Name,
    /// The request of this record alone, secrets masked.
    pub request: Option<MaskedRequest>,
    /// The place of the batch in which it would go, in `batches`.
    pub batch: Option<usize>,
    /// Why there is none.
    pub failure: Option<Failure>,
}

/// What the requests over a connection would cost.
#[derive(Debug, Clone, Serialize)]
pub struct RehearsedCost {
    /// The connection.
    pub connection: Name,
    /// How many requests have a price.
    pub requests: u64,
    /// What they cost together.
    pub amount: Amount,
    /// The currency, as the service file states it.
    pub currency: String,
}

/// A request that several records would share.
#[derive(Debug, Clone, Serialize)]
pub struct RehearsedBatch {
    /// The step.
    pub step: Name,
    /// The keys of the records.
    pub keys: Vec<String>,
    /// The request, secrets masked.
    pub request: MaskedRequest,
}

/// A row that would be written.
#[derive(Debug, Clone, Serialize)]
pub struct RehearsedWrite {
    /// The step.
    pub step: Name,
    /// The database.
    pub database: Name,
    /// The table.
    pub table: String,
    /// The columns that identify the row.
    pub key: Vec<String>,
    /// The row; values that a provider's answer would give are null.
    pub row: Option<Json>,
    /// Whether it would be written only when its record was delivered.
    pub after_delivery: bool,
    /// Why there is no row.
    pub failure: Option<Failure>,
}

/// What a person would be asked.
#[derive(Debug, Clone, Serialize)]
pub struct RehearsedApproval {
    /// The step.
    pub step: Name,
    /// The key of the record.
    pub key: String,
    /// The text that the person would read.
    pub shown: String,
    /// Who may decide.
    pub role: Name,
}

/// A task that would be called.
#[derive(Debug, Clone, Serialize)]
pub struct RehearsedTaskCall {
    /// The step.
    pub step: Name,
    /// The task.
    pub task: Name,
    /// Values for its variables.
    pub variables: BTreeMap<String, Json>,
}

impl Engine {
    /// Tells what a run of a task would do now, looking at so many records of each source. It needs no lock:
    /// another process may drive runs meanwhile.
    ///
    /// # Errors
    /// Where the task cannot be made ready to run. What goes wrong on the way is in the rehearsal.
    pub async fn rehearse(
        &self,
        task: &Task,
        limit: usize,
        progress: Progress,
    ) -> Result<Rehearsal, Failure> {
        Ok(self.rehearse_watching(task, limit, progress, None).await?.0)
    }

    /// As [`Engine::rehearse`], with one step looked at closely.
    ///
    /// # Errors
    /// As [`Engine::rehearse`].
    pub async fn rehearse_watching(
        &self,
        task: &Task,
        limit: usize,
        progress: Progress,
        step: Option<&Name>,
    ) -> Result<(Rehearsal, Watched), Failure> {
        let plan = Plan::of(task)?;
        let run = RunId(NO_RUN.to_owned());
        let input = RunInput::manual();
        let variables = Variables::load(&self.store, &task.task, &run, &task.variables, &input)?;
        let rehearsed = trigger::rehearsed(&self.store, task)?;
        let driver = Driver {
            engine: self.clone(),
            lock: None,
            task: task.task.clone(),
            run,
            counts: Counts::default(),
            progress,
            stop: Stop::default(),
            is_supervised: false,
            last_look: Instant::now(),
            last_shown: Instant::now(),
            met: HashMap::new(),
            variables,
            ancestors: Vec::new(),
            is_begun_anew: false,
            ending: None,
            asked_people: HashSet::new(),
            pages: None,
            trigger: rehearsed.about,
            is_again: false,
            served: HashSet::new(),
        };
        let mut walk = Walk::new(&plan, driver, limit.clamp(1, MAX_REHEARSED));
        walk.watch = step.map(Watch::of);
        let ended = walk.steps(rehearsed.records).await;
        let watched = walk.watch.take().map(Watch::end).unwrap_or_default();
        let mut rehearsal = walk.end();
        rehearsal.failure = match ended {
            Ok(()) | Err(RunEnd::Stopped | RunEnd::Paused | RunEnd::Cancelled) => None,
            Err(RunEnd::Waiting(_, why)) => why,
            Err(RunEnd::Attention(failure) | RunEnd::Failed(failure) | RunEnd::TryAgain(failure)) => {
                Some(failure)
            }
        };
        Ok((rehearsal, watched))
    }
}
