//! Checks of the steps that change, choose and go through records.

use std::collections::{BTreeMap, BTreeSet};

use super::{Checker, Sources};
use crate::task::{ApproveStep, DecideStep, FilterStep, ForEachStep, Only, SetStep, TransformStep, Variable};
use crate::yaml::shape::suggest;

/// Names that expressions see beside a record's columns.
const RESERVED: [&str; 6] = ["result", "delivered_at", "account", "run", "variables", "trigger"];

impl Checker<'_> {
    pub(super) fn declared(&mut self, variables: &BTreeMap<String, Variable>) {
        for (name, variable) in variables {
            let path = format!("/variables/{name}");
            if !is_identifier(name) {
                self.error(
                    &path,
                    format!("`{name}` cannot be read in an expression"),
                    "A variable's name is made of letters, digits and `_`, and begins with a letter.",
                );
            }
            if holds_expression(&variable.value) {
                self.error(
                    &format!("{path}/value"),
                    "the first value of a variable is a literal",
                    "Change it by a `set` step, which may use expressions.",
                );
            }
        }
    }

    pub(super) fn transform(&mut self, at: &str, transform: &TransformStep, sources: &Sources) {
        self.source(&format!("{at}/from"), &transform.from, sources);
        if transform.columns.is_empty() && transform.keep {
            self.error(
                &format!("{at}/columns"),
                "`columns` gives nothing, so nothing changes",
                "Give columns, or remove the step.",
            );
        }
        for (name, value) in &transform.columns {
            let path = format!("{at}/columns/{name}");
            self.expressions(&path, value);
            if RESERVED.contains(&name.as_str()) {
                self.error(
                    &path,
                    format!("`{name}` is a reserved name"),
                    "Choose another name for the column.",
                );
            }
        }
    }

    pub(super) fn filter(&mut self, at: &str, filter: &FilterStep, sources: &Sources) {
        self.source(&format!("{at}/from"), &filter.from, sources);
        if let Some(when) = &filter.when {
            self.condition(&format!("{at}/when"), when);
            self.not_beside_a_cursor(&format!("{at}/when"), Some(&filter.from), sources);
        }
        if let Some(key) = &filter.key {
            self.expression(&format!("{at}/key"), key);
        }
        match (filter.only, &filter.when, &filter.key) {
            (None, None, _) => self.error(
                at,
                "the filter lets everything through",
                "Give `when`, or `only: new` or `only: changed` with a `key`.",
            ),
            (Some(_), _, None) => self.error(
                at,
                "`key` is missing",
                "Say what names a record in the memory, for example `key: \"{{ id }}\"`.",
            ),
            (None, _, Some(_)) => self.error(
                &format!("{at}/key"),
                "`key` without `only` does nothing",
                "Add `only: new` or `only: changed`, or remove it.",
            ),
            _ => {}
        }
        if !filter.compare.is_empty() && filter.only != Some(Only::Changed) {
            self.error(
                &format!("{at}/compare"),
                "`compare` without `only: changed` does nothing",
                "Write `only: changed`, or remove it.",
            );
        }
    }

    pub(super) fn decide(&mut self, at: &str, decide: &DecideStep, sources: &Sources) {
        self.source(&format!("{at}/from"), &decide.from, sources);
        let mut rest: Option<&str> = None;
        let mut names = BTreeSet::new();
        for (index, branch) in decide.branches.iter().enumerate() {
            let path = format!("{at}/branches/{index}");
            if !names.insert(&branch.name) {
                let message = format!("the branch `{}` is given twice", branch.name);
                self.error(&format!("{path}/name"), message, "");
            }
            if let Some(rest) = rest {
                self.error(
                    &path,
                    format!("no record reaches the branch `{}`", branch.name),
                    format!("The branch `{rest}` has no `when` and takes all that is left; put it last."),
                );
            }
            match &branch.when {
                Some(when) => self.condition(&format!("{path}/when"), when),
                None => rest = rest.or(Some(branch.name.as_str())),
            }
        }
        if rest.is_none() {
            let path = format!("{at}/branches");
            self.not_beside_a_cursor(&path, Some(&decide.from), sources);
        }
    }

    pub(super) fn set(&mut self, at: &str, set: &SetStep, sources: &Sources) {
        if let Some(from) = &set.from {
            self.source(&format!("{at}/from"), from, sources);
        }
        if set.variables.is_empty() {
            self.error(&format!("{at}/variables"), "`variables` sets nothing", "");
        }
        let declared: Vec<&str> = self.task.variables.keys().map(String::as_str).collect();
        for (name, value) in &set.variables {
            let path = format!("{at}/variables/{name}");
            self.expressions(&path, value);
            if !declared.contains(&name.as_str()) {
                self.error(
                    &path,
                    format!("the task declares no variable `{name}`"),
                    suggest(name, &declared, "It declares"),
                );
            }
        }
    }

    pub(super) fn approve(&mut self, at: &str, approve: &ApproveStep, sources: &Sources) {
        self.source(&format!("{at}/from"), &approve.from, sources);
        self.expression(&format!("{at}/key"), &approve.key);
        if let Some(show) = &approve.show {
            self.expression(&format!("{at}/show"), show);
        }
        if approve.expires.seconds() == 0 {
            self.error(
                &format!("{at}/expires"),
                "nobody can decide in no time",
                "Give a length of time, for example `2d`.",
            );
        }
    }

    pub(super) fn for_each(&mut self, at: &str, each: &ForEachStep, sources: &Sources) {
        self.source(&format!("{at}/from"), &each.from, sources);
        let name = each.name.as_str();
        let path = format!("{at}/as");
        if !is_identifier(name) {
            self.error(
                &path,
                format!("`{name}` cannot be read in an expression"),
                "It is made of letters, digits and `_`, and begins with a letter.",
            );
        }
        if RESERVED.contains(&name) {
            self.error(
                &path,
                format!("`{name}` is a reserved name"),
                "Choose another one.",
            );
        }
        if each.steps.iter().any(|step| step.id == each.name) {
            self.error(
                &path,
                format!("`{name}` is also the name of a step inside"),
                "Choose another name for one of them.",
            );
        }
    }
}

/// Tells whether an expression can read a name.
fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn holds_expression(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains("{{") || text.contains("{%"),
        serde_json::Value::Array(items) => items.iter().any(holds_expression),
        serde_json::Value::Object(members) => members.values().any(holds_expression),
        _ => false,
    }
}
