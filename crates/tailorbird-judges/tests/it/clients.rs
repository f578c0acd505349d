//! Unmodified clients of other people against the sandbox: what they report, what the sandbox counted, and
//! what it must have refused.

use serde_json::{Value, json};

use crate::sandbox::{Keys, Sandbox};
use crate::script;

const ACCOUNT: &str = "tailorbird_demo";

/// The report's posts are the sandbox's, each once, and nothing refused was stored.
#[track_caller]
fn posts_agree(report: &Value, sandbox: &Sandbox, expected: usize) {
    let posts = sandbox.posts();
    let told = report["posts"].as_array().unwrap();
    assert_eq!(told.len(), expected, "{report}");
    for post in told {
        let text = post["text"].as_str().unwrap();
        let stored: Vec<_> = posts.iter().filter(|stored| stored.text == text).collect();
        assert_eq!(stored.len(), 1, "stored {} times: {text}", stored.len());
        assert_eq!(json!(stored[0].id), post["id"], "{text}");
    }
    let never: Vec<_> = posts
        .iter()
        .filter(|post| post.text.contains("never posted"))
        .collect();
    assert!(
        never.is_empty(),
        "a refused request left something behind: {never:?}"
    );
}

/// The sandbox verified every accepted write by its signature: each has a base string, and the paths seen
/// are those that the client was meant to call.
#[track_caller]
fn signatures_were_checked(sandbox: &Sandbox, method_and_paths: &[(&str, &str)]) {
    let requests = sandbox.requests();
    for (method, path) in method_and_paths {
        let seen: Vec<_> = requests
            .iter()
            .filter(|request| request["method"] == *method && request["path"] == *path)
            .collect();
        let good: Vec<_> = seen
            .iter()
            .filter(|request| {
                request["verified"] == true && request["status"].as_u64().is_some_and(|s| s < 300)
            })
            .collect();
        assert!(
            !good.is_empty(),
            "no verified {method} {path} among {} requests: {seen:#?}",
            requests.len()
        );
        for request in good {
            let base = request["base_string"].as_str().unwrap_or_default();
            assert!(base.starts_with(&format!("{method}&http")), "{request:#}");
        }
    }
}

/// The words of the sandbox about refused requests to a path.
fn refusals(sandbox: &Sandbox, path: &str) -> Vec<String> {
    let refused = |request: &&Value| request["path"] == path && request["verified"] == false;
    sandbox
        .requests()
        .iter()
        .filter(refused)
        .map(|r| r["verdict"].as_str().unwrap_or_default().to_owned())
        .collect()
}

fn start(more: &[&str]) -> (Sandbox, Keys) {
    let sandbox = Sandbox::start(more);
    let keys = sandbox.register("read_write");
    (sandbox, keys)
}

