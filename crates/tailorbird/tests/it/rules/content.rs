//! Rule 12: what changed content under the same key means, in each state.

use crate::flow::Flow;

fn change(flow: &Flow, sku: &str, text: &str) {
    flow.sql_with("update items set text = ?2 where sku = ?1", &[sku, text]);
}

#[test]
fn delivered_content_that_changes_later_is_already_sent() {
    let flow = Flow::announcing(&["as it was"]);
    flow.run().expect(0);
    change(&flow, "A", "as it is now");
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 1), ("already", 1)]);
    assert_eq!(flow.sandbox.texts(), ["as it was"]);
}

#[test]
fn rejected_content_is_held_until_it_changes() {
    let long = "long ".repeat(80);
    let flow = Flow::announcing(&[&long]);
    flow.run()
        .expect(3)
        .counted("succeeded", &[("read", 1), ("rejected", 1)]);
    flow.run()
        .expect(3)
        .counted("succeeded", &[("read", 1), ("rejected", 1)]);
    change(&flow, "A", "short");
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 1), ("delivered", 1), ("written", 1)]);
    assert_eq!(flow.sandbox.texts(), ["short"]);
}

/// The stored request is what goes; the change is told.
#[test]
fn pending_content_that_changes_goes_as_it_was_stored() {
    let flow = Flow::announcing(&["as it was", "nameless"]);
    let root = format!("root_url={}", flow.sandbox.api);
    let nowhere = format!("root_url={}/nothing", flow.sandbox.api);
    flow.home
        .run(&["connection", "add", "company-x", "--set", &nowhere])
        .expect(0);
    flow.run().expect(3).counted("needs_attention", &[("read", 2)]);
    flow.home
        .run(&["connection", "add", "company-x", "--set", &root])
        .expect(0);
    change(&flow, "A", "as it is now");
    // Even where the new content could not be sent at all.
    change(&flow, "B", &"x".repeat(300));
    let said = flow.run();
    for key in ["item-A", "item-B"] {
        assert!(
            said.stderr
                .contains(&format!("the content of {key} changed while it was open")),
            "{}",
            said.stderr
        );
    }
    said.expect(0)
        .counted("succeeded", &[("read", 2), ("delivered", 2), ("written", 2)]);
    let mut texts = flow.sandbox.texts();
    texts.sort();
    assert_eq!(texts, ["as it was", "nameless"]);
}

#[test]
fn skipped_stays_skipped_whatever_the_row_says() {
    let long = "x".repeat(300);
    let flow = Flow::announcing(&[&long]);
    flow.run().expect(3);
    flow.home
        .run(&["delivery", "resolve", "item-A", "--as", "skip"])
        .expect(0);
    change(&flow, "A", "short");
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 1), ("skipped", 1)]);
    assert_eq!(flow.sandbox.accepted(), 0);
    flow.home
        .run(&["delivery", "resolve", "item-A", "--as", "again"])
        .expect(0);
    let known = flow.home.run(&["delivery", "show", "item-A"]).expect(0).json();
    assert_eq!(known["state"], "pending");
}

#[test]
fn retry_sends_the_rejected_records_of_a_run_again() {
    let flow = Flow::announcing(&["first", "second"]);
    // The sandbox refuses the text that the account posted by hand.
    let by_hand = ["call", "company-x", "create_post", "--param", "text=second"];
    flow.home.run(&by_hand).expect(0);
    let said = flow.run().expect(3);
    said.counted(
        "succeeded",
        &[("read", 2), ("delivered", 1), ("rejected", 1), ("written", 1)],
    );
    assert_eq!(flow.home.deliveries("rejected")[0]["failure"]["code"], "SEND-004");
    let run = said.json()["id"].as_str().unwrap().to_owned();
    flow.accept_duplicates();
    flow.home.run(&["run", "retry", &run]).expect(0).counted(
        "succeeded",
        &[("read", 2), ("already", 1), ("delivered", 1), ("written", 1)],
    );
    assert_eq!(flow.sandbox.texts(), ["second", "first", "second"]);
}
