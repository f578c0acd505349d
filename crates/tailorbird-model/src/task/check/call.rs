//! Checks of the steps that call operations.

use std::collections::BTreeMap;

use super::{Checker, FoundOperation, Sources};
use crate::service::{Body, IdempotencyKey, Operation};
use crate::task::{CallStep, Pages};
use crate::yaml::Problem;
use crate::yaml::shape::suggest;

impl Checker<'_> {
    pub(super) fn call(&mut self, at: &str, call: &CallStep, sources: &Sources) {
        if let Some(source) = &call.for_each {
            self.source(&format!("{at}/for_each"), source, sources);
        }
        if let Some(key) = &call.key {
            self.expression(&format!("{at}/key"), key);
        }
        if let Some(when) = &call.when {
            self.condition(&format!("{at}/when"), when);
            self.not_beside_a_cursor(&format!("{at}/when"), call.for_each.as_ref(), sources);
        }
        if call.for_each.is_some() && call.key.is_none() {
            self.key_wanted(at, call);
        }
        for (name, value) in &call.parameters {
            self.expressions(&format!("{at}/with/{name}"), value);
        }
        if let Some(Pages::Count(0)) = call.pages {
            self.error(
                &format!("{at}/pages"),
                "0 pages read nothing",
                "Give a positive number or `all`.",
            );
        }
        self.packing(at, call);
        self.operation(at, call);
    }

    /// What `batch` needs whatever the operation is.
    fn packing(&mut self, at: &str, call: &CallStep) {
        if call.batch.is_none() {
            return;
        }
        let path = format!("{at}/batch");
        if call.for_each.is_none() {
            self.error(
                &path,
                "`batch` packs records, and the step takes none",
                "Add `for_each`, or remove `batch`.",
            );
        }
        for (name, is_given) in [("pages", call.pages.is_some()), ("cursor", call.cursor.is_some())] {
            if is_given {
                self.error(
                    &path,
                    format!("`batch` does not go with `{name}`"),
                    "A listing is not read in batches; keep one of them.",
                );
            }
        }
    }

    /// What `batch` needs of the operation.
    fn packed(&mut self, at: &str, call: &CallStep, operation: &Operation) {
        let Some(most) = call.batch else {
            return;
        };
        let path = format!("{at}/batch");
        let Some(batch) = &operation.batch else {
            self.error(
                &path,
                format!("the operation `{}` takes one record at a time", call.operation),
                "Remove `batch`. Where the provider takes a list, say so in the service file: `batch: { parameter: NAME, max: N }`.",
            );
            return;
        };
        if most > batch.max {
            self.error(
                &path,
                format!("the operation takes at most {} records at once", batch.max),
                format!("Write `batch: {}` or less.", batch.max),
            );
        }
        let name = &batch.parameter;
        match call.parameters.get(name) {
            None => self.error(
                at,
                format!("`{name}` is missing: it is the record's item in the batch"),
                format!(
                    "Add `with: {{ {name}: … }}`, one item; the list is made of the items of many records."
                ),
            ),
            Some(serde_json::Value::Array(_)) => self.error(
                &format!("{at}/with/{name}"),
                format!("with `batch`, `{name}` is one item and no list"),
                "Take the brackets away; the list is made of the items of many records.",
            ),
            Some(_) => {}
        }
        if let Some(IdempotencyKey::Header(_) | IdempotencyKey::Field(_)) = &operation.idempotency_key {
            self.error(
                &path,
                "the operation has an idempotency key for the whole request, so its requests are not packed",
                "A repeat would need the very same batch. Remove `batch`; or, where the provider takes a key in each item,                  write `idempotency_key: { item: NAME }` in the service file.",
            );
        }
    }

    /// Complains of a missing key where the operation has an effect. Where the connection or the operation is not
    /// there, that is what has to be mended first, and nobody knows whether it only reads; a run refuses to send
    /// without a key in any case.
    fn key_wanted(&mut self, at: &str, call: &CallStep) {
        let hint = "Say what makes a record unique, for example `key: \"product-{{ sku }}\"`; it is delivered once per key.";
        match self
            .catalogue
            .map(|catalogue| catalogue.operation(&call.connection, &call.operation))
        {
            Some(FoundOperation::Found(operation)) if !operation.method.is_safe() => {
                self.error(at, "`key` is missing", hint);
            }
            Some(_) => {}
            None => self.warning(at, "`key` is missing, unless the operation only reads", hint),
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
        let fields = operation.body.as_ref().map(Body::fields);
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
        let item = call
            .batch
            .and(operation.batch.as_ref())
            .map(|batch| batch.parameter.as_str());
        for name in required {
            // What is missing of a batch is said there.
            if !given(name) && item != Some(name.as_str()) {
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
        self.packed(at, call, &operation);
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
}
