//! Each refusal: X's answer to the client, and the true reason in the log.

use serde_json::{Value, json};
use tailorbird_oauth::SignatureMethod;

use crate::client::{Answer, Client, Provider, exchange};

/// Checks the answer to an API call in both versions, and that the log says why.
async fn refused(provider: &Provider, client: &Client, legacy: (u16, u64), why: &str) {
    let answer = client.get("/2/users/me").await;
    assert_eq!(answer.status, 401, "{why}: {}", answer.text());
    let problem =
        json!({ "title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized" });
    assert_eq!(answer.json(), problem);
    assert_eq!(answer.header("x-access-level"), None);
    let logged = provider.newest().await;
    assert_eq!(logged["verified"], false);
    let verdict = logged["verdict"].as_str().unwrap();
    assert!(verdict.contains(why), "wanted {why:?}, got {verdict:?}");
    let answer = client.get("/1.1/account/verify_credentials.json").await;
    assert_eq!(
        (
            answer.status,
            answer.json()["errors"][0]["code"].as_u64().unwrap()
        ),
        legacy,
        "{why}"
    );
}

#[tokio::test]
async fn every_wrong_signature_is_named() {
    let provider = Provider::fresh().await;
    let good = provider.authorized("read_write").await;
    let (token, secret) = good.token.clone().unwrap();
    assert_eq!(good.get("/2/users/me").await.status, 200);

    let swapped = Client {
        key: good.secret.clone(),
        secret: good.key.clone(),
        ..good.clone()
    };
    refused(&provider, &swapped, (401, 32), "swapped").await;
    let unknown = Client {
        key: "nobodyskey".to_owned(),
        ..good.clone()
    };
    refused(
        &provider,
        &unknown,
        (401, 32),
        "no application has this client key",
    )
    .await;
    let spaced = Client {
        secret: format!("{} ", good.secret),
        ..good.clone()
    };
    refused(&provider, &spaced, (401, 32), "white space around it").await;
    let wrong = Client {
        secret: "something else".to_owned(),
        ..good.clone()
    };
    refused(&provider, &wrong, (401, 32), "another one altogether").await;
    let newline = good.with_token(&token, &format!("{secret}\n"));
    refused(&provider, &newline, (401, 32), "white space around it").await;
    let unknown_token = good.with_token("17-nothing", &secret);
    refused(&provider, &unknown_token, (401, 89), "never given out").await;
    let rsa_named = Client {
        method: SignatureMethod::Plaintext,
        secret: "x".to_owned(),
        ..good.clone()
    };
    refused(
        &provider,
        &rsa_named,
        (401, 32),
        "PLAINTEXT signature is not the one",
    )
    .await;
    let no_token = Client {
        token: None,
        ..good.clone()
    };
    refused(&provider, &no_token, (400, 215), "no oauth_token").await;

    let late = Client {
        offset_s: -412,
        ..good.clone()
    };
    refused(&provider, &late, (401, 135), "seconds behind").await;
    let early = Client {
        offset_s: 412,
        ..good.clone()
    };
    refused(&provider, &early, (401, 135), "seconds ahead").await;
    let just_right = Client {
        offset_s: -280,
        ..good.clone()
    };
    assert_eq!(just_right.get("/2/users/me").await.status, 200);
}

#[tokio::test]
async fn the_request_tokens_secret_with_the_access_token_is_named() {
    let provider = Provider::fresh().await;
    let client = provider.application("read_write", &[]).await;
    let temporary = client.temporary().await;
    let pin = provider.approve(&temporary).await;
    let good = client.exchange_verifier(&temporary, &pin).await;
    // X's own Python SDK does this after the flow.
    let mixed = good.with_token(
        &good.token.as_ref().unwrap().0,
        &temporary.token.as_ref().unwrap().1,
    );
    refused(
        &provider,
        &mixed,
        (401, 32),
        "temporary credentials (request token)",
    )
    .await;
    let temporary_as_access = temporary.clone();
    refused(
        &provider,
        &temporary_as_access,
        (401, 89),
        "request token (temporary credentials) was used",
    )
    .await;
}

#[tokio::test]
async fn a_replayed_request_is_refused_and_named() {
    let provider = Provider::fresh().await;
    let client = provider.authorized("read_write").await;
    let bytes = client.signed("http", "GET", "/2/users/me", None, &[]);
    let send = || async {
        exchange(
            tokio::net::TcpStream::connect(provider.address).await.unwrap(),
            &bytes,
        )
        .await
    };
    assert_eq!(send().await.status, 200);
    assert_eq!(send().await.status, 401);
    assert!(
        provider.newest().await["verdict"]
            .as_str()
            .unwrap()
            .contains("replay")
    );
}

