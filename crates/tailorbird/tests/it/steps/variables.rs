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

/// Direct messages whose rows are named after the run that read them.
const NUMBERED: &str = r#"
task: tell
variables: { runs: { scope: task, value: 0 }, seen: { value: "" } }
steps:
  - id: number
    set: { variables: { runs: "{{ variables.runs | plus(1) }}" } }
  - id: items
    query: { database: erp, sql: "select sku, text, person from items order by id" }
  - id: message
    call:
      connection: company-x
      operation: send_direct_message
      for_each: items
      key: "told-{{ sku }}"
      with: { participant_id: "{{ person }}", text: "{{ text }}" }
  - id: last
    set: { from: items, variables: { seen: "{{ sku }}" } }
  - id: write-back
    write:
      database: erp
      table: out
      from: message
      key: [sku]
      columns: { sku: "{{ variables.runs }}-{{ sku }}", note: "{{ run.id }}", text: "{{ variables.seen }}" }
"#;

fn numbered(skus: &[&str]) -> crate::flow::Flow {
    let flow = crate::flow::Flow::telling(skus);
    flow.sql("create table out (sku text primary key, text text, price text, cents text, note text);");
    flow.apply(NUMBERED);
    flow
}

/// Doubts that are settled, and records that are sent again, two runs later: their rows are the first run's, also by
/// what that one set after it had read them.
#[test]
fn a_record_that_a_later_run_takes_up_sees_the_run_that_read_it() {
    let flow = numbered(&["A", "B"]);
    flow.fault("POST /2/dm_conversations", None, "lose_answer");
    let first = flow.run_task("tell").expect(3).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    flow.no_faults();
    flow.item("C", "nobody to tell");
    let second = flow.run_task("tell").json()["id"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    let resolve = |key: &str, how: &str| {
        flow.home
            .run(&["delivery", "resolve", key, "--as", how])
            .expect(0)
    };
    resolve("told-A", "sent");
    resolve("told-B", "again");
    flow.run_task("tell");
    let rows = || lines(&flow, "select sku, text, note from out order by sku");
    assert_eq!(rows(), [format!("1-A|B|{first}"), format!("1-B|B|{first}")]);
}

/// Delivered, and the database refuses what follows: the next run writes the rows that the first one would have.
#[test]
fn a_write_back_that_is_made_up_for_writes_the_same_rows() {
    let flow = numbered(&["A", "B"]);
    flow.sql("alter table out rename to gone");
    flow.run_task("tell").expect(1);
    flow.sql("alter table gone rename to out");
    flow.run_task("tell").expect(0);
    assert_eq!(lines(&flow, "select sku from out order by sku"), ["1-A", "1-B"]);
}

/// A record that was refused keeps what it saw for a mended mapping, too.
#[test]
fn a_new_mapping_sees_the_run_that_read_the_record() {
    let flow = flow(&[("A", "", "1")]);
    let task = r#"
task: announce
variables: { runs: { scope: task, value: 0 } }
steps:
  - id: number
    set: { variables: { runs: "{{ variables.runs | plus(1) }}" } }
  - id: items
    query: { database: erp, sql: "select sku, text from items" }
  - id: post
    call: { connection: company-x, operation: create_post, for_each: items, key: "{{ sku }}", with: { text: "TEXT" } }
  - id: back
    write: { database: erp, table: out, from: post, key: [sku], columns: { sku: "{{ variables.runs }}-{{ sku }}" } }
"#;
    let broken = format!("{{{{ variables.runs }}}} {}", "x".repeat(400));
    flow.apply(&task.replace("TEXT", &broken));
    flow.run().expect(3);
    // The next run sees another number.
    flow.run().expect(3);
    flow.apply(&task.replace("TEXT", "run {{ variables.runs }}"));
    let again = ["delivery", "resolve", "A", "--as", "again", "--mapping", "new"];
    flow.home.run(&again).expect(0);
    flow.sql("delete from items");
    flow.run().expect(0);
    assert_eq!(flow.sandbox.texts(), ["run 1"]);
    assert_eq!(lines(&flow, "select sku from out"), ["1-A"]);
}
