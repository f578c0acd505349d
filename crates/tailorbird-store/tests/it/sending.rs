//! Rules 3 to 6 and 13: intent, fencing, outcome, recovery.

use tailorbird_model::delivery::{DeliveryId, DeliveryState, Event};
use tailorbird_model::{Meaning, codes};
use tailorbird_store::{Intended, LookUp, Outcome, RefusalReason, StoreError};

use crate::bench::{Bench, delivery, failure, lane, result, run};

#[tokio::test]
async fn only_what_is_pending_and_due_is_intended() {
    let bench = Bench::new();
    let mut later = delivery("later", "text");
    later.not_before = Some(bench.after(60));
    let later = bench.store.enrol(vec![later]).await.unwrap()[0].id;
    let now = bench.enrol(&["now"]).await[0].id;
    let delivered = bench.put_into("delivered", DeliveryState::Delivered).await.id;
    let intended = bench.intend(&[later, delivered, now, DeliveryId(999)]).await;
    assert_eq!(intended, [Intended { id: now, attempt: 1 }]);
    assert_eq!(bench.store.next_due_at(&lane()).unwrap(), Some(bench.after(60)));
    bench.advance(60);
    assert_eq!(bench.store.due(&lane(), 10).unwrap().len(), 1);
    assert_eq!(
        bench.intend(&[later]).await,
        [Intended {
            id: later,
            attempt: 1
        }]
    );
    assert_eq!(bench.store.next_due_at(&lane()).unwrap(), None);
}

#[tokio::test]
async fn an_attempt_that_is_over_may_not_be_sent_and_its_outcome_is_refused() {
    let bench = Bench::new();
    let id = bench.enrol(&["k"]).await[0].id;
    let first = bench.intend(&[id]).await[0];
    let epoch = bench.lock.epoch();
    assert!(bench.store.may_send(first, epoch).unwrap());
    bench.record(Outcome::new(first, Event::NotSent)).await.unwrap();
    assert!(!bench.store.may_send(first, epoch).unwrap());
    let second = bench.intend(&[id]).await[0];
    assert!(
        !bench.store.may_send(first, epoch).unwrap(),
        "the old attempt stays over"
    );
    assert!(bench.store.may_send(second, epoch).unwrap());

    let error = bench
        .record(Outcome::accepted(first, result("1")))
        .await
        .unwrap_err();
    let StoreError::Transition { refused } = error else {
        panic!("{error:?}")
    };
    assert_eq!(refused[0].reason, RefusalReason::Attempt { given: 1, stored: 2 });
    assert_eq!(bench.state(id), DeliveryState::Sending);

    let bench = bench.restart();
    assert!(
        !bench.store.may_send(second, bench.lock.epoch()).unwrap(),
        "another epoch may not send it"
    );
}

#[tokio::test]
async fn one_wrong_outcome_does_not_lose_the_others() {
    let bench = Bench::new();
    let ids: Vec<_> = bench
        .enrol(&["a", "b", "c"])
        .await
        .iter()
        .map(|one| one.id)
        .collect();
    let intended = bench.intend(&ids).await;
    let outcomes = vec![
        Outcome::accepted(intended[0], result("1")),
        Outcome::new(
            Intended {
                attempt: 9,
                ..intended[1]
            },
            Event::Accepted,
        ),
        Outcome::new(
            Intended {
                id: DeliveryId(999),
                attempt: 1,
            },
            Event::Accepted,
        ),
        Outcome::new(intended[1], Event::ResolvedSent),
        Outcome::accepted(intended[2], result("3")),
    ];
    let StoreError::Transition { refused } = bench.store.record(outcomes).await.unwrap_err() else {
        panic!()
    };
    let reasons: Vec<_> = refused.iter().map(|one| (one.id, one.reason)).collect();
    assert_eq!(
        reasons,
        [
            (ids[1], RefusalReason::Attempt { given: 9, stored: 1 }),
            (DeliveryId(999), RefusalReason::Unknown),
            (ids[1], RefusalReason::Event),
        ]
    );
    let states: Vec<_> = ids.iter().map(|id| bench.state(*id)).collect();
    assert_eq!(
        states,
        [
            DeliveryState::Delivered,
            DeliveryState::Sending,
            DeliveryState::Delivered
        ]
    );
}

