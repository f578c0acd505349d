//! A run that waits for people's release for days is in nobody's way.

use serde_json::Value;

use super::schedules::{MINUTE, clock};
use super::support::{Server, until};
use crate::provider::{Provider, Reply, SERVICE};
use crate::support::{Home, sql};

const TASK: &str = r#"
task: tell
trigger: { schedule: "0 * * * *" }
steps:
  - id: items
    query: { database: erp, sql: "select id, text from items where id > :cursor order by id", cursor: { column: id, start: 0, overlap: 0 } }
  - id: ok
    approve: { from: items, key: "{{ id }}", expires: 5d }
  - id: note
    call: { connection: c, operation: create_note, for_each: ok, key: "item-{{ id }}", with: { text: "{{ text }}" } }
"#;

fn list(home: &Home, what: &[&str]) -> Vec<Value> {
    home.run(what).expect(0).json().as_array().unwrap().clone()
}

fn waiting(home: &Home) -> usize {
    list(home, &["approval", "list", "--state", "waiting"]).len()
}

#[test]
fn new_records_are_asked_about_while_a_run_waits_for_release() {
    let provider = Provider::start(|number, _, _| Reply::accept(number));
    let home = provider.home(SERVICE, &[], 2);
    home.apply("task.yaml", TASK).expect(0);
    clock(&home, 0);
    let _server = Server::start(&home);
    until("the server", || home.run(&["task", "show", "tell"]).code == 0);
    clock(&home, 60 * MINUTE);
    until("two questions", || waiting(&home) == 2);
    until("the run that waits", || {
        list(&home, &["run", "list"])[0]["state"] == "waiting"
    });
    sql(
        &home.file("erp.sqlite"),
        "insert into items values (3, 'a third')",
    );
    clock(&home, 120 * MINUTE);
    until("the third question", || waiting(&home) == 3);
    until("the next run that waits", || {
        let runs = list(&home, &["run", "list"]);
        runs.len() == 2 && runs[0]["state"] == "waiting"
    });
    let runs = list(&home, &["run", "list"]);
    assert_eq!(runs[1]["state"], "cancelled", "{runs:#?}");
    assert_eq!(provider.bodies().len(), 0);
    // What the first run asked is released: the second one goes on with it at once.
    let all = list(&home, &["approval", "list", "--state", "waiting"]);
    home.run(&["approval", "release", all[0]["id"].as_str().unwrap()])
        .expect(0);
    until("the first note", || provider.bodies().len() == 1);
    assert!(provider.bodies()[0].contains("text 1"));
    home.run(&["approval", "release", "--all"]).expect(0);
    until("all notes", || provider.bodies().len() == 3);
    until("the end", || {
        list(&home, &["run", "list"])[0]["state"] == "succeeded"
    });
    assert_eq!(list(&home, &["run", "list"])[0]["counts"]["delivered"], 3);
}
