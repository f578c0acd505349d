//! Requests from operations and from method and path.

use tailorbird_connector::{
    RawCall, Request, RequestBody, argument_names, build, build_raw, method_and_path,
};
use tailorbird_model::service::Method;
use tailorbird_model::{Failure, Meaning, Value, codes};

use crate::fixtures::{arguments, post, resolved, service, shipped, x_at};

const ROOT: &str = "http://127.0.0.1:7081";

fn crm() -> tailorbird_connector::Resolved {
    let service = service(
        r"
service: crm
title: CRM
root_url: https://crm.example/1
headers: { X-Version: '3' }
operations:
  create_note:
    method: POST
    path: /customers/{customer}/notes
    parameters:
      customer: { in: path, required: true }
      notify: { type: boolean, default: false }
      if_match: { in: query }
      Idempotency-Key: { in: header }
    body:
      json:
        text: { required: true, max_length: 10 }
        price: { type: decimal, at: /details/price }
        big: { type: integer, at: /details/id }
        due: { type: timestamp, at: /details/due }
        tags: { type: list }
        extra: { type: json }
        kind: { values: { call: a call, visit: a visit } }
        file: { type: bytes }
",
    );
    resolved(&service, &[])
}

fn refused(values: &[(&str, Value)]) -> Failure {
    let mut all = vec![("customer", "7".into()), ("text", "hi".into())];
    all.retain(|(name, _)| !values.iter().any(|(given, _)| given == name));
    all.extend(values.iter().cloned());
    build(&crm(), "create_note", &arguments(&all)).unwrap_err()
}

