//! Names that are not there: what was meant, and what there is.

use crate::support::{Home, Sandbox};

/// Arguments, exit code, error code, and words of the explanation.
type Case = (
    &'static [&'static str],
    i32,
    &'static str,
    &'static [&'static str],
);

const CASES: &[Case] = &[
    (
        &["call", "company-y", "get_me"],
        1,
        "CONN-001",
        &["`company-y`", "Did you mean `company-x`?"],
    ),
    (
        &["connection", "show", "companyx"],
        1,
        "CONN-001",
        &["Did you mean `company-x`?"],
    ),
    (
        &["call", "company-x", "create_pots"],
        1,
        "SVC-003",
        &["Did you mean", "create_post", "get_me"],
    ),
    (
        &["call", "company-x", "create_post", "--param", "txet=Hi"],
        1,
        "SVC-004",
        &["txet", "Did you mean", "text"],
    ),
    (
        &["call", "company-x", "create_post"],
        1,
        "SVC-004",
        &["needs", "text"],
    ),
    (
        &["call", "company-x", "GETT /2/users/me"],
        2,
        "SVC-004",
        &["GETT", "GET, HEAD, POST, PUT, PATCH, DELETE"],
    ),
    (
        &["call", "company-x", "get_me", "--param", "novalue"],
        2,
        "CONN-002",
        &["NAME=VALUE"],
    ),
    (
        &["connection", "add", "other", "--service", "xx"],
        1,
        "SVC-001",
        &["`xx`", "Did you mean `x`?", "generic-oauth1"],
    ),
    (
        &["service", "show", "genericoauth1"],
        1,
        "SVC-001",
        &["Did you mean `generic-oauth1`?"],
    ),
    (
        &["connection", "add", "other"],
        2,
        "CONN-002",
        &["--service", "service list"],
    ),
    (
        &["connection", "add", "company-x", "--set", "rot_url=x"],
        2,
        "CONN-002",
        &["rot_url", "Did you mean", "root_url"],
    ),
    (
        &["connection", "add", "company-x", "--set", "signature_method=HMAC"],
        2,
        "CONN-002",
        &["HMAC-SHA1", "RSA-SHA256", "PLAINTEXT"],
    ),
    (
        &["connection", "add", "company-x", "--set", "placement=cookie"],
        2,
        "CONN-002",
        &["header", "query", "body"],
    ),
    (
        &["connection", "add", "company-x", "--set", "root_url=api.x.com"],
        2,
        "CONN-002",
        &["root_url", "http"],
    ),
    (
        &["connection", "add", "a name", "--service", "x"],
        2,
        "CONN-002",
        &["a name", "1 to 64"],
    ),
    (
        &["task", "run", "anounce"],
        1,
        "TASK-001",
        &["`anounce`", "Did you mean `announce`?"],
    ),
    (
        &["database", "query", "epr", "select 1"],
        1,
        "DB-001",
        &["`epr`", "Did you mean `erp`?"],
    ),
    (
        &["database", "add", "other", "--kind", "sqlite", "--set", "pth=x"],
        2,
        "DB-007",
        &["pth", "path"],
    ),
    (
        &["database", "add", "other", "--kind", "sqlite"],
        2,
        "DB-007",
        &["path"],
    ),
    (&["run", "show", "run-1"], 1, "RUN-001", &["run-1", "run list"]),
    (
        &["delivery", "show", "product-Z"],
        1,
        "RUN-003",
        &["product-Z", "delivery list"],
    ),
    (
        &["delivery", "list", "--state", "lost"],
        2,
        "RUN-003",
        &["lost", "in_doubt", "skipped"],
    ),
    (
        &["explain", "AUTH-01"],
        2,
        "FILE-001",
        &["AUTH-01", "Did you mean `AUTH-001`?"],
    ),
];

#[test]
fn unknown_names_come_with_what_there_is() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.announcing(&sandbox, "read_write", &[]);
    for (arguments, exit, code, words) in CASES {
        home.run(arguments).refused(*exit, code).says(words);
    }
    assert_eq!(sandbox.accepted(), 0);
    // What was refused changed nothing.
    home.run(&["connection", "test", "company-x"]).expect(0);
    let names = home.run(&["connection", "list"]).expect(0).json();
    assert_eq!(names.as_array().unwrap().len(), 1);
}

#[test]
fn where_there_is_nothing_the_hint_says_so() {
    let home = Home::new();
    home.run(&["connection", "add", "company-x", "--service", "x"])
        .expect(0);
    for arguments in [&["task", "run", "announce"][..], &["database", "test", "erp"]] {
        let refused = home.run(arguments);
        let hint = refused.error()["hint"].as_str().unwrap().to_owned();
        assert!(!hint.contains(": ."), "an empty list reads odd: {hint:?}");
        assert!(!hint.is_empty());
    }
}

#[test]
fn an_incomplete_connection_is_saved_shown_and_not_used() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    let root = format!("root_url={}", sandbox.api);
    let added = home
        .run(&["connection", "add", "company-x", "--service", "x", "--set", &root])
        .expect(0)
        .json();
    assert_eq!(added["state"], "incomplete");
    for label in ["API Key", "API Key Secret", "Access Token"] {
        assert!(
            added["missing"].as_array().unwrap().iter().any(|m| m == label),
            "{added:#}"
        );
    }
    let used = [
        &["call", "company-x", "get_me"][..],
        &["connection", "test", "company-x"],
        &["connection", "authorize", "company-x", "--start"],
    ];
    for arguments in used {
        home.run(arguments)
            .refused(1, "AUTH-006")
            .says(&["company-x", "API Key"]);
    }
    let diagnosed = home
        .run(&["connection", "diagnose", "company-x"])
        .expect(1)
        .json();
    assert_eq!(diagnosed["findings"][0]["code"], "AUTH-006");
    assert!(
        sandbox.get("requests").as_array().unwrap().is_empty(),
        "nothing was sent"
    );
    // What is given later completes it; what is there stays.
    let keys = sandbox.application("read");
    for member in ["client_key", "client_secret"] {
        let one = serde_json::json!({ member: keys[member] }).to_string();
        home.run_with_input(&["connection", "add", "company-x", "--secrets", "-"], &one)
            .expect(0);
    }
    home.authorize(&sandbox, "company-x");
    assert_eq!(
        home.run(&["connection", "show", "company-x"]).expect(0).json()["state"],
        "complete"
    );
}
