//! Tells from one answer what became of each item of a batch.
//!
//! Nothing is guessed: an item that the answer says nothing of is [`ItemOutcome::Unknown`], and a refusal that names
//! no item is [`BatchOutcome::Whole`].

use std::collections::HashMap;

use serde_json::Value as Json;
use tailorbird_model::service::{Batch, FoundBy, Outcomes, ResultShape, Taken};
use tailorbird_model::{Failure, Meaning, Record, codes};

use crate::answer::Answer;
use crate::extract::{record, record_of};
use crate::judge::{is_repeatable, judge, odd, refused_item};
use crate::pack::items;
use crate::request::Request;
use crate::resolve::Resolved;

/// What became of one item.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemOutcome {
    /// The provider took it. The result is absent where the answer does not hold one.
    Accepted(Option<Record>),
    /// The provider refused it, or puts it off.
    Failed(Failure),
    /// Another item was to blame for a refusal, and nothing was taken: it can be sent again.
    NotTaken(Failure),
    /// The answer says nothing of it.
    Unknown(Failure),
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum BatchOutcome {
    /// Each item has an outcome of its own, in the order in which they were sent.
    Each(Vec<ItemOutcome>),
    /// The request failed as a whole, and the answer names no item.
    Whole(Failure),
}

/// Reads the answer to a request that holds so many items.
pub fn batch_outcome(resolved: &Resolved, request: &Request, answer: &Answer, count: usize) -> BatchOutcome {
    let judged = judge(resolved, request, answer);
    let operation = request
        .operation
        .as_deref()
        .and_then(|name| resolved.operation(name).ok());
    let Some((operation, batch)) =
        operation.and_then(|operation| Some((operation, operation.batch.as_ref()?)))
    else {
        return match judged {
            Ok(()) => all(count, record(resolved, request, answer).ok().as_ref()),
            Err(failure) => BatchOutcome::Whole(failure),
        };
    };
    let shape = operation.result.clone().unwrap_or_default();
    let Some(outcomes) = &batch.outcomes else {
        return match judged {
            Ok(()) => taken_together(resolved, request, answer, &shape, count),
            Err(failure) => BatchOutcome::Whole(failure),
        };
    };
    if let Err(failure) = &judged
        && !matches!(failure.meaning, Meaning::Rejected | Meaning::Duplicate)
    {
        return BatchOutcome::Whole(failure.clone());
    }
    let Some(json) = &answer.json else {
        return match judged {
            Err(failure) => BatchOutcome::Whole(failure),
            Ok(()) => each(count, |_| {
                ItemOutcome::Unknown(unknown(resolved, request, answer, "its answer cannot be read"))
            }),
        };
    };
    let sent = items(operation, request).unwrap_or_default();
    let found = Found::read(outcomes, &shape, json, &sent);
    let read = Reading {
        resolved,
        request,
        answer,
        batch,
        outcomes,
        shape: &shape,
        found,
        refusal: judged.err(),
    };
    read.all(count)
}

fn each(count: usize, of: impl FnMut(usize) -> ItemOutcome) -> BatchOutcome {
    BatchOutcome::Each((0..count).map(of).collect())
}

fn all(count: usize, result: Option<&Record>) -> BatchOutcome {
    each(count, |_| ItemOutcome::Accepted(result.cloned()))
}

/// An accepted request that took all: results by position where there are as many, else what it says of all.
fn taken_together(
    resolved: &Resolved,
    request: &Request,
    answer: &Answer,
    shape: &ResultShape,
    count: usize,
) -> BatchOutcome {
    let Some(pointer) = &shape.records else {
        return all(count, record(resolved, request, answer).ok().as_ref());
    };
    let list = answer
        .json
        .as_ref()
        .and_then(|json| json.pointer(pointer)?.as_array());
    let list = list.filter(|list| list.len() == count);
    each(count, |index| {
        let entry = list.and_then(|list| list.get(index));
        ItemOutcome::Accepted(entry.map(|entry| record_of(entry, shape)))
    })
}

/// The entries of an answer, joined to the items.
struct Found<'a> {
    /// Whether there is a list of outcomes at all.
    has_list: bool,
    /// Whether there is a list of refused ones.
    has_errors: bool,
    entries: Vec<Option<&'a Json>>,
    errors: Vec<Option<&'a Json>>,
}

impl<'a> Found<'a> {
    fn read(outcomes: &Outcomes, shape: &ResultShape, json: &'a Json, sent: &[Json]) -> Self {
        let list = |pointer: Option<&String>| pointer.and_then(|at| json.pointer(at)?.as_array());
        let entries = list(outcomes.at.as_ref().or(shape.records.as_ref()));
        let errors = outcomes.errors.as_ref().map(|errors| &errors.at);
        let errors_list = list(errors);
        let errors_by = outcomes.errors.as_ref().map(|errors| &errors.by);
        Self {
            has_list: entries.is_some(),
            has_errors: errors_list.is_some(),
            entries: joined(entries, outcomes.by.as_ref(), sent),
            errors: joined(errors_list, errors_by, sent),
        }
    }
}

