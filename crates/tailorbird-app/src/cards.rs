//! A task's text as cards: what each step is, the form of one, and what a change of a form makes of the text.

mod change;
mod form;

use serde_json::Value;
use tailorbird_model::task::Step;
use tailorbird_model::yaml::{Problem, read};

pub use change::{Changed, MAX_PAIRS, add_card, change_card, move_card, remove_card};
pub use form::{CardField, CardForm};

/// Cards of a task; a text with more is edited as text.
pub const MAX_CARDS: usize = 200;

/// One step, as its card tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardLine {
    /// Its JSON Pointer in the text.
    pub pointer: String,
    /// Its ids, from the outermost loop on: `each/lines`.
    pub path: String,
    /// Its id.
    pub id: String,
    /// Its kind; `step` where it has none.
    pub kind: &'static str,
    /// How deep it is nested.
    pub depth: usize,
    /// What it does, in a line.
    pub line: String,
    /// Its place among its neighbours, from 0, and how many they are.
    pub place: (usize, usize),
}

/// What a text says, where it holds one document that can be read.
///
/// # Errors
/// The problems of the text.
pub fn document(text: &str) -> Result<Value, Vec<Problem>> {
    let (mut documents, problems) = read(text);
    match documents.pop() {
        Some(only) if documents.is_empty() && problems.is_empty() && only.value.is_object() => Ok(only.value),
        _ => Err(problems),
    }
}

/// The kind of a step, in the file's word.
pub(crate) fn kind_of(step: &Value) -> Option<&'static str> {
    Step::KINDS.iter().copied().find(|kind| step.get(kind).is_some())
}

/// The cards of a task, in their order, those of a loop behind it.
pub fn card_lines(document: &Value) -> Vec<CardLine> {
    let mut lines = Vec::new();
    collect(document.get("steps"), "/steps", "", 0, &mut lines);
    lines
}

fn collect(steps: Option<&Value>, pointer: &str, around: &str, depth: usize, lines: &mut Vec<CardLine>) {
    let Some(steps) = steps.and_then(Value::as_array) else {
        return;
    };
    for (at, step) in steps.iter().enumerate() {
        if lines.len() >= MAX_CARDS {
            return;
        }
        let kind = kind_of(step).unwrap_or("step");
        let id = text_of(step.get("id"));
        let pointer = format!("{pointer}/{at}");
        let path = if around.is_empty() {
            id.clone()
        } else {
            format!("{around}/{id}")
        };
        lines.push(CardLine {
            line: summary(kind, step.get(kind).unwrap_or(&Value::Null)),
            pointer: pointer.clone(),
            path: path.clone(),
            id,
            kind,
            depth,
            place: (at, steps.len()),
        });
        if kind == "for_each" {
            let inner = step.pointer("/for_each/steps");
            collect(
                inner,
                &format!("{pointer}/for_each/steps"),
                &path,
                depth.saturating_add(1),
                lines,
            );
        }
    }
}

fn text_of(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

/// What a step does, by the fields that say most.
fn summary(kind: &str, inner: &Value) -> String {
    let of = |name: &str| text_of(inner.get(name));
    let with = |before: &str, name: &str| match of(name) {
        text if text.is_empty() => String::new(),
        text => format!("{before}{text}"),
    };
    let line = match kind {
        "query" => with("rows from ", "database"),
        "call" => format!(
            "{}{}{}",
            of("operation"),
            with(" over ", "connection"),
            with(", for each of ", "for_each")
        ),
        "write" => format!(
            "{}{}{}",
            of("from"),
            with(" into ", "table"),
            with(" of ", "database")
        ),
        "transform" => with("new columns for ", "from"),
        "filter" => format!(
            "some of {}{}{}",
            of("from"),
            with(" when ", "when"),
            with(", only what is ", "only")
        ),
        "decide" => {
            let names = inner
                .get("branches")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            let names: Vec<String> = names.map(|branch| text_of(branch.get("name"))).collect();
            format!("{}: {}", of("from"), names.join(", "))
        }
        "set" => {
            let names = inner.get("variables").and_then(Value::as_object);
            let names: Vec<&str> = names
                .into_iter()
                .flatten()
                .map(|(name, _)| name.as_str())
                .collect();
            names.join(", ")
        }
        "for_each" => format!("{}{}", with("for each of ", "from"), with(", as ", "as")),
        "approve" => format!("{} wait until released", of("from")),
        "call_task" => format!(
            "{}{}",
            with("the task ", "task"),
            with(", for each of ", "for_each")
        ),
        "wait" => format!("{}{}", with("for ", "for"), with("until ", "until")),
        _ => "of no kind yet".to_owned(),
    };
    let short: String = line.chars().take(MAX_LINE).collect();
    if short.len() < line.len() {
        format!("{short}…")
    } else {
        line
    }
}

/// Characters of a card's line.
const MAX_LINE: usize = 110;

#[cfg(test)]
mod tests;
