//! Statements, tables and cursors that do not fit.

use crate::flow::{ANNOUNCE, Flow};

fn check(flow: &Flow, task: &str) -> String {
    let path = flow.home.write("bad.yaml", task);
    let said = flow.home.run_as_text(&["task", "check", &path]).expect(2);
    said.stdout + &said.stderr
}

#[test]
fn tables_and_columns_that_are_not_there_are_found_by_the_check() {
    let flow = Flow::new();
    let all = check(
        &flow,
        "task: t
steps:
  - id: a
    query:
      database: erp
      sql: |
        select sku,
               txet from items
  - id: b
    query: { database: erp, sql: \"select 1 as a from itms\" }
  - id: c
    query: { database: erp, sql: \"select id, sku from items where id > :cursor\", cursor: { column: idd, start: 0 } }
  - id: d
    write: { database: erp, table: postd, from: c, key: [sku] }
  - id: e
    write: { database: erp, table: posted, from: c, key: [sku], columns: { sku: \"{{ sku }}\", post_idd: \"1\" } }
",
    );
    for words in [
        "bad.yaml:8:16: error: ",
        "txet",
        "itms",
        "no column `idd`",
        "no table `postd`",
        "`posted` has no column `post_idd`",
        "Did you mean `post_id`?",
    ] {
        assert!(all.contains(words), "{words}: {all}");
    }
}

#[test]
fn a_database_that_cannot_be_opened_is_no_fault_of_the_task() {
    let flow = Flow::new();
    let path = flow.home.write("good.yaml", ANNOUNCE);
    flow.home.run(&["task", "check", &path]).expect(0);
    std::fs::rename(&flow.erp, flow.erp.with_extension("gone")).unwrap();
    flow.home.run(&["task", "check", &path]).expect(0);
}

fn cursor(sql: &str, overlap: &str) -> String {
    ANNOUNCE.replace(
        "query: { database: erp, sql: \"select sku, text from items order by id\" }",
        &format!("query: {{ database: erp, sql: \"{sql}\", cursor: {{ column: id, start: 0{overlap} }} }}"),
    )
}

fn with(texts: &[&str]) -> Flow {
    let flow = Flow::announcing(texts);
    flow.accept_duplicates();
    flow
}

#[test]
fn a_limit_without_the_order_of_the_cursor_stops_before_rows_are_passed_over() {
    let flow = with(&["one", "two", "three"]);
    flow.apply(&cursor(
        "select id, sku, text from items where id > :cursor order by id desc limit 2",
        ", overlap: 0",
    ));
    flow.run().failed(3, "DB-009").says(&[
        "order of the cursor column `id`",
        "After 3 came 2",
        "order by id",
    ]);
    flow.apply(&cursor(
        "select id, sku, text from items where id > :cursor order by id limit 2",
        ", overlap: 0",
    ));
    flow.run().expect(0);
    flow.run().expect(0);
    assert_eq!(flow.sandbox.accepted(), 3, "none was passed over");
}

#[test]
fn equal_values_at_a_limit_stop_the_run_and_without_a_limit_are_told() {
    let flow = with(&["one", "two", "three"]);
    let rows = "select 5 as id, sku, text from items where 5 > :cursor order by id";
    flow.apply(&cursor(&format!("{rows} limit 2"), ", overlap: 0"));
    flow.run()
        .failed(3, "DB-009")
        .says(&["is not unique", "Several rows have 5", "primary key"]);
    flow.apply(&cursor(rows, ", overlap: 0"));
    let said = flow.run().expect(0);
    assert!(said.stderr.contains("several rows have 5"), "{}", said.stderr);
    assert_eq!(flow.sandbox.accepted(), 3);
}

/// Rows whose text sorts otherwise than their number: the LIMIT shows the first two texts.
#[test]
fn rows_that_a_limit_hides_below_the_cursor_are_found() {
    let flow = with(&["one", "two", "three"]);
    let by_text = "select id, sku, text from items where id > :cursor order by text limit 2";
    flow.apply(&cursor(by_text, ""));
    flow.run().expect(0);
    assert_eq!(
        flow.sandbox.accepted(),
        2,
        "the first and the third, in the order of their numbers"
    );
    // The next run would go on behind the third.
    let why = [
        "1 more rows have this value or a smaller one",
        "order by id",
        "up to 3",
    ];
    flow.run().failed(3, "DB-009").says(&why);
    flow.apply(&cursor(&by_text.replace("by text", "by id"), ""));
    flow.run().expect(0);
    assert_eq!(flow.sandbox.accepted(), 3, "nothing was lost");
}

#[test]
fn equal_values_across_the_end_of_a_limit_are_found() {
    for comparison in [">", ">="] {
        let flow = with(&["one", "two", "three"]);
        let rows = format!(
            "select (id + 1) / 2 as id, sku, text from items where (id + 1) / 2 {comparison} :cursor order by id"
        );
        flow.apply(&cursor(&format!("{rows} limit 1"), ", overlap: 0"));
        let why = [
            "is not unique",
            "the 1 rows of its LIMIT, up to 1",
            "unique and grow",
        ];
        flow.run().failed(3, "DB-009").says(&why);
        flow.apply(&cursor(&format!("{rows} limit 3"), ""));
        let said = flow.run();
        assert_eq!(flow.sandbox.accepted(), 3, "{comparison}: {}", said.stderr);
    }
}

#[test]
fn values_of_several_types_stop_the_run() {
    let flow = with(&["one", "two"]);
    flow.apply(&cursor(
        "select case sku when 'A' then 1 else 'x' end as id, sku, text from items where :cursor is not null",
        "",
    ));
    flow.run()
        .failed(3, "DB-009")
        .says(&["integer and text", "cast(id as integer)"]);
}
