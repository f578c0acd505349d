//! The inbox of triggers: nothing is lost, nothing is given out twice.

use serde_json::json;
use tailorbird_model::event::{EventSource, EventState};
use tailorbird_model::run::RunState;
use tailorbird_store::{MAX_WAITING_EVENTS, NewEvent, Received, RunChange, StoreError};

use crate::bench::{Bench, failure, name};

fn event(identity: &str) -> NewEvent {
    NewEvent {
        task: name("orders"),
        source: EventSource::Webhook,
        identity: identity.to_owned(),
        label: format!("delivery {identity}"),
        payload: json!({ "id": identity }),
    }
}

async fn receive(bench: &Bench, identities: &[&str]) -> Vec<Received> {
    let events = identities.iter().map(|identity| event(identity)).collect();
    bench.store.receive_events(events).await.unwrap()
}

async fn end(bench: &Bench, run: &tailorbird_model::run::RunId, state: RunState) {
    let change = RunChange {
        state: Some(state),
        ..RunChange::default()
    };
    bench.store.change_run(run, change).await.unwrap();
}

#[tokio::test]
async fn an_event_is_received_once_and_taken_once() {
    let bench = Bench::new();
    let first = receive(&bench, &["a", "b", "a"]).await;
    let [Received::New(a), Received::New(_), Received::Known(again)] = first[..] else {
        panic!("{first:?}");
    };
    assert_eq!(a, again);
    let bench = bench.restart();
    assert_eq!(receive(&bench, &["b"]).await.len(), 1);
    assert_eq!(bench.store.waiting_events(&name("orders")).unwrap(), 2);
    assert_eq!(bench.store.tasks_with_events().unwrap(), [name("orders")]);

    let (run, count) = bench
        .store
        .open_run_for_events(&name("orders"), 3, RunState::Queued, 1)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((count, run.task_version, run.state), (1, 3, RunState::Queued));
    let bench = bench.restart();
    let has = bench.store.run_events(&run.id, None, 10).unwrap();
    assert_eq!(has.len(), 1);
    assert_eq!((has[0].id, has[0].state), (a, EventState::Taken));
    assert_eq!(
        (&has[0].payload, has[0].received_at),
        (&json!({ "id": "a" }), bench.now())
    );
    assert_eq!(
        bench.store.run_event_source(&run.id).unwrap(),
        Some(EventSource::Webhook)
    );

    let (second, _) = bench
        .store
        .open_run_for_events(&name("orders"), 3, RunState::Queued, 500)
        .await
        .unwrap()
        .unwrap();
    assert_ne!(second.id, run.id);
    let none = bench
        .store
        .open_run_for_events(&name("orders"), 3, RunState::Queued, 500)
        .await
        .unwrap();
    assert_eq!(none, None);
    assert_eq!(
        bench
            .store
            .runs(&tailorbird_store::RunFilter {
                limit: 9,
                ..Default::default()
            })
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn events_of_two_sources_never_share_a_run_and_tasks_do_not_share_events() {
    let bench = Bench::new();
    let file = NewEvent {
        source: EventSource::File,
        ..event("a")
    };
    let other = NewEvent {
        task: name("others"),
        ..event("a")
    };
    let received = bench
        .store
        .receive_events(vec![event("a"), file, other, event("b")])
        .await
        .unwrap();
    assert!(
        received.iter().all(|one| matches!(one, Received::New(_))),
        "{received:?}"
    );
    let open = async || {
        bench
            .store
            .open_run_for_events(&name("orders"), 1, RunState::Queued, 500)
            .await
            .unwrap()
            .unwrap()
    };
    let (webhooks, count) = open().await;
    assert_eq!(count, 2);
    let (files, count) = open().await;
    assert_eq!(count, 1);
    assert_eq!(bench.store.run_events(&webhooks.id, None, 9).unwrap().len(), 2);
    assert_eq!(
        bench.store.run_events(&files.id, None, 9).unwrap()[0].source,
        EventSource::File
    );
    assert_eq!(bench.store.tasks_with_events().unwrap(), [name("others")]);
}

#[tokio::test]
async fn a_full_inbox_receives_nothing_and_says_so() {
    let bench = Bench::new();
    let mut number = 0;
    while number < MAX_WAITING_EVENTS {
        let events = (0..1_000).map(|i| event(&format!("{}", number + i))).collect();
        bench.store.receive_events(events).await.unwrap();
        number += 1_000;
    }
    assert_eq!(receive(&bench, &["one more", "0"]).await[0], Received::Full);
    // What is known is known, also then: its sender may stop repeating it.
    assert!(matches!(receive(&bench, &["0"]).await[0], Received::Known(_)));
    let (_, count) = bench
        .store
        .open_run_for_events(&name("orders"), 1, RunState::Queued, 500)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(count, 500);
    assert!(matches!(
        receive(&bench, &["one more"]).await[0],
        Received::New(_)
    ));

    let too_many = (0..1_001).map(|i| event(&format!("x{i}"))).collect();
    let refused = bench.store.receive_events(too_many).await;
    assert!(matches!(refused, Err(StoreError::TooMany { .. })), "{refused:?}");
    let long = NewEvent {
        payload: json!("x".repeat(9 << 20)),
        ..event("long")
    };
    let refused = bench.store.receive_events(vec![long]).await;
    assert!(matches!(refused, Err(StoreError::TooMany { .. })), "{refused:?}");
}

#[tokio::test]
async fn an_event_is_done_when_its_run_has_ended_and_is_forgotten_long_after() {
    let bench = Bench::new();
    receive(&bench, &["a"]).await;
    let (run, _) = bench
        .store
        .open_run_for_events(&name("orders"), 1, RunState::Running, 1)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(bench.store.close_events().await.unwrap(), 0);
    bench.advance(365 * 86_400);
    assert_eq!(
        bench.store.forget_events().await.unwrap(),
        0,
        "a run still has it"
    );
    end(&bench, &run.id, RunState::Failed).await;
    assert_eq!(bench.store.close_events().await.unwrap(), 1);
    assert_eq!(bench.store.forget_events().await.unwrap(), 0);
    assert_eq!(
        bench.store.run_events(&run.id, None, 1).unwrap()[0].state,
        EventState::Done
    );

    // A failed run is tried again with the same events.
    let again = bench
        .store
        .open_run_again(&run, 2, RunState::Queued)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(again.task_version, 2);
    let input = bench.store.run_input(&again.id).unwrap();
    assert_eq!((input.cause.as_str(), input.is_own()), ("webhook", true));
    assert_eq!(input.data["again_for"], run.id.0.as_str());
    assert_eq!(
        bench
            .store
            .open_run_again(&run, 2, RunState::Queued)
            .await
            .unwrap(),
        None
    );
    assert_eq!(bench.store.run_events(&run.id, None, 1).unwrap(), []);
    assert_eq!(
        bench.store.run_events(&again.id, None, 1).unwrap()[0].state,
        EventState::Taken
    );
    end(&bench, &again.id, RunState::Succeeded).await;
    assert_eq!(bench.store.close_events().await.unwrap(), 1);

    bench.advance(15 * 86_400);
    assert_eq!(bench.store.forget_events().await.unwrap(), 1, "the payload");
    assert_eq!(
        bench.store.run_events(&again.id, None, 1).unwrap()[0].payload,
        json!(null)
    );
    assert!(matches!(receive(&bench, &["a"]).await[0], Received::Known(_)));
    bench.advance(90 * 86_400);
    assert_eq!(bench.store.forget_events().await.unwrap(), 1, "the memory");
    assert!(matches!(receive(&bench, &["a"]).await[0], Received::New(_)));
}

#[tokio::test]
async fn a_file_is_done_only_when_it_was_moved() {
    let bench = Bench::new();
    let file = NewEvent {
        source: EventSource::File,
        ..event("a")
    };
    bench.store.receive_events(vec![file]).await.unwrap();
    let (run, _) = bench
        .store
        .open_run_for_events(&name("orders"), 1, RunState::Running, 1)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(bench.store.files_to_move(&name("orders")).unwrap(), []);
    end(&bench, &run.id, RunState::Succeeded).await;
    assert_eq!(bench.store.close_events().await.unwrap(), 0);
    let due = bench.store.files_to_move(&name("orders")).unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].1, Some(RunState::Succeeded));
    let again = NewEvent {
        source: EventSource::File,
        ..event("a")
    };
    let known = bench.store.receive_events(vec![again.clone()]).await.unwrap();
    assert_eq!(known, [Received::Known(due[0].0.id)]);
    bench.store.finish_files(vec![due[0].0.id]).await.unwrap();
    assert_eq!(bench.store.files_to_move(&name("orders")).unwrap(), []);
    let put_back = bench.store.receive_events(vec![again]).await.unwrap();
    assert!(matches!(put_back[0], Received::New(_)), "{put_back:?}");
}

