//! What an event says, as records.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{ArrivedFile, Trigger};
use crate::event::{EventSource, TriggerEvent};
use crate::{Failure, Meaning, Record, Value, codes};

/// Records of one event at most. A body of the largest size holds no more that say anything.
pub const MAX_TRIGGER_RECORDS: usize = 50_000;

/// A request as the inbox keeps it. The body is kept as it came, so that no number loses a digit on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedRequest {
    /// The path behind `/hooks/`.
    pub path: String,
    /// Headers that say something about the event and hold no secret; names in small letters.
    pub headers: BTreeMap<String, String>,
    /// Whether the body is a form and not JSON.
    #[serde(default)]
    pub form: bool,
    /// The body.
    pub body: String,
}

impl ReceivedRequest {
    /// The body as JSON; a form's fields as texts, several of one name as a list.
    ///
    /// # Errors
    /// Where it is no JSON; the error is the end of a sentence.
    pub fn json(&self) -> Result<Json, String> {
        if self.form {
            return Ok(form(&self.body));
        }
        serde_json::from_str(&self.body)
            .map_err(|error| format!("is no JSON (line {}, column {})", error.line(), error.column()))
    }

    /// The records of the body: the whole of it, or what a JSON Pointer leads to.
    ///
    /// # Errors
    /// Where the body has no such place, or something else is there; the error is the end of a sentence.
    pub fn records(&self, pointer: Option<&str>) -> Result<Vec<Record>, String> {
        let body = self.json()?;
        let Some(pointer) = pointer else {
            return match body {
                Json::Object(_) => Ok(vec![record(&body)]),
                Json::Array(_) => Err("is a list; say where its records are: `records: \"\"`".to_owned()),
                _ => Err("is no object".to_owned()),
            };
        };
        let found = body
            .pointer(pointer)
            .ok_or_else(|| format!("has nothing at {pointer:?}"))?;
        match found {
            Json::Array(items) if items.len() > MAX_TRIGGER_RECORDS => Err(format!(
                "has {} records at {pointer:?}; at most {MAX_TRIGGER_RECORDS} are taken",
                items.len()
            )),
            Json::Array(items) => Ok(items.iter().map(record).collect()),
            Json::Object(_) => Ok(vec![record(found)]),
            Json::Null => Ok(Vec::new()),
            _ => Err(format!("has no list at {pointer:?}")),
        }
    }
}

/// An object's members as columns; anything else is the one column `value`.
fn record(json: &Json) -> Record {
    match json {
        Json::Object(members) => Record::from_pairs(
            members
                .iter()
                .map(|(name, member)| (name.clone(), Value::from_json(member))),
        ),
        other => Record::from_pairs([("value".to_owned(), Value::from_json(other))]),
    }
}

fn form(body: &str) -> Json {
    let mut fields = serde_json::Map::new();
    for (name, value) in url::form_urlencoded::parse(body.as_bytes()) {
        let value = Json::from(value.into_owned());
        match fields.get_mut(name.as_ref()) {
            None => drop(fields.insert(name.into_owned(), value)),
            Some(Json::Array(values)) => values.push(value),
            Some(first) => *first = Json::Array(vec![first.take(), value]),
        }
    }
    Json::Object(fields)
}

