//! Missing and locked databases, a provider that is down, a home that is not there, and a home that is taken
//! for a business database.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use rusqlite::Connection;

use crate::support::{Home, Sandbox, number, sql};

#[test]
fn missing_database() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.announcing(&sandbox, "read_write", &[("A", "Kettle")]);
    let (there, away) = (home.file("erp.sqlite"), home.file("away.sqlite"));
    std::fs::rename(&there, &away).unwrap();
    for arguments in [
        &["database", "test", "erp"][..],
        &["database", "query", "erp", "select 1"],
        &["database", "tables", "erp"],
    ] {
        home.run(arguments)
            .refused(1, "DB-002")
            .says(&["erp.sqlite", "does not exist", "path"]);
    }
    assert!(!there.exists(), "a database is never made");
    home.run(&["task", "run", "announce"])
        .failed(1, "DB-002")
        .says(&["erp.sqlite"]);
    assert_eq!(
        home.run(&["doctor"]).expect(1).json()["checks"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|c| c["health"] == "bad")
            .count(),
        1
    );
    std::fs::rename(&away, &there).unwrap();
    assert_eq!(
        home.run(&["task", "run", "announce"]).expect(0).json()["counts"]["delivered"],
        1
    );
    assert_eq!(sandbox.accepted(), 1);

    // A file that is no database, and a folder.
    let text = home.write("text.sqlite", &"This is no database. ".repeat(100));
    for path in [text, home.file("").display().to_string()] {
        home.run(&[
            "database",
            "add",
            "odd",
            "--kind",
            "sqlite",
            "--set",
            &format!("path={path}"),
        ])
        .expect(0);
        home.run(&["database", "test", "odd"]).refused(1, "DB-002");
    }
}

#[test]
fn locked_database() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.announcing(&sandbox, "read_write", &[("A", "Kettle")]);
    let other = Connection::open(home.file("erp.sqlite")).unwrap();
    other.execute_batch("begin exclusive").unwrap();
    home.run(&["task", "run", "announce"]).failed(1, "DB-003").says(&[
        "erp.sqlite",
        "locked by another program",
        "try again",
    ]);
    assert_eq!(sandbox.accepted(), 0);
    other.execute_batch("commit").unwrap();
    assert_eq!(
        home.run(&["task", "run", "announce"]).expect(0).json()["counts"]["delivered"],
        1
    );
}

/// The lock comes between sending and writing back: what was sent is written later, and not sent again, also
/// where the run did not live to see it.
#[test]
fn database_locked_at_the_write_back() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.announcing(&sandbox, "read_write", &[("A", "Kettle"), ("B", "Mug")]);
    // Without the duplicate rule a second sending would be accepted, and counted.
    sandbox.post("duplicates", &serde_json::json!({"refuse": false}));
    let other = Connection::open(home.file("erp.sqlite")).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let mut run = home
        .command(&["task", "run", "announce"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(run.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let note = told
        .find(|line| line.contains("is locked by another program"))
        .unwrap();
    assert!(
        note.contains("erp.sqlite") && note.contains("trying again"),
        "{note}"
    );
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(sandbox.accepted(), 2);
    assert_eq!(home.deliveries("delivered").len(), 2);
    other.execute_batch("commit").unwrap();
    let posts = "select count(*) from product_posts where post_id is not null";
    assert_eq!(number(&home.file("erp.sqlite"), posts), 0);

    let again = home.run(&["task", "run", "announce"]).expect(0).json();
    assert_eq!(again["counts"]["written"], 2, "{again:#}");
    assert_eq!(sandbox.accepted(), 2, "sent once");
    assert_eq!(number(&home.file("erp.sqlite"), posts), 2);
}

#[test]
fn provider_down() {
    let home = Home::new();
    let state = home.file("sandbox.state").display().to_string();
    let sandbox = Sandbox::start(&["--state", &state]);
    home.announcing(&sandbox, "read_write", &[("A", "Kettle"), ("B", "Mug")]);
    let address = sandbox.api.strip_prefix("http://").unwrap().to_owned();
    drop(sandbox);
    home.run(&["call", "company-x", "get_me"])
        .failed(1, "CONN-004")
        .says(&["127.0.0.1", "Nothing was sent", "running"]);
    home.run(&["connection", "test", "company-x"])
        .refused(1, "CONN-004")
        .says(&["Nothing was sent"]);
    let said = home.run(&["task", "run", "announce"]);
    said.failed(1, "CONN-004")
        .says(&["Nothing is lost", "pending", "Run the task again"]);
    assert_eq!(said.json()["state"], "failed");
    assert_eq!(home.deliveries("pending").len(), 2);

    let sandbox = Sandbox::start_at(&address, &["--state", &state]);
    assert_eq!(
        home.run(&["task", "run", "announce"]).expect(0).json()["counts"]["delivered"],
        2
    );
    assert_eq!(sandbox.accepted(), 2);
}

#[test]
fn no_home() {
    let home = Home::new();
    for arguments in [
        &["task", "run", "announce"][..],
        &["task", "list"],
        &["call", "company-x", "get_me"],
        &["connection", "list"],
        &["connection", "authorize", "company-x", "--start"],
        &["database", "list"],
        &["run", "list"],
        &["delivery", "list"],
    ] {
        home.run(arguments).refused(2, "HOME-001").says(&[
            "connection add",
            "--home",
            "send everything again",
        ]);
        assert!(!home.path().exists(), "{arguments:?} made a home");
    }
    // These need none.
    for arguments in [
        &["service", "list"][..],
        &["explain"],
        &["completions", "bash"],
        &["doctor"],
    ] {
        home.run(arguments).expect(0);
        assert!(!home.path().exists(), "{arguments:?} made a home");
    }
    let said = home
        .run(&["connection", "add", "company-x", "--service", "x"])
        .expect(0);
    assert!(said.stderr.contains("Made the home folder"), "{}", said.stderr);
    assert!(home.path().exists());
}

#[cfg(unix)]
#[test]
fn the_home_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    home.run(&["connection", "add", "company-x", "--service", "x"])
        .expect(0);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.path()), 0o700);
    assert_eq!(mode(&home.path().join("sealing.key")), 0o600);
    assert_eq!(
        std::fs::read_to_string(home.path().join(".gitignore"))
            .unwrap()
            .trim(),
        "*"
    );
    // Doctor says when that is not so any more.
    std::fs::set_permissions(
        home.path().join("sealing.key"),
        std::fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    let checks = home.run(&["doctor"]);
    let told = format!("{}{}", checks.stdout, checks.stderr);
    assert_eq!(checks.code, 1, "{told}");
    assert!(told.contains("chmod 600"), "{told}");
}

