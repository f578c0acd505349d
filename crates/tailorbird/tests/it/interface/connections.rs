//! `connection …` in JSON and in words.

use serde_json::{Value, json};

use crate::support::{Home, Sandbox, members};

#[test]
fn authorize_in_two_moves() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.connect(&sandbox, "company-x", "x", "read");
    let started = home
        .run(&["connection", "authorize", "company-x", "--start"])
        .expect(0)
        .json();
    assert_eq!(members(&started), ["connection", "authorize_url", "expires_at"]);
    assert_eq!(started["connection"], "company-x");
    let url = started["authorize_url"].as_str().unwrap();
    assert!(
        url.starts_with(&format!("{}/oauth/authorize?oauth_token=", sandbox.api)),
        "{url}"
    );
    let expires = started["expires_at"].as_str().unwrap();
    assert!(
        expires.contains('T') && expires.ends_with('Z'),
        "RFC 3339 in UTC: {expires}"
    );

    // The code may come by standard input.
    let pin = sandbox.approve(url);
    let finished = home
        .run_with_input(
            &["connection", "authorize", "company-x", "--verifier", "-"],
            &format!("{pin}\n"),
        )
        .expect(0)
        .json();
    assert_eq!(members(&finished), ["connection", "account", "level"]);
    assert_eq!(finished["connection"], "company-x");
    assert_eq!(finished["level"], "read");
    let tested = home.run(&["connection", "test", "company-x"]).expect(0).json();
    assert_eq!(tested, finished);
}

/// What the provider does not tell is null.
#[test]
fn authorize_any_oauth_1_service() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    let keys = sandbox.application("read");
    for (name, extra) in [
        ("plain", &["signature_method=PLAINTEXT"][..]),
        ("sha256", &["signature_method=HMAC-SHA256", "placement=query"]),
        (
            "sha512",
            &["signature_method=HMAC-SHA512", "placement=body", "realm=Here"],
        ),
    ] {
        let api = &sandbox.api;
        let mut settings = vec![
            format!("root_url={api}"),
            format!("temporary_credentials_url={api}/oauth/request_token"),
            format!("authorization_url={api}/oauth/authorize"),
            format!("token_url={api}/oauth/access_token"),
        ];
        settings.extend(extra.iter().map(ToString::to_string));
        let mut arguments = vec![
            "connection",
            "add",
            name,
            "--service",
            "generic-oauth1",
            "--secrets",
            "-",
        ];
        for setting in &settings {
            arguments.extend(["--set", setting]);
        }
        home.run_with_input(&arguments, &keys.to_string()).expect(0);
        let finished = home.authorize(&sandbox, name);
        // The answer to the exchange names the account; nothing tells the level.
        assert_eq!(finished["account"]["name"], "tailorbird_demo");
        assert_eq!(finished["level"], Value::Null);
        let answer = home.run(&["call", name, "GET /2/users/me"]).expect(0).json();
        assert_eq!(answer["body"]["data"]["username"], "tailorbird_demo");
    }
}

