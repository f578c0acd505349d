//! Looking a past effect up.

use jiff::{SignedDuration, Timestamp};
use tailorbird_connector::{Connector, Found, TransportSettings, build};
use tailorbird_model::{Meaning, codes};

use crate::fixtures::{Standing, arguments, connector, credentials, post, resolved, shipped, x_at};
use crate::provider::{Act, Provider, answer};

const NOW: &str = "2026-11-01T12:00:00Z";

fn at(minutes: i64) -> String {
    let now: Timestamp = NOW.parse().unwrap();
    now.checked_add(SignedDuration::from_mins(minutes))
        .unwrap()
        .to_string()
}

fn shown(id: &str, text: &str, minutes: i64) -> String {
    format!(
        r#"{{"id":"{id}","text":{},"created_at":"{}"}}"#,
        serde_json::Value::from(text),
        at(minutes)
    )
}

/// Looks for "Hello & welcome" sent a minute ago among posts that a provider lists.
async fn find(posts: &[String], next: bool) -> Found {
    let token = if next {
        r#","meta":{"next_token":"more"}"#
    } else {
        ""
    };
    let body = format!(r#"{{"data":[{}]{token}}}"#, posts.join(","));
    let provider = Provider::start(move |request| {
        let act = if request.target.contains("pagination_token") {
            answer(200, &[], r#"{"data":[]}"#)
        } else {
            answer(200, &[], &body)
        };
        vec![act, Act::KeepAlive]
    })
    .await;
    let x = x_at(&provider.root());
    let request = build(&x, "create_post", &post("Hello & welcome")).unwrap();
    let connector = Connector::with_clock(TransportSettings::default(), Standing::at(NOW)).unwrap();
    connector
        .look_up(&x, &credentials(), &request, at(-1).parse().unwrap())
        .await
        .unwrap()
}

fn ids(found: &Found) -> Vec<String> {
    found
        .candidates
        .iter()
        .map(|record| record.get("id").unwrap().to_string())
        .collect()
}

#[tokio::test]
async fn the_text_is_found_as_the_provider_rewrote_it() {
    let found = find(
        &[shown("3", "Other", 0), shown("2", "Hello &amp; welcome", -1)],
        false,
    )
    .await;
    assert_eq!(
        (ids(&found), found.complete, found.compared),
        (vec!["2".to_owned()], true, 2)
    );
}

#[tokio::test]
async fn only_effects_near_the_attempt_count() {
    let found = find(
        &[
            shown("3", "Hello & welcome", -5),
            shown("2", "Hello & welcome", -7),
        ],
        false,
    )
    .await;
    assert_eq!(ids(&found), ["3"]);
    assert!(ids(&find(&[shown("9", "Hello & welcome", 30)], false).await).is_empty());
}

#[tokio::test]
async fn several_are_all_reported() {
    let found = find(
        &[
            shown("3", "Hello & welcome", 0),
            shown("2", "Hello & welcome", -1),
        ],
        false,
    )
    .await;
    assert_eq!(ids(&found), ["3", "2"]);
}

#[tokio::test]
async fn nothing_found_says_whether_everything_was_seen() {
    let old = find(&[shown("2", "Other", -30)], true).await;
    assert_eq!(
        (old.complete, old.pages),
        (true, 1),
        "the page reached below the span"
    );
    let turned = find(&[shown("2", "Other", -1)], true).await;
    assert_eq!((turned.complete, turned.pages), (true, 2));

    // Ten pages of young posts: the span is not looked through.
    let count = std::sync::atomic::AtomicUsize::new(0);
    let endless = Provider::start(move |_| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let post = shown(&number.to_string(), "Other", 0);
        vec![
            answer(
                200,
                &[],
                &format!(r#"{{"data":[{post}],"meta":{{"next_token":"t{number}"}}}}"#),
            ),
            Act::KeepAlive,
        ]
    })
    .await;
    let x = x_at(&endless.root());
    let request = build(&x, "create_post", &post("Hello")).unwrap();
    let connector = Connector::with_clock(TransportSettings::default(), Standing::at(NOW)).unwrap();
    let found = connector
        .look_up(&x, &credentials(), &request, NOW.parse().unwrap())
        .await
        .unwrap();
    assert_eq!(
        (found.complete, found.pages, found.candidates.len()),
        (false, 10, 0)
    );
}

#[tokio::test]
async fn short_links_are_expanded_and_a_providers_wrong_clock_is_allowed_for() {
    let provider = Provider::start(|_| {
        let body = format!(
            r#"{{"data":[{{"id":"5","text":"See https://t.co/abc","created_at":"{}","entities":{{"urls":[{{"url":"https://t.co/abc","expanded_url":"https://example.com/a?b=1"}}]}}}}]}}"#,
            at(20)
        );
        // The provider lives twenty minutes in our future.
        vec![answer(200, &[("Date", "Sun, 01 Nov 2026 12:20:00 GMT")], &body)]
    })
    .await;
    let x = x_at(&provider.root());
    let request = build(&x, "create_post", &post("See https://example.com/a?b=1")).unwrap();
    let connector = Connector::with_clock(TransportSettings::default(), Standing::at(NOW)).unwrap();
    let found = connector
        .look_up(&x, &credentials(), &request, NOW.parse().unwrap())
        .await
        .unwrap();
    assert_eq!(ids(&found), ["5"]);
}

#[tokio::test]
async fn the_tutorials_api_is_looked_up_by_its_own_dates() {
    let provider = Provider::start(|request| {
        let body = if request.target.contains("max_id") {
            "[]"
        } else {
            r#"[{"id_str":"8","full_text":"Hello","created_at":"Sun Nov 01 11:59:30 +0000 2026"}]"#
        };
        vec![answer(200, &[], body), Act::KeepAlive]
    })
    .await;
    let tutorial = resolved(&shipped("x-1.1"), &[("root_url", &provider.root())]);
    let request = build(&tutorial, "create_post", &post("Hello")).unwrap();
    let connector = Connector::with_clock(TransportSettings::default(), Standing::at(NOW)).unwrap();
    let found = connector
        .look_up(&tutorial, &credentials(), &request, NOW.parse().unwrap())
        .await
        .unwrap();
    assert_eq!((ids(&found), found.complete), (vec!["8".to_owned()], true));
}

#[tokio::test]
async fn an_operation_without_a_look_up_says_so() {
    let x = x_at("http://127.0.0.1:1");
    let with = arguments(&[("participant_id", "7".into()), ("text", "hi".into())]);
    let request = build(&x, "send_direct_message", &with).unwrap();
    let failure = connector()
        .look_up(&x, &credentials(), &request, NOW.parse().unwrap())
        .await
        .unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.meaning),
        (codes::IN_DOUBT, Meaning::InDoubt)
    );
}
