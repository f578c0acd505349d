//! Webhook paths: checked over all tasks, because a request must be for one of them.

use crate::task::Task;
use crate::yaml::{Problem, Typed};

/// Problems of paths that two tasks have, with the index of their file. `others` are the tasks that are there
/// already and not given anew.
pub(super) fn shared(files: &[&[Typed<Task>]], others: &[&Task]) -> Vec<(usize, Problem)> {
    let mut problems = Vec::new();
    let mut earlier: Vec<&Task> = Vec::new();
    // Under its new name a task is the same one.
    let is_renamed = |other: &Task| {
        let mut given = files.iter().flat_map(|file| file.iter());
        given.any(|typed| typed.value.formerly.as_ref() == Some(&other.task))
    };
    let stored: Vec<&Task> = others
        .iter()
        .copied()
        .filter(|other| !is_renamed(other))
        .collect();
    for (index, file) in files.iter().enumerate() {
        for typed in *file {
            if let Some(hook) = &typed.value.trigger.webhook {
                let has_it = |other: &&&Task| {
                    let path = other.trigger.webhook.as_ref().map(|hook| &hook.path);
                    path == Some(&hook.path)
                };
                if let Some(other) = earlier.iter().chain(&stored).find(has_it) {
                    let at = "/trigger/webhook/path";
                    let message = format!("the task `{}` has the webhook {} already", other.task, hook.path);
                    let problem = Problem::error(typed.document.position(at), at, message)
                        .hint("Give each task a path of its own; most providers can send to several.");
                    problems.push((index, problem));
                }
            }
            earlier.push(&typed.value);
        }
    }
    problems
}
