//! A run on the store: what is kept, what is waited for, and what a clock that jumps does to it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tailorbird_model::run::{Counts, Run, RunState};
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::{Clock, Home, RunChange, Store};
use tempfile::TempDir;

use super::{Embedded, Patience};
use crate::durable::{Durable as _, EffectCall, EffectKind, EffectOutput, RunEnd, StepPath, Wait};
use crate::effects::{Effects, Performed};
use crate::interpret::{Place, Position};
use crate::progress::ProgressEvent;

const START: i64 = 1_795_000_000;

/// What the effects of a test did, over all processes.
#[derive(Default)]
struct Log {
    done: Vec<String>,
    /// So many tries fail yet.
    fails: u32,
    idle: Duration,
}

struct Bench {
    _folder: TempDir,
    home: Home,
    now: Arc<AtomicI64>,
    log: Arc<Mutex<Log>>,
    store: Store,
    run: Run,
}

struct Acts {
    log: Arc<Mutex<Log>>,
    now: Arc<AtomicI64>,
    counts: Counts,
}

impl Effects for Acts {
    async fn perform(&mut self, call: &EffectCall) -> Result<Performed, RunEnd> {
        let mut log = self.log.lock().unwrap();
        if log.fails > 0 {
            log.fails -= 1;
            return Err(RunEnd::TryAgain(Failure::new(
                codes::DATABASE_LOCKED,
                Meaning::NotSent,
                "locked",
            )));
        }
        log.done.push(call.path.as_str().to_owned());
        self.counts.read += 1;
        let mut output = EffectOutput::default();
        output.counts.read = 1;
        Ok(output.into())
    }

    async fn asked(&mut self) -> Result<(), RunEnd> {
        Ok(())
    }

    fn counts(&self) -> Result<Counts, Failure> {
        Ok(self.counts)
    }

    async fn idle(&self, at_most: Duration) {
        // Time passes only here.
        self.log.lock().unwrap().idle += at_most;
        self.now
            .fetch_add(i64::try_from(at_most.as_micros()).unwrap(), Ordering::SeqCst);
    }

    fn tell(&self, _: ProgressEvent) {}
}

fn clock(now: &Arc<AtomicI64>) -> Clock {
    let now = Arc::clone(now);
    Arc::new(move || Timestamp::from_microsecond(now.load(Ordering::SeqCst)).unwrap())
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path().join("home")).unwrap();
        let now = Arc::new(AtomicI64::new(START * 1_000_000));
        let store = Store::open_with_clock(&home, clock(&now)).unwrap();
        let run = store.open_run(&step(), 1, RunState::Running).await.unwrap();
        Self {
            _folder: folder,
            home,
            now,
            log: Arc::default(),
            store,
            run,
        }
    }

    /// Takes the run up as a new process would.
    fn process(&mut self, hold: u64) -> (Embedded<Acts>, Position) {
        self.store = Store::open_with_clock(&self.home, clock(&self.now)).unwrap();
        let patience = Patience {
            hold: Duration::from_secs(hold),
            tries: 4,
        };
        let (log, now) = (Arc::clone(&self.log), Arc::clone(&self.now));
        Embedded::take_up(self.store.clone(), self.run.id.clone(), patience, |counts| Acts {
            log,
            now,
            counts,
        })
        .unwrap()
    }

    fn jump(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    fn in_seconds(&self, seconds: i64) -> Timestamp {
        Timestamp::from_microsecond(self.now.load(Ordering::SeqCst) + seconds * 1_000_000).unwrap()
    }

    fn done(&self) -> Vec<String> {
        self.log.lock().unwrap().done.clone()
    }

    fn stored(&self) -> Run {
        self.store.run(&self.run.id).unwrap().unwrap()
    }
}

fn step() -> Name {
    "rows".parse().unwrap()
}

fn call(part: &str) -> EffectCall {
    EffectCall {
        path: StepPath::of(&step()).at(part),
        step: step(),
        kind: EffectKind::Chunk,
        cursor: None,
    }
}

fn place(number: u32) -> Position {
    Position {
        step: 0,
        place: Place::Chunk {
            number,
            cursor: Some(json!(number)),
            laters: 0,
        },
        pass: 0,
    }
}

