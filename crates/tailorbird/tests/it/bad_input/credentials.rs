//! Wrong key, wrong secret, swapped, the request token's secret, a clock that is off, a level that is too
//! low, an API that is closed.

use serde_json::{Value, json};

use crate::support::{Home, Sandbox};

fn give(home: &Home, secrets: &Value) -> crate::support::Said {
    home.run_with_input(
        &["connection", "add", "company-x", "--secrets", "-"],
        &secrets.to_string(),
    )
    .expect(0)
}

/// What `connection diagnose` finds, the surest first; it exits 1 where it finds one.
fn diagnose(home: &Home, exit: i32) -> Value {
    home.run(&["connection", "diagnose", "company-x"])
        .expect(exit)
        .json()
}

fn first_finding(home: &Home) -> Value {
    let diagnosed = diagnose(home, 1);
    assert_eq!(diagnosed["works"], false);
    let finding = diagnosed["findings"][0].clone();
    assert_eq!(finding["certain"], true, "{diagnosed:#}");
    for member in ["cause", "proof", "next_step"] {
        assert!(!finding[member].as_str().unwrap().is_empty(), "{finding:#}");
    }
    finding
}

fn authorised(sandbox: &Sandbox) -> (Home, Value) {
    let home = Home::new();
    let keys = home.connect(sandbox, "company-x", "x", "read_write");
    home.authorize(sandbox, "company-x");
    (home, keys)
}

fn contains(finding: &Value, member: &str, words: &[&str]) {
    let text = finding[member].as_str().unwrap();
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text:?}");
    }
}

/// A refused connection shows the same in a call, a test, and the start of an authorization.
fn refused_everywhere(home: &Home) {
    home.run(&["call", "company-x", "get_me"])
        .failed(1, "AUTH-001")
        .says(&["connection diagnose company-x"]);
    home.run(&["connection", "test", "company-x"])
        .refused(1, "AUTH-001")
        .says(&["connection diagnose company-x"]);
    home.run(&["connection", "authorize", "company-x", "--start"])
        .refused(1, "AUTH-001")
        .says(&["API Key", "API Key Secret"]);
}

#[test]
fn wrong_key() {
    let sandbox = Sandbox::start(&[]);
    let (home, keys) = authorised(&sandbox);
    give(&home, &json!({"client_key": "aaaaaaaaaaaaaaaaaaaaaaaaa"}));
    refused_everywhere(&home);
    let finding = first_finding(&home);
    assert_eq!(finding["code"], "AUTH-001");
    contains(&finding, "cause", &["API Key"]);
    // The token was not thrown away with the wrong key.
    give(&home, &json!({"client_key": keys["client_key"]}));
    home.run(&["connection", "test", "company-x"]).expect(0);
    assert_eq!(diagnose(&home, 0)["works"], true);
}

#[test]
fn wrong_secret() {
    let sandbox = Sandbox::start(&[]);
    let (home, keys) = authorised(&sandbox);
    let mut wrong = keys["client_secret"].as_str().unwrap().to_owned();
    wrong.pop();
    give(&home, &json!({"client_secret": wrong}));
    refused_everywhere(&home);
    let finding = first_finding(&home);
    assert_eq!(finding["code"], "AUTH-001");
    contains(&finding, "cause", &["API Key Secret"]);
    contains(&finding, "next_step", &["Keys and tokens", "cut off"]);
    give(&home, &keys);
    home.run(&["connection", "test", "company-x"]).expect(0);
}

#[test]
fn key_and_secret_swapped() {
    let sandbox = Sandbox::start(&[]);
    let (home, keys) = authorised(&sandbox);
    let added = give(
        &home,
        &json!({"client_key": keys["client_secret"], "client_secret": keys["client_key"]}),
    );
    assert!(
        added.stderr.contains("warning:") && added.stderr.contains("swapped"),
        "{}",
        added.stderr
    );
    let finding = first_finding(&home);
    assert_eq!(finding["code"], "AUTH-013");
    contains(&finding, "cause", &["API Key", "API Key Secret", "swapped"]);
    contains(&finding, "next_step", &["connection add company-x"]);
    give(&home, &keys);
    home.run(&["connection", "test", "company-x"]).expect(0);
}

