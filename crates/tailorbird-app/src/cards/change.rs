//! What a change of a card makes of the text.

use serde_json::{Map, Value, json};
use tailorbird_model::task::Step;
use tailorbird_model::task::fields::{StepField, Takes, fields};
use tailorbird_model::task::typed::{meant, shown};
use tailorbird_model::yaml::Problem;
use tailorbird_model::yaml::edit::{Edited, rewrite};

use super::form::HEAD;
use super::{document, kind_of};

/// Pairs that a form has for one field.
pub const MAX_PAIRS: usize = 100;

/// A text that was changed, and where the card stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The text, with the comments that are gone.
    pub edited: Edited,
    /// The card, by its JSON Pointer; the head's is empty.
    pub card: String,
}

fn written(text: &str, wanted: &Value, card: String) -> Result<Changed, Vec<Problem>> {
    Ok(Changed {
        edited: rewrite(text, wanted)?,
        card,
    })
}

/// Takes what was typed into a card over into the text. `typed` has the form's fields by their names: `f:PATH`, and for
/// pairs `k:PATH:N` and `p:PATH:N`. Fields that are not there stay as they are.
///
/// # Errors
/// The problems of a text that cannot be read.
pub fn change_card(text: &str, card: &str, typed: &[(String, String)]) -> Result<Changed, Vec<Problem>> {
    let mut wanted = document(text)?;
    let is_head = card.is_empty();
    let Some(step) = wanted.pointer_mut(card) else {
        return written(text, &wanted, card.to_owned());
    };
    let renamed = if is_head {
        fold(step, HEAD, typed);
        None
    } else {
        let before = step.get("id").cloned();
        if let (Some(id), Some(members)) = (value_of(typed, "f:id"), step.as_object_mut()) {
            members.insert("id".to_owned(), Value::String(id.trim().to_owned()));
        }
        if let Some(kind) = kind_of(step)
            && let Some(inner) = step.get_mut(kind)
        {
            if !inner.is_object() {
                *inner = json!({});
            }
            fold(inner, fields(kind), typed);
        }
        let after = step.get("id").cloned();
        (before != after).then_some((before, after))
    };
    if let Some((Some(Value::String(before)), Some(Value::String(after)))) = renamed
        && let Some((list, _)) = card.rsplit_once('/')
        && let Some(steps) = wanted.pointer_mut(list)
    {
        follow(steps, &before, &after);
    }
    written(text, &wanted, card.to_owned())
}

/// Lets the steps beside a renamed one take its records under the new name.
fn follow(steps: &mut Value, before: &str, after: &str) {
    for step in steps.as_array_mut().into_iter().flatten() {
        let Some(kind) = kind_of(step) else { continue };
        for name in ["from", "for_each"] {
            let Some(Value::String(source)) = step.get_mut(kind).and_then(|inner| inner.get_mut(name)) else {
                continue;
            };
            match source.strip_prefix(before) {
                Some("") => after.clone_into(source),
                Some(branch) if branch.starts_with('.') => *source = format!("{after}{branch}"),
                _ => {}
            }
        }
    }
}

/// What a form says of a field.
enum Typed {
    /// Nothing: it stays as it is.
    Nothing,
    /// That it holds nothing.
    Empty,
    /// Its value.
    Is(Value),
}

impl Typed {
    fn of(is_there: bool, value: Option<Value>) -> Self {
        match (is_there, value) {
            (false, _) => Self::Nothing,
            (true, None) => Self::Empty,
            (true, Some(value)) => Self::Is(value),
        }
    }
}

fn value_of<'t>(typed: &'t [(String, String)], name: &str) -> Option<&'t str> {
    typed
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

fn fold(inner: &mut Value, table: &[StepField], typed: &[(String, String)]) {
    for field in table {
        let before = inner.pointer(&format!("/{}", field.path)).cloned();
        let value = match field.takes {
            Takes::Pairs => pairs(typed, field.path, before.as_ref()),
            Takes::Branches => branches(typed, field.path),
            _ => match value_of(typed, &format!("f:{}", field.path)) {
                Some(text) => Typed::of(true, single(field.takes, text, before.as_ref())),
                None => Typed::Nothing,
            },
        };
        match value {
            Typed::Nothing => {}
            Typed::Empty => put(inner, field.path, None),
            Typed::Is(value) => put(inner, field.path, Some(value)),
        }
    }
}

