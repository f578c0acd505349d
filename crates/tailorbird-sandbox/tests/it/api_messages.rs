//! Direct messages of v2: permission, sending, reading, groups, deleting.

use serde_json::json;

use crate::api_support::World;

#[tokio::test]
async fn messages_need_the_third_level() {
    let world = World::start().await;
    for level in ["read", "read_write"] {
        let client = world.client(level).await;
        let other = client.other_id().await;
        let target = format!("/2/dm_conversations/with/{other}/messages");
        let refused = client.post(&target, json!({ "text": "Hello" })).await;
        assert_eq!(refused.problem(403), "oauth1-permissions", "{level}");
        assert_eq!(
            client.get("/2/dm_events").await.problem(403),
            "oauth1-permissions",
            "{level}"
        );
    }
    let client = world.client("read_write_dm").await;
    let other = client.other_id().await;
    let target = format!("/2/dm_conversations/with/{other}/messages");
    let sent = client.post(&target, json!({ "text": "Hello" })).await;
    assert_eq!(sent.header("x-access-level"), Some("read-write-directmessages"));
    sent.expect(201);
}

/// The id of an account that follows the caller and is followed back, so that messages are let in.
async fn friend(client: &crate::api_support::Client<'_>) -> (String, String) {
    let me = client.own_id().await;
    let following = client
        .walk(&format!("/2/users/{me}/following"), &[], "pagination_token")
        .await;
    (me, following[0].clone())
}

#[tokio::test]
async fn a_message_is_sent_read_and_deleted() {
    let world = World::start().await;
    let client = world.client("read_write_dm").await;
    let (me, other) = friend(&client).await;
    let target = format!("/2/dm_conversations/with/{other}/messages");
    let sent = client
        .post(&target, json!({ "text": "Your order is on its way & paid" }))
        .await
        .expect(201);
    let event = sent["data"]["dm_event_id"].as_str().unwrap();
    let conversation = sent["data"]["dm_conversation_id"].as_str().unwrap();
    let mut pair: Vec<u64> = [&me, &other].iter().map(|id| id.parse().unwrap()).collect();
    pair.sort_unstable();
    assert_eq!(conversation, format!("{}-{}", pair[0], pair[1]));

    let by_id = format!("/2/dm_conversations/{conversation}/messages");
    client.post(&by_id, json!({ "text": "Second" })).await.expect(201);
    let fields =
        "dm_event.fields=sender_id,created_at,dm_conversation_id,participant_ids&expansions=sender_id";
    let read = client
        .get(&format!("/2/dm_events/{event}?{fields}"))
        .await
        .expect(200);
    assert_eq!(read["data"]["text"], "Your order is on its way & paid");
    assert_eq!(read["data"]["event_type"], "MessageCreate");
    assert_eq!(read["data"]["sender_id"], me);
    assert_eq!(read["data"]["participant_ids"].as_array().unwrap().len(), 2);
    assert_eq!(read["includes"]["users"][0]["username"], "tailorbird_demo");
    for path in [
        "/2/dm_events".to_owned(),
        format!("/2/dm_conversations/with/{other}/dm_events"),
        format!("/2/dm_conversations/{conversation}/dm_events"),
    ] {
        let ids = client
            .walk(&path, &[("max_results", "1")], "pagination_token")
            .await;
        assert_eq!(ids.len(), 2, "{path}");
        assert_eq!(ids[1], event, "{path}: newest first");
    }
    let joins = client
        .get("/2/dm_events?event_types=ParticipantsJoin")
        .await
        .expect(200);
    assert_eq!(joins["meta"]["result_count"], 0);
    assert_eq!(
        client.delete(&format!("/2/dm_events/{event}")).await.expect(200),
        json!({ "data": { "deleted": true } })
    );
    assert_eq!(
        client.delete(&format!("/2/dm_events/{event}")).await.problem(404),
        "resource-not-found"
    );
    world.advance(31 * 86_400).await;
    assert_eq!(
        client.get("/2/dm_events").await.expect(200)["meta"]["result_count"],
        0
    );
}

#[tokio::test]
async fn groups_are_opened_and_answered_to() {
    let world = World::start().await;
    let client = world.client("read_write_dm").await;
    let me = client.own_id().await;
    let others = client
        .walk(&format!("/2/users/{me}/followers"), &[], "pagination_token")
        .await;
    let body = json!({
        "conversation_type": "Group", "participant_ids": &others[..2], "message": { "text": "Fair next week" },
    });
    let opened = client.post("/2/dm_conversations", body).await.expect(201);
    let conversation = opened["data"]["dm_conversation_id"].as_str().unwrap();
    client
        .post(
            &format!("/2/dm_conversations/{conversation}/messages"),
            json!({ "text": "Stand 17" }),
        )
        .await
        .expect(201);
    let events = client
        .get(&format!(
            "/2/dm_conversations/{conversation}/dm_events?dm_event.fields=participant_ids"
        ))
        .await;
    let events = events.expect(200);
    assert_eq!(events["meta"]["result_count"], 2);
    assert_eq!(events["data"][0]["participant_ids"].as_array().unwrap().len(), 3);
    let short =
        json!({ "conversation_type": "Group", "participant_ids": [others[0]], "message": { "text": "x" } });
    let faults = client.post("/2/dm_conversations", short).await.faults();
    assert_eq!(
        faults,
        ["$.participant_ids: there must be a minimum of 2 items in the array"]
    );
}

#[tokio::test]
async fn messages_that_cannot_be_sent_are_refused_with_the_reason() {
    let world = World::start().await;
    let client = world.client("read_write_dm").await;
    let (me, other) = friend(&client).await;
    let to = |id: &str| format!("/2/dm_conversations/with/{id}/messages");
    let hello = json!({ "text": "Hello" });
    assert_eq!(
        client.post(&to("17"), hello.clone()).await.problem(404),
        "resource-not-found"
    );
    client.post(&to(&me), hello.clone()).await.expect(403);
    client
        .post("/2/dm_conversations/17-18/messages", hello)
        .await
        .expect(403);
    let faults = client.post(&to(&other), json!({})).await.faults();
    assert_eq!(
        faults,
        ["$.text: one of `text` and `attachments` is required and can not be empty"]
    );
    let faults = client
        .post(&to(&other), json!({ "text": "x".repeat(10_001) }))
        .await
        .faults();
    assert_eq!(faults, ["$.text: must be at most 10000 characters long"]);
    let faults = client
        .post(
            &to(&other),
            json!({ "text": "a", "attachments": [{ "media_id": "17" }] }),
        )
        .await
        .faults();
    assert_eq!(faults, ["Your media IDs are invalid."]);
}
