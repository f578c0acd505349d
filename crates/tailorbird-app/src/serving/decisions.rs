//! Opens runs that carry out what people decided about records: what is to be sent again goes out now, and not with the
//! task's next run, which may be tomorrow's.
//!
//! Such a run reads nothing, so nothing else goes out at an hour at which its task would not run. It waits behind a run
//! of the task that has not ended; that one may take its records up. Decisions are in the store and have numbers, and a
//! run is opened once for each: this may be killed at any moment.

use std::collections::BTreeMap;
use std::time::Duration;

use tailorbird_model::run::{RunInput, RunState};
use tailorbird_model::{Failure, Name};
use tailorbird_store::WantedTask;

use super::worker::{Watch, Work};

/// How often decisions are looked for. One query on a primary key.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Begins the watch.
pub(super) fn start(watch: Watch) -> Work {
    Box::pin(run(watch))
}

async fn run(watch: Watch) {
    let mut decisions = Decisions::default();
    loop {
        if let Err(failure) = decisions.look(&watch).await {
            tracing::warn!(%failure, "what people decided could not be carried out; it is tried again");
        }
        if !watch.pause(LOOK_EVERY).await {
            return;
        }
    }
}

#[derive(Default)]
struct Decisions {
    /// Up to which decision was looked. It begins at the first one: some may have been taken while no server ran.
    seen: i64,
    /// The tasks that are to go on and cannot yet; by name, so no more than there are tasks.
    wanted: BTreeMap<Name, WantedTask>,
}

impl Decisions {
    async fn look(&mut self, watch: &Watch) -> Result<(), Failure> {
        let store = &watch.app.store;
        let last = store.last_decision()?;
        if last > self.seen {
            for wanted in store.wanted_since(self.seen)? {
                self.wanted.insert(wanted.task.clone(), wanted);
            }
            self.seen = last;
        }
        let mut left = BTreeMap::new();
        for (task, wanted) in std::mem::take(&mut self.wanted) {
            if self.carry_out(watch, &wanted).await? {
                continue;
            }
            left.insert(task, wanted);
        }
        self.wanted = left;
        Ok(())
    }

    /// Opens the run, where there is one to open. False where that has to wait.
    async fn carry_out(&self, watch: &Watch, wanted: &WantedTask) -> Result<bool, Failure> {
        let store = &watch.app.store;
        let Some(task) = store.task(&wanted.task)? else {
            return Ok(true);
        };
        if !task.enabled {
            return Ok(false);
        }
        for run in store.unfinished_runs(&wanted.task)? {
            if run.state != RunState::NeedsAttention && !store.waits_for_release(&run.id)? {
                return Ok(false);
            }
        }
        if !store.is_wanted(wanted)? {
            return Ok(true);
        }
        let run = watch
            .app
            .open_run(&wanted.task, RunInput::again(wanted.decision))
            .await
            .map_err(|error| error.failure)?;
        tracing::info!(task = %wanted.task, run = %run.id, "a run is opened for what people decided");
        watch.runs.look();
        Ok(true)
    }
}
