//! Reads refusals of every shape that providers use into one structure.

use std::fmt;

use serde_json::{Map, Value};

use crate::message::xml::{element_text, error_elements};
use crate::percent_encoding::form_decode;
use crate::signing::parameter_sources::form_pairs;

/// The most of a provider's message that is kept, in characters.
pub const MAX_REFUSAL_MESSAGE_LENGTH: usize = 1000;

/// How many errors of one answer are kept.
pub const MAX_REFUSAL_ITEMS: usize = 16;

/// The form in which a provider wrote its refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalShape {
    /// `{"errors":[{"code":89,"message":"…"}]}`, X API v1.1.
    ErrorsJson,
    /// `<errors><error code="415">…</error></errors>`, X's request-token endpoint.
    ErrorsXml,
    /// `<hash><error>…</error><request>…</request></hash>`, older.
    HashXml,
    /// `{"request":"/1.1/…","error":"…"}`.
    RequestErrorJson,
    /// `{"title":"…","detail":"…","status":403,"type":"…"}`, X API v2 and RFC 9457.
    ProblemJson,
    /// `{"error":"…","error_description":"…"}`, token endpoints of OAuth 2.0 (RFC 6749 §5.2).
    ErrorDescriptionJson,
    /// `oauth_problem=…&oauth_problem_advice=…` (OAuth Problem Reporting extension).
    OAuthProblem,
    /// `error=…` or the like, form-encoded.
    ErrorForm,
    /// Other JSON.
    OtherJson,
    /// A web page.
    Html,
    /// A sentence.
    PlainText,
    /// Nothing.
    Empty,
}

/// One error out of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalItem {
    /// The provider's number for it.
    pub code: Option<i64>,
    /// The provider's words, at most [`MAX_REFUSAL_MESSAGE_LENGTH`] characters, without control characters.
    pub message: String,
}

/// A provider's refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The provider's number, of the first error that has one.
    pub code: Option<i64>,
    /// The provider's words for the first error; empty if it said nothing.
    pub message: String,
    /// The title of a problem document, which tells kinds of failure apart where `type` does not.
    pub title: Option<String>,
    /// The last path part of a problem's `type` (`oauth1-permissions`): the host before it changes.
    pub problem: Option<String>,
    /// In which form it came.
    pub shape: RefusalShape,
    /// Every error, the first included.
    pub items: Vec<RefusalItem>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        if let Some(code) = self.code {
            write!(f, ", code {code}")?;
        }
        if self.message.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.message)
        }
    }
}

impl Refusal {
    fn new(status: u16, shape: RefusalShape, items: Vec<RefusalItem>) -> Self {
        Self {
            status,
            code: items.iter().find_map(|item| item.code),
            message: items.first().map(|item| item.message.clone()).unwrap_or_default(),
            title: None,
            problem: None,
            shape,
            items,
        }
    }

    fn single(status: u16, shape: RefusalShape, code: Option<i64>, message: &str) -> Self {
        Self::new(
            status,
            shape,
            vec![RefusalItem {
                code,
                message: presentable(message),
            }],
        )
    }
}

/// Makes a foreign text fit for a line on a screen or in a log: no control characters, one space for each
/// run of white space, at most [`MAX_REFUSAL_MESSAGE_LENGTH`] characters.
fn presentable(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_REFUSAL_MESSAGE_LENGTH));
    let words = text.split(|character: char| character.is_whitespace() || character.is_control());
    for word in words.filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    match out.char_indices().nth(MAX_REFUSAL_MESSAGE_LENGTH) {
        Some((at, _)) => {
            out.truncate(at);
            out.push('…');
            out
        }
        None => out,
    }
}

/// Reads the body of an answer that refuses something. Never fails: what fits no known shape is a
/// sentence.
pub fn read_refusal(status: u16, body: &[u8]) -> Refusal {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Refusal::new(status, RefusalShape::Empty, Vec::new());
    }
    let refusal = match text.chars().next() {
        Some('{' | '[' | '"') => serde_json::from_str::<Value>(text)
            .ok()
            .map(|value| read_json(status, &value)),
        Some('<') => Some(read_markup(status, text)),
        _ => read_form(status, text),
    };
    refusal.unwrap_or_else(|| Refusal::single(status, RefusalShape::PlainText, None, text))
}

fn read_markup(status: u16, text: &str) -> Refusal {
    let start = text.split_whitespace().next().unwrap_or_default();
    let is_page = start.eq_ignore_ascii_case("<!doctype")
        || element_text(text, "html").is_some()
        || element_text(text, "body").is_some();
    let errors = if is_page { Vec::new() } else { error_elements(text) };
    if errors.is_empty() {
        let title = element_text(text, "title").unwrap_or_default();
        return Refusal::single(status, RefusalShape::Html, None, &title);
    }
    let shape = if element_text(text, "hash").is_some() {
        RefusalShape::HashXml
    } else {
        RefusalShape::ErrorsXml
    };
    let items = errors.iter().map(|error| RefusalItem {
        code: error.code,
        message: presentable(&error.text),
    });
    Refusal::new(status, shape, items.collect())
}

