//! Changes that the database writes down itself.

use tailorbird_database::{Change, OUTBOX_TABLE, Watched};
use tailorbird_model::change::ChangeKind;
use tailorbird_model::{Record, Value};

use crate::bench::{Bench, keys, record, told};

fn watched(table: &str) -> Watched {
    Watched {
        table: table.to_owned(),
        key: Vec::new(),
        on: ChangeKind::ALL.to_vec(),
    }
}

fn told_of(change: &Change) -> String {
    let mut json = change.record.to_json();
    let object = json.as_object_mut().unwrap();
    object.remove("changed_at");
    json.to_string()
}

#[test]
fn every_change_is_written_down_with_its_types_and_in_order() {
    let bench = Bench::new();
    bench.writer().install_outbox(&watched("products")).unwrap();
    bench
        .raw()
        .execute_batch(
            "INSERT INTO products VALUES ('D''4', 'Kännchen \"x\", 1', 19.9, 1);
             UPDATE products SET price = 4.5 WHERE sku = 'D''4';
             UPDATE products SET price = 4.5, name = name WHERE sku = 'D''4';
             UPDATE products SET sku = 'E-5', name = X'00ff' WHERE sku = 'D''4';
             DELETE FROM products WHERE sku = 'E-5';",
        )
        .unwrap();
    let mut link = bench.writer();
    let changes = link.read_outbox(&keys(&["products"])).unwrap();
    let told: Vec<String> = changes.iter().map(told_of).collect();
    assert_eq!(
        told,
        [
            r#"{"sku":"D'4","name":"Kännchen \"x\", 1","price":"19.90","published":true,"operation":"insert","change_id":1,"old":{}}"#,
            r#"{"sku":"D'4","name":"Kännchen \"x\", 1","price":"4.50","published":true,"operation":"update","change_id":2,"old":{"sku":"D'4"}}"#,
            r#"{"sku":"E-5","name":"AP8=","price":"4.50","published":true,"operation":"update","change_id":3,"old":{"sku":"D'4"}}"#,
            r#"{"sku":"E-5","name":"AP8=","price":"4.50","published":true,"operation":"delete","change_id":4,"old":{"sku":"E-5"}}"#,
        ]
    );
    assert!(matches!(
        changes[0].record.get("changed_at"),
        Some(Value::Timestamp(_))
    ));
    assert_eq!(
        (changes[3].kind, changes[3].table.as_str()),
        (ChangeKind::Delete, "products")
    );

    // Reading takes nothing away; only what is acknowledged goes, and numbers are never given out twice.
    assert_eq!(link.read_outbox(&keys(&["Products"])).unwrap(), changes);
    assert_eq!(link.acknowledge_outbox(&[1, 2, 3, 4]).unwrap(), 4);
    assert_eq!(link.read_outbox(&keys(&["products"])).unwrap(), []);
    let cup = [record(&[("sku", "B-2".into()), ("name", "Mug".into())])];
    link.upsert("products", &keys(&["sku"]), &cup).unwrap();
    assert_eq!(link.read_outbox(&keys(&["products"])).unwrap()[0].id, 5);
}

