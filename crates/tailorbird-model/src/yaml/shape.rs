//! Checks a document against the JSON Schema of a Rust type and reports every problem with its place.
//!
//! The schema comes from our own types, so only the keywords that schemars emits for them are understood;
//! a test walks all schemas and fails on any other keyword.

use schemars::JsonSchema;
use serde_json::Value;

use super::document::{Document, join};
use super::problem::Problem;
use crate::name::Name;
use crate::service::Span;
use crate::task::trigger::HookPath;

/// Keywords that [`check`] understands or that only inform people.
pub const KEYWORDS: [&str; 25] = [
    "$defs",
    "$ref",
    "$schema",
    "additionalProperties",
    "anyOf",
    "const",
    "default",
    "description",
    "enum",
    "format",
    "items",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "oneOf",
    "pattern",
    "properties",
    "required",
    "title",
    "type",
    "maxItems",
    "maxLength",
    "examples",
    "patternProperties",
];

/// The JSON Schema (draft 2020-12) of a type.
pub fn schema_of<T: JsonSchema>() -> Value {
    schemars::schema_for!(T).to_value()
}

/// An unknown key: its JSON Pointer, and the key that was most likely meant.
pub type UnknownKey = (String, Option<String>);

/// All problems of shape of a document, and its unknown keys: each by its JSON Pointer, with the key that was
/// most likely meant.
pub fn check(schema: &Value, document: &Document) -> (Vec<Problem>, Vec<UnknownKey>) {
    let mut checker = Checker {
        root: schema,
        document,
        problems: Vec::new(),
        unknown: Vec::new(),
    };
    checker.value(schema, &document.value, "");
    (checker.problems, checker.unknown)
}

struct Checker<'a> {
    root: &'a Value,
    document: &'a Document,
    problems: Vec<Problem>,
    unknown: Vec<UnknownKey>,
}

impl<'a> Checker<'a> {
    fn say(&mut self, pointer: &str, message: String, hint: String) {
        let position = self.document.position(pointer);
        self.problems
            .push(Problem::error(position, pointer, message).hint(hint));
    }

