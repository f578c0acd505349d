//! Requests that providers send.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::support::{
    SECRET, SEEN, ended, github, hex, hook_task, mac, post, rows, runs, set_secret, trigger_state,
};
use crate::serve::support::{Server, until};
use crate::support::{Home, Sandbox, http};

fn hooked(hook: &str) -> (Home, Server) {
    let home = Home::new();
    home.database("crm", SEEN);
    home.apply("orders.yaml", &hook_task("orders", hook)).expect(0);
    set_secret(&home, "orders");
    let server = Server::start(&home);
    (home, server)
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn a_signed_request_is_one_run_however_often_it_is_sent() {
    let (home, server) = hooked("verify: github, records: /items");
    let body = r#"{"items":[{"id":"A-1","what":"Kettle"},{"id":"B-2","what":19.90}]}"#;
    let headers = github(SECRET, "delivery-1", body);
    let (status, answer) = post(&server.url, "orders", &headers, body);
    assert_eq!((status, answer.as_str()), (202, r#"{"state":"accepted"}"#));
    for _ in 0..3 {
        let (status, answer) = post(&server.url, "orders", &headers, body);
        assert_eq!((status, answer.as_str()), (200, r#"{"state":"known"}"#));
    }
    let runs = ended(&home, "orders", 1);
    assert_eq!(
        (&runs[0]["state"], &runs[0]["counts"]["read"]),
        (&json!("succeeded"), &json!(2))
    );
    assert_eq!(
        rows(&home, "select id, what, kind, more from seen order by id"),
        r#"[{"id":"A-1","what":"Kettle","kind":"webhook","more":"push"},{"id":"B-2","what":"19.9","kind":"webhook","more":"push"}]"#
    );
    let state = trigger_state(&home, "orders");
    assert_eq!(
        (&state["events"], &state["last_event"]),
        (&json!(1), &json!("delivery-1"))
    );
    assert_eq!(state["recent"][0]["run"], runs[0]["id"]);
    assert_eq!(state["summary"], "webhook /hooks/orders");
    let listed = home.run(&["task", "list"]).expect(0).json();
    assert_eq!(listed[0]["trigger"], "webhook /hooks/orders");
}

#[test]
fn what_is_refused_is_told_to_the_user_and_not_to_the_sender() {
    let (home, server) = hooked("verify: github, id: /id");
    let send = |headers: &[(String, String)], body: &str| post(&server.url, "orders", headers, body);
    let body = r#"{"id":"1","what":"x"}"#;
    let wrong = github("another secret", "d", body);
    let (status, answer) = send(&wrong, body);
    assert_eq!(status, 401);
    assert!(
        !answer.contains("signature") && !answer.contains("orders"),
        "{answer}"
    );
    until("the refusal is shown", || {
        trigger_state(&home, "orders")["refusals"] == 1
    });
    let state = trigger_state(&home, "orders");
    let why = state["last_refusal"].clone();
    assert_eq!(why["code"], "TRIG-001");
    assert!(
        why["message"]
            .as_str()
            .unwrap()
            .ends_with("its signature is wrong"),
        "{why}"
    );
    let shown = home.run_as_text(&["task", "show", "orders"]).expect(0);
    assert!(shown.stderr.contains("1 request(s) refused"), "{}", shown.stderr);

    assert_eq!(send(&[], body).0, 401);
    let signed = |body: &str| github(SECRET, "d", body);
    assert_eq!(send(&signed("{"), "{").0, 422);
    assert_eq!(send(&signed("[]"), "[]").0, 422);
    let (status, answer) = send(&signed(r#"{"what":1}"#), r#"{"what":1}"#);
    assert!(status == 422 && answer.contains("no id at"), "{status} {answer}");
    let large = format!(r#"{{"id":"{}"}}"#, "x".repeat(1 << 20));
    assert_eq!(send(&signed(&large), &large).0, 413);
    until("the size is told", || {
        trigger_state(&home, "orders")["last_refusal"]
            .to_string()
            .contains("more than 1048576 bytes")
    });

    let url = &server.url;
    for (method, path, status) in [
        ("POST", "/hooks/order", 404),
        ("POST", "/hooks/orders/x", 404),
        ("POST", "/hooks/", 404),
        ("POST", "/hooks/..%2forders", 404),
        ("GET", "/hooks/orders", 404),
        ("GET", "/hooks/orders?crc_token=x", 404),
        ("PUT", "/hooks/orders", 405),
        ("DELETE", "/hooks/orders", 405),
    ] {
        let (found, answer) = http(method, &format!("{url}{path}"), &[], "{}");
        assert_eq!(found, status, "{method} {path}: {answer}");
    }
    assert_eq!(runs(&home, "orders").len(), 0);
    assert_eq!(trigger_state(&home, "orders")["events"], 0);
    // Nothing that the program says or keeps holds the secret.
    let said = home.run(&["task", "show", "orders"]);
    assert!(!format!("{}{}", said.stdout, said.stderr).contains(SECRET));
    for file in ["ledger.db", "ledger.db-wal"] {
        let kept = std::fs::read(home.path().join(file)).unwrap_or_default();
        assert!(
            !kept.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()),
            "{file}"
        );
    }
}

#[test]
fn without_its_secret_a_webhook_believes_nobody_and_says_so() {
    let home = Home::new();
    home.database("crm", SEEN);
    home.apply("orders.yaml", &hook_task("orders", "verify: github"))
        .expect(0);
    let server = Server::start(&home);
    let body = r#"{"id":"1","what":"x"}"#;
    assert_eq!(
        post(&server.url, "orders", &github(SECRET, "d", body), body).0,
        503
    );
    assert_eq!(post(&server.url, "orders", &github("", "d", body), body).0, 503);
    assert_eq!(trigger_state(&home, "orders")["has_secret"], false);
    until("the reason is shown", || {
        trigger_state(&home, "orders")["last_refusal"]["code"] == "TRIG-005"
    });
    // The running server takes it at once.
    set_secret(&home, "orders");
    assert_eq!(
        post(&server.url, "orders", &github(SECRET, "d", body), body).0,
        202
    );
    ended(&home, "orders", 1);

    home.run_with_input(
        &["task", "secret", "orders", "--secrets", "-"],
        r#"{"webhook_secret":"short"}"#,
    )
    .refused(2, "TRIG-005")
    .says(&["5 bytes"]);
    let refused = home.run_with_input(
        &["task", "secret", "orders", "--secrets", "-"],
        r#"{"secret":"canary-2"}"#,
    );
    assert!(!refused.stderr.contains("canary-2"));
    refused.refused(2, "TRIG-005").says(&["webhook_secret"]);
    home.run_with_input(&["task", "secret", "order", "--secrets", "-"], "{}")
        .refused(1, "TASK-001");
}

#[test]
fn the_styles_of_stripe_a_header_and_ones_own_are_understood() {
    let home = Home::new();
    home.database("crm", SEEN);
    let hmac = "verify: { hmac: { header: X-Sig, encoding: base64, prefix: 'v0=', \
                timestamp: { header: X-Time, signed: 'v0:{timestamp}:{body}' } } }";
    for (name, hook) in [
        ("stripe", "verify: stripe"),
        (
            "token",
            "verify: { token: { header: Authorization, prefix: 'Bearer ' } }, id: { header: X-Id }",
        ),
        ("own", hmac),
    ] {
        home.apply("task.yaml", &hook_task(name, hook)).expect(0);
        set_secret(&home, name);
    }
    let server = Server::start(&home);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let body = r#"{"id":"evt_1","what":"stripe"}"#;
    let stripe = |at: u64| {
        let signature = hex(&mac(SECRET, &format!("{at}.{body}")));
        pairs(&[("Stripe-Signature", &format!("t={at},v1={signature}"))])
    };
    assert_eq!(post(&server.url, "stripe", &stripe(now - 400), body).0, 401);
    assert_eq!(post(&server.url, "stripe", &stripe(now - 5), body).0, 202);
    // Sent again by Stripe: another time and signature, the same event.
    assert_eq!(post(&server.url, "stripe", &stripe(now), body).0, 200);

    let token = |token: &str, id: &str| pairs(&[("Authorization", &format!("Bearer {token}")), ("X-Id", id)]);
    let body = r#"{"id":"t1","what":"token"}"#;
    assert_eq!(post(&server.url, "token", &token("wrong", "1"), body).0, 401);
    assert_eq!(post(&server.url, "token", &token(SECRET, "1"), body).0, 202);
    assert_eq!(post(&server.url, "token", &token(SECRET, "2"), body).0, 202);
    assert_eq!(post(&server.url, "token", &token(SECRET, "2"), body).0, 200);

    let body = r#"{"id":"o1","what":"own"}"#;
    let own = |at: u64| {
        let signature = STANDARD.encode(mac(SECRET, &format!("v0:{at}:{body}")));
        pairs(&[("X-Sig", &format!("v0={signature}")), ("X-Time", &at.to_string())])
    };
    assert_eq!(post(&server.url, "own", &own(now), body).0, 202);
    assert_eq!(post(&server.url, "own", &own(now), body).0, 200);
    // Without an id the time tells one from the next.
    assert_eq!(post(&server.url, "own", &own(now + 1), body).0, 202);
    for (task, count) in [("stripe", 1), ("token", 2), ("own", 2)] {
        ended(&home, task, count);
    }
    assert_eq!(
        rows(&home, "select what from seen order by what"),
        r#"[{"what":"own"},{"what":"stripe"},{"what":"token"}]"#
    );
}

#[test]
fn x_makes_sure_of_us_and_we_of_x() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.database("crm", SEEN);
    let keys = home.connect(&sandbox, "company-x", "x", "read_write");
    let secret = keys["client_secret"].as_str().unwrap();
    home.apply(
        "x.yaml",
        &hook_task("mentions", "verify: x, connection: company-x, records: /events"),
    )
    .expect(0);
    let server = Server::start(&home);
    let url = format!("{}/hooks/mentions", server.url);
    let (status, answer) = http("GET", &format!("{url}?crc_token=MTIz%2BNA"), &[], "");
    let expected = format!("sha256={}", STANDARD.encode(mac(secret, "MTIz+NA")));
    assert_eq!(
        (
            status,
            serde_json::from_str::<serde_json::Value>(&answer).unwrap()
        ),
        (200, json!({ "response_token": expected }))
    );
    let body = r#"{"for_user_id":"1","events":[{"id":"77","what":"mention"}]}"#;
    let sign = |secret: &str| {
        let signature = format!("sha256={}", STANDARD.encode(mac(secret, body)));
        pairs(&[("x-twitter-webhooks-signature", &signature)])
    };
    assert_eq!(post(&server.url, "mentions", &sign("wrong"), body).0, 401);
    assert_eq!(post(&server.url, "mentions", &sign(secret), body).0, 202);
    assert_eq!(post(&server.url, "mentions", &sign(secret), body).0, 200);
    ended(&home, "mentions", 1);
    assert_eq!(
        rows(&home, "select id, what from seen"),
        r#"[{"id":"77","what":"mention"}]"#
    );
}

#[test]
fn a_webhook_that_verifies_nothing_answers_this_machine_only() {
    let home = Home::new();
    home.database("crm", SEEN);
    let applied = home
        .apply("open.yaml", &hook_task("open", "verify: none, id: /id"))
        .expect(0);
    drop(applied);
    let body = r#"{"id":"1","what":"x"}"#;
    let server = Server::start_with(&home, &["--webhook-listen", "0.0.0.0:0"]);
    let port = server.ready["webhooks"]
        .as_str()
        .unwrap()
        .split(':')
        .nth(2)
        .unwrap();
    let port = port.split('/').next().unwrap();
    let outside = format!("http://127.0.0.1:{port}");
    assert_eq!(post(&outside, "open", &[], body).0, 401);
    // The main listener has no webhooks when they have one of their own.
    assert_eq!(post(&server.url, "open", &[], body).0, 404);
    drop(server);

    let server = Server::start_with(&home, &["--webhook-listen", "127.0.0.1:0"]);
    let inside = server.ready["webhooks"].as_str().unwrap();
    let inside = inside.strip_suffix("/hooks/").unwrap();
    for header in [("X-Forwarded-For", "10.0.0.1"), ("Origin", "https://example.com")] {
        assert_eq!(post(inside, "open", &pairs(&[header]), body).0, 401, "{header:?}");
    }
    assert_eq!(post(inside, "open", &[], body).0, 202);
    ended(&home, "open", 1);
}

#[test]
fn what_comes_for_a_disabled_task_waits_until_it_is_enabled() {
    let (home, server) = hooked("verify: github");
    home.run(&["task", "disable", "orders"]).expect(0);
    for number in 1..=3 {
        let body = format!(r#"{{"id":"{number}","what":"x"}}"#);
        let headers = github(SECRET, &number.to_string(), &body);
        assert_eq!(post(&server.url, "orders", &headers, &body).0, 202);
    }
    assert_eq!(trigger_state(&home, "orders")["waiting"], 3);
    assert_eq!(runs(&home, "orders").len(), 0);
    home.run(&["task", "enable", "orders"]).expect(0);
    ended(&home, "orders", 3);
    assert_eq!(rows(&home, "select count(*) as n from seen"), r#"[{"n":3}]"#);
}

#[test]
fn what_waits_is_worked_on_without_a_server_too() {
    let (home, server) = hooked("verify: github");
    home.run(&["task", "disable", "orders"]).expect(0);
    for id in ["1", "2"] {
        let body = format!(r#"{{"id":"{id}","what":"x"}}"#);
        post(&server.url, "orders", &github(SECRET, id, &body), &body);
    }
    drop(server);
    let shown = home.run(&["task", "run", "orders", "--dry-run"]).expect(0).json();
    assert_eq!(shown["writes"].as_array().unwrap().len(), 2, "{shown:#}");
    assert_eq!(shown["writes"][0]["row"]["kind"], "webhook");
    for count in 1..=2 {
        let run = home.run(&["task", "run", "orders"]).expect(0).json();
        assert_eq!(
            (&run["state"], &run["counts"]["written"]),
            (&json!("succeeded"), &json!(1))
        );
        assert_eq!(
            rows(&home, "select count(*) as n from seen"),
            format!(r#"[{{"n":{count}}}]"#)
        );
    }
    // Nothing waits any more: a run by hand has no records.
    let run = home.run(&["task", "run", "orders"]).expect(0).json();
    assert_eq!(run["counts"]["read"], 0);
}

#[test]
fn a_failed_run_is_tried_again_with_what_fired_it() {
    let (home, server) = hooked("verify: github");
    let crm = home.file("crm.sqlite");
    crate::support::sql(&crm, "alter table seen rename to hidden");
    let body = r#"{"id":"1","what":"x"}"#;
    assert_eq!(
        post(&server.url, "orders", &github(SECRET, "1", body), body).0,
        202
    );
    until("the run failed", || {
        runs(&home, "orders")
            .first()
            .is_some_and(|run| run["state"] == "failed" || run["state"] == "needs_attention")
    });
    drop(server);
    crate::support::sql(&crm, "alter table hidden rename to seen");
    let run = runs(&home, "orders")[0].clone();
    let how = if run["state"] == "failed" {
        "retry"
    } else {
        "resume"
    };
    home.run(&["run", how, run["id"].as_str().unwrap()]).expect(0);
    assert_eq!(rows(&home, "select id from seen"), r#"[{"id":"1"}]"#);
}

#[test]
fn too_many_requests_are_told_to_come_later() {
    let (home, server) = hooked("verify: github");
    let mut statuses: Vec<u16> = (0..450)
        .map(|_| post(&server.url, "orders", &[], "{}").0)
        .collect();
    statuses.dedup();
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(statuses[0], 401);
    until("the reason is shown", || {
        let state = trigger_state(&home, "orders");
        state["refusals"].as_u64().unwrap() >= 450 && state["last_refusal"].to_string().contains("too fast")
    });
    // Other paths are not touched by it.
    assert_eq!(post(&server.url, "another", &[], "{}").0, 404);
}

#[test]
fn two_tasks_cannot_have_one_path() {
    let home = Home::new();
    home.database("crm", SEEN);
    let one = hook_task("orders", "verify: none, id: /id");
    let two = one.replace("task: orders", "task: sales");
    home.apply("one.yaml", &one).expect(0);
    let refused = home.apply("two.yaml", &two);
    refused
        .refused(2, "TASK-002")
        .says(&["`orders` has the webhook orders already"]);
    home.apply("both.yaml", &format!("{one}---\n{two}"))
        .refused(2, "TASK-002");
    // Under a new name it is the same task.
    let renamed = two.replace("task: sales", "task: sales\nformerly: orders");
    home.apply("renamed.yaml", &renamed).expect(0);
}
