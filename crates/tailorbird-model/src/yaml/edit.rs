//! Changes what a document says and leaves the rest of its text as it stands: comments, order, quotes, empty lines.
//!
//! Each difference is one cut in the text, and after each the text is read again: it must say one thing more of what is
//! wanted and nothing else. Where a cut cannot do that, the smallest part around it is written anew, and what comments that
//! takes is told.

use std::ops::Range;

use serde_json::Value;

use super::render::{after_key, block, inline, list_item};
use super::tree::{Kind, Node, tree};
use super::{Problem, read};

/// Differences that one edit may make.
pub const MAX_EDITS: usize = 500;

/// A text that says what was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The text.
    pub text: String,
    /// Comments that are gone, because what they stood in was written anew or removed.
    pub lost: Vec<String>,
}

/// Makes a text that holds one document say what is wanted.
///
/// # Errors
/// The problems of a text that cannot be read; those have to be mended first.
pub fn rewrite(text: &str, wanted: &Value) -> Result<Edited, Vec<Problem>> {
    let (documents, problems) = read(text);
    let mut now = match documents.as_slice() {
        [only] if problems.is_empty() => only.value.clone(),
        _ => return Err(problems),
    };
    let mut current = text.to_owned();
    for _ in 0..MAX_EDITS {
        if now == *wanted {
            break;
        }
        let left = distance(&now, wanted);
        let next = step(&current, &now, wanted).and_then(|text| Some((value_of(&text)?, text)));
        match next {
            Some((value, text)) if distance(&value, wanted) < left => {
                current = text;
                now = value;
            }
            _ => break,
        }
    }
    if now != *wanted {
        current = block(wanted, 0) + "\n";
    }
    Ok(Edited {
        lost: missing(&comments(text), &comments(&current)),
        text: current,
    })
}

fn value_of(text: &str) -> Option<Value> {
    let (documents, problems) = read(text);
    match documents.as_slice() {
        [only] if problems.is_empty() => Some(only.value.clone()),
        _ => None,
    }
}

/// How much differs.
fn distance(now: &Value, wanted: &Value) -> usize {
    match (now, wanted) {
        (Value::Object(a), Value::Object(b)) => {
            let gone = a.keys().filter(|key| !b.contains_key(*key)).count();
            let other: usize = b
                .iter()
                .map(|(key, value)| {
                    a.get(key)
                        .map_or_else(|| weight(value), |before| distance(before, value))
                })
                .sum();
            gone.saturating_add(other)
        }
        (Value::Array(a), Value::Array(b)) => {
            let pairs: usize = a.iter().zip(b).map(|(a, b)| distance(a, b)).sum();
            let more: usize = b.iter().skip(a.len()).map(weight).sum();
            pairs
                .saturating_add(more)
                .saturating_add(a.len().saturating_sub(b.len()))
        }
        (a, b) if a == b => 0,
        (_, b) => weight(b),
    }
}

/// What it takes to say a value: one more than its parts.
fn weight(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(weight).sum::<usize>().saturating_add(1),
        Value::Array(items) => items.iter().map(weight).sum::<usize>().saturating_add(1),
        _ => 1,
    }
}

/// The text with its first difference mended: by a cut, or with the part around it written anew.
fn step(text: &str, now: &Value, wanted: &Value) -> Option<String> {
    let root = tree(text)?;
    let mut path = Vec::new();
    let change = first_change(now, wanted, &mut path);
    let before = distance(now, wanted);
    let is_nearer =
        |candidate: &String| value_of(candidate).is_some_and(|value| distance(&value, wanted) < before);
    if let Some(candidate) = cut(text, &root, &path, &change).filter(is_nearer) {
        return Some(candidate);
    }
    // The smallest part around it that can be written anew.
    loop {
        let (part, value) = (root.at(&path), wanted_at(wanted, &path));
        if let (Some(part), Some(value)) = (part, value)
            && let Some(candidate) = replaced(text, part, value).filter(is_nearer)
        {
            return Some(candidate);
        }
        path.pop()?;
    }
}

