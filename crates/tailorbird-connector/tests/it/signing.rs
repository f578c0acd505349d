//! Signatures on the wire: every method, every placement, checked as a provider would.

use std::collections::BTreeMap;

use tailorbird_connector::{
    Connector, NOTABLE_SKEW_SECONDS, RawCall, Resolved, TransportSettings, build, build_raw, judge,
};
use tailorbird_model::ports::Credentials;
use tailorbird_model::service::Method;
use tailorbird_model::{Meaning, codes};
use tailorbird_oauth::{
    ClientSecret, IncomingRequest, Placement, Presented, RsaPrivateKeyPem, RsaVerifyingKey, SignatureMethod,
    Strictness, TokenSecret, Verdict, VerificationKey, body_hash,
};

use crate::fixtures::{
    CLIENT_KEY, CLIENT_SECRET, Standing, TOKEN, TOKEN_SECRET, connector, credentials, post, resolved,
    service, shipped, x_at,
};
use crate::provider::{Act, Provider, Received, answer};

const RSA_KEY: &str = include_str!("../../../tailorbird-oauth/conformance/keys/own-rsa-2048.private.pem");

/// Reads a received request as a strict provider does.
fn presented(request: &Received) -> Presented {
    Presented::read(
        &IncomingRequest {
            method: &request.method,
            scheme: "http",
            host: request.header("host").unwrap(),
            path_and_query: &request.target,
            authorization: request.header("authorization"),
            content_type: request.header("content-type"),
            body: &request.body,
        },
        Strictness::Strict,
    )
    .unwrap()
}

fn accepted(request: &Received, method: SignatureMethod, with_token: bool) -> Presented {
    let presented = presented(request);
    let client_secret = ClientSecret::new(CLIENT_SECRET);
    let token_secret = TokenSecret::new(TOKEN_SECRET);
    let public = RsaVerifyingKey::from_private_pem(&RsaPrivateKeyPem::new(RSA_KEY));
    let key = if method.is_rsa() {
        VerificationKey::RsaPublicKey(public.as_ref().unwrap())
    } else {
        VerificationKey::Secrets {
            client_secret: &client_secret,
            token_secret: with_token.then_some(&token_secret),
        }
    };
    let verdict = presented.verify(key);
    assert!(
        matches!(verdict, Verdict::Accepted),
        "{verdict:?}\n{}",
        presented.base_string()
    );
    assert_eq!(presented.signature_method(), Some(method));
    assert_eq!(presented.consumer_key(), Some(CLIENT_KEY));
    assert_eq!(presented.token(), with_token.then_some(TOKEN));
    assert_eq!(presented.version(), Some("1.0"));
    presented
}

fn generic(root: &str, method: SignatureMethod, placement: Placement) -> Resolved {
    resolved(
        &shipped("generic-oauth1"),
        &[
            ("root_url", root),
            ("signature_method", method.name()),
            ("placement", placement.name()),
        ],
    )
}

fn with_rsa() -> Credentials {
    Credentials {
        rsa_private_key: Some(RsaPrivateKeyPem::new(RSA_KEY)),
        ..credentials()
    }
}

#[tokio::test]
async fn all_seven_methods_in_all_three_placements_are_accepted() {
    let provider = Provider::saying(200, &[], "{}").await;
    let connector = connector();
    let pairs = [
        ("a b".to_owned(), "ü+&= ~'".to_owned()),
        ("a b".to_owned(), String::new()),
    ];
    for method in SignatureMethod::all() {
        for placement in Placement::all() {
            let here = generic(&provider.root(), method, placement);
            let calls = [
                (
                    Method::Get,
                    RawCall {
                        path: "/find?x=%7E'y",
                        parameters: &pairs,
                        ..RawCall::default()
                    },
                ),
                (
                    Method::Post,
                    RawCall {
                        path: "/form",
                        parameters: &pairs,
                        ..RawCall::default()
                    },
                ),
                (
                    Method::Post,
                    RawCall {
                        path: "/json",
                        body: Some(b"{}"),
                        ..RawCall::default()
                    },
                ),
                (
                    Method::Post,
                    RawCall {
                        path: "/empty",
                        ..RawCall::default()
                    },
                ),
                (
                    Method::Put,
                    RawCall {
                        path: "/raw",
                        body: Some(b"a=b+c"),
                        content_type: Some("application/x-www-form-urlencoded; charset=utf-8"),
                        ..RawCall::default()
                    },
                ),
            ];
            for (http_method, call) in calls {
                let request = build_raw(&here, http_method, &call).unwrap();
                connector.send(&here, &with_rsa(), &request).await.unwrap();
                let received = provider.received().pop().unwrap();
                let found = accepted(&received, method, true)
                    .place_of("oauth_signature")
                    .unwrap();
                let expected = match (placement, http_method, call.path) {
                    (Placement::Body, Method::Get, _) | (Placement::Body, _, "/json") => Placement::Header,
                    (placement, ..) => placement,
                };
                assert_eq!(found, expected, "{method} {placement} {}", call.path);
            }
        }
    }
    assert_eq!(provider.received().len(), 7 * 3 * 5);
}

