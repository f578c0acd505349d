//! The whole way through the pages: register, level, keys, consent, PIN, token; and its dead ends.

use tailorbird_sandbox::{Consent, Decision, Level, VisitError};

use crate::portal_support::{Browser, form_value, sandbox};

const DESCRIPTION: &str = "Posts new products of the ERP.";
const SITE: &str = "https://shop.example.com";
const CALLBACK: &str = "http://127.0.0.1:7082/oauth/callback";

#[tokio::test]
async fn the_visitor_walks_from_sign_in_to_the_pin() {
    let running = sandbox().await;
    let mut visitor = running.visitor();
    visitor.sign_in().await.unwrap();
    let keys = visitor
        .create_application("ERP announcer", DESCRIPTION, SITE, "")
        .await
        .unwrap();
    assert_eq!((keys.client_key.len(), keys.client_secret.len()), (25, 50));
    assert_eq!(
        keys.urls.authorize,
        format!("{}/oauth/authorize", running.addresses().portal)
    );
    assert!(
        !format!("{keys:?}").contains(&keys.client_secret),
        "Debug shows the secret"
    );
    visitor
        .set_level(&keys.client_key, Level::ReadWrite)
        .await
        .unwrap();
    assert_eq!(visitor.application_keys(&keys.client_key).await.unwrap(), keys);

    let mut client = Browser::new(&running);
    let (token, secret) = client.request_token(&keys, "oob").await;
    let url = format!("{}?oauth_token={token}", keys.urls.authorize);
    let Consent::Pin(pin) = visitor.consent(&url, Decision::Approve).await.unwrap() else {
        panic!("no PIN")
    };
    assert!(
        pin.len() == 7 && pin.bytes().all(|byte| byte.is_ascii_digit()),
        "{pin}"
    );

    let reply = client
        .access_token(&keys, (&token, &secret), &pin)
        .await
        .expect(200);
    let access = (
        form_value(&reply.text, "oauth_token"),
        form_value(&reply.text, "oauth_token_secret"),
    );
    let me = client
        .signed(
            &keys,
            ("GET", "/2/users/me"),
            &[("oauth_token", &access.0)],
            Some(&access.1),
        )
        .await
        .expect(200)
        .says("tailorbird_demo");
    assert_eq!(me.header("x-access-level"), Some("read-write"));

    // The same request token once more: used up, and the page says so.
    let error = visitor.consent(&url, Decision::Approve).await.unwrap_err();
    assert!(
        matches!(&error, VisitError::Refused { status: 410, said, .. } if said == "Whoa there!"),
        "{error}"
    );
    client
        .get(&format!("/oauth/authorize?oauth_token={token}"))
        .await
        .expect(410)
        .says("used already");
}

#[tokio::test]
async fn the_visitor_signs_in_on_the_consent_page_and_denies_without_signing_in() {
    let running = sandbox().await;
    let mut visitor = running.visitor();
    let keys = visitor
        .create_application("Newcomer", DESCRIPTION, SITE, CALLBACK)
        .await
        .unwrap();
    let mut client = Browser::new(&running);

    // A fresh visitor has no session: the page has fields to sign in.
    let (token, _) = client.request_token(&keys, CALLBACK).await;
    let url = format!("{}?oauth_token={token}", keys.urls.authorize);
    let mut other = running.visitor().as_account("harbour_homeware", "sandbox");
    let Consent::Redirect(back) = other.consent(&url, Decision::Approve).await.unwrap() else {
        panic!("no redirect")
    };
    assert!(
        back.starts_with(&format!("{CALLBACK}?oauth_token={token}&oauth_verifier=")),
        "{back}"
    );

    let (token, _) = client.request_token(&keys, CALLBACK).await;
    let url = format!("{}?oauth_token={token}", keys.urls.authorize);
    let denied = running.visitor().consent(&url, Decision::Deny).await.unwrap();
    assert_eq!(denied, Consent::Redirect(format!("{CALLBACK}?denied={token}")));

    let (token, _) = client.request_token(&keys, "oob").await;
    let url = format!(
        "{}?oauth_token={token}",
        keys.urls.authorize.replace("authorize", "authenticate")
    );
    assert_eq!(
        running.visitor().consent(&url, Decision::Deny).await.unwrap(),
        Consent::Denied
    );
    client
        .get(&format!("/oauth/authorize?oauth_token={token}"))
        .await
        .expect(410)
        .says("was refused");
}

