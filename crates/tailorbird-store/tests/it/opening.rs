//! Opening runs: what for, once per occasion, and which of them somebody has to drive.

use jiff::SignedDuration;
use tailorbird_model::run::{RunInput, RunState};
use tailorbird_store::{DriveLock, Home, RunChange, RunRequest};

use crate::bench::{Bench, name};

#[tokio::test]
async fn an_occasion_opens_one_run_however_often_it_is_told() {
    let bench = Bench::new();
    let task = name("t");
    let input = RunInput {
        occasion: Some("2026-11-23T10:00".to_owned()),
        data: serde_json::json!({"at": 7}),
        ..RunInput::of("schedule")
    };
    let open = |input: RunInput| bench.store.open_run_with(&task, 1, RunState::Queued, input);
    let first = open(input.clone()).await.unwrap();
    let again = open(input.clone()).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(bench.store.run_input(&first.id).unwrap(), input);
    let by_hand = open(RunInput::manual()).await.unwrap();
    let by_hand_too = open(RunInput::manual()).await.unwrap();
    assert_ne!(by_hand.id, by_hand_too.id);
    let other = bench
        .store
        .open_run_with(&name("u"), 1, RunState::Queued, input)
        .await
        .unwrap();
    assert_ne!(other.id, first.id, "another task has occasions of its own");
}

#[tokio::test]
async fn runs_to_take_up_are_those_that_wait_for_a_driver() {
    let bench = Bench::new();
    let store = &bench.store;
    let open = async |task: &str, state| store.open_run(&name(task), 1, state).await;
    let queued = open("a", RunState::Queued).await.unwrap();
    let running = open("b", RunState::Running).await.unwrap();
    let paused = open("c", RunState::Paused).await.unwrap();
    open("d", RunState::Succeeded).await.unwrap();
    let waiting = open("e", RunState::Waiting).await.unwrap();
    let until = store.now() + SignedDuration::from_hours(1);
    let change = RunChange {
        resume_at: Some(Some(until)),
        ..RunChange::default()
    };
    store.change_run(&waiting.id, change).await.unwrap();
    let due = |at| {
        let mut ids: Vec<_> = store
            .runs_to_take_up(at)
            .unwrap()
            .into_iter()
            .map(|(run, _)| run.id)
            .collect();
        ids.sort();
        ids
    };
    let sorted = |mut ids: Vec<_>| {
        ids.sort();
        ids
    };
    assert_eq!(
        due(store.now()),
        sorted(vec![queued.id.clone(), running.id.clone()])
    );
    assert_eq!(
        due(until),
        sorted(vec![queued.id.clone(), running.id.clone(), waiting.id.clone()])
    );
    store.request_run(&paused.id, RunRequest::Resume).await.unwrap();
    assert!(due(store.now()).contains(&paused.id));
    assert_eq!(store.unfinished_runs(&name("c")).unwrap().len(), 1);
    assert!(store.unfinished_runs(&name("d")).unwrap().is_empty());
}

#[test]
fn a_lock_says_whether_its_holder_takes_up_runs_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::create(folder.path().join("home")).unwrap();
    assert!(!DriveLock::is_served(&home).unwrap());
    let lock = DriveLock::acquire(&home).unwrap();
    assert!(!DriveLock::is_served(&home).unwrap());
    drop(lock);
    let lock = DriveLock::acquire_to_serve(&home).unwrap();
    assert!(DriveLock::is_served(&home).unwrap());
    drop(lock);
    assert!(!DriveLock::is_served(&home).unwrap());
}