#[tokio::test]
async fn outcomes_keep_what_they_say() {
    let bench = Bench::new();
    let ids: Vec<_> = bench
        .enrol(&["a", "b", "c"])
        .await
        .iter()
        .map(|one| one.id)
        .collect();
    let intended = bench.intend(&ids).await;
    bench.advance(2);
    let wait = Outcome {
        not_before: Some(bench.after(900)),
        ..Outcome::failed(intended[2], Event::NotSent, failure())
    };
    let outcomes = vec![
        Outcome::accepted(intended[0], result("1001")),
        Outcome::failed(intended[1], Event::Refused, failure()),
        wait,
    ];
    bench.store.record(outcomes).await.unwrap();
    let [a, b, c] = ids.map_to(|id| bench.store.delivery(id).unwrap().unwrap());
    assert_eq!(
        (a.result, a.delivered_at, a.settled),
        (Some(result("1001")), Some(bench.now()), false)
    );
    assert_eq!(b.failure, Some(failure()));
    assert_eq!(
        (c.state, c.not_before),
        (DeliveryState::Pending, Some(bench.after(900)))
    );
    assert!(bench.intend(&[ids[2]]).await.is_empty(), "not before its time");
}

trait MapTo<T> {
    fn map_to<U>(&self, map: impl Fn(T) -> U) -> [U; 3];
}

impl MapTo<DeliveryId> for Vec<DeliveryId> {
    fn map_to<U>(&self, map: impl Fn(DeliveryId) -> U) -> [U; 3] {
        [map(self[0]), map(self[1]), map(self[2])]
    }
}

#[tokio::test]
async fn dead_epochs_become_doubt_and_live_ones_do_not() {
    let bench = Bench::new();
    let dead = bench.put_into("dead", DeliveryState::Sending).await;
    bench.put_into("pending", DeliveryState::Pending).await;
    assert!(
        bench.store.recover(&bench.lock).await.unwrap().is_empty(),
        "its own epoch is alive"
    );
    let bench = bench.restart();
    let live = bench.put_into("live", DeliveryState::Sending).await;
    let doubtful = bench.store.recover(&bench.lock).await.unwrap();
    assert_eq!(doubtful.iter().map(|one| one.id).collect::<Vec<_>>(), [dead.id]);
    let failure = doubtful[0].failure.as_ref().unwrap();
    assert_eq!(
        (failure.code.as_str(), failure.meaning),
        (codes::IN_DOUBT, Meaning::InDoubt)
    );
    assert_eq!(bench.state(live.id), DeliveryState::Sending);
    let doubts = |after| bench.store.in_doubt_after(&lane(), after, 10).unwrap();
    let found = doubts(DeliveryId(0));
    assert_eq!(found.len(), 1);
    assert!(doubts(found[0].id).is_empty(), "pages follow one another");
    assert!(bench.store.recover(&bench.lock).await.unwrap().is_empty(), "once");
    let story = bench.store.story(dead.id).unwrap();
    assert_eq!(story.attempts.len(), 1);
    assert_eq!(story.attempts[0].outcome, Some(Event::Lost));
}

#[tokio::test]
async fn delivered_is_emitted_until_it_is_settled() {
    let bench = Bench::new();
    for key in ["c", "a", "b"] {
        bench.put_into(key, DeliveryState::Delivered).await;
    }
    bench.put_into("d", DeliveryState::Rejected).await;
    let keys = |bench: &Bench, limit| -> Vec<String> {
        let unsettled = bench.store.unsettled(&lane(), limit).unwrap();
        unsettled.iter().map(|one| one.identity.key.to_string()).collect()
    };
    assert_eq!(keys(&bench, 2), ["c", "a"]);
    assert_eq!(
        keys(&bench, 10),
        ["c", "a", "b"],
        "in the order of their enrolment"
    );
    let first = bench.store.unsettled(&lane(), 1).unwrap();
    assert_eq!(first[0].input.get("sku").unwrap().to_string(), "c");
    bench.store.settle(vec![first[0].id]).await.unwrap();
    assert_eq!(keys(&bench, 10), ["a", "b"]);
}

