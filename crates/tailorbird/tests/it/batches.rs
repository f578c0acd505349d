//! Calls in batches, from outside: one request for many records, one outcome for each.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::flow::{Running, wait_until};
use crate::provider::{Provider, Reply, SERVICE};
use crate::support::Home;

/// A provider that takes people by the list. `MORE` and `BATCH` are places for what a test is about.
const PEOPLE: &str = r"  add_people:
    method: POST
    path: /people
    body: { json: { people: { type: json, required: true }, list: {} } }
    result: { records: /results, columns: { id: /id } }
    in_doubt: ask
    # MORE
    batch:
      parameter: people
      max: 100
      # BATCH
";

const TASK: &str = r#"
task: tell
steps:
  - id: items
    query: { database: erp, sql: "select id, text from items order by id" }
  - id: note
    call:
      connection: c
      operation: add_people
      for_each: items
      key: "item-{{ id }}"
      batch: 4
      with: { people: { name: "{{ text }}", number: "{{ id }}" }, list: a }
"#;

fn service(more: &str, batch: &str) -> String {
    let people = PEOPLE.replace("# MORE", more).replace("# BATCH", batch);
    SERVICE.replace("    # MORE\n", &people)
}

/// A home whose task sends so many rows in batches of four, one request at a time.
fn home(provider: &Provider, service: &str, rows: usize) -> Home {
    let home = provider.home(service, &["concurrency=1"], rows);
    home.apply("task.yaml", TASK).expect(0);
    home
}

/// The numbers of the people in a request.
fn numbers(body: &str) -> Vec<u64> {
    let json: Value = serde_json::from_str(body).unwrap();
    let people = json["people"].as_array().unwrap();
    people.iter().map(|one| one["number"].as_u64().unwrap()).collect()
}

fn sizes(provider: &Provider) -> Vec<usize> {
    provider.bodies().iter().map(|body| numbers(body).len()).collect()
}

/// Accepts all, with an id for each.
fn accept(body: &str) -> Reply {
    let results: Vec<Value> = numbers(body)
        .iter()
        .map(|n| json!({"id": format!("p{n}")}))
        .collect();
    Reply::Answer(200, "", json!({"results": results}).to_string())
}

fn states(home: &Home) -> Vec<String> {
    let list = home.run(&["delivery", "list"]).json();
    let text = |delivery: &Value| delivery["state"].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(text).collect()
}

#[test]
fn ten_rows_leave_in_three_requests_and_each_has_its_own_outcome() {
    let provider = Provider::start(|_, _, body| accept(body));
    let home = home(&provider, &service("", ""), 10);
    home.run(&["task", "check", &home.write("again.yaml", TASK)])
        .expect(0);
    // The dry run shows what would be packed, and sends nothing.
    let shown = home.run(&["task", "run", "tell", "--dry-run"]).expect(0).json();
    let batches = shown["batches"].as_array().unwrap();
    assert_eq!(batches.len(), 3, "{shown:#}");
    assert_eq!(
        batches[0]["keys"],
        json!(["item-1", "item-2", "item-3", "item-4"])
    );
    assert_eq!(numbers(batches[2]["request"]["body"].as_str().unwrap()), [9, 10]);
    assert_eq!(shown["requests"][5]["batch"], 1);
    let words = home.run_as_text(&["task", "run", "tell", "--dry-run"]).stdout;
    assert!(words.contains("would be sent in batch 3 of 3"), "{words}");
    assert_eq!(words.matches("POST http").count(), 3, "{words}");
    assert!(provider.requests().is_empty());

    let said = home.run(&["task", "run", "tell"]).expect(0).json();
    assert_eq!(said["counts"]["delivered"], 10);
    assert_eq!(sizes(&provider), [4, 4, 2]);
    let seventh = home.run(&["delivery", "show", "item-7"]).expect(0).json();
    assert_eq!(seventh["result"]["id"], "p7", "{seventh:#}");
    let said = home.run(&["task", "run", "tell"]).expect(0).json();
    assert_eq!(
        (&said["counts"]["already"], provider.requests().len()),
        (&json!(10), 3)
    );
}

