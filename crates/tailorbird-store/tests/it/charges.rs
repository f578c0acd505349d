//! Limits of a service file and money, counted with the intent.

use std::sync::Arc;

use tailorbird_model::delivery::{DeliveryId, DeliveryState, Event};
use tailorbird_model::money::{Amount, Period};
use tailorbird_store::{Advanced, CallLimit, Charges, Held, Next, NextBatch, Outcome, SendingAs};

use crate::bench::{Bench, name, run};

fn limit(calls: u32) -> CallLimit {
    CallLimit {
        whose: "x".to_owned(),
        operation: "post".to_owned(),
        calls,
        seconds: 900,
        counts_items: false,
    }
}

fn charges(calls: u32, cap: Option<&str>) -> Charges {
    Charges {
        connection: Some(name("x")),
        limits: vec![limit(calls)],
        cap: cap.map(|cap| cap.parse().unwrap()),
    }
}

async fn ids(bench: &Bench, keys: &[&str]) -> Vec<DeliveryId> {
    bench.enrol(keys).await.iter().map(|new| new.id).collect()
}

async fn take(bench: &Bench, charges: &Charges, id: DeliveryId, cost: &str) -> Advanced {
    let sending = SendingAs {
        run: run(1),
        epoch: bench.lock.epoch().clone(),
        charges: charges.clone(),
    };
    let next = Next {
        id,
        cost: cost.parse().unwrap(),
        items: 1,
    };
    bench
        .store
        .advance(None, Some(next), &Arc::new(sending))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_limit_holds_over_restarts_and_begins_anew_with_its_window() {
    let bench = Bench::new();
    let ids = ids(&bench, &["a", "b", "c", "d"]).await;
    let charges = charges(2, None);
    assert!(take(&bench, &charges, ids[0], "0").await.intended.is_some());
    bench.advance(100);
    assert!(take(&bench, &charges, ids[1], "0").await.intended.is_some());
    let until = bench.after(800);
    let bench = bench.restart();
    let held = take(&bench, &charges, ids[2], "0").await;
    assert_eq!(held.intended, None, "the third of two");
    assert_eq!(
        held.held,
        Some(Held::Limit {
            limit: limit(2),
            until
        })
    );
    assert_eq!(
        bench
            .store
            .take_call(&charges, 1, Amount::default())
            .await
            .unwrap(),
        held.held
    );
    assert_eq!(bench.store.limit_uses(&[limit(2)]).unwrap()[0].used, 2);
    bench.advance(800);
    assert!(take(&bench, &charges, ids[2], "0").await.intended.is_some());
    assert_eq!(bench.store.limit_uses(&[limit(2)]).unwrap()[0].used, 1);
}

#[tokio::test]
async fn what_is_not_sent_is_not_counted() {
    let bench = Bench::new();
    let ids = ids(&bench, &["a"]).await;
    let charges = charges(5, Some("1.00/day"));
    let spent = || bench.store.spent(&name("x"), Period::Day).unwrap().to_string();
    let used = || bench.store.limit_uses(&[limit(5)]).unwrap()[0].used;
    assert!(
        take(&bench, &charges, DeliveryId(999), "0.50")
            .await
            .intended
            .is_none()
    );
    assert_eq!((used(), spent()), (0, "0.00".to_owned()));
    assert!(take(&bench, &charges, ids[0], "0.50").await.intended.is_some());
    let again = take(&bench, &charges, ids[0], "0.50").await;
    assert!(again.intended.is_none(), "it is on its way");
    assert_eq!((used(), spent()), (1, "0.50".to_owned()));
}

#[tokio::test]
async fn a_clock_that_was_set_back_parks_nobody_for_longer_than_a_window() {
    let bench = Bench::new();
    let ids = ids(&bench, &["a", "b"]).await;
    let charges = charges(1, None);
    assert!(take(&bench, &charges, ids[0], "0").await.intended.is_some());
    bench.advance(-86_400);
    let held = take(&bench, &charges, ids[1], "0").await.held;
    let until = bench.after(900);
    assert_eq!(
        held,
        Some(Held::Limit {
            limit: limit(1),
            until
        })
    );
}

#[tokio::test]
async fn a_cap_is_exact_and_begins_anew_at_midnight() {
    let bench = Bench::new();
    let ids = ids(&bench, &["a", "b", "c", "d"]).await;
    let charges = Charges {
        limits: Vec::new(),
        ..charges(1, Some("0.30/day"))
    };
    // As floats, 0.1 + 0.2 is more than 0.3.
    assert!(take(&bench, &charges, ids[0], "0.1").await.intended.is_some());
    assert!(take(&bench, &charges, ids[1], "0.2").await.intended.is_some());
    let held = take(&bench, &charges, ids[2], "0.000001").await.held;
    let (_, until) = Period::Day.around(bench.now());
    let spent: Amount = "0.3".parse().unwrap();
    assert_eq!(held, Some(Held::Cap { spent, until }));
    assert_eq!(
        take(&bench, &charges, ids[2], "0.31").await.held,
        Some(Held::NeverFits)
    );
    let free = take(&bench, &charges, ids[2], "0").await;
    assert!(free.intended.is_some(), "what is free goes");
    bench.advance(86_400);
    assert!(take(&bench, &charges, ids[3], "0.3").await.intended.is_some());
    assert_eq!(bench.store.spent(&name("x"), Period::Day).unwrap(), spent);
}

#[tokio::test]
async fn a_batch_is_one_call_so_many_items_and_one_commit() {
    let bench = Bench::new();
    let ids = ids(&bench, &["a", "b", "c", "d", "e"]).await;
    let items = CallLimit {
        counts_items: true,
        ..limit(4)
    };
    let charges = Charges {
        limits: vec![limit(2), items.clone()],
        ..charges(2, Some("1.00/day"))
    };
    let sending = Arc::new(SendingAs {
        run: run(1),
        epoch: bench.lock.epoch().clone(),
        charges,
    });
    let batch = |ids: &[DeliveryId]| NextBatch {
        ids: ids.to_vec(),
        cost: "0.10".parse().unwrap(),
        per_item: "0.01".parse().unwrap(),
    };
    // One of them is on its way already: it is left out, and not paid for.
    assert!(
        take(&bench, &Charges::default(), ids[0], "0")
            .await
            .intended
            .is_some()
    );
    let first = bench
        .store
        .advance_batch(Vec::new(), Some(batch(&ids[..4])), &sending)
        .await
        .unwrap();
    let intended: Vec<DeliveryId> = first.intended.iter().map(|intended| intended.id).collect();
    assert_eq!(intended, ids[1..4]);
    let used = |limit: &CallLimit| bench.store.limit_uses(std::slice::from_ref(limit)).unwrap()[0].used;
    assert_eq!((used(&limit(2)), used(&items)), (1, 3));
    assert_eq!(
        bench.store.spent(&name("x"), Period::Day).unwrap().to_string(),
        "0.13"
    );

    // Two more items are one too many; the outcomes are stored all the same.
    let outcomes = first
        .intended
        .iter()
        .map(|one| Outcome::new(*one, Event::NotSent))
        .collect();
    let held = bench
        .store
        .advance_batch(outcomes, Some(batch(&ids[1..3])), &sending)
        .await
        .unwrap();
    assert!(held.intended.is_empty());
    assert!(matches!(held.held, Some(Held::Limit { limit, .. }) if limit == items));
    let one = bench
        .store
        .advance_batch(Vec::new(), Some(batch(&ids[4..])), &sending)
        .await
        .unwrap();
    assert_eq!(one.intended.len(), 1);
    assert_eq!((used(&limit(2)), used(&items)), (2, 4));
    for id in &ids[1..4] {
        let delivery = bench.store.delivery(*id).unwrap().unwrap();
        assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Pending, 1));
    }
}
