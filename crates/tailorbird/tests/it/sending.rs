//! Limits, money, thresholds, idempotency keys, and what a broken connection means: from outside.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;

use crate::flow::{Running, wait_until};
use crate::provider::{Provider, Reply, SERVICE, TASK};
use crate::support::Home;

fn service(more: &str) -> String {
    SERVICE.replace("# MORE", more)
}

fn states(home: &Home) -> Vec<String> {
    let list = home.run(&["delivery", "list"]).expect(0).json();
    let text = |delivery: &serde_json::Value| delivery["state"].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(text).collect()
}

#[test]
fn limits_of_the_service_file_hold_the_run_over_restarts_and_over_tasks() {
    let provider = Provider::start(|number, _, _| Reply::accept(number));
    let limited = format!(
        "{}limits: [{{ operation: create_note, calls: 3, window: 1h }}]\n",
        service("")
    );
    let home = provider.home(&limited, &["concurrency=2"], 5);
    let said = home.run(&["task", "run", "tell"]).expect(3).json();
    assert_eq!(
        (&said["state"], &said["counts"]["delivered"]),
        (&json!("waiting"), &json!(3))
    );
    assert_eq!(said["failure"]["code"], "SEND-005", "{said:#?}");
    assert!(said["resume_at"].is_string());
    let shown = home.run(&["connection", "show", "c"]).expect(0).json();
    assert_eq!(
        (&shown["limits"][0]["used"], &shown["concurrency"]),
        (&json!(3), &json!(2))
    );
    assert!(
        home.run_as_text(&["connection", "show", "c"])
            .stdout
            .contains("3 of 3 calls in 1h")
    );
    // Another process, and another task over the same connection.
    home.run(&["task", "run", "tell"]).expect(3);
    home.apply(
        "other.yaml",
        &TASK
            .replace("task: tell", "task: other")
            .replace("item-{{", "other-{{"),
    )
    .expect(0);
    home.run(&["task", "run", "other"]).expect(3);
    assert_eq!(provider.requests().len(), 3);
}

#[test]
fn a_connection_that_leads_elsewhere_has_other_limits() {
    let provider = Provider::start(|number, _, _| Reply::accept(number));
    let limited = format!(
        "{}limits: [{{ operation: create_note, calls: 1, window: 1h }}]\n",
        service("")
    );
    let home = provider.home(&limited.replace("ROOT", "https://api.example.com"), &[], 3);
    home.run(&["task", "run", "tell"]).expect(0);
    assert_eq!(provider.requests().len(), 3);
}

#[test]
fn a_spending_cap_stops_before_it_is_passed() {
    let provider = Provider::start(|number, _, _| Reply::accept(number));
    let priced = service(r#"cost: { per_call: "0.10", with_link: "0.25", currency: USD }"#);
    let home = provider.home(&priced, &["spending_cap=0.30/day"], 5);
    let said = home.run(&["task", "run", "tell"]).expect(3).json();
    assert_eq!(
        (&said["state"], &said["counts"]["delivered"]),
        (&json!("waiting"), &json!(3))
    );
    assert_eq!(said["failure"]["code"], "SEND-011", "{said:#?}");
    let shown = home.run(&["connection", "show", "c"]).expect(0).json();
    assert_eq!(
        shown["spending"],
        json!({"cap": "0.30/day", "today": "0.30", "this_month": "0.30"})
    );
    // A link is dearer than what a greater cap leaves.
    home.run(&["connection", "add", "c", "--set", "spending_cap=0.45/month"])
        .expect(0);
    home.apply(
        "task.yaml",
        &TASK.replace(
            "{ text: \"{{ text }}\" }",
            "{ text: \"see example.com {{ text }}\" }",
        ),
    )
    .expect(0);
    home.run(&["connection", "add", "c", "--set", "spending_cap=0.20/day"])
        .expect(0);
    let said = home.run(&["task", "run", "tell"]).expect(3).json();
    assert_eq!(said["failure"]["code"], "SEND-011", "{said:#?}");
    assert_eq!(
        provider.requests().len(),
        3,
        "what was enrolled before keeps its request; nothing fits"
    );
}

#[test]
fn a_threshold_stops_the_run_and_loses_nothing() {
    let provider = Provider::start(|_, _, _| Reply::refuse());
    let home = provider.home(&service(""), &["concurrency=1"], 10);
    home.apply("task.yaml", &format!("{TASK}stop: {{ after_rejected: 3 }}\n"))
        .expect(0);
    let said = home.run(&["task", "run", "tell"]).expect(3).json();
    assert_eq!(
        (&said["state"], &said["counts"]["rejected"]),
        (&json!("needs_attention"), &json!(3))
    );
    assert_eq!(said["failure"]["code"], "SEND-012", "{said:#?}");
    assert_eq!(provider.requests().len(), 3);
    // A person lets it go on: three more.
    let said = home.run(&["task", "run", "tell"]).expect(3).json();
    assert_eq!(
        (&said["failure"]["code"], &said["counts"]["rejected"]),
        (&json!("SEND-012"), &json!(6))
    );
    let states = states(&home);
    assert_eq!(
        states.iter().filter(|state| *state == "pending").count(),
        4,
        "{states:?}"
    );
}

#[test]
fn a_share_of_rejected_records_stops_the_run_once_it_says_something() {
    // Every second one is refused, from the first on.
    let provider = Provider::start(|number, _, _| {
        if number % 2 == 0 {
            Reply::refuse()
        } else {
            Reply::accept(number)
        }
    });
    let home = provider.home(&service(""), &["concurrency=1"], 40);
    home.apply("task.yaml", &format!("{TASK}stop: {{ after_share: 0.4 }}\n"))
        .expect(0);
    let said = home.run(&["task", "run", "tell"]).failed(3, "SEND-012");
    said.says(&["11 of 21 records", "40.0 %"]);
    assert_eq!(
        provider.requests().len(),
        21,
        "twenty say something, and a refusal has to follow"
    );
}

#[test]
fn a_lost_answer_is_repeated_with_the_same_idempotency_key() {
    let provider = Provider::start(|number, _, _| if number == 0 { Reply::Cut } else { Reply::accept(7) });
    let keyed = service("idempotency_key: { header: Idempotency-Key }");
    let home = provider.home(&keyed, &[], 1);
    home.run(&["task", "run", "tell"]).expect(0);
    let keys: Vec<String> = provider
        .requests()
        .iter()
        .map(|(head, _)| {
            let line = head
                .lines()
                .find(|line| line.to_lowercase().starts_with("idempotency-key: "));
            line.expect("a key").to_owned()
        })
        .collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1], "the second attempt has the key of the first");
    assert_eq!(states(&home), ["delivered"]);
}