#[tokio::test]
async fn a_doubt_found_by_look_up_was_delivered_when_it_was_sent() {
    let bench = Bench::new();
    let at = bench.put_into("k", DeliveryState::InDoubt).await;
    let sent_at = bench.now();
    bench.advance(3600);
    let evidence = LookUp {
        id: at.id,
        attempt: 1,
        at: bench.now(),
        hits: 1,
        decision: "delivered".to_owned(),
        result_id: Some("5".to_owned()),
        detail: "text matches".to_owned(),
    };
    bench.store.note_look_up(evidence.clone()).await.unwrap();
    let found = Outcome {
        result: Some(result("5")),
        ..Outcome::new(at, Event::FoundByLookUp)
    };
    bench.record(found).await.unwrap();
    let story = bench.store.story(at.id).unwrap();
    assert_eq!(story.delivery.delivered_at, Some(sent_at));
    assert_eq!(story.look_ups, [evidence]);
    assert_eq!(
        bench.store.unsettled(&lane(), 10).unwrap().len(),
        1,
        "the tail of the run reopens"
    );
}

#[tokio::test]
async fn an_unreadable_answer_is_delivered_and_its_result_comes_later() {
    let bench = Bench::new();
    let at = bench.put_into("k", DeliveryState::Sending).await;
    bench.record(Outcome::new(at, Event::Accepted)).await.unwrap();
    bench.store.complete_result(at.id, result("9")).await.unwrap();
    let stored = bench.store.delivery(at.id).unwrap().unwrap();
    assert_eq!(stored.result, Some(result("9")));
    let known = bench
        .store
        .known_result_ids(&lane().destination, &["9".to_owned()])
        .unwrap();
    assert!(known.contains("9"));
    assert!(
        bench.store.complete_result(at.id, result("10")).await.is_err(),
        "once"
    );
}

#[tokio::test]
async fn a_run_knows_what_became_of_its_deliveries() {
    let bench = Bench::new();
    for (key, state) in [
        ("a", DeliveryState::Delivered),
        ("b", DeliveryState::Delivered),
        ("c", DeliveryState::Rejected),
        ("d", DeliveryState::InDoubt),
        ("e", DeliveryState::Skipped),
        ("f", DeliveryState::Pending),
    ] {
        bench.put_into(key, state).await;
    }
    let counts = bench.store.run_delivery_counts(&run(1)).unwrap();
    assert_eq!(
        (counts.delivered, counts.rejected, counts.in_doubt, counts.skipped),
        (2, 1, 1, 1)
    );
}

#[tokio::test]
async fn what_a_clock_that_was_ahead_put_off_goes_now() {
    let bench = Bench::new();
    let ids: Vec<_> = bench.enrol(&["a", "b"]).await.iter().map(|one| one.id).collect();
    let intended = bench.intend(&ids).await;
    let put_off = |intended, seconds| Outcome {
        not_before: Some(bench.after(seconds)),
        ..Outcome::failed(intended, Event::NotSent, failure())
    };
    let outcomes = vec![put_off(intended[0], 900), put_off(intended[1], 366 * 86_400)];
    bench.store.record(outcomes).await.unwrap();
    let latest = bench.after(2 * 86_400);
    assert_eq!(bench.store.undo_put_off(&lane(), latest).await.unwrap(), 1);
    assert_eq!(bench.store.undo_put_off(&lane(), latest).await.unwrap(), 0);
    assert!(bench.intend(&[ids[0]]).await.is_empty(), "an honest wait stays");
    assert_eq!(bench.intend(&[ids[1]]).await.len(), 1);
    assert!(
        bench.store.verify_chain().unwrap().is_whole(),
        "the change is in the chain"
    );
}
