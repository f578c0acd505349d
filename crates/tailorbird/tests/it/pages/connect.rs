//! Connecting a service by the pages, without script: what is refused, what is kept, what comes back once.

use serde_json::json;

use super::browser::Browser;
use crate::serve::support::{Server, until};
use crate::support::{Home, Sandbox};

/// A name that would run as script where a page forgot to escape it.
const EVIL: &str = "%3Cscript%3Ealert(1)%3C/script%3E";

fn empty_home() -> Home {
    let home = Home::new();
    let file = home.write(
        "unused.yaml",
        "service: unused\ntitle: Unused\nroot_url: https://unused.example\n",
    );
    home.run(&["service", "add", &file]).expect(0);
    home
}

fn encoded(text: &str) -> String {
    let encode = |byte: u8| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(encode).collect()
}

/// The value of a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// A connection to the sandbox with keys, made by the pages.
fn connected(browser: &Browser, sandbox: &Sandbox, name: &str, callbacks: &[String]) -> serde_json::Value {
    let keys = sandbox.post(
        "apps",
        &json!({"name": name, "description": "Of a test", "website": "https://example.com/", "level": "read_write",
                "callbacks": callbacks}),
    );
    let fields = format!("name={name}&root_url={}", encoded(&sandbox.api));
    let (status, to) = browser.submit("/catalogue/x", "/catalogue/x", &fields);
    assert_eq!(status, 303, "{to}");
    assert!(to.contains("tab=auth"), "{to}");
    let (_, page) = browser.get(&to);
    assert!(
        page.contains("It lacks API Key, API Key Secret, Access Token"),
        "{page}"
    );
    let fields = format!(
        "tab=auth&seen={}&secret.client_key={}&secret.client_secret={}",
        hidden(&page, "seen"),
        keys["client_key"].as_str().unwrap(),
        keys["client_secret"].as_str().unwrap()
    );
    let save = format!("/connections/{name}/save");
    let (status, to) = browser.submit(&to, &save, &fields);
    assert_eq!(status, 303, "{to}");
    keys
}

/// Goes through the first two screens; gives the address to approve at.
fn started(browser: &Browser, name: &str, way: &str) -> String {
    let wizard = format!("/connections/{name}/authorize");
    let (status, to) = browser.submit(&wizard, &format!("{wizard}/address"), &format!("way={way}"));
    assert_eq!(status, 303, "{to}");
    let (status, to) = browser.submit(&to, &format!("{wizard}/start"), &format!("way={way}"));
    assert_eq!(status, 303, "{to}");
    let (_, page) = browser.get(&to);
    let (_, rest) = page.split_once("class=\"button primary large\" href=\"").unwrap();
    rest.split('"').next().unwrap().replace("&#38;", "&")
}

