use tailorbird_model::task::fields::Takes;

use super::*;

const TASK: &str = r#"# Ours.
task: a
trigger: {}
steps:
  - id: rows
    query:
      database: erp # the one
      sql: |
        select id,
          n from x
  # Out.
  - id: post
    call: { connection: x, operation: send, for_each: rows, key: "{{ id }}", with: { text: "{{ n }}", count: 1 } }
  - id: each
    for_each:
      from: rows
      as: row
      steps:
        - { id: in, wait: { for: 1m } }
"#;

fn typed(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn cards_are_told_with_their_place() {
    let lines = card_lines(&document(TASK).unwrap());
    let told: Vec<(&str, &str, usize)> = lines
        .iter()
        .map(|line| (line.pointer.as_str(), line.path.as_str(), line.depth))
        .collect();
    assert_eq!(
        told,
        [
            ("/steps/0", "rows", 0),
            ("/steps/1", "post", 0),
            ("/steps/2", "each", 0),
            ("/steps/2/for_each/steps/0", "each/in", 1)
        ]
    );
    assert_eq!(lines[1].line, "send over x, for each of rows");
}

#[test]
fn a_form_that_was_not_touched_changes_nothing() {
    for (card, fields) in [
        (
            "/steps/0",
            typed(&[
                ("f:id", "rows"),
                ("f:database", "erp"),
                ("f:sql", "select id,\n  n from x"),
                ("k:parameters:0", ""),
                ("p:parameters:0", ""),
                ("f:cursor/column", ""),
            ]),
        ),
        (
            "/steps/1",
            typed(&[
                ("f:connection", "x"),
                ("f:key", "{{ id }}"),
                ("f:when", ""),
                ("k:with:0", "count"),
                ("p:with:0", "1"),
                ("k:with:1", "text"),
                ("p:with:1", "{{ n }}"),
            ]),
        ),
        ("", typed(&[("f:description", ""), ("f:trigger/schedule", "")])),
    ] {
        let changed = change_card(TASK, card, &fields).unwrap();
        assert_eq!(changed.edited.text, TASK, "{card}");
    }
}

#[test]
fn what_is_typed_goes_into_the_text_and_comments_stay() {
    let changed = change_card(
        TASK,
        "/steps/0",
        &typed(&[
            ("f:id", "lines"),
            ("f:database", "crm"),
            ("f:cursor/column", "id"),
            ("f:cursor/start", "0"),
        ]),
    )
    .unwrap();
    let text = changed.edited.text;
    for words in [
        "- id: lines\n",
        "database: crm # the one\n",
        "cursor: { column: id, start: 0 }",
        "for_each: lines, key",
        "      from: lines\n",
        "# Out.\n",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(changed.edited.lost, [""; 0]);
    let changed = change_card(
        TASK,
        "/steps/1",
        &typed(&[
            ("k:with:0", "text"),
            ("p:with:0", "<b> \"{{ n }}\""),
            ("k:with:1", ""),
            ("p:with:1", "x"),
            ("f:batch", "5"),
            ("f:key", ""),
        ]),
    )
    .unwrap();
    let call = document(&changed.edited.text).unwrap()["steps"][1]["call"].clone();
    assert_eq!(
        call,
        serde_json::json!({"connection": "x", "operation": "send", "for_each": "rows", "with": {"text": "<b> \"{{ n }}\""}, "batch": 5})
    );
    let changed = change_card(TASK, "", &typed(&[("f:trigger/schedule", "*/5 * * * *")])).unwrap();
    assert!(
        changed
            .edited
            .text
            .contains("trigger: { schedule: \"*/5 * * * *\" }\n"),
        "{}",
        changed.edited.text
    );
    assert!(change_card("a: [", "", &[]).is_err());
}

#[test]
fn steps_are_added_moved_and_taken_away() {
    let usual = |takes| (takes == Takes::Database).then(|| "erp".to_owned());
    let added = add_card(TASK, "/steps/0", "filter", usual).unwrap();
    assert_eq!(added.card, "/steps/1");
    assert!(
        added
            .edited
            .text
            .contains("  - id: filter\n    filter: { from: rows }\n  # Out.\n"),
        "{}",
        added.edited.text
    );
    let inside = add_card(TASK, "/steps/2/for_each/steps/0", "query", usual).unwrap();
    assert_eq!(inside.card, "/steps/2/for_each/steps/1");
    assert_eq!(
        document(&inside.edited.text)
            .unwrap()
            .pointer(&inside.card)
            .unwrap()["query"]["database"],
        "erp"
    );
    let first = add_card("task: a\nsteps: []\n", "", "query", usual).unwrap();
    assert_eq!(document(&first.edited.text).unwrap()["steps"][0]["id"], "query");
    let into_loop = add_card(
        "task: a\nsteps:\n  - id: l\n    for_each: { from: r, steps: [] }\n",
        "/steps/0",
        "transform",
        usual,
    )
    .unwrap();
    assert_eq!(into_loop.card, "/steps/0/for_each/steps/0");
    assert_eq!(
        document(&into_loop.edited.text)
            .unwrap()
            .pointer(&into_loop.card)
            .unwrap()["transform"]["from"],
        "parent"
    );
    let moved = move_card(TASK, "/steps/1", false).unwrap();
    assert_eq!(moved.card, "/steps/0");
    assert!(
        moved.edited.text.contains("steps:\n  # Out.\n  - id: post\n"),
        "{}",
        moved.edited.text
    );
    assert_eq!(move_card(TASK, "/steps/0", false).unwrap().edited.text, TASK);
    let removed = remove_card(TASK, "/steps/1").unwrap();
    assert_eq!(
        (removed.card.as_str(), removed.edited.lost.as_slice()),
        ("/steps/0", ["# Out.".to_owned()].as_slice())
    );
    assert!(add_card(TASK, "/steps/0", "nonsense", usual).unwrap().edited.text == TASK);
}
