//! Cursors of queries.

use crate::flow::{ANNOUNCE, Flow};

/// The tutorial's task with a cursor.
fn with_cursor(column: &str, sql: &str, cursor: &str) -> String {
    ANNOUNCE.replace(
        "query: { database: erp, sql: \"select sku, text from items order by id\" }",
        &format!("query: {{ database: erp, sql: \"{sql}\", cursor: {{ column: {column}, {cursor} }} }}"),
    )
}

fn by_id(cursor: &str) -> String {
    with_cursor(
        "id",
        "select id, sku, text from items where id > :cursor order by id",
        cursor,
    )
}

fn by_time(cursor: &str) -> String {
    let sql = "select changed_at, sku, text from items where changed_at > :cursor order by changed_at";
    with_cursor("changed_at", sql, cursor)
}

fn numbered(flow: &Flow, ids: std::ops::RangeInclusive<i64>) {
    for id in ids {
        flow.sql(&format!(
            "insert into items (id, sku, text) values ({id}, 'S{id}', 'number {id}')"
        ));
    }
}

#[test]
fn only_new_rows_are_read_and_late_ones_are_not_missed() {
    let flow = Flow::new();
    flow.apply(&by_id("start: 0, overlap: 2"));
    numbered(&flow, 11..=15);
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 5), ("delivered", 5), ("written", 5)]);
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 2), ("already", 2)]);
    numbered(&flow, 16..=16);
    flow.run().expect(0).counted(
        "succeeded",
        &[("read", 3), ("already", 2), ("delivered", 1), ("written", 1)],
    );
    // 17 was taken before 18 and is committed after it was read.
    numbered(&flow, 18..=18);
    flow.run().expect(0);
    numbered(&flow, 17..=17);
    flow.run().expect(0).counted(
        "succeeded",
        &[("read", 2), ("already", 1), ("delivered", 1), ("written", 1)],
    );
    assert_eq!(flow.sandbox.accepted(), 8);
}

/// `start` says what was never meant to go; the overlap does not reach behind it.
#[test]
fn rows_before_the_start_never_go() {
    let flow = Flow::new();
    flow.apply(&by_id("start: 3"));
    numbered(&flow, 1..=5);
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 2), ("delivered", 2), ("written", 2)]);
    numbered(&flow, 6..=6);
    flow.run().expect(0).counted(
        "succeeded",
        &[("read", 3), ("already", 2), ("delivered", 1), ("written", 1)],
    );
    let mut texts = flow.sandbox.texts();
    texts.sort();
    assert_eq!(texts, ["number 4", "number 5", "number 6"]);
}

/// A LIMIT below the overlap reads the same rows first each time; the run goes on behind them.
#[test]
fn a_limit_below_the_overlap_does_not_stand_still() {
    let flow = Flow::new();
    let sql = "select id, sku, text from items where id > :cursor order by id limit 3";
    flow.apply(&with_cursor("id", sql, "start: 0, overlap: 100"));
    numbered(&flow, 1..=8);
    for expected in [3, 6, 8, 8] {
        flow.run().expect(0);
        assert_eq!(flow.sandbox.accepted(), expected);
    }
}

/// SQLite keeps times as text in the form that it was given; the overlap keeps that form.
#[test]
fn times_that_are_kept_as_text_are_read_again_in_their_own_form() {
    for form in [
        "2026-03-01 12:00:SSZ",
        "2026-03-01 12:00:SS",
        "2026-03-01T12:00:SS+02:00",
    ] {
        let flow = Flow::new();
        flow.apply(&by_time("start: \"2026-01-01\", overlap: 20s"));
        let insert = |sku: &str, second: &str| {
            flow.sql_with(
                "insert into items (sku, text, changed_at) values (?1, 'at ' || ?1, ?2)",
                &[sku, &form.replace("SS", second)],
            );
        };
        insert("A", "10");
        insert("B", "40");
        flow.run()
            .expect(0)
            .counted("succeeded", &[("read", 2), ("delivered", 2), ("written", 2)]);
        // Committed late, 10 s behind; and a tie with the last one.
        insert("C", "30");
        insert("D", "40");
        flow.run().expect(0).counted(
            "succeeded",
            &[("read", 3), ("already", 1), ("delivered", 2), ("written", 2)],
        );
        assert_eq!(flow.sandbox.accepted(), 4, "{form}");
    }
}