#[test]
fn records_that_go_to_different_lists_are_packed_by_list() {
    let provider = Provider::start(|_, _, body| accept(body));
    let home = home(&provider, &service("", ""), 8);
    home.apply(
        "task.yaml",
        &TASK.replace("list: a", "list: \"{{ 'odd' if id is odd else 'even' }}\""),
    )
    .expect(0);
    home.run(&["task", "run", "tell"]).expect(0);
    let bodies = provider.bodies();
    assert_eq!(bodies.len(), 2, "{bodies:?}");
    assert_eq!(
        (numbers(&bodies[0]), numbers(&bodies[1])),
        (vec![1, 3, 5, 7], vec![2, 4, 6, 8])
    );
}

#[test]
fn a_lost_answer_puts_the_whole_batch_in_doubt_and_nothing_else() {
    let provider = Provider::start(|number, _, body| if number == 1 { Reply::Cut } else { accept(body) });
    let home = home(&provider, &service("", ""), 10);
    let said = home.run(&["task", "run", "tell"]).expect(3).json();
    assert_eq!(
        (&said["counts"]["delivered"], &said["counts"]["in_doubt"]),
        (&json!(6), &json!(4)),
        "{said:#}"
    );
    home.run(&["task", "run", "tell"]).expect(3);
    assert_eq!(sizes(&provider), [4, 4, 2], "sent again on a guess");
    // A person settles each for itself.
    home.run(&["delivery", "resolve", "item-5", "--as", "sent"])
        .expect(0);
    home.run(&["delivery", "resolve", "item-6", "--as", "again"])
        .expect(0);
    home.run(&["delivery", "resolve", "item-7", "--as", "skip"])
        .expect(0);
    home.run(&["delivery", "resolve", "item-8", "--as", "again"])
        .expect(0);
    home.run(&["task", "run", "tell"]).expect(0);
    assert_eq!(numbers(&provider.bodies()[3]), [6, 8]);
    assert_eq!(
        states(&home).iter().filter(|state| *state == "delivered").count(),
        9
    );
}

#[test]
fn a_batch_in_doubt_is_repeated_where_each_item_has_a_key() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&seen);
    let provider = Provider::start(move |number, _, body| {
        let json: Value = serde_json::from_str(body).unwrap();
        let people = json["people"].as_array().unwrap();
        let keys = people.iter().map(|one| one["ref"].as_str().unwrap().to_owned());
        kept.lock().unwrap().extend(keys);
        if number == 0 { Reply::Cut } else { accept(body) }
    });
    let keyed = service("idempotency_key: { item: ref }", "").replace("in_doubt: ask", "in_doubt: repeat");
    let home = home(&provider, &keyed, 6);
    let said = home.run(&["task", "run", "tell"]).expect(0).json();
    assert_eq!(said["counts"]["delivered"], 6);
    let seen = seen.lock().unwrap();
    let distinct: HashSet<&String> = seen.iter().collect();
    assert_eq!(
        (seen.len(), distinct.len()),
        (10, 6),
        "four were repeated under their own keys"
    );
}

#[test]
fn an_answer_tells_of_each_item() {
    let provider = Provider::start(|_, _, body| {
        let results: Vec<Value> = numbers(body)
            .iter()
            .map(|number| match number {
                2 => json!({"error": {"code": "BAD", "message": "no such street"}}),
                3 => json!({"error": {"message": "busy"}, "status": 503}),
                _ => json!({"id": number, "status": 201}),
            })
            .collect();
        Reply::Answer(207, "", json!({"results": results}).to_string())
    });
    let outcomes = "outcomes: { refused: /error, status: /status }";
    let home = home(&provider, &service("", outcomes), 4);
    home.run(&["task", "run", "tell"]).expect(3);
    assert_eq!(states(&home), ["delivered", "rejected", "in_doubt", "delivered"]);
    let second = home.run(&["delivery", "show", "item-2"]).expect(0).json();
    assert_eq!(
        second["failure"]["provider_message"], "no such street",
        "{second:#}"
    );
    assert_eq!(provider.requests().len(), 1);
}

