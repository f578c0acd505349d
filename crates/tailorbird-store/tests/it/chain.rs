//! Rule 8: whoever edits the file is found out.

use tailorbird_model::delivery::DeliveryState;

use crate::bench::Bench;

#[tokio::test]
async fn each_edit_by_hand_is_found() {
    for (edit, breaks_link) in [
        ("UPDATE delivery SET state = 'pending' WHERE id = 2", false),
        ("UPDATE delivery SET delivered_at = delivered_at + 1 WHERE id = 2", false),
        ("UPDATE delivery SET result_id = '1' WHERE id = 2", false),
        ("UPDATE delivery SET key_hash = zeroblob(32) WHERE id = 2", false),
        ("DELETE FROM delivery WHERE id = 2", false),
        (
            "INSERT INTO delivery (lane, key_hash, state, run, connection, operation, fingerprint, delivered_at,
                                   enrolled_at, updated_at)
             VALUES (1, zeroblob(32), 'delivered', 'r', 'c', 'o', 'f', 1, 1, 1)",
            false,
        ),
        ("UPDATE chain_link SET at = at + 1 WHERE number = 2", true),
        ("UPDATE chain_link SET changes = zeroblob(24) WHERE number = 2", true),
        ("DELETE FROM chain_link WHERE number = 2", true),
    ] {
        let bench = Bench::new();
        for key in ["a", "b", "c"] {
            bench.put_into(key, DeliveryState::Delivered).await;
        }
        let report = bench.store.verify_chain().unwrap();
        assert!(report.is_whole(), "{report:?}");
        assert_eq!((report.links, report.deliveries), (9, 3), "three commits for each delivery");
        assert_eq!(report.head, bench.store.chain_head().unwrap());
        let raw = bench.raw();
        raw.pragma_update(None, "foreign_keys", false).unwrap();
        assert_eq!(raw.execute(edit, []).unwrap(), 1);
        let report = bench.store.verify_chain().unwrap();
        assert!(!report.is_whole(), "{edit}");
        assert_eq!(report.broken_link.is_some(), breaks_link, "{edit}: {report:?}");
    }
}

#[tokio::test]
async fn marking_as_settled_is_no_edit() {
    let bench = Bench::new();
    let at = bench.put_into("a", DeliveryState::Delivered).await;
    let before = bench.store.chain_head().unwrap();
    bench.store.settle(vec![at.id]).await.unwrap();
    assert_eq!(bench.store.chain_head().unwrap(), before);
    assert!(bench.store.verify_chain().unwrap().is_whole());
}

#[tokio::test]
async fn a_true_link_of_another_past_does_not_fit_in() {
    let bench = Bench::new();
    bench.enrol(&["a"]).await;
    bench.enrol(&["b"]).await;
    let raw = bench.raw();
    raw.execute_batch("CREATE TABLE kept AS SELECT * FROM chain_link WHERE number = 2; DELETE FROM chain_link WHERE number = 2")
        .unwrap();
    // The second link is made again with other content; the third one covers it.
    bench.enrol(&["c"]).await;
    bench.enrol(&["d"]).await;
    raw.execute_batch("REPLACE INTO chain_link SELECT * FROM kept")
        .unwrap();
    assert_eq!(bench.store.verify_chain().unwrap().broken_link, Some(3));
}
