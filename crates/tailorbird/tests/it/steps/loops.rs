//! `for_each`: steps inside steps.

use super::{flow, lines};
use crate::flow::{Flow, Running};

const ORDERS: &str = "
    create table orders (id text primary key, customer text, total decimal(10,2));
    create table lines (order_id text, number integer, sku text, primary key (order_id, number));
    create table sent (order_id text, number integer, customer text, total text, post_id text,
                       primary key (order_id, number));
    create table done (id text primary key, customer text);
    insert into orders values ('O1', 'Ann', '10.50'), ('O2', 'Bob', '7.00'), ('O3', 'Cyd', '1.25');
    insert into lines values ('O1', 1, 'A'), ('O1', 2, 'B'), ('O2', 1, 'C');";

const TASK: &str = r#"
task: announce
steps:
  - id: orders
    query: { database: erp, sql: "select id, customer, total from orders order by id" }
  - id: each
    for_each:
      from: orders
      as: order
      steps:
        - id: lines
          query: { database: erp, sql: "select number, sku from lines where order_id = :id order by number", parameters: { id: "{{ order.id }}" } }
        - id: post
          call:
            connection: company-x
            operation: create_post
            for_each: lines
            key: "{{ order.id }}/{{ number }}"
            with: { text: "{{ order.customer }} ordered {{ sku }} for {{ order.total | money('EUR') }}" }
        - id: back
          write:
            database: erp
            table: sent
            from: post
            key: [order_id, number]
            columns: { order_id: "{{ order.id }}", number: "{{ number }}", customer: "{{ order.customer }}",
                       total: "{{ order.total }}", post_id: "{{ result.id }}" }
        - id: mark
          write: { database: erp, table: done, from: order, key: [id], columns: { id: "{{ id }}", customer: "{{ order.customer }}" } }
"#;

fn orders() -> Flow {
    let flow = flow(&[]);
    flow.sql(ORDERS);
    flow.accept_duplicates();
    flow.apply(TASK);
    flow
}

#[test]
fn nested_steps_see_the_record_around_them_also_after_the_ledger() {
    let flow = orders();
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 6), ("delivered", 3), ("written", 6)]);
    assert_eq!(
        lines(
            &flow,
            "select order_id, number, customer, total, length(post_id) > 5 from sent order by 1, 2"
        ),
        ["O1|1|Ann|10.50|1", "O1|2|Ann|10.50|1", "O2|1|Bob|7.00|1"]
    );
    assert_eq!(
        lines(&flow, "select id from done order by id"),
        ["O1", "O2", "O3"]
    );
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 6), ("already", 3), ("written", 3)]);
    assert_eq!(flow.sandbox.accepted(), 3);
    let deliveries = flow.home.deliveries("delivered");
    assert_eq!(deliveries[0]["step"], "each/post");
    flow.home.run(&["delivery", "show", "O1/1"]).expect(0);
}

#[test]
fn a_kill_inside_a_loop_sends_nothing_twice() {
    let flow = orders();
    flow.sql(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 40)
              insert into lines select 'O3', i, 'L' || i from n",
    );
    flow.delay(1);
    let running = Running::start(flow.home.command(&["task", "run", "announce"]));
    flow.wait_for_accepted(2);
    running.kill();
    flow.no_faults();
    // The sandbox answers posts again after the delayed ones; doubts are looked up there.
    flow.run().expect(0);
    assert_eq!(flow.sandbox.accepted(), 43);
    assert_eq!(
        flow.number("select count(*) from sent where post_id is not null"),
        43
    );
}

#[test]
fn a_renamed_loop_that_says_so_sends_nothing_again() {
    let flow = orders();
    flow.run().expect(0);
    let renamed = TASK.replace("  - id: each\n", "  - id: orders-out\n");
    flow.home.apply("task.yaml", &renamed).expect(2);
    flow.apply(&TASK.replace("  - id: each\n", "  - id: orders-out\n    formerly: each\n"));
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 6), ("already", 3), ("written", 3)]);
    assert_eq!(flow.sandbox.accepted(), 3);
}

/// A loop in a loop, listings inside a loop, and more records than a chunk holds.
#[test]
fn loops_nest_and_stream() {
    let flow = flow(&[]);
    flow.sql(ORDERS);
    flow.sql(
        "delete from orders; delete from lines;
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 1200)
        insert into orders select printf('O%04d', i), 'c', '1.00' from n;
        insert into lines select id, 1, 'A' from orders; insert into lines select id, 2, 'B' from orders;
        create table deep (id text primary key);",
    );
    flow.apply(
        r#"
task: deep
steps:
  - id: orders
    query: { database: erp, sql: "select id from orders order by id" }
  - id: each
    for_each:
      from: orders
      as: order
      steps:
        - { id: lines, query: { database: erp, sql: "select number from lines where order_id = :id", parameters: { id: "{{ order.id }}" } } }
        - id: inner
          for_each:
            from: lines
            as: line
            steps:
              - { id: twice, query: { database: erp, sql: "select 1 as n union all select 2", parameters: {} } }
              - id: names
                transform: { from: twice, keep: false, columns: { id: "{{ order.id }}-{{ line.number }}-{{ n }}" } }
              - { id: store, write: { database: erp, table: deep, from: names, key: [id] } }
"#,
    );
    flow.run_task("deep")
        .expect(0)
        .counted("succeeded", &[("read", 1200 + 2400 + 4800), ("written", 4800)]);
    assert_eq!(flow.number("select count(*) from deep"), 4800);
    assert_eq!(
        lines(&flow, "select min(id), max(id) from deep"),
        ["O0001-1-1|O1200-2-2"]
    );
}

#[test]
fn a_call_inside_a_loop_reads_for_each_record() {
    let flow = flow(&[]);
    flow.home
        .apply(
            "look.yaml",
            r#"
task: look
steps:
  - id: accounts
    query: { database: erp, sql: "select 'priya_raman' as who union all select 'nobody_of_this_name'" }
  - id: each
    for_each:
      from: accounts
      steps:
        - { id: user, call: { connection: company-x, operation: get_user_by_username, for_each: parent, with: { username: "{{ parent.who }}" } } }
        - { id: store, write: { database: erp, table: out, from: user, key: [sku], columns: { sku: "{{ parent.who }}", note: "{{ result.id }}" } } }
        - { id: listed, call: { connection: company-x, operation: get_user_by_username, with: { username: "{{ parent.who }}" }, when: "{{ parent.who is eq('priya_raman') }}" } }
        - { id: store-listed, write: { database: erp, table: out, from: listed, key: [sku], columns: { sku: "listed {{ parent.who }}", note: "{{ id }}" } } }
"#,
        )
        .expect(0);
    flow.run_task("look");
    assert_eq!(
        lines(&flow, "select sku, length(note) > 2 from out order by sku"),
        ["listed priya_raman|1", "priya_raman|1"]
    );
}
