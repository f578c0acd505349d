//! Checks of the steps that call other tasks: the task is there, takes those variables, and the calls end.

use super::{Checker, Sources};
use crate::Name;
use crate::task::{CallTaskStep, MAX_CALL_DEPTH, Task, VariableScope};
use crate::yaml::shape::suggest;

impl Checker<'_> {
    pub(super) fn call_task(&mut self, at: &str, call: &CallTaskStep, sources: &Sources) {
        if let Some(source) = &call.for_each {
            self.source(&format!("{at}/for_each"), source, sources);
            if call.key.is_none() {
                self.error(
                    at,
                    "`key` is missing",
                    "Say what names a record, for example `key: \"{{ id }}\"`; a run starts the task once per key.",
                );
            }
        }
        if let Some(key) = &call.key {
            self.expression(&format!("{at}/key"), key);
        }
        for (name, value) in &call.variables {
            self.expressions(&format!("{at}/with/{name}"), value);
        }
        let mut way = vec![self.task.task.clone()];
        if self.calls_back(&call.task, &mut way) {
            let way: Vec<&str> = way.iter().map(Name::as_str).collect();
            self.error(
                &format!("{at}/task"),
                format!("the task calls itself: {}", way.join(" → ")),
                "Change one of them so that the calls come to an end.",
            );
            return;
        }
        match self.find(&call.task) {
            Some(task) => self.takes(at, call, &task),
            None if self.catalogue.is_some() => {
                let known = self.catalogue.map(super::Catalogue::tasks).unwrap_or_default();
                let known: Vec<&str> = known.iter().map(|task| task.task.as_str()).collect();
                let hint = suggest(call.task.as_str(), &known, "Tasks");
                self.error(
                    &format!("{at}/task"),
                    format!("there is no task `{}`", call.task),
                    hint,
                );
            }
            None => {}
        }
    }

    /// A task by its name: one that is taken in together with this one, or a stored one.
    pub(super) fn find(&self, name: &Name) -> Option<Task> {
        let beside = self.beside.iter().find(|task| task.task == *name);
        beside
            .map(|task| (*task).clone())
            .or_else(|| self.catalogue.and_then(|catalogue| catalogue.task(name)))
    }

    /// Tells whether calling a task leads back to the first one on the way. The way holds the circle then.
    fn calls_back(&self, name: &Name, way: &mut Vec<Name>) -> bool {
        way.push(name.clone());
        if way.first() == Some(name) {
            return true;
        }
        // What is deeper is refused at run time; a circle among others is told where it begins.
        if way.len() <= MAX_CALL_DEPTH
            && let Some(task) = self.find(name)
        {
            for flat in task.flat_steps() {
                if let Some(call) = &flat.step.call_task
                    && self.calls_back(&call.task, way)
                {
                    return true;
                }
            }
        }
        way.pop();
        false
    }

    /// Complains of variables that the called task does not take.
    fn takes(&mut self, at: &str, call: &CallTaskStep, task: &Task) {
        let taken: Vec<&str> = task
            .variables
            .iter()
            .filter(|(_, variable)| variable.scope == VariableScope::Run)
            .map(|(name, _)| name.as_str())
            .collect();
        for name in call.variables.keys() {
            if !taken.contains(&name.as_str()) {
                self.error(
                    &format!("{at}/with/{name}"),
                    format!("the task `{}` takes no variable `{name}`", task.task),
                    suggest(name, &taken, "Its variables of scope `run`"),
                );
            }
        }
    }
}
