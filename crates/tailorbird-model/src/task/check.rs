//! Checks of a task file that need to understand what is meant.

mod call;
mod calls_of_tasks;
mod events;
mod notify;
mod paths;
mod records;
mod starts;
mod tables;
mod trigger;
mod wait;

use std::collections::BTreeSet;

use super::trigger::TRIGGER_SOURCE;
use super::{MAX_NESTING, Step, Task};
use crate::Name;
use crate::expression::{ExpressionProblem, Expressions, Template};
use crate::service::Operation;
use crate::yaml::shape::suggest;
use crate::yaml::{Document, Problem, Typed, typed};

pub use starts::across;

/// What the checks may ask about the rest of the definitions.
pub trait Catalogue {
    /// Finds an operation by connection and name.
    fn operation(&self, connection: &Name, operation: &Name) -> FoundOperation;
    /// Tells whether a database is writable, if there is one of that name.
    fn database(&self, name: &Name) -> Option<bool>;
    /// The names of all databases.
    fn databases(&self) -> Vec<String>;
    /// The text of a file that a task names, by its path from the home folder.
    ///
    /// # Errors
    /// In words, where it cannot be read.
    fn file(&self, path: &str) -> Result<String, String>;
    /// The columns that a statement yields, without running it; nothing where that cannot be told now, because
    /// the database cannot be opened or is locked.
    fn describe(&self, database: &Name, sql: &str) -> Option<Result<Vec<String>, SqlProblem>>;
    /// The tables of a database, each with its columns; nothing where they cannot be told now.
    fn tables(&self, database: &Name) -> Option<Vec<(String, Vec<String>)>>;
    /// The names of all connections.
    fn connections(&self) -> Vec<String>;
    /// All tasks.
    fn tasks(&self) -> Vec<Task>;
    /// Finds a task by its name.
    fn task(&self, name: &Name) -> Option<Task>;
}

/// Why a database does not understand a statement.
#[derive(Debug, Clone)]
pub struct SqlProblem {
    /// The place in the statement: line and column, from 0.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// The answer of a [`Catalogue`].
#[derive(Debug, Clone)]
pub enum FoundOperation {
    /// Here it is.
    Found(Box<Operation>),
    /// There is no such connection; these there are.
    NoConnection(Vec<String>),
    /// The service has no such operation; these it has.
    NoOperation(Vec<String>),
}

/// Reads task files: one task per YAML document, with all problems.
///
/// Without a catalogue (no home folder yet) references to connections and databases are not checked.
pub fn read(text: &str, catalogue: Option<&dyn Catalogue>) -> (Vec<Typed<Task>>, Vec<Problem>) {
    read_beside(text, catalogue, &[])
}

/// As [`read`], with tasks of other files that are taken in together with this one.
pub fn read_beside(
    text: &str,
    catalogue: Option<&dyn Catalogue>,
    others: &[Task],
) -> (Vec<Typed<Task>>, Vec<Problem>) {
    let (tasks, mut problems) = typed::<Task>(text);
    let beside: Vec<&Task> = tasks.iter().map(|task| &task.value).chain(others).collect();
    for task in &tasks {
        let mut checker = Checker {
            document: &task.document,
            catalogue,
            task: &task.value,
            beside: &beside,
            problems: Vec::new(),
        };
        checker.task(&task.value);
        problems.extend(checker.problems);
    }
    let mut seen = BTreeSet::new();
    for task in &tasks {
        if !seen.insert(task.value.task.clone()) {
            let position = task.document.position("/task");
            problems.push(Problem::error(
                position,
                "/task",
                format!("the task `{}` is given twice", task.value.task),
            ));
        }
    }
    problems.sort_by_key(|problem| problem.position);
    (tasks, problems)
}

struct Checker<'a> {
    document: &'a Document,
    catalogue: Option<&'a dyn Catalogue>,
    task: &'a Task,
    /// Tasks that are taken in together with this one; they come before stored ones of the same name.
    beside: &'a [&'a Task],
    problems: Vec<Problem>,
}

/// The steps before a step whose records it may take.
#[derive(Debug, Clone, Default)]
struct Sources(Vec<Source>);