    fn value(&mut self, schema: &'a Value, value: &Value, pointer: &str) {
        let schema = resolve(self.root, schema);
        if let Some(choices) = schema
            .get("oneOf")
            .or_else(|| schema.get("anyOf"))
            .and_then(Value::as_array)
        {
            return self.choice(choices, value, pointer);
        }
        if let Some(expected) = schema.get("const") {
            if expected != value {
                self.say(
                    pointer,
                    format!("{} is not {}", show(value), show(expected)),
                    String::new(),
                );
            }
            return;
        }
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            if !words.contains(value) {
                self.not_among(&words.iter().map(plain).collect::<Vec<_>>(), value, pointer);
            }
            return;
        }
        if let Some(expected) = types(schema)
            && !expected.iter().any(|kind| is_of(kind, value))
        {
            let expected: Vec<&str> = expected
                .into_iter()
                .filter(|kind| *kind != "null")
                .map(people)
                .collect();
            let description = schema
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default();
            self.say(
                pointer,
                format!("expected {}, found {}", expected.join(" or "), kind_of(value)),
                description.lines().next().unwrap_or_default().to_owned(),
            );
            return;
        }
        match value {
            Value::Object(members) => self.object(schema, members, pointer),
            Value::Array(items) => self.array(schema, items, pointer),
            Value::String(text) => self.text(schema, text, pointer),
            Value::Number(number) => {
                let bound = |name| schema.get(name).and_then(Value::as_f64);
                let actual = number.as_f64().unwrap_or_default();
                if let Some(least) = bound("minimum").filter(|least| actual < *least) {
                    self.say(
                        pointer,
                        format!("{number} is too small"),
                        format!("The least value is {least}."),
                    );
                }
                if let Some(most) = bound("maximum").filter(|most| actual > *most) {
                    self.say(
                        pointer,
                        format!("{number} is too large"),
                        format!("The greatest value is {most}."),
                    );
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn object(&mut self, schema: &'a Value, members: &serde_json::Map<String, Value>, pointer: &str) {
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, member) in members {
            let path = join(pointer, name);
            if let Some(property) = properties.and_then(|all| all.get(name)) {
                self.value(property, member, &path);
                continue;
            }
            // The only maps with a pattern are those whose keys are names.
            if let Some(inner) = schema
                .get("patternProperties")
                .and_then(Value::as_object)
                .and_then(|all| all.values().next())
            {
                if Name::is_valid(name) {
                    self.value(inner, member, &path);
                } else {
                    let position = self.document.key_position(&path);
                    self.problems.push(Problem::error(position, path, format!("{name:?} is not a name")).hint(
                        "Use 1 to 64 letters, digits, \"-\", \"_\" or \".\", starting with a letter or digit.",
                    ));
                }
                continue;
            }
            match schema.get("additionalProperties") {
                Some(Value::Bool(false)) => {
                    let valid: Vec<&str> = properties
                        .into_iter()
                        .flatten()
                        .map(|(name, _)| name.as_str())
                        .collect();
                    let position = self.document.key_position(&path);
                    let meant = nearest(name, &valid).filter(|meant| !members.contains_key(*meant));
                    self.unknown.push((path.clone(), meant.map(str::to_owned)));
                    self.problems.push(
                        Problem::error(position, path, format!("unknown key `{name}`")).hint(suggest(
                            name,
                            &valid,
                            "Valid keys here",
                        )),
                    );
                }
                Some(Value::Bool(true)) | None => {}
                Some(inner) => self.value(inner, member, &path),
            }
        }
        for required in schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let name = required.as_str().unwrap_or_default();
            if !members.contains_key(name) {
                let about = properties
                    .and_then(|all| all.get(name))
                    .map(|property| {
                        let own = property.get("description").and_then(Value::as_str);
                        own.or_else(|| {
                            resolve(self.root, property)
                                .get("description")
                                .and_then(Value::as_str)
                        })
                        .unwrap_or_default()
                        .lines()
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                    })
                    .unwrap_or_default();
                self.say(pointer, format!("`{name}` is missing"), about);
            }
        }
    }

    fn array(&mut self, schema: &'a Value, items: &[Value], pointer: &str) {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
        if u64::try_from(items.len()).is_ok_and(|count| count < least) {
            self.say(pointer, format!("expected at least {least} item"), String::new());
        }
        if let Some(inner) = schema.get("items") {
            for (index, item) in items.iter().enumerate() {
                self.value(inner, item, &join(pointer, &index.to_string()));
            }
        }
    }

    /// Patterns occur on three types only, and each knows best what it accepts.
    fn text(&mut self, schema: &'a Value, text: &str, pointer: &str) {
        let Some(pattern) = schema.get("pattern").and_then(Value::as_str) else {
            return;
        };
        let fits = if pattern.ends_with("[smhd]$") {
            text.parse::<Span>().is_ok()
        } else if pattern == HookPath::PATTERN {
            text.parse::<HookPath>().is_ok()
        } else {
            Name::is_valid(text)
        };
        if !fits {
            let valid = schema
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default();
            self.say(pointer, format!("{text:?} is not valid here"), valid.to_owned());
        }
    }

    /// Reports the problems of the alternative that was most likely meant.
    fn choice(&mut self, choices: &'a [Value], value: &Value, pointer: &str) {
        let mut best: Option<(u8, Vec<Problem>, Vec<UnknownKey>)> = None;
        let mut words = Vec::new();
        for choice in choices {
            let choice = resolve(self.root, choice);
            self.collect_words(choice, &mut words);
            let mut attempt = Checker {
                root: self.root,
                document: self.document,
                problems: Vec::new(),
                unknown: Vec::new(),
            };
            attempt.value(choice, value, pointer);
            if attempt.problems.is_empty() {
                return;
            }
            let rank = self.likeness(choice, value);
            if rank > 0 && best.as_ref().is_none_or(|(other, ..)| rank > *other) {
                best = Some((rank, attempt.problems, attempt.unknown));
            }
        }
        match best {
            Some((_, problems, unknown)) => {
                self.problems.extend(problems);
                self.unknown.extend(unknown);
            }
            None => self.not_among(&words, value, pointer),
        }
    }

    /// How much a value looks like an alternative: 2 if it has its tag, 1 if it is of its type, else 0.
    fn likeness(&self, choice: &Value, value: &Value) -> u8 {
        let is_null_only = choice.get("type").and_then(Value::as_str) == Some("null");
        if is_null_only || choice.get("const").is_some() || choice.get("enum").is_some() {
            return 0;
        }
        if let Some(inner) = choice
            .get("oneOf")
            .or_else(|| choice.get("anyOf"))
            .and_then(Value::as_array)
        {
            return inner
                .iter()
                .map(|choice| self.likeness(resolve(self.root, choice), value))
                .max()
                .unwrap_or(0);
        }
        let required = choice.get("required").and_then(Value::as_array);
        let tag = required
            .filter(|all| all.len() == 1)
            .and_then(|all| all.first())
            .and_then(Value::as_str);
        match (tag, value) {
            (Some(tag), Value::Object(members)) if members.contains_key(tag) => 2,
            (Some(_), Value::Object(_))
                if choice.get("additionalProperties") == Some(&Value::Bool(false)) =>
            {
                0
            }
            _ => u8::from(types(choice).is_some_and(|kinds| kinds.iter().any(|kind| is_of(kind, value)))),
        }
    }

    fn collect_words(&self, choice: &'a Value, words: &mut Vec<String>) {
        if let Some(word) = choice.get("const") {
            words.push(plain(word));
        } else if let Some(all) = choice.get("enum").and_then(Value::as_array) {
            words.extend(all.iter().map(plain));
        } else if let Some(inner) = choice
            .get("oneOf")
            .or_else(|| choice.get("anyOf"))
            .and_then(Value::as_array)
        {
            for choice in inner {
                self.collect_words(resolve(self.root, choice), words);
            }
        } else if let Some(tag) = choice
            .get("required")
            .and_then(Value::as_array)
            .and_then(|all| all.first())
        {
            words.push(format!("{}: …", plain(tag)));
        } else if let Some(kinds) = types(choice) {
            words.extend(
                kinds
                    .into_iter()
                    .filter(|kind| *kind != "null")
                    .map(|kind| people(kind).to_owned()),
            );
        }
    }

    fn not_among(&mut self, words: &[String], value: &Value, pointer: &str) {
        let given = plain(value);
        let valid: Vec<&str> = words.iter().map(String::as_str).collect();
        self.say(
            pointer,
            format!("{} is not valid here", show(value)),
            suggest(&given, &valid, "Valid"),
        );
    }
}

fn resolve<'v>(root: &'v Value, schema: &'v Value) -> &'v Value {
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix('#'))
        .and_then(|pointer| root.pointer(pointer))
        .unwrap_or(schema)
}

