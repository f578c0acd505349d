//! Every shape of refusal becomes one failure.

use jiff::{SignedDuration, Timestamp};
use tailorbird_connector::{Connector, build, judge};
use tailorbird_model::{Failure, Meaning, codes};

use crate::fixtures::{Standing, arguments, connector, credentials, post, x_at};
use crate::provider::Provider;

async fn verdict_of(
    operation: &str,
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<(), Failure> {
    let provider = Provider::saying(status, headers, body).await;
    let x = x_at(&provider.root());
    let with = match operation {
        "create_post" => post("Hello"),
        "delete_post" | "get_post" => arguments(&[("id", "7".into())]),
        _ => arguments(&[]),
    };
    let request = build(&x, operation, &with).unwrap();
    let answer = connector().send(&x, &credentials(), &request).await.unwrap();
    judge(&x, &request, &answer)
}

async fn refusal(status: u16, body: &str) -> Failure {
    verdict_of("create_post", status, &[], body).await.unwrap_err()
}

#[tokio::test]
async fn every_shape_is_read() {
    let cases: [(u16, &str, &str, &str, Meaning); 23] = [
        (
            403,
            r#"{"errors":[{"code":187,"message":"Status is a duplicate."}]}"#,
            codes::DUPLICATE,
            "187",
            Meaning::Duplicate,
        ),
        (
            403,
            r#"{"detail":"You are not allowed to create a Tweet with duplicate content.","type":"about:blank","title":"Forbidden","status":403}"#,
            codes::DUPLICATE,
            "",
            Meaning::Duplicate,
        ),
        (
            401,
            r#"{"title":"Unauthorized","type":"about:blank","status":401,"detail":"Unauthorized"}"#,
            codes::SIGNATURE_REFUSED,
            "",
            Meaning::ConnectionFault,
        ),
        (
            401,
            r#"{"errors":[{"code":89,"message":"Invalid or expired token."}]}"#,
            codes::TOKEN_REFUSED,
            "89",
            Meaning::ConnectionFault,
        ),
        (
            401,
            r#"{"errors":[{"code":32,"message":"Could not authenticate you."}]}"#,
            codes::SIGNATURE_REFUSED,
            "32",
            Meaning::ConnectionFault,
        ),
        (
            400,
            r#"{"errors":[{"code":215,"message":"Bad Authentication data."}]}"#,
            codes::SIGNATURE_REFUSED,
            "215",
            Meaning::ConnectionFault,
        ),
        (
            403,
            r#"{"title":"Forbidden","status":403,"detail":"Your client app is not configured with the appropriate oauth1 app permissions for this endpoint.","type":"https://api.x.com/2/problems/oauth1-permissions"}"#,
            codes::LEVEL_TOO_LOW,
            "oauth1-permissions",
            Meaning::ConnectionFault,
        ),
        (
            401,
            r#"{"request":"/1.1/statuses/update.json","error":"Read-only application cannot POST."}"#,
            codes::LEVEL_TOO_LOW,
            "",
            Meaning::ConnectionFault,
        ),
        (
            403,
            r#"{"errors":[{"code":261,"message":"Application cannot perform write actions."}]}"#,
            codes::LEVEL_TOO_LOW,
            "261",
            Meaning::ConnectionFault,
        ),
        (
            403,
            r#"{"errors":[{"code":453,"message":"You currently have access to a subset of X API V2 endpoints"}]}"#,
            codes::PLAN_REFUSED,
            "453",
            Meaning::ConnectionFault,
        ),
        (
            403,
            r#"{"client_id":"1","detail":"When authenticating requests","registration_url":"u","title":"Client Forbidden","required_enrollment":"Pay-per-use","reason":"client-not-enrolled","type":"https://api.twitter.com/2/problems/client-forbidden"}"#,
            codes::PLAN_REFUSED,
            "client-forbidden",
            Meaning::ConnectionFault,
        ),
        (
            402,
            r#"{"title":"CreditsDepleted","detail":"no credits"}"#,
            codes::PLAN_REFUSED,
            "",
            Meaning::ConnectionFault,
        ),
        (
            403,
            r#"<?xml version="1.0"?><hash><error>Read-only application cannot POST</error><request>/1/x</request></hash>"#,
            codes::LEVEL_TOO_LOW,
            "",
            Meaning::ConnectionFault,
        ),
        (
            403,
            r#"<?xml version="1.0"?><errors><error code="64">Your account is suspended</error></errors>"#,
            codes::TOKEN_REFUSED,
            "64",
            Meaning::ConnectionFault,
        ),
        (
            403,
            "Reply to this conversation is not allowed because you have not been mentioned",
            codes::REJECTED,
            "",
            Meaning::Rejected,
        ),
        (
            400,
            r#"{"title":"Invalid Request","type":"https://api.x.com/2/problems/invalid-request","detail":"One or more parameters to your request was invalid.","errors":[{"message":"text is bad","parameters":{"text":["x"]}}]}"#,
            codes::REJECTED,
            "invalid-request",
            Meaning::Rejected,
        ),
        (
            403,
            r#"{"errors":[{"code":186,"message":"Tweet needs to be a bit shorter."}]}"#,
            codes::TEXT_TOO_LONG,
            "186",
            Meaning::Rejected,
        ),
        (
            200,
            r#"{"errors":[{"title":"Not Found Error","type":"https://api.x.com/2/problems/resource-not-found","detail":"Could not find post"}]}"#,
            codes::REJECTED,
            "resource-not-found",
            Meaning::Rejected,
        ),
        (
            500,
            "<html><head><title>Oops</title></head><body>x</body></html>",
            codes::IN_DOUBT,
            "",
            Meaning::InDoubt,
        ),
        (
            503,
            r#"{"errors":[{"code":130,"message":"Over capacity"}]}"#,
            codes::IN_DOUBT,
            "130",
            Meaning::InDoubt,
        ),
        (408, "", codes::IN_DOUBT, "", Meaning::InDoubt),
        (404, "", codes::CONNECTION_SETTING, "", Meaning::ConnectionFault),
        (
            422,
            r#"{"error":{"code":7,"message":"text is odd"}}"#,
            codes::REJECTED,
            "7",
            Meaning::Rejected,
        ),
    ];
    for (status, body, code, provider_code, meaning) in cases {
        let failure = refusal(status, body).await;
        assert_eq!(
            (failure.code.as_str(), failure.meaning),
            (code, meaning),
            "{body}: {failure:?}"
        );
        assert_eq!(
            failure.provider_code.as_deref().unwrap_or_default(),
            provider_code,
            "{body}"
        );
        assert_eq!(failure.status, Some(status));
        assert!(!failure.hint.is_empty(), "{failure:?}");
    }
}

#[tokio::test]
async fn success_is_success_also_in_odd_forms() {
    for (status, body) in [
        (201, r#"{"data":{"id":"1"}}"#),
        (
            200,
            r#"{"data":{"id":"1"},"errors":[{"detail":"one member is missing"}]}"#,
        ),
        (204, ""),
        (200, "<html>accepted</html>"),
        (200, r#"{"errors":[]}"#),
    ] {
        verdict_of("create_post", status, &[], body).await.unwrap();
    }
}

#[tokio::test]
async fn a_failing_provider_is_doubt_only_where_a_repeat_could_do_harm() {
    for status in [408, 500, 502, 503, 504] {
        let write = verdict_of("create_post", status, &[], "").await.unwrap_err();
        assert_eq!(
            (write.meaning, write.retry_at),
            (Meaning::InDoubt, None),
            "{status}"
        );
        for harmless in ["get_me", "delete_post"] {
            let failure = verdict_of(harmless, status, &[], "").await.unwrap_err();
            assert_eq!(
                (failure.code.as_str(), failure.meaning),
                (codes::PROVIDER_FAILED, Meaning::RetryLater),
                "{status}"
            );
            assert!(failure.retry_at.is_some());
        }
    }
}

#[tokio::test]
async fn a_missing_thing_is_the_records_fault_and_a_missing_root_is_not() {
    assert_eq!(
        verdict_of("get_post", 404, &[], "").await.unwrap_err().meaning,
        Meaning::Rejected
    );
    let root = verdict_of("get_me", 404, &[], "").await.unwrap_err();
    assert_eq!(
        (root.code.as_str(), root.meaning),
        (codes::CONNECTION_SETTING, Meaning::ConnectionFault)
    );
}

#[tokio::test]
async fn a_forbidden_that_speaks_of_rights_rejects_no_record() {
    for words in [
        "",
        "Insufficient scope",
        "You need the permission notes:write",
        "<html><title>403</title></html>",
    ] {
        assert_eq!(
            refusal(403, words).await.meaning,
            Meaning::ConnectionFault,
            "{words}"
        );
    }
    for words in [
        "This note is closed",
        r#"{"message":"The customer has blocked mails"}"#,
    ] {
        assert_eq!(refusal(403, words).await.meaning, Meaning::Rejected, "{words}");
    }
}

/// How many seconds a 429 with these headers waits, on a clock that stands.
async fn wait(headers: &[(&str, &str)]) -> i64 {
    let clock = Standing::at("2026-11-01T12:00:00Z");
    let now: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
    let provider = Provider::saying(
        429,
        headers,
        r#"{"errors":[{"code":88,"message":"Rate limit exceeded"}]}"#,
    )
    .await;
    let x = x_at(&provider.root());
    let request = build(&x, "create_post", &post("Hello")).unwrap();
    let connector = Connector::with_clock(tailorbird_connector::TransportSettings::default(), clock).unwrap();
    let answer = connector.send(&x, &credentials(), &request).await.unwrap();
    let failure = judge(&x, &request, &answer).unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.meaning),
        (codes::RATE_LIMITED, Meaning::RetryLater)
    );
    failure.retry_at.unwrap().duration_since(now).as_secs()
}

#[tokio::test]
async fn a_limit_waits_for_the_latest_window_that_is_used_up() {
    let now: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
    let at = |seconds: i64| {
        now.checked_add(SignedDuration::from_secs(seconds))
            .unwrap()
            .as_second()
            .to_string()
    };
    let (soon, late, day) = (at(300), at(900), at(7_200));
    assert_eq!(wait(&[]).await, 60);
    assert_eq!(wait(&[("Retry-After", "120")]).await, 120);
    assert_eq!(wait(&[("Retry-After", "0")]).await, 1);
    assert_eq!(wait(&[("Retry-After", "9999999")]).await, 25 * 3_600);
    assert_eq!(
        wait(&[("Retry-After", "Sun, 01 Nov 2026 12:03:00 GMT")]).await,
        180
    );
    assert_eq!(
        wait(&[
            ("x-rate-limit-limit", "100"),
            ("x-rate-limit-remaining", "0"),
            ("x-rate-limit-reset", &late)
        ])
        .await,
        900
    );
    // The 15-minute window has calls left; the 24-hour one has not, and binds.
    assert_eq!(
        wait(&[
            ("x-rate-limit-remaining", "50"),
            ("x-rate-limit-reset", &soon),
            ("x-user-limit-24hour-remaining", "0"),
            ("x-user-limit-24hour-reset", &day),
        ])
        .await,
        7_200
    );
    // Both are used up: the later one counts, and so does a longer Retry-After.
    assert_eq!(
        wait(&[
            ("x-rate-limit-remaining", "0"),
            ("x-rate-limit-reset", &late),
            ("x-app-limit-24hour-remaining", "0"),
            ("x-app-limit-24hour-reset", &soon),
            ("Retry-After", "30"),
        ])
        .await,
        900
    );
    assert_eq!(
        wait(&[("x-rate-limit-remaining", "0"), ("x-rate-limit-reset", "1")]).await,
        1
    );
}