#[tokio::test]
async fn a_renamed_task_keeps_its_events_and_its_secret() {
    let bench = Bench::new();
    receive(&bench, &["a", "b"]).await;
    let secret = || tailorbird_oauth::ClientSecret::new("the webhook's secret");
    bench
        .store
        .put_task_secret(&name("orders"), secret())
        .await
        .unwrap();
    assert_eq!(bench.store.task_secret(&name("sales")).unwrap(), None);
    bench
        .store
        .adopt_events(&name("orders"), &name("sales"))
        .await
        .unwrap();
    assert_eq!(bench.store.waiting_events(&name("sales")).unwrap(), 2);
    assert_eq!(bench.store.waiting_events(&name("orders")).unwrap(), 0);
    assert_eq!(bench.store.trigger_state(&name("sales")).unwrap().events, 2);
    bench.store.rotate_key().await.unwrap();
    assert_eq!(bench.store.task_secret(&name("sales")).unwrap(), Some(secret()));
    let of_sales = NewEvent {
        task: name("sales"),
        ..event("a")
    };
    let known = bench.store.receive_events(vec![of_sales]).await.unwrap();
    assert!(matches!(known[0], Received::Known(_)), "{known:?}");
}

#[tokio::test]
async fn a_trigger_tells_how_it_stands() {
    let bench = Bench::new();
    let task = name("orders");
    assert_eq!(bench.store.trigger_state(&task).unwrap().events, 0);
    receive(&bench, &["a", "b", "b"]).await;
    bench.store.note_refusals(&task, 3, failure());
    bench.advance(5);
    bench
        .store
        .note_trigger_problem(&task, Some(failure()))
        .await
        .unwrap();
    let since = bench.now();
    bench.advance(60);
    bench
        .store
        .note_trigger_problem(&task, Some(failure()))
        .await
        .unwrap();
    let state = bench.store.trigger_state(&task).unwrap();
    assert_eq!(
        (state.events, state.last_event.as_deref()),
        (2, Some("delivery b"))
    );
    assert_eq!((state.refusals, state.last_refusal), (3, Some(failure())));
    assert_eq!((state.problem, state.problem_at), (Some(failure()), Some(since)));
    bench.store.note_trigger_problem(&task, None).await.unwrap();
    assert_eq!(bench.store.trigger_state(&task).unwrap().problem, None);
}