#[test]
fn tweepy_goes_the_whole_way() {
    let (sandbox, keys) = start(&[]);
    let mut command = script::python_script("judge_tweepy.py");
    script::by_proxy(&mut command, &sandbox);
    let report = script::report(&mut command, &script::settings(&sandbox, &keys));

    assert_eq!(report["authorize_host"], "api.twitter.com");
    let pin = report["pin"].as_str().unwrap();
    assert!(pin.len() == 7 && pin.bytes().all(|b| b.is_ascii_digit()), "{pin}");
    assert_ne!(report["pin_again"], Value::Null, "a used PIN was taken again");
    assert_eq!(report["me"]["username"], ACCOUNT);
    assert_eq!(report["verified"], report["me"]);
    assert_eq!(report["token_account"], report["me"]["id"]);
    let pages: Vec<u64> = report["mention_pages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_u64)
        .collect();
    assert!(
        pages.len() >= 2 && pages[0] == 100 && pages.iter().sum::<u64>() > 100,
        "{pages:?}"
    );
    assert_eq!(report["mentions_v1"], 20);
    assert_eq!(report["wrong_secret"], 401);
    assert_eq!(report["deleted"], true);
    posts_agree(&report, &sandbox, 3);
    signatures_were_checked(
        &sandbox,
        &[
            ("POST", "/oauth/request_token"),
            ("POST", "/oauth/access_token"),
            ("POST", "/2/tweets"),
            ("POST", "/1.1/statuses/update.json"),
            ("POST", "/1.1/media/upload.json"),
            ("GET", "/1.1/account/verify_credentials.json"),
        ],
    );
    assert_eq!(refusals(&sandbox, "/2/tweets").len(), 1);
}

#[test]
fn requests_oauthlib_goes_the_whole_way_on_plain_http() {
    let (sandbox, keys) = start(&[]);
    let report = script::report(
        &mut script::python_script("judge_requests_oauthlib.py"),
        &script::settings(&sandbox, &keys),
    );

    assert_eq!(report["callback_confirmed"], json!(["true", "true"]));
    assert_eq!(report["screen_names"], json!([ACCOUNT, ACCOUNT]));
    assert_eq!(report["me"]["body"]["data"]["username"], ACCOUNT);
    assert_eq!(report["me"]["level"], "read-write");
    assert_eq!(report["limits"], json!([true, true, true]));
    assert_eq!(report["statuses"], json!([201, 200, 200, 200]));
    assert_eq!(report["search"], 200);
    let upload = &report["upload"];
    assert!(
        upload["status"].as_u64().is_some_and(|s| (200..300).contains(&s)),
        "{upload}"
    );
    assert!(upload["body"]["media_id_string"].is_string(), "{upload}");
    posts_agree(&report, &sandbox, 4);
    signatures_were_checked(
        &sandbox,
        &[("POST", "/2/tweets"), ("POST", "/1.1/statuses/update.json")],
    );
    for (case, status) in report["refused"].as_object().unwrap() {
        let refused = status.as_u64().is_some_and(|s| s == 401 || s == 403);
        assert!(refused, "{case} answered {status}");
    }
    // X's answer never says why; the sandbox's own log has to. A wrong secret is a wrong secret, whichever.
    let verdicts = refusals(&sandbox, "/2/tweets").join("\n");
    for cause in [
        "no application has this client key",
        "secret of the temporary credentials",
        "is another one altogether",
    ] {
        assert!(verdicts.contains(cause), "nothing says {cause:?}:\n{verdicts}");
    }
}

#[test]
fn the_sdk_of_x_goes_the_whole_way_where_the_sandbox_is_as_lenient_as_x() {
    let (sandbox, keys) = start(&["--verify", "lenient"]);
    let mut command = script::python_script("judge_xdk.py");
    script::by_proxy(&mut command, &sandbox);
    let report = script::report(&mut command, &script::settings(&sandbox, &keys));

    assert_eq!(report["flow_refused"], Value::Null);
    assert_eq!(report["authorize_host"], "x.com");
    assert_eq!(report["me"]["username"], ACCOUNT);
    assert_eq!(
        report["same_object"], 401,
        "signed with the temporary secret: has to be refused"
    );
    posts_agree(&report, &sandbox, 1);
    signatures_were_checked(&sandbox, &[("POST", "/2/tweets"), ("GET", "/2/users/me")]);
    let said = refusals(&sandbox, "/2/tweets");
    assert_eq!(said.len(), 1, "{said:?}");
}

#[test]
fn twitter_api_v2_goes_the_whole_way_where_the_sandbox_is_as_lenient_as_x() {
    let (sandbox, keys) = start(&["--verify", "lenient"]);
    let report = twitter_api_v2(&sandbox, &keys);

    assert_eq!(report["flow_refused"], Value::Null);
    assert_eq!(report["authorize_host"], "api.x.com");
    assert_eq!(report["me"]["username"], ACCOUNT);
    assert_eq!(report["login"], report["me"]);
    assert!(
        report["mentions"].as_u64().is_some_and(|count| count > 100),
        "{report}"
    );
    assert!(report["media_id"].is_string());
    assert_eq!(report["wrong_secret"], 401);
    posts_agree(&report, &sandbox, 3);
    signatures_were_checked(
        &sandbox,
        &[
            ("POST", "/oauth/request_token"),
            ("POST", "/oauth/access_token"),
            ("POST", "/2/tweets"),
            ("POST", "/1.1/statuses/update.json"),
            ("POST", "/2/media/upload/initialize"),
        ],
    );
}

/// RFC 5849 section 3.5: protocol parameters travel in one place. Two clients spread them; a sandbox that
/// is strict says so instead of calling the signature wrong.
#[test]
fn a_strict_sandbox_refuses_protocol_parameters_in_two_places() {
    let (sandbox, keys) = start(&["--verify", "strict"]);
    let report = twitter_api_v2(&sandbox, &keys);
    assert_eq!(report, json!({ "flow_refused": 401 }));

    let mut command = script::python_script("judge_xdk.py");
    script::by_proxy(&mut command, &sandbox);
    let report = script::report(&mut command, &script::settings(&sandbox, &keys));
    assert!(
        report["flow_refused"]
            .as_str()
            .is_some_and(|words| words.contains("401")),
        "{report}"
    );

    let said = refusals(&sandbox, "/oauth/request_token");
    for places in ["(header, body)", "(header, query)"] {
        let named = format!("oauth_ parameters stand in several places {places}");
        assert!(
            said.iter().any(|words| words.contains(&named)),
            "nothing says {places}: {said:#?}"
        );
    }
    let account_posts = sandbox.posts();
    assert!(
        account_posts
            .iter()
            .all(|post| !post.text.starts_with("xdk") && !post.text.starts_with("twitter-api"))
    );
}

fn twitter_api_v2(sandbox: &Sandbox, keys: &Keys) -> Value {
    let mut command = script::node_script("judge_twitter_api_v2.cjs");
    command.env("NODE_EXTRA_CA_CERTS", sandbox.address("ca"));
    script::report(&mut command, &script::settings(sandbox, keys))
}
