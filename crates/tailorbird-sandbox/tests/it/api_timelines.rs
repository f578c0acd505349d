//! Timelines and search: bounds, paging to the end, polling, the query language.

use serde_json::json;

use crate::api_support::World;

#[tokio::test]
async fn mentions_are_paged_to_the_end_without_overlap_and_gap() {
    let world = World::start().await;
    let client = world.client("read").await;
    let path = format!("/2/users/{}/mentions", client.own_id().await);
    let whole = client
        .walk(&path, &[("max_results", "100")], "pagination_token")
        .await;
    assert_eq!(whole.len(), 137);
    let numbers: Vec<u64> = whole.iter().map(|id| id.parse().unwrap()).collect();
    assert!(
        numbers.windows(2).all(|pair| pair[0] > pair[1]),
        "newest first, none twice"
    );
    assert_eq!(
        client
            .walk(&path, &[("max_results", "7")], "pagination_token")
            .await,
        whole
    );

    let first = client.find(&path, &[("max_results", "100")]).await.expect(200);
    assert_eq!(first["meta"]["newest_id"], whole[0]);
    assert_eq!(first["meta"]["oldest_id"], whole[99]);
    assert_eq!(first["meta"].get("previous_token"), None);
    let token = first["meta"]["next_token"].as_str().unwrap();
    let second = client
        .find(&path, &[("max_results", "100"), ("pagination_token", token)])
        .await
        .expect(200);
    assert_eq!(second["meta"]["result_count"], 37);
    assert_eq!(second["meta"].get("next_token"), None);
    let back = second["meta"]["previous_token"].as_str().unwrap();
    let again = client
        .find(&path, &[("max_results", "100"), ("pagination_token", back)])
        .await
        .expect(200);
    assert_eq!(again["data"], first["data"]);
}

#[tokio::test]
async fn polling_with_since_id_gives_each_new_post_once() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let path = format!("/2/users/{}/tweets", client.own_id().await);
    let mut since = client.publish("Number 0").await;
    let mut seen = Vec::new();
    for round in 1..=3 {
        for number in 0..round {
            client.publish(&format!("Round {round}, number {number}")).await;
        }
        let page = client.find(&path, &[("since_id", &since)]).await.expect(200);
        let new = page["data"].as_array().unwrap();
        assert_eq!(new.len(), round);
        seen.extend(new.iter().map(|post| post["text"].as_str().unwrap().to_owned()));
        since = page["meta"]["newest_id"].as_str().unwrap().to_owned();
    }
    let nothing = client.find(&path, &[("since_id", &since)]).await.expect(200);
    assert_eq!(nothing, json!({ "meta": { "result_count": 0 } }));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 6);
}

#[tokio::test]
async fn ids_and_times_bound_a_timeline() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let me = client.own_id().await;
    let path = format!("/2/users/{me}/tweets");
    let mut posts = Vec::new();
    for number in 0..6 {
        posts.push(client.publish(&format!("Number {number}")).await);
        world.advance(60).await;
    }
    let ids = |pairs: Vec<(&'static str, String)>| {
        let (client, path) = (&client, &path);
        async move {
            let pairs: Vec<(&str, &str)> = pairs
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            client.walk(path, &pairs, "pagination_token").await
        }
    };
    let between = ids(vec![
        ("since_id", posts[0].clone()),
        ("until_id", posts[3].clone()),
    ])
    .await;
    assert_eq!(between, [posts[2].clone(), posts[1].clone()]);
    let read = client
        .get(&format!("/2/tweets/{}?tweet.fields=created_at", posts[4]))
        .await
        .expect(200);
    let at = read["data"]["created_at"].as_str().unwrap().to_owned();
    let later = ids(vec![("start_time", at.clone())]).await;
    assert!(
        later.contains(&posts[5]) && !later.contains(&posts[3]),
        "{later:?}"
    );
    let earlier = ids(vec![("end_time", at)]).await;
    assert!(
        earlier.contains(&posts[3]) && !earlier.contains(&posts[5]),
        "{earlier:?}"
    );

    let reply = json!({ "text": "And one more thing", "reply": { "in_reply_to_tweet_id": posts[0] } });
    client.post("/2/tweets", reply).await.expect(201);
    assert_eq!(ids(vec![]).await.len(), 7);
    assert_eq!(ids(vec![("exclude", "replies".to_owned())]).await.len(), 6);
}

