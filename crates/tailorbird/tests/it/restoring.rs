//! Rule 20, end to end: a backup comes back, and nothing that was sent since goes twice.

use serde_json::json;

use crate::flow::{ANNOUNCE, Flow};
use crate::support::{Home, members};

const KEPT: usize = 20;
/// More than the engine settles at once.
const LOST: usize = 120;

fn flow_with_rows(rows: std::ops::Range<usize>, flow: &Flow) {
    for row in rows {
        flow.item(&format!("R{row}"), &format!("text of row {row}"));
    }
}

#[test]
fn what_was_sent_after_the_backup_is_looked_up_and_not_sent_again() {
    let flow = Flow::announcing(&[]);
    flow.accept_duplicates();
    flow_with_rows(0..KEPT, &flow);
    flow.run().expect(0);
    let file = flow.home.file("backup.tar").display().to_string();
    let said = flow.home.run(&["backup", &file]).expect(0).json();
    assert_eq!(
        members(&said),
        [
            "file",
            "bytes",
            "backup_at",
            "deliveries",
            "services",
            "with_key",
            "head"
        ]
    );
    assert_eq!(
        (&said["deliveries"], &said["with_key"]),
        (&json!(20), &json!(false))
    );
    flow.home.run(&["backup", &file]).refused(1, "HOME-005");

    flow_with_rows(KEPT..KEPT + LOST, &flow);
    flow.run().expect(0);
    assert_eq!(flow.sandbox.accepted(), 140);

    // The ledger of 20 comes back. The ERP keeps its 140 rows.
    flow.home
        .run(&["restore", &file])
        .refused(1, "HOME-002")
        .says(&["--force"]);
    let returned = flow.home.run(&["restore", &file, "--force"]).expect(0).json();
    assert_eq!(
        (&returned["deliveries"], &returned["in_doubt"]),
        (&json!(20), &json!(0))
    );
    assert!(returned["set_aside"].as_str().unwrap().contains("before-restore"));
    let view = flow.home.run(&["home", "show"]).expect(0).json();
    let task = &view["restored"]["tasks"][0];
    assert_eq!(
        (&task["task"], &task["is_met"]),
        (&json!("announce"), &json!(false))
    );
    let health = flow.home.run(&["doctor"]).json();
    assert!(health.to_string().contains("restored home"), "{health:#}");

    // One row that really is new: it was never sent.
    flow.item("NEW", "a text that nobody has sent yet");
    let said = flow.run().expect(0);
    said.counted(
        "succeeded",
        &[
            ("read", 141),
            ("already", 20),
            ("delivered", 121),
            ("written", 121),
        ],
    );
    assert!(said.stderr.contains("came back from a backup"), "{}", said.stderr);
    assert_eq!(
        flow.sandbox.accepted(),
        141,
        "the lost ones were found, and only the new one was sent"
    );
    let texts = flow.sandbox.texts();
    let mut once = texts.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), texts.len(), "0 twice");
    assert_eq!(flow.written_back(), 141);
    let story = flow.home.run(&["delivery", "show", "item-R25"]).expect(0).json();
    assert!(
        story["story"].to_string().contains("looked up at the provider"),
        "{story:#}"
    );

    // That run has read everything once, so the next new row is sent as usual.
    flow.item("LATER", "sent as usual");
    let said = flow.run().expect(0);
    assert!(!said.stderr.contains("came back"), "{}", said.stderr);
    assert_eq!(
        flow.home.run(&["delivery", "show", "item-LATER"]).json()["story"][1]["text"],
        "attempt 1: accepted, HTTP 201"
    );
    flow.home.run(&["home", "end-restored"]).expect(0);
    assert_eq!(flow.home.run(&["home", "show"]).json()["restored"], json!(null));
    flow.home.run(&["home", "end-restored"]).refused(2, "RUN-004");
    flow.home.run(&["delivery", "verify"]).expect(0);
}

/// Messages cannot be looked up: what may have been sent waits for a person.
#[test]
fn what_nobody_can_look_up_waits_for_a_person() {
    let flow = Flow::telling(&["A"]);
    flow.run_task("tell").expect(0);
    // The home came back as a folder; what was pending then and what is new now may have been sent.
    flow.item("B", "Your order is on its way");
    let person = flow.other_account();
    flow.sql_with("update items set person = ?1", &[&person]);
    let said = flow.home.run(&["task", "run", "tell", "--restored"]).expect(3);
    said.counted("succeeded", &[("read", 2), ("already", 1), ("in_doubt", 1)]);
    flow.home
        .run(&["home", "end-restored"])
        .refused(2, "USE-001")
        .says(&["--yes"]);
    flow.home.run(&["home", "end-restored", "--yes"]).expect(0);
    flow.home
        .run(&["delivery", "resolve", "told-B", "--as", "again"])
        .expect(0);
    flow.run_task("tell").expect(0);
}

#[test]
fn a_backup_with_its_key_is_enough_on_another_machine() {
    let flow = Flow::announcing(&["one"]);
    flow.run().expect(0);
    let file = flow.home.file("all.tar").display().to_string();
    let words = flow.home.write("words", "correct horse battery staple\n");
    let short = flow.home.write("short", "too short\n");
    let with_key = |words: &str| {
        flow.home
            .run(&["backup", &file, "--with-key", "--passphrase", words])
    };
    with_key(&short).refused(2, "USE-001").says(&["12 characters"]);
    flow.home
        .run(&["backup", &file, "--with-key"])
        .refused(2, "USE-001");
    with_key(&words).expect(0);

    let other = Home::new();
    other
        .run(&["restore", &file])
        .refused(1, "HOME-003")
        .says(&["--key"]);
    other.run(&["restore", &file, "--passphrase", &words]).expect(0);
    other.run(&["connection", "test", "company-x"]).expect(0);
    let said = other.apply("task.yaml", ANNOUNCE).expect(0);
    assert_eq!(said.json()[0]["change"], "unchanged");
    other
        .run(&["task", "run", "announce"])
        .expect(0)
        .counted("succeeded", &[("read", 1), ("already", 1)]);
    assert_eq!(flow.sandbox.accepted(), 1);
    let not_one = other.write("erp.txt", "hello");
    other
        .run(&["restore", &not_one, "--force"])
        .refused(1, "HOME-005")
        .says(&["not a backup"]);
}
