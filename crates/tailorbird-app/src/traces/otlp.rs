//! Spans in the JSON form of the OpenTelemetry Protocol (`ExportTraceServiceRequest`): ids are hexadecimal, 64-bit
//! numbers are texts, kinds and codes are numbers.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

/// A span that has ended, or will.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) trace: [u8; 16],
    pub(super) id: [u8; 8],
    pub(super) parent: Option<[u8; 8]>,
    /// Whether the sampler keeps its trace.
    pub(super) is_kept: bool,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) is_error: bool,
    pub(super) began: Timestamp,
    pub(super) took: Duration,
    pub(super) attributes: Vec<(&'static str, Attribute)>,
    pub(super) events: Vec<Happened>,
}

/// On which side of a call a span stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Internal,
    Client,
}

/// Something that happened in a span.
#[derive(Debug, Clone)]
pub(super) struct Happened {
    pub(super) at: Timestamp,
    pub(super) name: String,
    pub(super) attributes: Vec<(&'static str, Attribute)>,
}

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Attribute {
    Text(String),
    Number(i64),
    Truth(bool),
}

impl Attribute {
    fn json(&self) -> Value {
        match self {
            Self::Text(text) => json!({ "stringValue": text }),
            Self::Number(number) => json!({ "intValue": number.to_string() }),
            Self::Truth(truth) => json!({ "boolValue": truth }),
        }
    }
}

/// A batch as it is handed over.
pub(super) fn request(resource: &[(String, String)], spans: &[Span]) -> String {
    let resource: Vec<Value> = resource
        .iter()
        .map(|(name, value)| attribute(name, &Attribute::Text(value.clone())))
        .collect();
    let spans: Vec<Value> = spans.iter().map(span).collect();
    json!({
        "resourceSpans": [{
            "resource": { "attributes": resource },
            "scopeSpans": [{
                "scope": { "name": "tailorbird", "version": env!("CARGO_PKG_VERSION") },
                "spans": spans,
            }],
        }],
    })
    .to_string()
}

fn span(span: &Span) -> Value {
    let began = span.began.as_nanosecond();
    let took = i128::try_from(span.took.as_nanos()).unwrap_or_default();
    let mut json = json!({
        "traceId": hex(&span.trace),
        "spanId": hex(&span.id),
        "name": span.name,
        "kind": match span.kind { Kind::Internal => 1, Kind::Client => 3 },
        "startTimeUnixNano": began.to_string(),
        "endTimeUnixNano": began.saturating_add(took).to_string(),
        "attributes": attributes(&span.attributes),
        "events": span.events.iter().map(|event| json!({
            "timeUnixNano": event.at.as_nanosecond().to_string(),
            "name": event.name,
            "attributes": attributes(&event.attributes),
        })).collect::<Vec<Value>>(),
        // 0 is unset: that something went well is for whoever reads to say. 2 is an error.
        "status": { "code": if span.is_error { 2 } else { 0 } },
        // Sampled, by W3C's trace context.
        "flags": 1,
    });
    if let (Some(parent), Some(members)) = (span.parent, json.as_object_mut()) {
        members.insert("parentSpanId".to_owned(), hex(&parent).into());
    }
    json
}

fn attributes(attributes: &[(&'static str, Attribute)]) -> Vec<Value> {
    attributes
        .iter()
        .map(|(name, value)| attribute(name, value))
        .collect()
}

fn attribute(name: &str, value: &Attribute) -> Value {
    json!({ "key": name, "value": value.json() })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        text.push_str(&format!("{byte:02x}"));
        text
    })
}
