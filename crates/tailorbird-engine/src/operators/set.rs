//! `set` and the task's variables.
//!
//! What a step sets is seen by all that comes after it. It is stored with the run at once, and with the task
//! when the step has ended that the records came from: a value must not say that something was done which a
//! crash then undoes.

use std::collections::{BTreeMap, BTreeSet};

use tailorbird_model::expression::Scope;
use tailorbird_model::run::{RunId, RunInput};
use tailorbird_model::task::{Variable, VariableScope};
use tailorbird_model::{Failure, Name, Record, Value};
use tailorbird_store::Store;

use super::unusable;
use crate::drive::Driver;
use crate::durable::RunEnd;
use crate::plan::{SetPlan, evaluate};
use crate::tail::Emitted;

/// The values of a task's variables in a run.
#[derive(Debug, Default)]
pub(crate) struct Variables {
    values: BTreeMap<String, Value>,
    /// Those that the task keeps.
    kept: BTreeSet<String>,
    /// Those of them that were set and are not stored with the task yet.
    unpublished: BTreeSet<String>,
    record: Option<Record>,
    /// The steps that set once and have done so in this run.
    done: BTreeSet<String>,
}

/// How the store marks that a step has set its variables once: no variable can have such a name.
fn mark(step: &Name) -> String {
    format!("/{step}")
}

impl Variables {
    /// The values that a run goes on with: as declared, as the task kept them, as the caller gave them, as the
    /// run's own steps have set them.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub(crate) fn load(
        store: &Store,
        task: &Name,
        run: &RunId,
        declared: &BTreeMap<String, Variable>,
        input: &RunInput,
    ) -> Result<Self, Failure> {
        if declared.is_empty() {
            return Ok(Self {
                done: marks(store, run)?,
                ..Self::default()
            });
        }
        let mut variables = Self::default();
        for (name, variable) in declared {
            let value = Value::from_json(&variable.value);
            variables.values.insert(name.clone(), value);
            if variable.scope == VariableScope::Task {
                variables.kept.insert(name.clone());
            }
        }
        let kept = store.task_variables(task)?;
        let given = input
            .variables
            .iter()
            .map(|(name, json)| (name.clone(), Value::from_json(json)));
        let (set, kept_names) = (store.run_variables(run)?, variables.kept.clone());
        variables.done = set.keys().filter(|name| name.starts_with('/')).cloned().collect();
        variables.overlay(kept.into_iter().filter(|(name, _)| kept_names.contains(name)));
        variables.overlay(given.filter(|(name, _)| !kept_names.contains(name)));
        for name in set.keys().filter(|name| kept_names.contains(*name)) {
            variables.unpublished.insert(name.clone());
        }
        variables.overlay(set.into_iter());
        variables.refresh();
        Ok(variables)
    }

    fn overlay(&mut self, values: impl Iterator<Item = (String, Value)>) {
        for (name, value) in values {
            if let Some(known) = self.values.get_mut(&name) {
                *known = value;
            }
        }
    }

    fn refresh(&mut self) {
        let pairs = self
            .values
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()));
        self.record = Some(Record::from_pairs(pairs));
    }

    /// What expressions see under `variables`; nothing where the task declares none.
    pub(crate) fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    pub(crate) fn set(&mut self, values: &BTreeMap<String, Value>) {
        for (name, value) in values {
            self.values.insert(name.clone(), value.clone());
            if self.kept.contains(name) {
                self.unpublished.insert(name.clone());
            }
        }
        self.refresh();
    }
}

/// The steps of a run that have set their variables once.
fn marks(store: &Store, run: &RunId) -> Result<BTreeSet<String>, Failure> {
    let set = store.run_variables(run)?;
    Ok(set.into_keys().filter(|name| name.starts_with('/')).collect())
}

impl Driver {
    /// Sets variables for each record in turn; the last one holds.
    pub(crate) async fn set(&mut self, set: &SetPlan, records: &[Emitted]) -> Result<(), RunEnd> {
        let mut changed = BTreeMap::new();
        for record in records {
            let scope = self.see_of(record);
            let values = evaluate(&set.expressions, &set.variables, &scope)
                .map_err(|failure| unusable(&set.id, &record.record, failure))?;
            self.variables.set(&values);
            changed.extend(values);
        }
        if !changed.is_empty() {
            self.engine.store.set_run_variables(&self.run, changed).await?;
        }
        Ok(())
    }

    /// Sets variables once in a run, however often the run is taken up again: `{{ variables.n | plus(1) }}`
    /// counts runs.
    pub(crate) async fn set_once(&mut self, set: &SetPlan) -> Result<(), RunEnd> {
        let mark = mark(&set.id);
        if self.variables.done.contains(&mark) {
            return Ok(());
        }
        let scope = self.see(Scope::of(&Record::from_pairs([])));
        let mut values = evaluate(&set.expressions, &set.variables, &scope).map_err(RunEnd::Attention)?;
        self.variables.set(&values);
        values.insert(mark.clone(), Value::Boolean(true));
        self.engine.store.set_run_variables(&self.run, values).await?;
        self.variables.done.insert(mark);
        Ok(())
    }

    /// Stores what was set for the runs to come.
    pub(crate) async fn keep_variables(&mut self) -> Result<(), RunEnd> {
        if self.variables.unpublished.is_empty() {
            return Ok(());
        }
        let names = std::mem::take(&mut self.variables.unpublished);
        let values = names
            .into_iter()
            .filter_map(|name| Some((name.clone(), self.variables.values.get(&name)?.clone())));
        let values: BTreeMap<String, Value> = values.collect();
        self.engine.store.set_task_variables(&self.task, values).await?;
        Ok(())
    }
}
