//! [`Durable`] on our own store: a journal, timers, tries and signals, all read back after a restart.
//!
//! Invariant: an effect's answer, the counts and cursors that it moved, and the checkpoint before it are one commit.
//! So after a crash at most one effect is repeated, and nothing is counted twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tailorbird_model::run::{Counts, RunId, RunState};
use tailorbird_model::{Failure, Meaning, codes, fault};
use tailorbird_store::{JournalChange, RunChange, StepProgress, StepState, Store};

use crate::durable::{Durable, EffectCall, EffectOutput, RunEnd, StepPath, Wait};
use crate::effects::{Effects, Performed};
use crate::interpret::Position;
use crate::limits::{CLOCK_TOLERANCE, MAX_SIGNAL_WAIT, MAX_STORE_TRIES, REQUEST_EVERY, TRY_PAUSE};
use crate::progress::ProgressEvent;

/// How patient a run is in this process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// The longest wait that is sat through; beyond it the run is parked.
    pub(crate) hold: Duration,
    /// How often an effect is tried.
    pub(crate) tries: u32,
}

/// A run on our own store. Clones share it.
pub(crate) struct Embedded<E> {
    inner: Arc<Inner<E>>,
}

struct Inner<E> {
    store: Store,
    run: RunId,
    patience: Patience,
    effects: tokio::sync::Mutex<E>,
    state: Mutex<State>,
}

/// What is known of the run besides the store, so that the store is not asked again.
#[derive(Default)]
struct State {
    entries: HashMap<String, (Json, Timestamp)>,
    steps: HashMap<String, StepProgress>,
    /// A checkpoint that goes into the next commit.
    position: Option<Json>,
    now: Timestamp,
}

/// A timer as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Timer {
    /// When it was set.
    set_at: Timestamp,
    /// When it goes off.
    until: Timestamp,
}

impl Timer {
    /// The timer by a clock, and whether that went back behind the time when the timer was set. Then it is as long
    /// as it was meant to be, from now on: no clock makes a run wait for ever.
    fn by(self, now: Timestamp) -> (Self, bool) {
        if later_by(now, CLOCK_TOLERANCE) >= self.set_at {
            return (self, false);
        }
        let length = self.until.duration_since(self.set_at);
        let timer = Self {
            set_at: now,
            until: now.saturating_add(length).unwrap_or(self.until),
        };
        (timer, true)
    }
}

impl<E> Clone for Embedded<E> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<E: Effects> Embedded<E> {
    /// Takes a run up: where it goes on, and what it counted so far. `effects` gets those counts.
    pub(crate) fn take_up(
        store: Store,
        run: RunId,
        patience: Patience,
        effects: impl FnOnce(Counts) -> E,
    ) -> Result<(Self, Position), Failure> {
        let journal = store.journal(&run)?;
        let position = match journal.position {
            Some(json) => serde_json::from_value(json).map_err(|error| unreadable(&run, &error))?,
            None => Position::default(),
        };
        let mut counts = Counts::default();
        for step in &journal.steps {
            counts.add(&step.counts);
        }
        let entries = journal
            .entries
            .into_iter()
            .map(|entry| (entry.path, (entry.result, entry.at)));
        let state = State {
            entries: entries.collect(),
            steps: journal
                .steps
                .into_iter()
                .map(|step| (step.path.clone(), step))
                .collect(),
            position: None,
            now: store.now(),
        };
        let inner = Inner {
            store,
            run,
            patience,
            effects: tokio::sync::Mutex::new(effects(counts)),
            state: Mutex::new(state),
        };
        let embedded = Self {
            inner: Arc::new(inner),
        };
        Ok((embedded, position))
    }