#[test]
fn a_slip_stands_beside_its_field_and_what_was_typed_stays() {
    let home = empty_home();
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let (_, page) = browser.get("/");
    assert!(
        page.contains("Connect a service") && page.contains("Connect a database"),
        "{page}"
    );
    for (fields, words) in [
        ("name=&root_url=https://a.example", "is not a name"),
        ("name=a&root_url=", "root_url"),
        ("name=a&root_url=not+an+address", "not a complete address"),
        ("name=a&root_url=ftp://a.example", "only http and https"),
        (
            "name=a&root_url=https://u:canary-password@a.example",
            "user name or password",
        ),
        (
            "name=a&root_url=https://a.example%3Fq=1",
            "parameters belong to operations",
        ),
        ("name=x&root_url=https://a.example", "there is a service"),
        (
            &format!("name={EVIL}&root_url=https://a.example"),
            "is not a name",
        ),
        (
            &format!("name=a&root_url=https://a.example/{}", "x".repeat(3_000)),
            "longer than",
        ),
    ] {
        let (status, page) = browser.submit("/new-rest-service", "/new-rest-service", fields);
        let plain = page.replace("Root URL", "root_url").to_lowercase();
        assert!(
            status == 422 && plain.contains(&words.to_lowercase()),
            "{fields}: {status} {page}"
        );
        assert!(!page.contains("<script>alert"), "{fields}");
    }
    let (status, to) = browser.submit(
        "/new-rest-service",
        "/new-rest-service",
        "name=company&root_url=http%3A%2F%2F127.0.0.1%3A9%2Fapi&title=%3Cb%3EOurs%3C%2Fb%3E",
    );
    assert_eq!(
        (status, to.as_str()),
        (303, "/connections/company?tab=auth&said=connected")
    );
    let (_, page) = browser.get("/connections/company?tab=general");
    assert!(
        page.contains("&#60;b&#62;Ours&#60;/b&#62;") && page.contains("127.0.0.1:9"),
        "{page}"
    );
    // The same name once more is a conflict beside the name.
    let again = "name=company&root_url=https://b.example";
    let (status, page) = browser.submit("/new-rest-service", "/new-rest-service", again);
    assert_eq!(status, 422, "{page}");
    assert!(
        page.contains("There is a connection `company` already")
            || page.contains("There is a connection <code>company</code> already"),
        "{page}"
    );
    // Every tab opens.
    for tab in ["general", "root", "auth", "operations", "limits", "test"] {
        assert_eq!(
            browser.get(&format!("/connections/company?tab={tab}")).0,
            200,
            "{tab}"
        );
    }
    // A provider that is not there, in the middle of the wizard: nothing is lost, and it is said.
    let (_, page) = browser.get("/connections/company?tab=auth");
    let fields = format!(
        "tab=auth&seen={}&secret.client_key=key&secret.client_secret=canary-secret",
        hidden(&page, "seen")
    );
    let (status, _) = browser.submit(
        "/connections/company?tab=auth",
        "/connections/company/save",
        &fields,
    );
    assert_eq!(status, 303);
    let wizard = "/connections/company/authorize";
    let address = |path: &str| format!("address={}", encoded(&format!("http://127.0.0.1:9/{path}")));
    let (status, to) = browser.submit(wizard, &format!("{wizard}/address"), &address("request_token"));
    assert_eq!(status, 303, "{to}");
    let (status, page) = browser.submit(&to, &format!("{wizard}/start"), &address("access_token"));
    assert_eq!(status, 422);
    assert!(
        page.contains("belongs into Access token URL")
            && page.contains("value=\"http://127.0.0.1:9/access_token\""),
        "{page}"
    );
    let (status, page) = browser.submit(&to, &format!("{wizard}/start"), &address("authorize"));
    assert_eq!(status, 422);
    assert!(
        page.contains("CONN-004") && page.contains("value=\"http://127.0.0.1:9/authorize\""),
        "{page}"
    );
    assert!(!page.contains("canary"), "{page}");
    assert_eq!(browser.submit(wizard, &format!("{wizard}/dance"), "").0, 404);
}

#[test]
fn a_callback_counts_once_in_the_browser_that_began_and_over_a_restart() {
    let sandbox = Sandbox::start(&[]);
    let home = empty_home();
    let server = Server::start(&home);
    let (mine, other) = (Browser::enter(&home), Browser::enter(&home));
    let callback = format!("{}/oauth/callback", server.url);
    connected(&mine, &sandbox, "x-live", std::slice::from_ref(&callback));
    let page = started(&mine, "x-live", "callback");
    let verifier = sandbox.approve(&page);
    let (_, token) = page.split_once("oauth_token=").unwrap();
    let back = format!("/oauth/callback?oauth_token={token}&oauth_verifier={verifier}");
    let (status, words) = other.get(&back);
    assert!(
        status == 422 && words.contains("another browser"),
        "{status} {words}"
    );
    assert_eq!(
        mine.get("/oauth/callback?oauth_token=nobody&oauth_verifier=1").0,
        422
    );
    assert_eq!(mine.get("/oauth/callback").0, 422);
    let head = mine.head(&back);
    assert!(
        head.contains("location: /connections/x-live/authorize?screen=4"),
        "{head}"
    );
    let (status, words) = mine.get(&back);
    assert!(
        status == 422 && words.contains("used already"),
        "{status} {words}"
    );
    // Between the two, the server ends and starts again: the wizard stands where it was.
    server.stop();
    let server = Server::start(&home);
    let mine = mine.moved_to(&server.url);
    let (_, page) = mine.get("/connections/x-live/authorize");
    assert!(page.contains("4 of 4") && !page.contains(&verifier), "{page}");
    let wizard = "/connections/x-live/authorize";
    let (status, to) = mine.submit(wizard, &format!("{wizard}/exchange"), "");
    assert_eq!(
        (status, to.as_str()),
        (303, "/connections/x-live/authorize?screen=done")
    );
    let (_, page) = mine.get(&to);
    assert!(
        page.contains("authorised as tailorbird_demo") && page.contains("Read and write"),
        "{page}"
    );
    assert_eq!(
        mine.submit(wizard, &format!("{wizard}/exchange"), "").0,
        422,
        "once"
    );
    // The owner refuses; the connection stays as it was.
    let denied = {
        let callback = format!("{}/oauth/callback", server.url);
        connected(&mine, &sandbox, "x-two", &[callback]);
        let page = started(&mine, "x-two", "callback");
        let (_, token) = page.split_once("oauth_token=").unwrap();
        mine.head(&format!("/oauth/callback?denied={token}"))
    };
    assert!(
        denied.contains("location: /connections/x-two/authorize?screen=denied"),
        "{denied}"
    );
    assert!(
        mine.get("/connections/x-two/authorize?screen=denied")
            .1
            .contains("did not approve")
    );
    // Authorising again keeps the name, and needs no other keys.
    started(&mine, "x-live", "code");
    assert!(mine.get("/connections/x-live").1.contains("tailorbird_demo"));
}

