//! No secret in what people or logs see.

use tailorbird_connector::{Connector, RawCall, Resolved, TransportSettings, build, build_raw};
use tailorbird_model::service::Method;
use tailorbird_oauth::ClientCredentials;

use crate::fixtures::{arguments, credentials, post, resolved, service, shipped, x_at};

fn preview(here: &Resolved, request: &tailorbird_connector::Request) -> String {
    let connector = Connector::new(TransportSettings::default()).unwrap();
    let masked = connector.preview(here, &credentials(), request).unwrap();
    format!(
        "{} {} {masked:?}",
        serde_json::to_string(&masked).unwrap(),
        masked.as_curl()
    )
}

#[test]
fn a_preview_shows_the_request_and_masks_what_proves_something() {
    for method in ["HMAC-SHA1", "PLAINTEXT"] {
        for placement in ["header", "query", "body"] {
            let here = resolved(
                &shipped("x-1.1"),
                &[
                    ("root_url", "http://127.0.0.1:1"),
                    ("signature_method", method),
                    ("placement", placement),
                ],
            );
            let request = build(&here, "create_post", &post("Hello")).unwrap();
            let shown = preview(&here, &request);
            assert!(!shown.contains("canary"), "{method} {placement}: {shown}");
            assert!(
                shown.contains("client-key-1") && shown.contains("status=Hello"),
                "{shown}"
            );
            assert!(shown.contains("oauth_signature"), "{shown}");
        }
    }
}

#[test]
fn secrets_inside_a_request_are_masked_by_their_names() {
    let service = service(
        "service: s\ntitle: S\nheaders: { X-Api-Key: canary-1, Accept-Language: de }\noperations:\n  login:\n    method: POST\n    path: /login\n    \
         parameters: { access_token: {}, page_token: {} }\n    body: { json: { user: {}, password: {}, nested: { type: json } } }\n",
    );
    let here = resolved(&service, &[("root_url", "http://127.0.0.1:1")]);
    let request = build(
        &here,
        "login",
        &arguments(&[
            ("access_token", "canary-2".into()),
            ("page_token", "next-7".into()),
            ("user", "Anna".into()),
            ("password", "canary-3".into()),
            ("nested", r#"{"client_secret":"canary-4","n":1}"#.into()),
        ]),
    )
    .unwrap();
    for shown in [
        preview(&here, &request),
        serde_json::to_string(&request.masked()).unwrap(),
        request.as_curl(),
    ] {
        assert!(!shown.contains("canary"), "{shown}");
        assert!(
            shown.contains("next-7") && shown.contains("Anna") && shown.contains("de"),
            "{shown}"
        );
    }
}

#[test]
fn a_curl_command_is_quoted_for_the_shell() {
    let x = x_at("http://127.0.0.1:1");
    let request = build(&x, "create_post", &post("it's $(rm) `x`")).unwrap();
    assert_eq!(
        request.as_curl(),
        r#"curl --request POST 'http://127.0.0.1:1/2/tweets' --header 'Content-Type: application/json' --data-raw '{"text":"it'\''s $(rm) `x`"}'"#
    );
    let get = build_raw(
        &x,
        Method::Get,
        &RawCall {
            path: "/a",
            ..RawCall::default()
        },
    )
    .unwrap();
    assert_eq!(get.as_curl(), "curl --request GET 'http://127.0.0.1:1/a'");
}

#[tokio::test]
async fn answers_are_masked_too() {
    let text = "x".repeat(50_000);
    let body = format!(r#"{{"token":"canary","id":"1","code":34,"key":"T-1","text":"{text}"}}"#);
    let headers = [("Set-Cookie", "session=canary"), ("x-rate-limit-remaining", "7")];
    let provider = crate::provider::Provider::saying(200, &headers, &body).await;
    let x = x_at(&provider.root());
    let request = build_raw(
        &x,
        Method::Get,
        &RawCall {
            path: "/a",
            ..RawCall::default()
        },
    )
    .unwrap();
    let connector = Connector::new(TransportSettings::default()).unwrap();
    let answer = connector.send(&x, &credentials(), &request).await.unwrap();
    let shown = format!("{:?} {}", answer.masked_headers(), answer.masked_body());
    assert!(!shown.contains("canary"), "{shown}");
    assert!(
        shown.contains("\"7\"") && shown.contains(r#""id":"1","code":34,"key":"T-1""#),
        "{shown}"
    );
    // Whole: a caller reads it as JSON again.
    assert!(serde_json::from_str::<serde_json::Value>(&answer.masked_body()).is_ok());
}

#[tokio::test]
async fn a_provider_that_echoes_requests_brings_no_secret_back() {
    let body = r#"{"headers":{"Authorization":"OAuth oauth_token=\"42-canary-token\", oauth_signature=\"canary-client-secret%26canary-token-secret\""},"echo":"canary-token-secret"}"#;
    let provider = crate::provider::Provider::saying(200, &[], body).await;
    let x = x_at(&provider.root());
    let request = build_raw(
        &x,
        Method::Get,
        &RawCall {
            path: "/echo",
            ..RawCall::default()
        },
    )
    .unwrap();
    let connector = Connector::new(TransportSettings::default()).unwrap();
    let answer = connector.send(&x, &credentials(), &request).await.unwrap();
    assert!(!format!("{answer:?}").contains("canary"), "{answer:?}");
    assert_eq!(answer.json.unwrap().pointer("/echo").unwrap(), "(masked)");
}

/// PLAINTEXT puts the secrets themselves on the wire (RFC 5849 §3.4.4), encoded once to be joined and once
/// more for header, query or form. A provider that repeats the request repeats them so.
#[tokio::test]
async fn secrets_with_reserved_characters_do_not_come_back_however_they_are_written() {
    let secret = "canary/client+secret=";
    let mut credentials = credentials();
    credentials.client = Some(ClientCredentials::new("client-key-1", secret));
    let once = tailorbird_oauth::percent_encode(secret);
    let twice = tailorbird_oauth::percent_encode(&once);
    for written in [secret.to_owned(), once, twice, secret.replace('/', r"\/")] {
        let body = format!(r#"{{"said":"oauth_signature={written}%26"}}"#);
        let provider = crate::provider::Provider::saying(200, &[], &body).await;
        let x = x_at(&provider.root());
        let request = build_raw(
            &x,
            Method::Get,
            &RawCall {
                path: "/echo",
                ..RawCall::default()
            },
        )
        .unwrap();
        let connector = Connector::new(TransportSettings::default()).unwrap();
        let answer = connector.send(&x, &credentials, &request).await.unwrap();
        assert!(!format!("{answer:?}").contains("canary"), "{written}: {answer:?}");
    }
}
