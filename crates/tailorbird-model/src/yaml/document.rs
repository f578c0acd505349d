//! YAML text to JSON values with positions.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

use super::problem::{Position, Problem};

/// The largest file, in bytes.
pub const MAX_FILE_BYTES: usize = 1 << 20;
/// The greatest number of values in a file.
pub const MAX_NODES: usize = 100_000;
/// The deepest nesting.
pub const MAX_DEPTH: usize = 64;

/// One YAML document.
#[derive(Debug, Clone)]
pub struct Document {
    /// What it says.
    pub value: Value,
    /// Its text in the file, with comments, without the `---` before it.
    pub source: String,
    first_line: usize,
    positions: HashMap<String, Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    key: Option<Position>,
    value: Position,
    /// Columns between the start of the scalar and its first character; `None` for block scalars, whose
    /// text begins on the next line.
    text_offset: Option<usize>,
}

impl Document {
    /// The place of a value by its JSON Pointer; the nearest known ancestor's where there is none.
    pub fn position(&self, pointer: &str) -> Position {
        self.nearest(pointer)
            .map_or(Position { line: 1, column: 1 }, |place| place.value)
    }

    /// The place of a member's key by the member's JSON Pointer.
    pub fn key_position(&self, pointer: &str) -> Position {
        self.nearest(pointer)
            .map_or(Position { line: 1, column: 1 }, |place| {
                place.key.unwrap_or(place.value)
            })
    }

    /// The place of a character inside a text value; `line` and `column` count from 0 in the text.
    pub fn position_in_text(&self, pointer: &str, line: usize, column: usize) -> Position {
        let Some(place) = self.nearest(pointer) else {
            return Position { line: 1, column: 1 };
        };
        match place.text_offset {
            Some(offset) if line == 0 => Position {
                line: place.value.line,
                column: place.value.column + offset + column,
            },
            Some(_) => Position {
                line: place.value.line + line,
                ..place.value
            },
            // The place of a block is that of its first line, behind the indentation.
            None => Position {
                line: place.value.line + line,
                column: place.value.column + column,
            },
        }
    }

    fn nearest(&self, pointer: &str) -> Option<Place> {
        let mut pointer = pointer;
        loop {
            if let Some(place) = self.positions.get(pointer) {
                return Some(*place);
            }
            pointer = pointer.rsplit_once('/')?.0;
        }
    }
}

/// Appends a member or index to a JSON Pointer (RFC 6901 §3).
pub(super) fn join(pointer: &str, member: &str) -> String {
    format!("{pointer}/{}", member.replace('~', "~0").replace('/', "~1"))
}

enum Open {
    Sequence {
        pointer: String,
        items: Vec<Value>,
    },
    Mapping {
        pointer: String,
        members: Map<String, Value>,
        key: Option<(String, Position)>,
    },
}

/// Reads all documents of a file.
///
/// A syntax error ends the reading; what came before it is returned. Anchors' aliases and merge keys are
/// refused: a task file is read by people, and an alias bomb by nobody.
pub fn read(text: &str) -> (Vec<Document>, Vec<Problem>) {
    let mut reader = Reader::default();
    if text.len() > MAX_FILE_BYTES {
        let message = format!(
            "the file has {} bytes; at most {MAX_FILE_BYTES} are read",
            text.len()
        );
        return (
            Vec::new(),
            vec![Problem::error(Position { line: 1, column: 1 }, "", message)],
        );
    }
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => {
                if !reader.take(event, span.start) {
                    break;
                }
            }
            Err(error) => {
                let problem =
                    Problem::error(position(*error.marker()), "", format!("YAML: {}", error.info()))
                        .hint("Check the indentation and the quotes just before this place.");
                reader.problems.push(problem);
                break;
            }
        }
    }
    let ends: Vec<usize> = reader
        .documents
        .iter()
        .skip(1)
        .map(|document| document.first_line)
        .chain([usize::MAX])
        .collect();
    for (document, end) in reader.documents.iter_mut().zip(ends) {
        let lines = text.lines().enumerate().skip(document.first_line - 1);
        let own: Vec<&str> = lines
            .take_while(|(index, _)| index + 1 < end)
            .map(|(_, line)| line)
            .filter(|line| !matches!(line.trim_end(), "---" | "..."))
            .collect();
        document.source = own.join("\n").trim_end().to_owned() + "\n";
    }
    (reader.documents, reader.problems)
}

