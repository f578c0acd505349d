//! One step of a rehearsal under a glass: the records that come to it, what each expression makes of them, and what goes on.

use serde::Serialize;
use tailorbird_model::expression::{Expressions, Scope, Template};
use tailorbird_model::{Failure, Name, Record, Value};

use super::walk::Walk;
use crate::durable::RunEnd;
use crate::plan::StepPlan;
use crate::tail::Emitted;

/// Records that are kept of those that come to a step, and of those that it makes.
pub const MAX_WATCHED: usize = 5;

/// What was seen of one step.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Watched {
    /// Records that came to it; one without columns where it takes none.
    pub taken: Vec<WatchedRecord>,
    /// Records that it handed on.
    pub made: Vec<Record>,
}

/// A record, and what the step's expressions make of it.
#[derive(Debug, Clone, Serialize)]
pub struct WatchedRecord {
    /// Its columns, with `result` and `delivered_at` where it has them.
    pub record: Record,
    /// Each expression of the step.
    pub values: Vec<WatchedValue>,
}

/// An expression with what it yields.
#[derive(Debug, Clone, Serialize)]
pub struct WatchedValue {
    /// Where it stands below the kind's key, with `/` between keys: `with/text`.
    pub field: String,
    /// What it yields.
    pub value: Option<Value>,
    /// Why it yields nothing.
    pub failure: Option<Failure>,
}

/// A step that is looked at.
#[derive(Debug)]
pub(super) struct Watch {
    step: Name,
    seen: Watched,
}

impl Watch {
    pub(super) fn of(step: &Name) -> Self {
        Self {
            step: step.clone(),
            seen: Watched::default(),
        }
    }

    pub(super) fn end(self) -> Watched {
        self.seen
    }
}

impl Walk<'_> {
    /// Notes records that come to a step, where it is the one that is looked at.
    pub(super) fn note_taken(&mut self, taker: &StepPlan, found: &[Emitted]) -> Result<(), RunEnd> {
        let left = match &self.watch {
            Some(watch) if watch.step == *taker.id() => MAX_WATCHED.saturating_sub(watch.seen.taken.len()),
            _ => return Ok(()),
        };
        let mut noted = Vec::new();
        for record in found.iter().take(left) {
            let scope = match taker {
                StepPlan::Call(call) => {
                    let route = self.driver.route(call)?;
                    self.driver.call_scope(&route, record)
                }
                _ => self.driver.see_of(record),
            };
            noted.push(WatchedRecord {
                record: record.stored(),
                values: values(taker, &scope),
            });
        }
        if let Some(watch) = &mut self.watch {
            watch.seen.taken.extend(noted);
        }
        Ok(())
    }

    /// Notes records that a step hands on.
    pub(super) fn note_made(&mut self, source: &Name, found: &[Emitted]) {
        let Some(watch) = self.watch.as_mut() else {
            return;
        };
        // A decision hands on under the names of its branches.
        let is_it = watch.step == *source
            || source
                .as_str()
                .strip_prefix(watch.step.as_str())
                .is_some_and(|rest| rest.starts_with('.'));
        if is_it {
            let left = MAX_WATCHED.saturating_sub(watch.seen.made.len());
            let made = found.iter().take(left).map(Emitted::stored);
            watch.seen.made.extend(made);
        }
    }
}

/// What each expression of a step yields.
fn values(step: &StepPlan, scope: &Scope) -> Vec<WatchedValue> {
    let mut all = Vec::new();
    let mut add = |expressions: &Expressions, field: String, template: &Template| {
        let (value, failure) = match expressions.evaluate(template, scope) {
            Ok(value) => (Some(value), None),
            Err(failure) => (None, Some(failure)),
        };
        all.push(WatchedValue {
            field,
            value,
            failure,
        });
    };
    match step {
        StepPlan::Query(query) => {
            for (name, template) in &query.parameters {
                add(&query.expressions, format!("parameters/{name}"), template);
            }
        }
        StepPlan::Call(call) => {
            for (name, template) in [("key", &call.key), ("when", &call.when)] {
                if let Some(template) = template {
                    add(&call.expressions, name.to_owned(), template);
                }
            }
            for (name, template) in &call.parameters {
                add(&call.expressions, format!("with/{name}"), template);
            }
        }
        StepPlan::Write(write) => {
            for (name, template) in &write.columns {
                add(&write.expressions, format!("columns/{name}"), template);
            }
        }
        StepPlan::Transform(transform) => {
            for (name, template) in &transform.columns {
                add(&transform.expressions, format!("columns/{name}"), template);
            }
        }
        StepPlan::Filter(filter) => {
            for (name, template) in [("when", &filter.when), ("key", &filter.key)] {
                if let Some(template) = template {
                    add(&filter.expressions, name.to_owned(), template);
                }
            }
        }
        StepPlan::Decide(decide) => {
            for (branch, template) in &decide.branches {
                let name = branch
                    .as_str()
                    .rsplit_once('.')
                    .map_or(branch.as_str(), |(_, name)| name);
                if let Some(template) = template {
                    add(&decide.expressions, format!("branches/{name}"), template);
                }
            }
        }
        StepPlan::Set(set) => {
            for (name, template) in &set.variables {
                add(&set.expressions, format!("variables/{name}"), template);
            }
        }
        StepPlan::Approve(approve) => {
            add(&approve.expressions, "key".to_owned(), &approve.key);
            if let Some(show) = &approve.show {
                add(&approve.expressions, "show".to_owned(), show);
            }
        }
        StepPlan::CallTask(call) => {
            if let Some(key) = &call.key {
                add(&call.expressions, "key".to_owned(), key);
            }
            for (name, template) in &call.variables {
                add(&call.expressions, format!("with/{name}"), template);
            }
        }
        StepPlan::Wait(wait) => {
            if let Some(until) = &wait.until {
                add(&wait.expressions, "until".to_owned(), until);
            }
        }
        StepPlan::Trigger(_) | StepPlan::ForEach(_) => {}
    }
    all
}
