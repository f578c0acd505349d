//! The part of the editor that shows a real record on its way through the chosen step.

use askama::Template;
use tailorbird_app::{AppError, LookedRecord, StepLook};
use tailorbird_model::{Record, Value};

use crate::web::filters;
use crate::web::view::Badge;

/// Characters of a value that is shown.
const MAX_SHOWN: usize = 600;

/// What a text's length is drawn against: the whole ring.
const RING: u64 = 100;

/// The part.
#[derive(Template, Default)]
#[template(path = "editor/look.html")]
pub(super) struct LookPane {
    /// Whether there is a step to look at.
    is_step: bool,
    /// Whether looking costs a call, and nobody has pressed yet.
    asks: bool,
    failure: Option<(String, String)>,
    place: usize,
    count: usize,
    columns: Vec<ColumnRow>,
    results: Vec<Outcome>,
    message: Option<Message>,
    would: Option<Badge>,
    why: String,
    request: String,
    made: Vec<ColumnRow>,
    is_source: bool,
}

struct ColumnRow {
    name: String,
    value: String,
    kind: &'static str,
    insert: String,
}

struct Outcome {
    field: String,
    value: String,
    kind: &'static str,
    failure: Option<(String, String)>,
}

/// A text as it will be read, with its length as a ring.
struct Message {
    field: String,
    text: String,
    length: u64,
    most: u64,
    /// Of a hundred.
    drawn: u64,
    tone: &'static str,
}

impl LookPane {
    /// Nothing yet: somebody has to press.
    pub(super) fn asking(asks: bool) -> Self {
        Self {
            is_step: true,
            asks,
            ..Self::default()
        }
    }
}

fn short(text: String) -> String {
    if text.chars().count() <= MAX_SHOWN {
        return text;
    }
    text.chars().take(MAX_SHOWN).chain(['…']).collect()
}

fn columns(record: &Record) -> Vec<ColumnRow> {
    record
        .iter()
        .map(|(name, value)| ColumnRow {
            name: name.to_owned(),
            value: short(if value.is_null() {
                "null".to_owned()
            } else {
                value.to_string()
            }),
            kind: value.type_name(),
            insert: format!("{{{{ {name} }}}}"),
        })
        .collect()
}

/// What was seen of a step, at one of its records.
pub(super) fn look_pane(seen: Result<StepLook, AppError>, record: usize, kind: &str) -> LookPane {
    let told = |failure: &tailorbird_model::Failure| {
        let more = [failure.detail.as_str(), failure.hint.as_str()].join(" ");
        (
            format!("{} [{}]", failure.message, failure.code),
            more.trim().to_owned(),
        )
    };
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) => {
            return LookPane {
                is_step: true,
                failure: Some(told(&error.failure)),
                ..LookPane::default()
            };
        }
    };
    let place = record.min(seen.taken.len().saturating_sub(1));
    let chosen: Option<&LookedRecord> = seen.taken.get(place);
    let values = || chosen.into_iter().flat_map(|one| &one.values);
    let message = values().find_map(|value| {
        let ((length, most), Some(Value::Text(text))) = (value.length?, &value.value) else {
            return None;
        };
        let drawn = length
            .saturating_mul(RING)
            .checked_div(most)
            .unwrap_or(RING)
            .min(RING);
        Some(Message {
            field: value.field.trim_start_matches("with/").to_owned(),
            text: text.clone(),
            length,
            most,
            drawn,
            tone: match (length > most, drawn > 90) {
                (true, _) => "bad",
                (false, true) => "wait",
                _ => "ok",
            },
        })
    });
    LookPane {
        is_step: true,
        asks: false,
        failure: seen.failure.as_ref().map(told),
        place,
        count: seen.taken.len(),
        columns: chosen.map(|one| columns(&one.record)).unwrap_or_default(),
        results: values()
            .map(|value| Outcome {
                field: value.field.clone(),
                value: value
                    .value
                    .as_ref()
                    .map(|value| short(value.to_string()))
                    .unwrap_or_default(),
                kind: value.value.as_ref().map_or("", Value::type_name),
                failure: value.failure.as_ref().map(told),
            })
            .collect(),
        message,
        would: chosen.and_then(|one| match one.would {
            "" => None,
            "send" => Some(Badge::new("accent", "▶", "would be sent")),
            "already" => Some(Badge::new("ok", "●", "was sent already")),
            "reject" => Some(Badge::new("bad", "✕", "would be rejected")),
            "held" => Some(Badge::new("bad", "✕", "was rejected, and is unchanged")),
            "in_doubt" => Some(Badge::new("doubt", "◆", "is in doubt")),
            other => Some(Badge::new("", "○", other)),
        }),
        why: chosen
            .and_then(|one| one.failure.as_ref())
            .map(|failure| told(failure).0)
            .unwrap_or_default(),
        request: chosen
            .and_then(|one| one.request.as_ref())
            .map(|request| {
                let mut text = format!("{} {}", request.method, request.url);
                for (name, value) in &request.headers {
                    text.push_str(&format!("\n{name}: {value}"));
                }
                if let Some(body) = &request.body {
                    text.push_str("\n\n");
                    text.push_str(body);
                }
                text
            })
            .unwrap_or_default(),
        made: seen
            .made
            .get(place)
            .or(seen.made.first())
            .map(columns)
            .unwrap_or_default(),
        is_source: chosen.is_none_or(|one| one.record.iter().next().is_none()) && kind != "write",
    }
}