/// The value of a field of one text; nothing where it is empty.
fn single(takes: Takes, text: &str, before: Option<&Value>) -> Option<Value> {
    let is_empty = text.trim().is_empty();
    match takes {
        _ if is_empty => None,
        Takes::Names => {
            let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
            Some(Value::Array(
                names.map(|name| Value::String(name.to_owned())).collect(),
            ))
        }
        Takes::Switch(usual) => {
            let is_on = text == "true";
            (is_on != usual || before.is_some()).then_some(Value::Bool(is_on))
        }
        Takes::Plain => Some(meant(text)),
        Takes::Sql | Takes::Message => {
            // A block of lines ends with a line break, which a field does not show.
            let ended = before
                .and_then(Value::as_str)
                .is_some_and(|before| before.ends_with('\n'));
            let text = text.trim_end_matches('\n');
            Some(Value::String(
                if ended || (takes == Takes::Sql && text.contains('\n')) {
                    format!("{text}\n")
                } else {
                    text.to_owned()
                },
            ))
        }
        _ => Some(Value::String(text.trim().to_owned())),
    }
}

/// The pairs of a field; nothing where the form has none of it.
fn pairs(typed: &[(String, String)], path: &str, before: Option<&Value>) -> Typed {
    let mut members = Map::new();
    let mut is_there = false;
    for place in 0..MAX_PAIRS {
        let Some(name) = value_of(typed, &format!("k:{path}:{place}")) else {
            continue;
        };
        is_there = true;
        let text = value_of(typed, &format!("p:{path}:{place}")).unwrap_or_default();
        if name.trim().is_empty() {
            continue;
        }
        let known = before.and_then(|before| before.get(name.trim()));
        let value = known
            .filter(|known| shown(known) == text)
            .cloned()
            .unwrap_or_else(|| meant(text));
        members.insert(name.trim().to_owned(), value);
    }
    Typed::of(is_there, (!members.is_empty()).then_some(Value::Object(members)))
}

fn branches(typed: &[(String, String)], path: &str) -> Typed {
    let mut branches = Vec::new();
    let mut is_there = false;
    for place in 0..MAX_PAIRS {
        let Some(name) = value_of(typed, &format!("k:{path}:{place}")) else {
            continue;
        };
        is_there = true;
        let when = value_of(typed, &format!("p:{path}:{place}"))
            .unwrap_or_default()
            .trim();
        match (name.trim(), when) {
            ("", "") => {}
            (name, "") => branches.push(json!({"name": name})),
            (name, when) => branches.push(json!({"name": name, "when": when})),
        }
    }
    Typed::of(is_there, (!branches.is_empty()).then_some(Value::Array(branches)))
}

/// Sets a member below a value, or takes it away; what then holds nothing goes, too.
fn put(inner: &mut Value, path: &str, value: Option<Value>) {
    let Some(members) = inner.as_object_mut() else {
        return;
    };
    match (path.split_once('/'), value) {
        (None, Some(value)) => {
            members.insert(path.to_owned(), value);
        }
        (None, None) => {
            members.remove(path);
        }
        (Some((first, rest)), value) => {
            let is_there = members.contains_key(first);
            if value.is_none() && !is_there {
                return;
            }
            let deeper = members.entry(first).or_insert_with(|| json!({}));
            put(deeper, rest, value);
            // An empty trigger says: by hand.
            if deeper.as_object().is_some_and(Map::is_empty) && first != "trigger" {
                members.remove(first);
            }
        }
    }
}

