//! Expressions and texts with expressions: MiniJinja, strict, exact for decimals.
//!
//! A text that is one `{{ expression }}` keeps its type; a text with expressions inside becomes text; any
//! other text is itself. An unknown name, a null inside a text and an operator on numbers are errors, because
//! each of them would otherwise post nonsense to real customers.

mod convert;
mod exact;
pub mod functions;
mod nesting;
mod operators;
mod scope;
mod size;

use std::ops::Range;

use minijinja::{Environment, ErrorKind, UndefinedBehavior};

pub use nesting::{MAX_BLOCKS, MAX_BRACKETS, MAX_COMMAS, MAX_LINKS};
pub use scope::Scope;
pub use size::MAX_YIELD;

use crate::codes;
use crate::{Failure, Meaning, Value};

/// How much work one evaluation may do, in MiniJinja's instructions.
pub const FUEL: u64 = 50_000;
/// The longest text an expression is read from, in bytes.
pub const MAX_SOURCE: usize = 64 * 1024;

/// Why a text with expressions cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionProblem {
    /// The line in the text, from 0.
    pub line: usize,
    /// The column in the line, in characters, from 0.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Problems of the texts inside a literal, each with the JSON Pointer of its text.
pub type PlacedProblems = Vec<(String, ExpressionProblem)>;

/// A value of a mapping, ready to be evaluated for each record.
#[derive(Debug, Clone)]
pub enum Template {
    /// A literal.
    Literal(Value),
    /// A text that is one expression, or has expressions inside.
    Compiled(Compiled),
    /// A list or object of templates.
    List(Vec<Template>),
    /// An object of templates.
    Object(Vec<(String, Template)>),
}

/// A compiled text.
#[derive(Debug, Clone)]
pub struct Compiled {
    name: String,
    source: String,
    is_expression: bool,
    /// The names that it reads, members with dots.
    names: Vec<String>,
}

impl Template {
    /// The names of the task's variables that it reads (`variables.NAME`).
    pub fn variables(&self) -> Vec<String> {
        let mut members: Vec<String> = self.members_of("variables").into_iter().flatten().collect();
        members.dedup();
        members
    }

    /// What it reads of a name: each member, in order, and none of them where it reads the whole or names a member by
    /// an expression.
    pub fn members_of(&self, root: &str) -> Vec<Option<String>> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Compiled(compiled) => {
                let of_root = compiled.names.iter().filter_map(|name| name.strip_prefix(root));
                of_root
                    .filter_map(|rest| match rest.strip_prefix('.') {
                        Some(rest) => Some(rest.split('.').next().map(str::to_owned)),
                        None => rest.is_empty().then_some(None),
                    })
                    .collect()
            }
            Self::List(items) => items.iter().flat_map(|item| item.members_of(root)).collect(),
            Self::Object(members) => members
                .iter()
                .flat_map(|(_, member)| member.members_of(root))
                .collect(),
        }
    }
}

/// The compiled expressions of a step.
#[derive(Debug)]
pub struct Expressions {
    environment: Environment<'static>,
    count: usize,
}

impl Default for Expressions {
    fn default() -> Self {
        Self::new()
    }
}

/// The variable that a lone expression's value is caught in.
const CAUGHT: &str = "__tailorbird_value";

