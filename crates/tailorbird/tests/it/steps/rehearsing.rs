//! `task run --dry-run`: everything is shown, nothing is sent, written or remembered.

use serde_json::Value;

use super::{flow, lines};
use crate::flow::Flow;

const TASK: &str = r#"
task: announce
variables: { runs: { scope: task, value: 0 }, last: { scope: task, value: "" } }
steps:
  - id: count
    set: { variables: { runs: "{{ variables.runs | plus(1) }}" } }
  - id: items
    query: { database: erp, sql: "select id, sku, text, price from items where id > :cursor order by id", cursor: { column: id, start: 0, overlap: 0 } }
  - id: fresh
    filter: { from: items, only: new, key: "{{ sku }}" }
  - id: last
    set: { from: fresh, variables: { last: "{{ sku }}" } }
  - id: route
    decide: { from: fresh, branches: [ { name: dear, when: "{{ price is gt(2) }}" }, { name: rest } ] }
  - id: ok
    approve: { from: route.dear, key: "{{ sku }}", show: "Post {{ sku }}?" }
  - id: post-dear
    call: { connection: company-x, operation: create_post, for_each: ok, key: "{{ sku }}", with: { text: "Dear: {{ text }}" } }
  - id: post
    call: { connection: company-x, operation: create_post, for_each: route.rest, key: "{{ sku }}", with: { text: "{{ text }}" } }
  - id: back
    write: { database: erp, table: out, from: post, key: [sku], columns: { sku: "{{ sku }}", note: "{{ result.id }}" } }
  - id: user
    call: { connection: company-x, operation: get_user_by_username, with: { username: priya_raman } }
  - id: store
    write: { database: erp, table: out, from: user, key: [sku], columns: { sku: "{{ username }}", note: "{{ id }}" } }
"#;

/// Every row of every table of the ledger.
fn ledger(flow: &Flow) -> Vec<String> {
    let path = flow.home.path().join("ledger.db");
    let ledger = rusqlite::Connection::open(&path).unwrap();
    let mut names = ledger
        .prepare("select name from sqlite_schema where type = 'table' order by name")
        .unwrap();
    let names: Vec<String> = names
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut all = Vec::new();
    // Which process wrote last is no memory of a task.
    for name in names.iter().filter(|name| *name != "commit_mark") {
        let mut statement = ledger.prepare(&format!("select * from \"{name}\"")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells = (0..columns).map(|at| format!("{:?}", row.get_ref_unwrap(at)));
            all.push(format!("{name}: {}", cells.collect::<Vec<_>>().join(" ")));
        }
    }
    all
}

fn requests(flow: &Flow, method: &str) -> usize {
    let log = flow.sandbox.get("requests");
    let of_method = |request: &&Value| request["method"] == method;
    log.as_array().unwrap().iter().filter(of_method).count()
}

fn prepared() -> Flow {
    let flow = flow(&[("A", "one", "1.00"), ("B", "two", "2.00"), ("C", "three", "3.00")]);
    flow.item("D", &"long ".repeat(80));
    flow.sql("update items set price = '1.50' where sku = 'D'");
    flow.accept_duplicates();
    flow.apply(TASK);
    flow
}

