//! `call CONNECTION OPERATION|'METHOD /path'`.

use std::path::Path;

use serde_json::json;
use tailorbird_app::{App, AppError, Call, CallBody, CallTarget};
use tailorbird_model::service::Method;

use crate::Ended;
use crate::args::CallArguments;
use crate::commands::input;
use crate::render::{Render, letter};

pub(crate) async fn run(home: &Path, arguments: CallArguments, render: Render) -> Result<Ended, AppError> {
    let app = App::open(home)?;
    let body = match &arguments.body {
        Some(file) => Some(CallBody {
            content_type: arguments
                .content_type
                .clone()
                .unwrap_or_else(|| "application/json".to_owned()),
            bytes: input::bytes(file)?,
        }),
        None => None,
    };
    let call = Call {
        connection: input::name(&arguments.connection)?,
        target: target(&arguments.operation)?,
        parameters: input::pairs(&arguments.parameters)?,
        body,
    };
    if arguments.as_curl {
        let command = app.call_as_curl(&call)?;
        render.data(&json!({"curl": command}), || command.clone());
        return Ok(Ended::Well);
    }
    if arguments.dry_run {
        let request = app.call_dry_run(&call)?;
        render.json(&request);
        return Ok(Ended::Well);
    }
    let answer = app.call(&call).await?;
    for note in &answer.notes {
        render.talk(&format!("note: {note}"));
    }
    render.json(&json!({
        "status": answer.status,
        "headers": answer.headers,
        "body": answer.body,
        "failure": answer.failure,
    }));
    match answer.failure {
        Some(failure) => {
            if !render.is_json() {
                render.talk(&letter("error", &failure));
            }
            Ok(Ended::Failed)
        }
        None => Ok(Ended::Well),
    }
}

/// `METHOD /path` is a raw call; anything else names an operation.
pub(crate) fn target(text: &str) -> Result<CallTarget, AppError> {
    match text.split_once(' ') {
        Some((method, path)) if path.trim_start().starts_with('/') => {
            let method: Method =
                method
                    .parse()
                    .map_err(|error: tailorbird_model::service::UnknownMethod| {
                        AppError::usage(tailorbird_model::Failure::new(
                            tailorbird_model::codes::PARAMETER,
                            tailorbird_model::Meaning::Rejected,
                            error.to_string(),
                        ))
                    })?;
            Ok(CallTarget::Raw(method, path.trim().to_owned()))
        }
        _ if text.starts_with('/') => Err(AppError::usage(
            tailorbird_model::Failure::new(
                tailorbird_model::codes::PARAMETER,
                tailorbird_model::Meaning::Rejected,
                format!("{text:?} is a path without a method"),
            )
            .hint(format!("Give both together, in quotes: `'GET {text}'`.")),
        )),
        _ => Ok(CallTarget::Operation(input::name(text)?)),
    }
}
