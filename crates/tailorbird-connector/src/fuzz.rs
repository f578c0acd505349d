//! Fuzz targets: whatever a provider answers, and whatever address a person gives, is read, judged, masked and
//! paged without a panic and within limits.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tailorbird_model::connection::Connection;
use tailorbird_model::ports::Credentials;
use tailorbird_model::service::{self, Service};
use tailorbird_oauth::{ClientCredentials, TokenCredentials};

use crate::answer::http_date;
use crate::authorize::target_of;
use crate::build::{build, method_and_path};
use crate::extract::{MAX_RECORDS, record, records};
use crate::judge::{MAX_WAIT, judge, limit_reports, retry_after};
use crate::origin::Origin;
use crate::pages::Pages;
use crate::request::{mask_headers, mask_text, mask_url, mask_words};
use crate::resolve::{Resolved, resolve};
use crate::settings::{check_credentials, check_settings};
use crate::transport::WireAnswer;
use crate::{Answer, MAX_PAGES};

#[path = "../../../tests/fuzz/spoil.rs"]
#[allow(dead_code, reason = "other crates use the rest")]
mod spoil;
use spoil::{fewer, spoilt, spoilt_bytes};

const NOW: i64 = 1_795_000_000;

static X: LazyLock<Resolved> = LazyLock::new(|| {
    let service = shipped(include_str!("../../../services/x.yaml"));
    let root = BTreeMap::from([("root_url".to_owned(), "http://127.0.0.1:7081".to_owned())]);
    resolve(&service, &connection(&service, root)).unwrap()
});

fn connection(service: &Service, settings: BTreeMap<String, String>) -> Connection {
    Connection {
        connection: "c".parse().unwrap(),
        service: service.service.clone(),
        settings,
        account: None,
        level: None,
        authorized_at: None,
    }
}

static GENERIC: LazyLock<Service> =
    LazyLock::new(|| shipped(include_str!("../../../services/generic-oauth1.yaml")));

fn shipped(text: &str) -> Service {
    service::check::read(text).0.remove(0).value
}

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn seeds(seeds: &[&str]) -> Vec<String> {
    seeds.iter().map(|seed| (*seed).to_owned()).collect()
}

const LIMIT_WORDS: &[&str] = &[
    "0",
    "9",
    "99999999999999999999",
    "-1",
    ".5",
    ";w=900",
    ", ",
    "Sun, ",
    " Nov ",
    "2026",
    " GMT",
    " +0000",
    "T",
    "Z",
    ":",
    "1795000000",
    "1795000000000",
    "\u{0}",
    "é",
    "+",
];

fn limit_value() -> impl Strategy<Value = String> {
    let good = [
        "120",
        "1795000900",
        "1795000900000",
        "Mon, 23 Nov 2026 12:02:00 GMT",
        "100, 100;w=60",
        "2026-11-23T12:00:00Z",
    ];
    spoilt(seeds(&good), LIMIT_WORDS)
}

/// Bodies as providers send them, and nearly so.
fn body() -> impl Strategy<Value = Vec<u8>> {
    spoilt_bytes(
        [
            r#"{"data":{"id":"1453489038376132611","text":"Hello"}}"#,
            r#"{"data":[{"id":"3","text":"a","created_at":"2026-11-23T10:00:00Z"},{"id":2}],"meta":{"next_token":"t1","result_count":2}}"#,
            r#"{"data":[],"meta":{"next_token":"http://127.0.0.1:7081/2/users/1/mentions?pagination_token=x"}}"#,
            r#"{"errors":[{"code":187,"message":"Status is a duplicate."}]}"#,
            r#"{"title":"Forbidden","detail":"You are not allowed to create a Tweet with duplicate content.","status":403}"#,
            "<!doctype html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>",
            "oauth_problem=token_rejected",
            "",
        ]
        .map(|seed| seed.as_bytes().to_vec())
        .into(),
    )
}

fn answer() -> impl Strategy<Value = Answer> {
    let name = prop::sample::select(vec![
        "content-type",
        "retry-after",
        "date",
        "location",
        "x-rate-limit-reset",
        "x-rate-limit-remaining",
        "x-rate-limit-limit",
        "x-app-limit-24hour-remaining",
        "x-app-limit-24hour-reset",
        "x-access-level",
    ]);
    let status = prop_oneof![
        prop::sample::select(vec![200_u16, 201, 204, 302, 400, 401, 403, 404, 408, 429, 503]),
        100_u16..1000,
    ];
    (
        status,
        prop::collection::vec((name, limit_value()), 0..6),
        body(),
        any::<bool>(),
    )
        .prop_map(|(status, headers, body, is_cut)| {
            let wire = WireAnswer {
                status,
                headers: headers
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect(),
                body: body.into(),
                cut: is_cut.then(|| "the connection closed".to_owned()),
            };
            Answer::read(&X.service, wire, now())
        })
}

