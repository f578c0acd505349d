//! `POST /2/tweets`, `DELETE /2/tweets/:id`: shapes, rewriting, length, duplicates, exclusions.

use serde_json::{Value, json};

use crate::api_support::{Body, World};

#[tokio::test]
async fn a_post_is_answered_with_id_and_text_and_can_be_read_back() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let answer = client
        .post("/2/tweets", json!({ "text": "New in stock: oak desk" }))
        .await;
    assert_eq!(answer.header("x-access-level"), Some("read-write"));
    let body = answer.expect(201);
    let id = body["data"]["id"].as_str().unwrap();
    assert!(id.bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(
        body,
        json!({ "data": { "id": id, "text": "New in stock: oak desk" } })
    );

    let read = client.get(&format!("/2/tweets/{id}")).await.expect(200);
    assert_eq!(
        read,
        json!({ "data": { "id": id, "text": "New in stock: oak desk", "edit_history_tweet_ids": [id] } })
    );
    let counted = world.admin("GET", "posts", None).await;
    assert_eq!(counted["accepted"], 1);
}

#[tokio::test]
async fn texts_come_back_rewritten_as_x_does() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let long = "https://shop.example.com/desks/oak/1?colour=natural&size=160x80";
    let sent = format!("  Tea & <cake> at {long} #tea @tailorbird_demo \n");
    let body = client
        .post("/2/tweets", json!({ "text": sent }))
        .await
        .expect(201);
    let (id, text) = (
        body["data"]["id"].as_str().unwrap(),
        body["data"]["text"].as_str().unwrap(),
    );
    let short = text
        .strip_prefix("Tea &amp; &lt;cake&gt; at ")
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    assert!(short.starts_with("https://t.co/") && short.len() == 23, "{short}");
    assert!(text.ends_with(" #tea @tailorbird_demo"), "{text}");

    let read = client
        .get(&format!("/2/tweets/{id}?tweet.fields=entities"))
        .await
        .expect(200);
    let entities = &read["data"]["entities"];
    let url = &entities["urls"][0];
    assert_eq!(url["expanded_url"], long);
    assert_eq!(url["url"], short);
    let place = |entity: &Value| -> String {
        let at = |name: &str| usize::try_from(entity[name].as_u64().unwrap()).unwrap();
        text.chars()
            .skip(at("start"))
            .take(at("end") - at("start"))
            .collect()
    };
    assert_eq!(place(url), short);
    assert_eq!(place(&entities["hashtags"][0]), "#tea");
    assert_eq!(place(&entities["mentions"][0]), "@tailorbird_demo");
}

#[tokio::test]
async fn the_weighted_length_decides_at_280() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let too_long = "Your Tweet text is too long. For more information on how Twitter determines text length see https://github.com/twitter/twitter-text.";
    let link = "https://shop.example.com/a/very/long/address/that/counts/as/twenty-three";
    let cases = [
        ("a".repeat(280), true),
        ("b".repeat(281), false),
        ("語".repeat(140), true),
        ("字".repeat(141), false),
        (format!("{} {link}", "c".repeat(256)), true),
        (format!("{} {link}", "d".repeat(257)), false),
        (format!("{}👋", "e".repeat(278)), true),
        (format!("{}👋", "f".repeat(279)), false),
    ];
    for (text, fits) in cases {
        let answer = client.post("/2/tweets", json!({ "text": text })).await;
        if fits {
            answer.expect(201);
        } else {
            assert_eq!(answer.faults(), [too_long], "{text}");
        }
    }
}

#[tokio::test]
async fn duplicates_are_refused_and_counted_until_deleted_or_a_day_old() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let body = json!({ "text": "Sale ends tonight" });
    let first = client.publish("Sale ends tonight").await;
    let refused = client.post("/2/tweets", body.clone()).await;
    assert_eq!(
        refused.expect(403),
        json!({
            "detail": "You are not allowed to create a Tweet with duplicate content.",
            "type": "about:blank", "title": "Forbidden", "status": 403,
        })
    );
    // White space at the ends makes no other text.
    client
        .post("/2/tweets", json!({ "text": "Sale ends tonight " }))
        .await
        .expect(403);
    let counted = world.admin("GET", "posts", None).await;
    assert_eq!(
        (&counted["accepted"], &counted["refused_duplicates"]),
        (&json!(1), &json!(2))
    );

    client.delete(&format!("/2/tweets/{first}")).await.expect(200);
    client.post("/2/tweets", body.clone()).await.expect(201);
    client.post("/2/tweets", body.clone()).await.expect(403);
    world.advance(86_401).await;
    client.post("/2/tweets", body.clone()).await.expect(201);
    client.post("/2/tweets", body.clone()).await.expect(403);
    world
        .admin("POST", "duplicates", Some(json!({ "refuse": false })))
        .await;
    client.post("/2/tweets", body).await.expect(201);
    assert_eq!(world.admin("GET", "posts", None).await["accepted"], 4);
}

