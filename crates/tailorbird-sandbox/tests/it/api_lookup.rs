//! `GET /2/tweets`: partial errors, fields, expansions, metrics, addresses that do not exist.

use serde_json::json;

use crate::api_support::{Body, World};

#[tokio::test]
async fn what_is_there_is_data_and_what_is_not_is_an_error_beside_it() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let (one, two) = (client.publish("One").await, client.publish("Two").await);
    let read = client
        .get(&format!("/2/tweets?ids={two},17,{one}"))
        .await
        .expect(200);
    let ids: Vec<&str> = read["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|post| post["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [two.as_str(), one.as_str()]);
    assert_eq!(
        read["errors"],
        json!([{
            "value": "17", "detail": "Could not find tweet with ids: [17].", "title": "Not Found Error",
            "resource_type": "tweet", "parameter": "ids", "resource_id": "17",
            "type": "https://api.twitter.com/2/problems/resource-not-found",
        }])
    );
}

#[tokio::test]
async fn parameters_are_checked_all_at_once() {
    let world = World::start().await;
    let client = world.client("read").await;
    let faults = client
        .get("/2/tweets?ids=x&tweet.fields=size&color=1")
        .await
        .faults();
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert_eq!(faults[0], "The `ids` query parameter value [x] is not valid");
    assert!(faults[1].starts_with("The `tweet.fields` query parameter value [size] is not one of [article,"));
    assert!(
        faults[2].starts_with("The query parameter [color] is not one of [expansions,"),
        "{}",
        faults[2]
    );
    assert_eq!(
        client.get("/2/tweets").await.faults(),
        ["The `ids` query parameter can not be empty"]
    );
    let many: Vec<String> = (1..=101).map(|id: u32| id.to_string()).collect();
    let many = client.get(&format!("/2/tweets?ids={}", many.join(","))).await;
    assert_eq!(many.faults(), ["size must be between 1 and 100"]);
}

#[tokio::test]
async fn both_names_of_the_field_parameter_are_read() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let id = client.publish("Fields").await;
    for name in ["tweet.fields", "post.fields"] {
        let read = client
            .get(&format!("/2/tweets/{id}?{name}=created_at,author_id,source"))
            .await
            .expect(200);
        let data = read["data"].as_object().unwrap();
        let names: Vec<&str> = data.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "id",
                "text",
                "edit_history_tweet_ids",
                "created_at",
                "author_id",
                "source"
            ],
            "{name}"
        );
        assert_eq!(data["source"], "Stock Announcer");
        assert_eq!(data["author_id"], client.own_id().await);
        let created = data["created_at"].as_str().unwrap();
        assert!(created.ends_with('Z') && created.len() == 24, "{created}");
    }
    let read = client
        .get(&format!("/2/tweets/{id}?post.fields=edit_history_post_ids"))
        .await
        .expect(200);
    assert_eq!(read["data"]["edit_history_tweet_ids"], json!([id]));
}

#[tokio::test]
async fn public_metrics_are_for_all_and_others_for_the_author() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let own = client.publish("Mine").await;
    let me = client.own_id().await;
    let page = client
        .get(&format!("/2/users/{me}/mentions?max_results=5"))
        .await
        .expect(200);
    let foreign = page["data"][0]["id"].as_str().unwrap();
    world.advance(7_200).await;
    let fields = "tweet.fields=public_metrics,non_public_metrics";
    let read = client
        .get(&format!("/2/tweets?ids={own},{foreign}&{fields}"))
        .await
        .expect(200);
    for post in read["data"].as_array().unwrap() {
        let metrics = post["public_metrics"].as_object().unwrap();
        let names: Vec<&str> = metrics.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "retweet_count",
                "reply_count",
                "like_count",
                "quote_count",
                "bookmark_count",
                "impression_count"
            ]
        );
    }
    assert!(
        read["data"][0]["non_public_metrics"]["impression_count"]
            .as_u64()
            .unwrap()
            > 0
    );
    assert_eq!(read["data"][1].get("non_public_metrics"), None);
    let errors = read["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0]["resource_id"], foreign);
    assert!(
        errors[0]["type"]
            .as_str()
            .unwrap()
            .ends_with("/not-authorized-for-field")
    );
}

#[tokio::test]
async fn expansions_fill_includes_with_each_object_once() {
    let world = World::start().await;
    let client = world.client("read").await;
    let me = client.own_id().await;
    let target = format!(
        "/2/users/{me}/mentions?max_results=20&expansions=author_id,entities.mentions.username&user.fields=public_metrics,verified&tweet.fields=author_id"
    );
    let read = client.get(&target).await.expect(200);
    let users = read["includes"]["users"].as_array().unwrap();
    let mut ids: Vec<&str> = users.iter().map(|user| user["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&me.as_str()));
    for post in read["data"].as_array().unwrap() {
        assert!(ids.contains(&post["author_id"].as_str().unwrap()));
    }
    let before = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), before);
    assert!(users[0]["public_metrics"]["tweet_count"].is_u64());
}

#[tokio::test]
async fn addresses_and_methods_that_do_not_exist_are_answered_in_the_versions_shape() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let unknown = client.get("/2/nothing/here").await;
    assert_eq!(unknown.problem(404), "about:blank");
    assert_eq!(unknown.json()["title"], "Not Found");
    assert_eq!(client.get("/1.1/nothing/here.json").await.code(404), 34);
    let wrong = client.call("PUT", "/2/tweets", Body::Json(json!({}))).await;
    assert_eq!(wrong.problem(405), "about:blank");
    assert_eq!(wrong.header("allow"), Some("GET,HEAD,POST"));
    assert_eq!(client.get("/1.1/statuses/update.json").await.code(405), 86);
}