#[tokio::test]
async fn unsigned_calls_get_xs_shapes() {
    let provider = Provider::fresh().await;
    assert_eq!(provider.send("GET", "/2/users/me", &[], b"").await.status, 401);
    let answer = provider
        .send("GET", "/1.1/account/verify_credentials.json", &[], b"")
        .await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        json!({ "errors": [{ "code": 215, "message": "Bad Authentication data." }] })
    );
    let bearer = [("Authorization", "Bearer AAAA-canary")];
    assert_eq!(
        provider.send("GET", "/2/users/me", &bearer, b"").await.status,
        401
    );
    let logged = provider.newest().await;
    assert!(logged["verdict"].as_str().unwrap().contains("bearer token"));
    assert!(!logged.to_string().contains("canary"));
}

#[tokio::test]
async fn forms_that_the_rfc_forbids_are_named() {
    let provider = Provider::fresh().await;
    let client = provider.authorized("read").await;
    let key = &client.key;
    let now = jiff::Timestamp::now().as_second();
    let token = &client.token.as_ref().unwrap().0;
    let good = format!(
        "OAuth oauth_consumer_key=\"{key}\", oauth_token=\"{token}\", oauth_timestamp=\"{now}\", oauth_nonce=\"n1\""
    );
    let cases = [
        (
            "oauth_signature_method=\"RSA-SHA1\", oauth_signature=\"AAAA\"",
            "keeps none; valid here are HMAC-SHA1",
        ),
        (
            "oauth_signature_method=\"HMAC-MD5\", oauth_signature=\"AAAA\"",
            "HMAC-MD5",
        ),
        (
            "oauth_signature_method=\"HMAC-SHA1\"",
            "oauth_signature is missing",
        ),
        (
            "oauth_signature_method=\"HMAC-SHA1\", oauth_signature=\"a\", oauth_version=\"1.0A\"",
            "1.0A",
        ),
        (
            "oauth_signature_method=\"HMAC-SHA1\", oauth_signature=\"a\", oauth_nonce=\"n2\"",
            "more than once",
        ),
        (
            "oauth_signature_method=\"HMAC-SHA1\", oauth_signature=\"***\"",
            "not base64",
        ),
    ];
    for (rest, why) in cases {
        let authorization = format!("{good}, {rest}");
        let answer = provider
            .send("GET", "/2/users/me", &[("Authorization", &authorization)], b"")
            .await;
        assert_eq!(answer.status, 401, "{rest}");
        let verdict = reason(&provider).await;
        assert!(verdict.contains(why), "wanted {why:?}, got {verdict:?}");
    }
    let answer = provider
        .send("GET", "/2/users/me", &[("Authorization", "OAuth nonsense")], b"")
        .await;
    assert_eq!(answer.status, 401);
    assert!(reason(&provider).await.starts_with("Refused: "));
}

#[tokio::test]
async fn tokens_of_others_and_spoilt_tokens_are_named() {
    let provider = Provider::fresh().await;
    let one = provider.authorized("read").await;
    let other = provider.authorized("read").await;
    let stolen = Client {
        key: other.key.clone(),
        secret: other.secret.clone(),
        ..one.clone()
    };
    refused(&provider, &stolen, (401, 89), "given to another application").await;
    let text = format!("{} ", one.token.as_ref().unwrap().0);
    let spaced = one.with_token(&text, &one.token.as_ref().unwrap().1);
    refused(&provider, &spaced, (401, 89), "token has white space").await;
}

fn xml(answer: &Answer, code: u32) {
    let text = answer.text();
    assert!(
        text.starts_with("<?xml") && text.contains(&format!("<error code=\"{code}\">")),
        "{text}"
    );
}

