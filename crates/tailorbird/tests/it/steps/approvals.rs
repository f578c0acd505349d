//! `approve`: a person releases records, and what goes out is what was shown.

use serde_json::Value;

use super::{flow, lines};
use crate::flow::Flow;

const TASK: &str = r#"
task: announce
steps:
  - id: items
    query: { database: erp, sql: "select sku, text, price from items order by id" }
  - id: ok
    approve: { from: items, key: "{{ sku }}", show: "About {{ sku }}", role: marketing, expires: 2d }
  - id: post
    call: { connection: company-x, operation: create_post, for_each: ok, key: "{{ sku }}", with: { text: "{{ text }} for {{ price }}" } }
  - id: back
    write: { database: erp, table: out, from: post, key: [sku], columns: { sku: "{{ sku }}", note: "{{ result.id }}" } }
"#;

fn three() -> Flow {
    let flow = flow(&[("A", "one", "1.50"), ("B", "two", "2.00"), ("C", "three", "3.00")]);
    flow.accept_duplicates();
    flow.apply(TASK);
    flow
}

fn list(flow: &Flow, state: &str) -> Vec<Value> {
    let said = flow.home.run(&["approval", "list", "--state", state]).expect(0);
    said.json().as_array().unwrap().clone()
}

fn decide(flow: &Flow, what: &str, id: &Value) -> crate::support::Said {
    let id = id.as_str().unwrap();
    flow.home.run(&["approval", what, id, "--role", "marketing"])
}

#[test]
fn released_records_go_out_refused_ones_stay_and_the_rest_waits() {
    let flow = three();
    let said = flow.run();
    said.failed(3, "APPR-003")
        .says(&["3 record(s)", "marketing", "approval list --task announce"]);
    said.counted("waiting", &[("read", 3)]);
    assert_eq!(flow.sandbox.accepted(), 0);
    let waiting = list(&flow, "waiting");
    assert_eq!(waiting.len(), 3);
    assert_eq!(waiting[0]["shown"], "About A");
    assert_eq!(waiting[0]["input"]["price"], "1.50");
    let request = &waiting[0]["requests"][0];
    assert_eq!(request["method"], "POST");
    assert!(request["address"].as_str().unwrap().ends_with("/2/tweets"));
    assert!(
        request["body"].as_str().unwrap().contains("one for 1.50"),
        "{request:#}"
    );
    decide(&flow, "release", &waiting[0]["id"]).expect(0);
    decide(&flow, "refuse", &waiting[1]["id"]).expect(0);
    let said = flow.run();
    said.failed(3, "APPR-003").says(&["1 record(s)"]);
    said.counted(
        "waiting",
        &[("read", 3), ("delivered", 1), ("written", 1), ("skipped", 1)],
    );
    assert_eq!(flow.sandbox.accepted(), 1);
    decide(&flow, "release", &waiting[2]["id"]).expect(0);
    let id = flow.last_run()["id"].as_str().unwrap().to_owned();
    flow.home.run(&["run", "resume", &id]).expect(0).counted(
        "succeeded",
        &[("read", 3), ("delivered", 2), ("written", 2), ("skipped", 1)],
    );
    assert_eq!(lines(&flow, "select sku from out order by sku"), ["A", "C"]);
    // A run of its own asks nobody again.
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 3), ("already", 2), ("skipped", 1)]);
    assert_eq!(flow.sandbox.accepted(), 2);
}

#[test]
fn somebody_without_the_role_decides_nothing() {
    let flow = three();
    flow.run().expect(3);
    let waiting = list(&flow, "waiting");
    let id = waiting[0]["id"].as_str().unwrap();
    let said = flow.home.run(&["approval", "release", id]).expect(1);
    let error = &said.error();
    assert_eq!(error["code"], "APPR-002");
    assert!(
        error["detail"].as_str().unwrap().contains("marketing"),
        "{error:#}"
    );
    let released = flow.home.run(&["approval", "release", "--all"]).expect(0).json();
    assert_eq!(
        released.as_array().unwrap().len(),
        0,
        "nothing waits for the operator"
    );
    assert_eq!(list(&flow, "waiting").len(), 3);
    let all = [
        "approval",
        "release",
        "--all",
        "--task",
        "announce",
        "--role",
        "marketing",
    ];
    assert_eq!(flow.home.run(&all).expect(0).json().as_array().unwrap().len(), 3);
    let said = decide(&flow, "refuse", &waiting[0]["id"]).expect(1);
    assert_eq!(said.error()["code"], "APPR-004");
    assert_eq!(
        flow.home.run(&["approval", "show", "999"]).expect(1).error()["code"],
        "APPR-001"
    );
    flow.run().expect(0);
    assert_eq!(flow.sandbox.accepted(), 3);
}

#[test]
fn what_would_go_out_otherwise_has_to_be_released_again() {
    let flow = three();
    flow.run().expect(3);
    let all = ["approval", "release", "--all", "--role", "marketing"];
    flow.home.run(&all).expect(0);
    // The row changes after it was released.
    flow.sql("update items set price = '9.99' where sku = 'A'");
    flow.run()
        .expect(3)
        .counted("waiting", &[("read", 3), ("delivered", 2), ("written", 2)]);
    let waiting = list(&flow, "waiting");
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0]["key"], "A");
    let body = waiting[0]["requests"][0]["body"].as_str().unwrap();
    assert!(body.contains("one for 9.99"), "{body}");
    flow.home.run(&all).expect(0);
    // The task changes after it was released.
    flow.apply(&TASK.replace("{{ text }} for", "{{ text }}, now for"));
    flow.run().expect(3);
    let waiting = list(&flow, "waiting");
    assert_eq!(waiting.len(), 1);
    assert!(
        waiting[0]["reason"].as_str().unwrap().contains("changed"),
        "{waiting:#?}"
    );
    flow.home.run(&all).expect(0);
    flow.run().expect(0);
    assert_eq!(flow.sandbox.accepted(), 3);
}

#[test]
fn what_nobody_decides_in_time_is_rejected() {
    let flow = three();
    flow.apply(&TASK.replace("expires: 2d", "expires: 1s"));
    // A second is short enough to sit there.
    flow.run()
        .expect(3)
        .counted("succeeded", &[("read", 3), ("rejected", 3)]);
    let expired = list(&flow, "expired");
    assert_eq!(expired.len(), 3);
    assert!(expired[0]["reason"].as_str().unwrap().contains("in time"));
    let said = decide(&flow, "release", &expired[0]["id"]).expect(1);
    assert_eq!(said.error()["code"], "APPR-004");
    assert_eq!(flow.sandbox.accepted(), 0);
}

/// Between the release and the later steps: what was handed on is not handed on twice, what was not is.
#[test]
fn a_kill_after_the_release_sends_each_record_once() {
    let flow = three();
    flow.run().expect(3);
    flow.home
        .run(&["approval", "release", "--all", "--role", "marketing"])
        .expect(0);
    flow.delay(1);
    let running = flow.start();
    flow.wait_for_accepted(1);
    running.kill();
    flow.no_faults();
    flow.run().expect(0);
    assert_eq!(flow.sandbox.accepted(), 3);
    assert_eq!(lines(&flow, "select sku from out order by sku"), ["A", "B", "C"]);
}