    /// Gives the effects back when the run rests.
    pub(crate) fn into_effects(self) -> Option<E> {
        Arc::into_inner(self.inner).map(|inner| inner.effects.into_inner())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was answered at a place, if the run has been there since its last checkpoint.
    fn answered<T: for<'de> Deserialize<'de>>(&self, path: &StepPath) -> Result<Option<T>, RunEnd> {
        let mut state = self.state();
        let Some((json, at)) = state.entries.get(path.as_str()).cloned() else {
            return Ok(None);
        };
        state.now = at;
        drop(state);
        let answer = serde_json::from_value(json);
        answer
            .map(Some)
            .map_err(|error| RunEnd::Failed(unreadable(&self.inner.run, &error)))
    }

    /// Keeps an answer, with the checkpoint before it, in one commit.
    async fn keep(
        &self,
        path: &StepPath,
        answer: Json,
        run: RunChange,
        taken: Option<i64>,
    ) -> Result<(), RunEnd> {
        let change = JournalChange {
            position: self.state().position.clone(),
            entry: Some((path.as_str().to_owned(), answer.clone())),
            taken,
            run: run.clone(),
        };
        self.commit(change).await?;
        let mut state = self.state();
        state.position = None;
        state.now = self.inner.store.now();
        let now = state.now;
        state.entries.insert(path.as_str().to_owned(), (answer, now));
        for step in run.steps {
            state.steps.insert(step.path.clone(), step);
        }
        Ok(())
    }

    async fn commit(&self, change: JournalChange) -> Result<(), RunEnd> {
        let mut last = None;
        for attempt in 0..MAX_STORE_TRIES {
            match self.inner.store.keep(&self.inner.run, change.clone()).await {
                Ok(_) => return Ok(()),
                Err(error) => last = Some(Failure::from(error)),
            }
            tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
        }
        Err(RunEnd::Failed(last.unwrap_or_else(|| {
            Failure::new(
                codes::INTERNAL,
                Meaning::NotSent,
                "the journal of a run was not stored",
            )
        })))
    }

    /// How far the step of a call has come.
    fn progress_of(&self, call: &EffectCall) -> StepProgress {
        let known = self.state().steps.get(call.step.as_str()).cloned();
        let mut progress = known.unwrap_or_else(|| StepProgress::new(call.step.as_str()));
        progress.state = StepState::Running;
        progress
    }

    /// Keeps what came of an effect.
    async fn done(
        &self,
        call: &EffectCall,
        performed: Performed,
        counts: Counts,
    ) -> Result<EffectOutput, RunEnd> {
        let output = performed.output;
        let mut progress = self.progress_of(call);
        progress.chunk += 1;
        progress.counts.add(&output.counts);
        progress.attempt = 0;
        progress.not_before = None;
        progress.failure = None;
        let answer = serde_json::to_value(&output)
            .map_err(|error| RunEnd::Failed(unreadable(&self.inner.run, &error)))?;
        let change = RunChange {
            counts: Some(counts),
            steps: vec![progress],
            cursors: performed.cursors,
            ..RunChange::default()
        };
        self.keep(&call.path, answer, change, None).await?;
        Ok(output)
    }

    /// Notes that an effect has to be tried again, and waits for the time to do so. The time is kept, so a run that
    /// is taken up meanwhile waits for it, too.
    async fn put_off(&self, call: &EffectCall, failure: Failure) -> Result<(), RunEnd> {
        let mut progress = self.progress_of(call);
        progress.attempt += 1;
        if progress.attempt >= self.inner.patience.tries {
            return Err(RunEnd::Failed(failure));
        }
        progress.not_before = Some(later_by(self.inner.store.now(), pause(progress.attempt)));
        progress.failure = Some(failure);
        self.keep_progress(progress).await
    }

    /// Waits until a step may be tried again.
    async fn wait_for_try(&self, effects: &mut E, call: &EffectCall) -> Result<(), RunEnd> {
        let mut progress = self.progress_of(call);
        let Some(until) = progress.not_before else {
            return Ok(());
        };
        let length = signed(pause(progress.attempt));
        let set_at = until.saturating_sub(length).unwrap_or(until);
        let (timer, went_back) = Timer { set_at, until }.by(self.inner.store.now());
        let wait = Wait {
            failure: progress.failure.clone(),
            ..Wait::until(timer.until, format!("another try of step {}", call.step))
        };
        if went_back {
            progress.not_before = Some(timer.until);
            self.keep_progress(progress).await?;
        }
        self.sit_through(effects, timer, &wait, None).await.map(drop)
    }

    /// Keeps how far a step has come, outside of an effect.
    async fn keep_progress(&self, progress: StepProgress) -> Result<(), RunEnd> {
        let run = RunChange {
            steps: vec![progress.clone()],
            ..RunChange::default()
        };
        let change = JournalChange {
            run,
            ..JournalChange::default()
        };
        self.commit(change).await?;
        self.state().steps.insert(progress.path.clone(), progress);
        Ok(())
    }

    /// Waits for the time of a timer or a signal; parks the run where that takes long. Gives what came: a signal, or
    /// nothing when the time did.
    async fn sit_through(
        &self,
        effects: &mut E,
        mut timer: Timer,
        wait: &Wait,
        signal: Option<(&StepPath, &str)>,
    ) -> Result<Option<Json>, RunEnd> {
        let (store, run) = (&self.inner.store, &self.inner.run);
        let mut is_shown = false;
        loop {
            effects.asked().await?;
            let now = store.now();
            timer = timer.by(now).0;
            if let Some((path, name)) = signal
                && let Some(signal) = store.waiting_signal(run, name)?
            {
                let answer = serde_json::json!({ "signal": signal.value });
                self.keep(path, answer, going_on(), Some(signal.id)).await?;
                return Ok(Some(signal.value));
            }
            let left = Duration::try_from(timer.until.duration_since(now)).unwrap_or_default();
            if left.is_zero() {
                if is_shown {
                    store.change_run(run, going_on()).await?;
                }
                return Ok(None);
            }
            if left > self.inner.patience.hold {
                if let Some((_, name)) = signal {
                    store.await_signal(run, name).await?;
                }
                return Err(RunEnd::Waiting(timer.until, wait.failure.clone()));
            }
            if !is_shown {
                is_shown = true;
                let change = RunChange {
                    state: Some(RunState::Waiting),
                    resume_at: Some(Some(timer.until)),
                    failure: Some(wait.failure.clone()),
                    ..RunChange::default()
                };
                store.change_run(run, change).await?;
            }
            effects.tell(ProgressEvent::Waiting {
                what: wait.what.clone(),
                until: timer.until,
            });
            effects.idle(left.min(REQUEST_EVERY)).await;
        }
    }

    /// The timer of a place: as it was set when the run came by first.
    async fn timer(&self, path: &StepPath, until: Timestamp) -> Result<Timer, RunEnd> {
        let now = self.inner.store.now();
        let known = self.answered::<Timer>(path)?;
        let (timer, is_new) = match known {
            Some(timer) => timer.by(now),
            None => (Timer { set_at: now, until }, until > now),
        };
        if is_new {
            let json = serde_json::to_value(timer)
                .map_err(|error| RunEnd::Failed(unreadable(&self.inner.run, &error)))?;
            fault::reach("timer.set.before");
            self.keep(path, json, RunChange::default(), None).await?;
            fault::reach("timer.set.after");
        }
        Ok(timer)
    }
}

impl<E: Effects> Durable for Embedded<E> {
    fn run_id(&self) -> RunId {
        self.inner.run.clone()
    }