#[tokio::test]
async fn counts_tokens_and_people_that_make_no_sense_are_refused() {
    let world = World::start().await;
    let client = world.client("read").await;
    let me = client.own_id().await;
    for (path, low, high) in [
        (format!("/2/users/{me}/tweets"), 4, 101),
        (format!("/2/users/{me}/mentions"), 4, 101),
        (format!("/2/users/{me}/timelines/reverse_chronological"), 0, 101),
        ("/2/tweets/search/recent".to_owned(), 9, 101),
        (format!("/2/users/{me}/followers"), 0, 1001),
    ] {
        for count in [low, high] {
            let count = count.to_string();
            let mut pairs = vec![("max_results", count.as_str())];
            if path.ends_with("recent") {
                pairs.push(("query", "desk"));
            }
            let faults = client.find(&path, &pairs).await.faults();
            let bounds = format!("The `max_results` query parameter value [{count}] is not between ");
            assert!(faults[0].starts_with(&bounds), "{path}: {faults:?}");
        }
    }
    let mentions = format!("/2/users/{me}/mentions");
    let page = client.find(&mentions, &[("max_results", "5")]).await.expect(200);
    let token = page["meta"]["next_token"].as_str().unwrap();
    let other = format!("/2/users/{me}/tweets");
    for (path, token) in [(&other, token), (&mentions, "xyz")] {
        let faults = client.find(path, &[("pagination_token", token)]).await.faults();
        assert_eq!(
            faults,
            [format!(
                "The `pagination_token` query parameter value [{token}] is not valid"
            )]
        );
    }
    let nobody = client.get("/2/users/17/tweets").await.expect(200);
    assert_eq!(
        nobody["errors"][0]["detail"],
        "Could not find user with id: [17]."
    );
    let foreign = client.other_id().await;
    let home = client
        .get(&format!("/2/users/{foreign}/timelines/reverse_chronological"))
        .await
        .faults();
    assert!(
        home[0].ends_with(&format!("must be the same as the authenticating user [{me}]")),
        "{home:?}"
    );
}

#[tokio::test]
async fn the_home_timeline_holds_own_posts_and_those_of_accounts_followed() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let me = client.own_id().await;
    let own = client.publish("From us").await;
    let following = client
        .walk(&format!("/2/users/{me}/following"), &[], "pagination_token")
        .await;
    let path = format!("/2/users/{me}/timelines/reverse_chronological");
    let page = client
        .find(&path, &[("tweet.fields", "author_id"), ("max_results", "100")])
        .await
        .expect(200);
    let posts = page["data"].as_array().unwrap();
    assert_eq!(posts[0]["id"], own);
    assert!(posts.len() > 10);
    for post in posts {
        let author = post["author_id"].as_str().unwrap().to_owned();
        assert!(author == me || following.contains(&author));
    }
}

#[tokio::test]
async fn search_finds_what_the_query_says_and_pages_to_the_end() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    for number in 0..25 {
        let colour = if number % 2 == 0 { "#green" } else { "#blue" };
        client
            .publish(&format!("Searchable desk number {number} {colour}"))
            .await;
    }
    let find = |query: &'static str| {
        let client = &client;
        async move {
            client
                .walk(
                    "/2/tweets/search/recent",
                    &[("query", query), ("max_results", "10")],
                    "next_token",
                )
                .await
                .len()
        }
    };
    assert_eq!(find("searchable from:tailorbird_demo").await, 25);
    assert_eq!(find("searchable #green").await, 13);
    assert_eq!(find("\"desk number 7\"").await, 1);
    assert_eq!(find("\"desk number 7\" OR \"desk number 8\"").await, 2);
    assert_eq!(find("searchable -#green").await, 12);
    assert_eq!(find("@tailorbird_demo -from:tailorbird_demo").await, 137);
    assert_eq!(find("searchable to:tailorbird_demo").await, 0);
    world.advance(8 * 86_400).await;
    assert_eq!(
        find("searchable").await,
        0,
        "recent search reaches back seven days"
    );
}

#[tokio::test]
async fn a_query_that_cannot_be_used_is_refused_with_what_is_valid() {
    let world = World::start().await;
    let client = world.client("read").await;
    let faults = |query: &'static str| {
        let client = &client;
        async move {
            client
                .find("/2/tweets/search/recent", &[("query", query)])
                .await
                .faults()
        }
    };
    let unknown = faults("desk point_radius:1").await;
    assert_eq!(
        unknown,
        [
            "There were errors processing your request: Reference to invalid operator 'point_radius'. Valid operators are: from:, to:, conversation_id:, in_reply_to_tweet_id:, quotes_of_tweet_id:, lang:, url:, has:, is: (at position 6)"
        ]
    );
    assert!(faults("is:reply").await[0].contains("at least one positive"));
    let nothing = client.get("/2/tweets/search/recent").await.faults();
    assert_eq!(nothing, ["The `query` query parameter can not be empty"]);
    let old = [("query", "desk"), ("start_time", "2020-01-01T00:00:00Z")];
    let old = client.find("/2/tweets/search/recent", &old).await.faults();
    assert!(
        old[0].starts_with("Invalid 'start_time':'2020-01-01T00:00:00Z'."),
        "{old:?}"
    );
}
