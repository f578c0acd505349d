//! Faults as a client meets them on the wire.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tailorbird_sandbox::{Fault, FaultKind, Settings};

use crate::client::{Provider, provider};

async fn with(fault: Value) -> (Provider, crate::client::Client) {
    let provider = Provider::fresh().await;
    let client = provider.authorized("read_write").await;
    provider.admin("POST", "faults", json!([fault])).await;
    (provider, client)
}

async fn accepted(provider: &Provider) -> u64 {
    provider.admin("GET", "posts", Value::Null).await["accepted"]
        .as_u64()
        .unwrap()
}

#[tokio::test]
async fn a_lost_answer_has_its_effect_and_not_a_byte() {
    let (provider, client) = with(json!({ "match": "POST /2/tweets", "nth": 2, "do": "lose_answer" })).await;
    assert_eq!(client.post("one").await.status, 201);
    let lost = client.post("two").await;
    assert_eq!((lost.status, lost.raw_bytes), (0, 0));
    assert_eq!(client.post("three").await.status, 201);
    assert_eq!(accepted(&provider).await, 3);
    let log = provider.admin("GET", "requests", Value::Null).await;
    assert_eq!(
        (&log[1]["fault"], &log[1]["status"], &log[1]["verified"]),
        (&json!("lose_answer"), &Value::Null, &json!(true))
    );
    let faults = provider.admin("GET", "faults", Value::Null).await;
    assert_eq!((&faults[0]["seen"], &faults[0]["fired"]), (&json!(3), &json!(1)));
}

#[tokio::test]
async fn a_cut_answer_stops_in_the_middle_of_its_body() {
    let (provider, client) = with(json!({ "match": "POST /2/tweets", "do": "cut" })).await;
    let cut = client.post("one").await;
    assert_eq!(cut.status, 201);
    let announced: usize = cut.header("content-length").unwrap().parse().unwrap();
    assert!(
        !cut.body.is_empty() && cut.body.len() == announced / 2,
        "{} of {announced}",
        cut.body.len()
    );
    assert_eq!(accepted(&provider).await, 1);
}

#[tokio::test]
async fn a_delayed_answer_comes_after_its_effect() {
    let (provider, client) = with(json!({ "match": "POST /2/tweets", "do": "delay", "seconds": 1 })).await;
    let began = Instant::now();
    let call = tokio::spawn(async move { client.post("slow").await.status });
    while accepted(&provider).await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(
        began.elapsed() < Duration::from_millis(900),
        "the effect does not wait"
    );
    assert_eq!(call.await.unwrap(), 201);
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn refusals_by_fault_have_no_effect() {
    for (kind, status) in [("429", 429), ("503", 503)] {
        let (provider, client) =
            with(json!({ "match": "POST /2/tweets", "nth": 1, "do": kind, "seconds": 7 })).await;
        let answer = client.post("one").await;
        assert_eq!((answer.status, answer.header("retry-after")), (status, Some("7")));
        assert_eq!(accepted(&provider).await, 0);
        assert_eq!(client.post("one").await.status, 201);
    }
}

#[tokio::test]
async fn broken_json_is_broken_after_the_effect() {
    let (provider, client) = with(json!({ "match": "* /2/tweets", "do": "bad_json" })).await;
    let answer = client.post("one").await;
    assert_eq!(answer.status, 201);
    assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
    assert_eq!(accepted(&provider).await, 1);
    provider.admin("POST", "faults", json!([])).await;
    assert_eq!(client.post("two").await.json()["data"]["text"], "two");
}

#[tokio::test]
async fn faults_can_be_there_from_the_start_and_touch_the_flow_too() {
    let fault = Fault {
        matches: "POST /oauth/request_token".to_owned(),
        nth: Some(1),
        kind: FaultKind::LoseAnswer,
        seconds: None,
    };
    let provider = provider(Settings {
        faults: vec![fault],
        ..Settings::default()
    })
    .await;
    let client = provider.application("read", &[]).await;
    assert_eq!(client.request_token("oob").await.raw_bytes, 0);
    assert_eq!(client.request_token("oob").await.status, 200);
}
