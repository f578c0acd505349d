//! Lists, searches, and the ids that a look-up must not take.

use tailorbird_model::Failure;
use tailorbird_model::delivery::{DeliveryState, Destination};
use tailorbird_store::{DeliveryFilter, Lane, Outcome, StoreError};

use crate::bench::{Bench, delivery_in, lane, name, result, run};

fn keys(bench: &Bench, filter: DeliveryFilter) -> Vec<String> {
    let filter = DeliveryFilter {
        limit: if filter.limit == 0 { 100 } else { filter.limit },
        ..filter
    };
    bench
        .store
        .deliveries(&filter)
        .unwrap()
        .iter()
        .map(|one| one.identity.key.to_string())
        .collect()
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let bench = Bench::new();
    bench.put_into("Product-1", DeliveryState::Delivered).await;
    bench.put_into("product-2", DeliveryState::Rejected).await;
    bench.put_into("order-1", DeliveryState::InDoubt).await;
    let mut other = delivery_in(
        &Lane {
            task: name("other"),
            ..lane()
        },
        "other-1",
        "text",
    );
    other.run = run(2);
    bench.store.enrol(vec![other]).await.unwrap();
    let all = DeliveryFilter::default;
    assert_eq!(
        keys(&bench, all()),
        ["Product-1", "product-2", "order-1", "other-1"]
    );
    assert_eq!(
        keys(
            &bench,
            DeliveryFilter {
                task: Some(name("other")),
                ..all()
            }
        ),
        ["other-1"]
    );
    assert_eq!(
        keys(
            &bench,
            DeliveryFilter {
                run: Some(run(2)),
                ..all()
            }
        ),
        ["other-1"]
    );
    assert_eq!(
        keys(
            &bench,
            DeliveryFilter {
                key_contains: Some("PRODUCT".to_owned()),
                ..all()
            }
        ),
        ["Product-1", "product-2"]
    );
    let states = vec![DeliveryState::Rejected, DeliveryState::InDoubt];
    assert_eq!(
        keys(&bench, DeliveryFilter { states, ..all() }),
        ["product-2", "order-1"]
    );
    let first = bench
        .store
        .deliveries(&DeliveryFilter { limit: 2, ..all() })
        .unwrap();
    let after = Some(first[1].id);
    assert_eq!(
        keys(
            &bench,
            DeliveryFilter {
                after,
                limit: 2,
                ..all()
            }
        ),
        ["order-1", "other-1"]
    );
    assert_eq!(
        keys(
            &bench,
            DeliveryFilter {
                connection: Some(name("nobody")),
                ..all()
            }
        ),
        [""; 0]
    );
}

#[tokio::test]
async fn a_delivery_is_found_by_key_or_number_and_never_guessed() {
    let bench = Bench::new();
    let first = bench.enrol(&["sku-1"]).await[0].id;
    assert_eq!(bench.store.find_delivery("sku-1").unwrap().id, first);
    assert_eq!(bench.store.find_delivery(&first.to_string()).unwrap().id, first);
    // A key that looks like the number of another delivery.
    let second = bench.enrol(&[&first.to_string()]).await[0].id;
    let error = bench.store.find_delivery(&first.to_string()).unwrap_err();
    let StoreError::Ambiguous { candidates, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(candidates.len(), 2);
    assert!(Failure::from(error).detail.contains("announce/post"));
    assert_eq!(bench.store.find_delivery(&format!("#{first}")).unwrap().id, first);
    assert_eq!(
        bench.store.find_delivery(&format!("#{second}")).unwrap().id,
        second
    );
    let missing = Failure::from(bench.store.find_delivery("nothing").unwrap_err());
    assert_eq!(missing.code, "RUN-003");
    // The same key in two tasks.
    let other = Lane {
        task: name("other"),
        ..lane()
    };
    bench
        .store
        .enrol(vec![delivery_in(&other, "sku-1", "text")])
        .await
        .unwrap();
    assert!(matches!(
        bench.store.find_delivery("sku-1"),
        Err(StoreError::Ambiguous { .. })
    ));
}

#[tokio::test]
async fn ids_that_any_task_holds_at_that_destination_are_known() {
    let bench = Bench::new();
    let at = bench.put_into("k", DeliveryState::Sending).await;
    bench.record(Outcome::accepted(at, result("100"))).await.unwrap();
    let candidates = ["99".to_owned(), "100".to_owned()];
    let known = bench
        .store
        .known_result_ids(&lane().destination, &candidates)
        .unwrap();
    assert_eq!(known.into_iter().collect::<Vec<_>>(), ["100"]);
    let elsewhere = Destination::new("http://127.0.0.1:1", "42");
    assert!(
        bench
            .store
            .known_result_ids(&elsewhere, &candidates)
            .unwrap()
            .is_empty()
    );
}
