//! The text of the outbox and its triggers.

use tailorbird_model::change::ChangeKind;

use crate::Table;
use crate::outbox::OUTBOX_TABLE;
use crate::sqlite::quote;

/// The statement that makes the outbox.
pub(super) fn create_outbox() -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {OUTBOX_TABLE} (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    table_name TEXT NOT NULL,
    operation  TEXT NOT NULL,
    \"row\"      TEXT NOT NULL,
    old_key    TEXT NOT NULL
)"
    )
}

/// The name of a trigger. The kind stands last, so no two tables can have triggers of one name.
pub(super) fn trigger_name(table: &str, kind: ChangeKind) -> String {
    format!("_tailorbird_{table}_{kind}")
}

/// The statement that takes a trigger away.
pub(super) fn drop_trigger(table: &str, kind: ChangeKind) -> String {
    format!("DROP TRIGGER IF EXISTS {}", quote(&trigger_name(table, kind)))
}

/// The statement that makes a trigger.
pub(super) fn create_trigger(table: &Table, key: &[String], kind: ChangeKind) -> String {
    let all: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let (row, old_key) = match kind {
        ChangeKind::Insert => (pairs("NEW", &all), "''".to_owned()),
        ChangeKind::Update => (pairs("NEW", &all), pairs("OLD", key)),
        ChangeKind::Delete => (pairs("OLD", &all), pairs("OLD", key)),
    };
    // Programs that save a whole form update rows without changing them; those are no changes.
    let when = if kind == ChangeKind::Update {
        let differs: Vec<String> = all
            .iter()
            .map(|name| quote(name))
            .map(|name| format!("NEW.{name} IS NOT OLD.{name}"))
            .collect();
        format!("\nWHEN {}", differs.join("\n  OR "))
    } else {
        String::new()
    };
    format!(
        "CREATE TRIGGER {} AFTER {} ON {}{when}
BEGIN
  INSERT INTO {OUTBOX_TABLE} (table_name, operation, \"row\", old_key)
  VALUES ({}, '{kind}',
    {row},
    {old_key});
END",
        quote(&trigger_name(&table.name, kind)),
        kind.as_str().to_ascii_uppercase(),
        quote(&table.name),
        literal(&table.name),
    )
}

/// An expression that writes names and values of columns one after the other, each as an SQL literal.
fn pairs(row: &str, columns: &[String]) -> String {
    let mut parts = Vec::with_capacity(columns.len());
    let mut separator = "";
    for column in columns {
        // The name as a literal, inside of a literal of the expression.
        let name = literal(&format!("{separator}{},", literal(column)));
        parts.push(format!("{name} || quote({row}.{})", quote(column)));
        separator = ",";
    }
    parts.join("\n    || ")
}

/// A text as an SQL literal.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A statement without what does not matter when two are compared: white space outside of words, and a
/// semicolon at its end.
pub(super) fn plain(sql: &str) -> String {
    let words: Vec<&str> = sql.trim().trim_end_matches(';').split_whitespace().collect();
    words.join(" ")
}
