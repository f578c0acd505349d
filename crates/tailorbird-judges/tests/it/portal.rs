//! The tutorial by hand: a person at the portal in a browser, our program in a terminal.
//!
//! Register an application, choose its level, authorize by PIN, use it; then the same connection through all
//! three levels, because a token keeps the level that it was granted under.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::program::{Ended, Home};
use crate::sandbox::Sandbox;
use crate::script;

/// A browser with a person before it.
struct Browser {
    child: Child,
    told: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Browser {
    fn open(sandbox: &Sandbox) -> Self {
        let mut child = script::node_script("browser.cjs")
            .env("PORTAL", sandbox.address("portal"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = answers.next().expect("the browser did not open").unwrap();
        assert!(ready.contains("browser"), "{ready}");
        Self {
            told: child.stdin.take(),
            child,
            answers,
        }
    }

    /// Does a step and returns what the person saw.
    #[track_caller]
    fn act(&mut self, step: &Value) -> Value {
        writeln!(self.told.as_mut().unwrap(), "{step}").unwrap();
        let line = self.answers.next().expect("the browser is gone").unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["failed"], Value::Null, "{step}\n{answer:#}");
        answer["ok"].clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The end of its input closes the browser; a kill would leave Chromium's own processes behind.
        self.told = None;
        let _ended = self.child.wait();
    }
}

/// Goes the three-legged way: our program starts it, the person consents, our program takes the PIN.
fn authorize(home: &Home, browser: &mut Browser) -> Value {
    let started = home
        .run(&["connection", "authorize", "by-hand", "--start"])
        .well();
    let seen = browser.act(&json!({ "do": "consent", "url": started["authorize_url"] }));
    let pin = seen["pin"].as_str().unwrap_or_else(|| panic!("no PIN: {seen}"));
    assert_eq!(pin.len(), 7);
    home.run(&["connection", "authorize", "by-hand", "--verifier", pin])
        .well()
}

fn post(home: &Home, text: &str) -> Ended {
    let text = format!("text={text}");
    home.run(&["call", "by-hand", "create_post", "--param", &text])
}

fn message(home: &Home, to: &str) -> Ended {
    let path = format!("POST /2/dm_conversations/with/{to}/messages");
    home.run_with_input(
        &[
            "call",
            "by-hand",
            &path,
            "--body",
            "-",
            "--content-type",
            "application/json",
        ],
        r#"{"text":"a direct message"}"#,
    )
}

#[track_caller]
fn refused(ended: &Ended) -> Value {
    assert_eq!(
        ended.code, 1,
        "stdout: {}\nstderr: {}",
        ended.stdout, ended.stderr
    );
    assert_eq!(ended.json["status"], 403, "{}", ended.stdout);
    ended.json["failure"].clone()
}

#[test]
fn the_tutorial_by_hand_through_all_three_levels() {
    let sandbox = Sandbox::start(&[]);
    let mut browser = Browser::open(&sandbox);
    let home = Home::new();

    browser.act(&json!({ "do": "sign_in" }));
    let app = browser.act(&json!({
        "do": "create_app",
        "name": "Tutorial by hand",
        "description": "Brings marketing data into the ERP and events to followers",
        "website": "https://www.example.com",
    }));
    assert!(
        app["level"]
            .as_str()
            .is_some_and(|badge| badge.ends_with("Read only")),
        "{app}"
    );

    let api = sandbox.address("api");
    let mut arguments = vec!["connection", "add", "by-hand", "--service", "x", "--secrets", "-"];
    let settings = [
        format!("root_url={api}"),
        format!(
            "temporary_credentials_url={}",
            app["request_token_url"].as_str().unwrap_or_default()
        ),
        format!(
            "authorization_url={}",
            app["authorize_url"].as_str().unwrap_or_default()
        ),
        format!(
            "token_url={}",
            app["access_token_url"].as_str().unwrap_or_default()
        ),
    ];
    for setting in &settings {
        arguments.extend(["--set", setting]);
    }
    let keys = json!({ "client_key": app["client_key"], "client_secret": app["client_secret"] });
    home.run_with_input(&arguments, &keys.to_string()).well();

    // Read only: reads, and may not post.
    let first = authorize(&home, &mut browser);
    assert_eq!(first["account"]["name"], "tailorbird_demo", "{first}");
    assert_eq!(first["level"], "read", "{first}");
    let me = home.run(&["call", "by-hand", "GET /2/users/me"]).well();
    assert_eq!(me["body"]["data"]["username"], "tailorbird_demo", "{me}");
    let failure = refused(&post(&home, "read only may not post"));
    assert_eq!(failure["code"], "AUTH-004", "{failure}");

    // Read and write: the old token still may not, a new one may.
    set_level(&mut browser, &app, "Read and Write");
    assert_eq!(
        refused(&post(&home, "the token kept its level"))["code"],
        "AUTH-004"
    );
    authorize(&home, &mut browser);
    assert_eq!(
        post(&home, "posted after authorizing again").well()["status"],
        201
    );
    let to = follower(&home, me["body"]["data"]["id"].as_str().unwrap());
    refused(&message(&home, &to));

    // Direct messages: again only after authorizing anew.
    set_level(&mut browser, &app, "Read, Write and Access direct messages");
    refused(&message(&home, &to));
    let last = authorize(&home, &mut browser);
    assert_eq!(message(&home, &to).well()["status"], 201, "{last}");

    let posts: Vec<_> = sandbox.posts().into_iter().map(|post| post.text).collect();
    assert_eq!(
        posts
            .iter()
            .filter(|text| *text == "posted after authorizing again")
            .count(),
        1
    );
    assert!(
        !posts
            .iter()
            .any(|text| text.contains("read only") || text.contains("kept its level")),
        "{posts:#?}"
    );
    let seen = browser.act(&json!({ "do": "text", "path": "/timeline" }));
    assert!(
        seen["text"]
            .as_str()
            .unwrap()
            .contains("posted after authorizing again"),
        "{seen}"
    );
    assert_eq!(
        browser.act(&json!({ "do": "complaints" })),
        json!({ "complaints": [] })
    );
}

#[test]
fn a_denied_consent_gives_no_pin_and_a_used_link_says_so() {
    let sandbox = Sandbox::start(&[]);
    let mut browser = Browser::open(&sandbox);
    let home = Home::new();
    crate::kill::connect_named(&home, &sandbox, "by-hand");

    let started = home
        .run(&["connection", "authorize", "by-hand", "--start"])
        .well();
    let seen =
        browser.act(&json!({ "do": "consent", "url": started["authorize_url"], "decision": "cancel" }));
    assert_eq!(seen["pin"], Value::Null, "{seen}");
    let denied = home.run(&["connection", "authorize", "by-hand", "--verifier", "1234567"]);
    assert_eq!(denied.code, 1, "{}{}", denied.stdout, denied.stderr);

    let again = browser.act(&json!({ "do": "heading", "path": started["authorize_url"] }));
    assert!(
        again["heading"].as_str().unwrap().starts_with("Whoa there"),
        "{again}"
    );
    assert!(
        sandbox
            .requests()
            .iter()
            .all(|request| request["path"] != "/2/tweets")
    );
}

fn set_level(browser: &mut Browser, app: &Value, level: &str) {
    let seen = browser.act(&json!({ "do": "set_level", "app": app["app"], "level": level }));
    assert_eq!(
        seen["chosen"].as_str().map(str::to_lowercase),
        Some(level.to_lowercase()),
        "{seen}"
    );
}

/// Somebody who follows the account, so that a message may be sent to them.
fn follower(home: &Home, account: &str) -> String {
    let path = format!("GET /2/users/{account}/followers");
    let answer = home.run(&["call", "by-hand", &path]).well();
    answer["body"]["data"][0]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
        .to_owned()
}