#[test]
fn any_name_of_a_table_or_column_is_safe() {
    let bench = Bench::new();
    let table = r#"it's "a", table); drop table products; --"#;
    let quoted = format!("\"{}\"", table.replace('"', "\"\""));
    bench
        .raw()
        .execute_batch(&format!(
            "CREATE TABLE {quoted} (\"the 'key'\" INTEGER PRIMARY KEY, \"select\" TEXT, operation TEXT, \"a\"\"b\" JSON,
             double GENERATED ALWAYS AS (\"the 'key'\" * 2) VIRTUAL);"
        ))
        .unwrap();
    bench.writer().install_outbox(&watched(table)).unwrap();
    bench
        .raw()
        .execute_batch(&format!(
            "INSERT INTO {quoted} (\"select\", operation, \"a\"\"b\") VALUES ('x', 'mine', '[1]')"
        ))
        .unwrap();
    let mut link = bench.writer();
    let changes = link.read_outbox(&keys(&[table])).unwrap();
    assert_eq!(
        told_of(&changes[0]),
        r#"{"the 'key'":1,"select":"x","operation_":"mine","a\"b":[1],"double":2,"operation":"insert","change_id":1,"old":{}}"#
    );
    let removed = link.remove_outbox(table).unwrap();
    assert_eq!((removed.triggers, removed.changes, removed.outbox), (3, 1, true));
    assert_eq!(rows_of(&bench, "products"), 3);
}

fn rows_of(bench: &Bench, table: &str) -> i64 {
    bench
        .raw()
        .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
        .unwrap()
}

#[test]
fn the_printed_statements_do_what_installing_does() {
    let bench = Bench::new();
    let statements = bench.writer().outbox_sql(&watched("products")).unwrap();
    let script = statements.join(";\n\n") + ";\n";
    // Twice, as somebody would who is not sure whether it worked.
    bench.raw().execute_batch(&script).unwrap();
    bench.raw().execute_batch(&script).unwrap();
    let state = bench.writer().outbox_state(&watched("products")).unwrap();
    assert_eq!(
        (state.missing.as_slice(), state.different.as_slice()),
        (&[][..], &[][..])
    );
}

#[test]
fn only_what_is_wanted_is_watched_and_what_is_missing_is_named() {
    let bench = Bench::new();
    let inserts = Watched {
        on: vec![ChangeKind::Insert],
        ..watched("products")
    };
    let state = bench.reader().outbox_state(&inserts).unwrap();
    assert_eq!(state.missing, [ChangeKind::Insert]);
    let mut link = bench.writer();
    link.install_outbox(&watched("products")).unwrap();
    link.install_outbox(&inserts).unwrap();
    bench
        .raw()
        .execute_batch(
            "UPDATE products SET name = 'x'; DELETE FROM products; INSERT INTO products VALUES ('F', 'f', 1, 0);",
        )
        .unwrap();
    let changes = link.read_outbox(&keys(&["products"])).unwrap();
    assert_eq!(changes.len(), 1);
    let state = link.outbox_state(&watched("products")).unwrap();
    assert_eq!(state.missing, [ChangeKind::Update, ChangeKind::Delete]);

    // A column that was added since is not in the trigger; a table made anew has lost its triggers.
    bench
        .raw()
        .execute_batch("ALTER TABLE products ADD COLUMN colour TEXT")
        .unwrap();
    assert_eq!(
        link.outbox_state(&inserts).unwrap().different,
        [ChangeKind::Insert]
    );
    link.install_outbox(&inserts).unwrap();
    assert_eq!(
        link.outbox_state(&inserts).unwrap(),
        tailorbird_database::OutboxState::default()
    );
    bench
        .raw()
        .execute_batch(
            "DROP TABLE products; CREATE TABLE products (sku TEXT PRIMARY KEY, price DECIMAL(9, 1))",
        )
        .unwrap();
    assert_eq!(link.outbox_state(&inserts).unwrap().missing, [ChangeKind::Insert]);
    // What was written down before can still be read, by its old columns.
    let columns: Vec<String> = link.read_outbox(&keys(&["products"])).unwrap()[0]
        .record
        .columns()
        .to_vec();
    assert_eq!(columns[..4], ["sku", "name", "price", "published"]);
}

#[test]
fn what_cannot_be_watched_is_refused_with_words() {
    let bench = Bench::new();
    let refused = |watched: Watched| told(bench.writer().install_outbox(&watched)).to_string();
    assert!(refused(watched("product")).contains("does not exist"));
    assert!(refused(watched("published")).contains("is a view"));
    assert!(refused(watched("log")).contains("no key column"));
    let unknown = Watched {
        key: keys(&["sk"]),
        ..watched("products")
    };
    assert!(refused(unknown).contains("no column sk"));
    let failure = told(bench.reader().install_outbox(&watched("products")));
    assert_eq!(failure.code, "DB-005");
    assert_eq!(told(bench.reader().acknowledge_outbox(&[1])).code, "DB-005");

    let mut link = bench.writer();
    link.install_outbox(&watched("products")).unwrap();
    bench
        .raw()
        .execute_batch(&format!(
            "INSERT INTO {OUTBOX_TABLE} (table_name, operation, \"row\", old_key) VALUES ('products', 'insert', 'x', '')"
        ))
        .unwrap();
    let failure = told(link.read_outbox(&keys(&["products"])));
    assert_eq!(failure.code, "TRIG-006");
    assert!(failure.message.contains("id 1"), "{}", failure.message);
    assert!(failure.hint.contains("trigger-sql"), "{}", failure.hint);
}

#[test]
fn a_lock_and_wal_are_lived_with() {
    let bench = Bench::new();
    bench.writer().install_outbox(&watched("products")).unwrap();
    let other = bench.raw();
    other.pragma_update(None, "journal_mode", "WAL").unwrap();
    other
        .execute_batch("BEGIN IMMEDIATE; INSERT INTO products VALUES ('G', 'g', 1, 1)")
        .unwrap();
    let mut link = bench.writer();
    assert_eq!(link.read_outbox(&keys(&["products"])).unwrap(), []);
    assert_eq!(told(link.acknowledge_outbox(&[1])).code, "DB-003");
    other.execute_batch("COMMIT").unwrap();
    let changes = link.read_outbox(&keys(&["products"])).unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!(link.acknowledge_outbox(&[changes[0].id]).unwrap(), 1);
}

#[test]
fn a_change_that_is_rolled_back_never_was() {
    let bench = Bench::new();
    bench.writer().install_outbox(&watched("products")).unwrap();
    bench
        .raw()
        .execute_batch("BEGIN; DELETE FROM products; ROLLBACK")
        .unwrap();
    assert_eq!(bench.writer().read_outbox(&keys(&["products"])).unwrap(), []);
    let none: [Record; 0] = [];
    bench.writer().upsert("products", &keys(&["sku"]), &none).unwrap();
}
