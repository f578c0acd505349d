//! Makes steps ready to run: expressions compiled, sources found, nested steps put under their paths.

use std::collections::BTreeMap;

use tailorbird_model::expression::{Expressions, Template};
use tailorbird_model::task::{
    ApproveStep, CallStep, CallTaskStep, DecideStep, FilterStep, FlatStep, ForEachStep, QueryStep, SetStep,
    Task, TransformStep, WaitStep, WriteStep,
};
use tailorbird_model::{Failure, Meaning, Name, codes};

use super::StepPlan;
use super::kinds::{
    ApprovePlan, CallPlan, CallTaskPlan, DecidePlan, FilterPlan, ForEachPlan, QueryPlan, SetPlan,
    TransformPlan, WaitPlan, WritePlan,
};
use crate::seen::Keeps;

/// The `for_each` step around a step.
#[derive(Debug, Clone)]
struct Around {
    path: Name,
    /// What its record is called inside.
    name: Name,
    /// The names of all records that are seen inside, the outermost first.
    names: Vec<String>,
}

/// All steps of a task, made ready to run.
pub(super) fn steps(task: &Task) -> Result<Vec<StepPlan>, Failure> {
    let mut loops: BTreeMap<Name, Around> = BTreeMap::new();
    let mut plans = Vec::new();
    for flat in task.flat_steps() {
        let around = flat.parent.as_ref().and_then(|path| loops.get(path)).cloned();
        if let Some(each) = &flat.step.for_each {
            loops.insert(flat.path.clone(), inside(&flat, each, around.as_ref()));
        }
        plans.push(step(&flat, around.as_ref())?);
    }
    for place in 0..plans.len() {
        let keeps = Keeps::of(&plans, place);
        match plans.get_mut(place) {
            Some(StepPlan::Call(call)) => call.keeps = keeps,
            Some(StepPlan::Approve(approve)) => approve.keeps = keeps,
            Some(StepPlan::CallTask(call)) => call.keeps = keeps,
            _ => {}
        }
    }
    Ok(plans)
}

fn inside(flat: &FlatStep<'_>, each: &ForEachStep, around: Option<&Around>) -> Around {
    let mut names = around.map(|around| around.names.clone()).unwrap_or_default();
    names.push(each.name.to_string());
    Around {
        path: flat.path.clone(),
        name: each.name.clone(),
        names,
    }
}

fn step(flat: &FlatStep<'_>, around: Option<&Around>) -> Result<StepPlan, Failure> {
    let step = flat.step;
    let builder = Builder {
        id: flat.path.clone(),
        around,
        expressions: Expressions::new(),
    };
    if let Some(query) = &step.query {
        return builder.query(query);
    }
    if let Some(call) = &step.call {
        return builder.call(call);
    }
    if let Some(write) = &step.write {
        return builder.write(write);
    }
    if let Some(transform) = &step.transform {
        return builder.transform(transform);
    }
    if let Some(filter) = &step.filter {
        return builder.filter(filter);
    }
    if let Some(decide) = &step.decide {
        return builder.decide(decide);
    }
    if let Some(set) = &step.set {
        return builder.set(set);
    }
    if let Some(approve) = &step.approve {
        return builder.approve(approve);
    }
    if let Some(call) = &step.call_task {
        return builder.call_task(call);
    }
    if let Some(each) = &step.for_each {
        return Ok(StepPlan::ForEach(ForEachPlan {
            source: builder.source(&each.from),
            id: builder.id,
            name: each.name.to_string(),
        }));
    }
    if let Some(wait) = &step.wait {
        return builder.wait(wait);
    }
    Err(Failure::new(
        codes::TASK_FILE,
        Meaning::NotSent,
        format!("the step `{}` has no kind", flat.path),
    ))
}

/// Makes one step ready to run.
struct Builder<'a> {
    id: Name,
    around: Option<&'a Around>,
    expressions: Expressions,
}

