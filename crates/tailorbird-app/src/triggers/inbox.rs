//! Opens runs for the events that wait, and clears up behind them.

use std::time::Duration;

use tailorbird_model::event::EventSource;
use tailorbird_model::run::{Run, RunState};
use tailorbird_model::{Failure, Name};

use crate::serving::worker::{Watch, Worker};
use crate::{App, tasks};

/// How often the inbox is looked at where nobody tells that something came: other processes do not.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How often old events are forgotten.
const CLEAR_EVERY: Duration = Duration::from_mins(10);

/// Changed rows that one run takes: a chunk, as everywhere. Requests and files have a run each, so that each can
/// be seen, held and tried again by itself.
const CHANGES_PER_RUN: u32 = 500;

/// The inbox's watch.
pub(crate) const INBOX: Worker = Worker {
    name: "inbox",
    start: |watch| Box::pin(run(watch)),
};

async fn run(watch: Watch) {
    let mut cleared: Option<tokio::time::Instant> = None;
    while !watch.stop.is_set() {
        let arrived = watch.app.arrived.notified();
        match watch.app.open_event_runs().await {
            Ok(0) => {}
            Ok(_) => watch.runs.look(),
            Err(failure) => tracing::warn!(reason = %failure, "the inbox could not be worked on"),
        }
        if cleared.is_none_or(|at| at.elapsed() >= CLEAR_EVERY) {
            cleared = Some(tokio::time::Instant::now());
            if let Err(error) = watch.app.store.forget_events().await {
                tracing::warn!(%error, "old events could not be forgotten");
            }
        }
        tokio::select! {
            () = arrived => {}
            () = watch.stop.wait(LOOK_EVERY) => {}
        }
    }
}

impl App {
    /// Opens a run for each enabled task for which events wait, one ahead of the run at work; the others wait in
    /// the inbox, where they cost nothing. Tells how many were opened.
    pub(crate) async fn open_event_runs(&self) -> Result<usize, Failure> {
        self.store.close_events().await?;
        let mut opened = 0;
        for task in self.store.tasks_with_events()? {
            let Some(stored) = self.store.task(&task)?.filter(|stored| stored.enabled) else {
                continue;
            };
            let is_ahead = self
                .store
                .unfinished_runs(&task)?
                .iter()
                .any(|run| run.state == RunState::Queued);
            if !is_ahead {
                let source = tasks::parse(&stored)?.trigger.event_source();
                let run = self.open_event_run(&task, stored.version, RunState::Queued, source);
                opened += usize::from(run.await?.is_some());
            }
        }
        Ok(opened)
    }

    /// Opens a run for the oldest events of a task, if there are any.
    pub(crate) async fn open_event_run(
        &self,
        task: &Name,
        version: i64,
        state: RunState,
        source: Option<EventSource>,
    ) -> Result<Option<Run>, Failure> {
        let limit = match source {
            Some(EventSource::Database) => CHANGES_PER_RUN,
            _ => 1,
        };
        let opened = self
            .store
            .open_run_for_events(task, version, state, limit)
            .await?;
        Ok(opened.map(|(run, _)| run))
    }
}