#[tokio::test]
async fn nonces_are_fresh_and_realm_stays_in_the_header() {
    let provider = Provider::saying(200, &[], "{}").await;
    let here = resolved(
        &shipped("generic-oauth1"),
        &[("root_url", &provider.root()), ("realm", "a shop")],
    );
    let request = build_raw(
        &here,
        Method::Get,
        &RawCall {
            path: "/",
            ..RawCall::default()
        },
    )
    .unwrap();
    for _ in 0..3 {
        connector().send(&here, &credentials(), &request).await.unwrap();
    }
    let received = provider.received();
    let mut nonces: Vec<String> = received
        .iter()
        .map(|request| {
            accepted(request, SignatureMethod::HmacSha1, true)
                .nonce()
                .unwrap()
                .to_owned()
        })
        .collect();
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 3);
    assert!(
        received[0]
            .header("authorization")
            .unwrap()
            .contains("realm=\"a shop\"")
            || received[0]
                .header("authorization")
                .unwrap()
                .contains("realm=\"a%20shop\"")
    );
}

#[tokio::test]
async fn two_legged_calls_have_no_token() {
    let provider = Provider::saying(200, &[], "{}").await;
    let here = generic(&provider.root(), SignatureMethod::HmacSha256, Placement::Header);
    let request = build_raw(
        &here,
        Method::Get,
        &RawCall {
            path: "/",
            ..RawCall::default()
        },
    )
    .unwrap();
    connector()
        .send(
            &here,
            &Credentials {
                token: None,
                ..credentials()
            },
            &request,
        )
        .await
        .unwrap();
    accepted(&provider.received()[0], SignatureMethod::HmacSha256, false);
}

#[tokio::test]
async fn bodies_are_hashed_where_the_service_wants_it() {
    let provider = Provider::saying(200, &[], "{}").await;
    let service = service(
        "service: s\ntitle: S\nauthentication: { oauth1: { signature_method: HMAC-SHA256, body_hash: method } }\n\
         operations:\n  write: { method: POST, path: /a, body: { json: { a: {} } } }\n  form: { method: POST, path: /b, body: { form: { a: {} } } }\n",
    );
    let here = resolved(&service, &[("root_url", &provider.root())]);
    for operation in ["write", "form"] {
        let request = build(
            &here,
            operation,
            &crate::fixtures::arguments(&[("a", "ü".into())]),
        )
        .unwrap();
        connector().send(&here, &credentials(), &request).await.unwrap();
    }
    let received = provider.received();
    let hashed = accepted(&received[0], SignatureMethod::HmacSha256, true);
    assert_eq!(
        hashed.body_hash(),
        Some(body_hash(SignatureMethod::HmacSha256.hash_algorithm(), &received[0].body).as_str())
    );
    assert_eq!(
        accepted(&received[1], SignatureMethod::HmacSha256, true).body_hash(),
        None
    );
}

#[tokio::test]
async fn plaintext_goes_over_loopback_or_tls_only() {
    let here = resolved(
        &shipped("generic-oauth1"),
        &[
            ("root_url", "http://api.example.com"),
            ("signature_method", "PLAINTEXT"),
        ],
    );
    let request = build_raw(
        &here,
        Method::Get,
        &RawCall {
            path: "/",
            ..RawCall::default()
        },
    )
    .unwrap();
    let failure = connector()
        .send(&here, &credentials(), &request)
        .await
        .unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.meaning),
        (codes::CREDENTIALS_UNUSABLE, Meaning::ConnectionFault)
    );
    assert!(failure.message.contains("plain http"), "{failure}");
}

