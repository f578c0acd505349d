//! Rules 1, 2 and 12.

use tailorbird_model::delivery::{DeliveryState, Destination};
use tailorbird_store::{Enrolment, Lane, MAX_BATCH, StoreError};

use crate::bench::{Bench, delivery, delivery_in, lane, name, run};

#[tokio::test]
async fn a_key_is_known_within_its_task_step_and_destination() {
    let bench = Bench::new();
    let elsewhere = [
        Lane {
            task: name("other"),
            ..lane()
        },
        Lane {
            step: name("other"),
            ..lane()
        },
        Lane {
            destination: Destination::new("http://127.0.0.1:7081", "42"),
            ..lane()
        },
        Lane {
            destination: Destination::new("https://api.example.com", "43"),
            ..lane()
        },
    ];
    bench.enrol(&["k"]).await;
    for lane in &elsewhere {
        let enrolled = bench
            .store
            .enrol(vec![delivery_in(lane, "k", "text")])
            .await
            .unwrap();
        assert_eq!(enrolled[0].enrolment, Enrolment::New, "{lane:?}");
    }
    assert_eq!(
        bench.enrol(&["k"]).await[0].enrolment,
        Enrolment::Open { conflict: false }
    );
}

#[tokio::test]
async fn the_first_of_a_key_in_a_batch_wins() {
    let bench = Bench::new();
    let batch = vec![
        delivery("a", "one"),
        delivery("b", "two"),
        delivery("a", "three"),
        delivery("a", "four"),
    ];
    let enrolled = bench.store.enrol(batch).await.unwrap();
    let kinds: Vec<_> = enrolled.iter().map(|one| one.enrolment.clone()).collect();
    assert_eq!(
        kinds,
        [
            Enrolment::New,
            Enrolment::New,
            Enrolment::SameKey { first: 0 },
            Enrolment::SameKey { first: 0 }
        ]
    );
    assert_eq!(enrolled[2].id, enrolled[0].id);
    let stored = bench.store.delivery(enrolled[0].id).unwrap().unwrap();
    assert_eq!(stored.request, serde_json::json!({ "text": "one" }));
}

#[tokio::test]
async fn what_the_ledger_says_of_a_key_it_knew() {
    use DeliveryState as S;
    for (state, same, changed) in [
        (
            S::Pending,
            Enrolment::Open { conflict: false },
            Enrolment::Open { conflict: true },
        ),
        (
            S::Sending,
            Enrolment::InFlight { conflict: false },
            Enrolment::InFlight { conflict: true },
        ),
        (
            S::Delivered,
            Enrolment::Already { settled: false },
            Enrolment::Already { settled: false },
        ),
        (
            S::Rejected,
            Enrolment::Held {
                state: S::Rejected,
                conflict: false,
            },
            Enrolment::TriedAgain,
        ),
        (
            S::InDoubt,
            Enrolment::Held {
                state: S::InDoubt,
                conflict: false,
            },
            Enrolment::Held {
                state: S::InDoubt,
                conflict: true,
            },
        ),
        (
            S::Skipped,
            Enrolment::Held {
                state: S::Skipped,
                conflict: false,
            },
            Enrolment::Held {
                state: S::Skipped,
                conflict: false,
            },
        ),
    ] {
        let bench = Bench::new();
        let at = bench.put_into("k", state).await;
        let again = bench.store.enrol(vec![delivery("k", "text")]).await.unwrap();
        assert_eq!(again[0].enrolment, same, "{state}");
        assert_eq!((again[0].id, again[0].attempts), (at.id, at.attempt));
        let again = bench.store.enrol(vec![delivery("k", "changed")]).await.unwrap();
        assert_eq!(again[0].enrolment, changed, "{state}");
        let stored = bench.store.delivery(at.id).unwrap().unwrap();
        let text = if changed == Enrolment::TriedAgain {
            "changed"
        } else {
            "text"
        };
        assert_eq!(stored.request, serde_json::json!({ "text": text }), "{state}");
        assert_eq!(stored.fingerprint, format!("fingerprint of {text}"), "{state}");
    }
}

#[tokio::test]
async fn a_settled_delivery_says_so_and_the_run_before_is_named() {
    let bench = Bench::new();
    let at = bench.put_into("k", DeliveryState::Delivered).await;
    bench.store.settle(vec![at.id]).await.unwrap();
    let mut next = delivery("k", "text");
    next.run = run(2);
    let enrolled = bench.store.enrol(vec![next]).await.unwrap();
    assert_eq!(enrolled[0].enrolment, Enrolment::Already { settled: true });
    assert_eq!(enrolled[0].run, run(1));
    assert_eq!(
        bench.store.delivery(at.id).unwrap().unwrap().run,
        run(1),
        "delivered ones keep their run"
    );
}

#[tokio::test]
async fn a_rejected_one_that_changed_starts_over_with_its_history() {
    let bench = Bench::new();
    let at = bench.put_into("k", DeliveryState::Rejected).await;
    bench.store.enrol(vec![delivery("k", "changed")]).await.unwrap();
    let stored = bench.store.delivery(at.id).unwrap().unwrap();
    assert_eq!(
        (stored.state, stored.failure, stored.attempts),
        (DeliveryState::Pending, None, 1)
    );
    let second = bench.intend(&[at.id]).await[0];
    assert_eq!(second.attempt, 2);
    let story = bench.store.story(at.id).unwrap();
    assert_eq!(story.attempts.len(), 2);
    assert_eq!(story.attempts[0].status, Some(403));
    assert_eq!(story.attempts[1].outcome, None, "the second is on its way");
}

#[tokio::test]
async fn a_batch_has_a_limit() {
    let bench = Bench::new();
    let batch = vec![delivery("k", "text"); MAX_BATCH + 1];
    let error = bench.store.enrol(batch).await.unwrap_err();
    assert!(
        matches!(error, StoreError::TooMany { limit: MAX_BATCH, .. }),
        "{error:?}"
    );
}