fn wanted_at<'v>(wanted: &'v Value, path: &[String]) -> Option<&'v Value> {
    let mut value = wanted;
    for step in path {
        value = match value {
            Value::Object(members) => members.get(step)?,
            Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

/// What is to be done at a path.
enum Change {
    Replace(Value),
    Insert(String, Value),
    Remove(String),
    /// The items of a list: each one that stays by its place, or a new one.
    Arrange(Vec<Result<usize, Value>>),
}

/// The first difference; `path` leads to where it is.
fn first_change(now: &Value, wanted: &Value, path: &mut Vec<String>) -> Change {
    match (now, wanted) {
        (Value::Object(a), Value::Object(b)) => {
            if let Some(gone) = a.keys().find(|key| !b.contains_key(*key)) {
                return Change::Remove(gone.clone());
            }
            for (key, value) in super::render::ordered(b) {
                match a.get(key) {
                    None => return Change::Insert(key.clone(), value.clone()),
                    Some(before) if before != value => {
                        path.push(key.clone());
                        return first_change(before, value, path);
                    }
                    Some(_) => {}
                }
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            let arranged = arranged(a, b);
            let is_moved = arranged.iter().enumerate().any(|(at, from)| *from != Ok(at));
            if a.len() != b.len() || (is_moved && arranged.iter().all(Result::is_ok)) {
                return Change::Arrange(arranged);
            }
            if let Some((at, (before, value))) = a.iter().zip(b).enumerate().find(|(_, (a, b))| a != b) {
                path.push(at.to_string());
                return first_change(before, value, path);
            }
        }
        _ => {}
    }
    Change::Replace(wanted.clone())
}

/// How the items of a list become those of another: which stay, where.
fn arranged(now: &[Value], wanted: &[Value]) -> Vec<Result<usize, Value>> {
    let mut is_used = vec![false; now.len()];
    let mut take = |item: &Value| {
        let same = |a: &Value| a == item || (a.get("id").is_some() && a.get("id") == item.get("id"));
        let found = now
            .iter()
            .enumerate()
            .find(|(at, a)| !is_used.get(*at).copied().unwrap_or(true) && same(a))?
            .0;
        *is_used.get_mut(found)? = true;
        Some(found)
    };
    wanted
        .iter()
        .map(|item| take(item).ok_or_else(|| item.clone()))
        .collect()
}

fn cut(text: &str, root: &Node, path: &[String], change: &Change) -> Option<String> {
    let node = root.at(path)?;
    match change {
        Change::Replace(value) => replaced(text, node, value),
        Change::Insert(key, value) => inserted(text, node, key, value),
        Change::Remove(key) => removed(text, node, key),
        Change::Arrange(items) => rearranged(text, node, items),
    }
}

fn spliced(text: &str, range: Range<usize>, new: &str) -> Option<String> {
    Some(format!(
        "{}{new}{}",
        text.get(..range.start)?,
        text.get(range.end..)?
    ))
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |at| at.saturating_add(1))
}

/// The end of the line, before its break.
fn line_end(text: &str, at: usize) -> usize {
    text.get(at..)
        .and_then(|rest| rest.find('\n'))
        .map_or(text.len(), |more| at.saturating_add(more))
}

fn column(text: &str, at: usize) -> usize {
    text.get(line_start(text, at)..at)
        .map_or(0, |before| before.chars().count())
}

/// The indentation of the line.
fn indent_of(text: &str, at: usize) -> usize {
    let line = text.get(line_start(text, at)..).unwrap_or_default();
    line.chars().take_while(|letter| *letter == ' ').count()
}

fn replaced(text: &str, node: &Node, value: &Value) -> Option<String> {
    let is_inside_flow = || {
        text.get(node.end..line_end(text, node.end))
            .is_some_and(|rest| rest.trim_start().starts_with([',', '}', ']']))
    };
    let is_block = value.as_str().is_some_and(|text| text.contains('\n')) && !is_inside_flow();
    let is_collection = matches!(
        &node.kind,
        Kind::Map { is_flow: false, .. } | Kind::List { is_flow: false, .. }
    );
    let new = if is_collection && (value.is_object() || value.is_array()) {
        // In its own columns; the first line already has its indentation.
        block(value, column(text, node.start))
            .trim_start_matches(' ')
            .to_owned()
    } else if is_block {
        // A key that follows a dash stands further right than its line begins.
        let before = text.get(line_start(text, node.start)..node.start)?;
        let key_at = before.trim_start_matches([' ', '-']).len();
        let indent = before.chars().count().saturating_sub(key_at);
        after_key(value, indent).trim_start_matches(' ').to_owned()
    } else {
        inline(value)
    };
    // Behind `key:` without a value there is no space yet.
    let needs_space =
        node.start == node.end && text.get(..node.start).is_some_and(|before| before.ends_with(':'));
    let new = if needs_space { format!(" {new}") } else { new };
    spliced(text, node.start..node.end, &new)
}

fn inserted(text: &str, node: &Node, key: &str, value: &Value) -> Option<String> {
    let name = super::render::scalar(key);
    match &node.kind {
        Kind::Map {
            is_flow: true,
            entries,
        } => match entries.last() {
            Some(last) => spliced(
                text,
                last.value.end..last.value.end,
                &format!(", {name}: {}", inline(value)),
            ),
            None => spliced(
                text,
                node.start..node.end,
                &format!("{{ {name}: {} }}", inline(value)),
            ),
        },
        Kind::Map {
            is_flow: false,
            entries,
        } => {
            let (first, last) = (entries.first()?, entries.last()?);
            let indent = column(text, first.key_start);
            let at = line_end(text, last.value.end);
            let line = format!("\n{}{name}:{}", " ".repeat(indent), after_key(value, indent));
            spliced(text, at..at, &line)
        }
        _ => None,
    }
}

fn removed(text: &str, node: &Node, key: &str) -> Option<String> {
    let Kind::Map { is_flow, entries } = &node.kind else {
        return None;
    };
    let place = entries.iter().position(|entry| entry.key == key)?;
    let (entry, next) = (entries.get(place)?, entries.get(place.saturating_add(1)));
    if entries.len() == 1 {
        return spliced(text, node.start..node.end, "{}");
    }
    let before = place.checked_sub(1).and_then(|before| entries.get(before));
    if *is_flow {
        let range = match (next, before) {
            (Some(next), _) => entry.key_start..next.key_start,
            (None, Some(before)) => before.value.end..entry.value.end,
            (None, None) => return None,
        };
        return spliced(text, range, "");
    }
    let is_first_in_line = text
        .get(line_start(text, entry.key_start)..entry.key_start)?
        .trim()
        .is_empty();
    match next {
        // It stands behind a dash: what follows takes its place.
        Some(next) if !is_first_in_line => spliced(text, entry.key_start..next.key_start, ""),
        _ => {
            let end = line_end(text, entry.value.end).saturating_add(1).min(text.len());
            spliced(text, line_start(text, entry.key_start)..end, "")
        }
    }
}

/// Puts the items of a list in a block into another order, with new ones among them. An item takes along the comments right
/// above it.
fn rearranged(text: &str, node: &Node, wanted: &[Result<usize, Value>]) -> Option<String> {
    let Kind::List {
        is_flow: false,
        items,
    } = &node.kind
    else {
        return None;
    };
    if wanted.is_empty() {
        return spliced(text, node.start..node.end, "[]");
    }
    let dash = items.first().map(|first| indent_of(text, first.start))?;
    let mut starts = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let floor = match place.checked_sub(1) {
            Some(before) => line_end(text, items.get(before)?.end),
            None => 0,
        };
        starts.push(with_comments_above(
            text,
            line_start(text, item.start),
            floor,
            dash,
        ));
    }
    let end = line_end(text, items.last()?.end);
    let part = |place: usize| -> Option<String> {
        let stop = starts.get(place.saturating_add(1)).copied().unwrap_or(end);
        Some(
            text.get(*starts.get(place)?..stop)?
                .trim_end_matches('\n')
                .to_owned(),
        )
    };
    let mut lines = Vec::new();
    for item in wanted {
        lines.push(match item {
            Ok(place) => part(*place)?,
            Err(new) => list_item(new, dash),
        });
    }
    spliced(text, *starts.first()?..end, &lines.join("\n"))
}

/// Where the comment lines right above a line begin, down to a floor.
fn with_comments_above(text: &str, line: usize, floor: usize, indent: usize) -> usize {
    let mut start = line;
    while start > floor.saturating_add(1) {
        let above = line_start(text, start.saturating_sub(1));
        let words = text.get(above..start).unwrap_or_default();
        let is_comment = words.trim_start().starts_with('#') && indent_of(text, above) == indent;
        if above <= floor || !is_comment {
            break;
        }
        start = above;
    }
    start
}

/// The comments of a text, in order.
fn comments(text: &str) -> Vec<String> {
    let mut texts = Vec::new();
    if let Some(root) = tree(text) {
        root.texts(&mut texts);
    }
    let mut found = Vec::new();
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        let at = line.match_indices('#').map(|(at, _)| at).find(|at| {
            let place = begin + at;
            let is_apart = line
                .get(..*at)
                .is_none_or(|before| before.is_empty() || before.ends_with([' ', '\t']));
            is_apart && !texts.iter().any(|(start, end)| (*start..*end).contains(&place))
        });
        if let Some(comment) = at.and_then(|at| line.get(at..)) {
            found.push(comment.trim_end().to_owned());
        }
        begin += line.len();
    }
    found
}

fn missing(before: &[String], after: &[String]) -> Vec<String> {
    let mut left = after.to_vec();
    let mut gone = Vec::new();
    for comment in before {
        match left.iter().position(|one| one == comment) {
            Some(at) => {
                left.swap_remove(at);
            }
            None => gone.push(comment.clone()),
        }
    }
    gone
}

#[cfg(test)]
mod tests;
