//! A step of a text looked at with real records: what comes to it, what its expressions make of them, what would be sent.
//! Sources are read, a few records of each; nothing is sent, written or remembered.

use std::sync::Arc;

use serde_json::Value as Json;
use tailorbird_engine::{Rehearsal, Watched};
use tailorbird_model::task::Task;
use tailorbird_model::text::measured;
use tailorbird_model::{Failure, Meaning, Name, Record, Value, codes};

use crate::cards::document;
use crate::drafts::one;
use crate::{App, AppError, MaskedRequest};

/// Records of each source that are read for a look: enough for some to come through filters.
pub const LOOKED_AT: usize = 20;

/// What was seen of a step.
#[derive(Debug, Clone, Default)]
pub struct StepLook {
    /// Records that came to it; one without columns where it takes none.
    pub taken: Vec<LookedRecord>,
    /// Records that it handed on.
    pub made: Vec<Record>,
    /// Why it went no further.
    pub failure: Option<Failure>,
}

/// A record with what became of it.
#[derive(Debug, Clone)]
pub struct LookedRecord {
    /// Its columns.
    pub record: Record,
    /// What each expression of the step yields.
    pub values: Vec<LookedValue>,
    /// The request that would be sent, secrets masked.
    pub request: Option<MaskedRequest>,
    /// What a run would do with it, in the words of a dry run; empty where the step sends nothing.
    pub would: &'static str,
    /// Why it would not be sent.
    pub failure: Option<Failure>,
}

/// An expression with what it yields.
#[derive(Debug, Clone)]
pub struct LookedValue {
    /// Where it stands below the kind's key: `with/text`.
    pub field: String,
    /// What it yields.
    pub value: Option<Value>,
    /// Why it yields nothing.
    pub failure: Option<Failure>,
    /// How long the text is by the rule of its field, and how long it may be.
    pub length: Option<(u64, u64)>,
}

impl App {
    /// Tells whether a look at a step asks a service: a listing costs a call, so it is made when somebody wants it and not
    /// while they type.
    pub fn look_asks_a_service(document: &Json) -> bool {
        let lists = |step: &Json| step.get("call").is_some_and(|call| call.get("key").is_none());
        crate::card_lines(document)
            .iter()
            .filter_map(|line| document.pointer(&line.pointer))
            .any(lists)
    }

    /// Looks at a step of a text with real records. `card` is its JSON Pointer, `path` its ids.
    ///
    /// # Errors
    /// TASK-002 where the text is no task yet. What goes wrong with the records is in the look.
    pub async fn look_at_step(&self, text: &str, card: &str, path: &str) -> Result<StepLook, AppError> {
        let task = self.task_of_text(text)?;
        let step: Name = path.parse().map_err(|_| not_yet())?;
        let (rehearsal, watched) = self
            .engine()
            .rehearse_watching(&task, LOOKED_AT, Arc::new(|_| {}), Some(&step))
            .await?;
        let call = document(text)
            .ok()
            .and_then(|whole| whole.pointer(&format!("{card}/call")).cloned());
        Ok(self.looked(rehearsal, watched, &step, call.as_ref()))
    }

    /// A dry run of a text that is not saved.
    ///
    /// # Errors
    /// TASK-002 where the text is no task yet.
    pub async fn rehearse_text(&self, text: &str, limit: usize) -> Result<Rehearsal, AppError> {
        let task = self.task_of_text(text)?;
        Ok(self.engine().rehearse(&task, limit, Arc::new(|_| {})).await?)
    }

    fn task_of_text(&self, text: &str) -> Result<Task, AppError> {
        let (task, problems) = one(self, text, None);
        // A problem of another step is no reason not to look at this one; where it matters, the rehearsal says so.
        task.map(|typed| typed.value).ok_or_else(|| {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            AppError::from(not_yet().detail(first))
        })
    }

    fn looked(&self, rehearsal: Rehearsal, watched: Watched, step: &Name, call: Option<&Json>) -> StepLook {
        let operation = call.and_then(|call| self.operation_of(call));
        let length = |field: &str, value: Option<&Value>| {
            let body = operation.as_ref()?.body.as_ref()?;
            let Value::Text(text) = value? else { return None };
            measured(body.fields().get(field.strip_prefix("with/")?)?, text)
        };
        let taken = watched.taken.into_iter().map(|one| {
            let values: Vec<LookedValue> = one
                .values
                .into_iter()
                .map(|value| LookedValue {
                    length: length(&value.field, value.value.as_ref()),
                    field: value.field,
                    value: value.value,
                    failure: value.failure,
                })
                .collect();
            let key = values.iter().find(|value| value.field == "key");
            let key = key.and_then(|key| key.value.as_ref()).map(ToString::to_string);
            let sent = rehearsal
                .requests
                .iter()
                .find(|request| request.step == *step && Some(&request.key) == key.as_ref());
            LookedRecord {
                record: one.record,
                request: sent.and_then(|sent| sent.request.clone()),
                would: sent.map_or("", |sent| sent.would),
                failure: sent.and_then(|sent| sent.failure.clone()),
                values,
            }
        });
        StepLook {
            taken: taken.collect(),
            made: watched.made,
            failure: rehearsal.failure,
        }
    }
}

fn not_yet() -> Failure {
    Failure::new(codes::TASK_FILE, Meaning::NotSent, "the text is no task yet")
        .hint("Mend what is said beside it, then look again.")
}