#[test]
fn white_space_around_key_and_secret_is_trimmed_with_a_note() {
    let sandbox = Sandbox::start(&[]);
    let (home, keys) = authorised(&sandbox);
    let padded = |member: &str| format!(" \t{}\n", keys[member].as_str().unwrap());
    let added = give(
        &home,
        &json!({"client_key": padded("client_key"), "client_secret": padded("client_secret")}),
    );
    assert!(
        added.stderr.contains("note:") && added.stderr.contains("hite space"),
        "{}",
        added.stderr
    );
    home.run(&["connection", "test", "company-x"]).expect(0);
}

/// Signs with `oauth1 sign` and sends, as a script of one's own would; gives the answer's form.
fn exchange(home: &Home, url: &str, keys: &Value, token_secret: &str, extra: &[(&str, &str)]) -> Value {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let mut oauth = json!({
        "oauth_consumer_key": keys["client_key"], "oauth_signature_method": "HMAC-SHA1", "oauth_version": "1.0",
        "oauth_timestamp": now.as_secs().to_string(), "oauth_nonce": now.as_nanos().to_string(),
    });
    for (name, value) in extra {
        oauth[*name] = json!(value);
    }
    let line = json!({"method": "POST", "url": url, "oauth": oauth,
                      "consumer_secret": keys["client_secret"], "token_secret": token_secret});
    let signed = home
        .run_with_input(&["oauth1", "sign"], &line.to_string())
        .expect(0)
        .json();
    let (status, answer) = crate::support::http(
        "POST",
        url,
        &[("Authorization", signed["authorization"].as_str().unwrap())],
        "",
    );
    assert_eq!(status, 200, "{answer}");
    answer
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(k, v)| (k.to_owned(), json!(v)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn the_request_tokens_secret_used_as_token_secret() {
    let sandbox = Sandbox::start(&[]);
    let (home, keys) = authorised(&sandbox);
    let url = |path: &str| format!("{}/oauth/{path}", sandbox.api);
    let temporary = exchange(
        &home,
        &url("request_token"),
        &keys,
        "",
        &[("oauth_callback", "oob")],
    );
    let (token, secret) = (
        temporary["oauth_token"].as_str().unwrap(),
        temporary["oauth_token_secret"].as_str().unwrap(),
    );
    let pin = sandbox.approve(&format!("?oauth_token={token}"));
    let granted = exchange(
        &home,
        &url("access_token"),
        &keys,
        secret,
        &[("oauth_token", token), ("oauth_verifier", &pin)],
    );

    give(
        &home,
        &json!({"token": granted["oauth_token"], "token_secret": secret}),
    );
    home.run(&["call", "company-x", "get_me"])
        .failed(1, "AUTH-001")
        .says(&["connection diagnose company-x"]);
    let finding = first_finding(&home);
    contains(&finding, "next_step", &["connection authorize company-x"]);
    let told: String = ["cause", "proof"]
        .map(|member| finding[member].as_str().unwrap())
        .join(" ");
    assert!(told.contains("request token"), "the usual slip is named: {told}");
    // The provider's own page names it for certain.
    let requests = sandbox.get("requests");
    let verdicts: Vec<&str> = requests
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["verdict"].as_str().unwrap())
        .collect();
    assert!(
        verdicts
            .iter()
            .any(|v| v.contains("the secret of the temporary credentials (request token) was used")),
        "{verdicts:#?}"
    );

    // The request token itself is no access token either.
    give(&home, &json!({"token": token, "token_secret": secret}));
    home.run(&["connection", "test", "company-x"])
        .refused(1, "AUTH-001");
    home.authorize(&sandbox, "company-x");
    home.run(&["connection", "test", "company-x"]).expect(0);
}

#[test]
fn clock_off_by_minutes() {
    let sandbox = Sandbox::start(&[]);
    let (home, _) = authorised(&sandbox);
    sandbox.advance(412);
    let said = home.run(&["call", "company-x", "get_me"]).expect(0);
    assert_eq!(said.json()["status"], 200);
    for said in [said, home.run(&["connection", "test", "company-x"]).expect(0)] {
        assert!(
            said.stderr.contains("seconds behind the provider's"),
            "it says so: {:?}",
            said.stderr
        );
        assert!(
            said.stderr.contains("41") && said.stderr.contains("Set the clock"),
            "{:?}",
            said.stderr
        );
    }
    let finding = diagnose(&home, 0)["findings"][0].clone();
    assert_eq!(finding["code"], "AUTH-002");
    contains(&finding, "cause", &["seconds behind"]);
    contains(&finding, "next_step", &["timedatectl"]);
    // The first signed request of an authorization is corrected in the same way.
    home.authorize(&sandbox, "company-x");
}

#[test]
fn clock_off_in_a_task() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.announcing(&sandbox, "read_write", &[("A", "Kettle"), ("B", "Mug")]);
    sandbox.advance(412);
    let run = home.run(&["task", "run", "announce"]).expect(0).json();
    assert_eq!(run["counts"]["delivered"], 2);
    assert_eq!(sandbox.accepted(), 2);
}

