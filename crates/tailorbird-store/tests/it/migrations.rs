//! The schema goes forward only.

use tailorbird_model::Failure;
use tailorbird_store::{APPLICATION_ID, Store};

use crate::bench::Bench;

#[tokio::test]
async fn a_newer_schema_is_refused_with_words() {
    let bench = Bench::new();
    bench
        .raw()
        .execute(
            "INSERT INTO schema_version (version, applied_at) VALUES (99, 0)",
            [],
        )
        .unwrap();
    let failure = Failure::from(Store::open(&bench.home).unwrap_err());
    assert_eq!(failure.code, "HOME-002");
    assert!(failure.message.contains("schema 99"), "{}", failure.message);
    assert!(failure.hint.contains("newer"), "{}", failure.hint);
}

#[tokio::test]
async fn opening_twice_applies_nothing_twice_and_leaves_a_sound_file() {
    let bench = Bench::new().restart().restart();
    let raw = bench.raw();
    let versions: Vec<i64> = raw
        .prepare("SELECT version FROM schema_version ORDER BY version")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(versions, [1, 2, 3, 4]);
    let id: i32 = raw
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .unwrap();
    assert_eq!(id, APPLICATION_ID);
    let mode: String = raw
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
    let check: String = raw
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
}
