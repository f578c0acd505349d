//! Cursors of listings: mentions come in once.

use serde_json::json;

use crate::flow::{CONNECTION, Flow, OTHER_ACCOUNT, Running, wait_until};
use crate::support::sql;

/// How many mentions a fresh sandbox has.
const SEEDED: u64 = 137;

const TABLE: &str = "create table mentions (id text primary key, text text, author_id text);
                     create table log (id text);
                     create trigger noted after insert on mentions begin insert into log values (new.id); end;";

fn collect(pages: &str, more: &str) -> String {
    format!(
        "
task: announce
steps:
  - id: mentions
    call: {{ connection: company-x, operation: list_mentions, {pages} with: {{ max_results: 20 }},
             cursor: {{ result: id, parameter: since_id }} }}
  - id: store
    write:
      database: crm
      table: mentions
      from: mentions
      key: [id]
      columns: {{ id: \"{{{{ id }}}}\", text: \"{{{{ text }}}}\", author_id: \"{{{{ author_id }}}}\" }}
{more}"
    )
}

struct Inbox {
    flow: Flow,
    crm: std::path::PathBuf,
}

impl Inbox {
    fn new(task: &str) -> Self {
        let flow = Flow::new();
        let crm = flow.home.database("crm", TABLE);
        flow.apply(task);
        Self { flow, crm }
    }

    fn number(&self, query: &str) -> u64 {
        u64::try_from(crate::support::number(&self.crm, query)).unwrap()
    }

    fn cursor(&self) -> String {
        let database = rusqlite::Connection::open(&self.crm).unwrap();
        let query = "select value from _tailorbird_cursor where task = 'announce' and step = 'mentions'";
        let value: String = database.query_row(query, [], |row| row.get(0)).unwrap();
        value.trim_matches('"').to_owned()
    }

    /// Another account mentions ours.
    fn mention(&self, texts: &[String]) {
        let home = &self.flow.home;
        if home.run(&["connection", "show", "shop"]).code != 0 {
            home.connect(&self.flow.sandbox, "shop", "x", "read_write");
            let started = home
                .run(&["connection", "authorize", "shop", "--start"])
                .expect(0)
                .json();
            let token = started["authorize_url"]
                .as_str()
                .unwrap()
                .split("oauth_token=")
                .nth(1)
                .unwrap();
            let approved = self.flow.sandbox.post(
                "approve",
                &json!({"oauth_token": token, "account": OTHER_ACCOUNT}),
            );
            let pin = approved["verifier"].as_str().unwrap().to_owned();
            home.run(&["connection", "authorize", "shop", "--verifier", &pin])
                .expect(0);
        }
        for text in texts {
            let parameter = format!("text=@tailorbird_demo {text}");
            home.run(&["call", "shop", "create_post", "--param", &parameter])
                .expect(0);
        }
    }
}

#[test]
fn mentions_come_in_once_and_the_cursor_lives_beside_them() {
    let inbox = Inbox::new(&collect("pages: all,", ""));
    inbox
        .flow
        .run()
        .expect(0)
        .counted("succeeded", &[("read", SEEDED), ("written", SEEDED)]);
    assert_eq!(inbox.number("select count(*) from mentions"), SEEDED);
    let newest: u64 = inbox.cursor().parse().unwrap();
    assert_eq!(
        inbox.number("select max(cast(id as integer)) from mentions"),
        newest
    );

    inbox.flow.run().expect(0).counted("succeeded", &[]);
    inbox.mention(&["one more".to_owned(), "and another".to_owned()]);
    inbox
        .flow
        .run()
        .expect(0)
        .counted("succeeded", &[("read", 2), ("written", 2)]);
    assert_eq!(
        inbox.number("select count(*) from log"),
        SEEDED + 2,
        "each was inserted once"
    );
    assert!(inbox.cursor().parse::<u64>().unwrap() > newest);
}

/// Lists come newest first: moved with the first page, the cursor would pass the others over.
#[test]
fn a_kill_between_two_pages_loses_none() {
    let inbox = Inbox::new(&collect("pages: all,", ""));
    inbox.flow.sandbox.post(
        "faults",
        &json!([{"match": "GET /2/users", "nth": 3, "do": "delay", "seconds": 30}]),
    );
    let running = Running::start(inbox.flow.home.command(&["task", "run", "announce"]));
    wait_until("two pages", || {
        inbox.number("select count(*) from mentions") >= 40
    });
    running.kill();
    assert_eq!(inbox.number("select count(*) from mentions"), 40);
    assert_eq!(
        inbox.number("select count(*) from sqlite_schema where name = '_tailorbird_cursor'"),
        0
    );
    inbox.flow.no_faults();
    inbox
        .flow
        .run()
        .expect(0)
        .counted("succeeded", &[("read", SEEDED), ("written", SEEDED)]);
    assert_eq!(inbox.number("select count(*) from mentions"), SEEDED);
    assert_eq!(
        inbox.number("select count(*) from log"),
        SEEDED,
        "the first 40 were updated, not inserted anew"
    );
}

/// A lost page, a limit and a broken answer: asked for again.
#[test]
fn a_page_that_fails_is_asked_for_again() {
    let inbox = Inbox::new(&collect("pages: all,", ""));
    inbox.flow.sandbox.post(
        "faults",
        &json!([
            {"match": "GET /2/users", "nth": 2, "do": "lose_answer"},
            {"match": "GET /2/users", "nth": 4, "do": "429", "seconds": 1},
        ]),
    );
    inbox
        .flow
        .run()
        .expect(0)
        .counted("succeeded", &[("read", SEEDED), ("written", SEEDED)]);
}

/// With a cursor, a number of pages bounds the first reading only: later it would leave out the oldest of
/// what is new, and the cursor would pass it over.
#[test]
fn a_number_of_pages_leaves_nothing_new_out() {
    let inbox = Inbox::new(&collect("pages: 1,", "").replace("max_results: 20", "max_results: 5"));
    inbox
        .flow
        .run()
        .expect(0)
        .counted("succeeded", &[("read", 5), ("written", 5)]);
    let texts: Vec<String> = (0..12).map(|i| format!("question {i}")).collect();
    inbox.mention(&texts);
    inbox
        .flow
        .run()
        .expect(0)
        .counted("succeeded", &[("read", 12), ("written", 12)]);
    assert_eq!(
        inbox.number("select count(*) from mentions where text like '%question%'"),
        12
    );
}

/// The records go to two steps: the cursor is kept in the home, and moves after both.
#[test]
fn a_listing_that_two_steps_take_is_enrolled_before_its_cursor_moves() {
    let more = "  - id: thank
    call:
      connection: company-x
      operation: send_direct_message
      for_each: mentions
      key: \"thanks-{{ id }}\"
      with: { participant_id: \"{{ author_id }}\", text: \"Thank you for {{ id }}\" }
";
    let task = collect("pages: 1,", more).replace("max_results: 20", "max_results: 5");
    let inbox = Inbox::new(&task);
    inbox.flow.delay(0);
    inbox
        .flow
        .run()
        .expect(0)
        .counted("succeeded", &[("read", 5), ("written", 5), ("delivered", 5)]);
    assert_eq!(
        inbox.number("select count(*) from sqlite_schema where name = '_tailorbird_cursor'"),
        0
    );
    inbox.flow.run().expect(0).counted("succeeded", &[]);
    inbox.mention(&["hello".to_owned()]);
    inbox
        .flow
        .run()
        .expect(0)
        .counted("succeeded", &[("read", 1), ("written", 1), ("delivered", 1)]);
}

/// The target refuses: neither rows nor cursor.
#[test]
fn rows_and_cursor_are_stored_both_or_not_at_all() {
    let inbox = Inbox::new(&collect("pages: all,", ""));
    inbox.flow.run().expect(0);
    let before = inbox.cursor();
    sql(
        &inbox.crm,
        "create trigger refused before insert on mentions when new.text like '%forbidden%'
                     begin select raise(abort, 'forbidden word'); end;",
    );
    inbox.mention(&["fine".to_owned(), "forbidden".to_owned()]);
    inbox.flow.run().failed(1, "DB-006").says(&["forbidden word"]);
    assert_eq!(inbox.cursor(), before);
    assert_eq!(inbox.number("select count(*) from mentions"), SEEDED);
    sql(&inbox.crm, "drop trigger refused");
    inbox
        .flow
        .run()
        .expect(0)
        .counted("succeeded", &[("read", 2), ("written", 2)]);
    assert_eq!(inbox.flow.home.run(&["connection", "show", CONNECTION]).code, 0);
}
