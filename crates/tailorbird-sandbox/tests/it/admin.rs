//! `/_sandbox/` as the documentation promises it, and who may talk to it.

use serde_json::{Value, json};

use crate::client::{Provider, exchange, request};

#[tokio::test]
async fn the_index_names_every_endpoint() {
    let provider = Provider::fresh().await;
    let index = provider.admin("GET", "", Value::Null).await;
    let paths: Vec<&str> = index["endpoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["path"].as_str().unwrap())
        .collect();
    for path in [
        "apps",
        "apps/KEY",
        "approve",
        "posts",
        "requests",
        "clock",
        "faults",
        "duplicates",
    ] {
        assert!(paths.contains(&path), "{path}");
    }
    assert_eq!(
        index["addresses"]["portal"],
        format!("http://{}", provider.address)
    );
    assert_eq!(index["addresses"]["tls"], Value::Null);
    assert_eq!(
        index["addresses"]["admin"],
        format!("http://{}/_sandbox/", provider.address)
    );
    let missing = provider.send("GET", "/_sandbox/nothing", &[], b"").await;
    assert_eq!(
        (missing.status, &missing.json()["error"]["code"]),
        (404, &json!("SANDBOX-020"))
    );
    assert_eq!(
        provider.send("DELETE", "/_sandbox/apps", &[], b"").await.status,
        405
    );
}

#[tokio::test]
async fn bad_input_is_answered_with_what_is_valid() {
    let provider = Provider::fresh().await;
    let cases = [
        ("apps", "{", "SANDBOX-022"),
        ("apps", r#"{"name":"x","colour":"red"}"#, "SANDBOX-022"),
        ("apps", r#"{"name":"x","level":"write"}"#, "SANDBOX-022"),
        ("apps", r#"{"name":"  "}"#, "SANDBOX-023"),
        (
            "apps",
            r#"{"name":"x","callbacks":["http://a.example/?x=1"]}"#,
            "SANDBOX-023",
        ),
        (
            "apps",
            r#"{"name":"x","callbacks":["javascript:alert(1)"]}"#,
            "SANDBOX-023",
        ),
        ("apps", r#"{"name":"x","callbacks":["not a url"]}"#, "SANDBOX-023"),
        ("apps/nokey", r#"{"level":"read"}"#, "SANDBOX-024"),
        ("approve", r#"{"oauth_token":"unknown"}"#, "SANDBOX-027"),
        (
            "approve",
            r#"{"oauth_token":"x","account":"nobody"}"#,
            "SANDBOX-026",
        ),
        ("clock", r#"{"advance_s":-1}"#, "SANDBOX-023"),
        ("clock", r#"{"advance_s":9000000000}"#, "SANDBOX-023"),
        ("faults", r#"[{"match":"/2/tweets","do":"cut"}]"#, "SANDBOX-023"),
        (
            "faults",
            r#"[{"match":"POST /2/tweets","do":"explode"}]"#,
            "SANDBOX-022",
        ),
        (
            "faults",
            r#"[{"match":"POST /2/tweets","nth":0,"do":"cut"}]"#,
            "SANDBOX-023",
        ),
        (
            "faults",
            r#"[{"match":"POST /2/tweets","do":"delay","seconds":601}]"#,
            "SANDBOX-023",
        ),
        ("duplicates", r#"{"refuse":"no"}"#, "SANDBOX-022"),
    ];
    for (path, body, code) in cases {
        let answer = provider
            .send("POST", &format!("/_sandbox/{path}"), &[], body.as_bytes())
            .await;
        let error = &answer.json()["error"];
        assert!(
            (400..500).contains(&answer.status) && error["code"] == code,
            "{path} {body}: {error}"
        );
        for member in ["message", "detail", "hint"] {
            assert!(!error[member].as_str().unwrap().is_empty(), "{path} {body}");
        }
    }
}

#[tokio::test]
async fn applications_are_made_shown_and_changed() {
    let provider = Provider::fresh().await;
    let client = provider.application("read", &["http://127.0.0.1:7082/cb"]).await;
    let shown = provider
        .admin("GET", &format!("apps/{}", client.key), Value::Null)
        .await;
    assert_eq!(
        (&shown["level"], &shown["callbacks"][0]),
        (&json!("read"), &json!("http://127.0.0.1:7082/cb"))
    );
    assert!(shown.get("client_secret").is_none());
    let path = format!("apps/{}", client.key);
    let changed = provider
        .admin("POST", &path, json!({ "level": "read_write_dm" }))
        .await;
    assert_eq!(
        (&changed["level"], &changed["name"]),
        (&json!("read_write_dm"), &json!("Product news"))
    );
    assert_eq!(
        provider
            .admin("GET", "apps", Value::Null)
            .await
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn posts_counts_what_was_ever_accepted_and_what_was_refused_as_duplicate() {
    let provider = Provider::fresh().await;
    let before = provider.admin("GET", "posts", Value::Null).await;
    assert_eq!(
        before,
        json!({ "accepted": 0, "refused_duplicates": 0, "posts": [] }),
        "seeded posts do not count"
    );
    let client = provider.authorized("read_write").await;
    let id = client.post("Tea & <biscuits>").await.json()["data"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(client.post("Tea & <biscuits>").await.status, 403);
    assert_eq!(
        client
            .call("DELETE", &format!("/2/tweets/{id}"), None, &[])
            .await
            .status,
        200
    );
    let counted = provider.admin("GET", "posts", Value::Null).await;
    assert_eq!(
        (&counted["accepted"], &counted["refused_duplicates"]),
        (&json!(1), &json!(1))
    );
    let post = &counted["posts"][0];
    assert_eq!((&post["id"], &post["deleted"]), (&json!(id), &json!(true)));
    assert_eq!(
        (&post["account"], &post["original_text"]),
        (&json!("tailorbird_demo"), &json!("Tea & <biscuits>"))
    );
    assert_eq!(post["text"], "Tea &amp; &lt;biscuits&gt;");

    provider
        .admin("POST", "duplicates", json!({ "refuse": false }))
        .await;
    for _ in 0..2 {
        assert_eq!(client.post("Twice").await.status, 201);
    }
    assert_eq!(provider.admin("GET", "posts", Value::Null).await["accepted"], 3);
    assert_eq!(
        provider.admin("GET", "duplicates", Value::Null).await,
        json!({ "refuse": false })
    );
}

#[tokio::test]
async fn the_clock_moves_forward_everywhere() {
    let provider = Provider::fresh().await;
    let client = provider.authorized("read_write").await;
    let before = provider.send("GET", "/_sandbox/clock", &[], b"").await;
    let moved = provider
        .admin("POST", "clock", json!({ "advance_s": 86_400 }))
        .await;
    assert_eq!(moved["ahead_s"], 86_400);
    let after = provider.send("GET", "/_sandbox/clock", &[], b"").await;
    assert_ne!(
        before.header("date").unwrap()[..16],
        after.header("date").unwrap()[..16],
        "the Date header moved a day"
    );
    let late = client.get("/2/users/me").await;
    assert_eq!(late.status, 401, "the client's clock is a day behind now");
    let ahead = crate::client::Client {
        offset_s: 86_400,
        ..client
    };
    assert_eq!(ahead.post("Tomorrow").await.status, 201);
}

#[tokio::test]
async fn other_names_and_other_sites_are_turned_away() {
    let provider = Provider::fresh().await;
    for host in ["evil.example", "127.0.0.1.evil.example:80", "api.x.com"] {
        for path in ["/", "/_sandbox/posts", "/2/users/me"] {
            let stream = tokio::net::TcpStream::connect(provider.address).await.unwrap();
            let answer = exchange(stream, &request("GET", path, host, &[], b"")).await;
            assert_eq!(
                (answer.status, &answer.json()["error"]["code"]),
                (403, &json!("SANDBOX-001")),
                "{host}{path}"
            );
        }
    }
    let origin = [("Origin", "http://evil.example")];
    let answer = provider
        .send("POST", "/_sandbox/clock", &origin, br#"{"advance_s":1}"#)
        .await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (403, &json!("SANDBOX-002"))
    );
    assert_eq!(provider.admin("GET", "clock", Value::Null).await["ahead_s"], 0);
}

#[tokio::test]
async fn other_sites_cannot_load_these_answers() {
    let provider = Provider::fresh().await;
    for path in ["/_sandbox/", "/_sandbox/apps", "/_sandbox/nothing"] {
        let answer = provider.send("GET", path, &[], b"").await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(
            answer.header("cross-origin-resource-policy"),
            Some("same-origin"),
            "{path}"
        );
    }
}
