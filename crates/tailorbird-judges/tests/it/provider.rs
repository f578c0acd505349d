//! Our connector against a provider that shares no line with us: oauthlib's server endpoints.
//!
//! All seven signature methods and three placements, the three-legged way and signed calls, by the command
//! line as a person would. Signer and verifier of our own would agree with each other in a mistake; this
//! provider would not.

use std::fs;

use serde_json::{Value, json};

use crate::http;
use crate::program::{Home, Server};
use crate::script;

const METHODS: [&str; 7] = [
    "HMAC-SHA1",
    "HMAC-SHA256",
    "HMAC-SHA512",
    "RSA-SHA1",
    "RSA-SHA256",
    "RSA-SHA512",
    "PLAINTEXT",
];
const PLACEMENTS: [&str; 3] = ["header", "query", "body"];
/// What every signer has to escape right: reserved characters, a space, plus, and two-byte letters.
const ODD: &str = "a b+c&d=e/f~g'(h)*!é%41";

fn provider() -> Server {
    Server::start(&mut script::python_script("provider.py"))
}

fn member(provider: &Server, name: &str) -> String {
    provider.ready[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name}"))
        .to_owned()
}

/// Adds a connection and goes the three-legged way; returns the command line's last word.
fn connect(home: &Home, provider: &Server, name: &str, method: &str, placement: &str) -> Value {
    let addresses = [
        "root_url",
        "temporary_credentials_url",
        "authorization_url",
        "token_url",
    ]
    .map(|field| format!("{field}={}", member(provider, field)));
    let method_setting = format!("signature_method={method}");
    let placement_setting = format!("placement={placement}");
    let mut arguments = vec![
        "connection",
        "add",
        name,
        "--service",
        "generic-oauth1",
        "--secrets",
        "-",
    ];
    for setting in addresses.iter().chain([&method_setting, &placement_setting]) {
        arguments.extend(["--set", setting.as_str()]);
    }
    let mut secrets = json!({
        "client_key": provider.ready["client_key"],
        "client_secret": provider.ready["client_secret"],
    });
    if method.starts_with("RSA") {
        secrets["rsa_private_key"] = provider.ready["rsa_private_key"].clone();
    }
    home.run_with_input(&arguments, &secrets.to_string()).well();

    let started = home.run(&["connection", "authorize", name, "--start"]).well();
    let address = started["authorize_url"].as_str().unwrap();
    let verifier = consent(address);
    home.run(&["connection", "authorize", name, "--verifier", &verifier])
        .well()
}

/// What a person does on the provider's page.
fn consent(address: &str) -> String {
    let page = http::get(address);
    assert_eq!(page.status, 200, "{}", page.text);
    let address = url::Url::parse(address).unwrap();
    let token = address
        .query_pairs()
        .find(|(name, _)| name == "oauth_token")
        .unwrap()
        .1
        .into_owned();
    let mut form = address.clone();
    form.set_query(None);
    let answer = http::post_form(form.as_str(), &[("oauth_token", &token)]);
    let code = answer
        .text
        .split_once("id=\"verifier\">")
        .and_then(|(_, rest)| rest.split_once('<'));
    code.unwrap_or_else(|| panic!("no code on {}", answer.text))
        .0
        .to_owned()
}

