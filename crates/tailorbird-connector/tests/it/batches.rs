//! Lists: how a record's item is built, and what an answer says of each.

use bytes::Bytes;
use jiff::Timestamp;
use tailorbird_connector::{
    Answer, BatchOutcome, ItemOutcome, Piece, Request, Resolved, batch_outcome, build_item, is_repeatable,
    pack, with_idempotency_key,
};
use tailorbird_model::{Failure, Meaning, Value, codes};

use crate::fixtures::{arguments, resolved, service, x_at};

const PEOPLE: &str = r"
service: people
title: People
root_url: http://127.0.0.1:9
operations:
  add:
    method: POST
    path: /people
    body: { json: { people: { type: json, required: true }, list: {} } }
    result: { records: /results, columns: { id: /id } }
    batch:
      parameter: people
      max: 10
      # MORE
errors:
  - { code: ALREADY_THERE, means: duplicate }
  - { contains: later, means: retry_later }
";

fn people(more: &str) -> Resolved {
    resolved(&service(&PEOPLE.replace("# MORE", more)), &[])
}

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: Bytes::from(body.to_owned()),
        json: serde_json::from_str(body).ok(),
        level: None,
        reports: Vec::new(),
        date: None,
        received_at: Timestamp::now(),
        cut: None,
        notes: Vec::new(),
        stamp: None,
        skew_seconds: None,
    }
}

fn item(people: &Resolved, name: &str) -> Request {
    let item = serde_json::json!({ "name": name });
    build_item(people, "add", &arguments(&[("people", Value::Json(item))])).unwrap()
}

/// What is said of three people, A, B and C, each in one word.
fn said(more: &str, status: u16, body: &str) -> Vec<String> {
    let people = people(more);
    let operation = people.operation("add").unwrap();
    let requests = ["A", "B", "C"].map(|name| item(&people, name));
    let pieces = requests
        .each_ref()
        .map(|request| Piece::of(operation, request).unwrap());
    let request = pack(&pieces.each_ref()).unwrap();
    let meaning = |failure: Failure| format!("{:?}", failure.meaning);
    match batch_outcome(&people, &request, &answer(status, body), 3) {
        BatchOutcome::Whole(failure) => vec![format!("whole {:?}", failure.meaning)],
        BatchOutcome::Each(items) => items
            .into_iter()
            .map(|item| match item {
                ItemOutcome::Accepted(result) => result.map_or_else(
                    || "accepted".to_owned(),
                    |result| result.get("id").unwrap().to_string(),
                ),
                ItemOutcome::Failed(failure) => meaning(failure),
                ItemOutcome::NotTaken(_) => "not taken".to_owned(),
                ItemOutcome::Unknown(failure) => format!("unknown {}", meaning(failure)),
            })
            .collect(),
    }
}

