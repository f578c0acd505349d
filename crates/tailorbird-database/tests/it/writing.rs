//! What an upsert writes and refuses, beyond the contract.

use jiff::Timestamp;
use tailorbird_database::{CURSOR_TABLE, CursorMove};
use tailorbird_model::Value;
use tailorbird_model::value::parse_decimal;

use crate::bench::{Bench, keys, record, rows, told};

fn decimal(text: &str) -> Value {
    Value::Decimal(parse_decimal(text).unwrap())
}

#[test]
fn many_rows_go_in_one_transaction_and_a_bad_one_takes_all_back() {
    let bench = Bench::new();
    let mut link = bench.writer();
    let mut records: Vec<_> = (0..2500)
        .map(|number| record(&[("sku", format!("S-{number}").into()), ("name", "bulk".into())]))
        .collect();
    assert_eq!(
        link.upsert("products", &keys(&["sku"]), &records).unwrap().rows,
        2500
    );
    records[1234] = record(&[("sku", "S-1234".into()), ("name", Value::Null)]);
    records[7] = record(&[("sku", "S-7".into()), ("name", "never".into())]);
    let failure = told(link.upsert("products", &keys(&["sku"]), &records));
    assert_eq!(
        failure.message,
        "the database refused row 1235: NOT NULL constraint failed: products.name"
    );
    assert_eq!(
        rows(
            &mut link,
            "SELECT count(*) AS n, sum(name = 'never') AS never FROM products"
        ),
        r#"[{"n":2503,"never":0}]"#
    );
}

#[test]
fn records_of_different_columns_go_side_by_side() {
    let bench = Bench::new();
    let mut link = bench.writer();
    let records = [
        record(&[("sku", "A-1".into()), ("post_id", "1".into())]),
        record(&[
            ("posted_at", "2026-11-23T10:00:00Z".into()),
            ("SKU", "A-1".into()),
        ]),
    ];
    link.upsert("Product_Posts", &keys(&["sku"]), &records).unwrap();
    assert_eq!(
        rows(&mut link, "SELECT * FROM product_posts"),
        r#"[{"sku":"A-1","post_id":"1","posted_at":"2026-11-23T10:00:00Z"}]"#
    );
}

