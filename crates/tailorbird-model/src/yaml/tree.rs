//! A document as a tree with the places of its parts, so that one part can be changed and the rest left as it stands.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::document::MAX_DEPTH;

/// A part of a document, with its place in the text in bytes.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub start: usize,
    pub end: usize,
    pub kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Scalar,
    Map { is_flow: bool, entries: Vec<Entry> },
    List { is_flow: bool, items: Vec<Node> },
}

/// A member of a mapping.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub key: String,
    pub key_start: usize,
    pub value: Node,
}

impl Node {
    /// The part that a path leads to.
    pub(super) fn at(&self, path: &[String]) -> Option<&Self> {
        let mut node = self;
        for step in path {
            node = match &node.kind {
                Kind::Map { entries, .. } => &entries.iter().find(|entry| entry.key == *step)?.value,
                Kind::List { items, .. } => items.get(step.parse::<usize>().ok()?)?,
                Kind::Scalar => return None,
            };
        }
        Some(node)
    }

    /// The places of all scalars and keys: where a `#` is no comment.
    pub(super) fn texts(&self, found: &mut Vec<(usize, usize)>) {
        match &self.kind {
            Kind::Scalar => found.push((self.start, self.end)),
            Kind::Map { entries, .. } => {
                for entry in entries {
                    found.push((entry.key_start, entry.key_start.saturating_add(entry.key.len())));
                    entry.value.texts(found);
                }
            }
            Kind::List { items, .. } => items.iter().for_each(|item| item.texts(found)),
        }
    }
}

enum Open {
    Map {
        start: usize,
        is_flow: bool,
        entries: Vec<Entry>,
        key: Option<(String, usize)>,
    },
    List {
        start: usize,
        is_flow: bool,
        items: Vec<Node>,
    },
}

/// The tree of a text that holds one document and that [`super::read`] finds nothing wrong with.
pub(super) fn tree(text: &str) -> Option<Node> {
    // The parser counts characters, and texts are cut by bytes.
    let bytes: Vec<usize> = text
        .char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .collect();
    let byte = |index: usize| bytes.get(index).copied().unwrap_or(text.len());
    let place = |span: &Span| (byte(span.start.index()), byte(span.end.index()));
    let is_flow = |start: usize| {
        text.as_bytes()
            .get(start)
            .is_some_and(|first| matches!(first, b'{' | b'['))
    };
    let (mut open, mut root): (Vec<Open>, Option<Node>) = (Vec::new(), None);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.ok()?;
        let (start, end) = place(&span);
        let done = match event {
            Event::Scalar(value, style, ..) => {
                if let Some(Open::Map { key: key @ None, .. }) = open.last_mut() {
                    *key = Some((value.into_owned(), start));
                    continue;
                }
                // A block ends where the next token begins; what is between is no part of it. Its place is that of its
                // first line, and its sign stands before.
                let (start, end) = match style {
                    ScalarStyle::Literal | ScalarStyle::Folded => {
                        (sign_of(text, open.last(), start), trimmed_end(text, start, end))
                    }
                    ScalarStyle::SingleQuoted => (start, quoted_end(text, start, '\'', None)),
                    ScalarStyle::DoubleQuoted => (start, quoted_end(text, start, '"', Some('\\'))),
                    // Of a value that is not there, the parser knows no place.
                    ScalarStyle::Plain if value.is_empty() => nothing_at(text, open.last(), start),
                    ScalarStyle::Plain => (start, end),
                };
                Node {
                    start,
                    end,
                    kind: Kind::Scalar,
                }
            }
            Event::MappingStart(..) => {
                open.push(Open::Map {
                    start,
                    is_flow: is_flow(start),
                    entries: Vec::new(),
                    key: None,
                });
                if open.len() > MAX_DEPTH {
                    return None;
                }
                continue;
            }
            Event::SequenceStart(..) => {
                open.push(Open::List {
                    start,
                    is_flow: is_flow(start),
                    items: Vec::new(),
                });
                if open.len() > MAX_DEPTH {
                    return None;
                }
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => closed(open.pop()?, end),
            Event::Alias(_) => return None,
            _ => continue,
        };
        match open.last_mut() {
            None if root.is_some() => return None,
            None => root = Some(done),
            Some(Open::List { items, .. }) => items.push(done),
            Some(Open::Map { entries, key, .. }) => {
                let (key, key_start) = key.take()?;
                entries.push(Entry {
                    key,
                    key_start,
                    value: done,
                });
            }
        }
    }
    root
}

/// A collection whose end has come. One in blocks ends with its last part.
fn closed(open: Open, end: usize) -> Node {
    match open {
        Open::Map {
            start,
            is_flow,
            entries,
            ..
        } => Node {
            start: entries
                .first()
                .filter(|_| !is_flow)
                .map_or(start, |first| first.key_start),
            end: entries
                .last()
                .filter(|_| !is_flow)
                .map_or(end, |last| last.value.end),
            kind: Kind::Map { is_flow, entries },
        },
        Open::List {
            start,
            is_flow,
            items,
        } => Node {
            start,
            end: items.last().filter(|_| !is_flow).map_or(end, |last| last.end),
            kind: Kind::List { is_flow, items },
        },
    }
}

fn trimmed_end(text: &str, start: usize, end: usize) -> usize {
    let part = text.get(start..end).unwrap_or_default();
    start.saturating_add(part.trim_end().len())
}

/// The end of a quoted scalar: the parser's includes what it has read beyond it.
fn quoted_end(text: &str, start: usize, quote: char, escape: Option<char>) -> usize {
    let mut letters = text
        .get(start..)
        .unwrap_or_default()
        .char_indices()
        .skip(1)
        .peekable();
    while let Some((at, letter)) = letters.next() {
        let is_doubled = escape.is_none() && letters.peek().is_some_and(|(_, next)| *next == quote);
        if Some(letter) == escape || (letter == quote && is_doubled) {
            letters.next();
        } else if letter == quote {
            return start.saturating_add(at).saturating_add(quote.len_utf8());
        }
    }
    text.len()
}

/// Where the `|` or `>` of a block scalar stands, between what comes before it and its first line.
fn sign_of(text: &str, open: Option<&Open>, start: usize) -> usize {
    let from = match open {
        Some(Open::Map {
            key: Some((key, at)), ..
        }) => at.saturating_add(key.len()),
        Some(Open::List { start, items, .. }) => items.last().map_or(*start, |last| last.end),
        _ => 0,
    };
    let sign = text.get(from..start).and_then(|between| between.find(['|', '>']));
    sign.map_or(start, |more| from.saturating_add(more))
}

/// Where a value would stand that is not there: behind the colon of its key.
fn nothing_at(text: &str, open: Option<&Open>, start: usize) -> (usize, usize) {
    let Some(Open::Map {
        key: Some((key, at)), ..
    }) = open
    else {
        return (start, start);
    };
    let from = at.saturating_add(key.len());
    let colon = text.get(from..).and_then(|rest| rest.find(':'));
    let place = colon.map_or(start, |more| from.saturating_add(more).saturating_add(1));
    (place, place)
}
