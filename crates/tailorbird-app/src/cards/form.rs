//! The form of one card: its fields with what stands in them, what they may take, and what is wrong.

use serde_json::Value;
use tailorbird_model::Name;
use tailorbird_model::service::Operation;
use tailorbird_model::task::check::{Catalogue, FoundOperation};
use tailorbird_model::task::fields::{StepField, Takes, about, about_kind, fields};
use tailorbird_model::task::typed::shown;
use tailorbird_model::yaml::Problem;

use super::{card_lines, kind_of, text_of};
use crate::App;
use crate::tasks::task_schema;

/// The fields of the task itself that have a form; the rest of its head is edited as text.
pub(super) const HEAD: &[StepField] = &[
    StepField {
        path: "description",
        label: "What it is for",
        takes: Takes::Message,
    },
    StepField {
        path: "trigger/schedule",
        label: "Schedule",
        takes: Takes::Text,
    },
    StepField {
        path: "trigger/timezone",
        label: "Time zone",
        takes: Takes::Text,
    },
];

/// The form of a card.
#[derive(Debug, Clone)]
pub struct CardForm {
    /// The card, by its JSON Pointer; the head's is empty.
    pub card: String,
    /// The step's id; empty for the head.
    pub id: String,
    /// Its kind; empty for the head.
    pub kind: &'static str,
    /// What the kind does.
    pub about: String,
    /// Its fields.
    pub fields: Vec<CardField>,
    /// Problems of the step that are not of one field.
    pub problems: Vec<Problem>,
}

/// A field of a card.
#[derive(Debug, Clone)]
pub struct CardField {
    /// Its path below the kind's key.
    pub path: &'static str,
    /// Its name on the screen.
    pub label: &'static str,
    /// What it means.
    pub about: String,
    /// Whether a step must have it.
    pub is_required: bool,
    /// What it takes.
    pub takes: Takes,
    /// What stands in it.
    pub text: String,
    /// What stands in it, where it is pairs or branches.
    pub pairs: Vec<(String, String)>,
    /// What it may be, as far as that is known.
    pub options: Vec<String>,
    /// What may stand on the left of a pair.
    pub names: Vec<String>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

impl App {
    /// The form of a card of a text; `problems` are those of the whole text.
    pub fn card_form(&self, document: &Value, card: &str, problems: &[Problem]) -> Option<CardForm> {
        let schema = task_schema();
        let step = document.pointer(card)?;
        let is_head = card.is_empty();
        let kind = if is_head { "" } else { kind_of(step)? };
        let (inner, table, below) = if is_head {
            (step, HEAD, String::new())
        } else {
            (step.get(kind)?, fields(kind), format!("{card}/{kind}"))
        };
        let own: Vec<&Problem> = problems
            .iter()
            .filter(|problem| {
                if is_head {
                    !problem.path.starts_with("/steps")
                } else {
                    is_within(&problem.path, card)
                }
            })
            .filter(|problem| !(kind == "for_each" && problem.path.starts_with(&format!("{below}/steps/"))))
            .collect();
        let place = |field: &StepField| format!("{below}/{}", field.path);
        let mut filled = Vec::new();
        for field in table {
            let told = if is_head {
                head_about(&schema, field.path)
            } else {
                about(&schema, kind, field.path)
            };
            let value = inner.pointer(&format!("/{}", field.path));
            let (options, names) = self.offered(document, card, inner, field);
            filled.push(CardField {
                path: field.path,
                label: field.label,
                about: told.words,
                is_required: told.is_required,
                takes: field.takes,
                text: field_text(field.takes, value),
                pairs: field_pairs(field.takes, value),
                options,
                names,
                problems: own
                    .iter()
                    .filter(|problem| is_within(&problem.path, &place(field)))
                    .map(|problem| (*problem).clone())
                    .collect(),
            });
        }
        let is_of_a_field =
            |problem: &Problem| table.iter().any(|field| is_within(&problem.path, &place(field)));
        Some(CardForm {
            card: card.to_owned(),
            id: if is_head {
                String::new()
            } else {
                text_of(step.get("id"))
            },
            kind,
            about: if is_head {
                String::new()
            } else {
                about_kind(&schema, kind)
            },
            fields: filled,
            problems: own
                .into_iter()
                .filter(|problem| !is_of_a_field(problem))
                .cloned()
                .collect(),
        })
    }

