//! The text of a task while it is edited: its problems, what a new one may begin with, versions and what changed.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};
use tailorbird_model::Name;
use tailorbird_model::task::Task;
use tailorbird_model::task::check::Catalogue;
use tailorbird_model::yaml::{Problem, Typed};
use tailorbird_store::TaskVersion;

use crate::{App, AppError, tasks};

/// What stands in the place of a file's name where a text comes from an editor.
pub(crate) const NO_FILE: &str = "task";

/// A text that was looked through.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The task, as far as it can be understood.
    pub task: Option<Task>,
    /// Everything that is wrong with it, in the order of the text.
    pub problems: Vec<Problem>,
}

impl Draft {
    /// Whether it can be saved.
    pub fn is_sound(&self) -> bool {
        self.task.is_some() && !self.problems.iter().any(Problem::is_error)
    }
}

/// A text that a new task may begin with.
#[derive(Debug, Clone, Copy)]
pub struct TaskTemplate {
    /// Its name in addresses.
    pub name: &'static str,
    /// What it does, in a few words.
    pub title: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// The task file.
    pub yaml: &'static str,
}

/// What a new task may begin with, the plainest first.
pub const TEMPLATES: &[TaskTemplate] = &[
    TaskTemplate {
        name: "empty",
        title: "Empty",
        about: "A name and one query. Begin here where nothing below fits.",
        yaml: include_str!("drafts/empty.yaml"),
    },
    TaskTemplate {
        name: "rows-out",
        title: "Rows out, once each",
        about: "Reads rows that are due, sends each once, and writes down what the provider answered.",
        yaml: include_str!("../../../examples/announce-new-products.yaml"),
    },
    TaskTemplate {
        name: "records-in",
        title: "Records in",
        about: "Asks a service for what is new and writes it into a table.",
        yaml: include_str!("../../../examples/collect-mentions.yaml"),
    },
    TaskTemplate {
        name: "ask-first",
        title: "A person reads it first",
        about: "As rows out, but nothing goes before somebody has released it.",
        yaml: include_str!("../../../examples/approved-announcements.yaml"),
    },
    TaskTemplate {
        name: "with-lines",
        title: "Orders with their lines",
        about: "For each record, steps of its own: a nested query and a call for each line.",
        yaml: include_str!("../../../examples/orders-with-lines.yaml"),
    },
    TaskTemplate {
        name: "look-up",
        title: "Look something up for each row",
        about: "Asks a service about each row and keeps the answer beside it.",
        yaml: include_str!("../../../examples/authors-of-mentions.yaml"),
    },
];

/// A line of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffLine {
    /// `+` where it is new, `-` where it is gone, a space where it is in both, `…` where lines were passed over.
    pub sign: char,
    /// Its number in the older text.
    pub before: Option<usize>,
    /// Its number in the newer text.
    pub after: Option<usize>,
    /// The line.
    pub text: String,
}

/// Lines around a change that are told with it.
const AROUND: usize = 3;

/// Lines of a comparison; what follows is passed over.
pub const MAX_DIFF_LINES: usize = 4_000;

/// How long two texts are compared; what is found until then is right, if not the shortest.
const COMPARE_FOR: Duration = Duration::from_millis(200);

/// What changed from one text to another; empty where nothing did.
pub fn compare(before: &str, after: &str) -> Vec<DiffLine> {
    let mut lines = Vec::new();
    let diff = TextDiff::configure()
        .timeout(COMPARE_FOR)
        .diff_lines(before, after);
    for (place, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if place > 0 {
            lines.push(passed_over());
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            if lines.len() >= MAX_DIFF_LINES {
                lines.push(passed_over());
                return lines;
            }
            lines.push(DiffLine {
                sign: match change.tag() {
                    ChangeTag::Equal => ' ',
                    ChangeTag::Delete => '-',
                    ChangeTag::Insert => '+',
                },
                before: change.old_index().map(|index| index.saturating_add(1)),
                after: change.new_index().map(|index| index.saturating_add(1)),
                text: change.value().trim_end_matches(['\r', '\n']).to_owned(),
            });
        }
    }
    lines
}

fn passed_over() -> DiffLine {
    DiffLine {
        sign: '…',
        before: None,
        after: None,
        text: String::new(),
    }
}

/// The one task of a text, and all problems: those of `task check`, and those of an editor that holds one task.
pub(crate) fn one(
    catalogue: &dyn Catalogue,
    text: &str,
    editing: Option<&Name>,
) -> (Option<Typed<Task>>, Vec<Problem>) {
    let (found, problems) = tasks::read(Some(catalogue), &[(NO_FILE.to_owned(), text.to_owned())]);
    let mut problems: Vec<Problem> = problems.into_iter().map(|(_, problem)| problem).collect();
    let mut found = found.into_iter().flatten();
    let first = found.next();
    if let Some(second) = found.next() {
        problems.push(
            Problem::error(
                second.document.position("/task"),
                "/task",
                "this is a second task",
            )
            .hint("The editor holds one task. Make another one for this, or use `tailorbird task apply`."),
        );
    }
    if let (Some(first), Some(editing)) = (&first, editing)
        && first.value.task != *editing
        && first.value.formerly.as_ref() != Some(editing)
    {
        problems.push(
            Problem::error(
                first.document.position("/task"),
                "/task",
                format!("this page edits the task `{editing}`, and the text names another one"),
            )
            .hint(format!(
                "To rename it, add `formerly: {editing}`: what was sent stays sent. Else keep the name, or begin a new task."
            )),
        );
    }
    problems.sort_by_key(|problem| problem.position);
    (first, problems)
}

impl App {
    /// Looks a text through as `task check` does, databases included. `editing` is the task that it is a new version of.
    pub fn check_draft(&self, text: &str, editing: Option<&Name>) -> Draft {
        let (task, problems) = one(self, text, editing);
        Draft {
            task: task.map(|typed| typed.value),
            problems,
        }
    }

    /// The versions of a task, the newest first.
    ///
    /// # Errors
    /// TASK-001 where there is no such task.
    pub fn task_versions(&self, name: &Name) -> Result<Vec<TaskVersion>, AppError> {
        self.stored_task(name)?;
        Ok(self.store.task_versions(name)?)
    }

    /// The text of one version of a task.
    ///
    /// # Errors
    /// TASK-001 where there is no such version.
    pub fn task_text(&self, name: &Name, version: i64) -> Result<TaskVersion, AppError> {
        let stored = self.store.task_version(name, version)?;
        let stored = stored.ok_or_else(|| {
            let message = format!("there is no version {version} of the task `{name}`");
            tailorbird_model::Failure::new(
                tailorbird_model::codes::TASK_UNKNOWN,
                tailorbird_model::Meaning::NotSent,
                message,
            )
        })?;
        Ok(TaskVersion {
            version,
            yaml: stored.yaml,
            created_at: stored.updated_at,
        })
    }
}

#[cfg(test)]
mod tests;