impl Expressions {
    /// No expressions yet.
    pub fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_debug(true);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_formatter(|out, state, value| {
            if value.is_none() {
                return Err(minijinja::Error::new(
                    ErrorKind::InvalidOperation,
                    "a null value stands inside a text; write for example `{{ name | default(\"-\", true) }}`",
                ));
            }
            minijinja::escape_formatter(out, state, value)
        });
        exact::install(&mut environment);
        Self {
            environment,
            count: 0,
        }
    }

    /// Compiles a text.
    ///
    /// # Errors
    /// Syntax that cannot be read, unknown filters and tests, operators on numbers, statements that load
    /// other templates.
    pub fn add(&mut self, source: &str) -> Result<Template, ExpressionProblem> {
        if !source.contains("{{") && !source.contains("{%") && !source.contains("{#") {
            return Ok(Template::Literal(Value::Text(source.to_owned())));
        }
        if source.len() > MAX_SOURCE {
            return Err(ExpressionProblem {
                line: 0,
                column: 0,
                message: format!(
                    "the text has {} bytes; at most {MAX_SOURCE} are read",
                    source.len()
                ),
                hint: String::new(),
            });
        }
        operators::check(source)?;
        let lone = lone_expression(source);
        self.count += 1;
        let name = self.count.to_string();
        let (text, before) = lone.map_or_else(
            || (source.to_owned(), 0),
            |expression| {
                let before = format!("{{% set {CAUGHT} = (");
                (format!("{before}{expression}) %}}"), before.len())
            },
        );
        self.environment
            .add_template_owned(name.clone(), text)
            .map_err(|error| problem(&error, source, before))?;
        operators::check_names(source, &self.environment)?;
        let names = self
            .environment
            .get_template(&name)
            .map(|template| names_of(&template))
            .unwrap_or_default();
        Ok(Template::Compiled(Compiled {
            name,
            source: source.to_owned(),
            is_expression: lone.is_some(),
            names,
        }))
    }

    /// Compiles every text inside a literal from a file. Problems carry the JSON Pointer of their text.
    ///
    /// # Errors
    /// All problems of all texts inside.
    pub fn add_json(&mut self, json: &serde_json::Value) -> Result<Template, PlacedProblems> {
        match json {
            serde_json::Value::String(text) => {
                self.add(text).map_err(|problem| vec![(String::new(), problem)])
            }
            serde_json::Value::Array(items) => {
                let compiled = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| (index.to_string(), item));
                self.add_members(compiled).map(|members| {
                    Template::List(members.into_iter().map(|(_, template)| template).collect())
                })
            }
            serde_json::Value::Object(members) => self
                .add_members(members.iter().map(|(name, item)| (name.clone(), item)))
                .map(Template::Object),
            plain => Ok(Template::Literal(Value::from_json(plain))),
        }
    }

    fn add_members<'j>(
        &mut self,
        members: impl Iterator<Item = (String, &'j serde_json::Value)>,
    ) -> Result<Vec<(String, Template)>, PlacedProblems> {
        let (mut compiled, mut problems) = (Vec::new(), Vec::new());
        for (name, member) in members {
            match self.add_json(member) {
                Ok(template) => compiled.push((name, template)),
                Err(found) => {
                    problems.extend(found.into_iter().map(|(path, p)| (format!("/{name}{path}"), p)));
                }
            }
        }
        if problems.is_empty() {
            Ok(compiled)
        } else {
            Err(problems)
        }
    }

    /// Evaluates a template for one record.
    ///
    /// # Errors
    /// MAP-002 for a name that the record lacks, MAP-001 for everything else.
    pub fn evaluate(&self, template: &Template, scope: &Scope) -> Result<Value, Failure> {
        match template {
            Template::Literal(value) => Ok(value.clone()),
            Template::List(items) => {
                let items: Result<Vec<_>, _> = items.iter().map(|item| self.evaluate(item, scope)).collect();
                Ok(Value::Json(items?.iter().map(Value::to_json).collect()))
            }
            Template::Object(members) => {
                let mut object = serde_json::Map::new();
                for (name, member) in members {
                    object.insert(name.clone(), self.evaluate(member, scope)?.to_json());
                }
                Ok(Value::Json(object.into()))
            }
            Template::Compiled(compiled) => self.run(compiled, scope),
        }
    }

    /// Evaluates a condition.
    ///
    /// # Errors
    /// MAP-004 where the value is not true or false.
    pub fn truth(&self, template: &Template, scope: &Scope) -> Result<bool, Failure> {
        match self.evaluate(template, scope)? {
            Value::Boolean(truth) => Ok(truth),
            other => Err(Failure::new(
                codes::WHEN,
                Meaning::Rejected,
                format!(
                    "the condition yields {} ({other}), not true or false",
                    other.type_name()
                ),
            )
            .hint("Compare explicitly, for example `{{ price is gt(0) }}` or `{{ status == \"open\" }}`.")),
        }
    }

    fn run(&self, compiled: &Compiled, scope: &Scope) -> Result<Value, Failure> {
        let template = self
            .environment
            .get_template(&compiled.name)
            .map_err(|error| internal(&format!("a compiled expression is gone: {error}")))?;
        let mut output = size::Bounded::default();
        let captured = template.render_captured_to(scope.context(), &mut output);
        if output.is_over() {
            return Err(too_large(compiled));
        }
        let captured = captured.map_err(|error| evaluation_failure(&error, compiled, scope, &template))?;
        if !compiled.is_expression {
            return Ok(Value::Text(output.into_text()));
        }
        let value = captured
            .state()
            .lookup(CAUGHT)
            .ok_or_else(|| internal("the value of an expression was not caught"))?;
        if value.is_undefined() {
            return Err(unknown_name(compiled, scope, &template));
        }
        if !size::fits(&value) {
            return Err(too_large(compiled));
        }
        convert::from_jinja(&value).map_err(|message| {
            Failure::new(
                codes::EXPRESSION,
                Meaning::Rejected,
                format!("`{}`: {message}", compiled.source),
            )
        })
    }
}

