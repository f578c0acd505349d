//! `task …` and `run …`: counts, states, pause, resume, cancel, retry.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Home, Sandbox, announce, members, sql};

const COUNTS: [&str; 8] = [
    "read",
    "delivered",
    "already",
    "rejected",
    "in_doubt",
    "skipped",
    "not_due",
    "written",
];

fn world(products: &[(&str, &str)]) -> (Sandbox, Home) {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.announcing(&sandbox, "read_write", products);
    (sandbox, home)
}

fn counts(run: &Value) -> Vec<(String, i64)> {
    assert_eq!(members(&run["counts"]), COUNTS);
    let counts = run["counts"].as_object().unwrap();
    counts
        .iter()
        .map(|(name, n)| (name.clone(), n.as_i64().unwrap()))
        .filter(|(_, n)| *n != 0)
        .collect()
}

fn is(run: &Value, expected: &[(&str, i64)]) {
    let expected: Vec<(String, i64)> = expected
        .iter()
        .map(|(name, n)| ((*name).to_owned(), *n))
        .collect();
    assert_eq!(counts(run), expected, "{run:#}");
}

#[test]
fn the_counts_of_a_run() {
    let (sandbox, home) = world(&[("A", "Kettle"), ("B", "Mug"), ("C", "Pan")]);
    let with_when = announce("product-{{ sku }}", "New: {{ name }}").replace(
        "      for_each: products\n",
        "      for_each: products\n      when: \"{{ name != 'Pan' }}\"\n",
    );
    home.apply("a.yaml", &with_when).expect(0);
    let run = home.run(&["task", "run", "announce"]).expect(0).json();
    for member in ["id", "task", "state", "counts"] {
        assert!(!run[member].is_null(), "{run:#}");
    }
    assert!(run["id"].as_str().unwrap().starts_with("run-"), "{run:#}");
    assert_eq!(run["task"], "announce");
    assert_eq!(run["state"], "succeeded");
    is(
        &run,
        &[("read", 3), ("delivered", 2), ("not_due", 1), ("written", 2)],
    );
    // The rows whose write-back is lost are known by their keys.
    sql(&home.file("erp.sqlite"), "delete from product_posts");
    let again = home.run(&["task", "run", "announce"]).expect(0).json();
    assert_eq!(again["counts"]["already"], 2, "{again:#}");
    assert_eq!(again["counts"]["delivered"], 0);
    assert_eq!(sandbox.accepted(), 2);

    let text = home.run_as_text(&["task", "run", "announce"]).expect(0).stdout;
    assert!(text.contains("announce") && text.contains("succeeded"), "{text}");
}

#[test]
fn task_commands() {
    let (_sandbox, home) = world(&[("A", "Kettle")]);
    let applied = home
        .apply("a.yaml", &announce("product-{{ sku }}", "Newer: {{ name }}"))
        .expect(0)
        .json();
    assert_eq!(
        applied,
        json!([{"task": "announce", "version": 2, "change": "changed"}])
    );
    let applied = home
        .apply("a.yaml", &announce("product-{{ sku }}", "Newer: {{ name }}"))
        .expect(0)
        .json();
    assert_eq!(applied[0]["change"], "unchanged");
    let listed = home.run(&["task", "list"]).expect(0).json();
    assert_eq!(listed[0]["task"], "announce");
    assert_eq!(listed[0]["enabled"], true);
    home.run(&["task", "disable", "announce"]).expect(0);
    assert_eq!(home.run(&["task", "list"]).expect(0).json()[0]["enabled"], false);
    home.run(&["task", "enable", "announce"]).expect(0);
    let yaml = home.run_as_text(&["task", "show", "announce"]).expect(0).stdout;
    assert_eq!(
        yaml.trim(),
        announce("product-{{ sku }}", "Newer: {{ name }}").trim()
    );
    assert_eq!(
        home.run(&["task", "show", "announce"]).expect(0).json()["task"],
        "announce"
    );
    // A file from standard input, and the schema for editors.
    home.run_with_input(&["task", "check", "-"], &yaml).expect(0);
    let schema = home.run(&["task", "schema"]).expect(0).json();
    assert!(
        schema["properties"]["steps"].is_object() || schema["$defs"].is_object(),
        "{schema:#}"
    );
}

/// A changed key would send everything again: the task stops until that is accepted.
#[test]
fn a_changed_key_has_to_be_accepted() {
    let (sandbox, home) = world(&[("A", "Kettle"), ("B", "Mug")]);
    home.run(&["task", "run", "announce"]).expect(0);
    home.apply("a.yaml", &announce("item-{{ sku }}", "New: {{ name }}"))
        .refused(2, "TASK-003")
        .says(&[
            "2 delivered record(s) would go again",
            "--accept-rekey",
            "formerly",
        ]);
    home.run(&["task", "run", "announce"]).expect(0);
    let path = home.write("a.yaml", &announce("item-{{ sku }}", "New: {{ name }}"));
    home.run(&["task", "apply", &path, "--accept-rekey"]).expect(0);
    home.run(&["task", "run", "announce"]).expect(0);
    assert_eq!(
        sandbox.accepted(),
        2,
        "the write-back still keeps them from being due"
    );
}