    /// What a field may be, and what may stand on the left of its pairs.
    fn offered(
        &self,
        document: &Value,
        card: &str,
        inner: &Value,
        field: &StepField,
    ) -> (Vec<String>, Vec<String>) {
        let name_of = |key: &str| text_of(inner.get(key)).parse::<Name>().ok();
        let options = match field.takes {
            Takes::Database => Catalogue::databases(self),
            Takes::Connection => Catalogue::connections(self),
            Takes::Operation => name_of("connection")
                .map(|name| self.operation_names(&name))
                .unwrap_or_default(),
            Takes::Table => name_of("database")
                .and_then(|name| Catalogue::tables(self, &name))
                .map(|tables| tables.into_iter().map(|(name, _)| name).collect())
                .unwrap_or_default(),
            Takes::Source => sources(document, card),
            Takes::Task => Catalogue::tasks(self)
                .iter()
                .map(|task| task.task.to_string())
                .collect(),
            Takes::Choice(words) => words.iter().map(|word| (*word).to_owned()).collect(),
            _ => Vec::new(),
        };
        let names = match field.path {
            "with" if inner.get("connection").is_some() => self.operation_of(inner).map(|operation| {
                let parameters = operation.parameters.keys().cloned();
                let body = operation
                    .body
                    .as_ref()
                    .map(|body| body.fields().keys().cloned().collect::<Vec<_>>());
                parameters.chain(body.unwrap_or_default()).collect()
            }),
            "with" => name_of("task")
                .and_then(|name| self.run_variables(&name).ok())
                .map(|known| known.into_iter().map(|one| one.name).collect()),
            "columns" if inner.get("table").is_some() => name_of("database").and_then(|name| {
                let table = text_of(inner.get("table"));
                let tables = Catalogue::tables(self, &name)?;
                Some(
                    tables
                        .into_iter()
                        .find(|(name, _)| name.eq_ignore_ascii_case(&table))?
                        .1,
                )
            }),
            "variables" => document
                .get("variables")
                .and_then(Value::as_object)
                .map(|all| all.keys().cloned().collect()),
            _ => None,
        };
        (options, names.unwrap_or_default())
    }

    fn operation_names(&self, connection: &Name) -> Vec<String> {
        let Ok(stored) = self.stored_connection(connection) else {
            return Vec::new();
        };
        self.services()
            .find(&stored.service)
            .map(|(service, _)| service.operations.keys().map(ToString::to_string).collect())
            .unwrap_or_default()
    }

    /// The operation that a call names.
    pub(crate) fn operation_of(&self, call: &Value) -> Option<Box<Operation>> {
        let connection = text_of(call.get("connection")).parse::<Name>().ok()?;
        let operation = text_of(call.get("operation")).parse::<Name>().ok()?;
        match Catalogue::operation(self, &connection, &operation) {
            FoundOperation::Found(operation) => Some(operation),
            _ => None,
        }
    }
}

fn is_within(path: &str, above: &str) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn head_about(schema: &Value, path: &str) -> tailorbird_model::task::fields::About {
    let pointer = match path.split_once('/') {
        None => format!("/properties/{path}/description"),
        Some((_, rest)) => format!("/$defs/Trigger/properties/{rest}/description"),
    };
    let words = schema
        .pointer(&pointer)
        .and_then(Value::as_str)
        .unwrap_or_default();
    tailorbird_model::task::fields::About {
        words: words.replace('\n', " "),
        is_required: false,
    }
}

fn field_text(takes: Takes, value: Option<&Value>) -> String {
    match (takes, value) {
        (Takes::Names, Some(Value::Array(names))) => {
            let names: Vec<String> = names.iter().map(|name| text_of(Some(name))).collect();
            names.join(", ")
        }
        (Takes::Plain, Some(value)) => shown(value),
        (Takes::Switch(usual), value) => value.and_then(Value::as_bool).unwrap_or(usual).to_string(),
        (Takes::Sql | Takes::Message, value) => text_of(value).trim_end_matches('\n').to_owned(),
        (_, value) => text_of(value),
    }
}

fn field_pairs(takes: Takes, value: Option<&Value>) -> Vec<(String, String)> {
    match (takes, value) {
        (Takes::Pairs, Some(Value::Object(members))) => members
            .iter()
            .map(|(name, value)| (name.clone(), shown(value)))
            .collect(),
        (Takes::Branches, Some(Value::Array(branches))) => branches
            .iter()
            .map(|branch| (text_of(branch.get("name")), text_of(branch.get("when"))))
            .collect(),
        _ => Vec::new(),
    }
}

/// The steps and branches whose records a step can take: those before it in its list, the loop around it, the trigger.
fn sources(document: &Value, card: &str) -> Vec<String> {
    let Some((list, at)) = card.rsplit_once('/') else {
        return Vec::new();
    };
    let at = at.parse::<usize>().unwrap_or(0);
    let mut found = Vec::new();
    if let Some((around, _)) = list.rsplit_once("/for_each/steps") {
        let name = document
            .pointer(&format!("{around}/for_each/as"))
            .and_then(Value::as_str);
        found.push(name.unwrap_or("parent").to_owned());
    } else if let Some(trigger) = document.get("trigger")
        && ["webhook", "file", "database"]
            .iter()
            .any(|kind| trigger.get(kind).is_some())
    {
        found.push("trigger".to_owned());
    }
    for line in card_lines(document) {
        let is_before =
            line.pointer.rsplit_once('/').is_some_and(|(its, _)| its == list) && line.place.0 < at;
        match line.kind {
            _ if !is_before => {}
            "write" | "set" | "wait" | "for_each" => {}
            "decide" => {
                let branches = document
                    .pointer(&format!("{}/decide/branches", line.pointer))
                    .and_then(Value::as_array);
                for branch in branches.into_iter().flatten() {
                    found.push(format!("{}.{}", line.id, text_of(branch.get("name"))));
                }
            }
            _ => found.push(line.id),
        }
    }
    found
}
