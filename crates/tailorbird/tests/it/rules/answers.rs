//! Rule 9: what an answer means for the record, the run and the shell.

use std::time::Instant;

use serde_json::json;

use crate::flow::{ANNOUNCE, CONNECTION, Flow, wait_until};
use crate::support::Sandbox;

const THREE: [&str; 3] = ["one", "two", "three"];

fn states(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(key, state)| ((*key).to_owned(), (*state).to_owned()))
        .collect()
}

#[test]
fn a_refused_record_is_rejected_with_the_providers_words_and_the_others_go() {
    let flow = Flow::announcing(&["first", "reply", "last"]);
    flow.apply(
        &ANNOUNCE
            .replace("select sku, text", "select sku, text, person")
            .replace(
                "with: { text: \"{{ text }}\" }",
                "with: { text: \"{{ text }}\", reply_to: \"{{ person }}\" }",
            ),
    );
    flow.sql("update items set person = '1' where text = 'reply'");
    let said = flow.run().expect(3);
    said.counted(
        "succeeded",
        &[("read", 3), ("delivered", 2), ("rejected", 1), ("written", 2)],
    );
    let rejected = flow.home.deliveries("rejected");
    assert_eq!(rejected[0]["failure"]["code"], "SEND-001", "{rejected:#?}");
    assert!(
        rejected[0]["failure"]["provider_message"].is_string(),
        "{rejected:#?}"
    );
    // It is held, and not sent again.
    let requests = flow.sandbox.get("requests").as_array().unwrap().len();
    let said = flow.run().expect(3);
    said.counted("succeeded", &[("read", 3), ("already", 2), ("rejected", 1)]);
    assert_eq!(flow.sandbox.get("requests").as_array().unwrap().len(), requests);
}

#[test]
fn a_record_that_breaks_a_length_rule_is_rejected_before_it_leaves() {
    let flow = Flow::announcing(&["fine", &"x".repeat(281), ""]);
    let said = flow.run().expect(3);
    said.counted(
        "succeeded",
        &[("read", 3), ("delivered", 1), ("rejected", 2), ("written", 1)],
    );
    let rejected = flow.home.deliveries("rejected");
    assert_eq!(rejected[0]["failure"]["code"], "SEND-002", "{rejected:#?}");
    assert_eq!(rejected[0]["attempts"], 0);
    assert_eq!(flow.sandbox.texts(), ["fine"]);
}

#[test]
fn a_level_that_is_too_low_keeps_every_record_and_asks_for_a_person() {
    let flow = Flow::on(Sandbox::start(&[]), "read");
    flow.apply(ANNOUNCE);
    for (sku, text) in ["A", "B", "C"].iter().zip(THREE) {
        flow.item(sku, text);
    }
    let said = flow.run();
    said.failed(3, "AUTH-004");
    said.counted("needs_attention", &[("read", 3)]);
    assert_eq!(flow.home.deliveries("pending").len(), 3);
    let run = said.json()["id"].clone();

    let key = flow.keys["client_key"].as_str().unwrap();
    flow.sandbox
        .post(&format!("apps/{key}"), &json!({"level": "read_write"}));
    flow.home.authorize(&flow.sandbox, CONNECTION);
    let said = flow.run().expect(0);
    said.counted("succeeded", &[("read", 3), ("delivered", 3), ("written", 3)]);
    assert_eq!(said.json()["id"], run, "the same run goes on");
}

#[test]
fn a_wrong_root_address_keeps_every_record_and_asks_for_a_person() {
    let flow = Flow::announcing(&THREE);
    flow.home
        .run(&[
            "connection",
            "add",
            CONNECTION,
            "--set",
            &format!("root_url={}/nothing", flow.sandbox.api),
        ])
        .expect(0);
    let said = flow.run();
    said.failed(3, "CONN-002");
    said.counted("needs_attention", &[("read", 3)]);
    assert_eq!(flow.home.deliveries("pending").len(), 3);
    assert_eq!(flow.sandbox.accepted(), 0);
    // Mended, the very records go that waited, also where their rows are gone.
    flow.sql("delete from items where sku <> 'A'");
    let root = format!("root_url={}", flow.sandbox.api);
    flow.home
        .run(&["connection", "add", CONNECTION, "--set", &root])
        .expect(0);
    assert_eq!(flow.run().expect(0).json()["counts"]["delivered"], 3);
    assert_eq!(flow.sandbox.accepted(), 3);
    assert_eq!(flow.written_back(), 3);
}

