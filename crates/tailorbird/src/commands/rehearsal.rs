//! `task run NAME --dry-run`.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tailorbird_app::{
    App, AppError, MAX_REHEARSED, MaskedRequest, Rehearsal, RehearsedRequest, RehearsedWrite,
};
use tailorbird_model::{Failure, Meaning, Name, codes};

use crate::Ended;
use crate::render::Render;

pub(crate) async fn run(home: &Path, task: &Name, limit: usize, render: Render) -> Result<Ended, AppError> {
    if !(1..=MAX_REHEARSED).contains(&limit) {
        let message = format!("--limit {limit} is not between 1 and {MAX_REHEARSED}");
        return Err(AppError::usage(Failure::new(
            codes::USAGE,
            Meaning::NotSent,
            message,
        )));
    }
    let app = App::open(home)?;
    let rehearsal = app.rehearse_task(task, limit, Arc::new(|_| {})).await?;
    render.document(&json!(rehearsal), || words(&rehearsal));
    let is_refused = |request: &RehearsedRequest| request.would == "reject";
    let has_trouble = rehearsal.failure.is_some() || rehearsal.requests.iter().any(is_refused);
    Ok(if has_trouble {
        Ended::NeedsPerson
    } else {
        Ended::Well
    })
}

fn words(rehearsal: &Rehearsal) -> String {
    let mut lines = vec![format!(
        "Dry run of {}: nothing was sent, written or remembered.",
        rehearsal.task
    )];
    lines.push(String::new());
    for step in &rehearsal.steps {
        let mut line = format!("{:<20} {:<10} {} record(s)", step.step, step.kind, step.records);
        if step.left_out > 0 {
            line.push_str(&format!(", {} left out", step.left_out));
        }
        lines.push(line);
    }
    for approval in &rehearsal.approvals {
        lines.push(String::new());
        lines.push(format!(
            "{}: {} would be asked about {}: {}",
            approval.step, approval.role, approval.key, approval.shown
        ));
    }
    let batches = rehearsal.batches.len();
    lines.extend(rehearsal.requests.iter().flat_map(|told| request(told, batches)));
    for (index, batch) in rehearsal.batches.iter().enumerate() {
        lines.push(String::new());
        let number = index + 1;
        let records = batch.keys.len();
        lines.push(format!(
            "{}: batch {number} of {batches}, {records} record(s)",
            batch.step
        ));
        lines.extend(shown(&batch.request));
    }
    for cost in &rehearsal.costs {
        lines.push(String::new());
        lines.push(format!(
            "{}: {} request(s) would cost {} {}",
            cost.connection, cost.requests, cost.amount, cost.currency
        ));
    }
    for call in &rehearsal.task_calls {
        let variables = json!(call.variables);
        lines.push(String::new());
        lines.push(format!(
            "{}: would run task {} with {variables}",
            call.step, call.task
        ));
    }
    lines.extend(rehearsal.writes.iter().flat_map(write));
    if !rehearsal.complete {
        lines.push(String::new());
        lines.push(format!(
            "There are more records than the {} looked at; --limit N looks at more.",
            rehearsal.limit
        ));
    }
    if let Some(failure) = &rehearsal.failure {
        lines.push(String::new());
        lines.push(format!("It would stop here: {failure}"));
        lines.extend([&failure.detail, &failure.hint].map(|text| format!("  {text}")));
    }
    lines.join("\n")
}

fn request(request: &RehearsedRequest, batches: usize) -> Vec<String> {
    let what = match request.would {
        "send" if request.after_approval => "would be sent, once released",
        "send" => "would be sent",
        "already" => "was sent already",
        "reject" => "would be rejected",
        "held" => "was rejected before and has not changed",
        "in_doubt" => "is in doubt",
        "skipped" => "is skipped",
        _ => "is being sent by another run",
    };
    let batch = request.batch.map_or_else(String::new, |batch| {
        format!(" in batch {} of {batches}", batch + 1)
    });
    let mut lines = vec![
        String::new(),
        format!("{}: {} {what}{batch}", request.step, request.key),
    ];
    if request.would == "send"
        && request.batch.is_none()
        && let Some(alone) = &request.request
    {
        lines.extend(shown(alone));
    }
    lines.extend(request.failure.iter().map(|failure| format!("  {failure}")));
    lines
}

/// A request as it would go out.
fn shown(request: &MaskedRequest) -> Vec<String> {
    let mut lines = vec![format!("  {} {}", request.method, request.url)];
    let headers = request.headers.iter();
    lines.extend(headers.map(|(name, value)| format!("  {name}: {value}")));
    lines.extend(request.body.iter().map(|body| format!("  {body}")));
    lines
}

fn write(write: &RehearsedWrite) -> Vec<String> {
    let when = if write.after_delivery {
        ", when it was delivered"
    } else {
        ""
    };
    let row = match (&write.row, &write.failure) {
        (Some(row), _) => row.to_string(),
        (None, Some(failure)) => format!("a row that is not known yet: {failure}"),
        (None, None) => String::new(),
    };
    vec![
        String::new(),
        format!(
            "{}: would write to {} of {}{when}: {row}",
            write.step, write.table, write.database
        ),
    ]
}