fn position(marker: Marker) -> Position {
    Position {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

#[derive(Default)]
struct Reader {
    documents: Vec<Document>,
    problems: Vec<Problem>,
    positions: HashMap<String, Place>,
    open: Vec<Open>,
    root: Option<Value>,
    first_line: usize,
    nodes: usize,
}

impl Reader {
    /// Takes one event; false stops the reading.
    fn take(&mut self, event: Event<'_>, start: Marker) -> bool {
        let here = position(start);
        match event {
            Event::DocumentStart(_) => {
                self.first_line = if self.documents.is_empty() { 1 } else { here.line };
                self.root = None;
                self.positions.clear();
            }
            Event::DocumentEnd => {
                if let Some(value) = self.root.take() {
                    self.documents.push(Document {
                        value,
                        source: String::new(),
                        first_line: self.first_line,
                        positions: std::mem::take(&mut self.positions),
                    });
                }
            }
            Event::Alias(_) => {
                self.problems.push(
                    Problem::error(here, "", "aliases (`*name`) are not read here")
                        .hint("Write the value out."),
                );
                self.add(Value::Null, here, Some(0));
            }
            Event::Scalar(text, style, _, tag) => {
                if tag.is_some() {
                    self.problems
                        .push(Problem::error(here, "", "tags (`!name`) are not read here"));
                }
                return self.scalar(&text, style, here);
            }
            Event::SequenceStart(..) => {
                let pointer = self.place(here, None);
                self.open.push(Open::Sequence {
                    pointer,
                    items: Vec::new(),
                });
            }
            Event::MappingStart(..) => {
                let pointer = self.place(here, None);
                self.open.push(Open::Mapping {
                    pointer,
                    members: Map::new(),
                    key: None,
                });
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd => {}
        }
        self.within_limits(here)
    }

    fn within_limits(&mut self, here: Position) -> bool {
        self.nodes += 1;
        let problem = if self.nodes > MAX_NODES {
            format!("the file holds more than {MAX_NODES} values")
        } else if self.open.len() > MAX_DEPTH {
            format!("the file is nested more than {MAX_DEPTH} levels deep")
        } else {
            return true;
        };
        self.problems.push(Problem::error(here, "", problem));
        false
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, here: Position) -> bool {
        if let Some(Open::Mapping {
            pointer,
            members,
            key,
        }) = self.open.last_mut()
            && key.is_none()
        {
            if members.contains_key(text) {
                let path = join(pointer, text);
                self.problems.push(
                    Problem::error(here, path, format!("the key `{text}` is given twice"))
                        .hint("Remove one of the two."),
                );
            }
            *key = Some((text.to_owned(), here));
            return self.within_limits(here);
        }
        let (value, text_offset) = match style {
            ScalarStyle::Plain => (plain(text), Some(0)),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                (Value::String(text.to_owned()), Some(1))
            }
            ScalarStyle::Literal | ScalarStyle::Folded => (Value::String(text.to_owned()), None),
        };
        self.add(value, here, text_offset);
        self.within_limits(here)
    }

    /// Notes the place of the value that begins here and returns its pointer.
    fn place(&mut self, here: Position, text_offset: Option<usize>) -> String {
        let (pointer, key) = match self.open.last() {
            None => (String::new(), None),
            Some(Open::Sequence { pointer, items }) => (join(pointer, &items.len().to_string()), None),
            Some(Open::Mapping { pointer, key, .. }) => key.as_ref().map_or_else(
                || (pointer.clone(), None),
                |(name, place)| (join(pointer, name), Some(*place)),
            ),
        };
        self.positions.insert(
            pointer.clone(),
            Place {
                key,
                value: here,
                text_offset,
            },
        );
        pointer
    }

    fn add(&mut self, value: Value, here: Position, text_offset: Option<usize>) {
        self.place(here, text_offset);
        self.put(value);
    }

    fn put(&mut self, value: Value) {
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some(Open::Sequence { items, .. }) => items.push(value),
            Some(Open::Mapping { members, key, .. }) => {
                if let Some((name, _)) = key.take() {
                    members.insert(name, value);
                } else if !value.is_null() {
                    // A key that is itself a list or mapping has no place in JSON.
                    let here = Position { line: 1, column: 1 };
                    self.problems
                        .push(Problem::error(here, "", "a key must be a text"));
                }
            }
        }
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::Sequence { items, .. }) => self.put(Value::Array(items)),
            Some(Open::Mapping { members, .. }) => self.put(Value::Object(members)),
            None => {}
        }
    }
}

/// The value of a plain scalar by YAML's core schema (YAML 1.2.2 §10.3.2): `no` and `on` stay text.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    let first = text.chars().next()?;
    if !(first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return None;
    }
    if let Ok(whole) = text.strip_prefix('+').unwrap_or(text).parse::<i64>() {
        return Some(whole.into());
    }
    let is_decimal = text
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E'));
    if is_decimal {
        text.parse::<f64>().ok().and_then(Number::from_f64)
    } else {
        None
    }
}
