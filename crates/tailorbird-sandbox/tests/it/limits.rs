//! Limits over the wire, with a clock that moves.

use serde_json::json;
use tailorbird_sandbox::{LimitMode, Settings};

use crate::client::{Client, Provider, provider};

#[tokio::test]
async fn a_used_up_window_is_refused_until_its_reset() {
    let provider = Provider::fresh().await;
    let client = provider.authorized("read").await;
    for used in 1..=75 {
        let answer = client.get("/2/users/me").await;
        assert_eq!(answer.status, 200, "{used}");
        assert_eq!(answer.header("x-rate-limit-limit"), Some("75"));
        assert_eq!(
            answer.header("x-rate-limit-remaining"),
            Some((75 - used).to_string().as_str())
        );
    }
    let refused = client.get("/2/users/me").await;
    assert_eq!(
        (refused.status, refused.json()["title"].as_str().unwrap()),
        (429, "Too Many Requests")
    );
    assert_eq!(refused.header("x-access-level"), Some("read"));
    let reset: i64 = refused.header("x-rate-limit-reset").unwrap().parse().unwrap();
    let now = jiff::Timestamp::now().as_second();
    assert!((now..=now + 900).contains(&reset));
    assert_eq!(
        client.get("/2/users/by/username/priya_raman").await.status,
        200,
        "other endpoints go on"
    );
    provider.admin("POST", "clock", json!({ "advance_s": 901 })).await;
    let later = Client {
        offset_s: 901,
        ..client
    };
    assert_eq!(later.get("/2/users/me").await.status, 200);
}

#[tokio::test]
async fn writes_carry_all_three_header_families() {
    for (limits, limit, day) in [
        (LimitMode::X, "100", "10000"),
        (LimitMode::Off, "1000000", "1000000"),
    ] {
        let provider = provider(Settings {
            limits,
            ..Settings::default()
        })
        .await;
        let answer = provider.authorized("read_write").await.post("hello").await;
        assert_eq!(answer.status, 201);
        assert_eq!(answer.header("x-rate-limit-limit"), Some(limit));
        for family in ["x-app-limit-24hour", "x-user-limit-24hour"] {
            assert_eq!(answer.header(&format!("{family}-limit")), Some(day));
            assert!(answer.header(&format!("{family}-remaining")).is_some());
            assert!(answer.header(&format!("{family}-reset")).is_some());
        }
    }
}

#[tokio::test]
async fn without_limits_nothing_is_refused() {
    let provider = provider(Settings {
        limits: LimitMode::Off,
        ..Settings::default()
    })
    .await;
    let client = provider.authorized("read").await;
    for _ in 0..80 {
        assert_eq!(client.get("/2/users/me").await.status, 200);
    }
}
