//! Checking a JSON body against what an endpoint takes, in X's sentences and paths (`$.poll.options[2]`).
//!
//! The bodies of v2 are closed: a member nobody knows is refused, because a misspelt option that is
//! silently dropped is worse than a 400. All faults are collected before the answer.

use super::problem::{InvalidParameter, Problem};
use serde_json::Value;

/// Deepest nesting that is looked into; the schemas of this crate need four levels.
const MAX_DEPTH: usize = 8;

/// X's sentence about a member that is not in the schema.
const UNKNOWN_MEMBER: &str =
    "is not defined in the schema and the schema does not allow additional properties";

/// What a value must be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// A string of so many characters.
    Text {
        /// Fewest characters.
        min: usize,
        /// Most characters.
        max: usize,
    },
    /// An id: a string of 1 to 19 digits.
    Id,
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds.
    Number {
        /// The least value.
        min: i64,
        /// The greatest value.
        max: i64,
    },
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// An array of so many items.
    List {
        /// What each item must be.
        item: &'static Shape,
        /// Fewest items.
        min: usize,
        /// Most items.
        max: usize,
    },
    /// An object with these members and no others.
    Object(&'static [Member]),
}

/// A member of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    /// Its name.
    pub(crate) name: &'static str,
    /// What its value must be.
    pub(crate) shape: Shape,
    /// Whether it must be there.
    pub(crate) required: bool,
}

/// A member that may be left out.
pub(crate) const fn optional(name: &'static str, shape: Shape) -> Member {
    Member {
        name,
        shape,
        required: false,
    }
}

/// A member that must be there.
pub(crate) const fn required(name: &'static str, shape: Shape) -> Member {
    Member {
        name,
        shape,
        required: true,
    }
}

/// Reads a JSON body and checks it against the object of `members`.
///
/// # Errors
/// An `invalid-request` problem: another content type, no JSON, or a list of what does not fit.
pub(crate) fn read(
    content_type: Option<&str>,
    body: &[u8],
    members: &'static [Member],
) -> Result<Value, Problem> {
    let is_json = content_type
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    if !is_json {
        return Err(Problem::invalid_one(InvalidParameter::whole(
            "Requests with bodies must have content-type of application/json.",
        )));
    }
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return Err(Problem::invalid_one(InvalidParameter::whole(
            "Request body is not valid JSON.",
        )));
    };
    let mut faults = Vec::new();
    check(&value, &Shape::Object(members), "$", 0, &mut faults);
    if faults.is_empty() {
        Ok(value)
    } else {
        Err(Problem::invalid(&faults))
    }
}

fn check(value: &Value, shape: &Shape, path: &str, depth: usize, faults: &mut Vec<InvalidParameter>) {
    if depth > MAX_DEPTH {
        faults.push(fault(path, value, "is nested too deeply"));
        return;
    }
    if let Some(rule) = broken_rule(value, shape) {
        faults.push(fault(path, value, &rule));
    }
    match (shape, value) {
        (Shape::List { item, max, .. }, Value::Array(items)) => {
            for (index, entry) in items.iter().enumerate().take(*max) {
                check(entry, item, &format!("{path}[{index}]"), depth + 1, faults);
            }
        }
        (Shape::Object(members), Value::Object(object)) => {
            for member in *members {
                let inner = format!("{path}.{}", member.name);
                match object.get(member.name) {
                    Some(found) => check(found, &member.shape, &inner, depth + 1, faults),
                    None if member.required => {
                        faults.push(fault(&inner, value, "is missing but it is required"));
                    }
                    None => {}
                }
            }
            for (name, found) in object {
                if !members.iter().any(|member| member.name == name) {
                    faults.push(fault(&format!("{path}.{name}"), found, UNKNOWN_MEMBER));
                }
            }
        }
        _ => {}
    }
}

/// The rule that a value breaks by itself, whatever is inside it.
fn broken_rule(value: &Value, shape: &Shape) -> Option<String> {
    match (shape, value) {
        (Shape::Text { min, max }, Value::String(text)) => match text.chars().count() {
            length if length > *max => Some(format!("must be at most {max} characters long")),
            length if length < *min => Some(format!("must be at least {min} characters long")),
            _ => None,
        },
        (Shape::Id, Value::String(text)) => match super::params::parse_id(text) {
            None => Some("does not match the regex pattern ^[0-9]{1,19}$".to_owned()),
            Some(_) => None,
        },
        (Shape::Number { min, max }, Value::Number(number)) => match number.as_i64() {
            Some(n) if n < *min => Some(format!("must have a minimum value of {min}")),
            Some(n) if n > *max => Some(format!("must have a maximum value of {max}")),
            Some(_) => None,
            None => Some("number found, integer expected".to_owned()),
        },
        (Shape::OneOf(names), Value::String(text)) if !names.contains(&text.as_str()) => Some(format!(
            "does not have a value in the enumeration [{}]",
            names.join(", ")
        )),
        (Shape::List { min, max, .. }, Value::Array(items)) => match items.len() {
            length if length < *min => Some(format!("there must be a minimum of {min} items in the array")),
            length if length > *max => Some(format!("there must be a maximum of {max} items in the array")),
            _ => None,
        },
        (Shape::Flag, Value::Bool(_))
        | (Shape::OneOf(_), Value::String(_))
        | (Shape::Object(_), Value::Object(_)) => None,
        (expected, found) => Some(format!("{} found, {} expected", kind(found), wanted(expected))),
    }
}

fn fault(path: &str, value: &Value, rule: &str) -> InvalidParameter {
    InvalidParameter::new(path, value.to_string(), format!("{path}: {rule}"))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn wanted(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text { .. } | Shape::Id | Shape::OneOf(_) => "string",
        Shape::Flag => "boolean",
        Shape::Number { .. } => "integer",
        Shape::List { .. } => "array",
        Shape::Object(_) => "object",
    }
}

/// The string at a JSON Pointer of a checked body.
pub(crate) fn text<'a>(body: &'a Value, pointer: &str) -> Option<&'a str> {
    body.pointer(pointer).and_then(Value::as_str)
}

/// The id at a JSON Pointer of a checked body.
pub(crate) fn id(body: &Value, pointer: &str) -> Option<u64> {
    text(body, pointer).and_then(super::params::parse_id)
}

/// The ids in the array at a JSON Pointer of a checked body.
pub(crate) fn ids(body: &Value, pointer: &str) -> Vec<u64> {
    let items = body.pointer(pointer).and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter_map(super::params::parse_id)
        .collect()
}

/// The flag at a JSON Pointer of a checked body; absent is `None`.
pub(crate) fn flag(body: &Value, pointer: &str) -> Option<bool> {
    body.pointer(pointer).and_then(Value::as_bool)
}

/// The whole number at a JSON Pointer of a checked body.
pub(crate) fn number(body: &Value, pointer: &str) -> Option<i64> {
    body.pointer(pointer).and_then(Value::as_i64)
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
