//! Builds bodies: JSON with members at their JSON Pointers, forms, multipart forms.

use std::collections::BTreeMap;

use tailorbird_model::service::{Body, Field, FieldType};
use tailorbird_model::{Failure, Meaning, Value, codes};

use super::values::{self, JsonText};
use super::{field_default, lacking};
use crate::nearest::listed;
use crate::request::{Part, Request, RequestBody};

/// The deepest place inside a JSON body.
const MAX_DEPTH: usize = 16;

/// Builds a body from its fields.
pub(super) fn build(
    operation: &str,
    body: &Body,
    arguments: &BTreeMap<&str, &Value>,
    item: Option<&str>,
) -> Result<RequestBody, Failure> {
    let mut given: Vec<(&str, &Field, Value)> = Vec::new();
    for (name, field) in body.fields() {
        let value = arguments
            .get(name.as_str())
            .map(|value| (*value).clone())
            .or_else(|| field_default(field));
        match value {
            Some(value) => {
                check(name, field, &value)?;
                given.push((name, field, value));
            }
            None if field.required => return Err(lacking(operation, name)),
            None => {}
        }
    }
    match body {
        Body::Json(_) => {
            let mut tree = Node::Object(Vec::new());
            for (name, field, value) in given {
                let json = if item == Some(name) {
                    values::item_json(name, field.kind, &value)?
                } else {
                    values::json_text(name, field.kind, &value)?
                };
                let pointer = pointer_of(name, field);
                tree.put(&pointer_parts(&pointer)?, json).map_err(|why| {
                    Failure::new(
                        codes::SERVICE_FILE,
                        Meaning::ConnectionFault,
                        format!("field {name:?} has no place in the body"),
                    )
                    .detail(format!("Its pointer {pointer} {why}."))
                    .hint("Correct `at` in the service file.")
                })?;
            }
            let mut json = String::new();
            tree.write(&mut json);
            Ok(RequestBody::Json(json))
        }
        Body::Form(_) => {
            let mut pairs = Vec::new();
            for (name, field, value) in given {
                let text = if item == Some(name) {
                    values::item_text(name, &value)?
                } else {
                    values::text(name, field.kind, &value)?
                };
                pairs.push((wire_name(name, field), text));
            }
            Ok(RequestBody::Form(pairs))
        }
        Body::Multipart(_) => {
            let mut parts = Vec::new();
            for (name, field, value) in given {
                parts.push(if field.kind == FieldType::Bytes {
                    Part {
                        name: wire_name(name, field),
                        file_name: Some("file".to_owned()),
                        bytes: values::bytes(name, &value)?,
                    }
                } else {
                    Part {
                        name: wire_name(name, field),
                        file_name: None,
                        bytes: values::text(name, field.kind, &value)?.into_bytes(),
                    }
                });
            }
            Ok(RequestBody::Multipart(parts))
        }
    }
}

/// In forms `at` renames the field: `/media_data` is `media_data`.
pub(crate) fn wire_name(name: &str, field: &Field) -> String {
    field
        .at
        .as_deref()
        .map_or(name, |at| at.trim_start_matches('/'))
        .to_owned()
}

/// The JSON Pointer of a field.
pub(crate) fn pointer_of(name: &str, field: &Field) -> String {
    field
        .at
        .clone()
        .unwrap_or_else(|| format!("/{}", name.replace('~', "~0").replace('/', "~1")))
}

fn check(name: &str, field: &Field, value: &Value) -> Result<(), Failure> {
    if field.kind != FieldType::Text {
        return Ok(());
    }
    let text = values::text(name, field.kind, value)?;
    if !field.values.is_empty() && !field.values.contains_key(&text) {
        return Err(Failure::new(
            codes::PARAMETER,
            Meaning::Rejected,
            format!("{name:?} cannot be {text:?}"),
        )
        .hint(format!(
            "It takes: {}.",
            listed(field.values.keys().map(String::as_str))
        )));
    }
    tailorbird_model::text::check_field(name, field, &text)
}

/// A JSON body under construction. Leaves are finished JSON text, so that decimals keep their digits.
enum Node {
    Leaf(JsonText),
    Object(Vec<(String, Node)>),
}

impl Node {
    fn put(&mut self, parts: &[String], json: JsonText) -> Result<(), &'static str> {
        let Some((first, rest)) = parts.split_first() else {
            *self = Self::Leaf(json);
            return Ok(());
        };
        let Self::Object(members) = self else {
            return Err("goes through a value that is no object");
        };
        if let Some((_, node)) = members.iter_mut().find(|(name, _)| name == first) {
            return if rest.is_empty() {
                Err("is taken by another field")
            } else {
                node.put(rest, json)
            };
        }
        let mut node = if rest.is_empty() {
            Self::Leaf(String::new())
        } else {
            Self::Object(Vec::new())
        };
        node.put(rest, json)?;
        members.push((first.clone(), node));
        Ok(())
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Leaf(json) => out.push_str(json),
            Self::Object(members) => {
                out.push('{');
                for (index, (name, node)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    out.push_str(&values::quoted(name));
                    out.push(':');
                    node.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// Splits a JSON Pointer (RFC 6901 §4). The empty pointer is the whole body.
pub(crate) fn pointer_parts(pointer: &str) -> Result<Vec<String>, Failure> {
    if pointer.is_empty() {
        return Ok(Vec::new());
    }
    let parts: Vec<String> = pointer
        .strip_prefix('/')
        .unwrap_or(pointer)
        .split('/')
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect();
    if !pointer.starts_with('/') || parts.len() > MAX_DEPTH {
        return Err(Failure::new(
            codes::SERVICE_FILE,
            Meaning::ConnectionFault,
            format!("{pointer:?} is no JSON Pointer of a body"),
        )
        .hint("Write for example /reply/in_reply_to_tweet_id."));
    }
    Ok(parts)
}

/// The text that a built request carries in a field: how a look-up knows what was sent (never-twice
/// rule 10). The stored request is the witness, not the mapping that may have changed since.
pub(crate) fn sent_text(request: &Request, body: &Body, name: &str) -> Option<String> {
    let field = body.fields().get(name)?;
    match &request.body {
        RequestBody::Json(text) => {
            let json: serde_json::Value = serde_json::from_str(text).ok()?;
            let value = json.pointer(&pointer_of(name, field))?;
            Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        }
        RequestBody::Form(pairs) => {
            let wire = wire_name(name, field);
            pairs
                .iter()
                .find(|(key, _)| *key == wire)
                .map(|(_, value)| value.clone())
        }
        RequestBody::Multipart(parts) => {
            let wire = wire_name(name, field);
            let part = parts.iter().find(|part| part.name == wire)?;
            String::from_utf8(part.bytes.clone()).ok()
        }
        RequestBody::None | RequestBody::Raw { .. } => None,
    }
}
