//! Builds a request from an operation and its arguments.
//!
//! Pure: no network, no clock. Values go into typed places, so that nothing in a value can become another
//! parameter, another path or another header.

mod body;
mod path;
mod raw;
mod values;

use std::collections::BTreeMap;

use tailorbird_model::service::{Field, FieldType, Operation, Parameter, ParameterPlace};
use tailorbird_model::{Failure, Meaning, Value, codes};
use tailorbird_oauth::wire_url;
use url::Url;

use crate::nearest::{listed, nearest};
use crate::request::{Request, RequestBody};
use crate::resolve::{Resolved, Scheme, join};

pub(crate) use body::{pointer_of, pointer_parts, sent_text, wire_name};
pub use raw::{RawCall, build_raw, method_and_path};

/// The longest address that is sent, in bytes; servers refuse longer ones in many different ways.
pub const MAX_URL_BYTES: usize = 8_192;

/// The longest value of a header, in bytes.
const MAX_HEADER_BYTES: usize = 8_192;

/// Headers that the transport, the body or the signature makes.
const OWN_HEADERS: [&str; 10] = [
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "keep-alive",
    "expect",
];

/// Builds the request of an operation.
///
/// A null argument counts as not given, so that the default applies.
///
/// # Errors
/// SVC-003 for an unknown operation; SVC-004 for an argument that is unknown, missing or of the wrong type;
/// SEND-002 and SEND-003 for texts; AUTH-006 while the connection has no root URL. Failures that belong to
/// this record alone are [`Meaning::Rejected`]; those that every record would meet are
/// [`Meaning::ConnectionFault`].
pub fn build(
    resolved: &Resolved,
    operation_name: &str,
    arguments: &BTreeMap<String, Value>,
) -> Result<Request, Failure> {
    build_with(resolved, operation_name, arguments, None)
}

/// Builds the request of one record that may be packed with others: the argument of the batch's parameter is one
/// item, and the request holds a list of it alone.
///
/// # Errors
/// As [`build`]; SVC-004 where the operation takes no batches.
pub fn build_item(
    resolved: &Resolved,
    operation_name: &str,
    arguments: &BTreeMap<String, Value>,
) -> Result<Request, Failure> {
    let operation = resolved.operation(operation_name)?;
    let batch = operation.batch.as_ref().ok_or_else(|| {
        Failure::new(
            codes::PARAMETER,
            Meaning::ConnectionFault,
            format!("operation {operation_name:?} takes one record at a time"),
        )
        .hint("Remove `batch` from the task, or say in the service file how the operation takes a list.")
    })?;
    let name = batch.parameter.as_str();
    if arguments.get(name).is_none_or(Value::is_null) {
        return Err(lacking(operation_name, name));
    }
    build_with(resolved, operation_name, arguments, Some(name))
}

fn build_with(
    resolved: &Resolved,
    operation_name: &str,
    arguments: &BTreeMap<String, Value>,
    item: Option<&str>,
) -> Result<Request, Failure> {
    let operation = resolved.operation(operation_name)?;
    let arguments: BTreeMap<&str, &Value> = arguments
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    refuse_unknown(operation_name, operation, &arguments)?;

    let mut query: Vec<(String, String)> = Vec::new();
    let mut headers: Vec<(String, String)> = service_headers(resolved)?;
    let mut path_values: BTreeMap<String, String> = BTreeMap::new();
    let placeholders = path::placeholders(&operation.path);
    for name in &placeholders {
        if !operation.parameters.contains_key(*name) {
            let given = argument(
                operation_name,
                name,
                &Parameter {
                    required: true,
                    ..Parameter::default()
                },
                resolved,
                &arguments,
            )?;
            path_values.insert((*name).to_owned(), given.unwrap_or_default());
        }
    }
    for (name, parameter) in &operation.parameters {
        let given = match arguments.get(name.as_str()) {
            Some(value) if item == Some(name.as_str()) => Some(values::item_text(name, value)?),
            _ => argument(operation_name, name, parameter, resolved, &arguments)?,
        };
        let Some(text) = given else {
            continue;
        };
        if placeholders.contains(&name.as_str()) {
            path_values.insert(name.clone(), text);
        } else if parameter.place == ParameterPlace::Header {
            headers.push((name.clone(), header_value(name, &text)?));
        } else {
            query.push((name.clone(), text));
        }
    }
    let body = operation.body.as_ref().map_or(Ok(RequestBody::None), |body| {
        body::build(operation_name, body, &arguments, item)
    })?;

    let path = path::fill(&operation.path, &path_values)?;
    let base = absolute(resolved, &path)?;
    Ok(Request {
        operation: Some(operation_name.to_owned()),
        method: operation.method,
        url: final_url(&base, &query)?,
        headers,
        body,
    })
}

/// The address of a filled path: below the root, or the operation's own one.
fn absolute(resolved: &Resolved, path: &str) -> Result<String, Failure> {
    if path.starts_with("https://") || path.starts_with("http://") {
        let url = Url::parse(path).map_err(|problem| {
            Failure::new(
                codes::SERVICE_FILE,
                Meaning::ConnectionFault,
                "operation has an address that cannot be read",
            )
            .detail(format!("{path}: {problem}."))
        })?;
        let moved = resolved.follow(url);
        // The connection's own root path is part of where it moved to only for paths below the root.
        return Ok(moved.to_string());
    }
    Ok(join(resolved.root()?, path))
}