#[test]
fn everything_is_shown_and_nothing_is_done() {
    let flow = prepared();
    let (before, posts) = (ledger(&flow), requests(&flow, "POST"));
    let said = flow.home.run(&["task", "run", "announce", "--dry-run"]).expect(3);
    assert_eq!(ledger(&flow), before);
    assert_eq!(requests(&flow, "POST"), posts);
    assert_eq!(flow.sandbox.accepted(), 0);
    assert_eq!(lines(&flow, "select * from out"), Vec::<String>::new());
    let told = said.json();
    assert_eq!(told["failure"], Value::Null, "{told:#}");
    assert_eq!(told["complete"], true);
    let would: Vec<(&str, &str)> = told["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|request| {
            (
                request["key"].as_str().unwrap(),
                request["would"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        would,
        [("C", "send"), ("A", "send"), ("B", "send"), ("D", "reject")]
    );
    let dear = &told["requests"][0];
    assert_eq!(dear["after_approval"], true);
    assert!(dear["request"]["url"].as_str().unwrap().ends_with("/2/tweets"));
    assert!(dear["request"]["body"].as_str().unwrap().contains("Dear: three"));
    let authorization = dear["request"]["headers"].to_string();
    assert!(authorization.contains("oauth_signature"), "{authorization}");
    let secrets = [&flow.keys["client_secret"]];
    assert!(
        secrets
            .iter()
            .all(|secret| !said.stdout.contains(secret.as_str().unwrap()))
    );
    assert_eq!(told["approvals"][0]["shown"], "Post C?");
    assert_eq!(told["requests"][3]["failure"]["code"], "SEND-002");
    let writes = told["writes"].as_array().unwrap();
    assert_eq!(writes.len(), 3);
    assert_eq!(writes[0]["row"], serde_json::json!({"sku": "A", "note": null}));
    assert_eq!(writes[0]["after_delivery"], true);
    assert_eq!(writes[2]["row"]["sku"], "priya_raman");
    assert_eq!(told["variables"], serde_json::json!({"runs": "1", "last": "D"}));
    assert_eq!(told["steps"][1]["records"], 4);
}

#[test]
fn it_knows_what_was_sent_and_stops_at_the_limit() {
    let flow = prepared();
    flow.sql("delete from items where sku = 'D'");
    flow.run().expect(3);
    let before = ledger(&flow);
    flow.sql("update items set id = id + 100 where sku = 'B'; insert into items (id, sku, text, price) values (99, 'E', 'five', 1)");
    let run = |limit: &str| {
        let said = flow
            .home
            .run(&["task", "run", "announce", "--dry-run", "--limit", limit]);
        said.expect(0).json()
    };
    let told = run("1");
    assert_eq!(told["complete"], false);
    assert_eq!(told["requests"].as_array().unwrap().len(), 1);
    assert_eq!(told["requests"][0]["key"], "E");
    assert_eq!(ledger(&flow), before);
    // Without its memory it would let everything through; the ledger knows what was sent.
    flow.apply(
        &TASK
            .replace("only: new, key: \"{{ sku }}\"", "when: \"{{ true }}\"")
            .replace(
                "cursor: { column: id, start: 0, overlap: 0 }",
                "parameters: { cursor: 0 }",
            ),
    );
    let told = run("20");
    let would = told["requests"].as_array().unwrap().iter();
    let would: Vec<String> = would.map(|r| format!("{} {}", r["key"], r["would"])).collect();
    assert_eq!(
        would,
        [
            "\"C\" \"send\"",
            "\"A\" \"already\"",
            "\"E\" \"send\"",
            "\"B\" \"already\""
        ]
    );
    let text = flow
        .home
        .run_as_text(&["task", "run", "announce", "--dry-run"])
        .expect(0)
        .stdout;
    for words in [
        "nothing was sent",
        "A was sent already",
        "once released",
        "POST http",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn what_would_stop_the_run_is_told() {
    let flow = flow(&[("A", "one", "1")]);
    flow.apply(&TASK.replace(
        "key: \"{{ sku }}\", with: { text: \"{{ text }}\" }",
        "key: \"{{ person | default('') }}\", with: { text: \"{{ text }}\" }",
    ));
    let before = ledger(&flow);
    let told = flow
        .home
        .run(&["task", "run", "announce", "--dry-run"])
        .expect(3)
        .json();
    assert_eq!(told["failure"]["code"], "MAP-003", "{told:#}");
    assert_eq!(ledger(&flow), before);
    let said = flow
        .home
        .run(&["task", "run", "announce", "--dry-run", "--limit", "0"]);
    said.refused(2, "USE-001").says(&["--limit"]);
}
