//! `variables` and `set`.

use super::{flow, lines};

#[test]
fn variables_of_the_task_are_kept_and_those_of_a_run_begin_anew() {
    let flow = flow(&[("A", "one", "1"), ("B", "two", "2")]);
    flow.apply(
        r#"
task: count
variables: { runs: { scope: task, value: 0 }, seen: { scope: task, value: "" }, note: { value: none } }
steps:
  - id: again
    set: { variables: { runs: "{{ variables.runs | plus(1) }}" } }
  - id: items
    query:
      database: erp
      sql: "select sku, text from items where sku > :seen order by sku"
      parameters: { seen: "{{ variables.seen }}" }
  - id: last
    set: { from: items, variables: { seen: "{{ sku }}", note: "saw {{ sku }} in run {{ variables.runs }}" } }
  - id: ending
    query: { database: erp, sql: "select 'run-' || :runs as sku, :note as note", parameters: { runs: "{{ variables.runs }}", note: "{{ variables.note }}" } }
  - id: store
    write: { database: erp, table: out, from: ending, key: [sku] }
"#,
    );
    let run = || flow.run_task("count").expect(0);
    run().counted("succeeded", &[("read", 3), ("written", 1)]);
    run().counted("succeeded", &[("read", 1), ("written", 1)]);
    flow.item("C", "three");
    run().counted("succeeded", &[("read", 2), ("written", 1)]);
    assert_eq!(
        lines(&flow, "select sku, note from out order by sku"),
        ["run-1|saw B in run 1", "run-2|none", "run-3|saw C in run 3"]
    );
}

/// A run that fails has set its values; they are the task's only when their step has ended.
#[test]
fn a_value_is_not_kept_before_its_step_has_ended() {
    let flow = flow(&[("A", "one", "1"), ("B", "two", "2")]);
    let task = r#"
task: count
variables: { seen: { scope: task, value: "" } }
steps:
  - id: items
    query: { database: erp, sql: "select sku, text from items where sku > :seen order by sku", parameters: { seen: "{{ variables.seen }}" } }
  - id: last
    set: { from: items, variables: { seen: "{{ sku }}" } }
  - id: store
    write: { database: erp, table: out, from: items, key: [sku], columns: { sku: "{{ sku }}", text: "{{ text }}" } }
"#;
    flow.apply(task);
    flow.sql("alter table out rename to gone");
    flow.run_task("count").expect(1);
    flow.sql("alter table gone rename to out");
    flow.run_task("count")
        .expect(0)
        .counted("succeeded", &[("read", 2), ("written", 2)]);
    flow.run_task("count").expect(0).counted("succeeded", &[]);
}

#[test]
fn a_variable_that_is_not_declared_is_found_by_the_check() {
    let flow = flow(&[]);
    let path = flow.home.write(
        "bad.yaml",
        "task: t\nvariables: { total: { value: 0 } }\nsteps:\n  - id: a\n    set: { variables: { totl: 1 } }\n  - id: b\n    query: { database: erp, sql: \"select :x as x\", parameters: { x: \"{{ variables.toal }}\" } }\n",
    );
    let said = flow.home.run(&["task", "check", &path]).expect(2);
    let all = said.stdout + &said.stderr;
    for words in ["no variable `totl`", "no variable `toal`", "`total`"] {
        assert!(all.contains(words), "{words}: {all}");
    }
}