/// The seconds of a park, from now on.
fn parked(bench: &Bench, ended: &Result<(), RunEnd>) -> i64 {
    let Err(RunEnd::Waiting(until, _)) = ended else {
        panic!("{ended:?}")
    };
    until.as_second() - bench.in_seconds(0).as_second()
}

#[tokio::test]
async fn an_effect_is_answered_from_the_journal_after_a_restart() {
    let mut bench = Bench::new().await;
    let (run, from) = bench.process(0);
    assert_eq!(from, Position::default());
    let first = run.effect(call("chunk.0")).await.unwrap();
    // Cut off before anything else was kept: the checkpoint is lost, the answer is not.
    run.checkpoint(&place(1)).await.unwrap();
    let (run, from) = bench.process(0);
    assert_eq!(from, Position::default());
    assert_eq!(run.effect(call("chunk.0")).await.unwrap(), first);
    run.checkpoint(&place(1)).await.unwrap();
    run.effect(call("chunk.1")).await.unwrap();
    // The checkpoint went into the commit of the next effect.
    let (run, from) = bench.process(0);
    assert_eq!(from, place(1));
    run.effect(call("chunk.1")).await.unwrap();
    assert_eq!(bench.done(), ["rows/chunk.0", "rows/chunk.1"]);
    // After a checkpoint a place is a new one: a run that goes back to an earlier step does that again.
    run.checkpoint(&place(2)).await.unwrap();
    run.effect(call("chunk.1")).await.unwrap();
    assert_eq!(bench.done().len(), 3);
    let journal = bench.store.journal(&bench.run.id).unwrap();
    assert_eq!(
        journal.entries.len(),
        1,
        "a checkpoint lets go of what came before"
    );
    assert_eq!((journal.steps[0].chunk, journal.steps[0].counts.read), (3, 3));
    assert_eq!(run.into_effects().unwrap().counts.read, 3, "counted once");
}

