//! `run …`.

use std::path::Path;

use serde_json::json;
use tailorbird_app::{App, AppError};
use tailorbird_model::run::{Run, RunId};

use crate::Ended;
use crate::args::RunCommand;
use crate::commands::input;
use crate::commands::task::{follow, run_json, run_text};
use crate::render::{Render, table};

pub(crate) async fn run(home: &Path, command: RunCommand, render: Render) -> Result<Ended, AppError> {
    let app = App::open(home)?;
    match command {
        RunCommand::List { task, limit } => {
            let task = task.as_deref().map(input::name).transpose()?;
            let runs = app.runs(task.as_ref(), limit)?;
            let rows: Vec<Vec<String>> = runs.iter().map(row).collect();
            let json: Vec<_> = runs.iter().map(run_json).collect();
            render.data(&json.into(), || {
                table(
                    &[
                        "RUN",
                        "TASK",
                        "STATE",
                        "STARTED",
                        "READ",
                        "DELIVERED",
                        "ALREADY",
                        "REJECTED",
                        "IN DOUBT",
                        "WRITTEN",
                    ],
                    &rows,
                    "There are no runs yet. `tailorbird task run TASK` makes one.",
                )
            });
        }
        RunCommand::Show { id } => {
            let run = app.run(&RunId(id))?;
            render.data(&run_json(&run), || run_text(&run));
        }
        RunCommand::Cancel { id } => {
            let run = app.cancel_run(&RunId(id)).await?;
            render.data(&run_json(&run), || run_text(&run));
        }
        RunCommand::Pause { id } => {
            let run = app.pause_run(&RunId(id)).await?;
            render.data(&run_json(&run), || run_text(&run));
        }
        RunCommand::Resume { id } => {
            let served = app.is_served()?;
            return follow(render, served, |progress, stop| async move {
                Box::pin(app.resume_run(&RunId(id), progress, stop)).await
            })
            .await;
        }
        RunCommand::Retry { id, state, mapping } => {
            let state = super::delivery::parse_state(&state)?;
            let served = app.is_served()?;
            return follow(render, served, |progress, stop| async move {
                app.retry_run(&RunId(id), Some(state), mapping.into(), progress, stop)
                    .await
            })
            .await;
        }
    }
    Ok(Ended::Well)
}

fn row(run: &Run) -> Vec<String> {
    let c = &run.counts;
    let mut row = vec![
        run.id.to_string(),
        run.task.to_string(),
        run.state.as_str().to_owned(),
        run.started_at.to_string(),
    ];
    row.extend(
        [c.read, c.delivered, c.already, c.rejected, c.in_doubt, c.written].map(|n| json!(n).to_string()),
    );
    row
}
