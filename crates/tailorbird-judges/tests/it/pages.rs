//! The server's pages in a real browser: by keyboard, without script, in both themes and two widths, judged by axe-core.
//!
//! With `TAILORBIRD_SCREENSHOTS` set to a folder (`cargo xtask screenshots`) each page's picture is left there.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::program::{Home, Server};
use crate::script;

const SERVICE: &str = "
service: shop
title: The shop
root_url: ROOT
authentication: {}
operations:
  create_item:
    method: POST
    path: /items
    body: { json: { text: { type: text, required: true } } }
    result: { record: /data, columns: { id: /id } }
    in_doubt: ask
limits: [ { per: connection, calls: 40, window: 15m } ]
verified: never
";

const TASKS: &str = r#"
task: tell-the-shop
description: Tells the shop of each stock movement once.
trigger: { schedule: "0 3 * * *", timezone: Europe/London }
steps:
  - id: moves
    query: { database: stock, sql: "select id, text from moves order by id" }
  - id: tell
    call: { connection: shop, operation: create_item, for_each: moves, key: "{{ id }}", with: { text: "{{ text }}" } }
  - id: note
    write: { database: stock, table: told, from: tell, key: [id], columns: { id: "{{ id }}", shop_id: "{{ result.id }}" } }
---
task: ask-first
steps:
  - id: moves
    query: { database: stock, sql: "select id, text from moves where id like 'kept-%'" }
  - id: ok
    approve: { from: moves, key: "{{ id }}", show: "Tell the shop: {{ text }}", role: accounting }
  - id: tell
    call: { connection: shop, operation: create_item, for_each: ok, key: "asked-{{ id }}", with: { text: "{{ text }}" } }
"#;

/// A home with the demo's data, and a task of which some records are refused and one is lost.
fn furnish(home: &Home, provider: &str) {
    let write = |name: &str, text: &str| std::fs::write(home.path().join(name), text).unwrap();
    write("shop.yaml", &SERVICE.replace("ROOT", provider));
    write("tasks.yaml", TASKS);
    let stock = rusqlite::Connection::open(home.path().join("stock.sqlite")).unwrap();
    stock
        .execute_batch(
            "create table moves (id text primary key, text text);
             create table told (id text primary key, shop_id text);
             with recursive n(i) as (select 1 union all select i + 1 from n where i < 9)
             insert into moves select 'kept-' || i, 'Pallet ' || i || ' moved to gate ' || (i % 4) from n;
             insert into moves values ('refused-1', 'refuse me, says the shop'), ('refused-2', 'refuse me, too'),
                 ('lost-1', 'lose me on the way');",
        )
        .unwrap();
    home.run(&["service", "add", "shop.yaml"]).well();
    home.run(&[
        "connection",
        "add",
        "shop",
        "--service",
        "shop",
        "--set",
        &format!("root_url={provider}"),
    ])
    .well();
    home.run(&["connection", "add", "not-ready", "--service", "x"])
        .well();
    home.run(&[
        "database",
        "add",
        "stock",
        "--set",
        "path=stock.sqlite",
        "--writable",
    ])
    .well();
    home.run(&["task", "apply", "tasks.yaml"]).well();
    // It waits for a release, which is no fault.
    assert_eq!(home.run(&["task", "run", "ask-first"]).code, 3);
}

#[test]
fn a_person_finds_the_way_through_the_pages() {
    let mut browser = script::node_script("pages.cjs")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(browser.stdout.take().unwrap()).lines();
    let mut said = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let home = Home::new();
    furnish(&home, said()["provider"].as_str().unwrap());
    let server = Server::start(
        home.command(&["serve", "--listen", "127.0.0.1:0"])
            .stderr(Stdio::null()),
    );
    assert!(server.ready["url"].is_string(), "{}", server.ready);
    let link = home.run(&["open"]).well();
    let shots = std::env::var_os("TAILORBIRD_SCREENSHOTS").and_then(|folder| folder.into_string().ok());
    let told = json!({
        "link": link["url"],
        "shots": shots,
        "database": home.path().join("stock.sqlite"),
        "paths": ["/", "/connections", "/connections/shop", "/connections/not-ready", "/databases",
                  "/databases/stock?table=moves", "/add-database", "/databases/stock/settings", "/tasks", "/tasks/tell-the-shop", "/tasks/ask-first/rehearsal",
                  "/tasks/tell-the-shop/edit", "/tasks/tell-the-shop/edit?view=cards",
                  "/tasks/tell-the-shop/edit?view=cards&card=/steps/0", "/tasks/tell-the-shop/edit?view=cards&card=/steps/1",
                  "/tasks/tell-the-shop/edit?view=cards&card=/steps/2", "/tasks/tell-the-shop/versions", "/tasks/tell-the-shop/versions/1",
                  "/tasks/tell-the-shop/start", "/new-task", "/new-task?from=records-in",
                  "/runs", "/deliveries", "/deliveries?state=rejected", "/deliveries/1", "/decide?state=rejected&as=again",
                  "/approvals", "/approvals/1", "/ledger", "/audit"],
    });
    writeln!(browser.stdin.take().unwrap(), "{told}").unwrap();
    let report = said();
    browser.wait().unwrap();
    assert_eq!(report["failed"], Value::Null, "{report:#}");
    assert_eq!(report["faults"], json!([]), "{report:#}");
    assert_eq!(report["left"], json!([]), "something left this machine");
    assert_eq!(report["looked"], 120);
    assert_eq!(report["entered"], "/");
    assert_eq!(report["first"], "Skip to the content");
    assert_eq!(report["tasks"], "Tasks");
    let counts: Vec<&str> = report["counts"].as_str().unwrap().split_whitespace().collect();
    assert!(
        counts.windows(2).any(|two| two == ["delivered", "9"]),
        "{counts:?}"
    );
    assert_eq!(report["search"], "key");
    assert!(
        report["doubt"].as_str().unwrap().ends_with("in doubt"),
        "{report:#}"
    );
    assert!(
        report["decided"].as_str().unwrap().ends_with("delivered"),
        "{report:#}"
    );
    assert!(
        report["said"].as_str().unwrap().contains("Noted as sent"),
        "{report:#}"
    );
    for (what, words) in [
        ("database", "The database is there"),
        ("live", "would be sent"),
        ("rehearsed", "the text is not saved"),
        ("made", "The task is there as version 1"),
        ("built", "delivered\n2"),
    ] {
        assert!(
            report[what].as_str().unwrap().contains(words),
            "{what}: {report:#}"
        );
    }
    assert_eq!(report["theme"], "dark");
    assert!(
        report["plain"].as_str().unwrap().contains("disabled"),
        "{report:#}"
    );
    drop(server);
    // What was decided in the browser stands in the ledger.
    let left = home.run(&["delivery", "list", "--state", "in_doubt"]).well();
    assert_eq!(left, json!([]));
}