/// A name that yields records.
#[derive(Debug, Clone)]
struct Source {
    name: String,
    /// Whether its records come from a query with a cursor, which looks at each row once.
    has_cursor: bool,
}

impl Sources {
    fn add(&mut self, name: impl Into<String>, has_cursor: bool) {
        let name = name.into();
        // One that is given twice is told of once, at its second place.
        if !self.0.iter().any(|source| source.name == name) {
            self.0.push(Source { name, has_cursor });
        }
    }

    fn has_cursor(&self, name: &Name) -> bool {
        self.0
            .iter()
            .any(|source| source.name == name.as_str() && source.has_cursor)
    }
}

impl Checker<'_> {
    fn error(&mut self, path: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.problems
            .push(Problem::error(self.document.position(path), path, message).hint(hint));
    }

    fn warning(&mut self, path: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.problems
            .push(Problem::warning(self.document.position(path), path, message).hint(hint));
    }

    fn task(&mut self, task: &Task) {
        self.trigger(&task.trigger);
        self.events(task);
        self.declared(&task.variables);
        let mut sources = Sources::default();
        if task.trigger.event_source().is_some() {
            sources.add(TRIGGER_SOURCE, false);
        }
        self.steps("", &task.steps, sources, 0);
        self.notify(task.notify.as_ref());
    }

    /// Checks steps that stand beside each other. They may take records from `sources` and from one another.
    fn steps(&mut self, at: &str, steps: &[Step], mut sources: Sources, depth: usize) {
        let mut ids: BTreeSet<String> = BTreeSet::new();
        for (index, step) in steps.iter().enumerate() {
            let at = format!("{at}/steps/{index}");
            let branches = step.decide.iter().flat_map(|decide| &decide.branches);
            let names = branches
                .map(|branch| step.id.branch(&branch.name).to_string())
                .chain([step.id.to_string()]);
            for name in names {
                if !ids.insert(name.clone()) {
                    let path = format!("{at}/id");
                    self.error(&path, format!("the step `{name}` is given twice"), "");
                }
            }
            self.step(&at, step, &mut sources, depth);
        }
    }

    fn step(&mut self, at: &str, step: &Step, sources: &mut Sources, depth: usize) {
        let kinds = step.kinds();
        if kinds.len() != 1 {
            self.error(
                at,
                format!("the step `{}` does not have exactly one kind", step.id),
                format!("Give one of {}.", Step::KINDS.join(", ")),
            );
        }
        if step.id.as_str() == TRIGGER_SOURCE {
            self.error(
                &format!("{at}/id"),
                format!("`{TRIGGER_SOURCE}` is a reserved name"),
                "It stands for the records that the task's trigger brings. Choose another name for the step.",
            );
        }
        if let Some(query) = &step.query {
            self.query(&format!("{at}/query"), query);
            if depth > 0 && query.cursor.is_some() {
                self.error(
                    &format!("{at}/query/cursor"),
                    "a query inside a `for_each` has no cursor",
                    "It is run for each record; bound it by its parameters.",
                );
            }
            sources.add(step.id.as_str(), query.cursor.is_some());
        }
        if let Some(call) = &step.call {
            self.call(&format!("{at}/call"), call, sources);
            if depth > 0 && call.cursor.is_some() {
                self.error(
                    &format!("{at}/call/cursor"),
                    "a call inside a `for_each` has no cursor",
                    "It is made for each record; bound it by its parameters.",
                );
            }
            sources.add(step.id.as_str(), false);
        }
        if let Some(write) = &step.write {
            self.write(&format!("{at}/write"), write, sources);
        }
        if let Some(transform) = &step.transform {
            self.transform(&format!("{at}/transform"), transform, sources);
            sources.add(step.id.as_str(), sources.has_cursor(&transform.from));
        }
        if let Some(filter) = &step.filter {
            self.filter(&format!("{at}/filter"), filter, sources);
            sources.add(step.id.as_str(), sources.has_cursor(&filter.from));
        }
        if let Some(decide) = &step.decide {
            self.decide(&format!("{at}/decide"), decide, sources);
            let has_cursor = sources.has_cursor(&decide.from);
            for branch in &decide.branches {
                sources.add(step.id.branch(&branch.name).as_str(), has_cursor);
            }
        }
        if let Some(set) = &step.set {
            self.set(&format!("{at}/set"), set, sources);
        }
        if let Some(approve) = &step.approve {
            self.approve(&format!("{at}/approve"), approve, sources);
            sources.add(step.id.as_str(), false);
        }
        if let Some(call) = &step.call_task {
            self.call_task(&format!("{at}/call_task"), call, sources);
            sources.add(step.id.as_str(), false);
        }
        if let Some(wait) = &step.wait {
            self.wait(&format!("{at}/wait"), wait, depth);
        }
        if let Some(each) = &step.for_each {
            let at = format!("{at}/for_each");
            self.for_each(&at, each, sources);
            if depth == MAX_NESTING {
                self.error(
                    &format!("{at}/steps"),
                    format!("`for_each` is nested more than {MAX_NESTING} deep"),
                    "Let the SQL statement join what belongs together.",
                );
            } else {
                let mut inner = Sources::default();
                inner.add(each.name.as_str(), sources.has_cursor(&each.from));
                self.steps(&at, &each.steps, inner, depth + 1);
            }
        }
    }

    /// Complains unless an earlier step of that name yields records.
    fn source(&mut self, path: &str, name: &Name, sources: &Sources) {
        let names: Vec<&str> = sources.0.iter().map(|source| source.name.as_str()).collect();
        if names.contains(&name.as_str()) {
            return;
        }
        if name.as_str() == TRIGGER_SOURCE {
            self.error(
                path,
                "the trigger brings no records here",
                "A `webhook`, `file` or `database` trigger does, and steps inside of a loop take the loop's. Read \
                 rows by a `query` step otherwise.",
            );
        } else {
            self.error(
                path,
                format!("no earlier step `{name}` yields records"),
                suggest(name.as_str(), &names, "Earlier steps with records"),
            );
        }
    }

    /// A condition is one expression, so that it yields true or false and never a text.
    fn condition(&mut self, path: &str, text: &str) {
        self.expression(path, text);
        let is_lone = text.trim().starts_with("{{") && text.trim().ends_with("}}");
        if !is_lone {
            self.error(
                path,
                "`when` is not one expression",
                "Write for example `{{ price is gt(0) }}`.",
            );
        }
    }

    fn not_beside_a_cursor(&mut self, path: &str, source: Option<&Name>, sources: &Sources) {
        if source.is_some_and(|source| sources.has_cursor(source)) {
            self.warning(
                path,
                "`when` beside a cursor: a record that is not due now is never looked at again",
                "Put the condition into the statement, or leave the cursor out.",
            );
        }
    }

    fn expressions(&mut self, path: &str, value: &serde_json::Value) {
        match Expressions::new().add_json(value) {
            Ok(template) => self.variables_known(path, &template),
            Err(problems) => {
                for (inner, problem) in problems {
                    self.expression_problem(&format!("{path}{inner}"), problem);
                }
            }
        }
    }

    fn expression(&mut self, path: &str, text: &str) {
        match Expressions::new().add(text) {
            Ok(template) => self.variables_known(path, &template),
            Err(problem) => self.expression_problem(path, problem),
        }
    }

    /// Complains of variables that the task does not declare.
    fn variables_known(&mut self, path: &str, template: &Template) {
        let declared: Vec<&str> = self.task.variables.keys().map(String::as_str).collect();
        for name in template.variables() {
            if !declared.contains(&name.as_str()) {
                let hint = if declared.is_empty() {
                    format!(
                        "Declare it at the top of the task: `variables: {{ {name}: {{ value: \"…\" }} }}`."
                    )
                } else {
                    suggest(&name, &declared, "It declares")
                };
                self.error(path, format!("the task declares no variable `{name}`"), hint);
            }
        }
    }

    fn expression_problem(&mut self, path: &str, problem: ExpressionProblem) {
        let position = self.document.position_in_text(path, problem.line, problem.column);
        self.problems
            .push(Problem::error(position, path, problem.message).hint(problem.hint));
    }
}
