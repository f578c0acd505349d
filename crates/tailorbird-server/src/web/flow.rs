//! A task as cards on a line: what each step does, in one line, and what came through.

use serde_json::Value;
use tailorbird_app::StepProgress;
use tailorbird_model::run::Counts;
use tailorbird_model::task::{Step, Task};

use super::view::{Badge, in_short};

/// Characters of a summary.
const MAX_SUMMARY: usize = 160;

/// One step.
#[derive(Debug, Clone)]
pub(super) struct Card {
    /// Its path in the task.
    pub path: String,
    /// Its own name.
    pub name: String,
    /// The kind, in the file's word.
    pub kind: &'static str,
    /// The kind, for people.
    pub word: String,
    /// The group that colours its mark: `in`, `out`, `gate` or empty.
    pub group: &'static str,
    /// How deep it is nested.
    pub depth: usize,
    /// What it does.
    pub line: String,
    /// More of it: SQL, the text of a request.
    pub more: String,
    /// Where it stands in a run.
    pub state: Option<Badge>,
    /// What it counted in a run.
    pub joint: String,
}

/// Adds what came through at each step of a run. What a step reads and leaves out is its own; what was sent and written
/// is counted for the run, so it stands at the one step that sends or writes, and nowhere where there are several.
pub(super) fn join(cards: &mut [Card], steps: &[StepProgress], whole: &Counts) {
    let only = |kind: &str, cards: &[Card]| cards.iter().filter(|card| card.kind == kind).count() == 1;
    let (one_call, one_write) = (only("call", cards), only("write", cards));
    for card in cards {
        let own = steps
            .iter()
            .find(|step| step.path == card.path)
            .map(|step| step.counts);
        let counts = match card.kind {
            "call" if one_call => Counts {
                written: 0,
                read: own.map_or(0, |own| own.read),
                not_due: 0,
                ..*whole
            },
            "write" if one_write => Counts {
                written: whole.written,
                ..Counts::default()
            },
            _ => Counts {
                read: own.map_or(0, |own| own.read),
                not_due: own.map_or(0, |own| own.not_due),
                ..Counts::default()
            },
        };
        if counts != Counts::default() {
            card.joint = in_short(&counts);
        }
    }
}

/// The cards of a task, in their order.
pub(super) fn cards(task: &Task) -> Vec<Card> {
    task.flat_steps()
        .into_iter()
        .map(|flat| {
            let (line, more) = words(flat.step);
            let kind = flat.step.kinds().first().copied().unwrap_or("step");
            Card {
                name: flat.step.id.to_string(),
                depth: flat.path.as_str().matches('/').count(),
                path: flat.path.to_string(),
                kind,
                word: kind.replace('_', " "),
                group: match kind {
                    "query" => "in",
                    "call" | "write" => "out",
                    "approve" | "wait" => "gate",
                    _ => "",
                },
                line: shortened(&line),
                more,
                state: None,
                joint: String::new(),
            }
        })
        .collect()
}

fn shortened(line: &str) -> String {
    if line.chars().count() <= MAX_SUMMARY {
        return line.to_owned();
    }
    let head: String = line.chars().take(MAX_SUMMARY).collect();
    format!("{head}…")
}

/// What a step does, in a line, and what there is to unfold.
fn words(step: &Step) -> (String, String) {
    if let Some(query) = &step.query {
        let cursor = query
            .cursor
            .as_ref()
            .map(|cursor| format!(", what is new by {}", cursor.column))
            .unwrap_or_default();
        return (
            format!("rows from {}{cursor}", query.database),
            query.sql.trim().to_owned(),
        );
    }
    if let Some(call) = &step.call {
        let each = call
            .for_each
            .as_ref()
            .map(|from| format!(", for each of {from}"))
            .unwrap_or_default();
        let key = call
            .key
            .as_ref()
            .map(|key| format!(", once per {key}"))
            .unwrap_or_default();
        let when = call
            .when
            .as_ref()
            .map(|when| format!(", when {when}"))
            .unwrap_or_default();
        return (
            format!("{} over {}{each}{key}{when}", call.operation, call.connection),
            listed(call.parameters.iter()),
        );
    }
    if let Some(write) = &step.write {
        return (
            format!(
                "{} into {} of {}, by {}",
                write.from,
                write.table,
                write.database,
                write.key.join(", ")
            ),
            listed(write.columns.iter()),
        );
    }
    inside(step)
}

/// As [`words`], for steps that stay within the run.
fn inside(step: &Step) -> (String, String) {
    let plain = |line: String| (line, String::new());
    if let Some(transform) = &step.transform {
        return (
            format!("new columns for {}", transform.from),
            listed(transform.columns.iter()),
        );
    }
    if let Some(filter) = &step.filter {
        let when = filter
            .when
            .as_ref()
            .map(|when| format!(" when {when}"))
            .unwrap_or_default();
        let only = filter
            .only
            .map(|only| format!(", only what is {}", format!("{only:?}").to_lowercase()))
            .unwrap_or_default();
        return plain(format!("some of {}{when}{only}", filter.from));
    }
    if let Some(decide) = &step.decide {
        let branches: Vec<String> = decide
            .branches
            .iter()
            .map(|branch| match &branch.when {
                Some(when) => format!("{} when {when}", branch.name),
                None => format!("{} for the rest", branch.name),
            })
            .collect();
        return plain(format!("{}: {}", decide.from, branches.join("; ")));
    }
    if let Some(set) = &step.set {
        return ("variables".to_owned(), listed(set.variables.iter()));
    }
    if let Some(each) = &step.for_each {
        return plain(format!("for each of {}, as {}", each.from, each.name));
    }
    if let Some(approve) = &step.approve {
        return (
            format!(
                "{} wait until the role {} releases them",
                approve.from, approve.role
            ),
            approve.show.clone().unwrap_or_default(),
        );
    }
    if let Some(call) = &step.call_task {
        let each = call
            .for_each
            .as_ref()
            .map(|from| format!(" for each of {from}"))
            .unwrap_or_default();
        return (
            format!("the task {}{each}", call.task),
            listed(call.variables.iter()),
        );
    }
    if let Some(wait) = &step.wait {
        let length = wait.length.map(|length| format!("for {length}"));
        return plain(
            length
                .or_else(|| wait.until.as_ref().map(|until| format!("until {until}")))
                .unwrap_or_default(),
        );
    }
    plain(String::new())
}

fn listed<'v>(values: impl Iterator<Item = (&'v String, &'v Value)>) -> String {
    let lines: Vec<String> = values
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name}: {text}"),
            other => format!("{name}: {other}"),
        })
        .collect();
    lines.join("\n")
}
