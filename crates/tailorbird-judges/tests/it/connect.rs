//! Connecting a service in a real browser against the sandbox: from the first run to a tested connection, the tutorial's
//! mistakes, code and callback, a refused call and its cause, two tabs, an ended session.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::program::{Home, Server};
use crate::sandbox::Sandbox;
use crate::script;

/// Pages that are looked at, each in two widths and both themes.
const LOOKED_AT: u64 = 33 * 4;

#[test]
fn a_person_connects_a_service_and_learns_why_it_is_refused() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    // A home without anything in it, as the first run finds it.
    let nothing = home.path().join("nothing.yaml");
    std::fs::write(
        &nothing,
        "service: unused\ntitle: Unused\nroot_url: https://unused.example\noperations: {}\n",
    )
    .unwrap();
    home.run(&["service", "add", "nothing.yaml"]).well();
    let server = Server::start(
        home.command(&["serve", "--listen", "127.0.0.1:0"])
            .stderr(Stdio::null()),
    );
    let mut browser = script::node_script("connect.cjs")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let shots = std::env::var_os("TAILORBIRD_SCREENSHOTS").and_then(|folder| folder.into_string().ok());
    let link = || home.run(&["open"]).well()["url"].clone();
    let told = json!({
        "link": link(),
        "again": link(),
        "server": server.ready["url"],
        "api": sandbox.address("api"),
        "admin": sandbox.address("admin"),
        "shots": shots,
    });
    writeln!(browser.stdin.take().unwrap(), "{told}").unwrap();
    let told_back = BufReader::new(browser.stdout.take().unwrap())
        .lines()
        .next()
        .unwrap()
        .unwrap();
    let report: Value = serde_json::from_str(&told_back).unwrap();
    browser.wait().unwrap();
    assert_eq!(report["failed"], Value::Null, "{report:#}");
    assert_eq!(report["faults"], json!([]), "{report:#}");
    assert_eq!(report["left"], json!([]), "something left this machine");
    assert_eq!(report["looked"], LOOKED_AT);
    for (part, words) in [
        ("swapped", "look swapped"),
        ("misplaced", "belongs into Access token URL"),
        ("keptTyping", "/oauth/access_token"),
        ("refusedStart", "provider refused the application's credentials"),
        ("cause", "are swapped"),
        ("stored", "stored"),
        ("wrongPin", "verification code"),
        ("done", "company is authorised as tailorbird_demo"),
        ("tested", "It works"),
        ("cameBack", "/connections/x-live/authorize?screen=4"),
        ("callbackDone", "x-live is authorised as tailorbird_demo"),
        ("level", "Read and write"),
        ("callbackTested", "the account is tailorbird_demo"),
        ("mentions", "137 records on 2 pages"),
        ("asks", "This changes something at X (API v2), as tailorbird_demo"),
        ("sent", "HTTP 201"),
        ("refused", "AUTH-001"),
        ("why", "The provider refuses API Key with API Key Secret"),
        ("baseString", "GET&http%3A%2F%2F127.0.0.1"),
        ("next", "tab=auth"),
        ("mended", "It works"),
        ("conflict", "changed by somebody else"),
        ("theirs", "8"),
        ("mine", "3"),
        ("resolved", "Saved"),
        ("ended", "What you typed is kept here"),
        ("backOn", "?tab=auth"),
        ("keptField", "half-typed"),
        ("problem", "PSOT"),
        ("added", "The service is added"),
        ("expired", "no longer knows this authorization"),
        ("startsAgain", "Request token"),
    ] {
        let said = report[part].as_str().unwrap_or_default();
        assert!(said.contains(words), "{part} says {said:?}: {report:#}");
    }
    assert_eq!(report["ways"], json!(["Connect a service", "Connect a database"]));
    assert_eq!(report["dots"].as_array().unwrap().len(), 1, "{report:#}");
    assert_eq!(
        report["leaked"],
        json!(false),
        "a swapped secret was shown as a key"
    );
    assert_eq!(report["keptSecret"], json!(false), "a secret was kept");
    assert_eq!(report["rail"].as_array().unwrap().len(), 3, "{report:#}");
    // What was tried by hand went out once.
    let posts = sandbox.posts();
    let tried = posts.iter().filter(|post| post.text == "Tried by hand, once");
    assert_eq!(tried.count(), 1);
    // The command line sees the same connection.
    let shown = home.run(&["connection", "test", "x-live"]).well();
    assert_eq!(shown["account"]["name"], "tailorbird_demo");
}