/// Makes the final wire address and proves that nothing will change it on the way.
fn final_url(base: &str, query: &[(String, String)]) -> Result<String, Failure> {
    let refuse = |why: String| {
        Failure::new(
            codes::ADDRESS_REFUSED,
            Meaning::Rejected,
            format!("request has no usable address: {why}"),
        )
    };
    let wire = wire_url(
        base,
        query.iter().map(|(name, value)| (name.as_str(), value.as_str())),
    )
    .map_err(|problem| refuse(problem.to_string()))?;
    // The client library reads the address again before it sends it. What it would make of it is taken as
    // final here, so that the signature covers exactly what is sent.
    let parsed = Url::parse(&wire).map_err(|problem| refuse(problem.to_string()))?;
    let path_of = |text: &str| {
        let after = text.split_once("://").map_or(text, |(_, rest)| rest);
        after
            .find('/')
            .and_then(|at| after.get(at..))
            .unwrap_or("/")
            .split(['?', '#'])
            .next()
            .unwrap_or("/")
            .to_owned()
    };
    if path_of(&wire) != parsed.path() {
        return Err(refuse(format!(
            "its path {:?} would be shortened to {:?} on the way",
            path_of(&wire),
            parsed.path()
        )));
    }
    if parsed.as_str().len() > MAX_URL_BYTES {
        return Err(refuse(format!(
            "it has {} bytes; at most {MAX_URL_BYTES} are sent",
            parsed.as_str().len()
        )));
    }
    Ok(parsed.into())
}

/// The argument of a parameter as text: given, else the default, else the account's id.
fn argument(
    operation: &str,
    name: &str,
    parameter: &Parameter,
    resolved: &Resolved,
    arguments: &BTreeMap<&str, &Value>,
) -> Result<Option<String>, Failure> {
    if let Some(value) = arguments.get(name) {
        return values::text(name, parameter.kind, value).map(Some);
    }
    if let Some(default) = &parameter.default {
        return values::text(name, parameter.kind, &Value::from_json(default)).map(Some);
    }
    if parameter.account_id {
        return resolved.account_id.clone().map(Some).ok_or_else(|| {
            Failure::new(
                codes::PARAMETER,
                Meaning::ConnectionFault,
                format!("operation {operation:?} needs the account's id for {name:?}, and it is not known yet"),
            )
            .hint(format!(
                "Run `tailorbird connection test {}`, which asks the provider whose credentials these are, or give {name:?}.",
                resolved.connection
            ))
        });
    }
    if parameter.required {
        Err(lacking(operation, name))
    } else {
        Ok(None)
    }
}

fn lacking(operation: &str, name: &str) -> Failure {
    Failure::new(
        codes::PARAMETER,
        Meaning::Rejected,
        format!("operation {operation:?} needs {name:?}"),
    )
    .detail(format!("{name:?} was not given or is null."))
    .hint("Give a value; in a task, map a column that always has one, or leave such records out by `when`.")
}

fn refuse_unknown(
    operation_name: &str,
    operation: &Operation,
    arguments: &BTreeMap<&str, &Value>,
) -> Result<(), Failure> {
    let valid = argument_names(operation);
    for given in arguments.keys() {
        if valid.contains(given) {
            continue;
        }
        let all = if valid.is_empty() {
            "It takes none.".to_owned()
        } else {
            format!("It takes: {}.", listed(valid.iter().copied()))
        };
        let hint = nearest(given, valid.iter().copied())
            .map_or_else(|| all.clone(), |meant| format!("Did you mean {meant:?}? {all}"));
        return Err(Failure::new(
            codes::PARAMETER,
            Meaning::ConnectionFault,
            format!("operation {operation_name:?} takes no {given:?}"),
        )
        .hint(hint));
    }
    Ok(())
}

/// Every name that an operation takes, in alphabetical order.
pub fn argument_names(operation: &Operation) -> Vec<&str> {
    let mut names: Vec<&str> = path::placeholders(&operation.path);
    names.extend(operation.parameters.keys().map(String::as_str));
    names.extend(
        operation
            .body
            .iter()
            .flat_map(|body| body.fields().keys().map(String::as_str)),
    );
    names.sort_unstable();
    names.dedup();
    names
}

fn service_headers(resolved: &Resolved) -> Result<Vec<(String, String)>, Failure> {
    let mut headers = Vec::new();
    for (name, value) in &resolved.service.headers {
        let plain = name.to_ascii_lowercase();
        if plain == "authorization" && !matches!(resolved.scheme, Scheme::None) {
            return Err(header_refused(name, "the signature makes it"));
        }
        headers.push((name.clone(), header_value(name, value)?));
    }
    Ok(headers)
}

/// Checks a header; a line break in one would begin another header, or another request.
fn header_value(name: &str, value: &str) -> Result<String, Failure> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(token) {
        return Err(header_refused(
            name,
            "its name holds characters that a header name cannot have",
        ));
    }
    if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(header_refused(name, "the connector makes it"));
    }
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(header_refused(
            name,
            "its value holds a line break or another control character",
        ));
    }
    if value.len() > MAX_HEADER_BYTES {
        return Err(header_refused(name, "its value is longer than 8192 bytes"));
    }
    Ok(value.trim().to_owned())
}

fn header_refused(name: &str, why: &str) -> Failure {
    Failure::new(
        codes::PARAMETER,
        Meaning::Rejected,
        format!("header {name:?} cannot be sent: {why}"),
    )
}

/// The type error of an argument.
fn wrong_type(name: &str, kind: FieldType, value: &Value) -> Failure {
    Failure::new(
        codes::PARAMETER,
        Meaning::Rejected,
        format!(
            "{name:?} wants {}, and was given {}",
            values::kind_words(kind),
            value.type_name()
        ),
    )
    .hint("Convert the value in the mapping, or map another column.")
}

/// The default of a field as a value.
fn field_default(field: &Field) -> Option<Value> {
    field.default.as_ref().map(Value::from_json)
}