fn read_form(status: u16, text: &str) -> Option<Refusal> {
    // A sentence may hold an equals sign; a form holds no raw space.
    if text.contains(char::is_whitespace) {
        return None;
    }
    let get = |wanted: &str| {
        form_pairs(text.as_bytes())
            .find(|(name, _)| form_decode(name) == wanted.as_bytes())
            .map(|(_, value)| String::from_utf8_lossy(&form_decode(value)).into_owned())
    };
    if let Some(problem) = get("oauth_problem") {
        let advice = get("oauth_problem_advice").map(|advice| format!("{problem}: {advice}"));
        let mut refusal = Refusal::single(
            status,
            RefusalShape::OAuthProblem,
            None,
            advice.as_deref().unwrap_or(&problem),
        );
        refusal.problem = Some(presentable(&problem));
        return Some(refusal);
    }
    let error = get("error").or_else(|| get("error_message"))?;
    let description = get("error_description").map(|description| format!("{error}: {description}"));
    Some(Refusal::single(
        status,
        RefusalShape::ErrorForm,
        None,
        description.as_deref().unwrap_or(&error),
    ))
}

fn read_json(status: u16, value: &Value) -> Refusal {
    match value {
        Value::Object(object) => read_object(status, object),
        Value::String(text) => Refusal::single(status, RefusalShape::OtherJson, None, text),
        Value::Array(items) => {
            let items = items
                .iter()
                .take(MAX_REFUSAL_ITEMS)
                .filter_map(read_item)
                .collect();
            Refusal::new(status, RefusalShape::OtherJson, items)
        }
        _ => Refusal::new(status, RefusalShape::OtherJson, Vec::new()),
    }
}

fn text_member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// A number, or digits in a string.
fn number_member(object: &Map<String, Value>, name: &str) -> Option<i64> {
    let value = object.get(name)?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn read_object(status: u16, object: &Map<String, Value>) -> Refusal {
    // A problem document may have `errors` as well; its title and type say more.
    let is_problem =
        object.contains_key("title") && (object.contains_key("type") || object.contains_key("detail"));
    let errors: Vec<RefusalItem> = match object.get("errors") {
        Some(Value::Array(items)) => items
            .iter()
            .take(MAX_REFUSAL_ITEMS)
            .filter_map(read_item)
            .collect(),
        Some(Value::String(text)) => vec![RefusalItem {
            code: None,
            message: presentable(text),
        }],
        _ => Vec::new(),
    };
    if is_problem {
        return read_problem(status, object, errors);
    }
    if !errors.is_empty() {
        return Refusal::new(status, RefusalShape::ErrorsJson, errors);
    }
    let code = number_member(object, "code");
    match (object.get("error"), text_member(object, "error_description")) {
        (Some(Value::String(error)), Some(description)) => {
            let message = format!("{error}: {description}");
            let mut refusal = Refusal::single(status, RefusalShape::ErrorDescriptionJson, code, &message);
            refusal.problem = Some(presentable(error));
            refusal
        }
        (Some(Value::String(error)), None) => {
            Refusal::single(status, RefusalShape::RequestErrorJson, code, error)
        }
        (Some(error @ Value::Object(_)), _) => Refusal::new(
            status,
            RefusalShape::OtherJson,
            read_item(error).into_iter().collect(),
        ),
        _ => {
            let message = ["message", "detail", "title"]
                .iter()
                .find_map(|name| text_member(object, name));
            Refusal::single(status, RefusalShape::OtherJson, code, message.unwrap_or_default())
        }
    }
}

fn read_problem(status: u16, object: &Map<String, Value>, mut items: Vec<RefusalItem>) -> Refusal {
    let title = text_member(object, "title");
    let message = text_member(object, "detail").or(title).unwrap_or_default();
    let code = number_member(object, "code");
    items.insert(
        0,
        RefusalItem {
            code,
            message: presentable(message),
        },
    );
    let mut refusal = Refusal::new(status, RefusalShape::ProblemJson, items);
    refusal.title = title.map(presentable);
    refusal.problem = text_member(object, "type")
        .filter(|kind| *kind != "about:blank")
        .and_then(|kind| kind.trim_end_matches('/').rsplit('/').next())
        .map(presentable);
    refusal
}

fn read_item(value: &Value) -> Option<RefusalItem> {
    match value {
        Value::String(text) => Some(RefusalItem {
            code: None,
            message: presentable(text),
        }),
        Value::Object(object) => {
            let message = ["message", "detail", "title", "error"]
                .iter()
                .find_map(|name| text_member(object, name));
            let code = number_member(object, "code");
            (message.is_some() || code.is_some()).then(|| RefusalItem {
                code,
                message: presentable(message.unwrap_or_default()),
            })
        }
        _ => None,
    }
}
