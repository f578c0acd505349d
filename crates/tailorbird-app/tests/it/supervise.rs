//! Several runs at once, taken up wherever they come from.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tailorbird_app::{App, Listener, RunNews, Supervisor};
use tailorbird_model::run::{Run, RunId, RunInput, RunState};
use tailorbird_store::{Home, RunChange, Store};

use crate::house::{House, name};

/// How long a run may take to be found and driven.
pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) fn quiet() -> Listener {
    Arc::new(|_, _| {})
}

pub(crate) async fn rest(supervisor: &Supervisor, id: &RunId) -> Run {
    tokio::time::timeout(SOON, supervisor.rest_of(id))
        .await
        .expect("it rests")
        .unwrap()
}

pub(crate) async fn open(app: &App, task: &str) -> Run {
    app.open_run(&name(task), RunInput::manual()).await.unwrap()
}

/// The store past the use-cases, as another process would write to it.
pub(crate) fn store(app: &App) -> Store {
    Store::open(&Home::open(app.home()).unwrap()).unwrap()
}

/// Waits until a run has a state.
pub(crate) async fn comes_to(app: &App, id: &RunId, state: RunState) -> Run {
    let until = Instant::now() + SOON;
    loop {
        let run = app.run(id).unwrap();
        if run.state == state {
            return run;
        }
        assert!(Instant::now() < until, "{run:?} does not come to {state:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_several_tasks_go_at_once_and_one_task_keeps_its_order() {
    let house = House::new(1_200).await;
    house.copying(&["a", "b"]).await;
    let told: Arc<Mutex<Vec<(RunId, bool)>>> = Arc::default();
    let hears = Arc::clone(&told);
    let listener: Listener = Arc::new(move |id, news| match news {
        RunNews::TakenUp => hears.lock().unwrap().push((id.clone(), true)),
        RunNews::Rests(_) => hears.lock().unwrap().push((id.clone(), false)),
        RunNews::Told(_) => {}
    });
    let supervisor = house.app.supervise(listener).await.unwrap();
    // Opened by another process: found without being told.
    let other = house.another();
    let (first, second, beside) = (
        open(&other, "a").await,
        open(&other, "a").await,
        open(&other, "b").await,
    );
    for run in [&first, &second, &beside] {
        let run = rest(&supervisor, &run.id).await;
        assert_eq!(run.state, RunState::Succeeded, "{:?}", run.failure);
        assert_eq!((run.counts.read, run.counts.written), (1_200, 1_200));
    }
    assert_eq!((house.copies("a"), house.copies("b")), (1_200, 1_200));
    let told = told.lock().unwrap().clone();
    let place = |run: &Run, began: bool| told.iter().position(|t| *t == (run.id.clone(), began)).unwrap();
    assert!(
        place(&first, false) < place(&second, true),
        "one run of a task at a time"
    );
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_off_is_taken_up_and_the_lock_is_given_back() {
    let house = House::new(10).await;
    house.copying(&["a"]).await;
    // A process was killed in the middle of it.
    let store = store(&house.app);
    let run = store.open_run(&name("a"), 1, RunState::Running).await.unwrap();
    let supervisor = house.app.supervise(quiet()).await.unwrap();
    let failure = house.another().supervise(quiet()).await.unwrap_err().failure;
    assert_eq!(failure.code, "RUN-002");
    assert_eq!(rest(&supervisor, &run.id).await.state, RunState::Succeeded);
    supervisor.stop().await;
    let failure = supervisor
        .rest_of(&open(&house.app, "a").await.id)
        .await
        .unwrap_err();
    assert_eq!(failure.code, "RUN-005");
    let next = house.another().supervise(quiet()).await.unwrap();
    next.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_nobody_drives_are_held_ended_and_let_go_on() {
    let house = House::new(10).await;
    house.copying(&["a", "b"]).await;
    let store = store(&house.app);
    let later = RunChange {
        resume_at: Some(Some(store.now() + Duration::from_hours(1))),
        ..RunChange::default()
    };
    let waiting = store.open_run(&name("a"), 1, RunState::Waiting).await.unwrap();
    store.change_run(&waiting.id, later.clone()).await.unwrap();
    let soon = store.open_run(&name("b"), 1, RunState::Waiting).await.unwrap();
    store.change_run(&soon.id, later).await.unwrap();
    let supervisor = house.app.supervise(quiet()).await.unwrap();
    // A run that waits keeps the next one of its task from beginning.
    let queued = open(&house.app, "a").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(house.app.run(&queued.id).unwrap().state, RunState::Queued);
    assert!(supervisor.driven().is_empty(), "what waits costs nothing");
    let other = house.another();
    other.cancel_run(&waiting.id).await.unwrap();
    assert_eq!(rest(&supervisor, &queued.id).await.state, RunState::Succeeded);
    assert_eq!(house.app.run(&waiting.id).unwrap().state, RunState::Cancelled);
    // Its time comes.
    let now = RunChange {
        resume_at: Some(Some(store.now())),
        ..RunChange::default()
    };
    store.change_run(&soon.id, now).await.unwrap();
    comes_to(&house.app, &soon.id, RunState::Succeeded).await;
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_cannot_be_driven_says_why_and_harms_no_other() {
    let house = House::new(10).await;
    house.copying(&["a", "b"]).await;
    let store = store(&house.app);
    let lost = store
        .open_run(&name("nobody"), 1, RunState::Queued)
        .await
        .unwrap();
    let supervisor = house.app.supervise(quiet()).await.unwrap();
    let run = rest(&supervisor, &lost.id).await;
    assert_eq!(run.state, RunState::NeedsAttention);
    assert_eq!(run.failure.unwrap().code, "TASK-001");
    let run = open(&house.app, "b").await;
    supervisor.look();
    assert_eq!(rest(&supervisor, &run.id).await.state, RunState::Succeeded);
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_panics_has_failed_and_the_others_go_on() {
    let house = House::new(10).await;
    house.copying(&["a", "b"]).await;
    let (bad, good) = (open(&house.app, "a").await, open(&house.app, "b").await);
    let panics = bad.id.clone();
    let listener: Listener = Arc::new(move |id, news| {
        assert!(!(*id == panics && matches!(news, RunNews::Told(_))), "on purpose");
    });
    let supervisor = house.app.supervise(listener).await.unwrap();
    let run = rest(&supervisor, &bad.id).await;
    assert_eq!(run.state, RunState::Failed);
    assert!(run.failure.unwrap().message.contains("abruptly"));
    assert_eq!(rest(&supervisor, &good.id).await.state, RunState::Succeeded);
    // The task is free for its next run, and the supervisor is well.
    let next = open(&house.app, "a").await;
    assert_eq!(rest(&supervisor, &next.id).await.state, RunState::Succeeded);
    supervisor.stop().await;
}