#[test]
fn without_outcomes_all_are_taken_or_none() {
    let three = r#"{"results":[{"id":1},{"id":2},{"id":3}]}"#;
    assert_eq!(said("", 200, three), ["1", "2", "3"]);
    assert_eq!(said("", 200, r#"{"results":[{"id":1}]}"#), ["accepted"; 3]);
    assert_eq!(said("", 202, ""), ["accepted"; 3]);
    assert_eq!(said("", 422, r#"{"message":"no"}"#), ["whole Rejected"]);
    assert_eq!(said("", 429, ""), ["whole RetryLater"]);
    assert_eq!(said("", 500, ""), ["whole InDoubt"]);
}

#[test]
fn outcomes_by_position_tell_of_each() {
    let by = "outcomes: { refused: /error, status: /status }";
    let mixed =
        r#"{"results":[{"id":1,"error":null},{"error":{"code":"BAD","message":"no"}},{"status":429}]}"#;
    assert_eq!(said(by, 207, mixed), ["1", "Rejected", "RetryLater"]);
    let ruled = r#"{"results":[{"error":{"code":"ALREADY_THERE"}},{"error":"try later"},{"status":503}]}"#;
    assert_eq!(said(by, 200, ruled), ["Duplicate", "RetryLater", "InDoubt"]);
    // As many as were sent, or nobody knows whose they are.
    let short = r#"{"results":[{"id":1},{"id":2}]}"#;
    assert_eq!(said(by, 200, short), ["unknown InDoubt"; 3]);
    assert_eq!(said(by, 200, "{}"), ["unknown InDoubt"; 3]);
    assert_eq!(said(by, 200, "<html>"), ["unknown InDoubt"; 3]);
    // `accepted` turns it round: what is not said to be so is refused.
    let ok = r#"{"results":[{"id":1,"ok":true},{"ok":false},{}]}"#;
    assert_eq!(
        said("outcomes: { accepted: /ok }", 200, ok),
        ["1", "Rejected", "Rejected"]
    );
}

#[test]
fn a_refusal_that_names_its_items_leaves_the_others() {
    let by = "outcomes: { refused: /error }";
    let blamed = r#"{"results":[{"error":null},{"error":"no such street"},{}]}"#;
    assert_eq!(said(by, 422, blamed), ["not taken", "Rejected", "not taken"]);
    let singly = "taken: singly\n      outcomes: { refused: /error }";
    assert_eq!(
        said(singly, 422, blamed),
        ["unknown InDoubt", "Rejected", "unknown InDoubt"]
    );
    let told = r#"{"results":[{"id":1,"ok":true},{"ok":false},{}]}"#;
    let singly = "taken: singly\n      outcomes: { accepted: /ok }";
    assert_eq!(said(singly, 422, told), ["1", "Rejected", "Rejected"]);
    assert_eq!(said(by, 422, r#"{"message":"no"}"#), ["whole Rejected"]);
    // What concerns the connection is never put down to an item.
    assert_eq!(said(by, 401, blamed), ["whole ConnectionFault"]);
    assert_eq!(said(by, 503, blamed), ["whole InDoubt"]);
}

#[test]
fn an_echo_finds_each_in_any_order() {
    let by =
        "outcomes: { by: { item: /name, entry: /name }, errors: { at: /errors, by: { index: /index } } }";
    let answer =
        r#"{"results":[{"name":"C","id":3},{"name":"A","id":1}],"errors":[{"index":1,"message":"no"}]}"#;
    assert_eq!(said(by, 200, answer), ["1", "Rejected", "3"]);
    let silent = r#"{"results":[{"name":"C","id":3}],"errors":[]}"#;
    assert_eq!(said(by, 200, silent), ["unknown InDoubt", "unknown InDoubt", "3"]);
}

#[test]
fn x_tells_of_the_ids_that_it_does_not_know() {
    let x = x_at("http://127.0.0.1:9");
    let operation = x.operation("get_users").unwrap();
    let of = |id: &str| {
        let request = build_item(&x, "get_users", &arguments(&[("ids", id.into())])).unwrap();
        Piece::of(operation, &request).unwrap()
    };
    let pieces = ["7", "8", "7"].map(of);
    let request = pack(&pieces.each_ref()).unwrap();
    assert!(request.url.contains("ids=7%2C8%2C7"), "{}", request.url);
    let body = r#"{"data":[{"id":"7","name":"N"}],"errors":[{"resource_id":"8","title":"Not Found Error",
                   "type":"https://api.x.com/2/problems/resource-not-found","detail":"no user 8"}]}"#;
    let BatchOutcome::Each(items) = batch_outcome(&x, &request, &answer(200, body), 3) else {
        panic!()
    };
    assert!(
        matches!(&items[0], ItemOutcome::Accepted(Some(found)) if found.get("name").unwrap().to_string() == "N")
    );
    assert!(
        matches!(&items[1], ItemOutcome::Failed(failure) if failure.detail.contains("no user 8")),
        "{items:?}"
    );
    assert_eq!(items[0], items[2]);
}

#[test]
fn an_item_is_one_and_stays_one() {
    let x = x_at("http://127.0.0.1:9");
    for (id, why) in [(Value::from("7,8"), "comma"), (Value::Null, "needs \"ids\"")] {
        let failure = build_item(&x, "get_users", &arguments(&[("ids", id)])).unwrap_err();
        assert_eq!(
            (failure.code.as_str(), failure.meaning),
            (codes::PARAMETER, Meaning::Rejected)
        );
        assert!(failure.to_string().contains(why), "{failure}");
    }
    let failure = build_item(&x, "create_post", &arguments(&[("text", "a".into())])).unwrap_err();
    assert_eq!(failure.meaning, Meaning::ConnectionFault, "{failure}");
}

#[test]
fn a_key_in_each_item_makes_a_packed_repeat_harmless() {
    let text = PEOPLE.replace(
        "    path: /people\n",
        "    path: /people\n    idempotency_key: { item: ref }\n",
    );
    let people = resolved(&service(&text), &[]);
    let operation = people.operation("add").unwrap();
    let keyed = |name: &str| with_idempotency_key(operation, item(&people, name), &["task", name]);
    let requests = [keyed("A"), keyed("B")];
    assert_eq!(requests[0], keyed("A"));
    let pieces = requests
        .each_ref()
        .map(|request| Piece::of(operation, request).unwrap());
    assert!(pieces[0].fits(&pieces[1]) && pieces[0].item() != pieces[1].item());
    let packed = pack(&pieces.each_ref()).unwrap();
    assert!(is_repeatable(&people, &packed));
    let bare = Piece::of(operation, &item(&people, "C")).unwrap();
    assert!(
        !is_repeatable(&people, &pack(&[&pieces[0], &bare]).unwrap()),
        "one has no key"
    );
}
