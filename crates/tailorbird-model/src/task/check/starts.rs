//! Which task starts which: checked over all tasks, because a circle needs more than one file.

use std::collections::{BTreeMap, BTreeSet};

use super::Catalogue;
use crate::Name;
use crate::task::Task;
use crate::yaml::shape::suggest;
use crate::yaml::{Problem, Typed};

/// An edge: this task starts that one, and the file of one of them says so.
struct Start<'a> {
    from: &'a Name,
    to: &'a Name,
}

/// The edges that a task's file says.
fn starts(task: &Task) -> Vec<Start<'_>> {
    task.trigger
        .after
        .iter()
        .map(|after| Start {
            from: &after.task,
            to: &task.task,
        })
        .collect()
}

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
    let mut graph: BTreeMap<&Name, BTreeSet<&Name>> = BTreeMap::new();
    for task in given.iter().chain(&others) {
        for start in starts(task) {
            graph.entry(start.from).or_default().insert(start.to);
        }
    }
    let known: BTreeSet<&Name> = names
        .iter()
        .copied()
        .chain(others.iter().map(|task| &task.task))
        .collect();
    let mut problems = Vec::new();
    for (index, file) in files.iter().enumerate() {
        for typed in *file {
            let Some(after) = &typed.value.trigger.after else {
                continue;
            };
            let path = "/trigger/after/task";
            let position = typed.document.position(path);
            if !known.contains(&after.task) {
                // Without a home nobody knows the other tasks.
                if catalogue.is_some() {
                    let words: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
                    let message = format!("there is no task `{}`", after.task);
                    let hint = suggest(after.task.as_str(), &words, "Tasks");
                    problems.push((index, Problem::error(position, path, message).hint(hint)));
                }
            } else if let Some(way) = way(&graph, &typed.value.task, &after.task) {
                let way: Vec<&str> = way.iter().map(|name| name.as_str()).collect();
                let message = format!("a task that triggers itself: {}", way.join(" → "));
                let hint = "Each of these starts the next. Break the circle.";
                let problem = Problem::error(position, path, message).hint(hint);
                problems.push((index, problem));
            }
        }
    }
    problems
}

/// The way from a task over the tasks that it starts to another one and back, if there is one.
fn way<'a>(
    graph: &BTreeMap<&'a Name, BTreeSet<&'a Name>>,
    from: &'a Name,
    to: &'a Name,
) -> Option<Vec<&'a Name>> {
    let mut ways = vec![vec![from]];
    let mut seen = BTreeSet::new();
    // Each task is looked at once, so this ends.
    while let Some(way) = ways.pop() {
        let last = way.last().copied()?;
        if last == to {
            return Some(way.into_iter().chain([from]).collect());
        }
        if seen.insert(last) {
            for next in graph.get(last).into_iter().flatten() {
                ways.push(way.iter().copied().chain([*next]).collect());
            }
        }
    }
    None
}
