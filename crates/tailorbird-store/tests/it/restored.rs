//! Rule 20: what was sent after a backup is not in it, so it is doubt first.

use tailorbird_model::delivery::{DeliveryState, Event};
use tailorbird_model::run::{RunInput, RunState};
use tailorbird_store::{Enrolment, Outcome, RunChange, Store};

use crate::bench::{Bench, delivery, delivery_in, lane, name, result};

#[tokio::test]
async fn new_keys_and_what_was_pending_are_in_doubt() {
    let bench = Bench::new();
    let sent = bench.put_into("sent", DeliveryState::Delivered).await;
    let pending = bench.put_into("pending", DeliveryState::Pending).await;
    let rejected = bench.put_into("rejected", DeliveryState::Rejected).await;
    let backup_at = bench.now();
    bench.advance(3600);
    assert_eq!(bench.store.restoration().unwrap(), None);
    let mark = bench.store.mark_restored(None).await.unwrap();
    assert_eq!(
        (mark.backup_at, mark.restored_at),
        (backup_at, bench.now()),
        "the time of the last change"
    );
    // The right to drive is taken anew: that is when runs begin.
    let bench = bench.restart();
    bench.advance(1);
    bench.store.recover(&bench.lock).await.unwrap();
    assert_eq!(bench.state(pending.id), DeliveryState::InDoubt);
    assert_eq!(bench.state(sent.id), DeliveryState::Delivered);

    let mut broken = delivery("broken", "text");
    broken.request = serde_json::Value::Null;
    let enrolled = bench
        .store
        .enrol(vec![
            delivery("new", "text"),
            delivery("sent", "text"),
            delivery("rejected", "other text"),
            broken,
        ])
        .await
        .unwrap();
    assert_eq!(enrolled[0].enrolment, Enrolment::New);
    assert_eq!(enrolled[1].enrolment, Enrolment::Already { settled: false });
    assert_eq!(enrolled[2].enrolment, Enrolment::TriedAgain);
    assert_eq!(bench.state(enrolled[0].id), DeliveryState::InDoubt);
    assert_eq!(
        bench.state(rejected.id),
        DeliveryState::InDoubt,
        "it may have been tried again"
    );
    assert_eq!(
        bench.state(enrolled[3].id),
        DeliveryState::Pending,
        "what cannot be sent was not sent"
    );
    let stored = bench.store.delivery(enrolled[0].id).unwrap().unwrap();
    assert_eq!(
        stored.attempted_at,
        Some(backup_at),
        "a look-up begins at the backup"
    );
    assert!(
        stored
            .failure
            .unwrap()
            .message
            .contains("came back from a backup")
    );
    assert_eq!(
        bench.store.sent_before(backup_at).unwrap(),
        Some(mark.restored_at)
    );
    assert!(
        bench.intend(&[enrolled[0].id, rejected.id]).await.is_empty(),
        "nothing is sent"
    );
    assert!(bench.store.verify_chain().unwrap().is_whole());
}

#[tokio::test]
async fn what_a_look_up_did_not_find_is_sent_and_not_doubted_again() {
    let bench = Bench::new();
    bench.put_into("sent", DeliveryState::Delivered).await;
    bench.advance(60);
    bench.store.mark_restored(None).await.unwrap();
    bench.advance(60);
    let new = bench.enrol(&["new"]).await[0].clone();
    let at = tailorbird_store::Intended {
        id: new.id,
        attempt: 0,
    };
    bench
        .record(Outcome::new(at, Event::AbsentByLookUp))
        .await
        .unwrap();
    let bench = bench.restart();
    bench.store.recover(&bench.lock).await.unwrap();
    assert_eq!(bench.state(new.id), DeliveryState::Pending);
    let intended = bench.intend(&[new.id]).await[0];
    bench
        .record(Outcome::accepted(intended, result("9")))
        .await
        .unwrap();
}

