//! A task made ready to run: expressions compiled once, steps joined to their sources.

mod build;
mod kinds;

use std::collections::BTreeMap;

use tailorbird_model::expression::{Expressions, Scope, Template};
use tailorbird_model::task::trigger::TRIGGER_SOURCE;
use tailorbird_model::task::{StopAfter, Task};
use tailorbird_model::{Failure, Name, Value};

pub(crate) use kinds::{
    ApprovePlan, CallPlan, CallTaskPlan, DecidePlan, FilterPlan, ForEachPlan, QueryPlan, SetPlan,
    TransformPlan, TriggerPlan, WaitPlan, WritePlan,
};

/// A task made ready to run.
#[derive(Debug)]
pub struct Plan {
    /// The task's name.
    pub task: Name,
    /// When a run stops sending because too much is rejected.
    pub stop: Option<StopAfter>,
    /// The steps, in order; those inside a loop follow it, under their paths.
    pub steps: Vec<StepPlan>,
}

/// A step made ready to run.
#[derive(Debug)]
pub enum StepPlan {
    /// Yields what fired the run.
    Trigger(TriggerPlan),
    /// Reads rows.
    Query(QueryPlan),
    /// Calls an operation.
    Call(Box<CallPlan>),
    /// Writes records.
    Write(WritePlan),
    /// Gives records new columns.
    Transform(TransformPlan),
    /// Lets only some records go on.
    Filter(FilterPlan),
    /// Sends each record down one branch.
    Decide(DecidePlan),
    /// Changes variables.
    Set(SetPlan),
    /// Goes through records, for the steps inside it.
    ForEach(ForEachPlan),
    /// Holds records until a person releases them.
    Approve(Box<ApprovePlan>),
    /// Runs another task.
    CallTask(Box<CallTaskPlan>),
    /// Lets the run go on later.
    Wait(WaitPlan),
}

impl StepPlan {
    /// The step's name; its path, where it stands inside a loop.
    pub fn id(&self) -> &Name {
        match self {
            Self::Trigger(trigger) => &trigger.id,
            Self::Query(query) => &query.id,
            Self::Call(call) => &call.id,
            Self::Write(write) => &write.id,
            Self::Transform(transform) => &transform.id,
            Self::Filter(filter) => &filter.id,
            Self::Decide(decide) => &decide.id,
            Self::Set(set) => &set.id,
            Self::ForEach(each) => &each.id,
            Self::Approve(approve) => &approve.id,
            Self::CallTask(call) => &call.id,
            Self::Wait(wait) => &wait.id,
        }
    }

    /// The word for its kind in a task file.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Trigger(_) => "trigger",
            Self::Query(_) => "query",
            Self::Call(_) => "call",
            Self::Write(_) => "write",
            Self::Transform(_) => "transform",
            Self::Filter(_) => "filter",
            Self::Decide(_) => "decide",
            Self::Set(_) => "set",
            Self::Wait(_) => "wait",
            Self::ForEach(_) => "for_each",
            Self::Approve(_) => "approve",
            Self::CallTask(_) => "call_task",
        }
    }

    /// The step, or branch, whose records this one takes.
    pub fn source(&self) -> Option<&Name> {
        match self {
            Self::Query(query) => query.source.as_ref(),
            Self::Call(call) => call.source.as_ref(),
            Self::Write(write) => Some(&write.source),
            Self::Transform(transform) => Some(&transform.source),
            Self::Filter(filter) => Some(&filter.source),
            Self::Decide(decide) => Some(&decide.source),
            Self::Set(set) => set.source.as_ref(),
            Self::ForEach(each) => Some(&each.source),
            Self::Approve(approve) => Some(&approve.source),
            Self::CallTask(call) => call.source.as_ref(),
            Self::Trigger(_) | Self::Wait(_) => None,
        }
    }

    /// The names under which later steps take its records.
    pub(crate) fn yields(&self) -> Vec<&Name> {
        match self {
            Self::Write(_) | Self::Set(_) | Self::Wait(_) => Vec::new(),
            Self::Decide(decide) => decide.branches.iter().map(|(name, _)| name).collect(),
            other => vec![other.id()],
        }
    }
}

impl Plan {
    /// Makes a task ready to run.
    ///
    /// # Errors
    /// MAP-001 for an expression that cannot be read; `task check` would have said so with its place.
    pub fn of(task: &Task) -> Result<Self, Failure> {
        let mut steps = build::steps(task)?;
        if task.trigger.event_source().is_some()
            && let Ok(id) = TRIGGER_SOURCE.parse()
        {
            let trigger = task.trigger.clone();
            steps.insert(0, StepPlan::Trigger(TriggerPlan { id, trigger }));
        }
        Ok(Self {
            stop: task.stop,
            task: task.task.clone(),
            steps,
        })
    }

    /// The steps that take the records of a step, in order.
    pub fn takers<'p>(&'p self, source: &'p Name) -> impl Iterator<Item = &'p StepPlan> {
        self.steps
            .iter()
            .filter(move |step| step.source() == Some(source))
    }

    /// Tells whether any step keeps its records in the store, so that a run that goes on knows them.
    pub(crate) fn has_keys(&self) -> bool {
        self.steps.iter().any(|step| match step {
            StepPlan::Call(call) => call.key.is_some(),
            StepPlan::Approve(_) | StepPlan::CallTask(_) => true,
            _ => false,
        })
    }

    /// Tells whether any step calls another task.
    pub(crate) fn calls_tasks(&self) -> bool {
        let calls = |step: &StepPlan| matches!(step, StepPlan::CallTask(_));
        self.steps.iter().any(calls)
    }

    /// Tells whether the records that a step takes were counted as read: they come from a query or a listing,
    /// Tells whether the records that a call sends were counted as read: they come from a trigger, a query or a listing,
    /// maybe through steps that pass them on, and not from another delivery.
    pub(crate) fn counts_reads_of(&self, source: Option<&Name>) -> bool {
        let mut source = source;
        // Each step names an earlier one, so this ends.
        for _ in &self.steps {
            let from = self
                .steps
                .iter()
                .find(|step| source.is_some_and(|source| step.yields().contains(&source)));
            match from {
                Some(StepPlan::Trigger(_) | StepPlan::Query(_)) => return true,
                Some(StepPlan::Approve(_) | StepPlan::CallTask(_)) => return false,
                Some(StepPlan::Call(from)) if from.key.is_some() => return false,
                Some(StepPlan::Call(from)) if from.source.is_none() => return true,
                Some(step) => source = step.source(),
                None => return false,
            }
        }
        false
    }
}

/// Evaluates each template of a mapping.
pub(crate) fn evaluate(
    expressions: &Expressions,
    templates: &BTreeMap<String, Template>,
    scope: &Scope,
) -> Result<BTreeMap<String, Value>, Failure> {
    templates
        .iter()
        .map(|(name, template)| Ok((name.clone(), expressions.evaluate(template, scope)?)))
        .collect()
}
