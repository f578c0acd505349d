//! What the pages show: consent by level, requests with their base string, timeline, connect.

use tailorbird_sandbox::{Decision, Level};

use crate::portal_support::{Browser, between, sandbox};

const DESCRIPTION: &str = "Posts new products of the ERP.";
const SITE: &str = "https://shop.example.com";

#[tokio::test]
async fn the_consent_page_says_who_asks_and_what_it_may_do() {
    let running = sandbox().await;
    let mut visitor = running.visitor();
    let callback = "https://erp.example.com/cb";
    let keys = visitor
        .create_application("ERP announcer", DESCRIPTION, SITE, callback)
        .await
        .unwrap();
    let mut browser = Browser::signed_in(&running).await;
    for (level, writes, messages) in [
        (Level::Read, false, false),
        (Level::ReadWrite, true, false),
        (Level::ReadWriteDm, true, true),
    ] {
        visitor.set_level(&keys.client_key, level).await.unwrap();
        let (token, _) = browser.request_token(&keys, callback).await;
        let page = browser
            .get(&format!("/oauth/authorize?oauth_token={token}"))
            .await
            .expect(200)
            .says("Authorize ERP announcer to use your account?")
            .says(DESCRIPTION)
            .says("registered by @tailorbird_demo")
            .says("Signed in as")
            .says(&format!(
                "You will be sent to <span class=\"data wrap\">{callback}</span>"
            ))
            .says(level.portal_words());
        let (able, unable) = page.text.split_once("It will not be able to").unwrap();
        assert_eq!(able.contains("Publish and delete posts"), writes);
        assert_eq!(unable.contains("Publish and delete posts"), !writes);
        assert_eq!(able.contains("direct messages</span></li>"), messages);
        assert!(unable.contains("See or change your password"));
        // The browser may follow the redirect after the form to the callback, and to nothing else.
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.contains("form-action 'self' https://erp.example.com;"),
            "{policy}"
        );
    }
}

#[tokio::test]
async fn the_consent_page_asks_for_less_and_for_another_account() {
    let running = sandbox().await;
    let mut visitor = running.visitor();
    let keys = visitor
        .create_application("Modest", DESCRIPTION, SITE, "")
        .await
        .unwrap();
    visitor
        .set_level(&keys.client_key, Level::ReadWriteDm)
        .await
        .unwrap();
    let mut browser = Browser::signed_in(&running).await;
    let reply = browser
        .signed(
            &keys,
            ("POST", "/oauth/request_token?x_auth_access_type=read"),
            &[("oauth_callback", "oob")],
            None,
        )
        .await
        .expect(200);
    let token = between(&reply.text, "oauth_token=", "&").unwrap();
    let path = format!("/oauth/authenticate?oauth_token={token}");
    browser
        .get(&path)
        .await
        .expect(200)
        .says("It asks for less than its setting allows")
        .says("Read only");
    browser
        .get(&format!("{path}&force_login=true&screen_name=harbour_homeware"))
        .await
        .expect(200)
        .says("value=\"harbour_homeware\"")
        .says("Sign in and authorize app")
        .lacks("Signed in as");

    // A wrong password brings the page back with the error beside the field, and decides nothing.
    let fields = [
        ("oauth_token", token.as_str()),
        ("decision", "authorize"),
        ("username", "harbour_homeware"),
        ("password", "no"),
    ];
    browser
        .submit(&path, "/oauth/authenticate", &fields)
        .await
        .expect(422)
        .says("not the password of this account")
        .says("value=\"harbour_homeware\"")
        .says("Authorize Modest to use");
    browser
        .submit(&path, "/oauth/authenticate", &[("oauth_token", &token)])
        .await
        .expect(422)
        .says("Neither yes nor no");
    browser.get(&path).await.expect(200);

    // The right one signs that account in, and the PIN is for it.
    let fields = [
        ("oauth_token", token.as_str()),
        ("decision", "authorize"),
        ("username", "harbour_homeware"),
        ("password", "sandbox"),
    ];
    browser
        .submit(&path, "/oauth/authenticate", &fields)
        .await
        .expect(200)
        .says("For <b>@harbour_homeware</b>")
        .says("Single use. Valid for ")
        // The page came by a form: a switch of the theme would load it anew and lose the PIN.
        .lacks("action=\"/theme\"");
    browser.get("/").await.says("@harbour_homeware");
}

