//! Rule 1: what is sent to one place is not sent to another, and a change that would send again is refused.

use serde_json::json;

use crate::flow::{ANNOUNCE, CONNECTION, Flow, OTHER_ACCOUNT};
use crate::support::{Home, Sandbox};

const THREE: [&str; 3] = ["one", "two", "three"];

/// Leads the connection to another sandbox, authorised there.
fn move_to(home: &Home, sandbox: &Sandbox) {
    home.connect(sandbox, CONNECTION, "x", "read_write");
    home.authorize(sandbox, CONNECTION);
}

#[test]
fn a_connection_that_leads_elsewhere_sends_nothing_until_that_is_accepted() {
    let flow = Flow::announcing(&THREE);
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 3), ("delivered", 3), ("written", 3)]);
    let other = Sandbox::start(&[]);
    move_to(&flow.home, &other);

    flow.run()
        .refused(2, "TASK-003")
        .says(&["3 delivered", &other.api, "--accept-rekey"]);
    let file = flow.home.write("same.yaml", ANNOUNCE);
    flow.home
        .run(&["task", "apply", &file])
        .refused(2, "TASK-003")
        .says(&["3 delivered"]);
    assert_eq!(other.accepted(), 0);

    flow.home
        .run(&["task", "apply", &file, "--accept-rekey"])
        .expect(0);
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 3), ("delivered", 3), ("written", 3)]);
    assert_eq!(other.accepted(), 3);

    // And back: the first place still knows what it got.
    move_to(&flow.home, &flow.sandbox);
    flow.home
        .run(&["task", "apply", &file, "--accept-rekey"])
        .expect(0);
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 3), ("already", 3)]);
    assert_eq!(flow.sandbox.accepted(), 3);
}

/// A run that waits for a person must not go round the check that a new one makes.
#[test]
fn a_run_that_is_resumed_is_checked_too() {
    let flow = Flow::announcing(&THREE);
    flow.run().expect(0);
    flow.sql("insert into items (sku, text) values (null, 'nameless')");
    let held = flow.run().expect(3);
    held.counted("needs_attention", &[("read", 4)]);
    let run = held.json()["id"].as_str().unwrap().to_owned();
    let other = Sandbox::start(&[]);
    move_to(&flow.home, &other);
    flow.home
        .run(&["run", "resume", &run])
        .refused(2, "TASK-003")
        .says(&["3 delivered"]);
    assert_eq!(other.accepted(), 0);
}

#[test]
fn another_account_is_another_destination() {
    let flow = Flow::announcing(&THREE);
    flow.run().expect(0);
    let started = flow
        .home
        .run(&["connection", "authorize", CONNECTION, "--start"])
        .expect(0)
        .json();
    let token = started["authorize_url"]
        .as_str()
        .unwrap()
        .split("oauth_token=")
        .nth(1)
        .unwrap();
    let approved = flow.sandbox.post(
        "approve",
        &json!({"oauth_token": token, "account": OTHER_ACCOUNT}),
    );
    let pin = approved["verifier"].as_str().unwrap();
    flow.home
        .run(&["connection", "authorize", CONNECTION, "--verifier", pin])
        .expect(0);
    flow.run().refused(2, "TASK-003").says(&["3 delivered"]);
    assert_eq!(flow.sandbox.accepted(), 3);

    // The first account again: all is as it was.
    flow.home.authorize(&flow.sandbox, CONNECTION);
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 3), ("already", 3)]);
}

#[test]
fn a_changed_key_is_refused_and_a_renamed_step_says_so() {
    let flow = Flow::announcing(&THREE);
    flow.run().expect(0);
    let rekeyed = ANNOUNCE.replace("item-{{ sku }}", "thing-{{ sku }}");
    flow.home
        .apply("rekeyed.yaml", &rekeyed)
        .refused(2, "TASK-003")
        .says(&["3 delivered", "thing-", "formerly"]);

    let renamed = ANNOUNCE
        .replace("task: announce", "task: tell-the-world\nformerly: announce")
        .replace("- id: post", "- id: publish\n    formerly: post")
        .replace("from: post", "from: publish");
    flow.apply(&renamed);
    flow.run_task("tell-the-world")
        .expect(0)
        .counted("succeeded", &[("read", 3), ("already", 3)]);
    assert_eq!(flow.sandbox.accepted(), 3);
}
