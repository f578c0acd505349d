//! Wrong PIN, used PIN, expired temporary credentials, denied consent, unregistered callback, and the
//! tutorial's own mistake.

use std::io::Read as _;
use std::process::Stdio;

use serde_json::json;

use crate::support::{Home, Sandbox};

/// Starts an authorization; gives the address to approve at.
fn start(home: &Home) -> String {
    let started = home
        .run(&["connection", "authorize", "company-x", "--start"])
        .expect(0)
        .json();
    started["authorize_url"].as_str().unwrap().to_owned()
}

fn deny(sandbox: &Sandbox, authorize_url: &str) -> serde_json::Value {
    let token = authorize_url.split("oauth_token=").nth(1).unwrap();
    sandbox.post("approve", &json!({"oauth_token": token, "deny": true}))
}

/// A connection that was authorised once; what goes wrong later must not take that away.
fn authorised() -> (Sandbox, Home) {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.connect(&sandbox, "company-x", "x", "read_write");
    home.authorize(&sandbox, "company-x");
    (sandbox, home)
}

fn still_works(home: &Home) {
    home.run(&["call", "company-x", "get_me"]).expect(0);
}

#[test]
fn wrong_pin() {
    let (sandbox, home) = authorised();
    let pin = sandbox.approve(&start(&home));
    let wrong = if pin == "1111111" { "2222222" } else { "1111111" };
    let verify = |code: &str| home.run(&["connection", "authorize", "company-x", "--verifier", code]);
    verify(wrong)
        .refused(1, "AUTH-009")
        .says(&["verification code", "connection authorize company-x"]);
    verify("   ").refused(2, "AUTH-009").says(&["code"]);
    still_works(&home);
    // A mistyped code spends nothing: the right one still fits, with white space around it too.
    let finished = verify(&format!(" {pin} ")).expect(0).json();
    assert_eq!(finished["level"], "read-write");
}

#[test]
fn used_pin() {
    let (sandbox, home) = authorised();
    let pin = sandbox.approve(&start(&home));
    home.run(&["connection", "authorize", "company-x", "--verifier", &pin])
        .expect(0);
    home.run(&["connection", "authorize", "company-x", "--verifier", &pin])
        .refused(1, "AUTH-011")
        .says(&["`company-x`", "used once", "--start"]);
    still_works(&home);
}

#[test]
fn expired_temporary_credentials_by_the_providers_clock() {
    let (sandbox, home) = authorised();
    let pin = sandbox.approve(&start(&home));
    sandbox.advance(11 * 60);
    home.run(&["connection", "authorize", "company-x", "--verifier", &pin])
        .refused(1, "AUTH-011")
        .says(&["expired", "Start again", "connection authorize company-x"]);
    still_works(&home);
    home.authorize(&sandbox, "company-x");
}

#[test]
fn expired_temporary_credentials_by_our_clock() {
    let (sandbox, home) = authorised();
    let pin = sandbox.approve(&start(&home));
    // Nobody can wait ten minutes here: the start is put eleven minutes back.
    crate::support::sql(
        &home.path().join("ledger.db"),
        "update pending_authorization set started_at = started_at - 660000000, expires_at = expires_at - 660000000",
    );
    let asked = sandbox.get("requests").as_array().unwrap().len();
    home.run(&["connection", "authorize", "company-x", "--verifier", &pin])
        .refused(1, "AUTH-011")
        .says(&["`company-x`", "too long ago", "Start again"]);
    assert_eq!(
        sandbox.get("requests").as_array().unwrap().len(),
        asked,
        "nothing was sent"
    );
    still_works(&home);
}

#[test]
fn denied_consent_by_pin() {
    let (sandbox, home) = authorised();
    let url = start(&home);
    deny(&sandbox, &url);
    home.run(&["connection", "authorize", "company-x", "--verifier", "1234567"])
        .refused(1, "AUTH-011")
        .says(&["never approved", "connection authorize company-x"]);
    still_works(&home);
}

