//! The fields of each kind of step, as a form shows them: one table beside the types that the file is read into.
//!
//! Order, label and what a field takes stand here; what it means and whether it is needed come from the types' own
//! documentation, by way of the JSON Schema. A test compares the table with what the parser accepts.

use serde_json::Value;

/// What a field takes: which control shows it, and what it offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// The name of a database.
    Database,
    /// The name of a connection.
    Connection,
    /// The name of an operation of the step's connection.
    Operation,
    /// The name of a table of the step's database.
    Table,
    /// An earlier step or branch whose records it takes.
    Source,
    /// The name of a task.
    Task,
    /// A SELECT statement.
    Sql,
    /// A short text with expressions.
    Expression,
    /// A longer text with expressions.
    Message,
    /// Names with values, each a literal or a text with expressions.
    Pairs,
    /// Branches: names, each with a condition.
    Branches,
    /// Names, with commas between them.
    Names,
    /// A text as it stands.
    Text,
    /// A number, a word or another plain value.
    Plain,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// True or false; what it is where it is absent.
    Switch(bool),
}

/// A field of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepField {
    /// Where it stands below the kind's key, with `/` between keys.
    pub path: &'static str,
    /// Its name on the screen.
    pub label: &'static str,
    /// What it takes.
    pub takes: Takes,
}

const fn field(path: &'static str, label: &'static str, takes: Takes) -> StepField {
    StepField { path, label, takes }
}

const QUERY: &[StepField] = &[
    field("database", "Database", Takes::Database),
    field("sql", "SQL", Takes::Sql),
    field("parameters", "Parameters", Takes::Pairs),
    field("cursor/column", "Cursor: column", Takes::Text),
    field("cursor/start", "Cursor: start", Takes::Plain),
    field("cursor/overlap", "Cursor: overlap", Takes::Plain),
];

const CALL: &[StepField] = &[
    field("connection", "Connection", Takes::Connection),
    field("operation", "Operation", Takes::Operation),
    field("for_each", "For each record of", Takes::Source),
    field("key", "Key", Takes::Expression),
    field("when", "Only when", Takes::Expression),
    field("with", "Fields and parameters", Takes::Pairs),
    field("batch", "Records in one request", Takes::Plain),
    field("pages", "Pages", Takes::Plain),
    field("cursor/result", "Cursor: result column", Takes::Text),
    field("cursor/parameter", "Cursor: parameter", Takes::Text),
    field("cursor/start", "Cursor: start", Takes::Text),
];

const WRITE: &[StepField] = &[
    field("database", "Database", Takes::Database),
    field("table", "Table", Takes::Table),
    field("from", "Records of", Takes::Source),
    field("key", "Key columns", Takes::Names),
    field("columns", "Columns", Takes::Pairs),
];

const TRANSFORM: &[StepField] = &[
    field("from", "Records of", Takes::Source),
    field("columns", "New columns", Takes::Pairs),
    field("keep", "Keep the other columns", Takes::Switch(true)),
];

const FILTER: &[StepField] = &[
    field("from", "Records of", Takes::Source),
    field("when", "Only when", Takes::Expression),
    field("only", "Only what is", Takes::Choice(&["new", "changed"])),
    field("key", "Key", Takes::Expression),
    field("compare", "Columns that are compared", Takes::Names),
];

const DECIDE: &[StepField] = &[
    field("from", "Records of", Takes::Source),
    field("branches", "Branches", Takes::Branches),
];

const SET: &[StepField] = &[
    field("from", "Records of", Takes::Source),
    field("variables", "Variables", Takes::Pairs),
];

const FOR_EACH: &[StepField] = &[
    field("from", "Records of", Takes::Source),
    field("as", "Called inside", Takes::Text),
];

const APPROVE: &[StepField] = &[
    field("from", "Records of", Takes::Source),
    field("key", "Key", Takes::Expression),
    field("show", "What the person reads", Takes::Message),
    field("role", "Who may decide", Takes::Text),
    field("expires", "How long it stands", Takes::Text),
];

