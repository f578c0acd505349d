//! Values as YAML text: inline, and as blocks.

use serde_json::Value;

use super::document::plain;

/// The order of keys in texts that are written anew: as people write task files. Others follow by name.
const KEY_ORDER: &[&str] = &[
    "task",
    "description",
    "formerly",
    "trigger",
    "variables",
    "notify",
    "stop",
    "id",
    "name",
    "query",
    "call",
    "write",
    "transform",
    "filter",
    "decide",
    "set",
    "for_each",
    "approve",
    "call_task",
    "wait",
    "database",
    "connection",
    "operation",
    "table",
    "sql",
    "parameters",
    "from",
    "as",
    "only",
    "key",
    "when",
    "compare",
    "show",
    "role",
    "expires",
    "with",
    "batch",
    "pages",
    "cursor",
    "columns",
    "keep",
    "branches",
    "steps",
];

/// Characters of a list or mapping that still stands on one line.
const MAX_INLINE: usize = 72;

/// The members of a mapping in the order in which people write them.
pub(super) fn ordered(members: &serde_json::Map<String, Value>) -> Vec<(&String, &Value)> {
    let rank = |key: &str| {
        KEY_ORDER
            .iter()
            .position(|known| *known == key)
            .unwrap_or(KEY_ORDER.len())
    };
    let mut all: Vec<(&String, &Value)> = members.iter().collect();
    all.sort_by(|(a, _), (b, _)| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
    all
}

/// A text as a scalar that reads as this text again.
pub(super) fn scalar(text: &str) -> String {
    let is_plain_letter =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/' | ' ');
    let is_plain = text.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && text.chars().all(is_plain_letter)
        && !text.ends_with(' ')
        && plain(text) == Value::String(text.to_owned());
    if is_plain {
        text.to_owned()
    } else {
        Value::String(text.to_owned()).to_string()
    }
}

/// A value on one line.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let members: Vec<String> = ordered(members)
                .into_iter()
                .map(|(key, value)| format!("{}: {}", scalar(key), inline(value)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        other => other.to_string(),
    }
}

/// What stands behind `key:`, with the space or line before it; `indent` is that of the key.
pub(super) fn after_key(value: &Value, indent: usize) -> String {
    let deeper = indent.saturating_add(2);
    match value {
        Value::String(text) if fits_literal(text) => {
            let pad = " ".repeat(deeper);
            let chomp = if text.ends_with('\n') { "" } else { "-" };
            let lines: Vec<String> = text
                .trim_end_matches('\n')
                .split('\n')
                .map(|line| {
                    if line.is_empty() {
                        String::new()
                    } else {
                        format!("{pad}{line}")
                    }
                })
                .collect();
            format!(" |{chomp}\n{}", lines.join("\n"))
        }
        Value::Object(members) if !members.is_empty() && !fits_inline(value) => {
            format!("\n{}", block(value, deeper))
        }
        Value::Array(items) if !items.is_empty() && !fits_inline(value) => {
            format!("\n{}", block(value, deeper))
        }
        other => format!(" {}", inline(other)),
    }
}

/// Texts of several lines are easier to read as they are; where blanks at an end would count, they are quoted.
fn fits_literal(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !body.starts_with([' ', '\n', '\t'])
        && !body.ends_with('\n')
        && !text.contains('\r')
        && !body
            .split('\n')
            .any(|line| line.ends_with(' ') || line.starts_with('\t'))
}

fn fits_inline(value: &Value) -> bool {
    let has_steps = value
        .as_array()
        .is_some_and(|items| items.iter().any(|item| item.get("id").is_some()));
    let has_lines = |value: &Value| value.as_str().is_some_and(|text| text.contains('\n'));
    let members = value.as_object().into_iter().flat_map(|members| members.values());
    !has_steps
        && !members.clone().any(|one| has_lines(one) || one.is_object())
        && inline(value).len() <= MAX_INLINE
}

/// A value as lines of a block, each with that indentation.
pub(super) fn block(value: &Value, indent: usize) -> String {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(members) if !members.is_empty() => {
            let lines: Vec<String> = ordered(members)
                .into_iter()
                .map(|(key, value)| format!("{pad}{}:{}", scalar(key), after_key(value, indent)))
                .collect();
            lines.join("\n")
        }
        Value::Array(items) if !items.is_empty() => {
            let lines: Vec<String> = items.iter().map(|item| list_item(item, indent)).collect();
            lines.join("\n")
        }
        other => format!("{pad}{}", inline(other)),
    }
}

/// An item of a list in a block, with its dash.
pub(super) fn list_item(item: &Value, indent: usize) -> String {
    let inside = block(item, indent.saturating_add(2));
    format!("{}- {}", " ".repeat(indent), inside.trim_start_matches(' '))
}
