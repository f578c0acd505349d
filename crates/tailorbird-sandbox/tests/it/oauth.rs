//! The flow, in every method and placement, and what tokens may do afterwards.

use serde_json::{Value, json};
use tailorbird_oauth::{Placement, SignatureMethod};
use tailorbird_sandbox::{Settings, Verify};

use crate::client::{FORM, Provider, provider};

#[tokio::test]
async fn the_whole_flow_works_in_every_method_with_secrets_and_every_placement() {
    let provider = Provider::fresh().await;
    let methods = [
        SignatureMethod::HmacSha1,
        SignatureMethod::HmacSha256,
        SignatureMethod::HmacSha512,
        SignatureMethod::Plaintext,
    ];
    for method in methods {
        for placement in Placement::all() {
            let mut client = provider.application("read_write", &[]).await;
            client.method = method;
            client.placement = placement;
            let temporary = client.temporary().await;
            let pin = provider.approve(&temporary).await;
            assert!(
                pin.len() == 7 && pin.bytes().all(|byte| byte.is_ascii_digit()),
                "{pin}"
            );
            let client = client.exchange_verifier(&temporary, &pin).await;
            let answer = client.get("/2/users/me").await;
            assert_eq!(answer.status, 200, "{method} {placement}: {}", answer.text());
            assert_eq!(answer.header("x-access-level"), Some("read-write"));
            assert_eq!(answer.json()["data"]["username"], "tailorbird_demo");
        }
    }
}

#[tokio::test]
async fn answers_of_the_flow_look_like_xs() {
    let provider = Provider::fresh().await;
    let client = provider.application("read", &[]).await;
    let answer = client.request_token("oob").await;
    assert_eq!(answer.header("content-type"), Some("text/html;charset=utf-8"));
    let temporary = client.temporary().await;
    let pin = provider.approve(&temporary).await;
    let answer = temporary.access_token(&pin).await;
    assert_eq!(answer.header("content-type"), Some("text/html;charset=utf-8"));
    let account = answer.form("user_id");
    assert!(answer.form("oauth_token").starts_with(&format!("{account}-")));
    assert_eq!(answer.form("screen_name"), "tailorbird_demo");
    let newest = provider.newest().await;
    assert_eq!(newest["path"], "/oauth/access_token");
    assert_eq!(newest["verified"], true);
    assert!(
        newest["verdict"]
            .as_str()
            .unwrap()
            .contains("@tailorbird_demo at level \"Read only\""),
        "{newest}"
    );
    assert!(
        newest["base_string"]
            .as_str()
            .unwrap()
            .starts_with("POST&http%3A%2F%2F127.0.0.1")
    );
    assert!(newest["steps"].as_array().unwrap().len() >= 5);
    let logged = provider.admin("GET", "requests", Value::Null).await.to_string();
    for secret in [
        &client.secret,
        &temporary.token.as_ref().unwrap().1,
        &answer.form("oauth_token_secret"),
    ] {
        assert!(!logged.contains(secret.as_str()));
    }
}

#[tokio::test]
async fn a_get_gives_temporary_credentials_too() {
    let provider = Provider::fresh().await;
    let client = provider.application("read", &[]).await;
    let answer = client
        .call("GET", "/oauth/request_token", None, &[("oauth_callback", "oob")])
        .await;
    assert_eq!(answer.status, 200);
    let answer = client
        .call(
            "DELETE",
            "/oauth/request_token",
            None,
            &[("oauth_callback", "oob")],
        )
        .await;
    assert_eq!(answer.status, 405);
}

#[tokio::test]
async fn a_callback_comes_back_with_token_verifier_and_only_state() {
    let provider = Provider::fresh().await;
    let registered = "http://127.0.0.1:7082/oauth/callback";
    let client = provider.application("read_write", &[registered]).await;
    let temporary = client
        .temporary_for(&format!("{registered}?state=a%26b&cid=9"))
        .await;
    let token = temporary.token.as_ref().unwrap().0.clone();
    let approved = provider
        .admin(
            "POST",
            "approve",
            json!({ "oauth_token": token, "account": "@priya_raman" }),
        )
        .await;
    let verifier = approved["verifier"].as_str().unwrap();
    assert_eq!(
        verifier.len(),
        32,
        "a redirect needs no PIN that a person can type"
    );
    assert_eq!(
        approved["redirect"],
        format!("{registered}?state=a%26b&oauth_token={token}&oauth_verifier={verifier}")
    );
    let again = provider
        .admin(
            "POST",
            "approve",
            json!({ "oauth_token": token, "account": "priya_raman" }),
        )
        .await;
    assert_eq!(again["verifier"], verifier, "a double click changes nothing");
    let answer = temporary.access_token(verifier).await;
    assert_eq!(answer.form("screen_name"), "priya_raman");
}

#[tokio::test]
async fn a_denied_request_says_so_in_the_redirect_and_is_void() {
    let provider = Provider::fresh().await;
    let client = provider.application("read", &["http://127.0.0.1:7082/cb/"]).await;
    let temporary = client.temporary_for("http://127.0.0.1:7082/cb/").await;
    let token = temporary.token.as_ref().unwrap().0.clone();
    let denied = provider
        .admin("POST", "approve", json!({ "oauth_token": token, "deny": true }))
        .await;
    assert_eq!(
        denied,
        json!({ "denied": true, "redirect": format!("http://127.0.0.1:7082/cb/?denied={token}") })
    );
    let answer = temporary.access_token("1234567").await;
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (401, "Invalid request token.")
    );
    assert!(
        provider.newest().await["verdict"]
            .as_str()
            .unwrap()
            .contains("denied")
    );
}

