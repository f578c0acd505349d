//! What runs did since this process began to drive them, for metrics: counters that only grow.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tailorbird_model::Name;
use tailorbird_model::run::{Counts, Run, RunId, RunState};

use tailorbird_store::Store;

use crate::{ProgressEvent, RunNews};

/// What of a record is counted, in the order of `amounts`.
pub const RECORD_COUNTS: [&str; 7] = [
    "read",
    "delivered",
    "already",
    "rejected",
    "skipped",
    "not_due",
    "written",
];

/// Tasks that are counted one by one; what others do is not counted. A name is chosen by a person, so this is many.
const MAX_TASKS: usize = 10_000;

/// Counts in the making.
pub(crate) struct Tally {
    store: Store,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The task and the counts of each run that is driven, as they were last told.
    driven: BTreeMap<RunId, Driven>,
    tasks: BTreeMap<Name, TaskTally>,
}

struct Driven {
    task: Name,
    amounts: Amounts,
}

type Amounts = [u64; RECORD_COUNTS.len()];

/// What the runs of one task did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskTally {
    /// Runs that ended or came to need attention, by that state.
    pub ended: BTreeMap<&'static str, u64>,
    /// Occasions on which it was to begin by itself, by what became of them.
    pub firings: BTreeMap<&'static str, u64>,
    /// Records, in the order of [`RECORD_COUNTS`].
    pub records: Amounts,
}

fn amounts(counts: &Counts) -> Amounts {
    [
        counts.read,
        counts.delivered,
        counts.already,
        counts.rejected,
        counts.skipped,
        counts.not_due,
        counts.written,
    ]
}

impl Tally {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            state: Mutex::default(),
        }
    }

    /// Hears what runs tell.
    pub(crate) fn hear(&self, id: &RunId, news: &RunNews) {
        match news {
            RunNews::TakenUp => self.begins(id),
            RunNews::Told(ProgressEvent::Counts { counts, .. }) => self.lock().advance(id, counts),
            RunNews::Told(_) => {}
            RunNews::Rests(run) => self.rests(run),
        }
    }

    /// Counts what became of an occasion.
    pub(crate) fn fired(&self, task: &Name, verdict: &'static str) {
        if let Some(task) = self.lock().task(task) {
            let count = task.firings.entry(verdict).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// What was counted so far, by task.
    pub(crate) fn tasks(&self) -> BTreeMap<Name, TaskTally> {
        self.lock().tasks.clone()
    }

    /// What a run did before is not counted again: it was, or was not, by the process that did it.
    fn begins(&self, id: &RunId) {
        // Without the row the run cannot be driven either.
        if let Ok(Some(run)) = self.store.run(id) {
            let driven = Driven {
                task: run.task,
                amounts: amounts(&run.counts),
            };
            self.lock().driven.insert(id.clone(), driven);
        }
    }

    fn rests(&self, run: &Run) {
        let mut state = self.lock();
        state.advance(&run.id, &run.counts);
        state.driven.remove(&run.id);
        if (run.state.is_final() || run.state == RunState::NeedsAttention)
            && let Some(task) = state.task(&run.task)
        {
            let ended = task.ended.entry(run.state.as_str()).or_default();
            *ended = ended.saturating_add(1);
        }
    }

    // Each statement leaves the counts whole, so poison is no danger here.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn task(&mut self, name: &Name) -> Option<&mut TaskTally> {
        let has_room = self.tasks.len() < MAX_TASKS || self.tasks.contains_key(name);
        has_room.then(|| self.tasks.entry(name.clone()).or_default())
    }

    /// Adds what a run did since it last told. Counts that became less (a decision was taken back) add nothing.
    fn advance(&mut self, id: &RunId, counts: &Counts) {
        let now = amounts(counts);
        let Some(driven) = self.driven.get_mut(id) else {
            return;
        };
        let before = std::mem::replace(&mut driven.amounts, now);
        let name = driven.task.clone();
        let Some(task) = self.task(&name) else { return };
        for (total, (now, before)) in task.records.iter_mut().zip(now.into_iter().zip(before)) {
            *total = total.saturating_add(now.saturating_sub(before));
        }
    }
}
