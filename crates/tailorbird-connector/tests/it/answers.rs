//! Answers: levels, limits, dates, records.

use tailorbird_connector::{build, judge, record, records};
use tailorbird_model::Value;

use crate::fixtures::{arguments, connector, credentials, post, resolved, service, x_at};
use crate::provider::Provider;

#[tokio::test]
async fn an_answer_tells_level_limits_and_time() {
    let provider = Provider::saying(
        201,
        &[
            ("x-access-level", "read-write"),
            ("x-rate-limit-limit", "100"),
            ("x-rate-limit-remaining", "99"),
            ("Date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ],
        r#"{"data":{"id":"1850000000000000001","text":"Hello"}}"#,
    )
    .await;
    let x = x_at(&provider.root());
    let request = build(&x, "create_post", &post("Hello")).unwrap();
    let answer = connector().send(&x, &credentials(), &request).await.unwrap();
    assert_eq!(answer.level.as_deref(), Some("read-write"));
    assert_eq!(answer.reports.len(), 1);
    assert_eq!(answer.reports[0].remaining, Some(99));
    assert_eq!(answer.date, "1994-11-06T08:49:37Z".parse().ok());
    let found = record(&x, &request, &answer).unwrap();
    assert_eq!(found.get("id"), Some(&Value::from("1850000000000000001")));
}

#[tokio::test]
async fn lists_become_records_and_an_absent_list_is_empty() {
    let provider = Provider::start(|request| {
        let body = if request.target.contains("since_id=9") {
            r#"{"meta":{"result_count":0}}"#
        } else {
            r#"{"data":[{"id":"2","text":"b","author_id":"7","public_metrics":{"like_count":3}},{"id":"1","text":"a"}],"meta":{}}"#
        };
        vec![crate::provider::answer(200, &[], body)]
    })
    .await;
    let x = x_at(&provider.root());
    let outcome = connector()
        .call(&x, &credentials(), "list_mentions", &arguments(&[]))
        .await
        .unwrap();
    assert_eq!(outcome.records.len(), 2);
    assert_eq!(outcome.records[0].get("like_count"), Some(&Value::Integer(3)));
    assert_eq!(outcome.records[1].get("like_count"), Some(&Value::Null));
    let none = connector()
        .call(
            &x,
            &credentials(),
            "list_mentions",
            &arguments(&[("since_id", "9".into())]),
        )
        .await
        .unwrap();
    assert!(none.records.is_empty());
}

#[tokio::test]
async fn without_columns_every_member_is_one() {
    let provider = Provider::saying(200, &[], r#"{"b":1.50,"a":{"c":[1]}}"#).await;
    let service = service("service: s\ntitle: S\noperations:\n  read: { method: GET, path: /a }\n");
    let here = resolved(&service, &[("root_url", &provider.root())]);
    let request = build(&here, "read", &arguments(&[])).unwrap();
    let answer = connector().send(&here, &credentials(), &request).await.unwrap();
    judge(&here, &request, &answer).unwrap();
    let all = records(&here, &request, &answer).unwrap();
    assert_eq!(all[0].columns(), ["b", "a"]);
    assert_eq!(all[0].get("a"), Some(&Value::Json(serde_json::json!({"c": [1]}))));
}

#[tokio::test]
async fn a_list_in_the_wrong_place_is_said() {
    let provider = Provider::saying(200, &[], r#"{"data":{"id":"1"}}"#).await;
    let failure = connector()
        .call(
            &x_at(&provider.root()),
            &credentials(),
            "list_mentions",
            &arguments(&[]),
        )
        .await
        .unwrap_err();
    assert_eq!(failure.code, tailorbird_model::codes::ANSWER_ODD);
    assert!(failure.message.contains("no list at \"/data\""), "{failure}");
}
