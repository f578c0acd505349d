//! Which task starts which: checked over all tasks, because a circle needs more than one file.

use std::collections::{BTreeMap, BTreeSet};

use super::{Catalogue, paths};
use crate::Name;
use crate::task::Task;
use crate::yaml::shape::suggest;
use crate::yaml::{Problem, Typed};

/// Checks tasks against each other: those of all files that are looked at together, and those that are there
/// already. Gives the problems with the index of their file.
pub fn across(files: &[&[Typed<Task>]], catalogue: Option<&dyn Catalogue>) -> Vec<(usize, Problem)> {
    let given: Vec<&Task> = files
        .iter()
        .flat_map(|file| file.iter())
        .map(|typed| &typed.value)
        .collect();
    let names: BTreeSet<&Name> = given.iter().map(|task| &task.task).collect();
    let stored = catalogue.map(Catalogue::tasks).unwrap_or_default();
    // A file that is looked at takes the place of what is stored under its name.
    let others: Vec<&Task> = stored.iter().filter(|task| !names.contains(&task.task)).collect();
    let starts = Starts::of(given.iter().chain(&others).copied());
    let mut problems = paths::shared(files, &others);
    for (index, file) in files.iter().enumerate() {
        for typed in *file {
            let found = starts
                .circle(&typed.value.task)
                .map(|circle| triggers_itself(typed, &circle))
                .or_else(|| catalogue.and_then(|_| starts.unknown(typed)));
            problems.extend(found.map(|problem| (index, problem)));
        }
    }
    problems
}

fn triggers_itself(typed: &Typed<Task>, circle: &[&Name]) -> Problem {
    // The place is where this task's file closes the circle; it may also be closed by calls alone on its side.
    let before = circle.len().checked_sub(2).and_then(|at| circle.get(at)).copied();
    let after = typed.value.trigger.after.as_ref().map(|after| &after.task);
    let path = if after.is_some() && after == before {
        "/trigger/after/task"
    } else {
        "/task"
    };
    let circle: Vec<&str> = circle.iter().map(|name| name.as_str()).collect();
    let message = format!("a task that triggers itself: {}", circle.join(" → "));
    Problem::error(typed.document.position(path), path, message)
        .hint("Each of these starts the next. Break the circle.")
}

/// Which task starts which.
struct Starts<'a> {
    known: BTreeSet<&'a Name>,
    /// By a task's end, or by a call.
    next: BTreeMap<&'a Name, BTreeSet<&'a Name>>,
    /// Those by a task's end.
    ends: BTreeSet<(&'a Name, &'a Name)>,
}

impl<'a> Starts<'a> {
    fn of(tasks: impl Iterator<Item = &'a Task>) -> Self {
        let mut starts = Self {
            known: BTreeSet::new(),
            next: BTreeMap::new(),
            ends: BTreeSet::new(),
        };
        for task in tasks {
            starts.known.insert(&task.task);
            if let Some(after) = &task.trigger.after {
                starts.next.entry(&after.task).or_default().insert(&task.task);
                starts.ends.insert((&after.task, &task.task));
            }
            for flat in task.flat_steps() {
                if let Some(call) = &flat.step.call_task {
                    starts.next.entry(&task.task).or_default().insert(&call.task);
                }
            }
        }
        starts
    }

    /// A circle through a task in which at least one start is by an end; those of calls alone are told of where the
    /// calls are checked.
    fn circle(&self, task: &'a Name) -> Option<Vec<&'a Name>> {
        let mut ways: Vec<Vec<&Name>> = vec![vec![task]];
        let mut seen = BTreeSet::new();
        // Each task is gone on from once, so this ends.
        while let Some(way) = ways.pop() {
            let last = way.last().copied()?;
            if !seen.insert(last) {
                continue;
            }
            for next in self.next.get(last).into_iter().flatten() {
                let way: Vec<&Name> = way.iter().copied().chain([*next]).collect();
                if *next != task {
                    ways.push(way);
                } else if way
                    .windows(2)
                    .any(|pair| matches!(pair, [from, to] if self.ends.contains(&(*from, *to))))
                {
                    return Some(way);
                }
            }
        }
        None
    }

    /// Complains where the task after whose end another one starts is not there.
    fn unknown(&self, typed: &Typed<Task>) -> Option<Problem> {
        let after = typed.value.trigger.after.as_ref()?;
        if self.known.contains(&after.task) {
            return None;
        }
        let path = "/trigger/after/task";
        let known: Vec<&str> = self.known.iter().map(|name| name.as_str()).collect();
        let message = format!("there is no task `{}`", after.task);
        let problem = Problem::error(typed.document.position(path), path, message);
        Some(problem.hint(suggest(after.task.as_str(), &known, "Tasks")))
    }
}