#[test]
fn the_provider_itself_is_right_by_another_client() {
    let provider = provider();
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready.json");
    fs::write(&ready, provider.ready.to_string()).unwrap();
    let report = script::report(
        script::python_script("provider_check.py").arg(&ready),
        &Value::Null,
    );

    let cases = report["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 35, "7 methods × (3 placements by POST + 2 by GET)");
    for case in cases {
        assert_eq!(case["status"], 200, "{case}");
        assert_eq!(case["seen"], case["placement"], "{case}");
    }
    assert_eq!(report["wrong_secret"], 401);
    assert_eq!(report["replays"], json!([200, 401]));
    assert_eq!(report["two_legged"], 200);
    assert_eq!(
        [&report["body_hash"], &report["body_hash_logged"]],
        [&json!(200), &json!(true)]
    );
}

#[test]
fn our_connector_signs_in_seven_methods_and_three_placements() {
    let provider = provider();
    let home = Home::new();
    let mut calls = 0_usize;
    for method in METHODS {
        for placement in PLACEMENTS {
            let name = format!("{}-{placement}", method.to_ascii_lowercase());
            connect(&home, &provider, &name, method, placement);
            let odd = format!("odd={ODD}");
            for verb in ["GET", "POST", "DELETE"] {
                let target = format!("{verb} /echo/path%20with%2Fescapes");
                let ended = home.run(&["call", &name, &target, "--param", &odd, "--param", "empty="]);
                let answer = ended.well();
                assert_eq!(answer["status"], 200, "{name} {verb}: {answer}");
                let echo = body_of(&answer);
                assert_eq!(echo["algorithm"], method, "{name} {verb}");
                // Only a form body can carry the protocol parameters.
                let expected = if placement == "body" && verb != "POST" {
                    "header"
                } else {
                    placement
                };
                assert_eq!(echo["placement"], expected, "{name} {verb}");
                let given = if verb == "POST" {
                    &echo["form"]
                } else {
                    &echo["query"]
                };
                assert_eq!(*given, json!([["odd", ODD], ["empty", ""]]), "{name} {verb}");
                calls += 1;
            }
        }
    }
    assert_eq!(calls, 63);
    let log = http::get(&format!("{}/log", member(&provider, "root_url"))).body;
    let refused: Vec<_> = log
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["status"] != 200)
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn a_json_body_travels_with_its_hash_or_unsigned_but_always_whole() {
    let provider = provider();
    let home = Home::new();
    connect(&home, &provider, "json", "HMAC-SHA256", "header");
    let body = r#"{"text":"whole & “unchanged” +"}"#;
    let ended = home.run_with_input(
        &[
            "call",
            "json",
            "POST /echo",
            "--body",
            "-",
            "--content-type",
            "application/json",
        ],
        body,
    );
    assert_eq!(body_of(&ended.well())["body"], body);
}

#[test]
fn a_wrong_secret_is_refused_and_said_so() {
    let provider = provider();
    let home = Home::new();
    connect(&home, &provider, "once-right", "HMAC-SHA1", "header");
    let right = home.run(&["call", "once-right", "GET /echo"]);
    assert_eq!(right.code, 0, "{}", right.stderr);

    home.run_with_input(
        &[
            "connection",
            "add",
            "once-right",
            "--service",
            "generic-oauth1",
            "--secrets",
            "-",
        ],
        r#"{"client_secret":"not the secret"}"#,
    )
    .well();
    let wrong = home.run(&["call", "once-right", "GET /echo"]);
    assert_eq!(
        wrong.code, 1,
        "stdout: {}\nstderr: {}",
        wrong.stdout, wrong.stderr
    );
    assert_eq!(wrong.json["status"], 401, "{}", wrong.stdout);
    assert!(wrong.json["failure"].is_object(), "{}", wrong.stdout);
}

#[test]
fn a_wrong_verifier_and_a_used_one_are_refused() {
    let provider = provider();
    let home = Home::new();
    connect(&home, &provider, "twice", "HMAC-SHA1", "header");
    let started = home.run(&["connection", "authorize", "twice", "--start"]).well();
    let verifier = consent(started["authorize_url"].as_str().unwrap());
    let wrong = home.run(&["connection", "authorize", "twice", "--verifier", "0000000"]);
    assert_eq!(
        wrong.code, 1,
        "stdout: {}\nstderr: {}",
        wrong.stdout, wrong.stderr
    );
    home.run(&["connection", "authorize", "twice", "--verifier", &verifier])
        .well();
    let used = home.run(&["connection", "authorize", "twice", "--verifier", &verifier]);
    assert_eq!(used.code, 1, "stdout: {}\nstderr: {}", used.stdout, used.stderr);
}

/// `call` prints `body` as JSON where the answer was JSON.
fn body_of(answer: &Value) -> Value {
    match &answer["body"] {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}")),
        body => body.clone(),
    }
}

/// oauthlib's server reads `oauth_` values of query and body twice, which is right for nobody but its own
/// client; in the header it reads once, and there we have to agree with the server as it is.
#[test]
fn our_connector_agrees_with_oauthlib_as_it_is_in_the_header() {
    let provider = Server::start(script::python_script("provider.py").args(["--collection", "oauthlib"]));
    let home = Home::new();
    for method in METHODS {
        let name = method.to_ascii_lowercase();
        connect(&home, &provider, &name, method, "header");
        let odd = format!("odd={ODD}");
        let answer = home.run(&["call", &name, "POST /echo", "--param", &odd]).well();
        assert_eq!(body_of(&answer)["form"], json!([["odd", ODD]]), "{name}");
    }
}
