//! A database that another program has locked.

use tailorbird_database::{Guard, open_with_limits};

use crate::bench::{Bench, database, keys, limits, none, record, told};

#[test]
fn a_writer_meets_a_lock_and_nothing_is_lost() {
    let bench = Bench::new();
    let mut link = bench.writer();
    let other = bench.raw();
    other
        .execute_batch("BEGIN IMMEDIATE; UPDATE products SET name = 'theirs' WHERE sku = 'A-1'")
        .unwrap();
    let row = [record(&[("sku", "A-1".into()), ("name", "ours".into())])];
    let failure = told(link.upsert("products", &keys(&["sku"]), &row));
    assert_eq!(failure.code, "DB-003");
    assert!(
        failure.message.contains("erp.db is locked by another program"),
        "{}",
        failure.message
    );
    assert!(
        failure.hint.contains("Wait until it is done or close it"),
        "{}",
        failure.hint
    );
    // Reading goes on while the other one has not begun to commit.
    assert_eq!(
        link.query("SELECT name FROM products WHERE sku = 'A-1'", &none(), 1)
            .unwrap()
            .records
            .len(),
        1
    );
    other.execute_batch("COMMIT").unwrap();
    link.upsert("products", &keys(&["sku"]), &row).unwrap();
    let name: String = other
        .query_row("SELECT name FROM products WHERE sku = 'A-1'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(name, "ours");
}

#[test]
fn a_reader_meets_an_exclusive_lock() {
    let bench = Bench::new();
    let mut link = bench.reader();
    let other = bench.raw();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_eq!(
        told(link.query("SELECT * FROM products", &none(), 1)).code,
        "DB-003"
    );
    let opened = open_with_limits(&database(&bench.file(), false), &Guard::default(), limits());
    assert_eq!(told(opened).code, "DB-003");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(
        link.query("SELECT * FROM products", &none(), 10)
            .unwrap()
            .records
            .len(),
        3
    );
}