/// For each item the entry that belongs to it.
fn joined<'a>(list: Option<&'a Vec<Json>>, by: Option<&FoundBy>, sent: &[Json]) -> Vec<Option<&'a Json>> {
    let nothing = || vec![None; sent.len()];
    let Some(list) = list else {
        return nothing();
    };
    match by {
        // Fewer or more entries than items: nobody knows which is whose.
        None if list.len() == sent.len() => list.iter().map(Some).collect(),
        None => nothing(),
        Some(FoundBy::Index(number)) => {
            let mut found = nothing();
            for entry in list {
                let index = entry.pointer(&number.index).and_then(text_of);
                let index = index.and_then(|index| index.parse::<usize>().ok());
                if let Some(place) = index.and_then(|index| found.get_mut(index)) {
                    place.get_or_insert(entry);
                }
            }
            found
        }
        Some(FoundBy::Value(same)) => {
            let mut entries: HashMap<String, Vec<&Json>> = HashMap::new();
            for entry in list {
                if let Some(value) = entry.pointer(&same.entry).and_then(text_of) {
                    entries.entry(value).or_default().push(entry);
                }
            }
            let mut met: HashMap<String, usize> = HashMap::new();
            let of = |item: &Json| {
                let value = item.pointer(&same.item).and_then(text_of)?;
                let entries = entries.get(&value)?;
                let turn = met.entry(value).or_default();
                // The same value twice takes the entries in turn; where there are fewer, the last speaks for the rest.
                let entry = entries.get(*turn).or_else(|| entries.last()).copied();
                *turn += 1;
                entry
            };
            sent.iter().map(of).collect()
        }
    }
}

/// A number and the text of its digits are the same value.
fn text_of(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(json.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

struct Reading<'a> {
    resolved: &'a Resolved,
    request: &'a Request,
    answer: &'a Answer,
    batch: &'a Batch,
    outcomes: &'a Outcomes,
    shape: &'a ResultShape,
    found: Found<'a>,
    /// Why the request was refused, where it was.
    refusal: Option<Failure>,
}

impl Reading<'_> {
    fn all(self, count: usize) -> BatchOutcome {
        let of = |index: usize| {
            let entry = self.found.entries.get(index).copied().flatten();
            let error = self.found.errors.get(index).copied().flatten();
            (entry, error)
        };
        if let Some(refusal) = &self.refusal {
            let is_blamed = |index: usize| {
                let (entry, error) = of(index);
                error.is_some() || entry.is_some_and(|entry| self.is_refused(entry))
            };
            if !(0..count).any(is_blamed) {
                return BatchOutcome::Whole(refusal.clone());
            }
        } else if !self.found.has_list && !self.found.has_errors && self.outcomes.errors.is_none() {
            let why = "there is no list of outcomes in it";
            return each(count, |_| ItemOutcome::Unknown(self.unknown(why)));
        }
        each(count, |index| {
            let (entry, error) = of(index);
            match (entry, error) {
                (Some(entry), _) if self.is_refused(entry) => self.failed(entry),
                (_, Some(error)) => self.failed(error),
                (entry, None) => match (&self.refusal, self.batch.taken) {
                    (Some(refusal), Taken::Together) => ItemOutcome::NotTaken(refusal.clone()),
                    // Beside a refusal only a word that says so tells that an item went through.
                    (refusal, _)
                        if entry.is_some_and(|entry| refusal.is_none() || self.is_confirmed(entry)) =>
                    {
                        ItemOutcome::Accepted(entry.map(|entry| record_of(entry, self.shape)))
                    }
                    // Only refused ones are listed, so the others went through.
                    (None, _) if self.outcomes.at.is_none() && self.shape.records.is_none() => {
                        ItemOutcome::Accepted(record(self.resolved, self.request, self.answer).ok())
                    }
                    _ => ItemOutcome::Unknown(self.unknown("the answer says nothing of this item")),
                },
            }
        })
    }

    fn is_refused(&self, entry: &Json) -> bool {
        let at = |pointer: &Option<String>| pointer.as_ref().map(|pointer| entry.pointer(pointer));
        let has_failed = at(&self.outcomes.refused)
            .flatten()
            .is_some_and(|there| match there {
                Json::Null | Json::Bool(false) => false,
                Json::String(text) => !text.is_empty(),
                Json::Array(items) => !items.is_empty(),
                Json::Object(members) => !members.is_empty(),
                Json::Bool(true) | Json::Number(_) => true,
            });
        let has_passed = at(&self.outcomes.accepted).is_none_or(|there| there == Some(&Json::Bool(true)));
        let bad_status = self
            .status(entry)
            .is_some_and(|status| !(200..300).contains(&status));
        has_failed || !has_passed || bad_status
    }

    fn is_confirmed(&self, entry: &Json) -> bool {
        !self.is_refused(entry) && (self.outcomes.accepted.is_some() || self.status(entry).is_some())
    }

    fn status(&self, entry: &Json) -> Option<u16> {
        let text = entry
            .pointer(self.outcomes.status.as_deref()?)
            .and_then(text_of)?;
        text.parse().ok()
    }

    fn failed(&self, entry: &Json) -> ItemOutcome {
        let words = self
            .outcomes
            .refused
            .as_ref()
            .and_then(|pointer| entry.pointer(pointer))
            .filter(|words| words.is_object() || words.is_string() || words.is_array())
            .unwrap_or(entry);
        let status = self.status(entry);
        ItemOutcome::Failed(refused_item(
            self.resolved,
            self.request,
            self.answer,
            status,
            words,
        ))
    }

    fn unknown(&self, why: &str) -> Failure {
        unknown(self.resolved, self.request, self.answer, why)
    }
}

/// Nobody knows whether an item of an accepted request was taken: doubt, where a repeat could do harm.
fn unknown(resolved: &Resolved, request: &Request, answer: &Answer, why: &str) -> Failure {
    let mut failure = odd(request, answer, why);
    codes::IN_DOUBT.clone_into(&mut failure.code);
    failure.meaning = if is_repeatable(resolved, request) {
        Meaning::RetryLater
    } else {
        Meaning::InDoubt
    };
    failure.hint("Compare `batch` of the operation in the service file with the provider's documentation.")
}
