//! Bad input: each refusal stands beside its field, says what is valid, and nothing typed is lost.

use crate::portal_flow::app_path;
use crate::portal_support::{Browser, between, sandbox};

const GOOD: [(&str, &str); 4] = [
    ("name", "ERP announcer"),
    ("description", "Posts new products of the ERP."),
    ("website", "https://shop.example.com"),
    ("callback", ""),
];

fn with<'a>(name: &str, value: &'a str) -> Vec<(&'static str, &'a str)> {
    GOOD.iter()
        .map(|(known, good)| (*known, if *known == name { value } else { *good }))
        .collect()
}

#[tokio::test]
async fn a_refused_application_comes_back_with_everything_in_it() {
    let running = sandbox().await;
    let mut browser = Browser::signed_in(&running).await;
    let long = "x".repeat(33);
    for (field, typed, said) in [
        ("name", "", "Give the app a name"),
        ("name", long.as_str(), "at most 32 characters; this one has 33"),
        ("description", "short", "10 to 200 characters"),
        ("website", "not a site", "begins with http:// or https://"),
        (
            "website",
            "javascript:alert(1)",
            "begins with http:// or https://",
        ),
        ("callback", "javascript:alert(1)", "is not allowed as a callback"),
        ("callback", "http://localhost:9/cb", "http://127.0.0.1:9/cb"),
        ("callback", "https://example.com/cb?x=1", "has a query string"),
        ("callback", "oob", "needs no registering"),
    ] {
        let page = browser
            .submit("/apps/new", "/apps/new", &with(field, typed))
            .await
            .expect(422);
        let error = between(&page.text, &format!("id=\"{field}-error\">"), "</p>").expect(said);
        assert!(error.contains(said), "{field} {typed:?}: {error}");
        assert_eq!(page.text.matches("field-error").count(), 1, "{field} {typed:?}");
        for (name, good) in with(field, typed) {
            assert!(page.text.contains(good), "{name} {good:?} was lost");
        }
        assert!(
            page.text
                .contains(&format!("aria-describedby=\"{field}-hint {field}-error\""))
        );
    }
    browser.get("/apps").await.expect(200).says("No apps yet");
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once_and_a_name_is_given_once() {
    let running = sandbox().await;
    let mut browser = Browser::signed_in(&running).await;
    let page = browser.submit("/apps/new", "/apps/new", &[]).await.expect(422);
    assert_eq!(
        page.text.matches("class=\"field-error\"").count(),
        3,
        "{}",
        page.text
    );
    browser.submit("/apps/new", "/apps/new", &GOOD).await.expect(303);
    browser
        .submit("/apps/new", "/apps/new", &with("name", "erp ANNOUNCER"))
        .await
        .expect(422)
        .says("There is an app named “erp ANNOUNCER” already");

    // Another app may not take the name either; one's own may be kept.
    browser
        .submit("/apps/new", "/apps/new", &with("name", "Second"))
        .await
        .expect(303);
    let second = app_path(&mut browser, "Second").await;
    let action = format!("{second}/settings/profile");
    let page = format!("{second}/settings");
    browser
        .submit(&page, &action, &GOOD[..3])
        .await
        .expect(422)
        .says("There is an app named");
    browser
        .submit(&page, &action, &with("name", "Second")[..3])
        .await
        .expect(303);
}

#[tokio::test]
async fn markup_in_a_name_is_text_wherever_it_shows() {
    let running = sandbox().await;
    let mut browser = Browser::signed_in(&running).await;
    let name = "<script>alert('1')</script>\"&";
    let made = browser
        .submit("/apps/new", "/apps/new", &with("name", name))
        .await
        .expect(303);
    let app = made.location().split('?').next().unwrap().to_owned();
    let keys = running
        .visitor()
        .application_keys(&client_key(&mut browser, &app).await)
        .await
        .unwrap();
    let (token, _) = browser.request_token(&keys, "oob").await;
    for path in [
        "/apps".to_owned(),
        app.clone(),
        format!("{app}/settings"),
        format!("{app}/tokens"),
        format!("{app}/delete"),
        format!("{app}/regenerate"),
        format!("/oauth/authorize?oauth_token={token}"),
    ] {
        browser
            .get(&path)
            .await
            .expect(200)
            .lacks("<script>alert")
            .says("&#60;script&#62;alert(");
    }
    browser
        .get("/requests?q=%3Cscript%3Ealert(1)%3C/script%3E")
        .await
        .expect(200)
        .lacks("<script>alert");
    browser.get("/signin?next=%22%3E%3Cscript%3E").await.expect(303);
    Browser::new(&running)
        .get("/signin?next=%22%3E%3Cscript%3E")
        .await
        .expect(200)
        .lacks("\"><script>");
}

async fn client_key(browser: &mut Browser, app: &str) -> String {
    let page = browser.get(app).await.expect(200).text;
    between(&page, "data-field=\"client_key\">", "<").unwrap()
}

#[tokio::test]
async fn settings_refuse_what_is_not_valid_and_keep_what_was() {
    let running = sandbox().await;
    let mut browser = Browser::signed_in(&running).await;
    let made = browser.submit("/apps/new", "/apps/new", &GOOD).await.expect(303);
    let app = made.location().split('?').next().unwrap().to_owned();
    let page = format!("{app}/settings");
    browser
        .submit(&page, &format!("{page}/level"), &[("level", "god")])
        .await
        .expect(422)
        .says(
            "Choose one of the three: Read only, Read and Write, or Read, Write and Access direct messages.",
        );
    browser
        .submit(&page, &format!("{page}/level"), &[])
        .await
        .expect(422);
    browser.get(&page).await.says("value=\"read\" checked");
    let typed = "https://a.example/cb\njavascript:alert(1)";
    browser
        .submit(&page, &format!("{page}/callbacks"), &[("callbacks", typed)])
        .await
        .expect(422)
        .says("https://a.example/cb\njavascript:alert(1)</textarea>");
    browser
        .submit(
            &page,
            &format!("{page}/callbacks"),
            &[("callbacks", "https://a.example/cb\r\nmyapp://back\r\n")],
        )
        .await
        .expect(303);
    browser
        .get(&app)
        .await
        .says("https://a.example/cb")
        .says("myapp://back");
}

#[tokio::test]
async fn an_app_is_deleted_only_by_its_name_and_takes_its_keys_along() {
    let running = sandbox().await;
    let mut browser = Browser::signed_in(&running).await;
    let made = browser.submit("/apps/new", "/apps/new", &GOOD).await.expect(303);
    let app = made.location().split('?').next().unwrap().to_owned();
    let before = client_key(&mut browser, &app).await;
    browser
        .submit(&format!("{app}/regenerate"), &format!("{app}/regenerate"), &[])
        .await
        .expect(303);
    let after = client_key(&mut browser, &app).await;
    assert_ne!(before, after);
    let path = format!("{app}/delete");
    browser
        .submit(&path, &path, &[("name", "ERP")])
        .await
        .expect(422)
        .says("This is not the name of the app");
    browser
        .submit(&path, &path, &[("name", "ERP announcer")])
        .await
        .expect(303);
    browser.get(&app).await.expect(404).says("No such app");
    browser
        .get("/nowhere")
        .await
        .expect(404)
        .says("There is nothing here");
    browser
        .get("/apps?done=deleted")
        .await
        .expect(200)
        .says("The app was deleted")
        .says("No apps yet");
}

#[tokio::test]
async fn ones_own_token_is_made_replaced_and_revoked() {
    let running = sandbox().await;
    let mut browser = Browser::signed_in(&running).await;
    let made = browser.submit("/apps/new", "/apps/new", &GOOD).await.expect(303);
    let app = made.location().split('?').next().unwrap().to_owned();
    let keys = running
        .visitor()
        .application_keys(&client_key(&mut browser, &app).await)
        .await
        .unwrap();
    let token = |text: &str| between(text, "data-field=\"token\">", "<").unwrap();
    let secret = |text: &str| between(text, "data-field=\"token_secret\">", "<").unwrap();

    browser
        .submit(&app, &format!("{app}/token"), &[])
        .await
        .expect(303);
    let first = browser.get(&app).await.text;
    let call = ("GET", "/2/users/me");
    browser
        .signed(
            &keys,
            call,
            &[("oauth_token", &token(&first))],
            Some(&secret(&first)),
        )
        .await
        .expect(200);

    browser
        .submit(&app, &format!("{app}/token"), &[])
        .await
        .expect(303);
    let second = browser.get(&app).await.text;
    assert_ne!(token(&first), token(&second));
    browser
        .signed(
            &keys,
            call,
            &[("oauth_token", &token(&first))],
            Some(&secret(&first)),
        )
        .await
        .expect(401);
    browser
        .signed(
            &keys,
            call,
            &[("oauth_token", &token(&second))],
            Some(&secret(&second)),
        )
        .await
        .expect(200);

    let revoke = format!("{app}/token/revoke");
    browser
        .submit(&app, &revoke, &[("token", "not a token")])
        .await
        .expect(404)
        .says("nothing was revoked");
    browser
        .submit(&app, &revoke, &[("token", &token(&second))])
        .await
        .expect(303);
    browser
        .signed(
            &keys,
            call,
            &[("oauth_token", &token(&second))],
            Some(&secret(&second)),
        )
        .await
        .expect(401);
    browser.get(&app).await.says("Create my access token");
}
