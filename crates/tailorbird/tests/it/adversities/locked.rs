//! Locks held by others: on the home's own store and on a business database.

use rusqlite::Connection;

use super::{all_once, announcing};
use crate::serve::support::until_slowly;
use crate::support::Sandbox;

/// Holds a SQLite file locked for writing until it is dropped.
fn hold(path: &std::path::Path) -> Connection {
    let db = Connection::open(path).unwrap();
    db.execute_batch("begin immediate").unwrap();
    db
}

#[test]
fn a_store_that_another_process_keeps_locked_is_said_and_sends_nothing() {
    let sandbox = Sandbox::start(&[]);
    let home = announcing(&sandbox);
    let held = hold(&home.path().join("ledger.db"));
    let said = home.run(&["task", "run", "announce"]);
    assert_eq!(said.code, 1, "{} {}", said.stdout, said.stderr);
    said.refused(1, "HOME-002")
        .says(&["kept the home's database locked", "try again"]);
    assert_eq!(sandbox.accepted(), 0, "no intent, no request");
    drop(held);
    home.run(&["task", "run", "announce"]).expect(0);
    all_once(&home, &sandbox);
}

#[test]
fn a_store_that_is_locked_in_the_middle_is_waited_for_or_taken_up_again() {
    let sandbox = Sandbox::start(&[]);
    let home = announcing(&sandbox);
    let mut run = home.command(&["task", "run", "announce"]).spawn().unwrap();
    until_slowly("some are sent", || sandbox.accepted() > 0);
    let held = hold(&home.path().join("ledger.db"));
    // Longer than the store waits for a lock, so that commits fail in between.
    std::thread::sleep(std::time::Duration::from_secs(7));
    drop(held);
    drop(run.wait());
    home.run(&["task", "run", "announce"]).expect(0);
    all_once(&home, &sandbox);
}

#[test]
fn a_business_database_that_is_locked_gets_its_rows_when_it_is_let_go() {
    let sandbox = Sandbox::start(&[]);
    let home = announcing(&sandbox);
    let held = hold(&home.file("erp.sqlite"));
    let said = home.run(&["task", "run", "announce"]);
    said.failed(1, "DB-003")
        .says(&["another program", "nothing is sent again"]);
    let sent = sandbox.accepted();
    assert!(sent > 0, "reading was possible all the time");
    drop(held);
    home.run(&["task", "run", "announce"]).expect(0);
    all_once(&home, &sandbox);
}