#[tokio::test]
async fn request_token_refuses_in_xml() {
    let provider = Provider::fresh().await;
    let without = provider.application("read", &[]).await;
    let answer = without.request_token("http://127.0.0.1:7082/cb").await;
    assert_eq!(answer.status, 401);
    xml(&answer, 417);
    let with = provider.application("read", &["http://127.0.0.1:7082/cb"]).await;
    for callback in [
        "http://127.0.0.1:7082/cb/",
        "http://localhost:7082/cb",
        "HTTP://127.0.0.1:7082/cb",
        "http://127.0.0.1:7082/c",
    ] {
        let answer = with.request_token(callback).await;
        assert_eq!(answer.status, 403, "{callback}");
        xml(&answer, 415);
        let verdict = provider.newest().await["verdict"].as_str().unwrap().to_owned();
        assert!(
            verdict.contains(callback) && verdict.contains("registered are: http://127.0.0.1:7082/cb"),
            "{verdict}"
        );
    }
    assert_eq!(with.request_token("http://127.0.0.1:7082/cb").await.status, 200);
    assert_eq!(with.request_token("oob").await.status, 200);
    let answer = Client {
        secret: "wrong".to_owned(),
        ..with.clone()
    }
    .request_token("oob")
    .await;
    assert_eq!(answer.status, 401);
    xml(&answer, 32);
    let answer = Client {
        offset_s: 3_600,
        ..with.clone()
    }
    .request_token("oob")
    .await;
    xml(&answer, 135);
    let answer = with.call("POST", "/oauth/request_token", None, &[]).await;
    assert_eq!(answer.status, 400);
    xml(&answer, 215);
}

async fn reason(provider: &Provider) -> String {
    provider.newest().await["verdict"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn access_token_refuses_in_plain_text() {
    let provider = Provider::fresh().await;
    let client = provider.application("read", &[]).await;
    let temporary = client.temporary().await;
    let bad_verifier = "Error processing your OAuth request: Invalid oauth_verifier parameter";
    let answer = temporary.access_token("1234567").await;
    assert_eq!((answer.status, answer.text().as_str()), (401, bad_verifier));
    assert!(reason(&provider).await.contains("nobody has approved"));
    let pin = provider.approve(&temporary).await;
    let wrong = if pin == "1234567" { "7654321" } else { "1234567" };
    let answer = temporary.access_token(wrong).await;
    assert_eq!((answer.status, answer.text().as_str()), (401, bad_verifier));
    let forged = Client {
        secret: "wrong".to_owned(),
        ..temporary.clone()
    }
    .access_token(&pin)
    .await;
    assert_eq!(
        (forged.status, forged.text().as_str()),
        (401, "Failed to validate oauth signature and token")
    );
    // The right PIN still works after a wrong one, once.
    assert_eq!(temporary.access_token(&format!(" {pin} ")).await.status, 200);
    let answer = temporary.access_token(&pin).await;
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (401, "Invalid request token.")
    );
    assert!(reason(&provider).await.contains("already exchanged"));
    let unknown = client.with_token("neverheardof", "x").access_token(&pin).await;
    assert_eq!(
        (unknown.status, unknown.text().as_str()),
        (401, "Reverse auth credentials are invalid")
    );
}

#[tokio::test]
async fn ten_wrong_pins_void_the_request_token() {
    let provider = Provider::fresh().await;
    let temporary = provider.application("read", &[]).await.temporary().await;
    let pin = provider.approve(&temporary).await;
    for _ in 0..10 {
        assert_eq!(temporary.access_token("x").await.status, 401);
    }
    let answer = temporary.access_token(&pin).await;
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (401, "Invalid request token.")
    );
}

#[tokio::test]
async fn temporary_credentials_expire_after_ten_minutes() {
    let provider = Provider::fresh().await;
    let temporary = provider.application("read", &[]).await.temporary().await;
    let pin = provider.approve(&temporary).await;
    provider.admin("POST", "clock", json!({ "advance_s": 600 })).await;
    let answer = Client {
        offset_s: 600,
        ..temporary.clone()
    }
    .access_token(&pin)
    .await;
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (401, "Invalid / expired Token")
    );
    let body = json!({ "oauth_token": temporary.token.unwrap().0 }).to_string();
    let answer = provider
        .send("POST", "/_sandbox/approve", &[], body.as_bytes())
        .await;
    assert_eq!(answer.status, 409);
    assert!(
        answer.json()["error"]["detail"]
            .as_str()
            .unwrap()
            .contains("expired")
    );
}

#[tokio::test]
async fn a_deciding_race_is_won_once() {
    let provider = Provider::fresh().await;
    let temporary = provider.application("read", &[]).await.temporary().await;
    let pin = provider.approve(&temporary).await;
    let attempts = (0..8).map(|_| {
        let (temporary, pin) = (temporary.clone(), pin.clone());
        tokio::spawn(async move { temporary.access_token(&pin).await.status })
    });
    let mut won = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        won += u32::from(attempt.await.unwrap() == 200);
    }
    assert_eq!(won, 1);
    assert_ne!(
        provider
            .admin("GET", "requests", Value::Null)
            .await
            .as_array()
            .unwrap()
            .len(),
        0
    );
}
