//! Media of v2: the flow in parts, in one request, the older form; then posts that carry them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::api_support::{Client, World};

/// The head of a PNG of 640 by 480 pixels, and some bytes.
fn picture() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR".to_vec();
    bytes.extend_from_slice(&640_u32.to_be_bytes());
    bytes.extend_from_slice(&480_u32.to_be_bytes());
    bytes.extend_from_slice(&[7; 100]);
    bytes
}

async fn initialize(client: &Client<'_>, media_type: &str, category: &str, total: usize) -> Value {
    let body = json!({ "media_type": media_type, "total_bytes": total, "media_category": category });
    client.post("/2/media/upload/initialize", body).await.expect(200)["data"].clone()
}

#[tokio::test]
async fn a_picture_is_uploaded_in_parts_and_posted() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let picture = picture();
    let started = initialize(&client, "image/png", "tweet_image", picture.len()).await;
    let id = started["id"].as_str().unwrap().to_owned();
    assert_eq!(started["media_key"], format!("3_{id}"));
    assert_eq!(started["expires_after_secs"], 86_400);
    let append = format!("/2/media/upload/{id}/append");
    let (one, two) = picture.split_at(60);
    let first = client
        .multipart(&append, &[("segment_index", "0")], Some(one))
        .await
        .expect(200);
    assert!(first["data"]["expires_at"].as_i64().unwrap() > 1_700_000_000);

    let post = json!({ "text": "With a picture", "media": { "media_ids": [id] } });
    let early = client.post("/2/tweets", post.clone()).await;
    assert_eq!(early.faults(), ["Your media IDs are invalid."]);
    let finalize = format!("/2/media/upload/{id}/finalize");
    let incomplete = client.post(&finalize, json!({})).await;
    assert_eq!(
        incomplete.faults(),
        ["Segments do not add up to provided total file size."]
    );

    // The second segment as JSON; the same number again replaces, so a repeated one does no harm.
    let segment = json!({ "segment_index": 1, "media": STANDARD.encode(two) });
    client.post(&append, segment.clone()).await.expect(200);
    client.post(&append, segment).await.expect(200);
    let whole = client.post(&finalize, json!({})).await.expect(200);
    assert_eq!(whole["data"]["size"], picture.len());
    assert_eq!(whole["data"].get("processing_info"), None);

    let described = json!({ "id": id, "metadata": { "alt_text": { "text": "An oak desk" } } });
    client.post("/2/media/metadata", described).await.expect(200);
    let posted = client.post("/2/tweets", post).await.expect(201)["data"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let fields =
        "tweet.fields=attachments&expansions=attachments.media_keys&media.fields=width,height,alt_text,url";
    let read = client
        .get(&format!("/2/tweets/{posted}?{fields}"))
        .await
        .expect(200);
    assert_eq!(
        read["data"]["attachments"]["media_keys"],
        json!([format!("3_{id}")])
    );
    let media = &read["includes"]["media"][0];
    assert_eq!(media["type"], "photo");
    assert_eq!((&media["width"], &media["height"]), (&json!(640), &json!(480)));
    assert_eq!(media["alt_text"], "An oak desk");
}

#[tokio::test]
async fn a_video_is_processed_before_it_can_be_posted() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let started = initialize(&client, "video/mp4", "tweet_video", 4).await;
    let id = started["id"].as_str().unwrap().to_owned();
    assert_eq!(started["media_key"], format!("7_{id}"));
    client
        .multipart(
            &format!("/2/media/upload/{id}/append"),
            &[("segment_index", "0")],
            Some(b"film"),
        )
        .await
        .expect(200);
    let whole = client
        .post(&format!("/2/media/upload/{id}/finalize"), json!({}))
        .await
        .expect(200);
    assert_eq!(
        whole["data"]["processing_info"],
        json!({ "state": "pending", "check_after_secs": 1 })
    );
    let post = json!({ "media": { "media_ids": [id] } });
    assert_eq!(
        client.post("/2/tweets", post.clone()).await.faults(),
        ["Your media IDs are invalid."]
    );
    world.advance(10).await;
    let status = client
        .get(&format!("/2/media/upload?command=STATUS&media_id={id}"))
        .await
        .expect(200);
    assert_eq!(status["data"]["processing_info"]["state"], "succeeded");
    client.post("/2/tweets", post).await.expect(201);
}

