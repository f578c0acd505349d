//! `call_task`: one task runs another, once per key, and follows it.

use super::{flow, lines};
use crate::flow::{Flow, Running};

const TASKS: &str = r#"
task: announce
steps:
  - id: items
    query: { database: erp, sql: "select sku, text from items order by id" }
  - id: sub
    call_task: { task: one, for_each: items, key: "{{ sku }}", with: { sku: "{{ sku }}", text: "{{ text | upper }}" } }
  - id: store
    write: { database: erp, table: out, from: sub, key: [sku], columns: { sku: "{{ sku }}", note: "{{ result.state }} {{ result.delivered }}" } }
---
task: one
variables: { sku: { value: "" }, text: { value: "" }, kept: { scope: task, value: 0 } }
steps:
  - id: row
    query: { database: erp, sql: "select :sku as sku, :text as text", parameters: { sku: "{{ variables.sku }}", text: "{{ variables.text }}" } }
  - id: post
    call: { connection: company-x, operation: create_post, for_each: row, key: "{{ run.id }}", with: { text: "{{ text }}" } }
"#;

fn three() -> Flow {
    let flow = flow(&[("A", "one", "1"), ("B", "two", "2"), ("C", "three", "3")]);
    flow.accept_duplicates();
    flow.apply(TASKS);
    flow
}

fn runs_of(flow: &Flow, task: &str) -> usize {
    let said = flow.home.run(&["run", "list", "--task", task]).expect(0);
    said.json().as_array().unwrap().len()
}

#[test]
fn a_task_is_run_for_each_record_and_followed() {
    let flow = three();
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 6), ("delivered", 3), ("written", 3)]);
    assert_eq!(
        lines(&flow, "select sku, note from out order by sku"),
        ["A|succeeded 1", "B|succeeded 1", "C|succeeded 1"]
    );
    assert_eq!(runs_of(&flow, "one"), 3);
    // Another run of the caller is another occasion.
    flow.run().expect(0);
    assert_eq!(runs_of(&flow, "one"), 6);
}

/// The called task's key is its run: a second run for the same record would post a second time.
#[test]
fn a_kill_starts_no_called_run_twice() {
    let flow = three();
    for nth in 1..=3 {
        flow.delay(1);
        let running = Running::start(flow.home.command(&["task", "run", "announce"]));
        flow.wait_for_accepted(nth);
        running.kill();
        flow.no_faults();
    }
    flow.run().expect(0);
    assert_eq!(runs_of(&flow, "one"), 3);
    assert_eq!(flow.sandbox.accepted(), 3);
    assert_eq!(lines(&flow, "select sku from out order by sku"), ["A", "B", "C"]);
}

#[test]
fn a_called_run_that_needs_a_person_makes_its_caller_need_one() {
    let flow = three();
    flow.apply(&TASKS.replace(
        "key: \"{{ run.id }}\"",
        "key: \"{{ text | default(none) if variables.sku != 'B' else none }}\"",
    ));
    flow.run()
        .failed(3, "MAP-003")
        .says(&["task `one`", "called for B"]);
    assert_eq!(flow.sandbox.accepted(), 2, "the others had their turn");
    assert_eq!(lines(&flow, "select sku from out order by sku"), ["A", "C"]);
    let runs = |task: &str| flow.home.run(&["run", "list", "--task", task]).expect(0).json();
    let id = runs("announce")[0]["id"].as_str().unwrap().to_owned();
    flow.home.run(&["run", "cancel", &id]).expect(0);
    // What it had called goes with it.
    let called = runs("one");
    let states = called
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["state"].as_str().unwrap());
    assert_eq!(
        states.filter(|state| *state == "cancelled").count(),
        1,
        "{called:#}"
    );
}

#[test]
fn tasks_that_call_themselves_are_refused_with_the_circle() {
    let flow = flow(&[]);
    let step = |task: &str| format!("steps:\n  - id: s\n    call_task: {{ task: {task} }}\n");
    let own = flow
        .home
        .apply("own.yaml", &format!("task: own\n{}", step("own")));
    own.refused(2, "TASK-002").says(&["own → own"]);
    let circle = format!(
        "task: a\n{}---\ntask: b\n{}---\ntask: c\n{}",
        step("b"),
        step("c"),
        step("a")
    );
    flow.home
        .apply("circle.yaml", &circle)
        .refused(2, "TASK-002")
        .says(&["a → b → c → a"]);
    // One after the other: the last one closes the circle.
    flow.home
        .apply(
            "c.yaml",
            "task: c\nsteps:\n  - id: q\n    query: { database: erp, sql: \"select 1 as a\" }\n",
        )
        .expect(0);
    flow.home
        .apply("b.yaml", &format!("task: b\n{}", step("c")))
        .expect(0);
    flow.home
        .apply("c.yaml", &format!("task: c\n{}", step("b")))
        .refused(2, "TASK-002")
        .says(&["c → b → c"]);
    flow.home
        .apply("d.yaml", &format!("task: d\n{}", step("e")))
        .refused(2, "TASK-002")
        .says(&["no task `e`"]);
    flow.home
        .apply(
            "f.yaml",
            "task: f\nsteps:\n  - id: s\n    call_task: { task: b, with: { x: 1 } }\n",
        )
        .refused(2, "TASK-002")
        .says(&["takes no variable `x`"]);
}
