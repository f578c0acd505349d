//! `delivery verify`: what was changed past the program is named, with exit code 1.

use crate::flow::Flow;
use crate::support::{members, sql};

#[test]
fn an_edit_by_hand_is_named() {
    let flow = Flow::announcing(&["one", "two"]);
    flow.run().expect(0);
    let verify = |more: &[&str]| flow.home.run(&[&["delivery", "verify"], more].concat());
    let said = verify(&[]).expect(0).json();
    assert_eq!(
        members(&said),
        [
            "whole",
            "links",
            "deliveries",
            "head",
            "misfits",
            "named",
            "failure"
        ]
    );
    assert_eq!((&said["whole"], &said["deliveries"]), (&true.into(), &2.into()));
    let head = said["head"].as_str().unwrap().to_owned();
    verify(&["--head", &head]).expect(0);
    verify(&["--head", "7"])
        .refused(2, "RUN-003")
        .says(&["NUMBER:CODE"]);
    let other = format!("7000:{}", "ab".repeat(32));
    let gone = verify(&["--head", &other]);
    gone.failed(1, "HOME-004").says(&["restore"]);
    assert_eq!(gone.json()["named"][0]["kind"], "head_gone");

    sql(
        &flow.home.path().join("ledger.db"),
        "update delivery set state = 'pending', delivered_at = null where id = 1",
    );
    let said = verify(&[]);
    said.failed(1, "HOME-004");
    let named = said.json()["named"].clone();
    assert_eq!(named[0]["kind"], "row_altered", "{named:#}");
    assert_eq!(
        (&named[0]["delivery"], &named[0]["key"]),
        (&"1".into(), &"item-A".into())
    );
    let text = flow.home.run_as_text(&["delivery", "verify"]).expect(1).stdout;
    assert!(
        text.contains("delivery 1 (item-A): its row is not what"),
        "{text}"
    );
    assert!(
        text.contains("HOME-004") && text.contains("newest link is"),
        "{text}"
    );
}