#[tokio::test]
async fn bodies_that_do_not_fit_the_schema_are_refused_with_every_fault() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let faults = |body: Value| {
        let client = &client;
        async move { client.post("/2/tweets", body).await.faults() }
    };
    assert_eq!(
        faults(json!({ "text": "a", "colour": "red" })).await,
        ["$.colour: is not defined in the schema and the schema does not allow additional properties"]
    );
    assert_eq!(
        faults(json!({ "text": 17, "reply": {} })).await,
        [
            "$.text: integer found, string expected",
            "$.reply.in_reply_to_tweet_id: is missing but it is required"
        ]
    );
    assert_eq!(
        faults(json!({ "text": "a", "media": { "media_ids": "17" } })).await,
        ["$.media.media_ids: string found, array expected"]
    );
    assert_eq!(
        faults(json!({ "text": "a", "poll": { "options": ["x"], "duration_minutes": 10081 } })).await,
        [
            "$.poll.options: there must be a minimum of 2 items in the array",
            "$.poll.duration_minutes: must have a maximum value of 10080",
        ]
    );
    assert_eq!(
        faults(json!({ "text": "  " })).await,
        ["`text` can not be empty unless media, a quoted post or a card is given."]
    );
    assert_eq!(
        faults(json!({ "text": "a", "quote_tweet_id": "1", "poll": { "options": ["x", "y"], "duration_minutes": 5 } }))
            .await,
        ["Only one of these can be given: poll, quote_tweet_id."]
    );
    let form = client.form("/2/tweets", &[("text", "a")]).await;
    assert_eq!(
        form.faults(),
        ["Requests with bodies must have content-type of application/json."]
    );
    let broken = client
        .call(
            "POST",
            "/2/tweets",
            Body::Raw("application/json", b"{\"text\":".to_vec()),
        )
        .await;
    assert_eq!(broken.faults(), ["Request body is not valid JSON."]);
    assert_eq!(world.admin("GET", "posts", None).await["accepted"], 0);
}

