//! One SELECT and nothing else; what is wrong with a statement is said in words.

use std::time::Duration;

use tailorbird_database::{Guard, Limits, open_with_limits};
use tailorbird_model::Value;

use crate::bench::{Bench, database, limits, none, told, with};

#[test]
fn only_one_statement_that_reads() {
    let bench = Bench::new();
    // Writable, so that the refusal is not the file's.
    let mut link = bench.writer();
    for (sql, words) in [
        ("UPDATE products SET name = 'x'", "must be one SELECT"),
        (
            "INSERT INTO log VALUES ('a', 'b') RETURNING at",
            "must be one SELECT",
        ),
        (
            "WITH gone AS (SELECT 1) DELETE FROM products",
            "not allowed to write to products",
        ),
        ("DROP TABLE products", "must be one SELECT"),
        ("CREATE TEMP TABLE t (a)", "must be one SELECT"),
        ("VACUUM INTO 'copy.db'", "must be one SELECT"),
        ("BEGIN", "must be one SELECT"),
        ("PRAGMA journal_mode = DELETE", "must be one SELECT"),
        ("PRAGMA table_info(products)", "must be one SELECT"),
        ("EXPLAIN SELECT 1", "must be one SELECT"),
        (
            "-- a comment\n/* and another */ DELETE FROM products",
            "must be one SELECT",
        ),
        ("SELECT 1; SELECT 2", "more than one statement"),
        ("SELECT 1; DROP TABLE products", "not allowed to"),
        ("  -- nothing\n", "there is no statement"),
        ("", "there is no statement"),
    ] {
        let failure = told(link.query(sql, &none(), 10));
        assert_eq!(failure.code, "DB-004", "{sql}");
        assert!(failure.message.contains(words), "{sql}: {}", failure.message);
    }
    assert_eq!(
        link.query("SELECT count(*) AS n FROM products", &none(), 10)
            .unwrap()
            .records[0]
            .to_json()["n"],
        3
    );
    for sql in [
        "  select 1 as a ;  ",
        "WITH t AS (SELECT 1 AS a) SELECT a FROM t",
        "VALUES (1)",
        "-- c\nSELECT 1 AS a -- d",
    ] {
        assert_eq!(link.query(sql, &none(), 10).unwrap().records.len(), 1, "{sql}");
    }
    assert!(!bench.path("copy.db").exists());
}

#[test]
fn other_files_and_extensions_are_out_of_reach() {
    let bench = Bench::new();
    let other = bench.path("other.db");
    tailorbird_database::create(&other, "CREATE TABLE secrets (a)").unwrap();
    let mut link = bench.writer();
    let attach = format!("ATTACH DATABASE '{}' AS other", other.display());
    let failure = told(link.query(&attach, &none(), 1));
    assert_eq!(failure.code, "DB-004");
    for sql in ["SELECT load_extension('x')", "SELECT * FROM pragma_journal_mode"] {
        let failure = told(link.query(sql, &none(), 1));
        assert!(
            failure.message.contains("not allowed to"),
            "{sql}: {}",
            failure.message
        );
    }
    assert_eq!(
        link.query("SELECT name FROM pragma_table_info('products')", &none(), 9)
            .unwrap()
            .records
            .len(),
        4
    );
}

#[test]
fn a_read_only_link_cannot_be_written() {
    let bench = Bench::new();
    let row = [crate::bench::record(&[("sku", "A-1".into())])];
    let failure = told(bench.reader().upsert("product_posts", &["sku".to_owned()], &row));
    assert_eq!(failure.code, "DB-005");
    assert!(failure.hint.contains("--writable"), "{}", failure.hint);
}

#[test]
fn mistakes_in_a_statement_are_located() {
    let mut link = Bench::new().reader();
    let failure = told(link.query("SELECT sku\nFROM products\nWHERE prise > 1", &none(), 1));
    assert_eq!(failure.message, "the statement failed: no such column: prise");
    assert_eq!(failure.detail, "Line 3, column 7.");
    let failure = told(link.query("SELECT * FROM product", &none(), 1));
    assert_eq!(failure.hint, "Did you mean products?");
    let failure = told(link.query("SELEC 1", &none(), 1));
    assert_eq!(failure.code, "DB-004");
}

#[test]
fn parameters_that_do_not_match_are_named() {
    let mut link = Bench::new().reader();
    let sql = "SELECT sku FROM products WHERE price > :least AND name = :name";
    let failure = told(link.query(
        sql,
        &with(&[("least", Value::Integer(1)), ("limit", Value::Integer(1))]),
        1,
    ));
    assert_eq!(failure.message, "no value for :name");
    assert_eq!(failure.detail, "Values were given for: :least, :limit.");
    let three = with(&[
        ("least", Value::Integer(1)),
        ("name", "x".into()),
        ("limit", Value::Integer(1)),
    ]);
    let failure = told(link.query(sql, &three, 1));
    assert_eq!(failure.message, "the statement has no parameter :limit");
    assert_eq!(failure.detail, "Its parameters are: :least, :name.");
    let failure = told(link.query("SELECT ?", &none(), 1));
    assert_eq!(failure.hint, "Write `:name` in place of `?`.");
    let failure = told(link.query("SELECT :text AS t", &with(&[("text", "a\0b".into())]), 1));
    assert_eq!(failure.code, "DB-008");
}

#[test]
fn columns_of_the_same_name_are_refused() {
    let mut link = Bench::new().reader();
    let failure = told(link.query("SELECT p.sku, d.sku FROM products p, product_posts d", &none(), 1));
    assert_eq!(failure.message, "the result has several columns named sku");
    assert_eq!(
        link.describe("SELECT sku, name AS n FROM products").unwrap(),
        ["sku", "n"]
    );
}

#[test]
fn a_value_that_cannot_be_kept_names_its_place() {
    let bench = Bench::new();
    bench
        .raw()
        .execute_batch("INSERT INTO products VALUES ('Z', 'Zeppelin', 1e300, 1)")
        .unwrap();
    let failure = told(
        bench
            .reader()
            .query("SELECT sku, price FROM products ORDER BY sku", &none(), 10),
    );
    assert_eq!(failure.code, "DB-008");
    assert!(
        failure.message.contains("\"price\" of row 4"),
        "{}",
        failure.message
    );
    let small = Limits {
        value_bytes: 5,
        ..limits()
    };
    let mut link = open_with_limits(&database(&bench.file(), false), &Guard::default(), small).unwrap();
    let failure = told(link.query("SELECT name FROM products ORDER BY sku", &none(), 10));
    assert!(
        failure.message.contains("\"name\" of row 1 has 6 bytes"),
        "{}",
        failure.message
    );
}

#[test]
fn a_statement_that_never_ends_is_stopped() {
    let bench = Bench::new();
    let short = Limits {
        statement: Duration::from_millis(50),
        ..limits()
    };
    let mut link = open_with_limits(&database(&bench.file(), false), &Guard::default(), short).unwrap();
    let endless = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) AS n FROM t";
    let failure = told(link.query(endless, &none(), 1));
    assert_eq!(failure.code, "DB-004");
    assert!(
        failure.message.contains("stopped after 0.05 s"),
        "{}",
        failure.message
    );
    assert_eq!(
        link.query("SELECT 1 AS a", &none(), 1).unwrap().records.len(),
        1,
        "the link still works"
    );
}
