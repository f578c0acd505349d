//! What people decide, and requests rendered anew.

use tailorbird_model::Failure;
use tailorbird_model::delivery::{DeliveryId, DeliveryState};
use tailorbird_store::{Resolution, StoreError};

use crate::bench::{Bench, result};

#[tokio::test]
async fn decisions_are_carried_out_and_kept_with_their_author() {
    let bench = Bench::new();
    let at = bench.put_into("k", DeliveryState::InDoubt).await;
    let skipped = bench.store.resolve(at.id, Resolution::Skip, "ada").await.unwrap();
    assert_eq!(skipped.state, DeliveryState::Skipped);
    bench
        .store
        .resolve(at.id, Resolution::Again, "bob")
        .await
        .unwrap();
    assert_eq!(bench.state(at.id), DeliveryState::Pending);
    let decisions = bench.store.story(at.id).unwrap().decisions;
    let told: Vec<_> = decisions
        .iter()
        .map(|one| (one.who.as_str(), one.decision.as_str(), one.from))
        .collect();
    assert_eq!(
        told,
        [
            ("ada", "skip", DeliveryState::InDoubt),
            ("bob", "again", DeliveryState::Skipped)
        ]
    );
}

#[tokio::test]
async fn sent_takes_the_result_and_the_time_of_the_attempt() {
    let bench = Bench::new();
    let at = bench.put_into("k", DeliveryState::InDoubt).await;
    let sent_at = bench.now();
    bench.advance(100);
    let sent = Resolution::Sent {
        result: Some(result("12")),
    };
    let delivery = bench.store.resolve(at.id, sent, "ada").await.unwrap();
    assert_eq!(
        (delivery.result, delivery.delivered_at),
        (Some(result("12")), Some(sent_at))
    );
    assert!(!delivery.settled);
}

#[tokio::test]
async fn what_is_on_its_way_cannot_be_decided() {
    let bench = Bench::new();
    let at = bench.put_into("k", DeliveryState::Sending).await;
    let failure = Failure::from(
        bench
            .store
            .resolve(at.id, Resolution::Again, "ada")
            .await
            .unwrap_err(),
    );
    assert_eq!(failure.code, "RUN-004");
    assert!(failure.detail.contains("sending"), "{}", failure.detail);
    let missing = bench
        .store
        .resolve(DeliveryId(99), Resolution::Skip, "ada")
        .await
        .unwrap_err();
    assert!(matches!(missing, StoreError::Unknown { .. }));
}

#[tokio::test]
async fn a_new_mapping_reaches_only_what_is_known_not_to_have_been_sent() {
    let bench = Bench::new();
    let new = |id| {
        (
            id,
            serde_json::json!({ "text": "new" }),
            "fingerprint of new".to_owned(),
        )
    };
    for (state, allowed) in [
        (DeliveryState::Pending, true),
        (DeliveryState::Rejected, true),
        (DeliveryState::Sending, false),
        (DeliveryState::InDoubt, false),
        (DeliveryState::Delivered, false),
        (DeliveryState::Skipped, false),
    ] {
        let at = bench.put_into(state.as_str(), state).await;
        let refused = bench.store.send_anew(vec![new(at.id)], "ada").await.unwrap();
        assert_eq!(refused.is_empty(), allowed, "{state}");
        let stored = bench.store.delivery(at.id).unwrap().unwrap();
        let text = if allowed { "new" } else { "text" };
        assert_eq!(stored.request["text"], text, "{state}");
        let expected = if allowed { DeliveryState::Pending } else { state };
        assert_eq!(stored.state, expected);
        let decided = bench.store.story(at.id).unwrap().decisions;
        if state == DeliveryState::Rejected {
            assert_eq!(
                (decided[0].who.as_str(), decided[0].decision.as_str()),
                ("ada", "again")
            );
        }
    }
    assert!(bench.store.verify_chain().unwrap().is_whole());
}

#[tokio::test]
async fn a_decision_on_many_leaves_those_that_do_not_allow_it() {
    let bench = Bench::new();
    let mut ids = Vec::new();
    for state in DeliveryState::ALL {
        ids.push(bench.put_into(state.as_str(), state).await.id);
    }
    ids.push(DeliveryId(99));
    let refused = bench
        .store
        .resolve_many(ids.clone(), Resolution::Skip, "ada")
        .await
        .unwrap();
    let left: Vec<String> = refused.iter().map(ToString::to_string).collect();
    assert_eq!(left.len(), 4, "{left:?}");
    for word in ["sending", "delivered", "skipped", "does not exist"] {
        assert!(left.iter().any(|line| line.contains(word)), "{word}: {left:?}");
    }
    assert_eq!(bench.state(ids[0]), DeliveryState::Skipped);
    assert!(bench.store.verify_chain().unwrap().is_whole());
}