/// Refuses every request that holds one of these, without saying which.
fn fussy(bad: &'static [u64]) -> Provider {
    Provider::start(move |_, _, body| {
        if numbers(body).iter().any(|number| bad.contains(number)) {
            Reply::refuse()
        } else {
            accept(body)
        }
    })
}

#[test]
fn a_refusal_that_names_nobody_is_split_until_the_bad_one_stands_alone() {
    let provider = fussy(&[3]);
    let home = home(&provider, &service("", ""), 8);
    let said = home.run(&["task", "run", "tell"]).expect(3).json();
    assert_eq!(
        (&said["counts"]["delivered"], &said["counts"]["rejected"]),
        (&json!(7), &json!(1)),
        "{said:#}"
    );
    assert_eq!(states(&home)[2], "rejected");
    let requests: Vec<Vec<u64>> = provider.bodies().iter().map(|body| numbers(body)).collect();
    let expected: [&[u64]; 6] = [&[1, 2, 3, 4], &[1, 2], &[3, 4], &[3], &[4], &[5, 6, 7, 8]];
    assert_eq!(requests, expected);
    let third = home.run(&["delivery", "show", "item-3"]).expect(0).json();
    assert_eq!(
        third["failure"]["provider_message"], "text is not allowed",
        "{third:#}"
    );
}

#[test]
fn all_bad_ones_are_found_and_a_threshold_ends_the_search() {
    let provider = fussy(&[1, 2, 3, 4]);
    let home = home(&provider, &service("", ""), 4);
    home.run(&["task", "run", "tell"]).expect(3);
    assert_eq!(states(&home), ["rejected"; 4]);
    assert_eq!(provider.requests().len(), 7, "two for each, less one");

    let provider = fussy(&[1, 2, 3, 4]);
    let home = self::home(&provider, &service("", ""), 4);
    home.apply("task.yaml", &format!("{TASK}stop: {{ after_rejected: 1 }}\n"))
        .expect(0);
    let said = home.run(&["task", "run", "tell"]).expect(3).json();
    assert_eq!(said["failure"]["code"], "SEND-012", "{said:#}");
    assert_eq!(states(&home), ["rejected", "pending", "pending", "pending"]);
}

#[test]
fn a_refused_batch_is_doubt_where_the_provider_takes_items_one_by_one() {
    let provider = fussy(&[3]);
    let home = home(&provider, &service("", "taken: singly"), 4);
    home.run(&["task", "run", "tell"]).expect(3);
    assert_eq!(states(&home), ["in_doubt"; 4]);
    assert_eq!(provider.requests().len(), 1);
}

#[test]
fn a_connection_at_fault_and_a_full_window_reject_nobody() {
    let provider = Provider::start(|_, _, _| Reply::Answer(401, "", "{}".to_owned()));
    let home = home(&provider, &service("", ""), 6);
    home.run(&["task", "run", "tell"]).expect(3);
    assert_eq!(states(&home), ["pending"; 6]);
    assert_eq!(provider.requests().len(), 1);

    let provider = Provider::start(|number, _, body| match number {
        0 => Reply::Answer(429, "Retry-After: 1\r\n", "{}".to_owned()),
        _ => accept(body),
    });
    let home = self::home(&provider, &service("", ""), 6);
    home.run(&["task", "run", "tell"]).expect(0);
    assert_eq!(sizes(&provider), [4, 4, 2]);
}

#[test]
fn limits_and_money_count_items_where_the_service_says_so() {
    let provider = Provider::start(|_, _, body| accept(body));
    let limited = format!(
        "{}limits: [{{ operation: add_people, calls: 6, window: 1h, counts: items }}]\n",
        service(
            r#"cost: { per_call: "0.10", per_item: "0.01", currency: USD }"#,
            ""
        )
    );
    let home = home(&provider, &limited, 10);
    let said = home.run(&["task", "run", "tell"]).expect(3).json();
    assert_eq!(
        (&said["state"], &said["failure"]["code"]),
        (&json!("waiting"), &json!("SEND-005")),
        "{said:#}"
    );
    assert_eq!(sizes(&provider), [4], "four of six; four more do not fit");
    let shown = home.run(&["connection", "show", "c"]).expect(0).json();
    assert_eq!(shown["limits"][0]["used"], 4, "{shown:#}");
    assert_eq!(shown["spending"]["today"], "0.14", "{shown:#}");
    let words = home.run_as_text(&["connection", "show", "c"]).stdout;
    assert!(words.contains("4 of 6 items in 1h"), "{words}");

    // A batch that would cost more than the whole cap is made smaller.
    let provider = Provider::start(|_, _, body| accept(body));
    let priced = service(
        r#"cost: { per_call: "0.10", per_item: "0.10", currency: USD }"#,
        "",
    );
    let home = provider.home(&priced, &["concurrency=1", "spending_cap=0.30/day"], 4);
    home.apply("task.yaml", TASK).expect(0);
    let said = home.run(&["task", "run", "tell"]).expect(3).json();
    assert_eq!(said["failure"]["code"], "SEND-011", "{said:#}");
    assert_eq!(sizes(&provider), [2]);
}