/// The names that a text reads, in order.
fn names_of(template: &minijinja::Template<'_, '_>) -> Vec<String> {
    let mut names: Vec<String> = template.undeclared_variables(true).into_iter().collect();
    names.sort();
    names
}

fn internal(invariant: &str) -> Failure {
    Failure::new(codes::INTERNAL, Meaning::Rejected, invariant)
}

/// The expression of a text that is nothing but `{{ expression }}`.
fn lone_expression(source: &str) -> Option<&str> {
    let inner = source.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    if inner.contains("{{") || inner.contains("}}") || inner.contains("{%") {
        return None;
    }
    Some(inner.trim_matches('-'))
}

/// Line and column, from 0, of a byte offset.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
    (line, column)
}

fn problem(error: &minijinja::Error, source: &str, before: usize) -> ExpressionProblem {
    let shift = if before == 0 {
        0
    } else {
        source.find("{{").map_or(0, |at| at + 2)
    };
    let offset = error
        .range()
        .map_or(0, |Range { start, .. }| start.saturating_sub(before) + shift);
    let (line, column) = line_and_column(source, offset);
    ExpressionProblem {
        line,
        column,
        message: words(error),
        hint:
            "Expressions look like `{{ name }}`, `{{ price | money(currency) }}` or `{{ price is gt(0) }}`."
                .to_owned(),
    }
}

fn words(error: &minijinja::Error) -> String {
    error.detail().map_or_else(
        || error.kind().to_string(),
        |detail| format!("{}: {detail}", error.kind()),
    )
}

fn evaluation_failure(
    error: &minijinja::Error,
    compiled: &Compiled,
    scope: &Scope,
    template: &minijinja::Template<'_, '_>,
) -> Failure {
    if error.kind() == ErrorKind::UndefinedError {
        return unknown_name(compiled, scope, template);
    }
    if error.kind() == ErrorKind::OutOfFuel {
        return Failure::new(
            codes::EXPRESSION,
            Meaning::Rejected,
            "an expression did too much work",
        )
        .detail(format!("`{}` needed more than {FUEL} steps.", compiled.source));
    }
    let root = std::iter::successors(Some(error), |e| {
        std::error::Error::source(*e).and_then(|source| source.downcast_ref::<minijinja::Error>())
    })
    .last()
    .unwrap_or(error);
    Failure::new(
        codes::EXPRESSION,
        Meaning::Rejected,
        format!("could not evaluate `{}`", compiled.source),
    )
    .detail(format!("{}.", words(root)))
    .hint("Look at the values of this record; `tailorbird explain MAP-001` lists the filters and tests.")
}

fn too_large(compiled: &Compiled) -> Failure {
    Failure::new(
        codes::EXPRESSION,
        Meaning::Rejected,
        format!("`{}` yields more than {MAX_YIELD} bytes", compiled.source),
    )
    .hint("Shorten the value, for example `{{ description | shorten(280) }}`, or select less in the SQL statement.")
}

fn unknown_name(compiled: &Compiled, scope: &Scope, template: &minijinja::Template<'_, '_>) -> Failure {
    let mut wanted: Vec<String> = template.undeclared_variables(true).into_iter().collect();
    wanted.sort();
    let known = scope.names();
    let missing: Vec<&str> = wanted
        .iter()
        .map(String::as_str)
        .filter(|name| !scope.knows(name) && *name != CAUGHT)
        .collect();
    let named = missing.first().copied().unwrap_or("name");
    let valid: Vec<&str> = known.iter().map(String::as_str).collect();
    Failure::new(
        codes::COLUMN_UNKNOWN,
        Meaning::Rejected,
        format!(
            "the record has no column `{named}`, which `{}` names",
            compiled.source
        ),
    )
    .hint(crate::yaml::shape::suggest(named, &valid, "It has"))
}
