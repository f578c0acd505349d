//! Which files and settings are refused.

use std::fs;

use tailorbird_database::{Guard, TableKind, create, open};

use crate::bench::{Bench, database, none, told};

#[test]
fn a_file_that_is_not_there_is_never_made() {
    let bench = Bench::new();
    let missing = bench.path("missing.db");
    for writable in [false, true] {
        let failure = told(open(&database(&missing, writable), &Guard::default()));
        assert_eq!(failure.code, "DB-002");
        assert!(
            failure.message.contains("missing.db does not exist"),
            "{}",
            failure.message
        );
        assert!(failure.hint.contains("existing SQLite file"), "{}", failure.hint);
        assert!(!missing.exists());
    }
}

#[test]
fn folders_and_other_files_are_told_apart() {
    let bench = Bench::new();
    let text = bench.path("text.db");
    fs::write(&text, "sku;name\n").unwrap();
    for (path, words) in [(bench.path(""), "is a folder"), (text, "is no SQLite file")] {
        let failure = told(open(&database(&path, false), &Guard::default()));
        assert_eq!(failure.code, "DB-002");
        assert!(failure.message.contains(words), "{}", failure.message);
    }
    let damaged = bench.path("damaged.db");
    let mut bytes = fs::read(bench.file()).unwrap();
    bytes[100..].fill(0xff);
    fs::write(&damaged, bytes).unwrap();
    let failure = told(open(&database(&damaged, false), &Guard::default()));
    assert_eq!(failure.code, "DB-002", "{failure:?}");
}

#[test]
fn pipes_and_devices_are_refused_at_once() {
    let bench = Bench::new();
    let pipe = bench.path("pipe.db");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    for path in [pipe, "/dev/null".into()] {
        let (tell, told_in_time) = std::sync::mpsc::channel();
        let wanted = database(&path, false);
        // A thread of its own: the wrong program would wait for a writer for ever.
        std::thread::spawn(move || tell.send(told(open(&wanted, &Guard::default()))));
        let failure = told_in_time
            .recv_timeout(std::time::Duration::from_secs(5))
            .expect("opening hangs");
        assert_eq!(failure.code, "DB-002");
        assert!(
            failure.message.contains("is no regular file"),
            "{}",
            failure.message
        );
    }
}

#[test]
fn settings_are_named_when_missing_or_unknown() {
    let bench = Bench::new();
    let mut wanting = database(&bench.file(), false);
    wanting.settings.clear();
    let failure = told(open(&wanting, &Guard::default()));
    assert_eq!(
        (failure.code.as_str(), failure.message.as_str()),
        ("DB-007", "the setting \"path\" is missing")
    );
    wanting.settings.insert("pth".to_owned(), "erp.db".to_owned());
    let failure = told(open(&wanting, &Guard::default()));
    assert!(
        failure.message.contains("unknown setting: pth"),
        "{}",
        failure.message
    );
    assert_eq!(failure.hint, "Did you mean path?");
}

#[test]
fn our_own_home_is_refused_by_path_and_by_mark() {
    let bench = Bench::new();
    let by_path = Guard {
        files: vec![bench.file()],
        ..Guard::default()
    };
    let link = bench.path("link.db");
    std::os::unix::fs::symlink(bench.file(), &link).unwrap();
    for path in [bench.file(), bench.path("../").join(bench.file()), link] {
        assert_eq!(told(open(&database(&path, false), &by_path)).code, "DB-007");
    }
    let marked = bench.path("copy.db");
    create(&marked, "CREATE TABLE t (a); PRAGMA application_id = 4711").unwrap();
    let by_mark = Guard {
        application_ids: vec![4711],
        ..Guard::default()
    };
    let failure = told(open(&database(&marked, true), &by_mark));
    assert_eq!(failure.code, "DB-007");
    assert!(
        failure.message.contains("belongs to a Tailorbird home"),
        "{}",
        failure.message
    );
    assert!(open(&database(&bench.file(), false), &by_mark).is_ok());
}

#[test]
fn a_sample_is_not_made_over_an_existing_file() {
    let bench = Bench::new();
    assert_eq!(told(create(&bench.file(), "CREATE TABLE t (a)")).code, "DB-002");
    let broken = told(create(&bench.path("broken.db"), "CREATE TABEL t (a)"));
    assert_eq!(broken.code, "DB-004");
}

#[test]
fn tables_are_listed_with_columns_types_and_keys() {
    let bench = Bench::new();
    bench
        .raw()
        .execute_batch(
            "CREATE TABLE odd (b INTEGER, a INTEGER, c TEXT COLLATE NOCASE, d AS (a + b), PRIMARY KEY (a, b));
             CREATE UNIQUE INDEX odd_c ON odd (c);
             CREATE UNIQUE INDEX odd_partial ON odd (b) WHERE b > 0;
             CREATE UNIQUE INDEX odd_expression ON odd (lower(c));",
        )
        .unwrap();
    let tables = bench.reader().tables().unwrap();
    let names: Vec<_> = tables
        .iter()
        .map(|table| (table.name.as_str(), table.kind))
        .collect();
    assert_eq!(
        names,
        [
            ("log", TableKind::Table),
            ("odd", TableKind::Table),
            ("product_posts", TableKind::Table),
            ("products", TableKind::Table),
            ("published", TableKind::View),
        ]
    );
    let odd = &tables[1];
    assert_eq!(
        odd.unique_keys,
        [vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]]
    );
    assert!(odd.column("D").unwrap().generated);
    let price = tables[3].column("price").unwrap();
    assert_eq!(
        (price.declared_type.as_str(), price.value_type, price.not_null),
        ("DECIMAL(10, 2)", "decimal", false)
    );
    assert_eq!(tables[3].column("sku").unwrap().primary_key, Some(1));
    let mut empty = bench.reader();
    assert_eq!(
        empty
            .query("SELECT * FROM published", &none(), 10)
            .unwrap()
            .records
            .len(),
        2
    );
}