async fn run(bench: &Bench, input: RunInput, state: RunState) {
    let task = name("announce");
    let run = bench
        .store
        .open_run_with(&task, 1, RunState::Running, input)
        .await
        .unwrap();
    let change = RunChange {
        state: Some(state),
        ..RunChange::default()
    };
    bench.store.change_run(&run.id, change).await.unwrap();
}

async fn is_doubted(bench: &Bench, key: &str) -> bool {
    let id = bench.enrol(&[key]).await[0].id;
    bench.state(id) == DeliveryState::InDoubt
}

#[tokio::test]
async fn the_mark_stays_until_a_run_has_read_everything_or_a_person_ends_it() {
    let bench = Bench::new();
    bench
        .store
        .apply_task(&name("announce"), "task: announce")
        .await
        .unwrap();
    bench.put_into("sent", DeliveryState::Delivered).await;
    run(&bench, RunInput::manual(), RunState::Succeeded).await;
    bench.advance(60);
    bench.store.mark_restored(None).await.unwrap();
    assert!(
        is_doubted(&bench, "a").await,
        "the run before the return tells nothing"
    );
    bench.advance(1);
    run(&bench, RunInput::manual(), RunState::Failed).await;
    assert!(is_doubted(&bench, "b").await, "nor one that failed");
    run(&bench, RunInput::manual(), RunState::Succeeded).await;
    assert!(!is_doubted(&bench, "c").await);
    let tasks = bench.store.restored_tasks().unwrap();
    assert_eq!(
        (tasks[0].task.as_str(), tasks[0].is_met, tasks[0].in_doubt),
        ("announce", true, 2)
    );
    // Another task of the home has not run yet.
    let mut other = lane();
    other.task = name("other");
    let enrolled = bench
        .store
        .enrol(vec![delivery_in(&other, "a", "text")])
        .await
        .unwrap();
    assert_eq!(bench.state(enrolled[0].id), DeliveryState::InDoubt);
    // A second return while the mark stands doubts again, since the first backup.
    let first = bench.store.restoration().unwrap().unwrap();
    assert_eq!(
        bench.store.mark_restored(None).await.unwrap(),
        first,
        "it bears one already"
    );
    assert!(bench.store.end_restored("somebody").await.unwrap());
    assert!(!bench.store.end_restored("somebody").await.unwrap());
    let enrolled = bench
        .store
        .enrol(vec![delivery_in(&other, "b", "text")])
        .await
        .unwrap();
    assert_eq!(bench.state(enrolled[0].id), DeliveryState::Pending);
    assert_eq!(bench.store.restoration().unwrap(), None);
}

#[tokio::test]
async fn a_task_that_is_fed_from_outside_is_never_met_by_itself() {
    let bench = Bench::new();
    bench
        .store
        .apply_task(&name("announce"), "task: announce")
        .await
        .unwrap();
    bench.put_into("sent", DeliveryState::Delivered).await;
    run(&bench, RunInput::of("webhook"), RunState::Succeeded).await;
    bench.store.mark_restored(None).await.unwrap();
    bench.advance(1);
    run(&bench, RunInput::manual(), RunState::Succeeded).await;
    assert!(is_doubted(&bench, "a").await);
}

#[tokio::test]
async fn many_pending_ones_become_doubt_in_pieces() {
    let bench = Bench::new();
    let keys: Vec<String> = (0..2_500).map(|number| format!("key-{number}")).collect();
    bench
        .enrol(&keys.iter().map(String::as_str).collect::<Vec<_>>())
        .await;
    bench.advance(1);
    bench.store.mark_restored(None).await.unwrap();
    assert_eq!(bench.store.doubt_restored().await.unwrap(), 2_500);
    assert_eq!(bench.store.doubt_restored().await.unwrap(), 0);
    let store: &Store = &bench.store;
    assert!(store.due(&lane(), 10).unwrap().is_empty());
    assert!(store.verify_chain().unwrap().is_whole());
}
