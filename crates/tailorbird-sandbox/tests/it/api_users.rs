//! Users, followers, follows, likes, reposts.

use serde_json::json;

use crate::api_support::World;

#[tokio::test]
async fn accounts_are_found_by_id_by_name_and_as_oneself() {
    let world = World::start().await;
    let client = world.client("read").await;
    let me = client.get("/2/users/me").await.expect(200);
    let id = me["data"]["id"].as_str().unwrap();
    assert_eq!(
        me,
        json!({ "data": { "id": id, "name": "Tailorbird Demo Ltd", "username": "tailorbird_demo" } })
    );
    for target in [
        format!("/2/users/{id}"),
        "/2/users/by/username/tailorbird_demo".to_owned(),
        "/2/users/by/username/TailorBird_DEMO".to_owned(),
    ] {
        assert_eq!(client.get(&target).await.expect(200), me, "{target}");
    }
    let many = client.get(&format!("/2/users?ids={id},17")).await.expect(200);
    assert_eq!(many["data"], json!([me["data"]]));
    assert_eq!(many["errors"][0]["parameter"], "ids");
    let named = client
        .get("/2/users/by?usernames=tailorbird_demo,nobody_here")
        .await
        .expect(200);
    assert_eq!(named["data"], json!([me["data"]]));
    assert_eq!(
        named["errors"][0]["detail"],
        "Could not find user with usernames: [nobody_here]."
    );
    let nobody = client.get("/2/users/by/username/nobody_here").await.expect(200);
    assert_eq!(nobody["errors"][0]["resource_type"], "user");
    assert_eq!(
        client.get("/2/users/by/username/no-body").await.faults(),
        ["The `username` query parameter value [no-body] does not match ^[A-Za-z0-9_]{1,15}$"]
    );
    let found = client
        .find("/2/users/search", &[("query", "tailorbird")])
        .await
        .expect(200);
    assert_eq!(found["data"][0]["id"], id);
}

#[tokio::test]
async fn user_fields_and_the_newest_post_are_given_on_request() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let post = client.publish("Newest").await;
    let target = "/2/users/me?user.fields=created_at,description,location,public_metrics,protected,url,verified,verified_type,most_recent_tweet_id,connection_status&expansions=most_recent_tweet_id";
    let me = client.get(target).await.expect(200);
    let data = &me["data"];
    assert_eq!(data["most_recent_tweet_id"], post);
    assert_eq!(
        me["includes"]["tweets"],
        json!([{ "id": post, "text": "Newest", "edit_history_tweet_ids": [post] }])
    );
    assert_eq!(data["public_metrics"]["tweet_count"], 1);
    assert!(data["public_metrics"]["followers_count"].as_u64().unwrap() >= 12);
    assert_eq!(data["protected"], false);
    assert_eq!(data["connection_status"], json!(["none"]));
}

#[tokio::test]
async fn followers_are_paged_to_the_end() {
    let world = World::start().await;
    let client = world.client("read").await;
    let path = format!("/2/users/{}/followers", client.own_id().await);
    let whole = client
        .walk(&path, &[("max_results", "1000")], "pagination_token")
        .await;
    assert!(whole.len() >= 12);
    assert_eq!(
        client
            .walk(&path, &[("max_results", "5")], "pagination_token")
            .await,
        whole
    );
    let mut unique = whole.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), whole.len());
}

#[tokio::test]
async fn following_and_leaving() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let me = client.own_id().await;
    let following = format!("/2/users/{me}/following");
    let before = client.walk(&following, &[], "pagination_token").await;
    let followers = client
        .walk(&format!("/2/users/{me}/followers"), &[], "pagination_token")
        .await;
    let stranger = followers.iter().find(|id| !before.contains(*id)).unwrap();
    let answer = client
        .post(&following, json!({ "target_user_id": stranger }))
        .await
        .expect(200);
    assert_eq!(
        answer,
        json!({ "data": { "following": true, "pending_follow": false } })
    );
    assert!(
        client
            .walk(&following, &[], "pagination_token")
            .await
            .contains(stranger)
    );
    let answer = client
        .delete(&format!("{following}/{stranger}"))
        .await
        .expect(200);
    assert_eq!(answer, json!({ "data": { "following": false } }));
    assert_eq!(client.walk(&following, &[], "pagination_token").await, before);

    client
        .post(&following, json!({ "target_user_id": me }))
        .await
        .expect(403);
    let nobody = client.post(&following, json!({ "target_user_id": "17" })).await;
    assert_eq!(nobody.problem(404), "resource-not-found");
    let foreign = client
        .post(
            &format!("/2/users/{stranger}/following"),
            json!({ "target_user_id": me }),
        )
        .await;
    assert!(foreign.faults()[0].contains("must be the same as the authenticating user"));
}

#[tokio::test]
async fn likes_and_reposts_count_once_and_can_be_taken_back() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let me = client.own_id().await;
    let mentions = client
        .get(&format!("/2/users/{me}/mentions?max_results=5"))
        .await
        .expect(200);
    let post = mentions["data"][0]["id"].as_str().unwrap();
    let count_likes = |client| async move {
        let client: &crate::api_support::Client<'_> = client;
        let read = client
            .get(&format!("/2/tweets/{post}?tweet.fields=public_metrics"))
            .await
            .expect(200);
        read["data"]["public_metrics"]["like_count"].as_u64().unwrap()
    };
    let before = count_likes(&client).await;
    let body = json!({ "tweet_id": post });
    for _ in 0..2 {
        let liked = client
            .post(&format!("/2/users/{me}/likes"), body.clone())
            .await
            .expect(200);
        assert_eq!(liked, json!({ "data": { "liked": true } }));
    }
    assert_eq!(count_likes(&client).await, before + 1);
    let liked = client
        .get(&format!("/2/users/{me}/liked_tweets"))
        .await
        .expect(200);
    assert_eq!(liked["data"][0]["id"], post);
    let people = client
        .get(&format!("/2/tweets/{post}/liking_users"))
        .await
        .expect(200);
    assert_eq!(people["data"][0]["id"], me);
    client
        .delete(&format!("/2/users/{me}/likes/{post}"))
        .await
        .expect(200);
    assert_eq!(count_likes(&client).await, before);

    let reposted = client
        .post(&format!("/2/users/{me}/retweets"), body.clone())
        .await
        .expect(200);
    assert_eq!(reposted, json!({ "data": { "retweeted": true } }));
    client
        .post(&format!("/2/users/{me}/retweets"), body)
        .await
        .expect(403);
    let own = client
        .find(
            &format!("/2/users/{me}/tweets"),
            &[("tweet.fields", "referenced_tweets")],
        )
        .await
        .expect(200);
    assert_eq!(
        own["data"][0]["referenced_tweets"],
        json!([{ "type": "retweeted", "id": post }])
    );
    assert!(own["data"][0]["text"].as_str().unwrap().starts_with("RT @"));
    let people = client
        .get(&format!("/2/tweets/{post}/retweeted_by"))
        .await
        .expect(200);
    assert_eq!(people["data"][0]["id"], me);
    client
        .delete(&format!("/2/users/{me}/retweets/{post}"))
        .await
        .expect(200);
    let own = client.get(&format!("/2/users/{me}/tweets")).await.expect(200);
    assert_eq!(own["meta"]["result_count"], 0);
    let gone = client
        .post(&format!("/2/users/{me}/likes"), json!({ "tweet_id": "17" }))
        .await;
    assert_eq!(gone.problem(404), "resource-not-found");
}