#[test]
fn every_type_goes_to_its_place_with_all_its_digits() {
    let request = build(
        &crm(),
        "create_note",
        &arguments(&[
            ("customer", "A/B c".into()),
            ("text", "naïve \"q\"".into()),
            ("price", Value::Decimal("1234567890123456789.10".parse().unwrap())),
            ("big", "12345678901234567890123".into()),
            ("due", Value::Timestamp("2026-01-31T09:00:00Z".parse().unwrap())),
            ("tags", "a, b".into()),
            ("extra", r#"{"n":1.10}"#.into()),
            ("kind", "call".into()),
            ("file", Value::Bytes(vec![0, 255])),
            ("Idempotency-Key", "k-1".into()),
        ]),
    )
    .unwrap();
    assert_eq!(
        request.url,
        "https://crm.example/1/customers/A%2FB%20c/notes?notify=false"
    );
    assert_eq!(
        request.headers,
        [
            ("X-Version".to_owned(), "3".to_owned()),
            ("Idempotency-Key".to_owned(), "k-1".to_owned())
        ]
    );
    assert_eq!(
        request.body,
        RequestBody::Json(
            r#"{"details":{"id":12345678901234567890123,"due":"2026-01-31T09:00:00Z","price":1234567890123456789.10},"#.to_owned()
                + r#""extra":{"n":1.10},"file":"AP8=","kind":"call","tags":["a","b"],"text":"naïve \"q\""}"#
        ),
        "{:?}",
        request.body
    );
}

#[test]
fn what_cannot_be_sent_is_refused_with_the_way_out() {
    let unknown = refused(&[("txt", "x".into())]);
    assert_eq!(
        (unknown.code.as_str(), unknown.meaning),
        (codes::PARAMETER, Meaning::ConnectionFault)
    );
    assert!(
        unknown.hint.contains("Did you mean \"text\"?"),
        "{}",
        unknown.hint
    );
    assert!(
        unknown.hint.contains("Idempotency-Key, big, customer"),
        "{}",
        unknown.hint
    );

    for (name, value, words) in [
        ("customer", Value::Null, "needs \"customer\""),
        ("customer", "".into(), "it is empty"),
        ("customer", "..".into(), "mean another place"),
        ("customer", ".".into(), "mean another place"),
        ("customer", "a\r\nb".into(), "line break"),
        ("text", Value::Null, "needs \"text\""),
        (
            "price",
            "dear".into(),
            "wants a decimal number, and was given text",
        ),
        ("big", "007".into(), "wants a whole number"),
        ("big", "1.5".into(), "wants a whole number"),
        ("due", "tomorrow".into(), "wants a point in time"),
        ("notify", "perhaps".into(), "wants true or false"),
        ("extra", "{".into(), "wants JSON"),
        ("kind", "mail".into(), "cannot be \"mail\""),
        ("text", Value::Bytes(vec![1]), "wants text, and was given bytes"),
        ("Idempotency-Key", "a\r\nHost: evil".into(), "line break"),
    ] {
        let failure = refused(&[(name, value)]);
        assert_eq!(
            (failure.code.as_str(), failure.meaning),
            (codes::PARAMETER, Meaning::Rejected),
            "{failure}"
        );
        assert!(failure.message.contains(words), "{failure}");
    }
    let unknown_operation = build(&crm(), "create_not", &arguments(&[])).unwrap_err();
    assert_eq!(unknown_operation.code, codes::OPERATION_UNKNOWN);
    assert!(unknown_operation.hint.contains("create_note"));
}

#[test]
fn texts_are_measured_before_anything_is_sent() {
    let x = x_at(ROOT);
    let long = build(&x, "create_post", &post(&"ä".repeat(281))).unwrap_err();
    assert_eq!(
        (long.code.as_str(), long.meaning),
        (codes::TEXT_TOO_LONG, Meaning::Rejected)
    );
    assert!(long.message.contains("281"), "{long}");
    assert!(build(&x, "create_post", &post(&"ä".repeat(280))).is_ok());
    // A link counts 23, however long.
    let link = format!("{} https://example.com/{}", "a".repeat(256), "b".repeat(200));
    assert!(build(&x, "create_post", &post(&link)).is_ok());
    for empty in ["", "  \n "] {
        assert_eq!(
            build(&x, "create_post", &post(empty)).unwrap_err().code,
            codes::TEXT_EMPTY,
            "{empty:?}"
        );
    }
    assert_eq!(
        refused(&[("text", "12345678901".into())]).code,
        codes::TEXT_TOO_LONG
    );
}

#[test]
fn the_accounts_id_fills_in_and_its_absence_is_said() {
    let x = x_at(ROOT);
    let mentions = build(&x, "list_mentions", &arguments(&[("since_id", "9".into())])).unwrap();
    assert!(
        mentions
            .url
            .starts_with("http://127.0.0.1:7081/2/users/42/mentions?max_results=100&since_id=9&"),
        "{}",
        mentions.url
    );
    let mut stranger = crate::fixtures::connection(&shipped("x"), &[("root_url", ROOT)]);
    stranger.account = None;
    let stranger = tailorbird_connector::resolve(&shipped("x"), &stranger).unwrap();
    let failure = build(&stranger, "list_mentions", &arguments(&[])).unwrap_err();
    assert!(failure.hint.contains("connection test c"), "{}", failure.hint);
}

#[test]
fn forms_and_multiparts_are_written() {
    let tutorial = resolved(&shipped("x-1.1"), &[("root_url", ROOT)]);
    let update = build(
        &tutorial,
        "create_post",
        &arguments(&[("text", "a+b c".into()), ("media_ids", "1,2".into())]),
    )
    .unwrap();
    assert_eq!(update.url, "http://127.0.0.1:7081/1.1/statuses/update.json");
    assert_eq!(update.body.bytes(), "media_ids=1%2C2&status=a%2Bb%20c");
    assert_eq!(
        update.body.content_type().unwrap(),
        "application/x-www-form-urlencoded"
    );

    let upload = build(
        &x_at(ROOT),
        "upload_media",
        &arguments(&[("media", Value::Bytes(vec![9; 3]))]),
    )
    .unwrap();
    let kind = upload.body.content_type().unwrap();
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    let body = String::from_utf8_lossy(&upload.body.bytes()).into_owned();
    assert_eq!(
        body,
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"media\"; filename=\"file\"\r\nContent-Type: \
             application/octet-stream\r\n\r\n\t\t\t\r\n--{boundary}\r\nContent-Disposition: form-data; \
             name=\"media_category\"\r\n\r\ntweet_image\r\n--{boundary}--\r\n"
        )
    );
}

fn raw(method: Method, call: &RawCall<'_>) -> Result<Request, Failure> {
    build_raw(&resolved(&shipped("x"), &[("root_url", ROOT)]), method, call)
}