/// The records of an event, and what expressions see of it as `trigger`.
///
/// # Errors
/// Where the event does not fit the task's trigger, which was changed since, or its contents were dropped.
pub fn records(event: &TriggerEvent, trigger: &Trigger) -> Result<(Vec<Record>, Record), Failure> {
    let odd = |detail: String| {
        let message = format!("the event {} of this run cannot be worked on", event.label);
        Failure::new(codes::TRIGGER_EVENT, Meaning::NotSent, message)
            .detail(detail)
            .hint("Mend the task's trigger and try the run again, or end the run.")
    };
    if event.payload.is_null() {
        return Err(odd("Its contents were dropped for their age.".to_owned()));
    }
    let mut about = vec![
        ("kind".to_owned(), Value::from(event.source.as_str())),
        ("received_at".to_owned(), Value::Timestamp(event.received_at)),
    ];
    let read = |error: serde_json::Error| odd(format!("Its contents are not as they were stored: {error}."));
    let found = match event.source {
        EventSource::Webhook => {
            let request = ReceivedRequest::deserialize(&event.payload).map_err(read)?;
            let pointer = trigger.webhook.as_ref().and_then(|hook| hook.records.as_deref());
            let records = request
                .records(pointer)
                .map_err(|problem| odd(format!("Its body {problem}.")))?;
            about.push(("path".to_owned(), Value::from(request.path.as_str())));
            let headers = serde_json::to_value(&request.headers).unwrap_or_default();
            about.push(("headers".to_owned(), Value::Json(headers)));
            records
        }
        EventSource::File => {
            let file = ArrivedFile::deserialize(&event.payload).map_err(read)?;
            vec![Record::from_pairs([
                ("path".to_owned(), Value::from(file.path.as_str())),
                ("name".to_owned(), Value::from(file.name.as_str())),
                (
                    "size".to_owned(),
                    i64::try_from(file.size).map_or(Value::Null, Value::Integer),
                ),
                ("modified".to_owned(), Value::Timestamp(file.modified)),
            ])]
        }
        EventSource::Database => vec![Record::deserialize(&event.payload).map_err(read)?],
    };
    Ok((found, Record::from_pairs(about)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(body: &str) -> ReceivedRequest {
        ReceivedRequest {
            path: "orders".to_owned(),
            headers: BTreeMap::new(),
            form: false,
            body: body.to_owned(),
        }
    }

    fn told(records: &[Record]) -> String {
        let json: Vec<Json> = records.iter().map(Record::to_json).collect();
        Json::from(json).to_string()
    }

    #[test]
    fn a_body_is_one_record_or_a_list_of_them() {
        let body = r#"{"id":7,"total":19.9,"buyer":{"name":"Ann"},"items":[{"sku":"A"},5],"none":null}"#;
        let whole = request(body).records(None).unwrap();
        assert_eq!(
            told(&whole),
            r#"[{"id":7,"total":"19.9","buyer":{"name":"Ann"},"items":[{"sku":"A"},5],"none":null}]"#
        );
        let items = request(body).records(Some("/items")).unwrap();
        assert_eq!(told(&items), r#"[{"sku":"A"},{"value":5}]"#);
        assert_eq!(
            told(&request(body).records(Some("/buyer")).unwrap()),
            r#"[{"name":"Ann"}]"#
        );
        assert_eq!(request(body).records(Some("/none")).unwrap(), []);
        assert_eq!(
            told(&request("[1,2]").records(Some("")).unwrap()),
            r#"[{"value":1},{"value":2}]"#
        );
    }

    #[test]
    fn what_is_no_record_is_refused_with_words() {
        for (body, pointer, words) in [
            ("{", None, "no JSON (line 1"),
            ("", None, "no JSON"),
            ("[1]", None, "is a list"),
            ("5", None, "is no object"),
            ("{}", Some("/items"), "nothing at \"/items\""),
            (r#"{"items":5}"#, Some("/items"), "no list"),
        ] {
            let problem = request(body).records(pointer).unwrap_err();
            assert!(problem.contains(words), "{body}: {problem}");
        }
        let many = format!("[{}1]", "1,".repeat(MAX_TRIGGER_RECORDS));
        assert!(request(&many).records(Some("")).unwrap_err().contains("at most"));
    }

    #[test]
    fn a_form_is_read_as_texts() {
        let form = ReceivedRequest {
            form: true,
            ..request("a=1&b=x+y&b=%C3%A4&c")
        };
        assert_eq!(
            told(&form.records(None).unwrap()),
            r#"[{"a":"1","b":["x y","ä"],"c":""}]"#
        );
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body in ".{0,60}", pointer in proptest::option::of("(/[a-z~0-9]{0,4}){0,3}"), form: bool) {
            let request = ReceivedRequest { form, ..request(&body) };
            drop(request.records(pointer.as_deref()));
        }

        #[test]
        fn every_item_of_a_list_is_a_record(items in proptest::collection::vec("[a-z]{0,5}", 0..20)) {
            let body = serde_json::json!({ "list": items }).to_string();
            prop_assert_eq!(request(&body).records(Some("/list")).unwrap().len(), items.len());
        }
    }
}