#[tokio::test]
async fn a_run_that_has_ended_keeps_no_journal() {
    let mut bench = Bench::new().await;
    let (run, _) = bench.process(0);
    run.effect(call("chunk.0")).await.unwrap();
    run.checkpoint(&place(1)).await.unwrap();
    run.effect(call("chunk.1")).await.unwrap();
    let ended = RunChange {
        state: Some(RunState::Succeeded),
        ..RunChange::default()
    };
    bench.store.change_run(&bench.run.id, ended).await.unwrap();
    let journal = bench.store.journal(&bench.run.id).unwrap();
    assert!(journal.entries.is_empty() && journal.position.is_none());
    assert_eq!(journal.steps.len(), 1, "what the steps did stays");
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_the_next_try_is_kept() {
    let mut bench = Bench::new().await;
    bench.log.lock().unwrap().fails = 3;
    let (run, _) = bench.process(60);
    run.effect(call("chunk.0")).await.unwrap();
    assert_eq!(bench.log.lock().unwrap().idle, Duration::from_secs(1 + 2 + 4));
    // Where waiting is parked, a new process knows when to try, and how often it was tried.
    bench.log.lock().unwrap().fails = 99;
    let (run, _) = bench.process(0);
    let ended = run.effect(call("chunk.1")).await.map(drop);
    assert_eq!(parked(&bench, &ended), 1);
    for seconds in [2, 4] {
        bench.jump(seconds);
        let (run, _) = bench.process(0);
        let ended = run.effect(call("chunk.1")).await.map(drop);
        assert_eq!(parked(&bench, &ended), seconds);
    }
    bench.jump(4);
    let (run, _) = bench.process(0);
    let ended = run.effect(call("chunk.1")).await;
    assert!(
        matches!(&ended, Err(RunEnd::Failed(failure)) if failure.code == codes::DATABASE_LOCKED),
        "{ended:?}"
    );
}

#[tokio::test]
async fn a_long_wait_is_parked_and_a_short_one_is_sat_through() {
    let mut bench = Bench::new().await;
    let path = StepPath::of(&step()).at("wait");
    let (run, _) = bench.process(10);
    run.sleep_until(&path, &Wait::until(bench.in_seconds(9), "x"))
        .await
        .unwrap();
    assert_eq!(bench.log.lock().unwrap().idle, Duration::from_secs(9));
    assert_eq!(bench.stored().state, RunState::Running);
    let path = StepPath::of(&step()).at("long");
    let until = bench.in_seconds(600);
    let ended = run.sleep_until(&path, &Wait::until(until, "x")).await;
    assert_eq!(parked(&bench, &ended), 600);
    // A restart does not begin it anew, whatever time the interpreter works out then.
    bench.jump(500);
    let (run, _) = bench.process(10);
    let ended = run
        .sleep_until(&path, &Wait::until(bench.in_seconds(600), "x"))
        .await;
    assert_eq!(parked(&bench, &ended), 100);
    bench.jump(100);
    let (run, _) = bench.process(10);
    run.sleep_until(&path, &Wait::until(bench.in_seconds(600), "x"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_clock_that_jumps_makes_no_wait_endless() {
    let mut bench = Bench::new().await;
    let path = StepPath::of(&step()).at("wait");
    let wait = Wait::until(bench.in_seconds(600), "x");
    let (run, _) = bench.process(10);
    let ended = run.sleep_until(&path, &wait).await;
    assert_eq!(parked(&bench, &ended), 600);
    // A day back: it waits as long as it was meant to, from now on, and no day.
    bench.jump(-86_400);
    let (run, _) = bench.process(10);
    let ended = run.sleep_until(&path, &wait).await;
    assert_eq!(parked(&bench, &ended), 600);
    bench.jump(300);
    let (run, _) = bench.process(10);
    let ended = run.sleep_until(&path, &wait).await;
    assert_eq!(parked(&bench, &ended), 300);
    // A year forth: its time has come.
    bench.jump(366 * 86_400);
    let (run, _) = bench.process(10);
    run.sleep_until(&path, &wait).await.unwrap();
    // A try that is put off is no longer for a clock that goes back either.
    bench.log.lock().unwrap().fails = 1;
    let (run, _) = bench.process(0);
    let ended = run.effect(call("chunk.0")).await.map(drop);
    assert_eq!(parked(&bench, &ended), 1);
    bench.jump(-86_400);
    let (run, _) = bench.process(0);
    let ended = run.effect(call("chunk.0")).await.map(drop);
    assert_eq!(parked(&bench, &ended), 1);
    bench.jump(1);
    let (run, _) = bench.process(0);
    run.effect(call("chunk.0")).await.unwrap();
}

#[tokio::test]
async fn a_signal_is_taken_once_and_wakes_a_parked_run() {
    let mut bench = Bench::new().await;
    let path = StepPath::of(&step()).at("signal");
    let (run, _) = bench.process(0);
    let wait = Wait::until(bench.in_seconds(600), "x");
    let ended = run.signal(&path, "go", &wait).await.map(drop);
    assert_eq!(parked(&bench, &ended), 600);
    let waits = RunChange {
        state: Some(RunState::Waiting),
        resume_at: Some(Some(wait.until)),
        ..RunChange::default()
    };
    bench.store.change_run(&bench.run.id, waits).await.unwrap();
    assert!(
        bench
            .store
            .runs_to_take_up(bench.in_seconds(0))
            .unwrap()
            .is_empty()
    );
    bench
        .store
        .signal_run(&bench.run.id, "stay", json!(1))
        .await
        .unwrap();
    bench
        .store
        .signal_run(&bench.run.id, "go", json!({"who": "a person"}))
        .await
        .unwrap();
    assert_eq!(bench.store.runs_to_take_up(bench.in_seconds(0)).unwrap().len(), 1);
    let (run, _) = bench.process(0);
    let came = run.signal(&path, "go", &wait).await.unwrap();
    assert_eq!(came, Some(json!({"who": "a person"})));
    // Answered from the journal, and gone for everybody else.
    let (run, _) = bench.process(0);
    assert_eq!(run.signal(&path, "go", &wait).await.unwrap(), came);
    assert_eq!(bench.store.waiting_signal(&bench.run.id, "go").unwrap(), None);
    // Nobody came: that is kept, too.
    let path = StepPath::of(&step()).at("other");
    let past = Wait::until(bench.in_seconds(0), "x");
    assert_eq!(run.signal(&path, "go", &past).await.unwrap(), None);
    bench
        .store
        .signal_run(&bench.run.id, "go", json!(2))
        .await
        .unwrap();
    let (run, _) = bench.process(0);
    assert_eq!(run.signal(&path, "go", &past).await.unwrap(), None);
}