#[test]
fn run_list_show_and_retry() {
    let (sandbox, home) = world(&[("A", "Kettle"), ("B", &"x".repeat(300)), ("C", "Pan")]);
    let first = home.run(&["task", "run", "announce"]).expect(3).json();
    is(
        &first,
        &[("read", 3), ("delivered", 2), ("rejected", 1), ("written", 2)],
    );
    let id = first["id"].as_str().unwrap();
    assert_eq!(home.run(&["run", "show", id]).expect(0).json(), first);
    let listed = home.run(&["run", "list"]).expect(0).json();
    assert_eq!(listed, Value::Array(vec![first.clone()]));
    let text = home.run_as_text(&["run", "show", id]).expect(0).stdout;
    assert!(
        text.contains("1  rejected") && text.contains("delivery list --state rejected"),
        "{text}"
    );

    // Tried again as it is, it is refused again; mended, it goes.
    let retried = home.run(&["run", "retry", id]).expect(3);
    assert!(
        retried.stderr.contains("1 rejected record(s) are tried again"),
        "{}",
        retried.stderr
    );
    assert_eq!(retried.json()["counts"]["rejected"], 1);
    assert_eq!(home.deliveries("rejected").len(), 1);
    sql(
        &home.file("erp.sqlite"),
        "update products set name = 'Bowl' where sku = 'B'",
    );
    let mended = home.run(&["task", "run", "announce"]).expect(0).json();
    assert_eq!(mended["counts"]["delivered"], 1, "{mended:#}");
    assert_eq!(sandbox.accepted(), 3);
    let runs = home
        .run(&["run", "list", "--task", "announce", "--limit", "2"])
        .expect(0)
        .json();
    assert_eq!(runs.as_array().unwrap().len(), 2);
    assert_eq!(runs[0]["id"], mended["id"], "the newest first");
}

/// Waits until something is so.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !so() {
        assert!(Instant::now() < end, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A run of 40 posts, each answered after a second, in a process of its own.
fn slow_run(sandbox: &Sandbox, home: &Home) -> (std::process::Child, String) {
    sandbox.post(
        "faults",
        &json!([{"match": "POST /2/tweets", "do": "delay", "seconds": 1}]),
    );
    let child = home
        .command(&["task", "run", "announce"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until("the first posts are accepted", || sandbox.accepted() > 0);
    let id = home.run(&["run", "list"]).expect(0).json()[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    (child, id)
}

fn forty() -> Vec<(String, String)> {
    (0..40)
        .map(|n| (format!("S{n:02}"), format!("Thing {n}")))
        .collect()
}

#[test]
fn pause_and_resume_a_run_that_another_process_drives() {
    let products = forty();
    let products: Vec<(&str, &str)> = products.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let (sandbox, home) = world(&products);
    let (child, id) = slow_run(&sandbox, &home);
    // Two processes never drive at once: the second says so and does nothing.
    home.run(&["task", "run", "announce"]).refused(1, "RUN-002");
    home.run(&["run", "pause", &id]).expect(0);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(
        ended.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    let held: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(held["state"], "paused");
    let sent = sandbox.accepted();
    assert!(sent < 40, "it was held before the end");
    assert!(home.deliveries("sending").is_empty() && home.deliveries("in_doubt").is_empty());
    sandbox.post("faults", &json!([]));
    let resumed = home.run(&["run", "resume", &id]).expect(0).json();
    assert_eq!(resumed["id"], id.as_str());
    assert_eq!(resumed["state"], "succeeded");
    assert_eq!(resumed["counts"]["delivered"], 40, "{resumed:#}");
    assert_eq!(sandbox.accepted(), 40);
    home.run(&["run", "resume", &id])
        .refused(1, "RUN-004")
        .says(&["ended"]);
}

#[test]
fn cancel_a_run() {
    let products = forty();
    let products: Vec<(&str, &str)> = products.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let (sandbox, home) = world(&products);
    let (child, id) = slow_run(&sandbox, &home);
    home.run(&["run", "cancel", &id]).expect(0);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(
        ended.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    assert_eq!(
        serde_json::from_slice::<Value>(&ended.stdout).unwrap()["state"],
        "cancelled"
    );
    home.run(&["run", "cancel", &id])
        .refused(1, "RUN-004")
        .says(&["ended"]);
    home.run(&["run", "pause", &id]).refused(1, "RUN-004");
    // What was not sent stays pending for the next run, and each goes once.
    assert!(!home.deliveries("pending").is_empty());
    sandbox.post("faults", &json!([]));
    home.run(&["task", "run", "announce"]).expect(0);
    assert_eq!(sandbox.accepted(), 40);
    assert_eq!(home.deliveries("delivered").len(), 40);
}

#[test]
fn pause_and_cancel_a_run_that_nobody_drives() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.announcing(&sandbox, "read", &[("A", "Kettle")]);
    let run = home.run(&["task", "run", "announce"]).expect(3).json();
    let id = run["id"].as_str().unwrap();
    assert_eq!(
        home.run(&["run", "pause", id]).expect(0).json()["state"],
        "paused"
    );
    home.run(&["run", "resume", id]).failed(3, "AUTH-004");
    assert_eq!(
        home.run(&["run", "cancel", id]).expect(0).json()["state"],
        "cancelled"
    );
    assert_eq!(home.deliveries("pending").len(), 1, "nothing is lost");
}

/// Ctrl-C finishes what is under way; the next run goes on.
#[cfg(unix)]
#[test]
fn ctrl_c_stops_safely() {
    let products = forty();
    let products: Vec<(&str, &str)> = products.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let (sandbox, home) = world(&products);
    let (child, _) = slow_run(&sandbox, &home);
    let killed = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let ended = child.wait_with_output().unwrap();
    assert_ne!(ended.status.code(), Some(0));
    assert!(
        ended.status.code().is_some(),
        "it ended by itself, not by the signal"
    );
    assert!(home.deliveries("sending").is_empty() && home.deliveries("in_doubt").is_empty());
    assert_eq!(home.deliveries("delivered").len() as u64, sandbox.accepted());
    sandbox.post("faults", &json!([]));
    home.run(&["task", "run", "announce"]).expect(0);
    assert_eq!(sandbox.accepted(), 40);
}