    fn now(&self) -> Timestamp {
        self.state().now
    }

    async fn effect(&self, call: EffectCall) -> Result<EffectOutput, RunEnd> {
        if let Some(known) = self.answered(&call.path)? {
            return Ok(known);
        }
        let mut effects = self.inner.effects.lock().await;
        loop {
            effects.asked().await?;
            self.wait_for_try(&mut effects, &call).await?;
            match effects.perform(&call).await {
                Ok(performed) => {
                    let counts = effects.counts().map_err(RunEnd::Failed)?;
                    return self.done(&call, performed, counts).await;
                }
                Err(RunEnd::TryAgain(failure)) => self.put_off(&call, failure).await?,
                Err(end) => return Err(end),
            }
        }
    }

    async fn sleep_until(&self, path: &StepPath, wait: &Wait) -> Result<(), RunEnd> {
        let timer = self.timer(path, wait.until).await?;
        let mut effects = self.inner.effects.lock().await;
        self.sit_through(&mut effects, timer, wait, None).await.map(drop)
    }

    async fn signal(&self, path: &StepPath, name: &str, wait: &Wait) -> Result<Option<Json>, RunEnd> {
        if let Some(known) = self.answered::<Json>(path)? {
            return Ok(known.get("signal").cloned());
        }
        let longest = later_by(self.inner.store.now(), MAX_SIGNAL_WAIT);
        let timer = self.timer(&path.at("timer"), wait.until.min(longest)).await?;
        let mut effects = self.inner.effects.lock().await;
        let came = self
            .sit_through(&mut effects, timer, wait, Some((path, name)))
            .await?;
        if came.is_none() {
            self.keep(path, Json::Null, RunChange::default(), None).await?;
        }
        Ok(came)
    }

    async fn checkpoint(&self, position: &Position) -> Result<(), RunEnd> {
        let json = serde_json::to_value(position)
            .map_err(|error| RunEnd::Failed(unreadable(&self.inner.run, &error)))?;
        let mut state = self.state();
        // It goes into the commit of what comes next. Until then the place before it and its answers stand.
        state.position = Some(json);
        state.entries.clear();
        Ok(())
    }
}

fn going_on() -> RunChange {
    RunChange {
        state: Some(RunState::Running),
        resume_at: Some(None),
        failure: Some(None),
        ..RunChange::default()
    }
}

/// How long to wait before the next try, after so many.
fn pause(attempts: u32) -> Duration {
    TRY_PAUSE.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)))
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// A time so much later.
pub(crate) fn later_by(at: Timestamp, duration: Duration) -> Timestamp {
    at.saturating_add(signed(duration)).unwrap_or(at)
}

fn unreadable(run: &RunId, error: &serde_json::Error) -> Failure {
    let message = format!("the journal of run {run} cannot be read by this version: {error}");
    Failure::new(codes::INTERNAL, Meaning::NotSent, message)
        .hint("End it with `tailorbird run cancel` and run the task again: what was sent is in the ledger.")
}

#[cfg(test)]
mod tests;
