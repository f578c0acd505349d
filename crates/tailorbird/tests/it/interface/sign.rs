//! `oauth1 sign`: the signer, judged from outside.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Home, members, program};

fn conformance() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tailorbird-oauth/conformance")
}

fn key(name: &str) -> String {
    std::fs::read_to_string(conformance().join("keys").join(name)).unwrap()
}

fn sign(lines: &[Value]) -> Vec<Value> {
    let input = lines
        .iter()
        .fold(String::new(), |text, line| text + &line.to_string() + "\n");
    sign_text(&input)
}

fn sign_text(input: &str) -> Vec<Value> {
    let said = Home::new().run_with_input(&["oauth1", "sign"], input).expect(0);
    said.stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A line to begin with; `change` is merged over it.
fn line(change: &Value) -> Value {
    let mut line = json!({
        "method": "GET", "url": "https://api.example.com/1/things?b=2",
        "oauth": {"oauth_consumer_key": "key", "oauth_signature_method": "HMAC-SHA1",
                  "oauth_timestamp": "1", "oauth_nonce": "n", "oauth_token": ""},
        "consumer_secret": "cs", "token_secret": "ts",
    });
    for (name, value) in change.as_object().unwrap() {
        line[name] = value.clone();
    }
    line
}

/// Every published case that states a whole request, in one go.
#[test]
fn the_published_cases() {
    let text = std::fs::read_to_string(conformance().join("published/requests.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    // 512 bits are below what any signer of today takes.
    let cases: Vec<Value> = cases
        .into_iter()
        .filter(|c| c["credentials"]["rsa_key"] != "python-oauth2-rsa-512")
        .collect();
    assert!(cases.len() >= 28);
    let lines: Vec<Value> = cases
        .iter()
        .map(|case| {
            let mut line = json!({
                "method": case["request"]["method"], "url": case["request"]["url"], "oauth": case["parameters"],
                "consumer_secret": case["credentials"]["consumer_secret"],
                "token_secret": case["credentials"]["token_secret"],
            });
            for (member, value) in [("body", &case["request"]["body"]), ("realm", &case["realm"])] {
                if !value.is_null() {
                    line[member] = value.clone();
                }
            }
            if let Some(name) = case["credentials"]["rsa_key"].as_str() {
                line["rsa_private_key"] = json!(key(&format!("{name}.private.pem")));
            }
            line
        })
        .collect();
    let answers = sign(&lines);
    assert_eq!(answers.len(), cases.len());
    for (case, answer) in cases.iter().zip(&answers) {
        let name = &case["name"];
        assert_eq!(answer["base_string"], case["expected"]["base_string"], "{name}");
        assert_eq!(answer["signature"], case["expected"]["signature"], "{name}");
        assert_eq!(
            members(answer),
            ["base_string", "signature", "authorization"],
            "{name}"
        );
    }
}

#[test]
fn order_is_kept_and_errors_stand_in_line() {
    let mut input = String::new();
    for index in 0..2_000 {
        match index % 4 {
            0 => input.push_str("this is not JSON\n"),
            1 => input.push_str("{\"method\":\"GET\"}\n"),
            2 => input.push('\n'),
            _ => {}
        }
        let nonce = json!({"oauth": {"oauth_consumer_key": "key", "oauth_signature_method": "HMAC-SHA1",
                                     "oauth_timestamp": "1", "oauth_nonce": format!("n{index}")}});
        input.push_str(&format!("{}\n", line(&nonce)));
    }
    // The last line has no end.
    let answers = sign_text(input.trim_end());
    assert_eq!(answers.len(), 3_000, "an answer for each line that is not empty");
    let mut good = answers.iter().filter(|answer| answer.get("error").is_none());
    for index in 0..2_000 {
        let base = good.next().unwrap()["base_string"].as_str().unwrap();
        assert!(
            base.contains(&format!("oauth_nonce%3Dn{index}%26")),
            "{index}: {base}"
        );
    }
    let error = &answers[0]["error"];
    for member in ["code", "message", "detail", "hint"] {
        assert!(error[member].is_string(), "{error}");
    }
    assert!(error["message"].as_str().unwrap().contains("not JSON"), "{error}");
}

/// A caller may write one line and wait for its answer.
#[test]
fn answers_come_when_the_input_pauses() {
    let mut child = Command::new(program())
        .args(["oauth1", "sign"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let output = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        for line in output.lines() {
            tell.send(line.unwrap()).unwrap();
        }
    });
    let soon = std::time::Duration::from_secs(20);
    for _ in 0..3 {
        input
            .write_all(format!("{}\n", line(&json!({}))).as_bytes())
            .unwrap();
        input.flush().unwrap();
        assert!(told.recv_timeout(soon).unwrap().contains("\"signature\""));
    }
    // Half a line more does not hold back the answer to a whole one.
    let next = format!("{}\n", line(&json!({})));
    input
        .write_all(format!("{next}{}", &next[..20]).as_bytes())
        .unwrap();
    input.flush().unwrap();
    assert!(told.recv_timeout(soon).unwrap().contains("\"signature\""));
    input.write_all(&next.as_bytes()[20..]).unwrap();
    drop(input);
    assert!(told.recv_timeout(soon).unwrap().contains("\"signature\""));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    reader.join().unwrap();
}

#[test]
fn a_form_type_may_have_a_charset_and_counts_for_every_method() {
    let form = |method: &str, kind: &str| {
        let answers = sign(&[line(
            &json!({"method": method, "body": {"content_type": kind, "raw": "a=1+2&c"}}),
        )]);
        answers[0]["base_string"].as_str().unwrap().to_owned()
    };
    for kind in [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=UTF-8",
        "Application/X-WWW-Form-Urlencoded;charset=utf-8",
    ] {
        for method in ["POST", "PUT", "PATCH", "DELETE", "GET"] {
            let base = form(method, kind);
            assert!(
                base.starts_with(&format!("{method}&")) && base.contains("a%3D1%25202%26b%3D2%26c%3D%26"),
                "{base}"
            );
        }
    }
    assert!(!form("POST", "application/json").contains("a%3D1"));
    assert!(!form("POST", "application/x-www-form-urlencoded-not").contains("a%3D1"));
}

#[test]
fn plaintext_is_given_plain_and_escaped_in_the_header() {
    let oauth = json!({"oauth_consumer_key": "k", "oauth_signature_method": "PLAINTEXT"});
    let answer = &sign(&[line(
        &json!({"oauth": oauth, "consumer_secret": "s&s", "token_secret": "t t"}),
    )])[0];
    assert_eq!(answer["signature"], "s%26s&t%20t");
    assert!(
        answer["base_string"]
            .as_str()
            .unwrap()
            .starts_with("GET&https%3A"),
        "{answer}"
    );
    assert!(
        answer["authorization"]
            .as_str()
            .unwrap()
            .contains("oauth_signature=\"s%2526s%26t%2520t\""),
        "{answer}"
    );
}

#[test]
fn rsa_in_both_key_forms_and_without_a_consumer_secret() {
    let pkcs8 = key("own-rsa-2048.private.pem");
    let pkcs1 = key("own-rsa-2048.pkcs1.pem");
    assert!(pkcs8.contains("BEGIN PRIVATE KEY") && pkcs1.contains("BEGIN RSA PRIVATE KEY"));
    for method in ["RSA-SHA1", "RSA-SHA256", "RSA-SHA512"] {
        let with = |pem: &str| {
            let mut line = line(
                &json!({"rsa_private_key": pem, "oauth": {"oauth_consumer_key": "k", "oauth_nonce": "n",
                                       "oauth_timestamp": "1", "oauth_signature_method": method}}),
            );
            line.as_object_mut().unwrap().remove("consumer_secret");
            line
        };
        let answers = sign(&[with(&pkcs8), with(&pkcs1)]);
        assert_eq!(answers[0], answers[1], "{method}");
        assert_eq!(
            answers[0]["signature"].as_str().unwrap().len(),
            344,
            "256 bytes: {}",
            answers[0]
        );
    }
    let no_key = line(&json!({"oauth": {"oauth_consumer_key": "k", "oauth_signature_method": "RSA-SHA1"}}));
    let bad_key = line(
        &json!({"rsa_private_key": "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----",
                              "oauth": {"oauth_consumer_key": "k", "oauth_signature_method": "RSA-SHA1"}}),
    );
    let unknown = line(&json!({"oauth": {"oauth_consumer_key": "k", "oauth_signature_method": "HMAC-MD5"}}));
    let extra = line(&json!({"consumer_secert": "CANARY"}));
    for answer in sign(&[no_key, bad_key, unknown, extra]) {
        assert!(
            !answer["error"]["message"].as_str().unwrap().is_empty(),
            "{answer}"
        );
        assert!(!answer.to_string().contains("CANARY"), "{answer}");
    }
}

#[test]
fn the_realm_is_in_the_header_only_and_nothing_is_added_but_the_signature() {
    let plain = &sign(&[line(&json!({}))])[0];
    let with_realm = &sign(&[line(&json!({"realm": "Photos & \"more\""}))])[0];
    assert_eq!(plain["base_string"], with_realm["base_string"]);
    assert_eq!(plain["signature"], with_realm["signature"]);
    assert!(
        with_realm["authorization"]
            .as_str()
            .unwrap()
            .starts_with("OAuth realm=\"Photos"),
        "{with_realm}"
    );
    assert!(!with_realm["base_string"].as_str().unwrap().contains("realm"));
    // A given empty token is signed and sent; what was not given is not added.
    let base = plain["base_string"].as_str().unwrap();
    assert!(base.contains("oauth_token%3D"), "{base}");
    assert!(!base.contains("oauth_version"), "{base}");
    let header = plain["authorization"].as_str().unwrap();
    assert_eq!(
        header.matches("=\"").count(),
        6,
        "five given and the signature: {header}"
    );
}