#[test]
fn two_who_change_one_connection_lose_nothing() {
    let home = empty_home();
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let made = browser.submit("/catalogue/x", "/catalogue/x", "name=shared&root_url=");
    assert_eq!(made.0, 303, "{}", made.1);
    let root = "/connections/shared?tab=root";
    let (_, page) = browser.get(root);
    let seen = hidden(&page, "seen");
    // On the command line meanwhile.
    home.run(&[
        "connection",
        "add",
        "shared",
        "--set",
        "root_url=https://theirs.example",
    ])
    .expect(0);
    let mine = format!("tab=root&seen={seen}&root_url=https://mine.example");
    let (status, page) = browser.submit(root, "/connections/shared/save", &mine);
    assert_eq!(status, 409, "{page}");
    assert!(
        page.contains("value=\"https://mine.example\"")
            && page.contains("<code>https://theirs.example</code>"),
        "{page}"
    );
    let stands = home.run(&["connection", "show", "shared"]).expect(0).json();
    assert_eq!(stands["root_url"], "https://theirs.example");
    let mine = format!(
        "tab=root&seen={}&root_url=https://mine.example",
        hidden(&page, "seen")
    );
    assert_eq!(browser.submit(root, "/connections/shared/save", &mine).0, 303);
    let stands = home.run(&["connection", "show", "shared"]).expect(0).json();
    assert_eq!(stands["root_url"], "https://mine.example");
    // Not the fields of another tab.
    let (_, page) = browser.get(root);
    let sly = format!(
        "tab=root&seen={}&realm=sly&secret.token=sly",
        hidden(&page, "seen")
    );
    assert_eq!(browser.submit(root, "/connections/shared/save", &sly).0, 303);
    let stands = home.run(&["connection", "show", "shared"]).expect(0).json();
    assert_eq!(stands["settings"].get("realm"), None, "{stands}");
    let (_, page) = browser.get("/connections/shared/remove");
    assert!(page.contains("No task uses it"), "{page}");
    assert_eq!(
        browser
            .submit("/connections/shared/remove", "/connections/shared/remove", "")
            .0,
        303
    );
    assert_eq!(browser.get("/connections/shared").0, 404);
}

