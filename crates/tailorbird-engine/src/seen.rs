//! What a record saw beside its columns when it was stored: which run it was, what fired that run, and the task's
//! variables.
//!
//! Invariant: a record belongs to the run that read it. Whichever run takes it up later, its later steps see what
//! they would have seen in that one; else they could write another row. Only what the later steps read is kept, so a
//! task that reads none of it stores nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tailorbird_model::delivery::SEEN_COLUMN;
use tailorbird_model::expression::{Scope, Template};
use tailorbird_model::run::RunId;
use tailorbird_model::task::trigger::TRIGGER_SOURCE;
use tailorbird_model::{Record, Value};
use tailorbird_store::{Store, StoreError};

use crate::drive::Driver;
use crate::durable::RunEnd;
use crate::plan::StepPlan;
use crate::tail::Emitted;

/// The task's variables, as expressions name them.
const VARIABLES: &str = "variables";

/// The names beside a record's columns that belong to the run that read it.
const ROOTS: [&str; 3] = ["run", TRIGGER_SOURCE, VARIABLES];

/// What the steps from one on read beside the record's columns.
#[derive(Debug, Default)]
pub(crate) struct Keeps {
    members: BTreeMap<&'static str, BTreeSet<String>>,
    /// Names that are read as a whole.
    whole: BTreeSet<&'static str>,
    /// Variables that a step behind sets: they are seen as set there.
    set: BTreeSet<String>,
}

impl Keeps {
    /// What the step at a place, and all that take its records, read.
    pub(crate) fn of(steps: &[StepPlan], place: usize) -> Self {
        let mut keeps = Self::default();
        let Some((first, later)) = steps.get(place..).and_then(<[StepPlan]>::split_first) else {
            return keeps;
        };
        keeps.read(first);
        // A step takes records of one before it, so one pass finds all that follow.
        let mut names = first.yields();
        for step in later {
            if step.source().is_some_and(|source| names.contains(&source)) {
                names.extend(step.yields());
                keeps.read(step);
                if let StepPlan::Set(set) = step {
                    keeps.set.extend(set.variables.keys().cloned());
                }
            }
        }
        keeps
    }

    fn read(&mut self, step: &StepPlan) {
        for template in step.templates() {
            for root in ROOTS {
                for member in template.members_of(root) {
                    match member {
                        Some(member) => {
                            self.members.entry(root).or_default().insert(member);
                        }
                        None => {
                            self.whole.insert(root);
                        }
                    }
                }
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.members.is_empty() && self.whole.is_empty()
    }

    pub(crate) fn keeps(&self, root: &str, member: &str) -> bool {
        if root == VARIABLES && self.set.contains(member) {
            return false;
        }
        self.whole.contains(root)
            || self
                .members
                .get(root)
                .is_some_and(|members| members.contains(member))
    }
}

/// What a record saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// The run that stored it, where that one read it, too: what its steps set since counts as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<RunId>,
    values: BTreeMap<String, Record>,
}

impl Seen {
    /// What a stored record saw.
    pub(crate) fn of(stored: &Record) -> Option<Self> {
        match stored.get(SEEN_COLUMN) {
            Some(Value::Json(json)) => serde_json::from_value(json.clone()).ok(),
            _ => None,
        }
    }

    /// As a run sees it: none in the run that stored it, which knows better; else with all that the storing run's
    /// steps have set.
    pub(crate) fn by(mut self, run: Option<&RunId>, store: &Store) -> Result<Option<Self>, StoreError> {
        let Some(stored_by) = self.run.take() else {
            return Ok(Some(self));
        };
        if Some(&stored_by) == run {
            return Ok(None);
        }
        if let Some(variables) = self.values.get_mut(VARIABLES) {
            let set = store.run_variables(&stored_by)?;
            let values = variables
                .iter()
                .map(|(name, value)| (name.to_owned(), set.get(name).unwrap_or(value).clone()));
            *variables = Record::from_pairs(values.collect::<Vec<_>>());
        }
        Ok(Some(self))
    }

    /// A record of names beside the columns, as this record sees it.
    fn over(&self, root: &str, now: Record) -> Record {
        let Some(seen) = self.values.get(root) else {
            return now;
        };
        let others = now
            .iter()
            .filter(|(name, _)| seen.get(name).is_none())
            .chain(seen.iter());
        Record::from_pairs(others.map(|(name, value)| (name.to_owned(), value.clone())))
    }
}

/// What a run shows to all expressions, by name.
pub(crate) struct Beside<'a> {
    pub(crate) run: &'a RunId,
    pub(crate) trigger: &'a Record,
    pub(crate) variables: Option<&'a Record>,
}

