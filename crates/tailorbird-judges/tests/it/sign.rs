//! `oauth1 sign` beside two other signers, on requests that are made anew from a seed: oauthlib on all of
//! them, oauth-1.0a on the plain ones. Fixed cases cannot be learned by heart here.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::program::binary;
use crate::script;

const SEED: u64 = 20_261_123;
const CASES: usize = 420;

/// What `oauth1 sign` answers to these requests, in order.
fn signed(requests: &[&Value]) -> Vec<Value> {
    let lines: Vec<String> = requests.iter().map(ToString::to_string).collect();
    let input = lines.join("\n");
    let mut child = Command::new(binary())
        .args(["oauth1", "sign"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || pipe.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn cases() -> Vec<Value> {
    let settings = json!({ "seed": SEED, "count": CASES });
    let mut report = script::report(&mut script::python_script("judge_sign.py"), &settings);
    let Value::Array(cases) = report["cases"].take() else {
        panic!("no cases: {report}")
    };
    assert_eq!(cases.len(), CASES);
    cases
}

#[test]
fn oauth1_sign_agrees_with_oauthlib_and_oauth_1_0a() {
    let cases = cases();
    let ours = signed(&cases.iter().map(|case| &case["request"]).collect::<Vec<_>>());
    assert_eq!(ours.len(), CASES);
    let different: Vec<_> = cases
        .iter()
        .zip(&ours)
        .filter(|(case, ours)| ours["signature"] != case["signature"])
        .map(|(case, ours)| {
            format!(
                "{:#}\noauthlib: {}\nours: {ours:#}",
                case["request"], case["signature"]
            )
        })
        .collect();
    assert!(
        different.is_empty(),
        "{} of {CASES} differ; the first:\n{}",
        different.len(),
        different[0]
    );

    let plain: Vec<&Value> = cases
        .iter()
        .filter(|case| {
            let method = case["request"]["oauth"]["oauth_signature_method"]
                .as_str()
                .unwrap();
            case["plain"] == true && method.starts_with("HMAC")
        })
        .collect();
    assert!(plain.len() > 20, "only {} plain cases", plain.len());
    let requests: Vec<&Value> = plain.iter().map(|case| &case["request"]).collect();
    let third = script::report(
        &mut script::node_script("judge_sign.cjs"),
        &json!({ "requests": requests }),
    )["signatures"]
        .take();
    let expected: Vec<&Value> = plain.iter().map(|case| &case["signature"]).collect();
    assert_eq!(
        third,
        json!(expected),
        "oauth-1.0a and oauthlib disagree: the cases are not plain"
    );
}

/// The comparison notices a difference: one changed byte of a secret changes every signature.
#[test]
fn a_wrong_secret_gives_another_signature() {
    let request = json!({
        "method": "GET",
        "url": "https://api.example.com/1?b=2&a=1",
        "oauth": {
            "oauth_consumer_key": "k", "oauth_nonce": "n", "oauth_timestamp": "1318622958",
            "oauth_signature_method": "HMAC-SHA1", "oauth_version": "1.0",
        },
        "consumer_secret": "secret", "token_secret": "",
    });
    let mut other = request.clone();
    other["consumer_secret"] = json!("Secret");
    let answers = signed(&[&request, &other, &json!({ "method": "GET" })]);
    assert_eq!(answers[0]["base_string"], answers[1]["base_string"]);
    assert_ne!(answers[0]["signature"], answers[1]["signature"]);
    assert!(
        answers[2]["error"].is_string() || answers[2]["error"].is_object(),
        "{}",
        answers[2]
    );
}
