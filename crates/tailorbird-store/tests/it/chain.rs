//! Rule 8: whoever edits the file is found out, and told what does not fit.

use tailorbird_model::delivery::DeliveryState;
use tailorbird_store::{ChainHead, MAX_MISFITS, Misfit};

use crate::bench::Bench;

/// Three delivered deliveries: nine links, three for each.
async fn three_delivered() -> Bench {
    let bench = Bench::new();
    for key in ["a", "b", "c"] {
        bench.put_into(key, DeliveryState::Delivered).await;
    }
    let report = bench.store.verify_chain().unwrap();
    assert!(report.is_whole(), "{report:?}");
    assert_eq!(
        (report.links, report.deliveries),
        (9, 3),
        "three commits for each delivery"
    );
    assert_eq!(report.head, bench.store.chain_head().unwrap());
    bench
}

#[tokio::test]
async fn each_edit_by_hand_is_found_and_named() {
    let altered = |delivery| vec![Misfit::RowAltered { delivery }];
    for (edit, expected) in [
        ("UPDATE delivery SET state = 'pending' WHERE id = 2", altered(2)),
        (
            "UPDATE delivery SET delivered_at = delivered_at + 1 WHERE id = 2",
            altered(2),
        ),
        ("UPDATE delivery SET result_id = '1' WHERE id = 2", altered(2)),
        ("UPDATE delivery SET key_hash = zeroblob(32) WHERE id = 2", altered(2)),
        (
            "DELETE FROM delivery WHERE id = 2",
            vec![Misfit::RowMissing { delivery: 2 }],
        ),
        (
            "INSERT INTO delivery (lane, key_hash, state, run, connection, operation, fingerprint, delivered_at,
                                   enrolled_at, updated_at)
             VALUES (1, zeroblob(32), 'delivered', 'r', 'c', 'o', 'f', 1, 1, 1)",
            vec![Misfit::RowUnknown { delivery: 4 }],
        ),
        (
            "UPDATE chain_link SET at = at + 1 WHERE number = 2",
            vec![Misfit::LinkAltered { link: 2 }],
        ),
        (
            "DELETE FROM chain_link WHERE number = 2",
            vec![Misfit::LinksMissing { from: 2, to: 2 }],
        ),
        (
            "DELETE FROM chain_link WHERE number = 1",
            vec![Misfit::LinksMissing { from: 1, to: 1 }],
        ),
        // The end cut off: what the last link said of its row is not true of the link before.
        ("DELETE FROM chain_link WHERE number = 9", altered(3)),
        (
            "UPDATE chain_link SET mac = (SELECT mac FROM chain_link WHERE number = 3) WHERE number = 4",
            vec![Misfit::LinkAltered { link: 5 }, Misfit::LinkAltered { link: 4 }],
        ),
    ] {
        let bench = three_delivered().await;
        let raw = bench.raw();
        raw.pragma_update(None, "foreign_keys", false).unwrap();
        assert_eq!(raw.execute(edit, []).unwrap(), 1);
        let report = bench.store.verify_chain().unwrap();
        assert!(!report.is_whole(), "{edit}");
        assert_eq!(report.named, expected, "{edit}");
    }
}

#[tokio::test]
async fn two_links_that_changed_places_are_found() {
    let bench = three_delivered().await;
    bench
        .raw()
        .execute_batch(
            "UPDATE chain_link SET number = 100 WHERE number = 4; UPDATE chain_link SET number = 4 WHERE number = 5;
             UPDATE chain_link SET number = 5 WHERE number = 100;",
        )
        .unwrap();
    let named = bench.store.verify_chain().unwrap().named;
    for link in [4, 5, 6] {
        assert!(named.contains(&Misfit::LinkAltered { link }), "{link}: {named:?}");
    }
}

