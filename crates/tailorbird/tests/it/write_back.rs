//! Rule 17: what was delivered reaches the later steps, however often that is interrupted, and is not sent again.

use std::time::Duration;

use serde_json::json;

use crate::flow::{ANNOUNCE, Flow, wait_until};

const THREE: [&str; 3] = ["one", "two", "three"];

/// Keeps other programs from writing to the ERP; reading goes on.
struct WriteLock(rusqlite::Connection);

impl WriteLock {
    fn take(flow: &Flow) -> Self {
        let connection = rusqlite::Connection::open(&flow.erp).unwrap();
        connection.execute_batch("begin immediate").unwrap();
        Self(connection)
    }

    fn release(self) {
        self.0.execute_batch("rollback").unwrap();
    }
}

fn delivered(flow: &Flow) -> usize {
    flow.home.deliveries("delivered").len()
}

#[test]
fn a_kill_between_delivery_and_write_back_is_made_up_for_without_sending() {
    let flow = Flow::announcing(&THREE);
    flow.accept_duplicates();
    let lock = WriteLock::take(&flow);
    let running = flow.start();
    wait_until("three deliveries", || delivered(&flow) == 3);
    running.kill();
    lock.release();
    assert_eq!(flow.written_back(), 0);
    let said = flow.run().expect(0);
    said.counted("succeeded", &[("read", 3), ("delivered", 3), ("written", 3)]);
    assert_eq!(flow.written_back(), 3);
    assert_eq!(flow.sandbox.accepted(), 3);
    assert_eq!(
        flow.number("select count(*) from posted where posted_at glob '20??-*'"),
        3
    );
}

#[test]
fn a_database_that_is_locked_for_a_while_is_waited_for() {
    let flow = Flow::announcing(&THREE);
    let lock = WriteLock::take(&flow);
    let running = flow.start();
    wait_until("three deliveries", || delivered(&flow) == 3);
    // Longer than one wait for the lock.
    std::thread::sleep(Duration::from_secs(7));
    lock.release();
    let said = running.end().expect(0);
    said.counted("succeeded", &[("read", 3), ("delivered", 3), ("written", 3)]);
    assert!(said.stderr.contains("trying again"), "{}", said.stderr);
}

/// The anti-join form: rows are gone from the recordset as soon as they are written back.
#[test]
fn with_an_anti_join_each_row_is_read_until_it_is_written_back() {
    let flow = Flow::announcing(&THREE);
    flow.accept_duplicates();
    flow.apply(&ANNOUNCE.replace(
        "select sku, text from items order by id",
        "select i.sku, i.text from items i left join posted p on p.sku = i.sku where p.sku is null order by i.id",
    ));
    let lock = WriteLock::take(&flow);
    let running = flow.start();
    wait_until("three deliveries", || delivered(&flow) == 3);
    running.kill();
    lock.release();
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 3), ("delivered", 3), ("written", 3)]);
    flow.run().expect(0).counted("succeeded", &[]);
    // Somebody loses a row of the table that was written back: it is read, and known.
    flow.sql("delete from posted where sku = 'B'");
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 1), ("already", 1)]);
    assert_eq!(flow.sandbox.accepted(), 3);
}

/// The target refuses one row. The others are written, the run fails and names it, nothing is sent again, and
/// it is written when it is mended.
#[test]
fn a_refused_row_keeps_no_other_from_being_written() {
    let flow = Flow::announcing(&THREE);
    flow.sql(
        "create trigger refused before insert on posted when new.sku = 'B'
         begin select raise(abort, 'B is frozen'); end;",
    );
    let said = flow.run();
    said.failed(1, "DB-006")
        .says(&["B is frozen", "the key item-B", "nothing is sent again"]);
    assert_eq!(flow.written_back(), 2);
    flow.run().failed(1, "DB-006");
    assert_eq!(flow.sandbox.accepted(), 3);
    flow.sql("drop trigger refused");
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 3), ("already", 3), ("written", 1)]);
    assert_eq!(flow.sandbox.accepted(), 3);
    assert_eq!(flow.written_back(), 3);
}

/// A table that is not there is no matter of one row.
#[test]
fn a_lost_table_fails_the_run_and_everything_is_written_when_it_is_back() {
    let flow = Flow::announcing(&THREE);
    flow.sql("alter table posted rename to gone");
    flow.run().failed(1, "DB-006").says(&["posted"]);
    flow.sql("alter table gone rename to posted");
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 3), ("already", 3), ("written", 3)]);
    assert_eq!(flow.sandbox.accepted(), 3);
}

/// A limit holds the third one for ten minutes: the others are written back meanwhile.
#[test]
fn what_went_through_is_written_back_while_the_rest_waits() {
    let flow = Flow::announcing(&THREE);
    let fault = json!([{"match": "POST /2/tweets", "nth": 3, "do": "429", "seconds": 600}]);
    flow.sandbox.post("faults", &fault);
    let running = flow.start();
    wait_until("two rows", || flow.written_back() == 2);
    wait_until("the waiting run", || flow.last_run()["state"] == "waiting");
    running.interrupt();
    running
        .end()
        .expect(3)
        .counted("paused", &[("read", 3), ("delivered", 2), ("written", 2)]);
}

#[test]
fn writing_twice_leaves_the_same_rows_as_once() {
    let flow = Flow::announcing(&THREE);
    flow.run().expect(0);
    let before = flow.number("select sum(cast(post_id as integer) % 1000000) from posted");
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 3), ("already", 3)]);
    assert_eq!(
        flow.number("select sum(cast(post_id as integer) % 1000000) from posted"),
        before
    );
    assert_eq!(flow.number("select count(*) from posted"), 3);
}