#[tokio::test]
async fn replies_and_quotes_point_to_posts_that_are_there() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let me = client.own_id().await;
    let mentions = client
        .get(&format!("/2/users/{me}/mentions?max_results=5"))
        .await
        .expect(200);
    let question = mentions["data"][0]["id"].as_str().unwrap().to_owned();
    let reply = json!({ "text": "Yes, we do!", "reply": { "in_reply_to_tweet_id": question } });
    let reply = client.post("/2/tweets", reply).await.expect(201)["data"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let fields = "tweet.fields=referenced_tweets,conversation_id,in_reply_to_user_id&expansions=referenced_tweets.id,referenced_tweets.id.author_id";
    let read = client
        .get(&format!("/2/tweets/{reply}?{fields}"))
        .await
        .expect(200);
    assert_eq!(
        read["data"]["referenced_tweets"],
        json!([{ "type": "replied_to", "id": question }])
    );
    assert_eq!(read["includes"]["tweets"][0]["id"], question);
    assert_eq!(
        read["includes"]["users"][0]["id"],
        read["data"]["in_reply_to_user_id"]
    );

    let quote = json!({ "text": "See here", "quote_tweet_id": question });
    let quote = client.post("/2/tweets", quote).await.expect(201)["data"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let quotes = client
        .get(&format!("/2/tweets/{question}/quote_tweets"))
        .await
        .expect(200);
    assert_eq!(quotes["data"][0]["id"], quote);

    for body in [
        json!({ "text": "b", "reply": { "in_reply_to_tweet_id": "17" } }),
        json!({ "text": "c", "quote_tweet_id": "17" }),
    ] {
        let refused = client.post("/2/tweets", body).await.expect(403);
        assert!(
            refused["detail"]
                .as_str()
                .unwrap()
                .contains("deleted or not visible"),
            "{refused}"
        );
    }

    // The answered post vanishes: the reply stays, and the expansion says what is missing.
    client.delete(&format!("/2/tweets/{reply}")).await.expect(200);
    let second = json!({ "text": "d", "reply": { "in_reply_to_tweet_id": quote } });
    let second = client.post("/2/tweets", second).await.expect(201)["data"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    client.delete(&format!("/2/tweets/{quote}")).await.expect(200);
    let read = client
        .get(&format!("/2/tweets/{second}?expansions=referenced_tweets.id"))
        .await
        .expect(200);
    assert_eq!(read["errors"][0]["parameter"], "referenced_tweets.id");
    assert_eq!(read["errors"][0]["resource_id"], quote);
}

#[tokio::test]
async fn polls_are_shown_and_close_by_the_sandbox_clock() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let poll = json!({ "text": "Which?", "poll": { "options": ["Oak", "Ash"], "duration_minutes": 60 } });
    let id = client.post("/2/tweets", poll).await.expect(201)["data"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let target =
        format!("/2/tweets/{id}?expansions=attachments.poll_ids&poll.fields=voting_status,duration_minutes");
    let read = client.get(&target).await.expect(200);
    let poll = &read["includes"]["polls"][0];
    assert_eq!(poll["options"][1]["label"], "Ash");
    assert_eq!(
        (&poll["duration_minutes"], &poll["voting_status"]),
        (&json!(60), &json!("open"))
    );
    world.advance(3_601).await;
    let read = client.get(&target).await.expect(200);
    assert_eq!(read["includes"]["polls"][0]["voting_status"], "closed");
}

#[tokio::test]
async fn only_the_author_deletes_and_only_once() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let id = client.publish("Short-lived").await;
    assert_eq!(
        client.delete(&format!("/2/tweets/{id}")).await.expect(200),
        json!({ "data": { "deleted": true } })
    );
    assert_eq!(
        client.delete(&format!("/2/tweets/{id}")).await.problem(404),
        "resource-not-found"
    );
    let read = client.get(&format!("/2/tweets/{id}")).await.expect(200);
    assert_eq!(
        read["errors"][0]["detail"],
        format!("Could not find tweet with id: [{id}].")
    );
    assert_eq!(read.get("data"), None);
    let me = client.own_id().await;
    let foreign = client
        .get(&format!("/2/users/{me}/mentions?max_results=5"))
        .await
        .expect(200);
    let foreign = foreign["data"][0]["id"].as_str().unwrap().to_owned();
    client.delete(&format!("/2/tweets/{foreign}")).await.expect(403);
    assert_eq!(
        client.delete("/2/tweets/abc").await.faults(),
        ["The `id` query parameter value [abc] is not valid"]
    );
}

#[tokio::test]
async fn a_reading_token_may_not_write() {
    let world = World::start().await;
    let client = world.client("read").await;
    client.get("/2/users/me").await.expect(200);
    let refused = client.post("/2/tweets", json!({ "text": "a" })).await;
    assert_eq!(refused.header("x-access-level"), Some("read"));
    assert_eq!(refused.problem(403), "oauth1-permissions");
    assert_eq!(world.admin("GET", "posts", None).await["accepted"], 0);
}

#[tokio::test]
async fn who_begins_a_conversation_hides_answers_in_it() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let first = client.publish("Ask us anything").await;
    let answer = json!({ "text": "Why?", "reply": { "in_reply_to_tweet_id": first } });
    let answer = client.post("/2/tweets", answer).await.expect(201)["data"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let hide = |id: String| {
        let client = &client;
        async move {
            client
                .call(
                    "PUT",
                    &format!("/2/tweets/{id}/hidden"),
                    Body::Json(json!({ "hidden": true })),
                )
                .await
        }
    };
    assert_eq!(
        hide(answer).await.expect(200),
        json!({ "data": { "hidden": true } })
    );
    hide(first).await.expect(403);
    assert_eq!(hide("17".to_owned()).await.problem(404), "resource-not-found");
}