#[tokio::test]
async fn a_key_that_cannot_sign_is_said_before_anything_is_sent() {
    let provider = Provider::saying(200, &[], "{}").await;
    let here = generic(&provider.root(), SignatureMethod::RsaSha1, Placement::Header);
    let request = build_raw(
        &here,
        Method::Get,
        &RawCall {
            path: "/",
            ..RawCall::default()
        },
    )
    .unwrap();
    let broken = Credentials {
        rsa_private_key: Some(RsaPrivateKeyPem::new(
            "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----",
        )),
        ..credentials()
    };
    assert_eq!(
        connector().send(&here, &broken, &request).await.unwrap_err().code,
        codes::CREDENTIALS_UNUSABLE
    );
    assert_eq!(
        connector()
            .send(&here, &credentials(), &request)
            .await
            .unwrap_err()
            .code,
        codes::CONNECTION_INCOMPLETE
    );
    assert!(provider.received().is_empty());
}

/// A provider whose clock is so many seconds after noon, and that refuses other timestamps.
async fn strict_clock(ahead: i64, silent: bool) -> Provider {
    Provider::start(move |request| {
        let noon: jiff::Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
        let theirs = noon.as_second() + ahead;
        let minutes = ahead / 60;
        let date = format!("Sun, 01 Nov 2026 12:{minutes:02}:{:02} GMT", ahead % 60);
        let sent = i64::try_from(presented(request).timestamp().unwrap().seconds()).unwrap();
        let act = if (sent - theirs).abs() <= 300 {
            answer(201, &[("Date", &date)], r#"{"data":{"id":"1","text":"a"}}"#)
        } else if silent {
            answer(
                401,
                &[("Date", &date)],
                r#"{"title":"Unauthorized","type":"about:blank","status":401,"detail":"Unauthorized"}"#,
            )
        } else {
            answer(
                401,
                &[("Date", &date)],
                r#"{"errors":[{"code":135,"message":"Timestamp out of bounds."}]}"#,
            )
        };
        vec![act, Act::KeepAlive]
    })
    .await
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_told_and_remembered() {
    for silent in [false, true] {
        let provider = strict_clock(412, silent).await;
        let x = x_at(&provider.root());
        let clock = Standing::at("2026-11-01T12:00:00Z");
        let connector = Connector::with_clock(TransportSettings::default(), clock).unwrap();
        let request = build(&x, "create_post", &post("Hello")).unwrap();
        let answer = connector.send(&x, &credentials(), &request).await.unwrap();
        assert_eq!(answer.status, 201);
        assert!(
            answer.notes[0].contains("412 seconds behind"),
            "{:?}",
            answer.notes
        );
        let again = connector.send(&x, &credentials(), &request).await.unwrap();
        assert_eq!(again.status, 201);
        assert!(again.notes.is_empty());
        assert_eq!(
            provider.received().len(),
            3,
            "one refusal, one repeat, one at once right"
        );
    }
}

#[tokio::test]
async fn a_small_difference_or_another_refusal_is_not_repeated() {
    let provider = Provider::saying(401, &[("Date", "Sun, 01 Nov 2026 12:00:20 GMT")], "").await;
    let connector =
        Connector::with_clock(TransportSettings::default(), Standing::at("2026-11-01T12:00:00Z")).unwrap();
    let x = x_at(&provider.root());
    let request = build(&x, "create_post", &post("Hello")).unwrap();
    let answer = connector.send(&x, &credentials(), &request).await.unwrap();
    assert_eq!(
        judge(&x, &request, &answer).unwrap_err().code,
        codes::SIGNATURE_REFUSED
    );
    assert_eq!(provider.received().len(), 1);
    const { assert!(NOTABLE_SKEW_SECONDS > 20) };

    // A refusal that stays is repeated once, not for ever.
    let stubborn = Provider::saying(401, &[("Date", "Sun, 01 Nov 2026 13:00:00 GMT")], "").await;
    let x = x_at(&stubborn.root());
    let request = build(&x, "create_post", &post("Hello")).unwrap();
    connector.send(&x, &credentials(), &request).await.unwrap();
    assert_eq!(stubborn.received().len(), 2);
}

#[tokio::test]
async fn a_connection_without_authentication_sends_none() {
    let provider = Provider::saying(200, &[], "{}").await;
    let service = service("service: s\ntitle: S\noperations:\n  read: { method: GET, path: /a }\n");
    let here = resolved(&service, &[("root_url", &provider.root())]);
    connector()
        .call(&here, &Credentials::default(), "read", &BTreeMap::new())
        .await
        .unwrap();
    assert_eq!(provider.received()[0].header("authorization"), None);
}