#[tokio::test]
async fn the_visitor_says_what_went_wrong() {
    let running = sandbox().await;
    let mut visitor = running.visitor();
    let keys = visitor
        .create_application("Once", DESCRIPTION, SITE, "")
        .await
        .unwrap();
    let error = visitor
        .create_application("once", "short", "x", "")
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("answered 422") && error.contains("10 to 200 characters"),
        "{error}"
    );
    let error = visitor
        .create_application("ONCE", DESCRIPTION, SITE, "")
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("There is an app named"), "{error}");
    let error = visitor.set_level("nobody", Level::Read).await.unwrap_err();
    assert!(matches!(error, VisitError::NoApplication(key) if key == "nobody"));
    let error = visitor
        .consent(
            "http://127.0.0.1:1/oauth/authorize?oauth_token=x",
            Decision::Approve,
        )
        .await;
    assert!(matches!(error, Err(VisitError::Elsewhere(_))));
    let error = visitor.consent(&keys.urls.authorize, Decision::Approve).await;
    assert!(
        matches!(error, Err(VisitError::Refused { status: 400, .. })),
        "{error:?}"
    );
    let error = running
        .visitor()
        .as_account("tailorbird_demo", "wrong")
        .sign_in()
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("not the password"), "{error}");
}

#[tokio::test]
async fn a_token_keeps_its_level_and_the_portal_says_so() {
    let running = sandbox().await;
    let mut visitor = running.visitor();
    let keys = visitor
        .create_application("Levels", DESCRIPTION, SITE, "")
        .await
        .unwrap();
    let mut browser = Browser::signed_in(&running).await;
    let (token, secret) = browser.request_token(&keys, "oob").await;
    let url = format!("{}?oauth_token={token}", keys.urls.authorize);
    let Consent::Pin(pin) = visitor.consent(&url, Decision::Approve).await.unwrap() else {
        panic!("no PIN")
    };
    browser
        .access_token(&keys, (&token, &secret), &pin)
        .await
        .expect(200);

    let app = app_path(&mut browser, "Levels").await;
    let done = browser
        .submit(
            &format!("{app}/settings"),
            &format!("{app}/settings/level"),
            &[("level", "read_write_dm")],
        )
        .await
        .expect(303);
    browser
        .get(done.location())
        .await
        .expect(200)
        .says("now Read, Write and Access direct messages")
        .says("Tokens that exist keep the level they were granted under")
        .says("1 live token has");
    browser
        .get(&format!("{app}/tokens"))
        .await
        .expect(200)
        .says("Read only")
        .says("differs from the app");

    // Asking again with the account that already agreed: the page mentions it, and what it may do has grown.
    let (token, _) = browser.request_token(&keys, "oob").await;
    browser
        .get(&format!("/oauth/authorize?oauth_token={token}"))
        .await
        .expect(200)
        .says("You let this app in before")
        .says("Read, send and delete your direct messages");
}

/// The path of the application with this name, from the list.
pub(crate) async fn app_path(browser: &mut Browser, name: &str) -> String {
    let list = browser.get("/apps").await.expect(200).text;
    let tile = list
        .split("<a class=\"tile\" href=\"")
        .find(|tile| tile.contains(&format!("<span class=\"title\">{name}</span>")))
        .unwrap_or_else(|| panic!("no app {name} in the list"));
    tile.split('"').next().unwrap().to_owned()
}
