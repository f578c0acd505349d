//! `delivery …`: the list, the story, and a person's decision about a doubt.

use serde_json::{Value, json};

use crate::support::{Home, Sandbox, members};

const MEMBERS: [&str; 11] = [
    "id",
    "run",
    "task",
    "step",
    "connection",
    "key",
    "state",
    "attempts",
    "result",
    "failure",
    "updated_at",
];

const DISPATCHED: &str = "task: dispatched
steps:
  - id: orders
    query: { database: erp, sql: \"select order_no, person from orders order by order_no\" }
  - id: message
    call:
      connection: company-x
      operation: send_direct_message
      for_each: orders
      key: \"dispatched-{{ order_no }}\"
      with: { participant_id: \"{{ person }}\", text: \"Order {{ order_no }} is on its way.\" }
  - id: note
    write:
      database: erp
      table: told
      from: message
      key: [order_no]
      columns: { order_no: \"{{ order_no }}\", event: \"{{ result.id }}\" }
";

/// A run of three direct messages of which the answers are lost: X cannot be asked about them, so they are in
/// doubt until a person decides.
fn doubtful() -> (Sandbox, Home) {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.connect(&sandbox, "company-x", "x", "read_write_dm");
    home.authorize(&sandbox, "company-x");
    let mentions = home
        .run(&["call", "company-x", "list_mentions", "--param", "max_results=5"])
        .expect(0)
        .json();
    let person = mentions["body"]["data"][0]["author_id"].as_str().unwrap();
    home.database(
        "erp",
        &format!(
            "create table orders (order_no text, person text);
             insert into orders values ('1', '{person}'), ('2', '{person}'), ('3', '{person}');
             create table told (order_no text primary key, event text)"
        ),
    );
    home.apply("dispatched.yaml", DISPATCHED).expect(0);
    sandbox.post(
        "faults",
        &json!([{"match": "POST /2/dm_conversations", "do": "lose_answer"}]),
    );
    let said = home.run(&["task", "run", "dispatched"]).expect(3);
    assert_eq!(
        said.json()["counts"]["in_doubt"],
        3,
        "{}{}",
        said.stdout,
        said.stderr
    );
    sandbox.post("faults", &json!([]));
    (sandbox, home)
}

fn messages(sandbox: &Sandbox) -> usize {
    let requests = sandbox.get("requests");
    let sent =
        |r: &&Value| r["method"] == "POST" && r["path"].as_str().unwrap().starts_with("/2/dm_conversations");
    requests.as_array().unwrap().iter().filter(sent).count()
}

#[test]
fn the_list_and_the_story() {
    let (_sandbox, home) = doubtful();
    let all = home.run(&["delivery", "list"]).expect(0).json();
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 3);
    for (delivery, order) in all.iter().zip(1..) {
        assert_eq!(members(delivery), MEMBERS);
        assert!(delivery["id"].is_string(), "64-bit ids are strings");
        assert_eq!(delivery["key"], format!("dispatched-{order}"));
        assert_eq!(delivery["task"], "dispatched");
        assert_eq!(delivery["step"], "message");
        assert_eq!(delivery["connection"], "company-x");
        assert_eq!(delivery["state"], "in_doubt");
        assert_eq!(delivery["attempts"], 1);
        assert_eq!(delivery["result"], Value::Null);
        assert_eq!(delivery["failure"]["code"], "SEND-006");
        assert!(delivery["updated_at"].as_str().unwrap().ends_with('Z'));
    }
    let count = |arguments: &[&str]| {
        let all = [&["delivery", "list"], arguments].concat();
        home.run(&all).expect(0).json().as_array().unwrap().len()
    };
    assert_eq!(count(&["--state", "in_doubt", "--task", "dispatched"]), 3);
    assert_eq!(count(&["--state", "delivered"]), 0);
    assert_eq!(count(&["--task", "other"]), 0);
    assert_eq!(count(&["--key", "ched-2"]), 1);
    assert_eq!(count(&["--limit", "2"]), 2);

    let story = home.run(&["delivery", "show", "dispatched-2"]).expect(0).json();
    assert_eq!(story["input"]["order_no"], "2");
    assert!(
        story["request"].to_string().contains("dm_conversations"),
        "{story:#}"
    );
    let lines = story["story"].as_array().unwrap();
    assert!(
        lines.len() >= 2 && lines.iter().all(|l| l["at"].is_string() && l["text"].is_string()),
        "{story:#}"
    );
    let by_id = home
        .run(&["delivery", "show", story["id"].as_str().unwrap()])
        .expect(0)
        .json();
    assert_eq!(by_id, story);
    let text = home
        .run_as_text(&["delivery", "show", "dispatched-2"])
        .expect(0)
        .stdout;
    assert!(text.contains("in doubt") || text.contains("in_doubt"), "{text}");
    assert!(text.contains("intent stored"), "{text}");
}

#[test]
fn a_person_decides() {
    let (sandbox, home) = doubtful();
    assert_eq!(messages(&sandbox), 3);
    // Nothing is sent while it is in doubt.
    home.run(&["task", "run", "dispatched"]).expect(3);
    assert_eq!(messages(&sandbox), 3);

    let resolve = |key: &str, more: &[&str]| home.run(&[&["delivery", "resolve", key], more].concat());
    let sent = resolve("dispatched-1", &["--as", "sent", "--result", "{\"id\":\"1726\"}"])
        .expect(0)
        .json();
    assert_eq!(sent["state"], "delivered");
    assert_eq!(sent["result"], json!({"id": "1726"}));
    assert_eq!(
        resolve("dispatched-2", &["--as", "again"]).expect(0).json()["state"],
        "pending"
    );
    assert_eq!(
        resolve("dispatched-3", &["--as", "skip"]).expect(0).json()["state"],
        "skipped"
    );
    resolve("dispatched-1", &["--as", "again"]).refused(1, "RUN-004");
    resolve("dispatched-9", &["--as", "skip"]).refused(1, "RUN-003");
    resolve("dispatched-3", &["--as", "sent", "--result", "no JSON"])
        .expect(2)
        .error();

    let run = home.run(&["task", "run", "dispatched"]).expect(0).json();
    assert_eq!(run["counts"]["delivered"], 1, "{run:#}");
    assert_eq!(messages(&sandbox), 4, "only the one that a person sent again");
    // What a person said was sent reaches the later steps with the result that the person gave.
    let told = rusqlite::Connection::open(home.file("erp.sqlite")).unwrap();
    let event: String = told
        .query_row("select event from told where order_no = '1'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(event, "1726");
    let count: i64 = told
        .query_row("select count(*) from told", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 2, "the skipped one is not written");
    let story = home.run(&["delivery", "show", "dispatched-1"]).expect(0).json();
    assert!(
        story["story"]
            .to_string()
            .contains("a person at the command line"),
        "{story:#}"
    );
}
