//! API v1.1: statuses, timelines, accounts, messages, people, search, limits, open and closed.

use serde_json::{Value, json};
use tailorbird_sandbox::{LegacyV1, LimitMode, Settings};

use crate::api_support::{Body, Client, World};

fn ids(page: &Value) -> Vec<u64> {
    page.as_array()
        .unwrap()
        .iter()
        .map(|status| status["id"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn a_status_is_published_from_query_or_form_with_and_without_json() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let form = client
        .form("/1.1/statuses/update.json", &[("status", "Tea & cake <now>  ")])
        .await
        .expect(200);
    assert_eq!(form["text"], "Tea &amp; cake &lt;now&gt;");
    assert_eq!(form["id_str"], form["id"].as_u64().unwrap().to_string());
    assert_eq!(form["user"]["screen_name"], "tailorbird_demo");
    let created = form["created_at"].as_str().unwrap();
    assert!(created.contains(" +0000 2") && created.len() == 30, "{created}");

    let query = "/1.1/statuses/update?status=From%20the%20query&tweet_mode=extended&trim_user=true";
    let query = client.call("POST", query, Body::None).await.expect(200);
    assert_eq!(query["full_text"], "From the query");
    assert_eq!(query.get("text"), None);
    assert_eq!(query["user"].as_object().unwrap().len(), 2);

    let id = form["id_str"].as_str().unwrap();
    let shown = client
        .get(&format!("/1.1/statuses/show/{id}.json"))
        .await
        .expect(200);
    assert_eq!(shown["text"], form["text"]);
    assert_eq!(
        client
            .get(&format!("/1.1/statuses/show.json?id={id}"))
            .await
            .expect(200)["id"],
        form["id"]
    );
    let reply = [
        ("status", "@tailorbird_demo indeed"),
        ("in_reply_to_status_id", id),
    ];
    let reply = client.form("/1.1/statuses/update.json", &reply).await.expect(200);
    assert_eq!(reply["in_reply_to_status_id_str"], id);
    assert_eq!(reply["in_reply_to_screen_name"], "tailorbird_demo");
    assert_eq!(reply["entities"]["user_mentions"][0]["indices"], json!([0, 16]));

    let destroyed = client
        .call("POST", &format!("/1.1/statuses/destroy/{id}.json"), Body::None)
        .await
        .expect(200);
    assert_eq!(destroyed["id_str"], id);
    assert_eq!(
        client
            .get(&format!("/1.1/statuses/show/{id}.json"))
            .await
            .code(404),
        144
    );
    assert_eq!(
        client
            .call("POST", &format!("/1.1/statuses/destroy/{id}"), Body::None)
            .await
            .code(404),
        144
    );
}

#[tokio::test]
async fn refused_statuses_have_their_numbers() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let update = |status: String| {
        let client = &client;
        async move {
            client
                .form("/1.1/statuses/update.json", &[("status", &status)])
                .await
        }
    };
    assert_eq!(update(String::new()).await.code(403), 170);
    assert_eq!(update("a".repeat(281)).await.code(403), 186);
    update("Once".to_owned()).await.expect(200);
    let twice = update("Once".to_owned()).await;
    assert_eq!(
        twice.expect(403),
        json!({ "errors": [{ "code": 187, "message": "Status is a duplicate." }] })
    );
    assert_eq!(world.admin("GET", "posts", None).await["refused_duplicates"], 1);
    let pairs = [("status", "x"), ("in_reply_to_status_id", "17")];
    assert_eq!(
        client.form("/1.1/statuses/update.json", &pairs).await.code(403),
        385
    );
    let pairs = [("status", "x"), ("media_ids", "17")];
    assert_eq!(
        client.form("/1.1/statuses/update.json", &pairs).await.code(400),
        324
    );
    let mentions = client
        .get("/1.1/statuses/mentions_timeline.json?count=1")
        .await
        .expect(200);
    let foreign = format!(
        "/1.1/statuses/destroy/{}.json",
        mentions[0]["id_str"].as_str().unwrap()
    );
    assert_eq!(client.call("POST", &foreign, Body::None).await.code(403), 183);
}

#[tokio::test]
async fn a_reading_token_hears_it_in_v1s_own_words() {
    let world = World::start().await;
    let client = world.client("read").await;
    let refused = client.form("/1.1/statuses/update.json", &[("status", "x")]).await;
    assert_eq!(refused.json()["error"], "Read-only application cannot POST.");
    assert_eq!(
        client
            .get("/1.1/direct_messages/events/list.json")
            .await
            .code(403),
        93
    );
}

#[tokio::test]
async fn timelines_are_walked_by_max_id_which_is_inclusive() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let path = "/1.1/statuses/mentions_timeline.json";
    let whole = ids(&client.get(&format!("{path}?count=200")).await.expect(200));
    assert_eq!(whole.len(), 137);
    let mut walked: Vec<u64> = Vec::new();
    loop {
        let bound = walked
            .last()
            .map(|last| format!("&max_id={}", last - 1))
            .unwrap_or_default();
        let page = ids(&client.get(&format!("{path}?count=50{bound}")).await.expect(200));
        if page.is_empty() {
            break;
        }
        walked.extend(page);
    }
    assert_eq!(walked, whole);
    let inclusive = ids(&client
        .get(&format!("{path}?max_id={}&count=1", whole[5]))
        .await
        .expect(200));
    assert_eq!(inclusive, [whole[5]]);
    let since = ids(&client
        .get(&format!("{path}?since_id={}", whole[5]))
        .await
        .expect(200));
    assert_eq!(since, whole[..5]);
    assert_eq!(ids(&client.get(path).await.expect(200)).len(), 20);

    let own = client.publish("From us").await;
    let user = client
        .get("/1.1/statuses/user_timeline.json?screen_name=tailorbird_demo")
        .await
        .expect(200);
    assert_eq!(user[0]["id_str"], own);
    assert_eq!(
        ids(&client.get("/1.1/statuses/home_timeline.json").await.expect(200))[0].to_string(),
        own
    );
    assert_eq!(
        client
            .get("/1.1/statuses/user_timeline.json?screen_name=nobody_here")
            .await
            .code(404),
        50
    );
    assert_eq!(client.get(&format!("{path}?since_id=abc")).await.code(400), 44);
}