#[tokio::test]
async fn one_request_and_the_older_commands_upload_too() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let picture = picture();
    let one = client
        .multipart(
            "/2/media/upload",
            &[("media_category", "tweet_image")],
            Some(&picture),
        )
        .await;
    let one = one.expect(200)["data"]["id"].as_str().unwrap().to_owned();
    let json_body = json!({ "media": STANDARD.encode(&picture), "media_category": "tweet_image" });
    let two = client.post("/2/media/upload", json_body).await.expect(200)["data"]["id"]
        .as_str()
        .unwrap()
        .to_owned();

    let total = picture.len().to_string();
    let init = [
        ("command", "INIT"),
        ("media_type", "image/png"),
        ("total_bytes", total.as_str()),
    ];
    let three = client.multipart("/2/media/upload", &init, None).await.expect(200);
    let three = three["data"]["id"].as_str().unwrap().to_owned();
    let append = [
        ("command", "APPEND"),
        ("media_id", three.as_str()),
        ("segment_index", "0"),
    ];
    client
        .multipart("/2/media/upload", &append, Some(&picture))
        .await
        .expect(200);
    let finalize = [("command", "FINALIZE"), ("media_id", three.as_str())];
    client.form("/2/media/upload", &finalize).await.expect(200);
    let post = json!({ "text": "Three of them", "media": { "media_ids": [one, two, three] } });
    client.post("/2/tweets", post).await.expect(201);
}

#[tokio::test]
async fn uploads_that_break_a_rule_are_refused() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let start = |body: Value| {
        let client = &client;
        async move { client.post("/2/media/upload/initialize", body).await.faults() }
    };
    let wrong = start(json!({ "media_type": "application/pdf", "total_bytes": 10 })).await;
    assert!(
        wrong[0].starts_with("media type unrecognized: [application/pdf]"),
        "{wrong:?}"
    );
    let large = start(json!({ "media_type": "image/png", "total_bytes": 5_242_881 })).await;
    assert_eq!(large, ["File size must be between 1 and 5242880 bytes."]);
    let category =
        start(json!({ "media_type": "image/png", "total_bytes": 1, "media_category": "poster" })).await;
    assert!(
        category[0].starts_with("media_category [poster] is not one of [tweet_image,"),
        "{category:?}"
    );

    let id = initialize(&client, "image/png", "tweet_image", 4).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let append = format!("/2/media/upload/{id}/append");
    let much = client
        .multipart(&append, &[("segment_index", "0")], Some(b"12345"))
        .await;
    assert_eq!(much.faults(), ["File size exceeds the announced total_bytes."]);
    let far = client
        .multipart(&append, &[("segment_index", "1000")], Some(b"1234"))
        .await;
    assert_eq!(far.faults(), ["segment_index must be between 0 and 999."]);
    client
        .multipart(&append, &[("segment_index", "0")], Some(b"1234"))
        .await
        .expect(200);
    let unknown = client.post("/2/media/upload/17/finalize", json!({})).await;
    assert_eq!(
        unknown.faults(),
        ["Invalid mediaId: [17] is unknown, expired or not yours."]
    );
    client
        .post(&format!("/2/media/upload/{id}/finalize"), json!({}))
        .await
        .expect(200);
    let late = client
        .multipart(&append, &[("segment_index", "0")], Some(b"4321"))
        .await;
    assert_eq!(
        late.faults(),
        [format!("Invalid mediaId: [{id}] is finalized already.")]
    );
    world.advance(86_401).await;
    let old = json!({ "text": "Too late", "media": { "media_ids": [id] } });
    assert_eq!(
        client.post("/2/tweets", old).await.faults(),
        ["Your media IDs are invalid."]
    );
}

#[tokio::test]
async fn a_video_goes_alone() {
    let world = World::start().await;
    let client = world.client("read_write").await;
    let picture = client
        .multipart("/2/media/upload", &[], Some(&picture()))
        .await
        .expect(200);
    let film = client
        .multipart("/2/media/upload", &[("media_type", "video/mp4")], Some(b"film"))
        .await
        .expect(200);
    world.advance(10).await;
    let ids = json!([picture["data"]["id"], film["data"]["id"]]);
    let both = client
        .post(
            "/2/tweets",
            json!({ "text": "Both", "media": { "media_ids": ids } }),
        )
        .await;
    assert_eq!(
        both.faults(),
        ["A Tweet can have up to 4 photos, or 1 video, or 1 animated GIF."]
    );
}
