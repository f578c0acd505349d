//! Who may do what: sessions, form tokens, origins, other people's apps, the headers of every page.

use crate::portal_support::{Browser, sandbox};

const APP: [(&str, &str); 3] = [
    ("name", "Mine"),
    ("description", "Belongs to the demo account."),
    ("website", "https://shop.example.com"),
];

#[tokio::test]
async fn a_form_without_its_token_is_refused_and_changes_nothing() {
    let running = sandbox().await;
    let mut browser = Browser::signed_in(&running).await;
    let stranger = Browser::new(&running).get("/").await.csrf();
    for csrf in ["", "wrong", &stranger] {
        let mut fields = vec![("csrf", csrf)];
        fields.extend_from_slice(&APP);
        browser
            .post("/apps/new", &fields)
            .await
            .expect(403)
            .says("This form is from another session");
    }
    browser.post("/apps/new", &APP).await.expect(403);
    for path in [
        "/signin",
        "/signout",
        "/theme",
        "/oauth/authorize",
        "/apps/1/delete",
    ] {
        browser.post(path, &[]).await.expect(403);
    }
    browser.get("/apps").await.expect(200).says("No apps yet");
}

#[tokio::test]
async fn a_form_from_another_site_or_of_another_kind_is_refused() {
    let running = sandbox().await;
    let mut browser = Browser::signed_in(&running).await;
    let csrf = browser.get("/apps/new").await.csrf();
    let body =
        format!("csrf={csrf}&name=Mine&description=Belongs+to+someone&website=https%3A%2F%2Fa.example");
    let form = ("content-type", "application/x-www-form-urlencoded");
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        browser
            .send("POST", "/apps/new", &[form, ("origin", origin)], &body)
            .await
            .expect(403);
    }
    browser
        .send("POST", "/apps/new", &[form, ("host", "evil.example")], &body)
        .await
        .expect(403);
    browser
        .send("GET", "/", &[("host", "evil.example:80")], "")
        .await
        .expect(403);
    browser
        .send("POST", "/apps/new", &[("content-type", "text/plain")], &body)
        .await
        .expect(415);
    let long = format!("{body}&callback={}", "x".repeat(70_000));
    browser
        .send("POST", "/apps/new", &[form], &long)
        .await
        .expect(413);
    browser.get("/apps").await.expect(200).says("No apps yet");
    browser
        .send("POST", "/apps/new", &[form], &body)
        .await
        .expect(303);
}

#[tokio::test]
async fn the_session_changes_with_signing_in_and_ends_with_signing_out() {
    let running = sandbox().await;
    let mut browser = Browser::new(&running);
    let first = browser.get("/signin").await.expect(200);
    let cookie = first.header("set-cookie").unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"),
        "{cookie}"
    );
    let before = browser.jar["sandbox_session"].clone();
    browser.get("/").await.expect(200);
    assert_eq!(
        browser.jar["sandbox_session"], before,
        "one session, not one for each page"
    );

    for (username, password, said) in [
        ("", "x", "Type the name of an account"),
        ("nobody", "sandbox", "There is no account with this name"),
        ("tailorbird_demo", "wrong", "not the password of this account"),
    ] {
        browser
            .submit(
                "/signin",
                "/signin",
                &[("username", username), ("password", password)],
            )
            .await
            .expect(422)
            .says(said)
            .says(&format!("value=\"{username}\""));
    }
    let fields = [
        ("username", "@Tailorbird_Demo"),
        ("password", "sandbox"),
        ("next", "/apps/new"),
    ];
    let reply = browser.submit("/signin", "/signin", &fields).await.expect(303);
    assert_eq!(reply.location(), "/apps/new");
    let signed_in = browser.jar["sandbox_session"].clone();
    assert_ne!(
        signed_in, before,
        "an id known before signing in must be worth nothing after"
    );

    let mut old = Browser::new(&running);
    old.jar.insert("sandbox_session".to_owned(), before);
    assert!(
        old.get("/apps")
            .await
            .expect(303)
            .location()
            .starts_with("/signin")
    );

    browser
        .get("/signout")
        .await
        .expect(200)
        .says("Sign Tailorbird Demo Ltd out?");
    browser.submit("/signout", "/signout", &[]).await.expect(303);
    let mut old = Browser::new(&running);
    old.jar.insert("sandbox_session".to_owned(), signed_in);
    assert!(
        old.get("/apps")
            .await
            .expect(303)
            .location()
            .starts_with("/signin")
    );
}

