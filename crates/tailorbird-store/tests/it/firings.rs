//! Occasions of triggers are decided once, with the run that they open.

use jiff::Timestamp;
use tailorbird_model::run::{RunId, RunState};
use tailorbird_store::{FiringVerdict, MAX_QUEUED, Occasion, RunChange, Store, Wish, after_occasion};

use crate::bench::{Bench, name};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
}

fn occasion(minute: i64, wish: Wish) -> Occasion {
    Occasion {
        name: format!("schedule {}", at(minute)),
        cause: "schedule",
        due_at: at(minute),
        wish,
    }
}

async fn decide(store: &Store, version: i64, minutes: &[i64], wish: Wish) -> Vec<FiringVerdict> {
    let occasions = minutes.iter().map(|minute| occasion(*minute, wish)).collect();
    let last = at(*minutes.last().unwrap());
    let firings = store
        .decide_occasions(&name("t"), version, occasions, last)
        .await
        .unwrap();
    firings.into_iter().map(|firing| firing.verdict).collect()
}

async fn end(store: &Store, run: &RunId, state: RunState) {
    let change = RunChange {
        state: Some(state),
        ..RunChange::default()
    };
    store.change_run(run, change).await.unwrap();
}

async fn with_task() -> (Bench, Store) {
    let bench = Bench::new();
    let store = bench.store.clone();
    store.apply_task(&name("t"), "task: t").await.unwrap();
    store.begin_trigger(&name("t"), "s", at(0)).await.unwrap();
    (bench, store)
}

#[tokio::test]
async fn an_occasion_opens_one_run_however_often_it_is_told() {
    let (_bench, store) = with_task().await;
    let first = decide(&store, 1, &[1], Wish::Fire).await;
    let [FiringVerdict::Fired(run)] = first.as_slice() else {
        panic!("{first:?}")
    };
    assert_eq!(store.run(run).unwrap().unwrap().state, RunState::Queued);
    assert_eq!(store.run_input(run).unwrap().cause, "schedule");
    end(&store, run, RunState::Succeeded).await;
    assert_eq!(decide(&store, 1, &[1], Wish::Fire).await, []);
    // Also where what became of it was forgotten since: the run knows its occasion.
    let newer: Vec<i64> = (2..2_100).collect();
    decide(&store, 1, &newer, Wish::Miss).await;
    assert_eq!(store.firings(&name("t"), 5_000).unwrap().len(), 2_000);
    assert_eq!(decide(&store, 1, &[1], Wish::Fire).await, []);
    let clock = store.trigger_clock(&name("t")).unwrap().unwrap();
    assert_eq!((clock.begun_at, clock.source.as_str()), (at(0), "s"));
}

#[tokio::test]
async fn a_run_that_has_not_ended_is_in_the_way_and_one_that_needs_attention_is_not() {
    let (_bench, store) = with_task().await;
    let first = decide(&store, 1, &[1], Wish::Fire).await;
    let run = first[0].run().unwrap().clone();
    for (minute, state) in [
        (2, RunState::Running),
        (3, RunState::Waiting),
        (4, RunState::Paused),
    ] {
        end(&store, &run, state).await;
        let verdicts = decide(&store, 1, &[minute], Wish::Fire).await;
        assert_eq!(verdicts, [FiringVerdict::Overlapped(run.clone())], "{state:?}");
    }
    end(&store, &run, RunState::NeedsAttention).await;
    assert_eq!(decide(&store, 1, &[5], Wish::Fire).await[0].as_str(), "fired");
}

#[tokio::test]
async fn runs_that_wait_for_their_turn_are_not_without_number() {
    let (_bench, store) = with_task().await;
    let minutes: Vec<i64> = (1..=i64::from(MAX_QUEUED) + 2).collect();
    let verdicts = decide(&store, 1, &minutes, Wish::Queue).await;
    let fired = verdicts
        .iter()
        .filter(|verdict| verdict.as_str() == "fired")
        .count();
    assert_eq!(u32::try_from(fired).unwrap(), MAX_QUEUED);
    assert_eq!(verdicts.last().unwrap().as_str(), "overlapped");
}

#[tokio::test]
async fn nothing_is_decided_for_a_task_that_was_changed_or_disabled_meanwhile() {
    let (_bench, store) = with_task().await;
    store.apply_task(&name("t"), "task: t # new").await.unwrap();
    assert_eq!(decide(&store, 1, &[1], Wish::Fire).await, []);
    assert_eq!(decide(&store, 2, &[1], Wish::Fire).await.len(), 1);
    store.set_task_enabled(&name("t"), false).await.unwrap();
    assert_eq!(decide(&store, 2, &[2], Wish::Fire).await, []);
    assert_eq!(store.trigger_clock(&name("t")).unwrap(), None, "it begins anew");
    store.set_task_enabled(&name("t"), true).await.unwrap();
    assert_eq!(decide(&store, 2, &[3], Wish::Miss).await, [FiringVerdict::Missed]);
}

#[tokio::test]
async fn ends_of_runs_are_told_until_they_are_decided() {
    let (_bench, store) = with_task().await;
    let (of, task) = (name("other"), name("t"));
    let first = store.open_run(&of, 1, RunState::Running).await.unwrap();
    let second = store.open_run(&of, 1, RunState::Running).await.unwrap();
    let before = first.started_at - std::time::Duration::from_secs(1);
    let ends = |states: &[RunState]| -> Vec<RunId> {
        let found = store.ends_to_decide(&of, states, before, &task).unwrap();
        found.into_iter().map(|run| run.id).collect()
    };
    assert_eq!(ends(&[RunState::Succeeded]), []);
    end(&store, &second.id, RunState::Succeeded).await;
    end(&store, &first.id, RunState::Failed).await;
    assert_eq!(ends(&[RunState::Succeeded]), std::slice::from_ref(&second.id));
    // They ended in the same moment, so their names decide the order.
    let mut both = [second.id.clone(), first.id.clone()];
    both.sort();
    assert_eq!(ends(&[RunState::Succeeded, RunState::Failed]), both);
    let occasion = Occasion {
        name: after_occasion(&second.id),
        cause: "after",
        due_at: before,
        wish: Wish::Fire,
    };
    store
        .decide_occasions(&task, 1, vec![occasion], before)
        .await
        .unwrap();
    assert_eq!(ends(&[RunState::Succeeded, RunState::Failed]), [first.id]);
}