proptest! {
    #![proptest_config(fewer(1))]

    #[test]
    fn limits_and_dates(value in limit_value(), other in limit_value(), skew in -10_000_000_i64..10_000_000) {
        let latest = now().checked_add(MAX_WAIT).unwrap();
        if let Some(at) = retry_after(&value, now(), skew) {
            prop_assert!(at <= latest);
        }
        std::hint::black_box(http_date(&value));
        let headers: Vec<(String, String)> = ["limit", "remaining", "reset"]
            .into_iter()
            .zip([&other, &other, &value])
            .map(|(member, value)| (format!("X-RateLimit-{member}"), value.clone()))
            .collect();
        for report in limit_reports(&[], &[], &headers, now(), skew) {
            prop_assert!(report.reset_at.is_none_or(|at| at <= latest));
        }
    }

    #[test]
    fn answers(answer in answer(), operation in prop::sample::select(vec!["create_post", "list_mentions", "get_me"])) {
        let Ok(request) = build(&X, operation, &arguments()) else { return Ok(()) };
        if let Err(failure) = judge(&X, &request, &answer) {
            prop_assert!(!failure.message.is_empty());
            // A wait has an end.
            prop_assert!(failure.retry_at.is_none_or(|at| at <= now().checked_add(MAX_WAIT + SignedDuration::from_hours(24)).unwrap()));
        }
        drop(record(&X, &request, &answer));
        if let Ok(found) = records(&X, &request, &answer) {
            prop_assert!(found.len() <= MAX_RECORDS);
        }
        drop((answer.masked_headers(), answer.masked_body()));
    }

    #[test]
    fn listings(answers in prop::collection::vec(answer(), 1..5), token in prop::option::of(spoilt(seeds(&["t1", "http://127.0.0.1:7081/2/x?y=z"]), &["http://", "@", "?", "#", "127.0.0.1", "evil.example", "\u{0}", "%"]))) {
        let Ok(mut pages) = Pages::new(&X, "list_mentions", &arguments(), Some(MAX_PAGES), token.as_deref()) else { return Ok(()) };
        for answer in &answers {
            let Some(request) = pages.next_request() else { break };
            // Credentials stay on their origin, whatever the provider names as the next page.
            prop_assert_eq!(Origin::parse(&request.url), Origin::parse("http://127.0.0.1:7081/"));
            if pages.take(&X, answer).is_err() {
                break;
            }
        }
    }

    #[test]
    fn masks(text in spoilt(
        seeds(&["{\"oauth_token\":\"canary\",\"a\":[{\"password\":\"canary\"}]}", "http://u:p@h/p?oauth_token=canary&b=c#d", "token=canary&x=1", "Bearer canary is wrong"]),
        &["\"", "{", "}", "[", "&", "=", "?", "%", "oauth_token", "secret", "é", "\\u0000", "//", "@", "\n"],
    ), kind in prop::sample::select(vec!["application/json", "application/x-www-form-urlencoded", "text/html; charset=x", "multipart/form-data; boundary=", ""])) {
        drop(mask_text(kind, text.as_bytes()));
        drop(mask_url(&text));
        drop(mask_words(&text));
        drop(mask_headers(&[("authorization".to_owned(), text.clone()), ("location".to_owned(), text)]));
    }

    #[test]
    fn settings_and_addresses(text in spoilt(
        seeds(&["https://api.example.com:8443/base/", "http://127.0.0.1:7081/oauth/request_token", "HMAC-SHA1", "25.00/day", "POST /2/tweets?x=y"]),
        &["https://", "//", "@", ":", "[::1]", "%2e%2e", "..", "?", "#", " ", "\t", "é", "xn--", "oauth/access_token", "65536", "{a}", "GET "],
    ), field in prop::sample::select(vec!["root_url", "temporary_credentials_url", "authorization_url", "token_url", "signature_method", "placement", "realm", "spending_cap", "other"])) {
        let settings = BTreeMap::from([(field.to_owned(), text.clone()), ("token_url".to_owned(), text.clone())]);
        drop(check_settings(&GENERIC, &settings));
        if let Err(failure) = resolve(&GENERIC, &connection(&GENERIC, settings)) {
            prop_assert!(!failure.message.is_empty());
        }
        drop(Origin::parse(&text));
        std::hint::black_box(method_and_path(&text));
        let given = Credentials {
            client: Some(ClientCredentials::new(text.clone(), text.clone())),
            token: Some(TokenCredentials::new(text.clone(), "x")),
            rsa_private_key: Some(text.into()),
            ..Credentials::default()
        };
        drop(check_credentials(&GENERIC, &given));
    }

    #[test]
    fn loopback_requests(head in spoilt(
        seeds(&["GET /callback?oauth_token=a&oauth_verifier=b HTTP/1.1\r\nHost: 127.0.0.1:4711\r\nAccept: */*\r\n\r\n"]),
        &["\r\n", "\n", " ", ":", "Host: ", "localhost:4711", "evil.example", "POST", "\u{0}", "é", "//"],
    )) {
        if let Some(target) = target_of(&head, 4711) {
            prop_assert!(head.starts_with("GET ") && !target.contains(' '));
        }
    }
}

fn arguments() -> BTreeMap<String, tailorbird_model::Value> {
    [("text", "Hello"), ("id", "42")]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}
