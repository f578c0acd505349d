//! Decisions on many deliveries at once, with a preview, and by the newest mapping (rule 12).

use serde_json::{Value, json};

use crate::flow::{ANNOUNCE, Flow};

/// Ten rows, three of which the provider refuses: their texts are too long.
fn with_refused() -> Flow {
    let flow = Flow::announcing(&[]);
    for row in 0..10 {
        let text = if row < 3 {
            "x".repeat(300)
        } else {
            format!("text {row}")
        };
        flow.item(&format!("R{row}"), &text);
    }
    flow.run().expect(3);
    flow
}

fn keys(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|delivery| delivery["key"].as_str().unwrap())
        .collect()
}

#[test]
fn a_list_is_filtered_paged_and_counted() {
    let flow = with_refused();
    let list = |arguments: &[&str]| {
        flow.home
            .run(&[&["delivery", "list"], arguments].concat())
            .expect(0)
            .json()
    };
    for (filter, count) in [
        (vec!["--state", "rejected"], 3),
        (vec!["--state", "rejected", "--code", "send-002"], 3),
        (vec!["--code", "SEND-001"], 0),
        (vec!["--task", "announce", "--step", "post"], 10),
        (vec!["--step", "other"], 0),
        (vec!["--connection", "company-x"], 10),
        (vec!["--key", "item-R*"], 10),
        (vec!["--key", "item-R?"], 10),
        (vec!["--key", "R?"], 0),
        (vec!["--key", "r3"], 1),
        (vec!["--key", "*[3]"], 0),
        (vec!["--since", "2020-01-01T00:00:00Z"], 10),
        (vec!["--since", "2120-01-01T00:00:00Z"], 0),
        (vec!["--run", flow.last_run()["id"].as_str().unwrap()], 10),
        (vec!["--run", "run-none"], 0),
    ] {
        assert_eq!(list(&filter).as_array().unwrap().len(), count, "{filter:?}");
        let counted = list(&[filter.as_slice(), &["--count"]].concat());
        assert_eq!(counted["count"], count, "{filter:?}");
    }
    let counted = list(&["--count"]);
    assert_eq!(
        counted,
        json!({"count": 10, "states": {"delivered": 7, "rejected": 3}})
    );

    let mut seen = Vec::new();
    let mut after = "0".to_owned();
    loop {
        let page = list(&["--limit", "4", "--after", &after]);
        let Some(newest) = page.as_array().unwrap().last() else {
            break;
        };
        after = newest["id"].as_str().unwrap().to_owned();
        seen.extend(keys(&page).into_iter().map(str::to_owned));
    }
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (10, 10), "no page skips or repeats one");
}

