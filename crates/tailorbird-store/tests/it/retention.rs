//! Rule 7: an old key stays sent.

use tailorbird_model::delivery::DeliveryState;
use tailorbird_store::Enrolment;

use crate::bench::{Bench, delivery, lane};

#[tokio::test]
async fn dropped_contents_leave_the_key_behind() {
    let bench = Bench::new();
    let settled = bench.put_into("settled", DeliveryState::Delivered).await;
    bench.store.settle(vec![settled.id]).await.unwrap();
    bench.put_into("unsettled", DeliveryState::Delivered).await;
    bench.put_into("doubt", DeliveryState::InDoubt).await;
    assert_eq!(
        bench.store.drop_contents(bench.now()).await.unwrap(),
        0,
        "nothing is old yet"
    );
    bench.advance(1);
    assert_eq!(bench.store.drop_contents(bench.now()).await.unwrap(), 1);
    let stored = bench.store.delivery(settled.id).unwrap().unwrap();
    assert!(stored.identity.key.as_str().starts_with("sha256:"));
    assert_eq!((stored.input.columns().len(), stored.result), (0, None));
    let again = bench
        .store
        .enrol(vec![delivery("settled", "text")])
        .await
        .unwrap();
    assert_eq!(again[0].enrolment, Enrolment::Already { settled: true });
    assert_eq!(bench.store.find_delivery("settled").unwrap().id, settled.id);
    let known = bench
        .store
        .known_result_ids(&lane().destination, &["77".to_owned()])
        .unwrap();
    assert!(known.contains("77"), "and so does the provider's id");
    let page = bench.raw();
    let left: i64 = page
        .query_row(
            "SELECT count(*) FROM delivery_content WHERE key = 'settled'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(left, 0);
    assert!(bench.store.verify_chain().unwrap().is_whole());
}