/// Adds a step behind a card, or as the first one behind the head. What it may take is filled in: the step before it, and
/// what `usual` names for a kind of field.
///
/// # Errors
/// The problems of a text that cannot be read.
pub fn add_card(
    text: &str,
    card: &str,
    kind: &str,
    usual: impl Fn(Takes) -> Option<String>,
) -> Result<Changed, Vec<Problem>> {
    let mut wanted = document(text)?;
    let Some(kind) = Step::KINDS.iter().copied().find(|known| *known == kind) else {
        return written(text, &wanted, card.to_owned());
    };
    let is_loop = wanted
        .pointer(card)
        .is_some_and(|step| step.get("for_each").is_some());
    let (list, at) = match card.rsplit_once('/') {
        None => ("/steps".to_owned(), 0),
        // A new step of a loop that has none stands inside it.
        Some(_) if is_loop && wanted.pointer(&format!("{card}/for_each/steps/0")).is_none() => {
            (format!("{card}/for_each/steps"), 0)
        }
        Some((list, at)) => (
            list.to_owned(),
            at.parse::<usize>().map_or(0, |at| at.saturating_add(1)),
        ),
    };
    let ids: Vec<String> = super::card_lines(&wanted)
        .into_iter()
        .map(|line| line.id)
        .collect();
    let id = (1..=super::MAX_CARDS)
        .map(|number| {
            if number == 1 {
                kind.to_owned()
            } else {
                format!("{kind}-{number}")
            }
        })
        .find(|id| !ids.contains(id))
        .unwrap_or_else(|| kind.to_owned());
    let inner_list = list
        .rsplit_once("/for_each/steps")
        .and_then(|(around, _)| wanted.pointer(around))
        .cloned();
    let steps = wanted
        .pointer(&list)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let source = steps
        .get(..at.min(steps.len()))
        .and_then(|before| {
            before
                .iter()
                .rev()
                .find(|step| !matches!(kind_of(step), Some("write" | "set" | "wait") | None))
        })
        .and_then(|step| step.get("id").and_then(Value::as_str))
        .map(str::to_owned)
        .or_else(|| {
            let name = inner_list
                .as_ref()?
                .pointer("/for_each/as")
                .and_then(Value::as_str);
            Some(name.unwrap_or("parent").to_owned())
        });
    let mut inner = json!({});
    for field in fields(kind) {
        let value = match field.takes {
            Takes::Source => source.clone(),
            takes => usual(takes),
        };
        if let Some(value) = value {
            put(&mut inner, field.path, Some(Value::String(value)));
        }
    }
    if kind == "for_each" {
        put(&mut inner, "steps", Some(json!([])));
    }
    if kind == "wait" {
        put(&mut inner, "for", Some(json!("10m")));
    }
    if let Some(around) = list
        .strip_suffix("/steps")
        .and_then(|around| wanted.pointer_mut(around))
    {
        if !around.get("steps").is_some_and(Value::is_array) {
            put(around, "steps", Some(json!([])));
        }
        if let Some(steps) = around.get_mut("steps").and_then(Value::as_array_mut) {
            steps.insert(at.min(steps.len()), json!({"id": id, kind: inner}));
        }
    }
    written(text, &wanted, format!("{list}/{at}"))
}

/// Moves a step up or down among its neighbours; at an end it stays.
///
/// # Errors
/// The problems of a text that cannot be read.
pub fn move_card(text: &str, card: &str, is_down: bool) -> Result<Changed, Vec<Problem>> {
    let mut wanted = document(text)?;
    let mut place = card.to_owned();
    if let Some((list, at)) = card.rsplit_once('/')
        && let (Ok(at), Some(steps)) = (
            at.parse::<usize>(),
            wanted.pointer_mut(list).and_then(Value::as_array_mut),
        )
    {
        let to = if is_down {
            at.saturating_add(1)
        } else {
            at.saturating_sub(1)
        };
        if at < steps.len() && to < steps.len() {
            steps.swap(at, to);
            place = format!("{list}/{to}");
        }
    }
    written(text, &wanted, place)
}

/// Takes a step away; the card before it is then the chosen one.
///
/// # Errors
/// The problems of a text that cannot be read.
pub fn remove_card(text: &str, card: &str) -> Result<Changed, Vec<Problem>> {
    let mut wanted = document(text)?;
    let mut place = String::new();
    if let Some((list, at)) = card.rsplit_once('/')
        && let (Ok(at), Some(steps)) = (
            at.parse::<usize>(),
            wanted.pointer_mut(list).and_then(Value::as_array_mut),
        )
        && at < steps.len()
    {
        steps.remove(at);
        if !steps.is_empty() {
            place = format!("{list}/{}", at.saturating_sub(1));
        }
    }
    written(text, &wanted, place)
}