#[tokio::test]
async fn dead_request_tokens_are_explained() {
    let running = sandbox().await;
    let mut visitor = running.visitor();
    let keys = visitor
        .create_application("Late", DESCRIPTION, SITE, "")
        .await
        .unwrap();
    let mut browser = Browser::signed_in(&running).await;
    let (token, _) = browser.request_token(&keys, "oob").await;
    browser
        .get("/oauth/authorize")
        .await
        .expect(400)
        .says("Whoa there!")
        .says("no request token in it");
    browser
        .get("/oauth/authorize?oauth_token=nonsense")
        .await
        .expect(404)
        .says("does not know this request token");
    let json = [("content-type", "application/json")];
    browser
        .send("POST", "/_sandbox/clock", &json, "{\"advance_s\": 601}")
        .await
        .expect(200);
    let path = format!("/oauth/authorize?oauth_token={token}");
    browser.get(&path).await.expect(410).says("too old");
    let fields = [("oauth_token", token.as_str()), ("decision", "authorize")];
    browser
        .submit("/", "/oauth/authorize", &fields)
        .await
        .expect(410)
        .says("too old");
}

#[tokio::test]
async fn a_request_is_shown_with_its_base_string_and_the_reason() {
    let running = sandbox().await;
    let keys = running
        .visitor()
        .create_application("Shown", DESCRIPTION, SITE, "")
        .await
        .unwrap();
    let mut browser = Browser::new(&running);
    browser
        .get("/requests")
        .await
        .expect(200)
        .says("Nothing received yet");
    browser.request_token(&keys, "oob").await;
    let mut wrong = keys.clone();
    wrong.client_secret = "not the secret".to_owned();
    browser
        .signed(
            &wrong,
            ("POST", "/oauth/request_token"),
            &[("oauth_callback", "oob")],
            None,
        )
        .await
        .expect(401);
    browser
        .send(
            "POST",
            "/2/tweets",
            &[("content-type", "application/json")],
            "{\"text\":\"<b>\"}",
        )
        .await
        .expect(401);

    let list = browser.get("/requests").await.expect(200);
    assert_eq!(
        list.text.matches("class=\"method write\"").count(),
        3,
        "{}",
        list.text
    );
    browser
        .get("/requests?verdict=accepted")
        .await
        .says("1 request of 1")
        .lacks("/2/tweets");
    browser
        .get("/requests?q=tweets")
        .await
        .says("/2/tweets")
        .lacks("/oauth/request_token</a>");
    browser
        .get("/requests?verdict=fault")
        .await
        .says("Nothing matches")
        .says("3 requests are kept");
    browser.get("/requests?page=99&q=%00").await.expect(200);

    let good = browser.get("/requests/1").await.expect(200);
    let host = browser.host().replace(':', "%3A");
    let good = good
        .says("<span class=\"part method-part\">POST</span>")
        .says(&format!(
            "<span class=\"part uri-part\">http%3A%2F%2F{host}%2Foauth%2Frequest_token</span>"
        ))
        .says("<span class=\"part parameters-part\">oauth_callback%3Doob%26oauth_consumer_key%3D")
        .says("Authorization header")
        .says("</span>equal</span>");
    let expected = between(&good.text, "Expected</span><code>", "<").unwrap();
    assert_eq!(
        between(&good.text, "Received</span><code>", "<").unwrap(),
        expected
    );
    assert!(!good.text.contains(&keys.client_secret));

    let bad = browser
        .get("/requests/2")
        .await
        .expect(200)
        .says("Not authenticated")
        .says("</span>different</span>");
    assert_ne!(
        between(&bad.text, "Expected</span><code>", "<"),
        between(&bad.text, "Received</span><code>", "<")
    );
    browser
        .get("/requests/3")
        .await
        .expect(200)
        .says("not signed")
        .says("&#60;b&#62;")
        .lacks("<b>\"}");
    for gone in ["/requests/0", "/requests/4711", "/requests/x"] {
        browser.get(gone).await.expect(404).says("No such request");
    }
}

