//! Many writers share commits, and none of them spoils the others.

use tailorbird_model::delivery::{DeliveryId, DeliveryState};
use tailorbird_store::{Enrolment, Resolution, Store};

use crate::bench::{Bench, delivery};

const WRITERS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_share_few_commits() {
    let bench = Bench::new();
    let before = bench.store.commits();
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let store = bench.store.clone();
            tokio::spawn(async move {
                // Every tenth fails inside the same transactions.
                if number % 10 == 0 {
                    let missing = store
                        .resolve(DeliveryId(1_000_000), Resolution::Skip, "nobody")
                        .await;
                    assert!(missing.is_err());
                }
                store
                    .enrol(vec![delivery(&format!("key-{number}"), "text")])
                    .await
                    .unwrap()
            })
        })
        .collect();
    for writer in writers {
        assert_eq!(writer.await.unwrap()[0].enrolment, Enrolment::New);
    }
    let commits = bench.store.commits() - before;
    println!("{WRITERS} writers, {commits} commits");
    assert!(commits < 110, "{commits} commits for {WRITERS} writers");
    let count: i64 = bench
        .raw()
        .query_row("SELECT count(*) FROM delivery", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 200);
    assert!(bench.store.verify_chain().unwrap().is_whole());
}

#[tokio::test]
async fn a_caller_that_stops_waiting_does_not_stop_its_job() {
    let bench = Bench::new();
    let store = bench.store.clone();
    let waiting = tokio::spawn(async move { store.enrol(vec![delivery("k", "text")]).await });
    tokio::task::yield_now().await;
    waiting.abort();
    // A later write is answered after the earlier one is committed.
    bench.store.settle(Vec::new()).await.unwrap();
    let found = bench.store.find_delivery("k");
    assert_eq!(found.unwrap().state, DeliveryState::Pending);
}

#[tokio::test]
async fn two_processes_may_write_at_the_same_time() {
    let bench = Bench::new();
    let other = Store::open_with_clock(&bench.home, bench.clock()).unwrap();
    for round in 0..20 {
        let one = bench.store.enrol(vec![delivery(&format!("one-{round}"), "text")]);
        let two = other.enrol(vec![delivery(&format!("two-{round}"), "text")]);
        let (one, two) = tokio::join!(one, two);
        assert_ne!(one.unwrap()[0].id, two.unwrap()[0].id);
    }
    let report = bench.store.verify_chain().unwrap();
    assert!(report.is_whole(), "{report:?}");
    assert_eq!(report.deliveries, 40);
}
