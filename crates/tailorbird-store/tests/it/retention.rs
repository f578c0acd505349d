//! Rule 7: an old key stays sent.

use tailorbird_model::delivery::{DeliveryId, DeliveryState};
use tailorbird_store::{Enrolment, Retention};

use crate::bench::{Bench, delivery, lane};

#[tokio::test]
async fn dropped_contents_leave_the_key_behind() {
    let bench = Bench::new();
    let settled = bench.put_into("settled", DeliveryState::Delivered).await;
    bench.store.settle(vec![settled.id]).await.unwrap();
    bench.put_into("unsettled", DeliveryState::Delivered).await;
    bench.put_into("doubt", DeliveryState::InDoubt).await;
    let all: Vec<DeliveryId> = (1..=3).map(DeliveryId).collect();
    let drop = async || {
        let expired = bench.store.expired(bench.now(), DeliveryId(0), 10).unwrap();
        assert_eq!(
            bench.store.count_expired(bench.now()).unwrap(),
            u64::try_from(expired.len()).unwrap()
        );
        let dropped = bench
            .store
            .drop_contents_of(all.clone(), bench.now())
            .await
            .unwrap();
        assert_eq!(
            dropped,
            expired.len(),
            "what may not go stays, also where it is named"
        );
        dropped
    };
    assert_eq!(drop().await, 0, "nothing is old yet");
    bench.advance(1);
    assert_eq!(drop().await, 1);
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

#[tokio::test]
async fn the_default_is_generous_and_the_least_is_a_day() {
    let bench = Bench::new();
    let before = |retention: &Retention| retention.ended_before(bench.now());
    let stored = bench.store.retention().unwrap();
    assert_eq!(before(&stored), Some(bench.after(-400 * 86_400)));
    let short = Retention {
        keep_seconds: Some(1),
        archive: Some("archive".into()),
    };
    bench.store.set_retention(short.clone()).await.unwrap();
    assert_eq!(bench.store.retention().unwrap(), short);
    assert_eq!(before(&short), Some(bench.after(-86_400)));
    let for_ever = Retention {
        keep_seconds: None,
        ..short
    };
    assert_eq!(before(&for_ever), None);
}
