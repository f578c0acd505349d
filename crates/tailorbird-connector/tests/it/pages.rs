//! Pages: to the end, to the limit, and no further than a loop.

use std::collections::BTreeMap;

use tailorbird_connector::{Connector, Pages, Resolved};
use tailorbird_model::{Failure, codes};

use crate::fixtures::{arguments, connector, credentials, resolved, shipped, x_at};
use crate::provider::{Act, Provider, answer};

async fn read_all(
    connector: &Connector,
    resolved: &Resolved,
    operation: &str,
    limit: Option<u32>,
    token: Option<&str>,
) -> Result<(Vec<String>, u32, bool), Failure> {
    let mut pages = Pages::new(resolved, operation, &BTreeMap::new(), limit, token)?;
    let (mut ids, mut count, mut more) = (Vec::new(), 0, false);
    while let Some((page, _)) = connector.next_page(resolved, &credentials(), &mut pages).await? {
        ids.extend(
            page.records
                .iter()
                .map(|record| record.get("id").unwrap().to_string()),
        );
        count = page.number;
        more = page.more;
    }
    Ok((ids, count, more))
}

/// Five posts, two a page, tokens t2 and t4.
async fn paged() -> Provider {
    Provider::start(|request| {
        let body = if request.target.contains("pagination_token=t4") {
            r#"{"data":[{"id":"1"}],"meta":{"result_count":1}}"#
        } else if request.target.contains("pagination_token=t2") {
            r#"{"data":[{"id":"3"},{"id":"2"}],"meta":{"next_token":"t4"}}"#
        } else {
            r#"{"data":[{"id":"5"},{"id":"4"}],"meta":{"next_token":"t2"}}"#
        };
        vec![answer(200, &[], body), Act::KeepAlive]
    })
    .await
}

#[tokio::test]
async fn a_cursor_is_followed_to_its_end_and_from_a_kept_token() {
    let provider = paged().await;
    let x = x_at(&provider.root());
    let (ids, count, more) = read_all(&connector(), &x, "list_mentions", None, None)
        .await
        .unwrap();
    assert_eq!((ids.join(","), count, more), ("5,4,3,2,1".to_owned(), 3, false));
    assert!(
        provider
            .received()
            .iter()
            .all(|request| request.target.matches("pagination_token").count() <= 1)
    );
    let (ids, ..) = read_all(&connector(), &x, "list_mentions", None, Some("t4"))
        .await
        .unwrap();
    assert_eq!(ids, ["1"]);
    let (ids, count, more) = read_all(&connector(), &x, "list_mentions", Some(2), None)
        .await
        .unwrap();
    assert_eq!((ids.len(), count, more), (4, 2, true));
}

#[tokio::test]
async fn a_provider_that_repeats_itself_is_noticed() {
    let circle = Provider::start(|request| {
        let id = request.target.len();
        vec![answer(
            200,
            &[],
            &format!(
                r#"{{"data":[{{"id":"{id}-{}"}}],"meta":{{"next_token":"same"}}}}"#,
                request.target.contains("same")
            ),
        )]
    })
    .await;
    let failure = read_all(&connector(), &x_at(&circle.root()), "list_mentions", None, None)
        .await
        .unwrap_err();
    assert_eq!(failure.code, codes::PAGES);
    assert!(failure.message.contains("same page token twice"), "{failure}");
    assert_eq!(circle.received().len(), 2);

    // Ever new tokens and ever the same page: the parameter is not understood.
    let count = std::sync::atomic::AtomicUsize::new(0);
    let deaf = Provider::start(move |_| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        vec![answer(
            200,
            &[],
            &format!(r#"{{"data":[{{"id":"1"}}],"meta":{{"next_token":"t{number}"}}}}"#),
        )]
    })
    .await;
    let failure = read_all(&connector(), &x_at(&deaf.root()), "list_mentions", None, None)
        .await
        .unwrap_err();
    assert!(failure.message.contains("same page twice"), "{failure}");
}

#[tokio::test]
async fn descending_ids_go_below_the_least() {
    let provider = Provider::start(|request| {
        let max: i64 = request
            .target
            .split(['?', '&'])
            .find_map(|pair| pair.strip_prefix("max_id="))
            .map_or(1_850_000_000_000_000_005, |text| text.parse().unwrap());
        let items: Vec<String> = (0..2)
            .map(|step| max - step)
            .filter(|id| *id > 1_850_000_000_000_000_000)
            .map(|id| format!(r#"{{"id_str":"{id}","full_text":"t{id}"}}"#))
            .collect();
        vec![
            answer(200, &[], &format!("[{}]", items.join(","))),
            Act::KeepAlive,
        ]
    })
    .await;
    let tutorial = resolved(&shipped("x-1.1"), &[("root_url", &provider.root())]);
    let (ids, count, _) = read_all(&connector(), &tutorial, "list_own_posts", None, None)
        .await
        .unwrap();
    assert_eq!(ids.len(), 5);
    assert_eq!(count, 4, "three with posts and the empty one that ends it");
    assert_eq!(ids.last().unwrap(), "1850000000000000001");
}

#[tokio::test]
async fn a_next_address_stays_on_its_origin() {
    let elsewhere = Provider::saying(200, &[], "{}").await;
    let next = format!("{}/steal?a=1", elsewhere.root());
    let provider = Provider::start(move |request| {
        let body = if request.target.starts_with("/page2") {
            r#"{"data":[{"id":"1"}]}"#.to_owned()
        } else if request.target.contains("since_id=here") {
            let host = request.header("host").unwrap().to_owned();
            format!(r#"{{"data":[{{"id":"2"}}],"meta":{{"next_token":"http://{host}/page2?x=1"}}}}"#)
        } else {
            format!(r#"{{"data":[{{"id":"2"}}],"meta":{{"next_token":"{next}"}}}}"#)
        };
        vec![answer(200, &[], &body), Act::KeepAlive]
    })
    .await;
    let x = x_at(&provider.root());
    let failure = read_all(&connector(), &x, "list_mentions", None, None)
        .await
        .unwrap_err();
    assert_eq!(failure.code, codes::PAGES);
    assert!(elsewhere.received().is_empty());

    let mut pages = Pages::new(
        &x,
        "list_mentions",
        &arguments(&[("since_id", "here".into())]),
        None,
        None,
    )
    .unwrap();
    let connector = connector();
    let mut ids = Vec::new();
    while let Some((page, _)) = connector.next_page(&x, &credentials(), &mut pages).await.unwrap() {
        ids.extend(
            page.records
                .iter()
                .map(|record| record.get("id").unwrap().to_string()),
        );
    }
    assert_eq!(ids, ["2", "1"]);
}

#[tokio::test]
async fn a_page_that_failed_can_be_asked_for_again() {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let provider = Provider::start(move |_| {
        if count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
            vec![answer(429, &[("Retry-After", "1")], "")]
        } else {
            vec![answer(200, &[], r#"{"data":[{"id":"1"}]}"#)]
        }
    })
    .await;
    let x = x_at(&provider.root());
    let connector = connector();
    let mut pages = Pages::new(&x, "list_mentions", &arguments(&[]), None, None).unwrap();
    let failure = connector
        .next_page(&x, &credentials(), &mut pages)
        .await
        .unwrap_err();
    assert_eq!(failure.code, codes::RATE_LIMITED);
    let (page, _) = connector
        .next_page(&x, &credentials(), &mut pages)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(page.records.len(), 1);
}
