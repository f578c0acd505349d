//! What `task` tells about a trigger, and the secret of its webhook.

use std::path::Path;

use serde_json::json;
use tailorbird_app::{App, AppError, TaskSecretInput, TriggerView};

use crate::Ended;
use crate::commands::{input, wizard};
use crate::render::{Render, letter};

/// `task secret`: from a file, from standard input, or asked for.
pub(crate) async fn secret(
    home: &Path,
    name: &str,
    secrets: Option<&Path>,
    render: Render,
) -> Result<Ended, AppError> {
    let app = App::open(home)?;
    let name = input::name(name)?;
    // A name that is wrong is told before a secret is asked for.
    app.task(&name)?;
    let secret = match secrets {
        Some(file) => TaskSecretInput::from_json(&input::text(file)?)?,
        None => TaskSecretInput::new(wizard::ask_hidden(&format!(
            "The secret that the sender of `{name}` signs with: "
        ))?),
    };
    for note in app.set_task_secret(&name, secret).await? {
        render.talk(&format!("note: {note}"));
    }
    render.data(&json!({"task": name, "secret": "set"}), || {
        format!("The secret of task {name} is sealed and kept.")
    });
    Ok(Ended::Well)
}

/// How a trigger stands, in plain words.
pub(crate) fn text(view: &TriggerView) -> String {
    let state = &view.state;
    let mut lines = vec![format!("Trigger: {}", view.summary)];
    if view.has_secret == Some(false) {
        lines.push("  It has no secret yet, so it believes nobody.".to_owned());
    }
    lines.push(match (&state.last_event, state.last_event_at) {
        (Some(event), Some(at)) => {
            format!("  {} event(s) received, the last at {at}: {event}", state.events)
        }
        _ => "  No event was received yet.".to_owned(),
    });
    if view.waiting > 0 {
        lines.push(format!("  {} event(s) wait for a run.", view.waiting));
    }
    if let (Some(refusal), Some(at)) = (&state.last_refusal, state.last_refusal_at) {
        lines.push(format!(
            "  {} request(s) refused, the last at {at}:",
            state.refusals
        ));
        lines.push(letter("refused", refusal));
    }
    if let (Some(problem), Some(at)) = (&state.problem, state.problem_at) {
        lines.push(format!("  It has had a problem since {at}:"));
        lines.push(letter("problem", problem));
    }
    lines.join("\n")
}