#[tokio::test]
async fn the_account_its_settings_and_its_profile() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let me = client
        .get("/1.1/account/verify_credentials.json?include_entities=false")
        .await
        .expect(200);
    assert_eq!(me["screen_name"], "tailorbird_demo");
    assert_eq!(me["id_str"], client.own_id().await);

    let settings = client.get("/1.1/account/settings.json").await.expect(200);
    assert_eq!(settings["language"], "en");
    let change = [
        ("time_zone", "Europe/Berlin"),
        ("sleep_time_enabled", "true"),
        ("start_sleep_time", "22"),
        ("lang", "de"),
    ];
    let changed = client
        .form("/1.1/account/settings.json", &change)
        .await
        .expect(200);
    assert_eq!(changed["time_zone"]["tzinfo_name"], "Europe/Berlin");
    assert_eq!(
        changed["sleep_time"],
        json!({ "enabled": true, "start_time": 22, "end_time": null })
    );
    assert_eq!(client.get("/1.1/account/settings").await.expect(200), changed);
    let bad = client
        .form("/1.1/account/settings.json", &[("time_zone", "Mars/Olympus")])
        .await;
    assert_eq!(bad.code(400), 44);
    assert_eq!(
        client.get("/1.1/account/settings").await.expect(200),
        changed,
        "nothing of a refused change stays"
    );

    let profile = [
        ("name", "Tailorbird Ltd"),
        ("description", "Desks"),
        ("location", "Leeds"),
        ("url", "shop.example"),
    ];
    let profile = client
        .form("/1.1/account/update_profile.json", &profile)
        .await
        .expect(200);
    assert_eq!(
        (&profile["name"], &profile["url"]),
        (&json!("Tailorbird Ltd"), &json!("http://shop.example"))
    );
    let v2 = client
        .get("/2/users/me?user.fields=location,description")
        .await
        .expect(200);
    assert_eq!(
        (&v2["data"]["location"], &v2["data"]["description"]),
        (&json!("Leeds"), &json!("Desks"))
    );
    let long = client
        .form(
            "/1.1/account/update_profile.json",
            &[("description", &"x".repeat(161))],
        )
        .await;
    assert_eq!(long.code(403), 120);
}