const CALL_TASK: &[StepField] = &[
    field("task", "Task", Takes::Task),
    field("for_each", "For each record of", Takes::Source),
    field("key", "Key", Takes::Expression),
    field("with", "Values for its variables", Takes::Pairs),
];

const WAIT: &[StepField] = &[
    field("for", "How long", Takes::Text),
    field("until", "Until", Takes::Expression),
];

/// The fields of a kind of step, in the order of a form; none where there is no such kind.
pub fn fields(kind: &str) -> &'static [StepField] {
    match kind {
        "query" => QUERY,
        "call" => CALL,
        "write" => WRITE,
        "transform" => TRANSFORM,
        "filter" => FILTER,
        "decide" => DECIDE,
        "set" => SET,
        "for_each" => FOR_EACH,
        "approve" => APPROVE,
        "call_task" => CALL_TASK,
        "wait" => WAIT,
        _ => &[],
    }
}

/// What the types say of a field: what it means, and whether a step must have it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// What it means.
    pub words: String,
    /// Whether a step must have it.
    pub is_required: bool,
}

/// What the schema of task files says of a kind of step.
pub fn about_kind(schema: &Value, kind: &str) -> String {
    let step = schema.pointer(&format!("/$defs/Step/properties/{kind}/description"));
    step.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What the schema of task files says of a field.
pub fn about(schema: &Value, kind: &str, path: &str) -> About {
    let mut found = About::default();
    let Some(mut part) = schema.pointer(&format!("/$defs/Step/properties/{kind}")) else {
        return found;
    };
    let mut is_required = true;
    for key in path.split('/') {
        part = resolved(schema, part);
        let names = part.get("required").and_then(Value::as_array);
        is_required &= names.is_some_and(|names| names.iter().any(|name| name == key));
        let Some(next) = part.get("properties").and_then(|all| all.get(key)) else {
            return found;
        };
        part = next;
        let own = part.get("description").and_then(Value::as_str);
        found.words = own.unwrap_or_default().replace('\n', " ");
    }
    found.is_required = is_required;
    found
}

/// What a reference, or an alternative to nothing, leads to.
fn resolved<'s>(schema: &'s Value, part: &'s Value) -> &'s Value {
    let alternatives = part.get("anyOf").and_then(Value::as_array);
    let part = alternatives
        .and_then(|all| all.iter().find(|one| one.get("$ref").is_some()))
        .unwrap_or(part);
    part.get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| schema.pointer(reference.strip_prefix('#')?))
        .unwrap_or(part)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::task::{Step, Task};
    use crate::yaml::shape::schema_of;

    /// The paths that the parser accepts below a kind's key.
    fn accepted(schema: &Value, part: &Value, path: &str, found: &mut BTreeSet<String>) {
        for (name, member) in resolved(schema, part)["properties"].as_object().unwrap() {
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}/{name}")
            };
            let inner = resolved(schema, member);
            if inner.get("properties").is_some() {
                accepted(schema, inner, &path, found);
            } else {
                found.insert(path);
            }
        }
    }

    #[test]
    fn the_table_has_what_the_parser_accepts_and_nothing_else() {
        let schema = schema_of::<Task>();
        for kind in Step::KINDS {
            let mut expected = BTreeSet::new();
            accepted(
                &schema,
                &schema["$defs"]["Step"]["properties"][kind],
                "",
                &mut expected,
            );
            // Nested steps are cards of their own.
            expected.remove("steps");
            let listed: Vec<String> = fields(kind).iter().map(|field| field.path.to_owned()).collect();
            assert_eq!(
                listed.iter().cloned().collect::<BTreeSet<_>>(),
                expected,
                "{kind}"
            );
            assert_eq!(listed.len(), expected.len(), "{kind}");
            assert!(!about_kind(&schema, kind).is_empty(), "{kind}");
            for field in fields(kind) {
                assert!(
                    !about(&schema, kind, field.path).words.is_empty(),
                    "{kind} {}",
                    field.path
                );
            }
        }
        assert!(about(&schema, "query", "sql").is_required);
        assert!(
            !about(&schema, "query", "cursor/column").is_required,
            "only where there is a cursor"
        );
    }
}