#[test]
fn a_batch_is_no_greater_than_its_bytes() {
    let provider = Provider::start(|_, _, body| accept(body));
    let home = home(&provider, &service("", "max_bytes: 90"), 4);
    home.run(&["task", "run", "tell"]).expect(0);
    assert_eq!(sizes(&provider), [2, 2]);
    assert!(
        provider.bodies().iter().all(|body| body.len() <= 90),
        "{:?}",
        provider.bodies()
    );
}

#[test]
fn killed_in_the_middle_of_a_batch_nothing_is_sent_twice_or_lost() {
    let provider = Provider::start(|number, _, body| {
        if number == 1 {
            std::thread::sleep(Duration::from_secs(30));
        }
        accept(body)
    });
    let home = home(&provider, &service("", ""), 10);
    let running = Running::start(home.command(&["task", "run", "tell"]));
    wait_until("the second batch", || provider.requests().len() == 2);
    running.kill();
    let said = home.run(&["task", "run", "tell"]).expect(3).json();
    assert_eq!(said["counts"]["in_doubt"], 4, "{said:#}");
    let mut counts = [0; 11];
    for body in provider.bodies() {
        for number in numbers(&body) {
            counts[usize::try_from(number).unwrap()] += 1;
        }
    }
    assert_eq!(counts[1..], [1; 10], "each left once");
    let doubts: Vec<bool> = states(&home).iter().map(|state| state == "in_doubt").collect();
    assert_eq!(doubts.iter().filter(|doubt| **doubt).count(), 4);
}

#[test]
fn a_check_says_where_a_batch_does_not_fit() {
    let provider = Provider::start(|_, _, body| accept(body));
    let home = provider.home(
        &service("idempotency_key: { header: Idempotency-Key }", ""),
        &[],
        1,
    );
    let check = |text: &str| {
        let said = home.run(&["task", "check", &home.write("bad.yaml", text)]);
        assert_ne!(said.code, 0, "{text}");
        format!("{}{}", said.stdout, said.stderr)
    };
    assert!(check(TASK).contains("idempotency key for the whole request"));
    home.run(&[
        "service",
        "add",
        &home.write("s.yaml", &service("", "").replace("ROOT", &provider.root)),
    ])
    .expect(0);
    for (from, to, message) in [
        ("batch: 4", "batch: 101", "at most 100 records at once"),
        ("people: { name", "people: [{ name", "is one item and no list"),
        (
            "operation: add_people",
            "operation: create_note",
            "takes one record at a time",
        ),
        (
            "with: { people: { name: \"{{ text }}\", number: \"{{ id }}\" }, list: a }",
            "with: { list: a }",
            "`people` is missing",
        ),
        (
            "      for_each: items\n",
            "",
            "packs records, and the step takes none",
        ),
        (
            "batch: 4",
            "batch: 4\n      pages: all",
            "does not go with `pages`",
        ),
        ("batch: 4", "batch: 0", "batch"),
    ] {
        let text = TASK.replace(from, to).replace(
            "}, list: a }",
            if to.contains('[') {
                "}], list: a }"
            } else {
                "}, list: a }"
            },
        );
        let said = check(&text);
        assert!(said.contains(message), "{message}: {said}");
    }
}

