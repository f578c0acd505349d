//! What fired a run: its events' records, under the reserved name `trigger`.

use tailorbird_model::event::EventId;
use tailorbird_model::run::{Run, RunInput};
use tailorbird_model::task::Task;
use tailorbird_model::task::trigger::{self, Trigger};
use tailorbird_model::{Failure, Record, Value};
use tailorbird_store::Store;

use crate::drive::Driver;
use crate::durable::{EffectOutput, RunEnd};
use crate::effects::Performed;
use crate::limits::{CHUNK, EVENTS_PER_PAGE};
use crate::plan::{Plan, TriggerPlan};
use crate::tail::Emitted;

/// What expressions see as `trigger`: of the first event of the run, or of its cause alone.
pub(crate) fn about(
    store: &Store,
    run: &Run,
    input: &RunInput,
    trigger: &Trigger,
) -> Result<Record, Failure> {
    let first = store.run_events(&run.id, None, 1)?.into_iter().next();
    // What is wrong with an event is told when its records are needed.
    let told = first.and_then(|event| trigger::records(&event, trigger).ok());
    Ok(told.map_or_else(
        || {
            Record::from_pairs([
                ("kind".to_owned(), Value::from(input.cause.as_str())),
                ("received_at".to_owned(), Value::Timestamp(run.started_at)),
            ])
        },
        |(_, about)| about,
    ))
}

/// What a rehearsal takes for the records of a trigger.
pub(crate) struct Rehearsed {
    pub(crate) about: Record,
    pub(crate) records: Vec<Record>,
}

/// The events that wait, or where none does the newest ones; nothing is taken.
pub(crate) fn rehearsed(store: &Store, task: &Task) -> Result<Rehearsed, Failure> {
    let mut rehearsed = Rehearsed {
        about: Record::from_pairs([
            ("kind".to_owned(), Value::from("manual")),
            ("received_at".to_owned(), Value::Timestamp(store.now())),
        ]),
        records: Vec::new(),
    };
    for (index, event) in store
        .events_to_rehearse(&task.task, EVENTS_PER_PAGE)?
        .iter()
        .enumerate()
    {
        let (records, about) = trigger::records(event, &task.trigger)?;
        rehearsed.records.extend(records);
        if index == 0 {
            rehearsed.about = about;
        }
    }
    Ok(rehearsed)
}

impl Driver {
    /// Hands the records of some of the run's events to the steps that take them. Doing it again after a crash ends
    /// in the same state, as for every source.
    pub(crate) async fn emit_events(
        &mut self,
        plan: &Plan,
        step: &TriggerPlan,
        place: Option<&serde_json::Value>,
    ) -> Result<Performed, RunEnd> {
        let after = place.and_then(serde_json::Value::as_i64).map(EventId);
        let page = self.engine.store.run_events(&self.run, after, EVENTS_PER_PAGE)?;
        let Some(last) = page.last() else {
            return Ok(Performed::default());
        };
        let cursor = last.id.0.into();
        let more = u32::try_from(page.len()).is_ok_and(|count| count >= EVENTS_PER_PAGE);
        let mut records = Vec::new();
        for event in &page {
            let (found, _) = trigger::records(event, &step.trigger).map_err(RunEnd::Attention)?;
            records.extend(found.into_iter().map(Emitted::plain));
        }
        for chunk in records.chunks(CHUNK) {
            self.look_up_requests().await?;
            self.counts.read += u64::try_from(chunk.len()).unwrap_or_default();
            self.hand_on(plan, &step.id, chunk).await?;
        }
        Ok(EffectOutput {
            more,
            cursor: Some(cursor),
            ..EffectOutput::default()
        }
        .into())
    }
}
