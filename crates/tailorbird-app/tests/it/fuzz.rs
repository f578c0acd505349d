//! Fuzz targets: files and lines that a person or another program hands over are taken in or refused.

use proptest::prelude::*;
use tailorbird_app::oauth1_sign::LineSigner;
use tailorbird_app::{App, SecretsInput, TaskSecretInput, check_services, check_tasks};

#[path = "../../../../tests/fuzz/spoil.rs"]
#[allow(dead_code, reason = "other crates use the rest")]
mod spoil;
use spoil::{fewer, spoilt};

const JSON_WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "null",
    "1e400",
    "\\ud800",
    "\\",
    "\u{0}",
    "é",
    "oauth_token",
    "client_secret",
    "http://",
    "method",
    "POST",
    "RSA-SHA1",
    "PLAINTEXT",
    "99999999999999999999",
];

const LINE: &str = r#"{"method":"POST","url":"https://api.example.com/1/a?b=c","body":{"content_type":"application/x-www-form-urlencoded","raw":"status=Hi"},"oauth":{"oauth_consumer_key":"k","oauth_nonce":"n","oauth_timestamp":"1","oauth_signature_method":"HMAC-SHA1"},"consumer_secret":"canary","token_secret":"s"}"#;

proptest! {
    #![proptest_config(fewer(1))]

    #[test]
    fn signed_lines(line in spoilt(vec![LINE.to_owned()], JSON_WORDS)) {
        let mut out = Vec::new();
        LineSigner::default().answer(line.as_bytes(), &mut out);
        let answer: serde_json::Value = serde_json::from_slice(&out).unwrap();
        prop_assert!(answer.get("signature").is_some() != answer.get("error").is_some(), "{answer}");
        prop_assert!(!out.contains(&b'\n'));
    }

    #[test]
    fn secrets(text in spoilt(
        ["{\"client_key\":\"canary\",\"client_secret\":\"canary\"}", "{\"webhook_secret\":\"canary\"}"].map(str::to_owned).into(),
        JSON_WORDS,
    )) {
        // What was read is secret, right or wrong: no error repeats it.
        if let Err(error) = SecretsInput::from_json(&text) {
            let said = format!("{error:?}");
            prop_assert!(!said.contains("canary"));
        }
        if let Err(error) = TaskSecretInput::from_json(&text) {
            let said = format!("{error:?}");
            prop_assert!(!said.contains("canary"));
        }
    }

    #[test]
    fn files_without_a_home(text in spoilt(
        [include_str!("../../../../services/webhook.yaml"), "task: a\nsteps:\n  - { id: q, query: { database: d, sql: SELECT 1 } }\n"].map(str::to_owned).into(),
        &["---\n", "task: ", "service: ", "steps: ", "\n", "  ", "{", "}", "[", ": ", "*a", "&a ", "{{ a }}", "\t"],
    )) {
        let (_, problems) = check_services(&text);
        prop_assert!(problems.iter().all(|problem| !problem.message.is_empty()));
        drop(check_tasks(None, &[("f.yaml".to_owned(), text)]));
    }
}

proptest! {
    // Each case writes to a store, which syncs.
    #![proptest_config(fewer(5))]

    #[test]
    fn imported_connections(text in spoilt(
        vec!["connection: shop\nservice: generic-oauth1\nsettings:\n  root_url: \"https://api.example.com/\"\n  realm: \"a\"\nsecrets:\n  client_secret: \"(not exported)\"\n".to_owned()],
        &["connection: ", "service: x\n", "settings:\n", "\n", "  ", "\"", "root_url: ", "http://", "---\n", "{", "}", "é", "token_url: \"a\"\n"],
    )) {
        let folder = tempfile::tempdir().unwrap();
        let (app, _) = App::create(&folder.path().join("home")).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        if let Err(error) = runtime.block_on(app.import_connection("file", &text)) {
            prop_assert!(!error.failure.message.is_empty());
        }
    }
}
