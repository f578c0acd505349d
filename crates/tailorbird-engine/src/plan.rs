//! A task made ready to run: expressions compiled once, steps joined to their sources.

use std::collections::BTreeMap;

use tailorbird_model::expression::{Expressions, Scope, Template};
use tailorbird_model::task::{CallStep, QueryStep, Step, Task, WriteStep};
use tailorbird_model::{Failure, Meaning, Name, Value, codes};

/// A task made ready to run.
#[derive(Debug)]
pub struct Plan {
    /// The task's name.
    pub task: Name,
    /// The steps, in order.
    pub steps: Vec<StepPlan>,
}

/// A step made ready to run.
#[derive(Debug)]
pub enum StepPlan {
    /// Reads rows.
    Query(QueryPlan),
    /// Calls an operation.
    Call(Box<CallPlan>),
    /// Writes records.
    Write(WritePlan),
}

/// A query made ready to run.
#[derive(Debug)]
pub struct QueryPlan {
    pub(crate) id: Name,
    pub(crate) step: QueryStep,
    pub(crate) expressions: Expressions,
    pub(crate) parameters: BTreeMap<String, Template>,
}

/// A call made ready to run.
#[derive(Debug)]
pub struct CallPlan {
    pub(crate) id: Name,
    pub(crate) step: CallStep,
    pub(crate) expressions: Expressions,
    pub(crate) key: Option<Template>,
    pub(crate) when: Option<Template>,
    pub(crate) parameters: BTreeMap<String, Template>,
}

/// A write made ready to run.
#[derive(Debug)]
pub struct WritePlan {
    pub(crate) id: Name,
    pub(crate) step: WriteStep,
    pub(crate) expressions: Expressions,
    pub(crate) columns: BTreeMap<String, Template>,
}

impl StepPlan {
    /// The step's name.
    pub fn id(&self) -> &Name {
        match self {
            Self::Query(query) => &query.id,
            Self::Call(call) => &call.id,
            Self::Write(write) => &write.id,
        }
    }

    /// The step whose records this one takes.
    pub fn source(&self) -> Option<&Name> {
        match self {
            Self::Query(_) => None,
            Self::Call(call) => call.step.for_each.as_ref(),
            Self::Write(write) => Some(&write.step.from),
        }
    }
}

impl Plan {
    /// Makes a task ready to run.
    ///
    /// # Errors
    /// MAP-001 for an expression that cannot be read; `task check` would have said so with its place.
    pub fn of(task: &Task) -> Result<Self, Failure> {
        let steps = task.steps.iter().map(step).collect::<Result<_, _>>()?;
        Ok(Self {
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

    /// Tells whether any step keeps its records in the ledger.
    pub(crate) fn has_keys(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step, StepPlan::Call(call) if call.key.is_some()))
    }

    /// Tells whether the records that a call sends were counted as read: they come from a query or a listing,
    /// maybe through calls that only read, and not from another delivery.
    pub(crate) fn counts_reads_of(&self, call: &CallPlan) -> bool {
        let mut source = call.step.for_each.as_ref();
        // Each step names an earlier one, so this ends.
        for _ in &self.steps {
            match self.steps.iter().find(|step| Some(step.id()) == source) {
                Some(StepPlan::Query(_)) => return true,
                Some(StepPlan::Call(from)) if from.key.is_some() => return false,
                Some(StepPlan::Call(from)) => match &from.step.for_each {
                    Some(earlier) => source = Some(earlier),
                    None => return true,
                },
                Some(StepPlan::Write(_)) | None => return false,
            }
        }
        false
    }
}

fn step(step: &Step) -> Result<StepPlan, Failure> {
    let mut expressions = Expressions::new();
    let id = step.id.clone();
    if let Some(query) = &step.query {
        let parameters = all(&id, &mut expressions, &query.parameters)?;
        return Ok(StepPlan::Query(QueryPlan {
            id,
            step: query.clone(),
            expressions,
            parameters,
        }));
    }
    if let Some(call) = &step.call {
        let key = call
            .key
            .as_ref()
            .map(|text| one(&id, &mut expressions, text))
            .transpose()?;
        let when = call
            .when
            .as_ref()
            .map(|text| one(&id, &mut expressions, text))
            .transpose()?;
        let parameters = all(&id, &mut expressions, &call.parameters)?;
        return Ok(StepPlan::Call(Box::new(CallPlan {
            id,
            step: call.clone(),
            expressions,
            key,
            when,
            parameters,
        })));
    }
    if let Some(write) = &step.write {
        let columns = all(&id, &mut expressions, &write.columns)?;
        return Ok(StepPlan::Write(WritePlan {
            id,
            step: write.clone(),
            expressions,
            columns,
        }));
    }
    Err(Failure::new(
        codes::TASK_FILE,
        Meaning::NotSent,
        format!("the step `{id}` has no kind"),
    ))
}

fn one(id: &Name, expressions: &mut Expressions, text: &str) -> Result<Template, Failure> {
    expressions
        .add(text)
        .map_err(|problem| unreadable(id, text, &problem.message, &problem.hint))
}

fn all(
    id: &Name,
    expressions: &mut Expressions,
    members: &BTreeMap<String, serde_json::Value>,
) -> Result<BTreeMap<String, Template>, Failure> {
    let mut compiled = BTreeMap::new();
    for (name, member) in members {
        let template = expressions.add_json(member).map_err(|problems| {
            let (message, hint) = problems
                .into_iter()
                .next()
                .map(|(_, problem)| (problem.message, problem.hint))
                .unwrap_or_default();
            unreadable(id, name, &message, &hint)
        })?;
        compiled.insert(name.clone(), template);
    }
    Ok(compiled)
}

fn unreadable(id: &Name, what: &str, message: &str, hint: &str) -> Failure {
    Failure::new(
        codes::EXPRESSION,
        Meaning::NotSent,
        format!("step `{id}`: `{what}` cannot be read: {message}"),
    )
    .hint(hint)
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