#[tokio::test]
async fn addresses_to_go_back_to_stay_in_the_portal() {
    let running = sandbox().await;
    for next in [
        "//evil.example",
        "http://evil.example",
        "/\\evil.example",
        "evil",
        "/a\r\nb",
        "",
    ] {
        let mut browser = Browser::new(&running);
        let fields = [
            ("username", "tailorbird_demo"),
            ("password", "sandbox"),
            ("next", next),
        ];
        let reply = browser.submit("/signin", "/signin", &fields).await.expect(303);
        assert_eq!(reply.location(), "/", "{next:?}");
    }
}

#[tokio::test]
async fn other_peoples_apps_do_not_exist() {
    let running = sandbox().await;
    let mut owner = Browser::signed_in(&running).await;
    let made = owner.submit("/apps/new", "/apps/new", &APP).await.expect(303);
    let app = made.location().split('?').next().unwrap().to_owned();
    let mut other = Browser::new(&running);
    let fields = [("username", "harbour_homeware"), ("password", "sandbox")];
    other.submit("/signin", "/signin", &fields).await.expect(303);
    other.get("/apps").await.expect(200).says("No apps yet");
    for page in ["", "/settings", "/tokens", "/delete", "/regenerate"] {
        other.get(&format!("{app}{page}")).await.expect(404);
    }
    for (action, fields) in [
        ("/settings/level", vec![("level", "read_write")]),
        ("/settings/callbacks", vec![]),
        ("/settings/profile", APP.to_vec()),
        ("/regenerate", vec![]),
        ("/delete", vec![("name", "Mine")]),
        ("/token", vec![]),
        ("/token/revoke", vec![("token", "x")]),
    ] {
        other
            .submit("/", &format!("{app}{action}"), &fields)
            .await
            .expect(404);
        // Signed out, the same form leads to the sign-in page.
        let reply = Browser::new(&running)
            .submit("/", &format!("{app}{action}"), &fields)
            .await
            .expect(303);
        assert!(
            reply.location().starts_with("/signin?next="),
            "{}",
            reply.location()
        );
    }
    owner.get(&app).await.expect(200).says("Read only");
    for odd in ["/apps/0", "/apps/x", "/apps/99999999999999999999999", "/apps/-1"] {
        owner.get(odd).await.expect(404);
    }
}

#[tokio::test]
async fn every_page_forbids_inline_script_and_has_none() {
    let running = sandbox().await;
    let mut browser = Browser::signed_in(&running).await;
    for path in [
        "/",
        "/apps",
        "/apps/new",
        "/requests",
        "/timeline",
        "/status",
        "/signout",
        "/apps/1",
        "/oauth/authorize",
    ] {
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{path}: {policy}"
        );
        assert!(
            policy.contains("form-action 'self';") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.header("referrer-policy"), Some("same-origin"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(
            page.text.matches("<script").count(),
            1,
            "{path} has a script of its own"
        );
        for inline in [" style=\"", "<style", "onclick", "onsubmit", "javascript:"] {
            assert!(!page.text.contains(inline), "{path} has {inline}");
        }
        assert!(page.text.contains("class=\"band\""), "{path} has no band");
    }
    for (asset, kind) in [
        ("tokens.css", "text/css"),
        ("base.css", "text/css"),
        ("portal.css", "text/css"),
        ("look.js", "text/javascript"),
        ("mark.svg", "image/svg+xml"),
    ] {
        let reply = browser.get(&format!("/assets/{asset}")).await.expect(200);
        assert!(reply.header("content-type").unwrap().starts_with(kind));
    }
    browser.get("/assets/../Cargo.toml").await.expect(404);
    browser.get("/assets/none.css").await.expect(404);
}

#[tokio::test]
async fn the_theme_is_remembered_and_only_known_ones_are() {
    let running = sandbox().await;
    let mut browser = Browser::new(&running);
    browser.get("/").await.lacks("data-theme");
    let reply = browser
        .submit("/", "/theme", &[("theme", "dark"), ("back", "/status?a=1")])
        .await
        .expect(303);
    assert_eq!(reply.location(), "/status?a=1");
    browser
        .get("/")
        .await
        .says("<html lang=\"en\" data-theme=\"dark\">");
    browser
        .submit(
            "/",
            "/theme",
            &[("theme", "\"><script>"), ("back", "//evil.example")],
        )
        .await
        .expect(303);
    browser.get("/").await.lacks("data-theme");
}