#[tokio::test]
async fn a_token_keeps_its_level_when_the_application_changes_its() {
    let provider = Provider::fresh().await;
    let client = provider.application("read", &[]).await;
    let temporary = client.temporary().await;
    let pin = provider.approve(&temporary).await;
    // Granted at "read"; raised before the exchange: what the person saw counts.
    provider
        .admin(
            "POST",
            &format!("apps/{}", client.key),
            json!({ "level": "read_write" }),
        )
        .await;
    let reader = client.exchange_verifier(&temporary, &pin).await;
    let answer = reader.post("Not yet").await;
    assert_eq!(
        (answer.status, answer.header("x-access-level")),
        (403, Some("read"))
    );
    assert!(
        answer.json()["type"]
            .as_str()
            .unwrap()
            .ends_with("/oauth1-permissions")
    );
    assert!(
        provider.newest().await["verdict"]
            .as_str()
            .unwrap()
            .contains("authorize again")
    );

    let temporary = client.temporary().await;
    let pin = provider.approve(&temporary).await;
    let writer = client.exchange_verifier(&temporary, &pin).await;
    assert_eq!(writer.post("Now").await.status, 201);
    let conversations = writer.get("/2/dm_events").await;
    assert_eq!(
        (conversations.status, conversations.header("x-access-level")),
        (403, Some("read-write"))
    );
    assert_eq!(
        reader.get("/2/users/me").await.header("x-access-level"),
        Some("read")
    );

    provider
        .admin(
            "POST",
            &format!("apps/{}", client.key),
            json!({ "level": "read_write_dm" }),
        )
        .await;
    assert_eq!(writer.get("/2/dm_events").await.status, 403);
    let temporary = client.temporary().await;
    let pin = provider.approve(&temporary).await;
    let all = client.exchange_verifier(&temporary, &pin).await;
    let answer = all.get("/2/dm_events").await;
    assert_eq!(
        (answer.status, answer.header("x-access-level")),
        (200, Some("read-write-directmessages"))
    );
}

#[tokio::test]
async fn less_can_be_asked_for_than_the_application_may_never_more() {
    let provider = Provider::fresh().await;
    for (has, asks, gets) in [
        ("read_write", "read", "read"),
        ("read", "write", "read"),
        ("read_write_dm", "write", "read-write"),
    ] {
        let client = provider.application(has, &[]).await;
        let target = format!("/oauth/request_token?x_auth_access_type={asks}");
        let answer = client
            .call("POST", &target, None, &[("oauth_callback", "oob")])
            .await;
        let temporary = client.with_token(&answer.form("oauth_token"), &answer.form("oauth_token_secret"));
        let pin = provider.approve(&temporary).await;
        let client = client.exchange_verifier(&temporary, &pin).await;
        assert_eq!(
            client.get("/2/users/me").await.header("x-access-level"),
            Some(gets),
            "{has} {asks}"
        );
    }
}

#[tokio::test]
async fn an_invalidated_token_is_dead_at_once() {
    let provider = Provider::fresh().await;
    let client = provider.authorized("read_write").await;
    let answer = client
        .call("POST", "/1.1/oauth/invalidate_token.json", None, &[])
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({ "access_token": client.token.as_ref().unwrap().0 })
    );
    let answer = client.get("/1.1/account/verify_credentials.json").await;
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.json(),
        json!({ "errors": [{ "code": 89, "message": "Invalid or expired token." }] })
    );
    assert_eq!(client.get("/2/users/me").await.status, 401);
    assert!(
        provider.newest().await["verdict"]
            .as_str()
            .unwrap()
            .contains("invalidate_token")
    );
}

#[tokio::test]
async fn lenient_lets_pass_what_xs_own_clients_send_and_strict_does_not() {
    for (verify, status) in [(Verify::Strict, 401), (Verify::Lenient, 200)] {
        let provider = provider(Settings {
            verify,
            ..Settings::default()
        })
        .await;
        let client = provider.application("read_write", &[]).await;
        // The callback in the form body, everything else in the header (twitter-api-v2).
        let answer = client
            .call(
                "POST",
                "/oauth/request_token",
                Some((FORM, "oauth_callback=oob")),
                &[],
            )
            .await;
        assert_eq!(answer.status, status, "{}", answer.text());
        // The token in header and body, the verifier in the body (twitter-api-v2).
        let temporary = client.temporary().await;
        let pin = provider.approve(&temporary).await;
        let token = temporary.token.as_ref().unwrap().0.clone();
        let body = format!("oauth_verifier={pin}");
        let answer = temporary
            .call("POST", "/oauth/access_token", Some((FORM, &body)), &[])
            .await;
        assert_eq!(answer.status, status, "{}", answer.text());
        // Not signed at all (tools of the field).
        let temporary = client.temporary().await;
        let pin = provider.approve(&temporary).await;
        let unsigned = format!(
            "/oauth/access_token?oauth_token={}&oauth_verifier={pin}",
            temporary.token.unwrap().0
        );
        assert_eq!(provider.send("POST", &unsigned, &[], b"").await.status, status);
        // A call for an access token without any token is a 401 under both.
        let answer = client.call("POST", "/oauth/access_token", None, &[]).await;
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (401, "Reverse auth credentials are invalid")
        );
        assert!(!token.is_empty());
    }
}