#[test]
fn a_limit_is_waited_for_and_the_run_goes_on() {
    let flow = Flow::announcing(&THREE);
    flow.sandbox.post(
        "faults",
        &json!([{"match": "POST /2/tweets", "nth": 2, "do": "429", "seconds": 3}]),
    );
    let begun = Instant::now();
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 3), ("delivered", 3), ("written", 3)]);
    assert!(begun.elapsed().as_millis() >= 2_500, "{:?}", begun.elapsed());
    assert_eq!(flow.sandbox.accepted(), 3);
    let attempts: Vec<i64> = flow
        .home
        .deliveries("delivered")
        .iter()
        .map(|d| d["attempts"].as_i64().unwrap())
        .collect();
    assert_eq!(attempts.iter().sum::<i64>(), 4, "{attempts:?}");
}

/// The longest followed wait is 20 minutes: beyond it the run is left waiting and says until when.
#[test]
fn a_long_limit_leaves_the_run_waiting() {
    let flow = Flow::announcing(&["one"]);
    let fault = json!([{"match": "POST /2/tweets", "nth": 1, "do": "429", "seconds": 600}]);
    flow.sandbox.post("faults", &fault);
    let running = flow.start();
    wait_until("the waiting run", || flow.last_run()["state"] == "waiting");
    assert!(flow.last_run()["resume_at"].is_string());
    // A wait costs nothing and ends at once where a person wants it.
    running.interrupt();
    running.end().expect(3).counted("paused", &[("read", 1)]);
    assert_eq!(flow.states(), states(&[("item-A", "pending")]));
}

#[test]
fn an_answer_that_fails_is_doubt_where_repeating_could_do_harm() {
    let flow = Flow::telling(&["A", "B"]);
    flow.fault("POST /2/dm_conversations", Some(1), "503");
    let said = flow.run_task("tell").expect(3);
    said.counted(
        "succeeded",
        &[("read", 2), ("delivered", 1), ("in_doubt", 1), ("written", 1)],
    );
    let doubt = flow.home.deliveries("in_doubt");
    assert_eq!(doubt[0]["failure"]["code"], "SEND-006", "{doubt:#?}");
    assert_eq!(doubt[0]["failure"]["status"], 503);
}

#[test]
fn a_provider_that_is_down_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.jsonl").display().to_string();
    let sandbox = Sandbox::start(&["--state", &state]);
    let address = sandbox.api.strip_prefix("http://").unwrap().to_owned();
    let mut flow = Flow::on(sandbox, "read_write");
    flow.apply(ANNOUNCE);
    for (sku, text) in ["A", "B", "C"].iter().zip(THREE) {
        flow.item(sku, text);
    }
    // Another one takes its place in the test, so that nobody listens at the address.
    drop(std::mem::replace(&mut flow.sandbox, Sandbox::start(&[])));
    let said = flow.run();
    said.failed(1, "CONN-004").says(&["Nothing is lost"]);
    said.counted("failed", &[("read", 3)]);
    assert_eq!(flow.home.deliveries("pending").len(), 3);

    // The rows are gone from the table; the ledger has them.
    flow.sql("delete from items");
    flow.sandbox = Sandbox::start_at(&address, &["--state", &state]);
    flow.run()
        .expect(0)
        .counted("succeeded", &[("delivered", 3), ("written", 3)]);
    let mut texts = flow.sandbox.texts();
    texts.sort();
    assert_eq!(texts, ["one", "three", "two"]);
}