#[test]
fn many_are_decided_after_a_preview() {
    let flow = with_refused();
    let resolve = |arguments: &[&str]| {
        flow.home
            .run(&[&["delivery", "resolve", "--all"], arguments].concat())
    };
    resolve(&["--as", "skip"])
        .refused(2, "USE-001")
        .says(&["--state"]);
    let skip = ["--state", "rejected", "--key", "item-R[0]*", "--as", "skip"];
    let preview = resolve(&[&skip[..], &["--preview"]].concat()).expect(0).json();
    assert_eq!((&preview["matched"], &preview["shown"]), (&json!(0), &json!([])));
    let skip = ["--state", "rejected", "--key", "item-R0", "--as", "skip"];
    let preview = resolve(&[&skip[..], &["--preview"]].concat()).expect(0).json();
    assert_eq!(
        (&preview["matched"], &preview["possible"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(preview["shown"][0]["key"], "item-R0");
    // Nobody is there to say yes.
    resolve(&skip).refused(2, "USE-001").says(&["--yes"]);
    assert_eq!(flow.home.deliveries("skipped").len(), 0);
    let decided = resolve(&[&skip[..], &["--yes"]].concat()).expect(0).json();
    assert_eq!((&decided["resolved"], &decided["left"]), (&json!(1), &json!(0)));
    assert_eq!(
        keys(&flow.home.run(&["delivery", "list", "--state", "skipped"]).json()),
        ["item-R0"]
    );

    // What was delivered is final: it is named and left.
    let decided = resolve(&["--state", "delivered", "--as", "again", "--yes"])
        .expect(3)
        .json();
    assert_eq!((&decided["resolved"], &decided["left"]), (&json!(0), &json!(7)));
    assert_eq!(decided["named"][0]["why"], "it is delivered");
}

#[test]
fn a_mended_mapping_reaches_what_was_refused() {
    let flow = with_refused();
    let sent = flow.sandbox.accepted();
    flow.apply(&ANNOUNCE.replace("{{ text }}", "short {{ sku }}"));
    // One by one: the preview shows both requests, the decision takes the new one.
    let one = |more: &[&str]| {
        let decide = [
            "delivery",
            "resolve",
            "item-R0",
            "--as",
            "again",
            "--mapping",
            "new",
        ];
        flow.home.run(&[&decide[..], more].concat())
    };
    let shown = one(&["--preview"]).expect(0).json();
    assert!(
        shown[0]["new_request"].to_string().contains("short R0"),
        "{shown:#}"
    );
    assert_ne!(shown[0]["request"], shown[0]["new_request"]);
    assert_eq!(flow.home.deliveries("rejected").len(), 3, "nothing was changed");
    assert_eq!(one(&[]).expect(0).json()["state"], "pending");
    flow.home
        .run(&[
            "delivery",
            "resolve",
            "item-R1",
            "--as",
            "skip",
            "--mapping",
            "new",
        ])
        .refused(2, "USE-001");
    // A delivered one takes no new mapping.
    flow.home
        .run(&[
            "delivery",
            "resolve",
            "item-R5",
            "--as",
            "again",
            "--mapping",
            "new",
        ])
        .refused(1, "RUN-004");
    // The others in bulk.
    let all = [
        "--all",
        "--state",
        "rejected",
        "--as",
        "again",
        "--mapping",
        "new",
        "--yes",
    ];
    let decided = flow
        .home
        .run(&[&["delivery", "resolve"][..], &all].concat())
        .expect(0)
        .json();
    assert_eq!(decided["resolved"], 2);
    flow.run().expect(0);
    let mut new: Vec<String> = flow
        .sandbox
        .texts()
        .into_iter()
        .filter(|text| text.starts_with("short"))
        .collect();
    new.sort();
    assert_eq!(new, ["short R0", "short R1", "short R2"]);
    assert_eq!(flow.sandbox.accepted(), sent + 3, "nothing else went again");
    flow.home.run(&["delivery", "verify"]).expect(0);
}

#[test]
fn a_mapping_that_makes_no_request_leaves_the_record() {
    let flow = with_refused();
    flow.apply(&ANNOUNCE.replace("{{ text }}", "{{ nothing_of_that_name }}"));
    let all = [
        "--all",
        "--state",
        "rejected",
        "--as",
        "again",
        "--mapping",
        "new",
        "--yes",
    ];
    let decided = flow
        .home
        .run(&[&["delivery", "resolve"][..], &all].concat())
        .expect(3)
        .json();
    assert_eq!((&decided["resolved"], &decided["left"]), (&json!(0), &json!(3)));
    assert!(
        decided["named"][0]["why"].as_str().unwrap().contains("MAP-002"),
        "{decided:#}"
    );
    assert_eq!(flow.home.deliveries("rejected").len(), 3);
}

#[test]
fn a_run_is_retried_by_the_newest_mapping() {
    let flow = with_refused();
    let run = flow.last_run()["id"].as_str().unwrap().to_owned();
    flow.apply(&ANNOUNCE.replace("{{ text }}", "short {{ sku }}"));
    let said = flow
        .home
        .run(&["run", "retry", &run, "--mapping", "new"])
        .expect(0);
    assert_eq!(said.json()["counts"]["delivered"], 3, "{}", said.stdout);
    assert!(
        said.stderr.contains("3 rejected record(s) are tried again"),
        "{}",
        said.stderr
    );
    flow.home
        .run(&["run", "retry", &run, "--state", "nonsense"])
        .refused(2, "RUN-003");
}