#[test]
fn any_method_and_path_is_built() {
    assert_eq!(
        method_and_path("get /2/users/me"),
        Some((Method::Get, "/2/users/me"))
    );
    assert_eq!(method_and_path("create_post"), None);
    let pairs = [
        ("id".to_owned(), "7 8".to_owned()),
        ("q".to_owned(), "a&b".to_owned()),
    ];
    let get = raw(
        Method::Get,
        &RawCall {
            path: "/2/x/{id}?z=1",
            parameters: &pairs,
            ..RawCall::default()
        },
    )
    .unwrap();
    assert_eq!(get.url, "http://127.0.0.1:7081/2/x/7%208?z=1&q=a%26b");
    assert_eq!(get.body, RequestBody::None);
    let post = raw(
        Method::Post,
        &RawCall {
            path: "/2/x/{id}",
            parameters: &pairs,
            ..RawCall::default()
        },
    )
    .unwrap();
    assert_eq!(post.url, "http://127.0.0.1:7081/2/x/7%208");
    assert_eq!(post.body.bytes(), "q=a%26b");
    let delete = raw(
        Method::Delete,
        &RawCall {
            path: "/2/x",
            parameters: &pairs[1..],
            ..RawCall::default()
        },
    )
    .unwrap();
    assert_eq!(delete.url, "http://127.0.0.1:7081/2/x?q=a%26b");
    let json = raw(
        Method::Put,
        &RawCall {
            path: "/2/x",
            body: Some(b"{\"a\":1}"),
            ..RawCall::default()
        },
    )
    .unwrap();
    assert_eq!(json.body.content_type().unwrap(), "application/json");
    let bytes = raw(
        Method::Put,
        &RawCall {
            path: "/2/x",
            body: Some(b"\x00"),
            ..RawCall::default()
        },
    )
    .unwrap();
    assert_eq!(bytes.body.content_type().unwrap(), "application/octet-stream");
}

#[test]
fn a_path_never_leaves_the_origin() {
    for path in [
        "https://evil.example/2",
        "http://127.0.0.1:7082/2",
        "http://127.0.0.1:7081@evil.example/",
    ] {
        let failure = raw(
            Method::Get,
            &RawCall {
                path,
                ..RawCall::default()
            },
        )
        .unwrap_err();
        assert_eq!(failure.code, codes::ADDRESS_REFUSED, "{path}");
    }
    for path in [
        "//evil.example/2",
        "2/tweets",
        "\\\\evil",
        "/a\r\nHost: evil",
        "/2/../admin",
        "/2/%2e%2e/admin",
    ] {
        assert!(
            raw(
                Method::Get,
                &RawCall {
                    path,
                    ..RawCall::default()
                }
            )
            .is_err(),
            "{path:?}"
        );
    }
}

#[test]
fn a_request_is_the_same_after_the_ledger_kept_it() {
    let x = x_at(ROOT);
    for request in [
        build(&x, "create_post", &post("Hello")).unwrap(),
        build(
            &x,
            "upload_media",
            &arguments(&[("media", Value::Bytes(vec![0, 1, 255]))]),
        )
        .unwrap(),
        raw(
            Method::Post,
            &RawCall {
                path: "/a",
                body: Some(b"\xff"),
                ..RawCall::default()
            },
        )
        .unwrap(),
    ] {
        let stored = serde_json::to_string(&request).unwrap();
        let back: Request = serde_json::from_str(&stored).unwrap();
        assert_eq!(back, request);
        assert_eq!(back.fingerprint(), request.fingerprint());
        assert_eq!(request.fingerprint().len(), 64);
    }
    let one = build(&x, "create_post", &post("Hello")).unwrap();
    let other = build(&x, "create_post", &post("Hello!")).unwrap();
    assert_ne!(one.fingerprint(), other.fingerprint());
    // Delivered content is compared by it over versions: this value may never change.
    assert_eq!(
        one.fingerprint(),
        "4ecfbec2f499381667589ed79e8ec8b2f98b2f4fa77fe0cef12c32ffc51b6ced"
    );
}

#[test]
fn names_of_arguments_are_listed() {
    let service = shipped("x");
    let (_, operation) = service
        .operations
        .iter()
        .find(|(name, _)| name.as_str() == "delete_post")
        .unwrap();
    assert_eq!(argument_names(operation), ["id"]);
}
