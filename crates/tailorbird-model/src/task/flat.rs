//! A task's steps in one list, the nested ones under their paths.

use super::{MAX_NESTING, Step, Task};
use crate::Name;

/// A step with its place in the task.
#[derive(Debug, Clone, PartialEq)]
pub struct FlatStep<'t> {
    /// Its id; with those of the steps around it, outermost first, where it is nested: `each/lines`.
    pub path: Name,
    /// The path that it had before, where it or a step around it was renamed.
    pub formerly: Option<Name>,
    /// The path of the `for_each` step around it.
    pub parent: Option<Name>,
    /// The step.
    pub step: &'t Step,
}

impl Task {
    /// All steps, in order, each before those nested in it. What is nested deeper than [`MAX_NESTING`] is left
    /// out; `task check` refuses it.
    pub fn flat_steps(&self) -> Vec<FlatStep<'_>> {
        let mut flat = Vec::new();
        flatten(&self.steps, None, 0, &mut flat);
        flat
    }
}

fn flatten<'t>(
    steps: &'t [Step],
    parent: Option<(&Name, &Name)>,
    depth: usize,
    flat: &mut Vec<FlatStep<'t>>,
) {
    for step in steps {
        let before = step.formerly.as_ref().unwrap_or(&step.id);
        let (path, before) = match parent {
            Some((path, former)) => (path.inside(&step.id), former.inside(before)),
            None => (step.id.clone(), before.clone()),
        };
        flat.push(FlatStep {
            path: path.clone(),
            formerly: Some(before.clone()).filter(|before| *before != path),
            parent: parent.map(|(path, _)| path.clone()),
            step,
        });
        if let Some(each) = &step.for_each
            && depth < MAX_NESTING
        {
            flatten(&each.steps, Some((&path, &before)), depth + 1, flat);
        }
    }
}