impl Beside<'_> {
    /// One of its names, as a record that saw something else sees it.
    fn record(&self, root: &str, seen: Option<&Seen>) -> Option<Record> {
        let now = match root {
            VARIABLES => self.variables?.clone(),
            TRIGGER_SOURCE => self.trigger.clone(),
            _ => self.about_run(),
        };
        Some(match seen {
            None => now,
            Some(seen) => seen.over(root, now),
        })
    }

    fn about_run(&self) -> Record {
        Record::from_pairs([("id".to_owned(), Value::from(self.run.0.as_str()))])
    }

    /// Adds its names to what expressions see.
    pub(crate) fn added_to(&self, mut scope: Scope, seen: Option<&Seen>) -> Scope {
        // The way of every row that is read: nothing is copied.
        let Some(seen) = seen else {
            scope = scope
                .with_record("run", &self.about_run())
                .with_record(TRIGGER_SOURCE, self.trigger);
            return match self.variables {
                Some(variables) => scope.with_record(VARIABLES, variables),
                None => scope,
            };
        };
        for root in ROOTS {
            if let Some(record) = self.record(root, Some(seen)) {
                scope = scope.with_record(root, &record);
            }
        }
        scope
    }
}

impl Driver {
    fn beside(&self) -> Beside<'_> {
        Beside {
            run: &self.run,
            trigger: &self.trigger,
            variables: self.variables.record(),
        }
    }

    /// What expressions see that stand beside no record: which run it is, what fired it, and the task's variables.
    pub(crate) fn see(&self, scope: Scope) -> Scope {
        self.beside().added_to(scope, None)
    }

    /// What expressions see of a record.
    pub(crate) fn see_of(&self, record: &Emitted) -> Scope {
        self.beside().added_to(record.scope(), record.seen.as_deref())
    }

    /// A record as the store keeps it, with what the steps behind read beside it.
    pub(crate) fn to_store(&self, record: &Emitted, keeps: &Keeps) -> Record {
        let stored = record.stored();
        if keeps.is_empty() {
            return stored;
        }
        let seen = record.seen.as_deref();
        let mut values = BTreeMap::new();
        for root in ROOTS {
            let Some(all) = self.beside().record(root, seen) else {
                continue;
            };
            let kept = all.iter().filter(|(name, _)| keeps.keeps(root, name));
            let kept: Vec<_> = kept
                .map(|(name, value)| (name.to_owned(), value.clone()))
                .collect();
            if !kept.is_empty() {
                values.insert(root.to_owned(), Record::from_pairs(kept));
            }
        }
        let seen = Seen {
            run: seen.is_none().then(|| self.run.clone()),
            values,
        };
        let json = serde_json::to_value(&seen).unwrap_or_default();
        let own = stored
            .iter()
            .map(|(name, value)| (name.to_owned(), value.clone()));
        Record::from_pairs(own.chain([(SEEN_COLUMN.to_owned(), Value::Json(json))]))
    }

    /// A record as it comes back from the store: one of another run with what it saw there.
    pub(crate) fn as_seen(&self, mut record: Emitted) -> Result<Emitted, RunEnd> {
        if let Some(seen) = record.seen.take() {
            let seen = Arc::unwrap_or_clone(seen).by(Some(&self.run), &self.engine.store)?;
            record.seen = seen.map(Arc::new);
        }
        Ok(record)
    }
}

impl StepPlan {
    /// All expressions of the step.
    fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Trigger(_) => Vec::new(),
            Self::Query(query) => query.parameters.values().collect(),
            Self::Call(call) => {
                let named = call.key.iter().chain(&call.when);
                named.chain(call.parameters.values()).collect()
            }
            Self::Write(write) => write.columns.values().collect(),
            Self::Transform(transform) => transform.columns.values().collect(),
            Self::Filter(filter) => filter.when.iter().chain(&filter.key).collect(),
            Self::Decide(decide) => decide
                .branches
                .iter()
                .filter_map(|(_, when)| when.as_ref())
                .collect(),
            Self::Set(set) => set.variables.values().collect(),
            Self::ForEach(_) => Vec::new(),
            Self::Approve(approve) => approve.show.iter().chain([&approve.key]).collect(),
            Self::CallTask(call) => call.key.iter().chain(call.variables.values()).collect(),
            Self::Wait(wait) => wait.until.iter().collect(),
        }
    }
}
