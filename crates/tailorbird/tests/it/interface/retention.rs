//! Old contents go, into an archive where one is wanted; what was sent stays known (rule 7).

use std::process::Command;

use serde_json::{Value, json};

use crate::flow::Flow;
use crate::support::sql;

#[test]
fn contents_go_into_an_archive_and_keys_stay() {
    let flow = Flow::announcing(&["one", "two", "three"]);
    flow.run().expect(0);
    let home = |arguments: &[&str]| flow.home.run(&[&["home"], arguments].concat());
    let folder = flow.home.file("archive");
    assert_eq!(
        home(&["retention"]).expect(0).json(),
        json!({"keep": "400d", "archive": null})
    );
    home(&["retention", "--keep", "1h"])
        .refused(2, "USE-001")
        .says(&["a day"]);
    home(&["retention", "--keep", "soon"]).refused(2, "USE-001");
    let set = home(&[
        "retention",
        "--keep",
        "30d",
        "--archive",
        &folder.display().to_string(),
    ]);
    assert_eq!(
        set.expect(0).json(),
        json!({"keep": "30d", "archive": folder.display().to_string()})
    );
    assert_eq!(home(&["tidy"]).expect(0).json()["dropped"], 0, "nothing is old");

    // Two of the three ended long ago.
    sql(
        &flow.home.path().join("ledger.db"),
        "update delivery set updated_at = updated_at - 86400000000 * 31 where id < 3",
    );
    assert_eq!(home(&["tidy", "--dry-run"]).expect(0).json()["left"], 2);
    let tidied = home(&["tidy"]).expect(0).json();
    assert_eq!((&tidied["dropped"], &tidied["left"]), (&json!(2), &json!(0)));
    let unpacked = Command::new("gzip")
        .args(["-dc", tidied["archive"].as_str().unwrap()])
        .output()
        .unwrap();
    assert!(unpacked.status.success());
    let lines: Vec<Value> = String::from_utf8(unpacked.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (&lines[0]["key"], &lines[0]["input"]["text"], &lines[0]["state"]),
        (&json!("item-A"), &json!("one"), &json!("delivered"))
    );
    let shown = flow.home.run(&["delivery", "show", "item-A"]).expect(0).json();
    assert_eq!(
        shown["input"],
        json!({}),
        "its content is gone, and the key still finds it"
    );
    flow.run()
        .expect(0)
        .counted("succeeded", &[("read", 3), ("already", 3)]);
    assert_eq!(flow.sandbox.accepted(), 3);
    flow.home.run(&["delivery", "verify"]).expect(0);

    home(&["retention", "--keep", "forever", "--no-archive"]).expect(0);
    let tidied = home(&["tidy"]).expect(0).json();
    assert_eq!(
        (&tidied["ended_before"], &tidied["dropped"]),
        (&json!(null), &json!(0))
    );
}

#[test]
fn what_cannot_be_archived_is_not_dropped() {
    let flow = Flow::announcing(&["one"]);
    flow.run().expect(0);
    let folder = flow.home.file("archive");
    let set = [
        "home",
        "retention",
        "--keep",
        "1d",
        "--archive",
        &folder.display().to_string(),
    ];
    flow.home.run(&set).expect(0);
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, "no folder").unwrap();
    sql(
        &flow.home.path().join("ledger.db"),
        "update delivery set updated_at = 1000000",
    );
    flow.home
        .run(&["home", "tidy"])
        .refused(1, "FILE-001")
        .says(&["archive", "not archived"]);
    let shown = flow.home.run(&["delivery", "show", "item-A"]).expect(0).json();
    assert_eq!(shown["input"]["text"], "one");
}