fn types(schema: &Value) -> Option<Vec<&str>> {
    match schema.get("type")? {
        Value::String(kind) => Some(vec![kind]),
        Value::Array(kinds) => Some(kinds.iter().filter_map(Value::as_str).collect()),
        _ => None,
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

fn people(kind: &str) -> &str {
    match kind {
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a text",
        "array" => "a list",
        "object" => "keys with values",
        other => other,
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "keys with values",
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The longest piece of a wrong value that a message repeats, in characters.
const MAX_SHOWN: usize = 60;

fn show(value: &Value) -> String {
    match value {
        Value::Object(_) | Value::Array(_) => kind_of(value).to_owned(),
        other => {
            let text = other.to_string();
            if text.chars().count() > MAX_SHOWN {
                text.chars().take(MAX_SHOWN).chain(['…']).collect()
            } else {
                text
            }
        }
    }
}

/// "Did you mean …? Valid keys here: …."
pub fn suggest(given: &str, valid: &[&str], lead: &str) -> String {
    if valid.is_empty() {
        return format!("{lead}: none yet.");
    }
    let list = format!("{lead}: {}.", valid.join(", "));
    match nearest(given, valid) {
        Some(near) => format!("Did you mean `{near}`? {list}"),
        None => list,
    }
}

/// The valid word that differs least from the given one, if it is near enough to be a slip.
pub fn nearest<'w>(given: &str, valid: &[&'w str]) -> Option<&'w str> {
    let length = given.chars().count();
    let allowed = (length / 3).max(2).min(length.saturating_sub(1));
    valid
        .iter()
        .map(|word| (distance(&given.to_lowercase(), &word.to_lowercase()), *word))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, word)| word)
}

/// The Levenshtein distance of two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, above) in b.iter().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
