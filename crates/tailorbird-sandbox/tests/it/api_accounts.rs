//! What one account may do to what is another's.

use serde_json::{Value, json};

use crate::api_support::{Body, Client, World};

/// The username of an account that the main account does not follow.
async fn stranger(client: &Client<'_>) -> String {
    let me = client.own_id().await;
    let following = client
        .walk(&format!("/2/users/{me}/following"), &[], "pagination_token")
        .await;
    let followers = client
        .get(&format!("/2/users/{me}/followers?max_results=1000"))
        .await
        .expect(200);
    let people = followers["data"].as_array().unwrap();
    let found = people
        .iter()
        .find(|person| !following.contains(&id(&person["id"])))
        .unwrap();
    id(&found["username"])
}

fn id(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn messages_are_let_in_by_whom_one_follows_and_seen_by_who_takes_part() {
    let world = World::start().await;
    let main = world.client("read_write_dm").await;
    let name = stranger(&main).await;
    let other = world.client_of("read_write_dm", &name).await;
    let (me, them) = (main.own_id().await, other.own_id().await);
    let to_main = format!("/2/dm_conversations/with/{me}/messages");
    let refused = other
        .post(&to_main, json!({ "text": "Buy followers" }))
        .await
        .expect(403);
    assert_eq!(
        refused["detail"],
        "You do not have permission to DM one or more participants."
    );
    let v1 = json!({ "event": { "type": "message_create", "message_create": {
        "target": { "recipient_id": me }, "message_data": { "text": "Buy followers" },
    } } });
    assert_eq!(
        other
            .post("/1.1/direct_messages/events/new.json", v1)
            .await
            .code(403),
        150
    );

    // Whoever was written to may answer.
    let first = json!({ "text": "May we help you?" });
    let sent = main
        .post(&format!("/2/dm_conversations/with/{them}/messages"), first)
        .await
        .expect(201);
    let event = id(&sent["data"]["dm_event_id"]);
    other
        .post(&to_main, json!({ "text": "Yes, please" }))
        .await
        .expect(201);
    assert_eq!(other.walk("/2/dm_events", &[], "pagination_token").await.len(), 2);
    other.delete(&format!("/2/dm_events/{event}")).await.expect(403);

    let followers = main.get(&format!("/2/users/{me}/followers")).await.expect(200);
    let names = followers["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|person| id(&person["username"]));
    let third = names.into_iter().find(|username| *username != name).unwrap();
    let third = world.client_of("read_write_dm", &third).await;
    assert_eq!(
        third.get("/2/dm_events").await.expect(200)["meta"]["result_count"],
        0
    );
    let read = third.get(&format!("/2/dm_events/{event}")).await.expect(200);
    assert_eq!(read["errors"][0]["resource_type"], "dm_event");
    let conversation = id(&sent["data"]["dm_conversation_id"]);
    third
        .post(
            &format!("/2/dm_conversations/{conversation}/messages"),
            json!({ "text": "x" }),
        )
        .await
        .expect(403);

    let settings = [("allow_dms_from", "all")];
    main.form("/1.1/account/settings.json", &settings)
        .await
        .expect(200);
    third
        .post(&to_main, json!({ "text": "Open to all now" }))
        .await
        .expect(201);
}

#[tokio::test]
async fn posts_of_another_are_seen_mentioned_and_not_deleted() {
    let world = World::start().await;
    let main = world.client("read_write").await;
    let name = stranger(&main).await;
    let other = world.client_of("read_write", &name).await;
    let me = main.own_id().await;
    let path = format!("/2/users/{me}/mentions");
    let before = main.find(&path, &[("max_results", "5")]).await.expect(200);
    let newest = id(&before["meta"]["newest_id"]);
    let asked = other.publish("@tailorbird_demo is the oak desk back?").await;
    other.publish("nobody is named here").await;
    let news = main
        .walk(&path, &[("since_id", &newest)], "pagination_token")
        .await;
    assert_eq!(news, vec![asked.clone()]);
    main.delete(&format!("/2/tweets/{asked}")).await.expect(403);
    let destroy = format!("/1.1/statuses/destroy/{asked}.json");
    assert_eq!(main.call("POST", &destroy, Body::None).await.code(403), 183);

    // The same text by somebody else is no duplicate.
    main.publish("nobody is named here").await;
    let closed = json!({ "text": "Only for those we follow", "reply_settings": "following" });
    let closed = id(&main.post("/2/tweets", closed).await.expect(201)["data"]["id"]);
    let reply = json!({ "text": "Me too", "reply": { "in_reply_to_tweet_id": closed } });
    let refused = other.post("/2/tweets", reply).await.expect(403);
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .starts_with("Reply to this conversation is not allowed")
    );
    let v1 = [("status", "Me too"), ("in_reply_to_status_id", closed.as_str())];
    assert_eq!(other.form("/1.1/statuses/update.json", &v1).await.code(403), 433);

    let open = main.publish("For everybody").await;
    let reply = json!({ "text": "Thanks", "reply": { "in_reply_to_tweet_id": open } });
    let reply = id(&other.post("/2/tweets", reply).await.expect(201)["data"]["id"]);
    let hide = |by| {
        let target = format!("/2/tweets/{reply}/hidden");
        async move {
            let by: &Client<'_> = by;
            by.call("PUT", &target, Body::Json(json!({ "hidden": true })))
                .await
        }
    };
    hide(&other).await.expect(403);
    hide(&main).await.expect(200);
}

#[tokio::test]
async fn lists_and_media_belong_to_who_made_them() {
    let world = World::start().await;
    let main = world.client("read_write").await;
    let name = stranger(&main).await;
    let other = world.client_of("read_write", &name).await;
    let them = other.own_id().await;
    let open = main
        .post("/2/lists", json!({ "name": "Customers" }))
        .await
        .expect(201);
    let open = id(&open["data"]["id"]);
    let secret = main
        .post("/2/lists", json!({ "name": "Debtors", "private": true }))
        .await
        .expect(201);
    let secret = id(&secret["data"]["id"]);
    other.get(&format!("/2/lists/{open}")).await.expect(200);
    let change = || Body::Json(json!({ "name": "Mine" }));
    other
        .call("PUT", &format!("/2/lists/{open}"), change())
        .await
        .expect(403);
    other.delete(&format!("/2/lists/{open}")).await.expect(403);
    let member = json!({ "user_id": them });
    other
        .post(&format!("/2/lists/{open}/members"), member.clone())
        .await
        .expect(403);
    main.post(&format!("/2/lists/{secret}/members"), member)
        .await
        .expect(200);
    let hidden = other.get(&format!("/2/lists/{secret}")).await.expect(200);
    assert_eq!(hidden["errors"][0]["resource_type"], "list");
    let memberships = format!("/2/users/{them}/list_memberships");
    assert!(other.walk(&memberships, &[], "pagination_token").await.is_empty());
    assert_eq!(
        main.walk(&memberships, &[], "pagination_token").await,
        vec![secret]
    );

    let media = main
        .multipart("/2/media/upload", &[], Some(b"\xff\xd8 picture"))
        .await
        .expect(200);
    let stolen = json!({ "text": "Not mine", "media": { "media_ids": [media["data"]["id"]] } });
    assert_eq!(
        other.post("/2/tweets", stolen).await.faults(),
        ["Your media IDs are invalid."]
    );
}
