//! `delivery …`.

mod resolve;
mod verify;

use std::path::Path;

use serde_json::json;
use tailorbird_app::{App, AppError, DeliveryFilter, Resolution};
use tailorbird_model::delivery::{Delivery, DeliveryId, DeliveryState};
use tailorbird_model::{Failure, Meaning, codes};

use crate::Ended;
use crate::args::{DeliveryCommand, task::Decision};
use crate::render::{Render, letter, table};

pub(crate) async fn run(home: &Path, command: DeliveryCommand, render: Render) -> Result<Ended, AppError> {
    let app = App::open(home)?;
    match command {
        DeliveryCommand::List {
            filter,
            limit,
            after,
            count,
        } => {
            let filter = DeliveryFilter {
                limit,
                after: after.map(DeliveryId),
                ..resolve::filter(filter)?
            };
            if count {
                resolve::count(&app, &filter, render)?;
                return Ok(Ended::Well);
            }
            let deliveries = app.deliveries(&filter)?;
            let rows: Vec<Vec<String>> = deliveries.iter().map(row).collect();
            let json: Vec<_> = deliveries.iter().map(delivery_json).collect();
            render.data(&json.into(), || {
                table(
                    &["ID", "KEY", "STATE", "ATTEMPTS", "TASK", "STEP", "UPDATED", "WHY"],
                    &rows,
                    "No deliveries fit.",
                )
            });
        }
        DeliveryCommand::Show { key_or_id } => {
            let story = app.delivery_story(&key_or_id)?;
            let mut json = delivery_json(&story.delivery);
            if let Some(members) = json.as_object_mut() {
                members.insert("input".to_owned(), story.delivery.input.to_json());
                members.insert("request".to_owned(), story.request.clone());
                members.insert("story".to_owned(), json!(story.lines));
            }
            render.data(&json, || story_text(&story));
        }
        DeliveryCommand::Resolve {
            key_or_id,
            filter,
            decision,
            result,
            mapping,
            preview,
            yes,
            ..
        } => {
            let resolution = match decision {
                Decision::Sent => Resolution::Sent(result.as_deref().map(parse_result).transpose()?),
                Decision::Again => Resolution::Again,
                Decision::Skip => Resolution::Skip,
            };
            let how = resolve::How {
                resolution,
                mapping: mapping.into(),
                preview,
                yes,
            };
            return match key_or_id {
                Some(key) => resolve::one(&app, &key, how, render).await,
                None => resolve::all(&app, resolve::filter(filter)?, how, render).await,
            };
        }
        DeliveryCommand::Verify { head } => return verify::run(&app, head.as_deref(), render),
    }
    Ok(Ended::Well)
}

pub(crate) fn parse_state(word: &str) -> Result<DeliveryState, AppError> {
    word.parse().map_err(|message: String| {
        AppError::usage(Failure::new(codes::DELIVERY_UNKNOWN, Meaning::Rejected, message))
    })
}

fn parse_result(text: &str) -> Result<tailorbird_model::Record, AppError> {
    serde_json::from_str(text).map_err(|error| {
        AppError::usage(
            Failure::new(
                codes::DELIVERY_UNKNOWN,
                Meaning::Rejected,
                format!("--result is not a JSON object: {error}"),
            )
            .hint("Write for example --result '{\"id\":\"1726\"}'."),
        )
    })
}

/// The fixed form of `delivery list`.
fn delivery_json(delivery: &Delivery) -> serde_json::Value {
    json!({
        "id": delivery.id,
        "run": delivery.run,
        "task": delivery.identity.task,
        "step": delivery.identity.step,
        "connection": delivery.connection,
        "key": delivery.identity.key,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "result": delivery.result.as_ref().map(tailorbird_model::Record::to_json),
        "failure": delivery.failure,
        "updated_at": delivery.updated_at,
    })
}

fn row(delivery: &Delivery) -> Vec<String> {
    vec![
        delivery.id.to_string(),
        delivery.identity.key.to_string(),
        delivery.state.to_string(),
        delivery.attempts.to_string(),
        delivery.identity.task.to_string(),
        delivery.identity.step.to_string(),
        delivery.updated_at.to_string(),
        delivery
            .failure
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    ]
}

fn story_text(story: &tailorbird_app::DeliveryStory) -> String {
    let delivery = &story.delivery;
    let mut text = format!(
        "{}  {}\n  task {}, step {}, over {} ({})\n",
        delivery.identity.key,
        delivery.state,
        delivery.identity.task,
        delivery.identity.step,
        delivery.connection,
        delivery.operation
    );
    text.push_str("\nRecord\n");
    for (name, value) in delivery.input.iter() {
        text.push_str(&format!("  {name}: {value}\n"));
    }
    if let Some(result) = &delivery.result {
        text.push_str("\nResult\n");
        for (name, value) in result.iter() {
            text.push_str(&format!("  {name}: {value}\n"));
        }
    }
    text.push_str("\nStory\n");
    for line in &story.lines {
        text.push_str(&format!("  {}  {}\n", line.at, line.text));
    }
    if let Some(failure) = &delivery.failure {
        text.push_str(&format!("\n{}\n", letter("why", failure)));
    }
    text
}