/// A provider whose list may be asked what arrived.
fn listing(lost: usize) -> Provider {
    let there: Arc<Mutex<Vec<u64>>> = Arc::default();
    Provider::start(move |number, head, body| {
        let mut there = there.lock().unwrap();
        if head.starts_with("GET") {
            let data: Vec<Value> = there
                .iter()
                .map(|n| json!({"id": format!("p{n}"), "name": format!("text {n}")}))
                .collect();
            return Reply::Answer(200, "", json!({"data": data}).to_string());
        }
        if number == lost {
            // A part of it arrived.
            there.extend(numbers(body).iter().filter(|n| *n % 2 == 0));
            return Reply::Cut;
        }
        there.extend(numbers(body));
        accept(body)
    })
}

#[test]
fn each_record_of_a_doubtful_batch_is_looked_up_for_itself() {
    let provider = listing(1);
    let looked = "in_doubt: { look_up: { operation: list_people, match: { /name: name }, settling: 1s } }";
    let list = "  list_people: { method: GET, path: /people, result: { records: /data, columns: { id: /id, name: /name } } }\n";
    let text = service("", "").replace("in_doubt: ask", looked) + list;
    let home = home(&provider, &text, 8);
    let said = home.run(&["task", "run", "tell"]).expect(0).json();
    assert_eq!(said["counts"]["delivered"], 8, "{said:#}");
    let mut sent: Vec<u64> = Vec::new();
    for (head, body) in provider.requests() {
        if head.starts_with("POST") {
            sent.extend(numbers(&body));
        }
    }
    // 6 and 8 had arrived; 5 and 7 had not, and were sent again.
    assert_eq!(sent, [1, 2, 3, 4, 5, 6, 7, 8, 5, 7]);
    let sixth = home.run(&["delivery", "show", "item-6"]).expect(0).json();
    assert_eq!(sixth["result"]["id"], "p6", "{sixth:#}");
}

const AUTHORS: &str = r#"
task: authors
steps:
  - id: mentions
    call: { connection: company-x, operation: list_mentions, pages: all }
  - id: people
    call: { connection: company-x, operation: get_users, for_each: mentions, batch: 100, with: { ids: "{{ author_id }}" } }
  - id: store
    write: { database: erp, table: posted, from: people, key: [sku], columns: { sku: "{{ id }}", post_id: "{{ result.username }}", posted_at: "{{ result.id }}" } }
"#;

/// How often people were asked about.
fn asked(flow: &crate::flow::Flow) -> usize {
    let requests = flow.sandbox.get("requests");
    let is_about_people = |request: &&Value| request["path"] == "/2/users";
    requests
        .as_array()
        .unwrap()
        .iter()
        .filter(is_about_people)
        .count()
}

#[test]
fn a_hundred_people_are_read_about_in_one_call() {
    let flow = crate::flow::Flow::new();
    flow.home.apply("authors.yaml", AUTHORS).expect(0);
    let said = flow.run_task("authors").expect(0).json();
    assert_eq!(said["counts"]["written"], 137, "{said:#}");
    assert_eq!(asked(&flow), 2, "137 mentions come in two pages");
    let wrong = "select count(*) from posted where post_id is null or posted_at is null";
    assert_eq!(flow.number(wrong), 0);

    // One that nobody has is told of in `errors`, one that cannot be an id refuses the whole call.
    let known = flow.number("select min(cast(posted_at as integer)) from posted");
    flow.sql("delete from posted; delete from items");
    for id in ["1", "nonsense", &known.to_string()] {
        flow.item(id, "");
    }
    let task = AUTHORS.replace(
        "call: { connection: company-x, operation: list_mentions, pages: all }",
        "query: { database: erp, sql: \"select sku as author_id, sku as id from items\" }",
    );
    flow.home.apply("authors.yaml", &task).expect(0);
    let said = flow.run_task("authors").expect(3).json();
    assert_eq!(
        (&said["counts"]["written"], &said["counts"]["rejected"]),
        (&json!(1), &json!(2)),
        "{said:#}"
    );
    let rehearsed = flow.home.run(&["task", "run", "authors", "--dry-run"]);
    assert_eq!(
        rehearsed.code, 3,
        "the whole call is refused: {}",
        rehearsed.stdout
    );
}
