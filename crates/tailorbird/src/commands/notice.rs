//! `notice …`.

use std::path::Path;

use serde_json::json;
use tailorbird_app::{App, AppError, Notice};

use crate::Ended;
use crate::args::NoticeCommand;
use crate::render::{Render, table};

pub(crate) fn run(home: &Path, command: &NoticeCommand, render: Render) -> Result<Ended, AppError> {
    let NoticeCommand::List { limit } = command;
    let notices = App::open(home)?.notices(*limit)?;
    let rows: Vec<Vec<String>> = notices.iter().map(row).collect();
    render.data(&json!(notices), || {
        table(
            &[
                "ID", "TASK", "STATE", "TRIES", "MADE", "NEXT TRY", "TELLS", "WHY NOT",
            ],
            &rows,
            "There are no notices. A task says in `notify` whom it tells.",
        )
    });
    Ok(Ended::Well)
}

fn row(notice: &Notice) -> Vec<String> {
    let events = notice.body.get("events").and_then(serde_json::Value::as_array);
    let mut told: Vec<&str> = events
        .into_iter()
        .flatten()
        .filter_map(|event| event.get("what").and_then(serde_json::Value::as_str))
        .collect();
    told.dedup();
    vec![
        notice.id.to_string(),
        notice.task.to_string(),
        notice.state.clone(),
        notice.attempts.to_string(),
        notice.made_at.to_string(),
        notice.next_at.map(|at| at.to_string()).unwrap_or_default(),
        told.join(", "),
        notice.failure.clone().unwrap_or_default(),
    ]
}