#[test]
fn a_service_of_ones_own_is_edited_by_line_and_counts_at_once() {
    let home = empty_home();
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    // One that comes with the program is read, and copied.
    assert!(browser.get("/services/x").1.contains("Make a copy to change it"));
    let fields = "seen=&yaml=service%3A+x%0Atitle%3A+Mine%0Aroot_url%3A+https%3A%2F%2Fx.example%0A";
    let (status, page) = browser.submit("/catalogue", "/services/x", fields);
    assert!(status == 422 && page.contains("is not changed here"), "{page}");
    // One that is added on the command line is there without a restart.
    let file = home.write(
        "ours.yaml",
        "service: ours\ntitle: Ours\nroot_url: https://ours.example\noperations: {}\n",
    );
    home.run(&["service", "add", &file]).expect(0);
    until("the new service is seen", || {
        browser.get("/catalogue?q=ours").1.contains("/catalogue/ours")
    });
    let (_, page) = browser.get("/services/ours");
    let seen = hidden(&page, "seen");
    let good = "service: ours\ntitle: Ours, changed\nroot_url: https://ours.example\noperations:\n  get_it:\n    method: GET\n    path: /it\n";
    for (yaml, words) in [
        (good.replace("GET", "GETT"), "6:13"),
        (good.replace("service: ours", "service: theirs"), "not of"),
        ("service: [".to_owned(), "2:1"),
        (String::new(), "holds 0 services"),
    ] {
        let fields = format!("seen={seen}&yaml={}", encoded(&yaml));
        let (status, page) = browser.submit("/services/ours", "/services/ours", &fields);
        assert!(status == 422 && page.contains(words), "{yaml}: {status} {page}");
    }
    let fields = format!("seen={seen}&yaml={}", encoded(good));
    assert_eq!(browser.submit("/services/ours", "/services/ours", &fields).0, 303);
    let (status, page) = browser.submit("/services/ours", "/services/ours", &fields);
    assert_eq!(status, 409, "saved by somebody meanwhile: {page}");
    assert_eq!(
        browser
            .submit("/catalogue/ours", "/catalogue/ours", "name=mine&root_url=")
            .0,
        303
    );
    assert!(
        browser
            .get("/connections/mine?tab=operations")
            .1
            .contains("get_it")
    );
    // A file in the home's folder is changed where it lies.
    std::fs::create_dir_all(home.path().join("services")).unwrap();
    home.write(
        "home/services/lying.yaml",
        "# ours\nservice: lying\ntitle: Lying\nroot_url: https://l.example\noperations: {}\n",
    );
    until("the file is seen", || browser.get("/services/lying").0 == 200);
    let (_, page) = browser.get("/services/lying");
    let yaml = "# ours\nservice: lying\ntitle: Changed\nroot_url: https://l.example\noperations: {}\n";
    let fields = format!("seen={}&yaml={}", hidden(&page, "seen"), encoded(yaml));
    assert_eq!(
        browser.submit("/services/lying", "/services/lying", &fields).0,
        303
    );
    let file = std::fs::read_to_string(home.path().join("services/lying.yaml")).unwrap();
    assert_eq!(file, yaml);
    // A slip in that file stops nothing: the last good one goes on.
    home.write("home/services/lying.yaml", "service: [");
    assert_eq!(browser.get("/services/lying").0, 200);
}

#[test]
fn what_changes_something_is_sent_once_and_only_after_it_was_shown() {
    let sandbox = Sandbox::start(&[]);
    let home = empty_home();
    let keys = home.connect(&sandbox, "company-x", "x", "read_write");
    home.authorize(&sandbox, "company-x");
    let _server = Server::start(&home);
    let browser = Browser::enter(&home);
    let before = sandbox.accepted();
    let page = "/connections/company-x/try?operation=create_post";
    let post = |fields: &str| {
        browser.submit(
            page,
            "/connections/company-x/try",
            &format!("operation=create_post&{fields}"),
        )
    };
    let (status, shown) = post("p.text=Once+only&do=send");
    assert!(
        status == 200 && shown.contains("This changes something"),
        "{shown}"
    );
    assert!(
        shown.contains("Once only") && !shown.contains(keys["client_secret"].as_str().unwrap()),
        "{shown}"
    );
    assert_eq!(sandbox.accepted(), before, "it was only shown");
    let once = hidden(&shown, "once");
    let sent = format!("p.text=Once+only&do=send&once={once}");
    let (status, answer) = post(&sent);
    assert!(status == 200 && answer.contains("HTTP 201"), "{answer}");
    let (_, again) = post(&sent);
    assert!(
        again.contains("This changes something"),
        "loading again asks again: {again}"
    );
    assert_eq!(sandbox.accepted(), before + 1);
    let (status, refused) = post("do=send");
    assert!(status == 422 && refused.contains("field-error"), "{refused}");
    let (_, answer) = browser.submit(
        "/connections/company-x/try?operation=*",
        "/connections/company-x/try",
        "operation=*&method=GET&path=/2/users/me&do=send",
    );
    assert!(
        answer.contains("HTTP 200") && answer.contains("tailorbird_demo"),
        "{answer}"
    );
    // What was refused is explained with the very base string that went out.
    home.run_with_input(
        &["connection", "add", "company-x", "--secrets", "-"],
        "{\"client_secret\":\"wrong-canary-secret\"}",
    )
    .expect(0);
    let (status, why) = browser.submit(page, "/connections/company-x/diagnose", "");
    assert!(
        status == 200 && why.contains("AUTH-001") && !why.contains("canary"),
        "{why}"
    );
    let requests = sandbox.get("requests");
    let signed = requests.as_array().unwrap().iter().filter_map(|request| {
        let base = request["base_string"].as_str()?;
        let (_, rest) = base.split_once("oauth_nonce%3D")?;
        base.contains("users%2Fme").then(|| rest[..32].to_owned())
    });
    let is_shown = signed.into_iter().any(|nonce| why.contains(&nonce));
    assert!(
        is_shown,
        "the page shows another request than the one that was refused: {why}"
    );
}