/// Ties at the edge of a chunk: 600 rows of one moment. They are too long and so never leave.
#[test]
fn rows_of_one_moment_stay_together() {
    let flow = Flow::new();
    flow.apply(&by_time("start: \"2026-01-01\", overlap: 0s"));
    flow.sql(
        "with recursive n(i) as (values(1) union all select i + 1 from n where i < 600)
         insert into items (sku, text, changed_at) select 'S' || i, printf('%.300c', 'x'), '2026-03-01 12:00:00' from n;",
    );
    flow.run()
        .expect(3)
        .counted("succeeded", &[("read", 600), ("rejected", 600)]);
    flow.run().expect(0).counted("succeeded", &[]);
}

#[test]
fn a_null_in_the_cursor_column_stops_the_run_and_moves_nothing() {
    let flow = Flow::new();
    flow.apply(&with_cursor(
        "changed_at",
        "select changed_at, sku, text from items where coalesce(changed_at, 'z') > :cursor order by id",
        "start: \"2026-01-01\", overlap: 0s",
    ));
    flow.sql(
        "insert into items (sku, text, changed_at) values ('A', 'one', '2026-03-01 12:00:00');
         insert into items (sku, text) values ('B', 'two');",
    );
    let said = flow.run();
    said.failed(3, "MAP-002")
        .says(&["changed_at", "null", "never null"]);
    assert_eq!(flow.sandbox.accepted(), 0);
    flow.sql("update items set changed_at = '2026-03-01 12:00:01' where sku = 'B'");
    flow.run().expect(0);
    assert_eq!(flow.sandbox.accepted(), 2, "the first row was not passed over");
}

/// The cursor passes a row only when the ledger has its columns, so it can be sent when the table has not.
#[test]
fn a_row_that_the_cursor_has_passed_can_still_be_sent() {
    let flow = Flow::new();
    flow.apply(&by_id("start: 0, overlap: 0"));
    numbered(&flow, 1..=2);
    flow.home
        .run(&["call", "company-x", "create_post", "--param", "text=number 1"])
        .expect(0);
    flow.run().expect(3).counted(
        "succeeded",
        &[("read", 2), ("rejected", 1), ("delivered", 1), ("written", 1)],
    );
    flow.sql("delete from items");
    flow.accept_duplicates();
    flow.home
        .run(&["delivery", "resolve", "item-S1", "--as", "again"])
        .expect(0);
    flow.run()
        .expect(0)
        .counted("succeeded", &[("delivered", 1), ("written", 1)]);
    assert_eq!(flow.sandbox.texts(), ["number 1", "number 2", "number 1"]);
    assert_eq!(flow.written_back(), 2);
}

/// Killed between reading and sending: the cursor has not moved, or the ledger has the rows.
#[test]
fn a_kill_while_sending_passes_no_row_over() {
    let flow = Flow::new();
    flow.accept_duplicates();
    flow.apply(&by_id("start: 0, overlap: 0"));
    numbered(&flow, 1..=9);
    flow.delay(20);
    let running = flow.start();
    flow.wait_for_accepted(4);
    running.kill();
    flow.no_faults();
    numbered(&flow, 10..=10);
    assert_eq!(flow.run().expect(0).json()["counts"]["delivered"], 10);
    assert_eq!(flow.sandbox.accepted(), 10);
    assert_eq!(flow.written_back(), 10);
}

#[test]
fn the_check_demands_a_start_and_warns_of_when_beside_a_cursor() {
    let flow = Flow::new();
    let check = |task: &str| {
        flow.home
            .run(&["task", "check", &flow.home.write("checked.yaml", task)])
    };
    let said = check(&by_id("overlap: 5"));
    assert_eq!(said.code, 2);
    assert!(
        said.stdout.contains("`start` is missing"),
        "{}{}",
        said.stdout,
        said.stderr
    );
    let with_when = by_id("start: 0").replace("      with:", "      when: \"{{ text != '' }}\"\n      with:");
    let said = check(&with_when).expect(0);
    assert!(
        said.stdout.contains("never looked at again"),
        "{}{}",
        said.stdout,
        said.stderr
    );
}

#[test]
fn an_overlap_of_time_needs_a_column_of_times() {
    let flow = Flow::new();
    flow.apply(&by_id("start: 0, overlap: 60s"));
    numbered(&flow, 1..=1);
    flow.run().failed(3, "DB-007").says(&["integer", "overlap: 1000"]);
    assert_eq!(flow.sandbox.accepted(), 0);
}
