use proptest::prelude::*;
use serde_json::json;

use super::*;

const TASK: &str = r#"# All of it.
task: a                       # its name
trigger: { schedule: "0 3 * * *", timezone: Europe/London }
steps:
  # The source.
  - id: rows
    query:
      database: erp           # ours
      sql: |
        select 1
        # no comment, but SQL
      parameters: { least: 1 }
  # Goes out.
  - id: post
    call: { connection: x, operation: send, for_each: rows, with: { text: "New: {{ n }} # one" } }

  - id: back
    write:
      database: erp
      key: [id]
      table:
"#;

fn changed(pointer: &str, value: Value) -> Edited {
    let mut wanted = value_of(TASK).unwrap();
    *wanted.pointer_mut(pointer).unwrap() = value;
    let edited = rewrite(TASK, &wanted).unwrap();
    assert_eq!(value_of(&edited.text), Some(wanted), "{}", edited.text);
    edited
}

#[test]
fn one_value_is_one_cut() {
    for (pointer, value, before, after) in [
        ("/task", json!("b"), "task: a ", "task: b "),
        (
            "/trigger/schedule",
            json!("@daily"),
            "\"0 3 * * *\"",
            "\"@daily\"",
        ),
        (
            "/steps/0/query/database",
            json!("true"),
            "database: erp           #",
            "database: \"true\"           #",
        ),
        (
            "/steps/0/query/parameters/least",
            json!(2),
            "least: 1",
            "least: 2",
        ),
        (
            "/steps/0/query/sql",
            json!("select 2\nfrom x\n"),
            "|\n        select 1\n        # no comment, but SQL",
            "|\n        select 2\n        from x",
        ),
        (
            "/steps/0/query/sql",
            json!("select 2"),
            "|\n        select 1\n        # no comment, but SQL",
            "select 2",
        ),
        (
            "/steps/1/call/with/text",
            json!("a \"b\"\n# c"),
            "\"New: {{ n }} # one\"",
            "\"a \\\"b\\\"\\n# c\"",
        ),
        ("/steps/2/write/table", json!("t"), "table:\n", "table: t\n"),
        (
            "/steps/2/write/key",
            json!(["id", "no: 1"]),
            "[id]",
            "[id, \"no: 1\"]",
        ),
    ] {
        let edited = changed(pointer, value);
        assert_eq!(edited.text, TASK.replace(before, after), "{pointer}");
        assert_eq!(edited.lost, [""; 0], "{pointer}");
    }
}

#[test]
fn members_come_and_go_with_the_rest_in_place() {
    let edited = changed(
        "/steps/0/query",
        json!({"database": "erp", "sql": "select 1\n# no comment, but SQL\n", "parameters": {"least": 1}, "cursor": {"column": "id"}}),
    );
    assert_eq!(
        edited.text,
        TASK.replace("{ least: 1 }\n", "{ least: 1 }\n      cursor: { column: id }\n")
    );
    let edited = changed(
        "/steps/0/query",
        json!({"sql": "select 1\n# no comment, but SQL\n", "parameters": {"least": 1, "b": "x"}}),
    );
    assert_eq!(
        edited.text,
        TASK.replace("      database: erp           # ours\n", "")
            .replace("{ least: 1 }", "{ least: 1, b: x }")
    );
    assert_eq!(
        edited.lost,
        ["# ours"],
        "it went with what it was about, and that is told"
    );
    let edited = changed("/trigger", json!({}));
    assert!(
        edited.text.contains("\ntrigger: {}\n") && edited.lost.is_empty(),
        "{}",
        edited.text
    );
    let edited = changed(
        "/steps/2",
        json!({"write": {"database": "erp", "key": ["id"], "table": null}}),
    );
    assert!(
        edited.text.contains("\n  - write:\n      database: erp\n"),
        "{}",
        edited.text
    );
}

#[test]
fn steps_move_with_their_comments_and_new_ones_stand_among_them() {
    let value = value_of(TASK).unwrap();
    let steps = value["steps"].as_array().unwrap();
    let moved = changed("/steps", json!([steps[1], steps[0], steps[2]]));
    assert!(
        moved.text.find("# Goes out.\n  - id: post").unwrap()
            < moved.text.find("# The source.\n  - id: rows").unwrap(),
        "{}",
        moved.text
    );
    assert_eq!(moved.lost, [""; 0]);
    let new = json!({"id": "some", "filter": {"from": "rows", "when": "{{ n is gt(1) }}"}});
    let more = changed("/steps", json!([steps[0], new, steps[1], steps[2]]));
    assert!(
        more.text.contains(
            "  - id: some\n    filter: { from: rows, when: \"{{ n is gt(1) }}\" }\n  # Goes out.\n"
        ),
        "{}",
        more.text
    );
    assert_eq!(more.lost, [""; 0]);
    let less = changed("/steps", json!([steps[0], steps[2]]));
    assert_eq!(less.lost, ["# Goes out."]);
    assert!(less.text.contains("# The source."), "{}", less.text);
    let none = changed("/steps", json!([]));
    assert!(
        none.text.contains("steps:\n  # The source.\n  []\n"),
        "{}",
        none.text
    );
}

#[test]
fn what_cannot_be_read_is_not_touched() {
    assert!(rewrite("a: [", &json!({})).is_err());
    assert!(rewrite("a: 1\n---\nb: 1\n", &json!({})).is_err());
    assert!(rewrite("a: &x 1\nb: *x\n", &json!({})).is_err());
}

fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-z]{0,6}",
        "[ -~\\n]{0,12}",
        Just("null".to_owned()),
        Just("1".to_owned())
    ];
    let leaf = prop_oneof![
        text.prop_map(Value::String),
        any::<i32>().prop_map(|n| json!(n)),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null)
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map("[a-z#: -]{1,5}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_wanted_is_said(before in values(), wanted in values(), pick in 0usize..3) {
        let text = match pick {
            0 => block(&before, 0) + "\n",
            1 => format!("# one\n{} # two\n", inline(&before)),
            _ => TASK.to_owned(),
        };
        let edited = rewrite(&text, &wanted).unwrap();
        prop_assert_eq!(value_of(&edited.text), Some(wanted), "{}", edited.text);
    }
}