#[test]
fn denied_consent_in_the_browser() {
    let (sandbox, home) = authorised();
    let mut wizard = home
        .command(&["connection", "authorize", "company-x", "--callback", "loopback"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Without a terminal the wizard does not start, whichever way the code would come back.
    let mut said = String::new();
    wizard.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(wizard.wait().unwrap().code(), Some(2));
    assert!(said.contains("--start") && said.contains("--verifier"), "{said}");

    // The denial comes back in the address to which the browser is sent; a script hands that on as the code.
    let started = home
        .run(&[
            "connection",
            "authorize",
            "company-x",
            "--start",
            "--callback",
            "loopback",
        ])
        .expect(0)
        .json();
    let denied = deny(&sandbox, started["authorize_url"].as_str().unwrap());
    let address = denied["redirect"].as_str().unwrap().to_owned();
    assert!(
        address.starts_with("http://127.0.0.1:7082/oauth/callback?"),
        "{address}"
    );
    home.run(&["connection", "authorize", "company-x", "--verifier", &address])
        .refused(1, "AUTH-010")
        .says(&["approve"]);
    still_works(&home);
}

#[test]
fn unregistered_callback() {
    let (sandbox, home) = authorised();
    for callbacks in [json!([]), json!(["http://127.0.0.1:9/other"])] {
        let keys = sandbox.post(
            "apps",
            &json!({"name": "Other", "description": "Another.", "website": "https://example.com/", "callbacks": callbacks}),
        );
        home.run_with_input(
            &["connection", "add", "company-x", "--secrets", "-"],
            &keys.to_string(),
        )
        .expect(0);
        let refused = home.run(&[
            "connection",
            "authorize",
            "company-x",
            "--start",
            "--callback",
            "loopback",
        ]);
        // What has to be registered is named to the letter.
        refused
            .refused(1, "AUTH-008")
            .says(&["regist", "http://127.0.0.1:7082/oauth/callback"]);
        // The PIN way stays open.
        start(&home);
    }
}

/// Asks the sandbox for nothing: a wrong address is found before anything is sent.
#[test]
fn the_tutorials_mistake() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    let api = &sandbox.api;
    let add = |settings: &[(&str, &str)]| {
        let mut arguments = vec!["connection".to_owned(), "add".into(), "crm".into()];
        arguments.extend(["--service".to_owned(), "generic-oauth1".into()]);
        for (name, value) in [("root_url", "/2")].iter().chain(settings) {
            arguments.extend(["--set".to_owned(), format!("{name}={api}{value}")]);
        }
        home.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let (temporary, authorize, token) = ("/oauth/request_token", "/oauth/authorize", "/oauth/access_token");
    let all = |t: &'static str, a: &'static str, k: &'static str| {
        [
            ("temporary_credentials_url", t),
            ("authorization_url", a),
            ("token_url", k),
        ]
    };
    // The tutorial's own: the access-token URL in both boxes.
    add(&all(temporary, token, token)).refused(2, "AUTH-007").says(&[
        "authorization_url",
        "token_url",
        "Nothing was sent",
        "authorize",
    ]);
    add(&[("authorization_url", token)])
        .refused(2, "AUTH-007")
        .says(&["authorization_url"]);
    add(&[("token_url", authorize)])
        .refused(2, "AUTH-007")
        .says(&["token_url", "access_token"]);
    add(&all(token, authorize, temporary))
        .refused(2, "AUTH-007")
        .says(&["temporary_credentials_url"]);
    // Addresses that tell nothing by their names may still not be equal.
    add(&all("/first", "/second", "/second"))
        .refused(2, "AUTH-007")
        .says(&["authorization_url", "token_url"]);
    assert!(
        sandbox.get("requests").as_array().unwrap().is_empty(),
        "nothing was sent"
    );
    let listed = home.run(&["connection", "list"]).expect(0).json();
    assert_eq!(listed, json!([]), "a refused connection is not saved");
    add(&all(temporary, authorize, token)).expect(0);
    // A known connection keeps its right addresses when a wrong one is given later.
    add(&[("authorization_url", token)]).refused(2, "AUTH-007");
    let shown = home.run(&["connection", "show", "crm"]).expect(0).json();
    assert_eq!(
        shown["settings"]["authorization_url"],
        format!("{api}{authorize}")
    );
}

#[test]
fn plain_http_off_loopback_warns_and_plaintext_too() {
    let home = Home::new();
    let add = |settings: &[&str]| {
        let mut arguments = vec!["connection", "add", "crm", "--service", "generic-oauth1"];
        for setting in settings {
            arguments.extend(["--set", setting]);
        }
        home.run(&arguments).expect(0).stderr
    };
    let warned = add(&["root_url=http://api.example.com/1"]);
    assert!(
        warned.contains("warning:") && warned.contains("plain http") && warned.contains("https"),
        "{warned}"
    );
    for fine in [
        "https://api.example.com/1",
        "http://127.0.0.1:9/1",
        "http://localhost:9/1",
        "http://[::1]:9/1",
    ] {
        let said = add(&[&format!("root_url={fine}"), "signature_method=PLAINTEXT"]);
        assert!(!said.contains("warning:"), "{fine}: {said}");
    }
    // PLAINTEXT would send the secrets themselves readable: nothing is sent that way.
    let said = add(&["root_url=http://api.example.com/1", "signature_method=PLAINTEXT"]);
    assert!(said.contains("warning:"), "{said}");
    let secrets =
        json!({"client_key": "k", "client_secret": "s", "token": "t", "token_secret": "u"}).to_string();
    home.run_with_input(&["connection", "add", "crm", "--secrets", "-"], &secrets)
        .expect(0);
    home.run(&["call", "crm", "GET /things"])
        .failed(1, "AUTH-013")
        .says(&["PLAINTEXT", "https"]);
}
