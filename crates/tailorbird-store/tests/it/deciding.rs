//! A person's decision, and the runs that wait for it.

use jiff::SignedDuration;
use tailorbird_model::key::DeliveryKey;
use tailorbird_model::run::{RunInput, RunState};
use tailorbird_model::{Record, Value};
use tailorbird_store::{
    ApprovalDecision, ApprovalFilter, Asker, DECIDED, NewApproval, RunChange, RunRequest, Store,
};

use crate::bench::{Bench, name};

async fn ask(store: &Store, run: &tailorbird_model::run::RunId) {
    let asker = Asker {
        task: name("t"),
        step: name("ok"),
        run: run.clone(),
        role: name("operator"),
        expires_at: store.now() + SignedDuration::from_hours(48),
    };
    let question = NewApproval {
        key: DeliveryKey::from_text("F-1").unwrap(),
        input: Record::from_pairs([("name".to_owned(), Value::from("F-1"))]),
        shown: "The file F-1".to_owned(),
        requests: Vec::new(),
        fingerprint: "0".to_owned(),
    };
    store.ask_approval(asker, vec![question]).await.unwrap();
}

/// Found by the crash harness: the command that decides was ended between its decision and the signal, and the run waited
/// until its question expired, with all that stood behind it.
#[tokio::test]
async fn a_decision_wakes_its_run_and_those_above_it_in_one_commit() {
    let bench = Bench::new();
    let store = &bench.store;
    let parked = RunChange {
        state: Some(RunState::Waiting),
        resume_at: Some(Some(store.now() + SignedDuration::from_hours(48))),
        ..RunChange::default()
    };
    let above = store
        .open_run(&name("caller"), 1, RunState::Running)
        .await
        .unwrap();
    let input = RunInput {
        parent: Some(above.id.clone()),
        ..RunInput::of("task")
    };
    let asks = store
        .open_run_with(&name("t"), 1, RunState::Running, input)
        .await
        .unwrap();
    ask(store, &asks.id).await;
    for run in [&above.id, &asks.id] {
        store.change_run(run, parked.clone()).await.unwrap();
    }
    store.await_signal(&asks.id, DECIDED).await.unwrap();
    let page = ApprovalFilter {
        limit: 10,
        ..ApprovalFilter::default()
    };
    let seen = store.approvals(&page).unwrap().remove(0);

    let before = store.commits();
    let (done, _) = store
        .decide_approval(&seen, ApprovalDecision::Release, "operator", None)
        .await
        .unwrap();
    assert!(done);
    assert_eq!(store.commits() - before, 1, "nothing can come between");
    assert!(store.waiting_signal(&asks.id, DECIDED).unwrap().is_some());
    assert_eq!(store.run_request(&above.id).unwrap(), Some(RunRequest::Resume));

    // Who comes too late wakes nobody.
    store.take_run_request(&above.id).await.unwrap();
    let again = store.decide_approval(&seen, ApprovalDecision::Refuse, "operator", None);
    assert!(!again.await.unwrap().0);
    assert_eq!(store.run_request(&above.id).unwrap(), None);
}
