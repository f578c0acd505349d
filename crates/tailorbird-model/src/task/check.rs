//! Checks of a task file that need to understand what is meant.

use std::collections::{BTreeMap, BTreeSet};

use super::{CallStep, QueryStep, Step, Task, WriteStep};
use crate::Name;
use crate::expression::{ExpressionProblem, Expressions};
use crate::service::Operation;
use crate::yaml::shape::suggest;
use crate::yaml::{Document, Problem, Typed, typed};

/// What the checks may ask about the rest of the definitions.
pub trait Catalogue {
    /// Finds an operation by connection and name.
    fn operation(&self, connection: &Name, operation: &Name) -> FoundOperation;
    /// Tells whether a database is writable, if there is one of that name.
    fn database(&self, name: &Name) -> Option<bool>;
    /// The names of all databases.
    fn databases(&self) -> Vec<String>;
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
    let (tasks, mut problems) = typed::<Task>(text);
    for task in &tasks {
        let mut checker = Checker {
            document: &task.document,
            catalogue,
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
    problems: Vec<Problem>,
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
        if let Some(schedule) = &task.trigger.schedule
            && let Err(error) = schedule.parse::<croner::Cron>()
        {
            self.error(
                "/trigger/schedule",
                format!("{schedule:?} is not a schedule: {error}"),
                "Five fields: minute, hour, day of month, month, day of week; for example `*/5 * * * *`.",
            );
        }
        let mut earlier: Vec<&Step> = Vec::new();
        for (index, step) in task.steps.iter().enumerate() {
            let at = format!("/steps/{index}");
            if earlier.iter().any(|other| other.id == step.id) {
                self.error(
                    &format!("{at}/id"),
                    format!("the step `{}` is given twice", step.id),
                    "",
                );
            }
            match (&step.query, &step.call, &step.write) {
                (Some(query), None, None) => self.query(&format!("{at}/query"), query),
                (None, Some(call), None) => self.call(&format!("{at}/call"), call, &earlier),
                (None, None, Some(write)) => self.write(&format!("{at}/write"), write, &earlier),
                _ => self.error(
                    &at,
                    format!("the step `{}` does not have exactly one kind", step.id),
                    "Give one of `query`, `call` and `write`.",
                ),
            }
            earlier.push(step);
        }
    }

    fn query(&mut self, at: &str, query: &QueryStep) {
        self.database(at, &query.database, false);
        let sql = format!("{at}/sql");
        if query.sql.contains("{{") || query.sql.contains("{%") {
            self.error(
                &sql,
                "`sql` is no template",
                "Use a named parameter: write `:name` in the statement and `parameters: { name: … }` beside it.",
            );
        }
        let first = query
            .sql
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_lowercase();
        if !matches!(first.as_str(), "select" | "with" | "values") {
            self.error(
                &sql,
                "`sql` does not begin with SELECT",
                "A query only reads; use a `write` step to write.",
            );
        }
        for (name, value) in &query.parameters {
            self.expressions(&format!("{at}/parameters/{name}"), value);
            if !mentions(&query.sql, name) {
                self.error(
                    &format!("{at}/parameters/{name}"),
                    format!("the statement does not use `:{name}`"),
                    "Remove the parameter, or use it.",
                );
            }
        }
        if let Some(cursor) = &query.cursor {
            let path = format!("{at}/cursor");
            if !mentions(&query.sql, "cursor") {
                self.error(
                    &path,
                    "the statement does not use `:cursor`",
                    format!(
                        "Write for example `where {} > :cursor order by {}`.",
                        cursor.column, cursor.column
                    ),
                );
            }
            if cursor.start.is_none() {
                self.error(
                    &path,
                    "`start` is missing",
                    "Give the value before the first run: `start: 0` sends all rows, a later value only newer ones.",
                );
            }
        }
    }

    fn call(&mut self, at: &str, call: &CallStep, earlier: &[&Step]) {
        if let Some(source) = &call.for_each {
            self.source(&format!("{at}/for_each"), source, earlier);
        }
        for (field, text) in [("key", &call.key), ("when", &call.when)] {
            if let Some(text) = text {
                self.expression(&format!("{at}/{field}"), text);
            }
        }
        if let Some(when) = &call.when {
            let lone = when.trim().starts_with("{{") && when.trim().ends_with("}}");
            if !lone {
                self.error(
                    &format!("{at}/when"),
                    "`when` is not one expression",
                    "Write for example `{{ price is gt(0) }}`.",
                );
            }
            let source_has_cursor = call.for_each.as_ref().is_some_and(|source| {
                earlier
                    .iter()
                    .any(|s| s.id == *source && s.query.as_ref().is_some_and(|q| q.cursor.is_some()))
            });
            if source_has_cursor {
                self.warning(
                    &format!("{at}/when"),
                    "`when` beside a cursor: a record that is not due now is never looked at again",
                    "Put the condition into the statement, or leave the cursor out.",
                );
            }
        }
        // Without a catalogue nobody knows whether the operation only reads; then the safe side is to ask.
        if call.for_each.is_some() && call.key.is_none() && self.may_have_effect(call) {
            self.error(
                at,
                "`key` is missing",
                "Say what makes a record unique, for example `key: \"product-{{ sku }}\"`; it is delivered once per key.",
            );
        }
        for (name, value) in &call.parameters {
            self.expressions(&format!("{at}/with/{name}"), value);
        }
        if let Some(super::Pages::Count(0)) = call.pages {
            self.error(
                &format!("{at}/pages"),
                "0 pages read nothing",
                "Give a positive number or `all`.",
            );
        }
        self.operation(at, call);
    }

    fn may_have_effect(&self, call: &CallStep) -> bool {
        match self
            .catalogue
            .map(|catalogue| catalogue.operation(&call.connection, &call.operation))
        {
            Some(FoundOperation::Found(operation)) => !operation.method.is_safe(),
            _ => true,
        }
    }

    fn operation(&mut self, at: &str, call: &CallStep) {
        let Some(catalogue) = self.catalogue else {
            return;
        };
        let operation = match catalogue.operation(&call.connection, &call.operation) {
            FoundOperation::Found(operation) => operation,
            FoundOperation::NoConnection(known) => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let hint = suggest(call.connection.as_str(), &known, "Connections");
                self.error(
                    &format!("{at}/connection"),
                    format!("there is no connection `{}`", call.connection),
                    hint,
                );
                return;
            }
            FoundOperation::NoOperation(known) => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let hint = suggest(call.operation.as_str(), &known, "Operations");
                self.error(
                    &format!("{at}/operation"),
                    format!("there is no operation `{}`", call.operation),
                    hint,
                );
                return;
            }
        };
        let fields = operation.body.as_ref().map(crate::service::Body::fields);
        let valid: Vec<&str> = operation
            .parameters
            .keys()
            .chain(fields.into_iter().flat_map(BTreeMap::keys))
            .map(String::as_str)
            .collect();
        for name in call.parameters.keys() {
            if !valid.contains(&name.as_str()) {
                let path = format!("{at}/with/{name}");
                let position = self.document.key_position(&path);
                self.problems.push(
                    Problem::error(position, path, format!("the operation has no parameter `{name}`"))
                        .hint(suggest(name, &valid, "It has")),
                );
            }
        }
        let given = |name: &str| {
            call.parameters.contains_key(name)
                || call
                    .cursor
                    .as_ref()
                    .is_some_and(|cursor| cursor.parameter == name)
        };
        let required = operation
            .parameters
            .iter()
            .filter(|(_, p)| p.required && p.default.is_none() && !p.account_id)
            .map(|(name, _)| name)
            .chain(
                fields
                    .into_iter()
                    .flatten()
                    .filter(|(_, f)| f.required && f.default.is_none())
                    .map(|(name, _)| name),
            );
        for name in required {
            if !given(name) {
                self.error(
                    at,
                    format!("the operation needs `{name}`"),
                    format!("Add `with: {{ {name}: … }}`."),
                );
            }
        }
        if !operation.method.is_safe() && call.key.is_none() && call.for_each.is_none() {
            self.error(
                at,
                "`key` is missing",
                "The operation has an effect; say when it may happen again, for example `key: \"report-{{ run.id }}\"`.",
            );
        }
        if operation.method.is_safe() && call.key.is_some() {
            self.warning(
                &format!("{at}/key"),
                "`key` has no effect on an operation that only reads",
                "",
            );
        }
        if call.pages.is_some() && operation.pagination.is_none() {
            self.error(
                &format!("{at}/pages"),
                "the operation has no pages",
                "Remove `pages`.",
            );
        }
        self.call_cursor(at, call, &operation, &valid);
    }

    fn call_cursor(&mut self, at: &str, call: &CallStep, operation: &Operation, valid: &[&str]) {
        if let Some(cursor) = &call.cursor {
            let columns: Vec<&str> = operation
                .result
                .iter()
                .flat_map(|result| result.columns.keys())
                .map(String::as_str)
                .collect();
            if !columns.is_empty() && !columns.contains(&cursor.result.as_str()) {
                let hint = suggest(&cursor.result, &columns, "It has");
                self.error(
                    &format!("{at}/cursor/result"),
                    format!("the result has no column `{}`", cursor.result),
                    hint,
                );
            }
            if !valid.contains(&cursor.parameter.as_str()) {
                let hint = suggest(&cursor.parameter, valid, "It has");
                let message = format!("the operation has no parameter `{}`", cursor.parameter);
                self.error(&format!("{at}/cursor/parameter"), message, hint);
            }
        }
    }

    fn write(&mut self, at: &str, write: &WriteStep, earlier: &[&Step]) {
        self.database(at, &write.database, true);
        self.source(&format!("{at}/from"), &write.from, earlier);
        for (name, value) in &write.columns {
            self.expressions(&format!("{at}/columns/{name}"), value);
        }
        for (index, key) in write.key.iter().enumerate() {
            if !write.columns.is_empty() && !write.columns.contains_key(key) {
                let known: Vec<&str> = write.columns.keys().map(String::as_str).collect();
                self.error(
                    &format!("{at}/key/{index}"),
                    format!("`columns` does not give the key column `{key}`"),
                    suggest(key, &known, "It gives"),
                );
            }
        }
    }

    fn database(&mut self, at: &str, name: &Name, must_write: bool) {
        let Some(catalogue) = self.catalogue else {
            return;
        };
        let path = format!("{at}/database");
        match catalogue.database(name) {
            Some(writable) if must_write && !writable => self.error(
                &path,
                format!("the database `{name}` is not open for writing"),
                format!("Allow it: `tailorbird database add {name} … --writable`."),
            ),
            Some(_) => {}
            None => {
                let known = catalogue.databases();
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let hint = suggest(name.as_str(), &known, "Databases");
                self.error(&path, format!("there is no database `{name}`"), hint);
            }
        }
    }

    /// Complains unless an earlier step of that name yields records.
    fn source(&mut self, path: &str, name: &Name, earlier: &[&Step]) {
        let sources: Vec<&str> = earlier
            .iter()
            .filter(|step| step.write.is_none())
            .map(|step| step.id.as_str())
            .collect();
        if !sources.contains(&name.as_str()) {
            self.error(
                path,
                format!("no earlier step `{name}` yields records"),
                suggest(name.as_str(), &sources, "Earlier steps with records"),
            );
        }
    }

    fn expressions(&mut self, path: &str, value: &serde_json::Value) {
        if let Err(problems) = Expressions::new().add_json(value) {
            for (inner, problem) in problems {
                self.expression_problem(&format!("{path}{inner}"), problem);
            }
        }
    }

    fn expression(&mut self, path: &str, text: &str) {
        if let Err(problem) = Expressions::new().add(text) {
            self.expression_problem(path, problem);
        }
    }

    fn expression_problem(&mut self, path: &str, problem: ExpressionProblem) {
        let position = self.document.position_in_text(path, problem.line, problem.column);
        self.problems
            .push(Problem::error(position, path, problem.message).hint(problem.hint));
    }
}

/// Tells whether a statement uses a named parameter.
fn mentions(sql: &str, name: &str) -> bool {
    let wanted = format!(":{name}");
    sql.match_indices(&wanted).any(|(at, _)| {
        sql.get(at + wanted.len()..)
            .and_then(|rest| rest.chars().next())
            .is_none_or(|next| !(next.is_alphanumeric() || next == '_'))
    })
}
