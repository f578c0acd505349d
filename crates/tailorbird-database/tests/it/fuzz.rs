//! Fuzz targets: whatever a business database holds, however its columns are declared, is read or refused.

use proptest::prelude::*;
use rusqlite::types::Value as Cell;
use tailorbird_database::{Folder, Guard, Pattern, open};
use tailorbird_model::Value;

use crate::bench::{Bench, database, limits, none, told};

#[path = "../../../../tests/fuzz/spoil.rs"]
#[allow(dead_code, reason = "other crates use the rest")]
mod spoil;
use spoil::{fewer, spoilt, spoilt_bytes};

const TYPES: &[&str] = &[
    "DECIMAL(10,2)",
    "DECIMAL(99999,28)",
    "NUMERIC",
    "BOOLEAN",
    "DATE",
    "DATETIME",
    "TIMESTAMPTZ",
    "JSON",
    "INTEGER",
    "VARCHAR(3)",
    "BLOB",
    "REAL",
    "\"DECIMAL(10,-2)\"",
    "\"DECIMAL(,)\"",
    "MONEY",
    "",
];

fn cell() -> impl Strategy<Value = Cell> {
    let text = spoilt(
        [
            "2026-11-23 10:00:00",
            "2026-11-23T10:00:00+01:00",
            "19.90",
            "-1e400",
            "{\"a\":[1]}",
            "true",
            "00012",
        ]
        .map(str::to_owned)
        .into(),
        &[
            "0", "9", ".", "-", "e", "E-", ":", "T", "Z", "{", "[", "\"", "NaN", "\u{0}", "é",
        ],
    );
    prop_oneof![
        Just(Cell::Null),
        any::<i64>().prop_map(Cell::Integer),
        any::<f64>().prop_map(Cell::Real),
        text.prop_map(Cell::Text),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Cell::Blob),
    ]
}

proptest! {
    #![proptest_config(fewer(2))]

    #[test]
    fn cells(rows in prop::collection::vec((prop::sample::select(TYPES), cell()), 1..12), bad_utf8: bool) {
        let bench = Bench::new();
        let db = bench.raw();
        for (index, (declared, cell)) in rows.iter().enumerate() {
            db.execute_batch(&format!("CREATE TABLE f{index} (a {declared})")).unwrap();
            db.execute(&format!("INSERT INTO f{index} VALUES (?1)"), [cell]).unwrap();
        }
        if bad_utf8 {
            db.execute_batch("INSERT INTO f0 VALUES (CAST(X'FFFE41' AS TEXT))").unwrap();
        }
        let mut link = bench.reader();
        for index in 0..rows.len() {
            match link.query(&format!("SELECT a FROM f{index}"), &none(), 10) {
                Ok(found) => {
                    let stored = serde_json::to_string(&found.records[0]).unwrap();
                    let again: tailorbird_model::Record = serde_json::from_str(&stored).unwrap();
                    prop_assert_eq!(&again, &found.records[0], "what the ledger keeps is what was read");
                }
                Err(error) => prop_assert!(!told::<()>(Err(error)).message.is_empty()),
            }
        }
    }

    #[test]
    fn statements(sql in spoilt(
        ["SELECT sku, price FROM products WHERE price > :least ORDER BY sku", "WITH t AS (SELECT 1 AS a) SELECT a FROM t"].map(str::to_owned).into(),
        &["SELECT ", "'", "\"", ";", "--", "/*", "*/", "(", ")", ":a", "?", "UNION ", "DELETE FROM products", "PRAGMA ", "x'", "\u{0}", "ATTACH 'a' AS b", "randomblob(9)"],
    )) {
        let bench = Bench::new();
        let before: i64 = bench.raw().query_row("SELECT count(*) FROM products", [], |row| row.get(0)).unwrap();
        let mut link = bench.writer();
        drop(link.query(&sql, &none(), 10));
        drop(link.describe(&sql));
        let after: i64 = bench.raw().query_row("SELECT count(*) FROM products", [], |row| row.get(0)).unwrap();
        prop_assert_eq!(before, after, "a query changes nothing");
    }

    #[test]
    fn files_that_are_no_database(bytes in spoilt_bytes(vec![std::fs::read(Bench::new().file()).unwrap()])) {
        let bench = Bench::new();
        let path = bench.path("spoilt.db");
        std::fs::write(&path, &bytes).unwrap();
        match open(&database(&path, false), &Guard::default()) {
            Ok(mut link) => {
                drop(link.tables());
                drop(link.query("SELECT * FROM products", &none(), 10));
            }
            Err(error) => prop_assert!(!told::<()>(Err(error)).message.is_empty()),
        }
    }

    #[test]
    fn names_in_a_folder(names in prop::collection::btree_set("[^/\\x00]{1,20}", 0..6)) {
        let bench = Bench::new();
        let folder = bench.path("in");
        std::fs::create_dir(&folder).unwrap();
        for name in names.iter().filter(|name| *name != "." && *name != "..") {
            std::fs::write(folder.join(name), "x").unwrap();
        }
        let look = Folder::open(&folder, &Guard::default()).unwrap().look(&Pattern::new("*").unwrap()).unwrap();
        prop_assert!(look.files.len() <= names.len());
    }
}

#[test]
fn a_number_of_a_million_digits_stays_a_text() {
    let bench = Bench::new();
    let db = bench.raw();
    db.execute_batch("CREATE TABLE long (a DECIMAL(10,2))").unwrap();
    // With a letter at its end SQLite keeps it as a text; the library's parser would call itself a million times.
    let text = format!("{}x", "0".repeat(1_000_000));
    db.execute("INSERT INTO long VALUES (?1)", [&text]).unwrap();
    let mut link =
        tailorbird_database::open_with_limits(&database(&bench.file(), false), &Guard::default(), limits())
            .unwrap();
    let found = link.query("SELECT a FROM long", &none(), 1).unwrap();
    assert_eq!(found.records[0].get("a"), Some(&Value::Text(text)));
}