#[test]
fn a_home_whose_key_is_gone_or_of_another() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.announcing(&sandbox, "read_write", &[("A", "Kettle")]);
    let key = home.path().join("sealing.key");
    let bytes = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    home.run(&["task", "run", "announce"])
        .refused(1, "HOME-003")
        .says(&["sealing.key"]);
    let other = Home::new();
    other
        .run(&["connection", "add", "company-x", "--service", "x"])
        .expect(0);
    std::fs::copy(other.path().join("sealing.key"), &key).unwrap();
    home.run(&["connection", "test", "company-x"])
        .refused(1, "HOME-003");
    assert_eq!(sandbox.accepted(), 0);
    std::fs::write(&key, bytes).unwrap();
    home.run(&["task", "run", "announce"]).expect(0);
}

#[test]
fn our_own_ledger_as_database() {
    let home = Home::new();
    home.database("erp", "create table products (sku text)");
    let ledger = home.path().join("ledger.db");
    let copy = home.file("copy.db");
    let add = |path: &std::path::Path| {
        home.run(&[
            "database",
            "add",
            "own",
            "--kind",
            "sqlite",
            "--set",
            &format!("path={}", path.display()),
        ])
    };
    add(&ledger)
        .refused(2, "DB-007")
        .says(&["ledger.db", "business database"]);
    add(&home.path().join("../home/./ledger.db")).refused(2, "DB-007");
    // Another home's ledger is known by its own mark, and a link by where it leads.
    let other = Home::new();
    other.database("erp", "create table products (sku text)");
    Connection::open(other.path().join("ledger.db"))
        .unwrap()
        .execute_batch("pragma wal_checkpoint(truncate)")
        .unwrap();
    std::fs::copy(other.path().join("ledger.db"), &copy).unwrap();
    add(&copy).refused(2, "DB-007");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&ledger, home.file("link.db")).unwrap();
        add(&home.file("link.db")).refused(2, "DB-007");
    }
    // Nor by way of a statement on another database.
    let attach = format!("attach database '{}' as own", ledger.display());
    home.run(&["database", "query", "erp", &attach])
        .refused(1, "DB-004");
    let names = home.run(&["database", "list"]).expect(0).json();
    assert_eq!(names.as_array().unwrap().len(), 1);
}

#[test]
fn a_query_only_reads() {
    let home = Home::new();
    let path = home.database(
        "erp",
        "create table products (sku text); insert into products values ('A')",
    );
    for statement in [
        "delete from products",
        "insert into products values ('B')",
        "drop table products",
        "select 1; delete from products",
        "pragma journal_mode = off",
        "select load_extension('x')",
    ] {
        home.run(&["database", "query", "erp", statement])
            .refused(1, "DB-004");
    }
    home.run(&["database", "query", "erp", "select nope from products"])
        .refused(1, "DB-004")
        .says(&["nope"]);
    assert_eq!(number(&path, "select count(*) from products"), 1);
}

#[test]
fn a_row_that_the_target_refuses() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.announcing(&sandbox, "read_write", &[("A", "Kettle")]);
    sql(
        &home.file("erp.sqlite"),
        "create trigger no before insert on product_posts begin select raise(abort, 'the ERP is closed for the night'); end",
    );
    let said = home.run(&["task", "run", "announce"]);
    let refused = if said.code == 3 {
        said.failed(3, "DB-006")
    } else {
        said.failed(1, "DB-006")
    };
    refused.says(&["the ERP is closed for the night"]);
    assert_eq!(sandbox.accepted(), 1);
    sql(&home.file("erp.sqlite"), "drop trigger no");
    let again = home.run(&["task", "run", "announce"]).expect(0).json();
    assert_eq!(again["counts"]["written"], 1, "{again:#}");
    assert_eq!(sandbox.accepted(), 1, "sent once");
}