#[tokio::test]
async fn direct_messages_are_sent_listed_and_destroyed() {
    let world = World::start().await;
    let client = world.client("read_write_dm").await;
    let friends = client
        .get("/1.1/friends/ids.json?stringify_ids=true")
        .await
        .expect(200);
    let friend = friends["ids"][0].as_str().unwrap();
    let message = |to: &str, text: &str| {
        json!({ "event": { "type": "message_create", "message_create": {
            "target": { "recipient_id": to }, "message_data": { "text": text },
        } } })
    };
    for number in 0..5 {
        let body = message(friend, &format!("Order {number} is on its way"));
        let sent = client
            .post("/1.1/direct_messages/events/new.json", body)
            .await
            .expect(200);
        assert_eq!(sent["event"]["type"], "message_create");
        assert_eq!(sent["event"]["message_create"]["target"]["recipient_id"], friend);
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    for _ in 0..10 {
        let page = client
            .get(&format!("/1.1/direct_messages/events/list.json?count=2{cursor}"))
            .await
            .expect(200);
        seen.extend(
            page["events"]
                .as_array()
                .unwrap()
                .iter()
                .map(|event| event["id"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 5);
    let shown = client
        .get(&format!("/1.1/direct_messages/events/show.json?id={}", seen[0]))
        .await
        .expect(200);
    assert_eq!(
        shown["event"]["message_create"]["message_data"]["text"],
        "Order 4 is on its way"
    );
    let destroy = format!("/1.1/direct_messages/events/destroy.json?id={}", seen[0]);
    assert_eq!(client.delete(&destroy).await.status, 204);
    assert_eq!(client.delete(&destroy).await.code(404), 34);

    let new = "/1.1/direct_messages/events/new.json";
    assert_eq!(client.post(new, message("17", "x")).await.code(404), 108);
    assert_eq!(
        client
            .post(new, message(&client.own_id().await, "x"))
            .await
            .code(403),
        151
    );
    assert_eq!(
        client
            .post(new, message(friend, &"x".repeat(10_001)))
            .await
            .code(403),
        354
    );
    assert_eq!(client.post(new, json!({ "text": "x" })).await.code(400), 214);
}

#[tokio::test]
async fn people_are_shown_and_walked_by_cursors() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let shown = client
        .get("/1.1/users/show.json?screen_name=tailorbird_demo")
        .await
        .expect(200);
    assert!(shown["followers_count"].as_u64().unwrap() >= 12);
    assert_eq!(
        client
            .get("/1.1/users/show.json?screen_name=nobody_here")
            .await
            .code(404),
        50
    );
    assert_eq!(
        client
            .get("/1.1/users/lookup.json?screen_name=nobody_here")
            .await
            .code(404),
        17
    );

    let whole = client.get("/1.1/followers/ids.json").await.expect(200);
    assert_eq!(
        (&whole["next_cursor"], &whole["previous_cursor_str"]),
        (&json!(0), &json!("0"))
    );
    let mut walked = Vec::new();
    let mut cursor = "-1".to_owned();
    let mut last = Value::Null;
    while cursor != "0" {
        last = client
            .get(&format!("/1.1/followers/list.json?count=5&cursor={cursor}"))
            .await
            .expect(200);
        walked.extend(
            last["users"]
                .as_array()
                .unwrap()
                .iter()
                .map(|user| user["id"].clone()),
        );
        last["next_cursor_str"].as_str().unwrap().clone_into(&mut cursor);
    }
    assert_eq!(json!(walked), whole["ids"]);
    let back = last["previous_cursor_str"].as_str().unwrap();
    assert!(back.starts_with('-'));
    let before = client
        .get(&format!("/1.1/followers/ids.json?count=5&cursor={back}"))
        .await
        .expect(200);
    assert_eq!(before["ids"].as_array().unwrap().len(), 5);

    let stranger = walked.last().unwrap().as_u64().unwrap().to_string();
    let followed = client
        .form("/1.1/friendships/create.json", &[("user_id", &stranger)])
        .await
        .expect(200);
    assert_eq!(followed["following"], true);
    let left = client
        .form("/1.1/friendships/destroy.json", &[("user_id", &stranger)])
        .await
        .expect(200);
    assert_eq!(left["following"], false);
}

#[tokio::test]
async fn search_gives_statuses_and_how_to_go_on() {
    let world = World::start().await;
    let client = world.client("read").await;
    let mut walked = Vec::new();
    let mut next = "?q=%40tailorbird_demo&count=50".to_owned();
    loop {
        let page = client
            .get(&format!("/1.1/search/tweets.json{next}"))
            .await
            .expect(200);
        walked.extend(ids(&page["statuses"]));
        match page["search_metadata"]["next_results"].as_str() {
            Some(more) => next = more.to_owned(),
            None => break,
        }
    }
    assert_eq!(walked.len(), 137);
    walked.dedup();
    assert_eq!(walked.len(), 137);
    assert_eq!(client.get("/1.1/search/tweets.json").await.code(400), 25);
    assert_eq!(
        client
            .get("/1.1/search/tweets.json?q=near%3ALeeds")
            .await
            .code(403),
        195
    );
}

async fn upload(client: &Client<'_>) -> String {
    let init = [
        ("command", "INIT"),
        ("total_bytes", "8"),
        ("media_type", "image/png"),
    ];
    let started = client.form("/1.1/media/upload.json", &init).await.expect(202);
    let id = started["media_id_string"].as_str().unwrap().to_owned();
    for (segment, bytes) in [("0", b"abcd"), ("1", b"efgh")] {
        let fields = [
            ("command", "APPEND"),
            ("media_id", id.as_str()),
            ("segment_index", segment),
        ];
        let appended = client
            .multipart("/1.1/media/upload.json", &fields, Some(bytes))
            .await;
        assert_eq!((appended.status, appended.text.as_str()), (204, ""));
    }
    let finalize = [("command", "FINALIZE"), ("media_id", id.as_str())];
    let whole = client.form("/1.1/media/upload.json", &finalize).await.expect(201);
    assert_eq!(whole["size"], 8);
    id
}

#[tokio::test]
async fn media_are_uploaded_in_parts_or_at_once_and_attached() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let one = upload(&client).await;
    let simple = client
        .form("/1.1/media/upload.json", &[("media_data", "iVBORw0KGgo=")])
        .await
        .expect(200);
    let two = simple["media_id_string"].as_str().unwrap();
    let described = json!({ "media_id": one, "alt_text": { "text": "A desk" } });
    assert_eq!(
        client
            .post("/1.1/media/metadata/create.json", described)
            .await
            .status,
        200
    );
    let both = format!("{one},{two}");
    let status = [("status", "Two pictures"), ("media_ids", both.as_str())];
    let status = client
        .form("/1.1/statuses/update.json", &status)
        .await
        .expect(200);
    assert_eq!(status["extended_entities"]["media"].as_array().unwrap().len(), 2);

    let film = client
        .multipart("/1.1/media/upload.json", &[], Some(b"\0\0\0\x18ftypmp42"))
        .await
        .expect(200);
    assert_eq!(film["processing_info"]["state"], "pending");
    world.advance(10).await;
    let id = film["media_id_string"].as_str().unwrap();
    let status = client
        .get(&format!("/1.1/media/upload.json?command=STATUS&media_id={id}"))
        .await
        .expect(200);
    assert_eq!(status["processing_info"]["state"], "succeeded");
    assert_eq!(
        client
            .get("/1.1/media/upload.json?command=STATUS&media_id=17")
            .await
            .code(400),
        325
    );
}

#[tokio::test]
async fn what_is_left_of_the_limits_is_told_by_family() {
    let world = World::with(Settings {
        limits: LimitMode::X,
        ..Settings::default()
    })
    .await;
    let client = world.client("read").await;
    let left = |answer: Value| answer["resources"]["statuses"]["/statuses/mentions_timeline"].clone();
    let target = "/1.1/application/rate_limit_status.json?resources=statuses";
    let before = left(client.get(target).await.expect(200));
    client
        .get("/1.1/statuses/mentions_timeline.json")
        .await
        .expect(200);
    let answer = client.get(target).await.expect(200);
    assert_eq!(answer["resources"].as_object().unwrap().len(), 1);
    assert!(answer["rate_limit_context"]["access_token"].is_string());
    let after = left(answer);
    assert_eq!(
        after["remaining"].as_u64().unwrap() + 1,
        before["remaining"].as_u64().unwrap()
    );
    assert_eq!(after["limit"], before["limit"]);
}

#[tokio::test]
async fn closed_v1_answers_453_but_for_signing_in_and_media() {
    let settings = Settings {
        legacy_v1: LegacyV1::Closed,
        limits: LimitMode::Off,
        ..Settings::default()
    };
    let world = World::with(settings).await;
    let client = world.client("read_write").await;
    client
        .get("/1.1/account/verify_credentials.json")
        .await
        .expect(200);
    let id = upload(&client).await;
    client
        .post(
            "/2/tweets",
            json!({ "text": "By v2", "media": { "media_ids": [id] } }),
        )
        .await
        .expect(201);
    for target in [
        "/1.1/statuses/home_timeline.json",
        "/1.1/account/settings",
        "/1.1/statuses/show/1.json",
        "/1.1/x/y",
    ] {
        assert_eq!(client.get(target).await.code(403), 453, "{target}");
    }
    let refused = client.form("/1.1/statuses/update.json", &[("status", "x")]).await;
    assert_eq!(refused.code(403), 453);
    let message = refused.json()["errors"][0]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        message.starts_with("You currently have access to a subset of X API V2 endpoints"),
        "{message}"
    );
    assert_eq!(world.admin("GET", "posts", None).await["accepted"], 1);
}
