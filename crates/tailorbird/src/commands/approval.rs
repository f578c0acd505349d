//! `approval …`.

use std::path::Path;

use serde_json::json;
use tailorbird_app::{App, AppError, ApprovalDecision, ApprovalFilter, Decide};
use tailorbird_model::approval::{Approval, ApprovalId, ApprovalState};
use tailorbird_model::{Failure, Meaning, Name, codes};

use crate::Ended;
use crate::args::{ApprovalCommand, Which};
use crate::commands::input;
use crate::render::{Render, table};

/// How much of a text a list shows, in characters.
const MAX_LISTED: usize = 60;

pub(crate) async fn run(home: &Path, command: ApprovalCommand, render: Render) -> Result<Ended, AppError> {
    match command {
        ApprovalCommand::List {
            state,
            task,
            role,
            limit,
        } => {
            let filter = ApprovalFilter {
                task: name(task.as_deref())?,
                state: state_of(&state)?,
                role: name(role.as_deref())?,
                limit,
            };
            let found = App::open(home)?.approvals(&filter)?;
            list(&found, render);
            Ok(Ended::Well)
        }
        ApprovalCommand::Show { id } => {
            let approval = App::open(home)?.approval(ApprovalId(id))?;
            render.document(&json!(approval), || story(&approval));
            Ok(Ended::Well)
        }
        ApprovalCommand::Release(which) => decide(home, which, ApprovalDecision::Release, render).await,
        ApprovalCommand::Refuse(which) => decide(home, which, ApprovalDecision::Refuse, render).await,
    }
}

async fn decide(
    home: &Path,
    which: Which,
    decision: ApprovalDecision,
    render: Render,
) -> Result<Ended, AppError> {
    let app = App::open(home)?;
    let decide = Decide {
        decision,
        role: input::name(&which.role)?,
        reason: which.reason,
    };
    let decided = if which.all {
        let waiting = app.approvals(&ApprovalFilter {
            task: name(which.task.as_deref())?,
            state: Some(ApprovalState::Waiting),
            role: Some(decide.role.clone()),
            limit: None,
        })?;
        app.decide_seen(&waiting, &decide).await?
    } else {
        let ids: Vec<ApprovalId> = which.ids.into_iter().map(ApprovalId).collect();
        app.decide(&ids, &decide).await?
    };
    list(&decided, render);
    if decision == ApprovalDecision::Release {
        let mut tasks: Vec<&Name> = decided.iter().map(|approval| &approval.task).collect();
        tasks.dedup();
        for task in tasks {
            render.talk(&format!("`tailorbird task run {task}` sends what was released."));
        }
    }
    Ok(Ended::Well)
}

fn list(found: &[Approval], render: Render) {
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|approval| {
            vec![
                approval.id.to_string(),
                approval.state.to_string(),
                approval.task.to_string(),
                approval.key.to_string(),
                approval.role.to_string(),
                approval.expires_at.to_string(),
                approval.shown.chars().take(MAX_LISTED).collect(),
            ]
        })
        .collect();
    render.data(&json!(found), || {
        table(
            &["ID", "STATE", "TASK", "KEY", "ROLE", "EXPIRES", "WHAT"],
            &rows,
            "Nothing of that kind.",
        )
    });
}

fn story(approval: &Approval) -> String {
    let mut lines = vec![
        format!("question  {} ({})", approval.id, approval.state),
        format!("task      {}, step {}", approval.task, approval.step),
        format!("key       {}", approval.key),
        format!("run       {}", approval.run),
        format!("decides   {}, until {}", approval.role, approval.expires_at),
        format!("asked     {}", approval.asked_at),
    ];
    if let Some(at) = approval.decided_at {
        let by = approval.decided_by.as_deref().unwrap_or_default();
        lines.push(format!("decided   {at} by {by}"));
    }
    if let Some(reason) = &approval.reason {
        lines.push(format!("reason    {reason}"));
    }
    lines.push(String::new());
    lines.push(approval.shown.clone());
    for request in &approval.requests {
        lines.push(String::new());
        lines.push(format!(
            "Step {} would send, over connection {}:",
            request.step, request.connection
        ));
        if let (Some(method), Some(address)) = (&request.method, &request.address) {
            lines.push(format!("{method} {address}"));
        }
        lines.extend(request.body.clone());
        if let Some(problem) = &request.problem {
            lines.push(format!("Nothing, because {problem}"));
        }
    }
    lines.push(String::new());
    lines.push(format!("Record: {}", approval.input.to_json()));
    lines.join("\n")
}

fn name(text: Option<&str>) -> Result<Option<Name>, AppError> {
    text.map(input::name).transpose()
}

fn state_of(word: &str) -> Result<Option<ApprovalState>, AppError> {
    if word == "all" {
        return Ok(None);
    }
    word.parse().map(Some).map_err(|message: String| {
        AppError::usage(Failure::new(codes::APPROVAL_UNKNOWN, Meaning::NotSent, message))
    })
}