#[test]
fn two_rows_have_two_keys_and_a_field_carries_one_as_well() {
    let provider = Provider::start(|number, _, _| Reply::accept(number));
    let home = provider.home(&service("idempotency_key: { field: request_id }"), &[], 2);
    home.run(&["task", "run", "tell"]).expect(0);
    let ids: Vec<serde_json::Value> = provider
        .bodies()
        .iter()
        .map(|body| serde_json::from_str::<serde_json::Value>(body).unwrap()["request_id"].clone())
        .collect();
    assert!(
        ids.iter().all(|id| id.as_str().is_some_and(|id| id.len() == 32)),
        "{ids:?}"
    );
    assert_ne!(ids[0], ids[1]);
}

#[track_caller]
fn check_answer(reply: &Reply, state: &str, requests: usize) {
    let reply = reply.clone();
    let provider = Provider::start(move |_, _, _| reply.clone());
    let home = provider.home(&service("in_doubt: ask"), &[], 1);
    home.run(&["task", "run", "tell"]);
    assert_eq!(states(&home), [state]);
    home.run(&["task", "run", "tell"]);
    assert_eq!(provider.requests().len(), requests, "sent again on a guess");
}

#[test]
fn what_may_have_arrived_is_doubt_and_is_not_sent_again() {
    let answer = |status| Reply::Answer(status, "", "{}".to_owned());
    check_answer(&Reply::Cut, "in_doubt", 1);
    check_answer(&answer(408), "in_doubt", 1);
    check_answer(&answer(500), "in_doubt", 1);
    check_answer(&answer(503), "in_doubt", 1);
    let elsewhere = "Location: http://127.0.0.1:9/elsewhere\r\n";
    check_answer(&Reply::Answer(307, elsewhere, String::new()), "rejected", 1);
}

#[track_caller]
fn check_not_sent(root: &str) {
    let provider = Provider::start(|number, _, _| Reply::accept(number));
    let home = provider.home(&service("in_doubt: ask").replace("ROOT", root), &[], 2);
    let root = format!("root_url={root}");
    home.run(&["connection", "add", "c", "--set", &root]).expect(0);
    let said = home.run(&["task", "run", "tell"]).expect(1).json();
    assert_eq!(said["failure"]["code"], "CONN-004", "{said:#?}");
    assert_eq!(states(&home), ["pending", "pending"], "{root}");
    assert_eq!(provider.requests().len(), 0);
}

#[test]
fn a_port_that_nobody_listens_at_was_sent_nothing() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    check_not_sent(&closed);
}

/// RFC 6761 §6.4: this name never exists.
#[test]
fn a_name_that_does_not_exist_was_sent_nothing() {
    check_not_sent("http://provider.invalid");
}

#[test]
fn a_server_without_tls_was_sent_nothing() {
    let plain = Provider::start(|number, _, _| Reply::accept(number));
    check_not_sent(&plain.root.replace("http://", "https://"));
    let seen = plain.requests();
    assert!(seen.is_empty(), "{seen:?}");
}

