//! Turns an answer into records, by the JSON Pointers of the service file.

use serde_json::Value as Json;
use tailorbird_model::service::{Operation, ResultShape};
use tailorbird_model::{Failure, Record, Value};

use crate::answer::Answer;
use crate::judge;
use crate::request::Request;
use crate::resolve::Resolved;

/// The most records that one answer may hold.
pub const MAX_RECORDS: usize = 100_000;

/// The one record of an answer. An operation without a `result` gives the whole answer's members.
///
/// # Errors
/// SEND-008 where the answer is no JSON, is cut, or has nothing at the place that the service file names.
/// For a write this does not undo the acceptance: it is delivered, and its id is found by a look-up
/// (never-twice rule 9).
pub fn record(resolved: &Resolved, request: &Request, answer: &Answer) -> Result<Record, Failure> {
    let shape = shape_of(resolved, request);
    let json = json_of(request, answer)?;
    let pointer = shape.record.as_deref().unwrap_or_default();
    let place = json.pointer(pointer).filter(|place| !place.is_null());
    let place =
        place.ok_or_else(|| judge::odd(request, answer, &format!("there is nothing at {pointer:?}")))?;
    Ok(record_of(place, &shape))
}

/// The records of an answer: those of a list, or the one record as a list of one.
///
/// An absent or null list is an empty one, because X leaves `data` out where nothing was found.
///
/// # Errors
/// As [`record`].
pub fn records(resolved: &Resolved, request: &Request, answer: &Answer) -> Result<Vec<Record>, Failure> {
    let shape = shape_of(resolved, request);
    let Some(pointer) = &shape.records else {
        return record(resolved, request, answer).map(|one| vec![one]);
    };
    let json = json_of(request, answer)?;
    match json.pointer(pointer) {
        None | Some(Json::Null) if json.is_object() || json.is_array() => Ok(Vec::new()),
        Some(Json::Array(items)) if items.len() > MAX_RECORDS => Err(judge::odd(
            request,
            answer,
            &format!("it has more than {MAX_RECORDS} records"),
        )),
        Some(Json::Array(items)) => Ok(items.iter().map(|item| record_of(item, &shape)).collect()),
        _ => Err(judge::odd(
            request,
            answer,
            &format!("there is no list at {pointer:?}"),
        )),
    }
}

/// Tells whether an operation gives a list.
pub fn gives_list(operation: &Operation) -> bool {
    operation
        .result
        .as_ref()
        .is_some_and(|shape| shape.records.is_some())
}

fn shape_of(resolved: &Resolved, request: &Request) -> ResultShape {
    request
        .operation
        .as_deref()
        .and_then(|name| resolved.operation(name).ok())
        .and_then(|operation| operation.result.clone())
        .unwrap_or_default()
}

fn json_of<'a>(request: &Request, answer: &'a Answer) -> Result<&'a Json, Failure> {
    answer.json.as_ref().ok_or_else(|| {
        let what = if answer.cut.is_some() {
            "it is cut"
        } else if answer.body.is_empty() {
            "it is empty"
        } else {
            "it is no JSON"
        };
        judge::odd(request, answer, what)
    })
}

/// A missing column is null: providers leave members out that have no value.
pub(crate) fn record_of(json: &Json, shape: &ResultShape) -> Record {
    if shape.columns.is_empty() {
        return match json {
            Json::Object(members) => Record::from_pairs(
                members
                    .iter()
                    .map(|(name, value)| (name.clone(), Value::from_json(value))),
            ),
            plain => Record::from_pairs([("value".to_owned(), Value::from_json(plain))]),
        };
    }
    Record::from_pairs(shape.columns.iter().map(|(name, pointer)| {
        (
            name.clone(),
            json.pointer(pointer).map_or(Value::Null, Value::from_json),
        )
    }))
}