#[test]
fn names_and_values_are_never_sql() {
    let bench = Bench::new();
    bench
        .raw()
        .execute_batch(r#"CREATE TABLE "odd ""name""" ("the key" TEXT PRIMARY KEY, "select" TEXT)"#)
        .unwrap();
    let mut link = bench.writer();
    let row = [record(&[
        ("the key", "'); DROP TABLE products; --".into()),
        ("select", "\"x\"".into()),
    ])];
    link.upsert("odd \"name\"", &keys(&["the key"]), &row).unwrap();
    assert_eq!(
        rows(
            &mut link,
            r#"SELECT "select" AS s FROM "odd ""name""" WHERE "the key" LIKE '%DROP%'"#
        ),
        r#"[{"s":"\"x\""}]"#
    );
    assert_eq!(
        rows(&mut link, "SELECT count(*) AS n FROM products"),
        r#"[{"n":3}]"#
    );
}

#[test]
fn decimals_are_written_exactly_or_not_at_all() {
    let bench = Bench::new();
    bench
        .raw()
        .execute_batch("CREATE TABLE money (id INTEGER PRIMARY KEY, n NUMERIC, t TEXT, r REAL)")
        .unwrap();
    let mut link = bench.writer();
    let long = "1234567890123456789.01";
    let row = |id: i64, column: &str, text: &str| [record(&[("id", id.into()), (column, decimal(text))])];
    link.upsert("money", &keys(&["id"]), &row(1, "n", "19.90"))
        .unwrap();
    link.upsert("money", &keys(&["id"]), &row(2, "t", long)).unwrap();
    link.upsert("money", &keys(&["id"]), &row(3, "n", "9007199254740993"))
        .unwrap();
    assert_eq!(
        rows(&mut link, "SELECT coalesce(n, t) AS v FROM money ORDER BY id"),
        r#"[{"v":"19.9"},{"v":"1234567890123456789.01"},{"v":"9007199254740993"}]"#
    );
    for (column, text) in [("n", long), ("r", "9007199254740993")] {
        let failure = told(link.upsert("money", &keys(&["id"]), &row(4, column, text)));
        assert_eq!(failure.code, "DB-008");
        assert!(
            failure.message.contains("row 1") && failure.message.contains(text),
            "{}",
            failure.message
        );
    }
}

#[test]
fn rows_that_cannot_be_found_again_are_refused() {
    let bench = Bench::new();
    let mut link = bench.writer();
    let rows = [
        record(&[("sku", "A-1".into()), ("name", "a".into())]),
        record(&[("sku", Value::Null), ("name", "b".into())]),
    ];
    let failure = told(link.upsert("products", &keys(&["sku"]), &rows));
    assert_eq!(failure.message, "the key column \"sku\" is null in row 2");
    for key in [keys(&[]), keys(&["price"])] {
        assert_eq!(told(link.upsert("products", &key, &rows)).code, "DB-006");
    }
    let nul = [record(&[("sku", "A\0".into()), ("name", "a".into())])];
    let failure = told(link.upsert("products", &keys(&["sku"]), &nul));
    assert!(
        failure
            .message
            .contains("\"sku\" of row 1 would get text with a NUL"),
        "{}",
        failure.message
    );
    let failure = told(link.upsert("published", &keys(&["sku"]), &rows));
    assert!(failure.message.contains("is a view"), "{}", failure.message);
}

#[test]
fn a_key_that_is_unique_only_in_part_is_looked_for_row_by_row() {
    let bench = Bench::new();
    bench
        .raw()
        .execute_batch(
            "CREATE TABLE t (a INTEGER, b INTEGER, c INTEGER, UNIQUE (a, b));
             CREATE UNIQUE INDEX partial ON t (c) WHERE c > 100;",
        )
        .unwrap();
    let mut link = bench.writer();
    let row = [record(&[
        ("b", 1_i64.into()),
        ("a", 2_i64.into()),
        ("c", 3_i64.into()),
    ])];
    assert!(
        link.upsert("t", &keys(&["b", "a"]), &row)
            .unwrap()
            .by_unique_index,
        "in any order"
    );
    assert!(!link.upsert("t", &keys(&["a"]), &row).unwrap().by_unique_index);
    assert!(!link.upsert("t", &keys(&["c"]), &row).unwrap().by_unique_index);
    assert_eq!(rows(&mut link, "SELECT * FROM t"), r#"[{"a":2,"b":1,"c":3}]"#);
}

#[test]
fn the_cursor_table_is_made_only_where_it_is_used() {
    let bench = Bench::new();
    let mut link = bench.writer();
    let row = [record(&[("sku", "A-1".into()), ("post_id", "1".into())])];
    link.upsert("product_posts", &keys(&["sku"]), &row).unwrap();
    let names = |link: &mut tailorbird_database::Link| -> Vec<String> {
        link.tables()
            .unwrap()
            .into_iter()
            .map(|table| table.name)
            .collect()
    };
    assert!(!names(&mut link).iter().any(|name| name == CURSOR_TABLE));
}

#[test]
fn the_owners_foreign_keys_hold() {
    let bench = Bench::new();
    bench
        .raw()
        .execute_batch("CREATE TABLE stock (sku TEXT PRIMARY KEY REFERENCES products (sku), n INTEGER)")
        .unwrap();
    let mut link = bench.writer();
    let row = |sku: &str| [record(&[("sku", sku.into()), ("n", Value::Integer(1))])];
    link.upsert("stock", &keys(&["sku"]), &row("A-1")).unwrap();
    let failure = told(link.upsert("stock", &keys(&["sku"]), &row("Z-9")));
    assert_eq!(
        failure.message,
        "the database refused row 1: FOREIGN KEY constraint failed"
    );
}

#[test]
fn a_cursor_that_cannot_be_stored_takes_the_records_back() {
    let bench = Bench::new();
    bench
        .raw()
        .execute_batch(&format!(
            "CREATE TABLE {CURSOR_TABLE} (task TEXT, step TEXT, value TEXT, updated_at TEXT, PRIMARY KEY (task, step));
             CREATE TRIGGER no BEFORE INSERT ON {CURSOR_TABLE} BEGIN SELECT raise(ABORT, 'not here'); END"
        ))
        .unwrap();
    let mut link = bench.writer();
    let cursor = CursorMove {
        task: "collect".parse().unwrap(),
        step: "mentions".parse().unwrap(),
        value: serde_json::json!(1),
        now: Timestamp::UNIX_EPOCH,
    };
    let row = [record(&[("sku", "A-1".into()), ("name", "never".into())])];
    let failure = told(link.upsert_with_cursor("products", &keys(&["sku"]), &row, &cursor));
    assert!(failure.message.contains("not here"), "{}", failure.message);
    assert_eq!(
        rows(&mut link, "SELECT name FROM products WHERE sku = 'A-1'"),
        r#"[{"name":"Kettle"}]"#
    );
}