#[test]
fn show_list_export_import_remove() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    let keys = home.connect(&sandbox, "company-x", "x", "read");
    home.authorize(&sandbox, "company-x");
    let shown = home.run(&["connection", "show", "company-x"]).expect(0).json();
    assert_eq!(
        members(&shown),
        [
            "connection",
            "service",
            "state",
            "missing",
            "root_url",
            "settings",
            "account",
            "level",
            "authorized_at",
            "concurrency",
            "counts_with",
            "limits",
            "reported",
            "costs",
            "spending"
        ]
    );
    assert_eq!(shown["state"], "complete");
    assert_eq!(shown["account"]["name"], "tailorbird_demo");
    assert!(shown["account"]["id"].is_string(), "64-bit ids are strings");
    let mut listed = shown.clone();
    for usage in [
        "concurrency",
        "counts_with",
        "limits",
        "reported",
        "costs",
        "spending",
    ] {
        listed.as_object_mut().unwrap().remove(usage);
    }
    assert_eq!(
        home.run(&["connection", "list"]).expect(0).json(),
        Value::Array(vec![listed])
    );

    let exported = home
        .run_as_text(&["connection", "export", "company-x"])
        .expect(0)
        .stdout;
    assert!(
        exported.contains("${secret:company-x.client_secret}"),
        "{exported}"
    );
    for member in ["client_key", "client_secret"] {
        assert!(!exported.contains(keys[member].as_str().unwrap()), "{exported}");
    }
    let other = Home::new();
    let path = other.write("company-x.yaml", &exported);
    let imported = other.run(&["connection", "import", &path]).expect(0);
    assert_eq!(imported.json()["state"], "incomplete");
    assert_eq!(imported.json()["root_url"], shown["root_url"]);
    assert!(
        imported.stderr.contains("client_secret") && imported.stderr.contains("--secrets"),
        "{}",
        imported.stderr
    );
    other
        .run_with_input(
            &["connection", "add", "company-x", "--secrets", "-"],
            &keys.to_string(),
        )
        .expect(0);
    other.authorize(&sandbox, "company-x");
    assert_eq!(
        other.run_as_text(&["connection", "export", "company-x"]).stdout,
        exported,
        "a lossless round trip"
    );

    home.database("erp", "create table products (sku text, name text)");
    home.apply("a.yaml", &crate::support::announce("k-{{ sku }}", "{{ name }}"))
        .expect(0);
    home.run(&["connection", "remove", "company-x"])
        .refused(1, "CONN-006")
        .says(&["`announce`"]);
    other.run(&["connection", "remove", "company-x"]).expect(0);
    other
        .run(&["connection", "show", "company-x"])
        .refused(1, "CONN-001");
}

/// The exchange's address may be given as late as it is needed.
#[test]
fn the_access_token_address_may_come_last() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    let keys = sandbox.application("read");
    let api = &sandbox.api;
    let add = |settings: &[String]| {
        let mut arguments = vec![
            "connection",
            "add",
            "crm",
            "--service",
            "generic-oauth1",
            "--secrets",
            "-",
        ];
        arguments.extend(settings.iter().flat_map(|setting| ["--set", setting.as_str()]));
        home.run_with_input(&arguments, &keys.to_string()).expect(0);
    };
    add(&[
        format!("root_url={api}"),
        format!("temporary_credentials_url={api}/oauth/request_token"),
        format!("authorization_url={api}/oauth/authorize"),
    ]);
    let started = home
        .run(&["connection", "authorize", "crm", "--start"])
        .expect(0)
        .json();
    let pin = sandbox.approve(started["authorize_url"].as_str().unwrap());
    let finish = || home.run(&["connection", "authorize", "crm", "--verifier", &pin]);
    finish()
        .refused(1, "AUTH-006")
        .says(&["token_url", "connection add crm"]);
    add(&[format!("token_url={api}/oauth/access_token")]);
    finish().expect(0);
    home.run(&["call", "crm", "GET /2/users/me"]).expect(0);
}

/// `add` on an existing name changes only what is given; an empty value takes a setting back.
#[test]
fn add_again_changes_only_what_is_given() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.connect(&sandbox, "company-x", "x", "read");
    home.authorize(&sandbox, "company-x");
    home.run(&["connection", "add", "company-x", "--set", "realm=Here"])
        .expect(0);
    let shown = home.run(&["connection", "show", "company-x"]).expect(0).json();
    assert_eq!(
        shown["settings"],
        json!({"realm": "Here", "root_url": sandbox.api})
    );
    assert_eq!(shown["account"]["name"], "tailorbird_demo");
    let preview = home
        .run(&["call", "company-x", "get_me", "--dry-run"])
        .expect(0)
        .stdout;
    assert!(preview.contains("realm=\\\"Here\\\""), "{preview}");
    home.run(&["connection", "add", "company-x", "--set", "realm="])
        .expect(0);
    let shown = home.run(&["connection", "show", "company-x"]).expect(0).json();
    assert_eq!(shown["settings"], json!({"root_url": sandbox.api}));
    // Outer white space is trimmed with a note, inner kept.
    let said = home
        .run(&["connection", "add", "company-x", "--set", "realm=  A  B "])
        .expect(0);
    assert!(said.stderr.contains("note:"), "{}", said.stderr);
    assert_eq!(said.json()["settings"]["realm"], "A  B");
    home.run(&["connection", "test", "company-x"]).expect(0);
}