/// Rows and links cut off together leave a chain that fits: only a link noted elsewhere tells.
#[tokio::test]
async fn an_end_cut_off_whole_shows_by_a_link_noted_elsewhere() {
    let bench = three_delivered().await;
    let noted = bench.store.chain_head().unwrap().unwrap();
    let earlier = ChainHead {
        number: 6,
        mac: bench
            .raw()
            .query_row(
                "SELECT lower(hex(mac)) FROM chain_link WHERE number = 6",
                [],
                |row| row.get(0),
            )
            .unwrap(),
    };
    let check = |noted: &ChainHead| {
        bench
            .store
            .verify_chain_with(Some(noted), &mut |_, _| ())
            .unwrap()
    };
    assert!(check(&noted).is_whole());
    bench
        .raw()
        .execute_batch(
            "PRAGMA foreign_keys = OFF; DELETE FROM delivery WHERE id = 3; DELETE FROM chain_link WHERE number > 6;",
        )
        .unwrap();
    assert!(
        bench.store.verify_chain().unwrap().is_whole(),
        "nothing in the file tells"
    );
    assert_eq!(check(&noted).named, [Misfit::HeadGone { noted: noted.clone() }]);
    assert!(
        check(&earlier).is_whole(),
        "what was noted before the cut is there"
    );
    let forged = ChainHead {
        mac: "00".repeat(32),
        ..earlier
    };
    assert_eq!(check(&forged).misfits, 1);
}

#[tokio::test]
async fn more_misfits_than_are_named_are_counted() {
    let bench = Bench::new();
    let keys: Vec<String> = (0..MAX_MISFITS + 5)
        .map(|number| format!("key-{number}"))
        .collect();
    bench
        .enrol(&keys.iter().map(String::as_str).collect::<Vec<_>>())
        .await;
    bench
        .raw()
        .execute("UPDATE delivery SET fingerprint = 'other'", [])
        .unwrap();
    let report = bench.store.verify_chain().unwrap();
    assert_eq!((report.misfits, report.named.len()), (105, MAX_MISFITS));
}

#[tokio::test]
async fn deliveries_that_never_were_hide_no_altered_link() {
    let bench = three_delivered().await;
    let mut changes = Vec::new();
    for number in 0..20_000_i64 {
        changes.extend_from_slice(&(number * 1_000_003_000).to_be_bytes());
        changes.extend_from_slice(&[0; 16]);
    }
    bench
        .raw()
        .execute("UPDATE chain_link SET changes = ?1 WHERE number = 9", [changes])
        .unwrap();
    let report = bench.store.verify_chain().unwrap();
    assert!(report.named.contains(&Misfit::LinkAltered { link: 9 }) && report.misfits > 20_000);
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
    let named = bench.store.verify_chain().unwrap().named;
    assert!(named.contains(&Misfit::LinkAltered { link: 3 }), "{named:?}");
}

/// A measurement as much as a test: the rows come from `TAILORBIRD_VERIFY_ROWS` where a person sets it.
#[tokio::test]
async fn a_long_chain_is_checked_in_little_memory() {
    let rows: usize = std::env::var_os("TAILORBIRD_VERIFY_ROWS")
        .map_or(20_000, |rows| rows.into_string().unwrap().parse().unwrap());
    let bench = Bench::new();
    let mut number = 0;
    while number < rows {
        let keys: Vec<String> = (number..(number + 10_000).min(rows))
            .map(|n| n.to_string())
            .collect();
        bench
            .enrol(&keys.iter().map(String::as_str).collect::<Vec<_>>())
            .await;
        number += keys.len();
    }
    let before = peak_kib();
    let begun = std::time::Instant::now();
    let mut told = 0;
    let report = bench
        .store
        .verify_chain_with(None, &mut |done, total| {
            assert!(done <= total);
            told += 1;
        })
        .unwrap();
    assert!(report.is_whole() && told > 0, "{report:?}");
    let grown = peak_kib().saturating_sub(before);
    println!("{rows} deliveries: {:?}, {grown} KiB more", begun.elapsed());
    assert!(grown < 8 * 1024, "{grown} KiB for {rows} rows");
}

/// The most memory that this process has ever had resident.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
