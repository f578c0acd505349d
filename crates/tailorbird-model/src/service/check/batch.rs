//! Checks of operations that take lists.

use super::Checker;
use crate::service::{
    Batch, Body, FieldType, FoundBy, IdempotencyKey, LimitCounts, Operation, ParameterPlace, Service,
};
use crate::yaml::shape::suggest;

impl Checker<'_> {
    pub(super) fn batch(&mut self, at: &str, operation: &Operation) {
        let Some(batch) = &operation.batch else {
            if let Some(IdempotencyKey::Item(_)) = &operation.idempotency_key {
                self.say(
                    &format!("{at}/idempotency_key/item"),
                    "the operation has no `batch`, so there are no items",
                    "Use `idempotency_key: { header: NAME }` or `{ field: NAME }`, or add `batch`.",
                );
            }
            if operation
                .cost
                .as_ref()
                .is_some_and(|cost| cost.per_item.is_some())
            {
                self.say(
                    &format!("{at}/cost/per_item"),
                    "the operation has no `batch`, so there are no items",
                    "State the price as `per_call`, or add `batch`.",
                );
            }
            return;
        };
        let path = format!("{at}/batch");
        self.list_parameter(&path, batch, operation);
        self.item_key(at, operation);
        if operation.pagination.is_some() {
            self.say(
                &path,
                "an operation with pages takes no batches",
                "Remove `batch` or `pagination`.",
            );
        }
        let Some(outcomes) = &batch.outcomes else {
            return;
        };
        let path = format!("{path}/outcomes");
        let pointers = [
            ("at", &outcomes.at),
            ("refused", &outcomes.refused),
            ("accepted", &outcomes.accepted),
            ("status", &outcomes.status),
        ];
        for (name, pointer) in pointers {
            if let Some(pointer) = pointer {
                self.pointer(&format!("{path}/{name}"), name, pointer);
            }
        }
        for (path, by) in [
            (format!("{path}/by"), outcomes.by.as_ref()),
            (
                format!("{path}/errors/by"),
                outcomes.errors.as_ref().map(|list| &list.by),
            ),
        ] {
            match by {
                Some(FoundBy::Value(same)) => {
                    self.pointer(&format!("{path}/item"), "item", &same.item);
                    self.pointer(&format!("{path}/entry"), "entry", &same.entry);
                }
                Some(FoundBy::Index(number)) => {
                    self.pointer(&format!("{path}/index"), "index", &number.index);
                }
                None => {}
            }
        }
        if let Some(list) = &outcomes.errors {
            self.pointer(&format!("{path}/errors/at"), "at", &list.at);
        }
        let has_list = outcomes.at.is_some()
            || operation
                .result
                .as_ref()
                .is_some_and(|result| result.records.is_some());
        if !has_list && outcomes.errors.is_none() {
            self.say(
                &path,
                "there is no list of outcomes",
                "Give `at`, the JSON Pointer to the list, or `errors`, or `records` in `result`. Where an accepted \
                 request takes all items, remove `outcomes`.",
            );
        }
    }

    /// The list needs a place that can take several values.
    fn list_parameter(&mut self, path: &str, batch: &Batch, operation: &Operation) {
        let name = &batch.parameter;
        let path = format!("{path}/parameter");
        let (kind, is_json) = match (&operation.body, operation.parameters.get(name)) {
            (Some(body), None) if body.fields().contains_key(name) => {
                if matches!(body, Body::Multipart(_)) {
                    return self.say(
                        &path,
                        "a multipart body takes no list",
                        "Only JSON and form bodies and the query do.",
                    );
                }
                let kind = body
                    .fields()
                    .get(name)
                    .map(|field| field.kind)
                    .unwrap_or_default();
                (kind, matches!(body, Body::Json(_)))
            }
            (_, Some(parameter)) if parameter.place == ParameterPlace::Query => (parameter.kind, false),
            (_, Some(_)) => {
                return self.say(
                    &path,
                    format!("`{name}` takes no list: it is no query parameter"),
                    "Only JSON and form bodies and the query do.",
                );
            }
            _ => {
                let fields = operation.body.iter().flat_map(|body| body.fields().keys());
                let known: Vec<&str> = fields
                    .chain(operation.parameters.keys())
                    .map(String::as_str)
                    .collect();
                return self.say(
                    &path,
                    format!("the operation has no field `{name}`"),
                    suggest(name, &known, "It has"),
                );
            }
        };
        match kind {
            FieldType::List => {}
            FieldType::Json if is_json => {}
            _ => self.say(
                &path,
                format!("`{name}` is no list"),
                "Give it `type: list` (of texts), or in a JSON body `type: json` (of objects).",
            ),
        }
    }

    /// A key inside each item needs items that are objects.
    fn item_key(&mut self, at: &str, operation: &Operation) {
        let (Some(IdempotencyKey::Item(_)), Some(batch)) = (&operation.idempotency_key, &operation.batch)
        else {
            return;
        };
        let is_object = match &operation.body {
            Some(Body::Json(fields)) => fields
                .get(&batch.parameter)
                .is_some_and(|field| field.kind == FieldType::Json),
            _ => false,
        };
        if !is_object {
            self.say(
                &format!("{at}/idempotency_key/item"),
                "the items are no JSON objects, so there is no place for a key in them",
                "Give the list `type: json` in a JSON body, or remove the key.",
            );
        }
    }

    /// A limit on items needs an operation that takes them.
    pub(super) fn counted_items(&mut self, service: &Service) {
        for (index, limit) in service.limits.iter().enumerate() {
            let takes_items = match &limit.operation {
                Some(name) => service
                    .operations
                    .get(name)
                    .is_none_or(|operation| operation.batch.is_some()),
                None => service
                    .operations
                    .values()
                    .any(|operation| operation.batch.is_some()),
            };
            if limit.counts == LimitCounts::Items && !takes_items {
                self.say(
                    &format!("/limits/{index}/counts"),
                    "nothing that it counts takes batches",
                    "Remove `counts`, or give the operation a `batch`.",
                );
            }
        }
    }
}
