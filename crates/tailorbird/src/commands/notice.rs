//! `notice …`.

use std::path::Path;

use serde_json::json;
use tailorbird_app::{App, AppError, MailChange, Notice};

use crate::Ended;
use crate::args::NoticeCommand;
use crate::commands::input;
use crate::render::{Render, table};

pub(crate) async fn run(home: &Path, command: NoticeCommand, render: Render) -> Result<Ended, AppError> {
    let app = App::open(home)?;
    match command {
        NoticeCommand::List { limit } => list(&app.notices(limit)?, render),
        NoticeCommand::Mail {
            host,
            port,
            tls,
            from,
            user,
            secrets,
        } => {
            let change = MailChange {
                host,
                port,
                tls,
                from,
                user,
                secrets: secrets.as_deref().map(input::text).transpose()?,
            };
            mail(&app, change, render).await?;
        }
    }
    Ok(Ended::Well)
}

async fn mail(app: &App, change: MailChange, render: Render) -> Result<(), AppError> {
    let is_change = change.host.is_some()
        || change.port.is_some()
        || change.tls.is_some()
        || change.from.is_some()
        || change.user.is_some()
        || change.secrets.is_some();
    let server = if is_change {
        Some(app.set_mail_server(change).await?)
    } else {
        app.mail_server()?
    };
    render.data(&json!(server), || match &server {
        None => "No mail server is set. `tailorbird notice mail --host … --from …` sets it.".to_owned(),
        Some(server) => format!(
            "Notices go over {}:{} ({}) from {}{}.",
            server.host,
            server.port,
            json!(server.tls).as_str().unwrap_or_default(),
            server.from,
            server
                .user
                .as_ref()
                .map(|user| format!(", logged in as {user}"))
                .unwrap_or_default()
        ),
    });
    Ok(())
}

fn list(notices: &[Notice], render: Render) {
    let rows: Vec<Vec<String>> = notices.iter().map(row).collect();
    render.data(&json!(notices), || {
        table(
            &[
                "ID", "TASK", "BY", "STATE", "TRIES", "MADE", "NEXT TRY", "TELLS", "WHY NOT",
            ],
            &rows,
            "There are no notices. A task says in `notify` whom it tells.",
        )
    });
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
        notice.channel.clone(),
        notice.state.clone(),
        notice.attempts.to_string(),
        notice.made_at.to_string(),
        notice.next_at.map(|at| at.to_string()).unwrap_or_default(),
        told.join(", "),
        notice.failure.clone().unwrap_or_default(),
    ]
}
