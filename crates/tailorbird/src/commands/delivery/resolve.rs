//! `delivery resolve`, of one and of many; and what names many.

use serde_json::json;
use tailorbird_app::{App, AppError, DeliveryFilter, Mapping, Preview, Resolution, Stop};
use tailorbird_model::delivery::{Delivery, DeliveryState};
use tailorbird_model::run::RunId;

use super::{delivery_json, parse_state};
use crate::Ended;
use crate::args::task::{FilterArguments, MappingWord};
use crate::commands::home::confirm;
use crate::commands::input;
use crate::commands::signals::Signals;
use crate::render::Render;

/// A decision, and how it is carried out.
pub(super) struct How {
    pub(super) resolution: Resolution,
    pub(super) mapping: Mapping,
    pub(super) preview: bool,
    pub(super) yes: bool,
}

impl From<MappingWord> for Mapping {
    fn from(word: MappingWord) -> Self {
        match word {
            MappingWord::Stored => Self::Stored,
            MappingWord::New => Self::New,
        }
    }
}

/// Which deliveries a person names.
pub(super) fn filter(arguments: FilterArguments) -> Result<DeliveryFilter, AppError> {
    let name = |text: Option<String>| text.as_deref().map(input::name).transpose();
    Ok(DeliveryFilter {
        state: arguments.state.as_deref().map(parse_state).transpose()?,
        task: name(arguments.task)?,
        step: name(arguments.step)?,
        connection: name(arguments.connection)?,
        run: arguments.run.map(RunId),
        key: arguments.key,
        since: arguments.since,
        code: arguments.code,
        ..DeliveryFilter::default()
    })
}

pub(super) fn count(app: &App, filter: &DeliveryFilter, render: Render) -> Result<(), AppError> {
    let states = app.count_deliveries(filter)?;
    let total: u64 = states.iter().map(|(_, count)| count).sum();
    let by_state: serde_json::Map<String, serde_json::Value> = states
        .iter()
        .map(|(state, count)| (state.as_str().to_owned(), json!(count)))
        .collect();
    render.data(&json!({"count": total, "states": by_state}), || {
        let mut text = format!("{total} deliveries\n");
        for (state, count) in &states {
            text.push_str(&format!("  {count:>7}  {state}\n"));
        }
        text
    });
    Ok(())
}

pub(super) async fn one(app: &App, key: &str, how: How, render: Render) -> Result<Ended, AppError> {
    if how.preview {
        let delivery = app.delivery_story(key)?.delivery;
        // A number finds exactly this one, whatever others have in their keys.
        let just_it = DeliveryFilter {
            after: Some(tailorbird_model::delivery::DeliveryId(delivery.id.0 - 1)),
            task: Some(delivery.identity.task.clone()),
            key: Some(delivery.identity.key.to_string()),
            limit: Some(1),
            ..DeliveryFilter::default()
        };
        let mut preview = app.preview_resolution(&just_it, &how.resolution, how.mapping)?;
        preview.shown.truncate(1);
        render.data(&json!(preview.shown), || samples(&preview));
        return Ok(Ended::Well);
    }
    let delivery = app.resolve_delivery(key, how.resolution, how.mapping).await?;
    let what_next = what_next(app, &delivery)?;
    render.data(&delivery_json(&delivery), || {
        format!("{} is {} now.{what_next}", delivery.identity.key, delivery.state)
    });
    Ok(Ended::Well)
}

/// What becomes of a record that a person decided about.
fn what_next(app: &App, delivery: &Delivery) -> Result<String, AppError> {
    let task = &delivery.identity.task;
    if delivery.state == DeliveryState::Skipped {
        return Ok(String::new());
    }
    Ok(if !app.is_served()? {
        format!(" `tailorbird task run {task}` takes it up.")
    } else if app.tasks()?.iter().any(|view| view.task == *task && view.enabled) {
        " The server takes it up at once, or when the run of its task has ended.".to_owned()
    } else {
        format!(" Its task is disabled: `tailorbird task run {task}` or `task enable {task}` takes it up.")
    })
}

pub(super) async fn all(
    app: &App,
    filter: DeliveryFilter,
    how: How,
    render: Render,
) -> Result<Ended, AppError> {
    let preview = app.preview_resolution(&filter, &how.resolution, how.mapping)?;
    if how.preview {
        render.data(&json!(preview), || preview_text(&preview));
        return Ok(Ended::Well);
    }
    if !how.yes && preview.possible > 0 {
        render.talk(&preview_text(&preview));
        confirm(&format!("Decide {} deliveries?", preview.possible))?;
    }
    let mut signals = Signals::catch();
    let stop = Stop::default();
    let mut progress = |done| render.progress(&format!("{done} of {} decided", preview.possible));
    let working = app.resolve_all(&filter, &how.resolution, how.mapping, &stop, &mut progress);
    tokio::pin!(working);
    let decided = loop {
        tokio::select! {
            done = &mut working => break done?,
            () = signals.next() => stop.set(),
        }
    };
    render.end_progress();
    render.data(&json!(decided), || {
        let mut text = format!("{} deliveries were decided.\n", decided.resolved);
        if decided.left > 0 {
            text.push_str(&format!("{} stay as they are:\n", decided.left));
        }
        for left in &decided.named {
            text.push_str(&format!("  {}: {}\n", left.key, left.why));
        }
        text
    });
    Ok(if decided.left == 0 {
        Ended::Well
    } else {
        Ended::NeedsPerson
    })
}

fn preview_text(preview: &Preview) -> String {
    let mut text = format!(
        "{} deliveries fit; the decision is possible for {}.\n",
        preview.matched, preview.possible
    );
    for (state, count) in &preview.states {
        text.push_str(&format!("  {count:>7}  {state}\n"));
    }
    text.push_str(&samples(preview));
    text
}

fn samples(preview: &Preview) -> String {
    let mut text = String::new();
    for sample in &preview.shown {
        let why = sample
            .failure
            .as_ref()
            .map(|why| format!(": {why}"))
            .unwrap_or_default();
        text.push_str(&format!(
            "\n#{} {}  {}{why}\n",
            sample.id, sample.key, sample.state
        ));
        for (word, request) in [("stored", &sample.request), ("new", &sample.new_request)] {
            if let Some(request) = request {
                text.push_str(&format!("  {word}: {request}\n"));
            }
        }
    }
    text
}