#[test]
fn read_only_token_in_a_task() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    let keys = home.announcing(&sandbox, "read", &[("A", "Kettle"), ("B", "Mug"), ("C", "Pan")]);
    let stopped = || {
        let run = home.run(&["task", "run", "announce"]);
        run.failed(3, "AUTH-004").says(&["permission", "authorise again"]);
        let run = run.json();
        assert_eq!(run["state"], "needs_attention");
        assert_eq!(run["counts"]["delivered"], 0);
        assert_eq!(
            run["counts"]["rejected"], 0,
            "a connection fault rejects no record"
        );
        assert_eq!(home.deliveries("pending").len(), 3);
        assert_eq!(sandbox.accepted(), 0);
    };
    stopped();
    // A token keeps its level: raising the application alone changes nothing.
    sandbox.post(
        &format!("apps/{}", keys["client_key"].as_str().unwrap()),
        &json!({"level": "read_write"}),
    );
    stopped();
    home.authorize(&sandbox, "company-x");
    let run = home.run(&["task", "run", "announce"]).expect(0).json();
    assert_eq!(run["counts"]["delivered"], 3);
    assert_eq!(run["counts"]["written"], 3);
    assert_eq!(sandbox.accepted(), 3);
    assert_eq!(home.deliveries("delivered").len(), 3);
}

#[test]
fn v1_1_closed() {
    let sandbox = Sandbox::start(&["--legacy-v1", "closed"]);
    let home = Home::new();
    home.connect(&sandbox, "old", "x-1.1", "read_write");
    home.authorize(&sandbox, "old");
    let said = home.run(&["call", "old", "create_post", "--param", "text=Hello"]);
    said.failed(1, "AUTH-005").says(&["create_post", "service x"]);
    assert_eq!(said.json()["status"], 403);
    assert_eq!(sandbox.accepted(), 0);

    // In a task it is a connection fault: nothing is dead-lettered.
    home.database("erp", "create table notes (id integer primary key, text text); insert into notes values (1, 'One'), (2, 'Two');");
    home.apply(
        "old.yaml",
        "task: old\nsteps:\n  - id: notes\n    query: { database: erp, sql: \"select id, text from notes\" }\n  - id: post\n    call: { connection: old, operation: create_post, for_each: notes, key: \"note-{{ id }}\", with: { text: \"{{ text }}\" } }\n",
    )
    .expect(0);
    let run = home.run(&["task", "run", "old"]);
    run.failed(3, "AUTH-005");
    assert_eq!(run.json()["state"], "needs_attention");
    assert_eq!(home.deliveries("pending").len(), 2);
}

#[test]
fn v1_1_open_posts_as_in_the_tutorial() {
    let sandbox = Sandbox::start(&["--legacy-v1", "open"]);
    let home = Home::new();
    home.connect(&sandbox, "old", "x-1.1", "read_write");
    home.authorize(&sandbox, "old");
    home.run(&["call", "old", "create_post", "--param", "text=Hello"])
        .expect(0);
    assert_eq!(sandbox.texts(), ["Hello"]);
}