impl Builder<'_> {
    /// What a name in the step means: a step beside it takes records from those beside it, and inside a loop
    /// also from the loop.
    fn source(&self, name: &Name) -> Name {
        match self.around {
            None => name.clone(),
            Some(around) if around.name == *name => around.path.clone(),
            Some(around) => around.path.inside(name),
        }
    }

    fn around(&self) -> Option<Name> {
        self.around.map(|around| around.path.clone())
    }

    fn outer(&self) -> Vec<String> {
        self.around.map(|around| around.names.clone()).unwrap_or_default()
    }

    fn maybe(&mut self, text: Option<&str>) -> Result<Option<Template>, Failure> {
        text.map(|text| one(&self.id, &mut self.expressions, text))
            .transpose()
    }

    fn all(
        &mut self,
        members: &BTreeMap<String, serde_json::Value>,
    ) -> Result<BTreeMap<String, Template>, Failure> {
        all(&self.id, &mut self.expressions, members)
    }

    fn wait(mut self, wait: &WaitStep) -> Result<StepPlan, Failure> {
        let until = self.maybe(wait.until.as_deref())?;
        Ok(StepPlan::Wait(WaitPlan {
            id: self.id,
            length: wait.length,
            until,
            expressions: self.expressions,
        }))
    }

    fn query(mut self, query: &QueryStep) -> Result<StepPlan, Failure> {
        let parameters = self.all(&query.parameters)?;
        Ok(StepPlan::Query(QueryPlan {
            source: self.around(),
            id: self.id,
            step: query.clone(),
            expressions: self.expressions,
            parameters,
        }))
    }

    fn call(mut self, call: &CallStep) -> Result<StepPlan, Failure> {
        let key = self.maybe(call.key.as_deref())?;
        let when = self.maybe(call.when.as_deref())?;
        let parameters = self.all(&call.parameters)?;
        let source = call.for_each.as_ref().map(|name| self.source(name));
        Ok(StepPlan::Call(Box::new(CallPlan {
            source: source.or_else(|| self.around()),
            outer: self.outer(),
            keeps: Keeps::default(),
            id: self.id,
            step: call.clone(),
            expressions: self.expressions,
            key,
            when,
            parameters,
        })))
    }

    fn write(mut self, write: &WriteStep) -> Result<StepPlan, Failure> {
        let columns = self.all(&write.columns)?;
        Ok(StepPlan::Write(WritePlan {
            source: self.source(&write.from),
            id: self.id,
            step: write.clone(),
            expressions: self.expressions,
            columns,
        }))
    }

    fn transform(mut self, transform: &TransformStep) -> Result<StepPlan, Failure> {
        let columns = self.all(&transform.columns)?;
        Ok(StepPlan::Transform(TransformPlan {
            source: self.source(&transform.from),
            id: self.id,
            keep: transform.keep,
            expressions: self.expressions,
            columns,
        }))
    }

    fn filter(mut self, filter: &FilterStep) -> Result<StepPlan, Failure> {
        let when = self.maybe(filter.when.as_deref())?;
        let key = self.maybe(filter.key.as_deref())?;
        Ok(StepPlan::Filter(FilterPlan {
            source: self.source(&filter.from),
            id: self.id,
            step: filter.clone(),
            expressions: self.expressions,
            when,
            key,
        }))
    }

    fn decide(mut self, decide: &DecideStep) -> Result<StepPlan, Failure> {
        let mut branches = Vec::new();
        for branch in &decide.branches {
            let when = self.maybe(branch.when.as_deref())?;
            branches.push((self.id.branch(&branch.name), when));
        }
        Ok(StepPlan::Decide(DecidePlan {
            source: self.source(&decide.from),
            id: self.id,
            expressions: self.expressions,
            branches,
        }))
    }

    fn approve(mut self, approve: &ApproveStep) -> Result<StepPlan, Failure> {
        let key = one(&self.id, &mut self.expressions, &approve.key)?;
        let show = self.maybe(approve.show.as_deref())?;
        Ok(StepPlan::Approve(Box::new(ApprovePlan {
            source: self.source(&approve.from),
            outer: self.outer(),
            keeps: Keeps::default(),
            id: self.id,
            step: approve.clone(),
            expressions: self.expressions,
            key,
            show,
        })))
    }

    fn call_task(mut self, call: &CallTaskStep) -> Result<StepPlan, Failure> {
        let key = self.maybe(call.key.as_deref())?;
        let variables = self.all(&call.variables)?;
        let source = call.for_each.as_ref().map(|name| self.source(name));
        Ok(StepPlan::CallTask(Box::new(CallTaskPlan {
            source: source.or_else(|| self.around()),
            outer: self.outer(),
            keeps: Keeps::default(),
            id: self.id,
            step: call.clone(),
            expressions: self.expressions,
            key,
            variables,
        })))
    }

    fn set(mut self, set: &SetStep) -> Result<StepPlan, Failure> {
        let variables = self.all(&set.variables)?;
        let source = set.from.as_ref().map(|name| self.source(name));
        Ok(StepPlan::Set(SetPlan {
            source: source.or_else(|| self.around()),
            id: self.id,
            expressions: self.expressions,
            variables,
        }))
    }
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
