//! Turns values into what goes onto the wire, by the type that the service file states.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use tailorbird_model::service::FieldType;
use tailorbird_model::value::parse_decimal;
use tailorbird_model::{Failure, Meaning, Value, codes};

use super::wrong_type;

/// JSON text of one value, ready to be put into a body.
pub(super) type JsonText = String;

/// What a type is called in messages.
pub(super) fn kind_words(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Text => "text",
        FieldType::Integer => "a whole number",
        FieldType::Decimal => "a decimal number",
        FieldType::Boolean => "true or false",
        FieldType::Timestamp => "a point in time such as 2026-01-31T09:00:00Z",
        FieldType::Json => "JSON",
        FieldType::List => "a list",
        FieldType::Bytes => "bytes",
    }
}

/// A value as the text of a query parameter, path segment, header or form field.
pub(super) fn text(name: &str, kind: FieldType, value: &Value) -> Result<String, Failure> {
    let refused = || wrong_type(name, kind, value);
    match kind {
        FieldType::Text => match value {
            Value::Bytes(_) | Value::Json(_) | Value::Null => Err(refused()),
            plain => Ok(plain.to_string()),
        },
        FieldType::Integer => integer(value).ok_or_else(refused),
        FieldType::Decimal => decimal(value).ok_or_else(refused),
        FieldType::Boolean => boolean(value).map(|truth| truth.to_string()).ok_or_else(refused),
        FieldType::Timestamp => timestamp(value).map(|at| at.to_string()).ok_or_else(refused),
        FieldType::Json => json(value).ok_or_else(refused),
        FieldType::List => list(value).map(|items| items.join(",")).ok_or_else(refused),
        FieldType::Bytes => match value {
            Value::Bytes(bytes) => Ok(STANDARD.encode(bytes)),
            Value::Text(text) => Ok(STANDARD.encode(text)),
            _ => Err(refused()),
        },
    }
}

/// A value as JSON text. Numbers keep their digits.
pub(super) fn json_text(name: &str, kind: FieldType, value: &Value) -> Result<JsonText, Failure> {
    match kind {
        FieldType::Text | FieldType::Timestamp | FieldType::Bytes => {
            text(name, kind, value).map(|plain| quoted(&plain))
        }
        FieldType::Integer | FieldType::Decimal | FieldType::Boolean | FieldType::Json => {
            text(name, kind, value)
        }
        FieldType::List => {
            let items = list(value).ok_or_else(|| wrong_type(name, kind, value))?;
            let quoted_items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
            Ok(format!("[{}]", quoted_items.join(",")))
        }
    }
}

/// One item of a list as text of a form field or the query, where items are joined by commas.
pub(super) fn item_text(name: &str, value: &Value) -> Result<String, Failure> {
    let plain = text(name, FieldType::Text, value)?;
    if plain.is_empty() || plain.contains(',') {
        return Err(Failure::new(
            codes::PARAMETER,
            Meaning::Rejected,
            format!("{name:?} cannot be {plain:?} in a list that is joined by commas"),
        )
        .hint("An item there is not empty and holds no comma."));
    }
    Ok(plain)
}

/// A list of one item as JSON text.
pub(super) fn item_json(name: &str, kind: FieldType, value: &Value) -> Result<JsonText, Failure> {
    let kind = if kind == FieldType::List {
        FieldType::Text
    } else {
        kind
    };
    json_text(name, kind, value).map(|item| format!("[{item}]"))
}

/// A text as a JSON string.
pub(super) fn quoted(text: &str) -> JsonText {
    serde_json::Value::from(text).to_string()
}

/// The bytes of a value for a multipart file.
pub(super) fn bytes(name: &str, value: &Value) -> Result<Vec<u8>, Failure> {
    match value {
        Value::Bytes(bytes) => Ok(bytes.clone()),
        Value::Text(text) => Ok(text.clone().into_bytes()),
        other => Err(wrong_type(name, FieldType::Bytes, other)),
    }
}

fn integer(value: &Value) -> Option<String> {
    match value {
        Value::Integer(number) => Some(number.to_string()),
        Value::Decimal(number) if number.is_integer() => Some(number.normalize().to_string()),
        Value::Text(text) => {
            let digits = text.trim();
            let bare = digits.strip_prefix('-').unwrap_or(digits);
            let whole = !bare.is_empty()
                && bare.len() <= 40
                && bare.bytes().all(|byte| byte.is_ascii_digit())
                // JSON has no leading zeros, and a number with them was an identifier.
                && (bare == "0" || !bare.starts_with('0'));
            whole.then(|| digits.to_owned())
        }
        _ => None,
    }
}

fn decimal(value: &Value) -> Option<String> {
    match value {
        Value::Integer(number) => Some(number.to_string()),
        Value::Decimal(number) => Some(number.to_string()),
        Value::Text(text) => parse_decimal(text.trim()).map(|number| number.to_string()),
        _ => None,
    }
}

/// SQLite and others keep truth as 0 and 1.
fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Boolean(truth) => Some(*truth),
        Value::Integer(0) => Some(false),
        Value::Integer(1) => Some(true),
        Value::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn timestamp(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Timestamp(at) => Some(*at),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn json(value: &Value) -> Option<String> {
    match value {
        Value::Json(json) => Some(json.to_string()),
        Value::Null => Some("null".to_owned()),
        Value::Boolean(truth) => Some(truth.to_string()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Decimal(number) => Some(number.to_string()),
        // Text from a command line or a column is JSON already; anything else would be quoted twice.
        Value::Text(text) => serde_json::from_str::<serde::de::IgnoredAny>(text)
            .ok()
            .map(|_| text.trim().to_owned()),
        Value::Bytes(_) | Value::Timestamp(_) | Value::Date(_) => None,
    }
}

fn list(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Json(serde_json::Value::Array(items)) => items
            .iter()
            .map(|item| match Value::from_json(item) {
                Value::Json(_) | Value::Null => None,
                plain => Some(plain.to_string()),
            })
            .collect(),
        Value::Json(_) | Value::Bytes(_) | Value::Null => None,
        Value::Text(text) => Some(
            text.split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(str::to_owned)
                .collect(),
        ),
        plain => Some(vec![plain.to_string()]),
    }
}