#[test]
fn a_process_that_was_asleep_sends_nothing_that_was_decided_meanwhile() {
    let provider = Provider::start(|number, _, _| {
        if number == 0 {
            Reply::Slow(Duration::from_secs(2))
        } else {
            Reply::accept(number)
        }
    });
    let home = provider.home(&service("in_doubt: ask"), &["concurrency=1"], 3);
    let running = Running::start(home.command(&["task", "run", "tell"]));
    wait_until("the first request", || provider.requests().len() == 1);
    let signal = |name: &str| {
        let told = std::process::Command::new("kill")
            .args([name, &running.id().to_string()])
            .status();
        assert!(told.unwrap().success());
    };
    signal("-STOP");
    let said = home.run(&["delivery", "resolve", "item-1", "--as", "again"]);
    assert_ne!(said.code, 0, "what is on its way cannot be decided");
    home.run(&["delivery", "resolve", "item-2", "--as", "skip"])
        .expect(0);
    signal("-CONT");
    running.end();
    let bodies = provider.bodies();
    assert_eq!(bodies.len(), 2, "{bodies:?}");
    assert!(!bodies.iter().any(|body| body.contains("text 2")), "{bodies:?}");
    assert_eq!(states(&home), ["delivered", "skipped", "delivered"]);
}

/// A service whose list is read, at a price.
fn listing(more: &str) -> String {
    let list = r#"  list_notes:
    method: GET
    path: /notes
    cost: { per_call: "0.10", currency: USD }
    result: { records: /data, columns: { id: /id } }
    pagination: { cursor: { from: /next, parameter: page } }
"#;
    format!("{}{list}{more}", service(""))
}

const READ: &str = r"
task: collect
steps:
  - { id: notes, call: { connection: c, operation: list_notes, pages: all } }
  - { id: store, write: { database: erp, table: items, from: notes, key: [id] } }
";

fn pages() -> Provider {
    Provider::start(|number, _, _| {
        let next = if number < 4 {
            format!(",\"next\":\"p{number}\"")
        } else {
            String::new()
        };
        Reply::Answer(
            200,
            "",
            format!("{{\"data\":[{{\"id\":{}}}]{next}}}", number + 100),
        )
    })
}

#[test]
fn pages_of_a_listing_count_against_limits_and_money() {
    let provider = pages();
    let limited = listing("limits: [{ operation: list_notes, calls: 3, window: 1h }]\n");
    let home = provider.home(&limited, &[], 1);
    home.apply("read.yaml", READ).expect(0);
    let said = home.run(&["task", "run", "collect"]).expect(3).json();
    assert_eq!(
        (&said["state"], &said["failure"]["code"]),
        (&json!("waiting"), &json!("SEND-005")),
        "{said:#}"
    );
    assert_eq!(provider.requests().len(), 3);

    let provider = pages();
    let home = provider.home(&listing(""), &["spending_cap=0.20/day"], 1);
    home.apply("read.yaml", READ).expect(0);
    let said = home.run(&["task", "run", "collect"]).expect(3).json();
    assert_eq!(said["failure"]["code"], "SEND-011", "{said:#}");
    assert_eq!(provider.requests().len(), 2);
    let shown = home.run(&["connection", "show", "c"]).expect(0).json();
    assert_eq!(shown["spending"]["today"], "0.20");
}

#[test]
fn a_dry_run_tells_what_the_requests_would_cost() {
    let provider = Provider::start(|number, _, _| Reply::accept(number));
    let priced = service(r#"cost: { per_call: "0.015", with_link: "0.20", currency: USD }"#);
    let home = provider.home(&priced, &[], 5);
    let linked = "{{ 'see example.com' if id is eq(3) else text }}";
    home.apply(
        "task.yaml",
        &TASK.replace("text: \"{{ text }}\"", &format!("text: \"{linked}\"")),
    )
    .expect(0);
    let shown = home.run(&["task", "run", "tell", "--dry-run"]).expect(0).json();
    assert_eq!(
        shown["costs"],
        json!([{"connection": "c", "requests": 5, "amount": "0.26", "currency": "USD"}])
    );
    let words = home.run_as_text(&["task", "run", "tell", "--dry-run"]).stdout;
    assert!(words.contains("c: 5 request(s) would cost 0.26 USD"), "{words}");
    home.run(&["task", "run", "tell"]).expect(0);
    let shown = home.run(&["connection", "show", "c"]).expect(0).json();
    assert_eq!(shown["spending"]["today"], "0.26");
    let shown = home.run(&["task", "run", "tell", "--dry-run"]).expect(0).json();
    assert_eq!(shown["costs"], json!([]), "what was sent costs nothing");
}