#[tokio::test]
async fn plaintext_signatures_are_neither_shown_nor_computed() {
    let running = sandbox().await;
    let keys = running
        .visitor()
        .create_application("Plain", DESCRIPTION, SITE, "")
        .await
        .unwrap();
    let mut browser = Browser::new(&running);
    let header = format!(
        "OAuth oauth_consumer_key=\"{}\", oauth_signature_method=\"PLAINTEXT\", oauth_signature=\"{}%26\", oauth_callback=\"oob\"",
        keys.client_key, keys.client_secret
    );
    browser
        .send("POST", "/oauth/request_token", &[("authorization", &header)], "")
        .await;
    browser
        .get("/requests/1")
        .await
        .expect(200)
        .lacks(&keys.client_secret)
        .says("would give the secrets away");
}

#[tokio::test]
async fn the_timeline_shows_posts_as_they_appeared() {
    let running = sandbox().await;
    let mut visitor = running.visitor();
    let keys = visitor
        .create_application("Poster", DESCRIPTION, SITE, "")
        .await
        .unwrap();
    visitor
        .set_level(&keys.client_key, Level::ReadWrite)
        .await
        .unwrap();
    let mut browser = Browser::signed_in(&running).await;
    browser
        .get("/timeline")
        .await
        .expect(200)
        .says("No posts here yet");
    let app = crate::portal_flow::app_path(&mut browser, "Poster").await;
    browser
        .submit(&app, &format!("{app}/token"), &[])
        .await
        .expect(303);
    let page = browser.get(&app).await.text;
    let token = between(&page, "data-field=\"token\">", "<").unwrap();
    let secret = between(&page, "data-field=\"token_secret\">", "<").unwrap();
    let path = "/1.1/statuses/update.json?status=Salt%20%26%20%3Cpepper%3E%20%23new";
    browser
        .signed(&keys, ("POST", path), &[("oauth_token", &token)], Some(&secret))
        .await
        .expect(200);
    browser
        .get("/timeline")
        .await
        .expect(200)
        .says("Salt &#38; &#60;pepper&#62; <span class=\"tag\">#new</span>")
        .says("<dt>stored</dt><dd>Salt &#38;amp; &#38;lt;pepper&#38;gt; #new</dd>")
        .says("by app <b>Poster</b>");
    let mentions = browser
        .get("/timeline?view=mentions")
        .await
        .expect(200)
        .says("137");
    let older = between(
        &mentions.text,
        "<a class=\"button little\" href=\"/timeline?view=mentions&#38;before=",
        "\"",
    )
    .unwrap();
    let next = browser
        .get(&format!("/timeline?view=mentions&before={older}"))
        .await
        .expect(200)
        .says(">Newest</a>");
    assert_eq!(next.text.matches("<article").count(), 30);
    browser
        .get("/timeline?view=nonsense&before=nonsense")
        .await
        .expect(200);
    browser.get("/").await.says("<dd>1</dd>");
    assert!(visitor.consent("/oauth/authorize", Decision::Deny).await.is_err());
}

#[tokio::test]
async fn the_connect_page_names_the_addresses_and_the_switches() {
    let running = sandbox().await;
    let mut browser = Browser::new(&running);
    let base = browser.base.clone();
    browser
        .get("/status")
        .await
        .expect(200)
        .says(&format!("{base}/_sandbox/"))
        .says("off: start with --tls-listen")
        .says("in memory only")
        .says("RFC 5849 to the letter");
}
