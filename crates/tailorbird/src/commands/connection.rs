//! `connection …`.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::json;
use tailorbird_app::{AddConnection, App, AppError, Callback, ConnectionView, Diagnosis, SecretsInput};
use tailorbird_model::{Failure, Meaning, codes};

use crate::Ended;
use crate::args::{ConnectionCommand, connection};
use crate::commands::{input, wizard};
use crate::render::{Render, table};

/// The members of `--secrets`; none of them may come by a flag.
const SECRETS: [&str; 5] = [
    "client_key",
    "client_secret",
    "token",
    "token_secret",
    "rsa_private_key",
];

pub(crate) async fn run(home: &Path, command: ConnectionCommand, render: Render) -> Result<Ended, AppError> {
    match command {
        ConnectionCommand::Add {
            name,
            service,
            settings,
            secrets,
        } => add(home, &name, service, &settings, secrets, render).await?,
        ConnectionCommand::Authorize {
            name,
            start,
            verifier,
            callback,
        } => {
            authorize(home, &name, start, verifier, callback, render).await?;
        }
        ConnectionCommand::List => list(home, render)?,
        ConnectionCommand::Show { name } => {
            let (app, name) = (App::open(home)?, input::name(&name)?);
            let (view, usage) = (app.connection(&name)?, app.connection_usage(&name)?);
            let mut json = view.to_json();
            if let (Some(members), serde_json::Value::Object(usage)) = (json.as_object_mut(), usage.to_json())
            {
                members.extend(usage);
            }
            render.data(&json, || {
                let lines = usage.lines(Timestamp::now());
                let lines = lines.iter().map(|line| format!("  {line}\n"));
                lines.fold(connection_text(&view), |text, line| text + &line)
            });
        }
        ConnectionCommand::Test { name } => {
            let tested = App::open(home)?.test_connection(&input::name(&name)?).await?;
            tell(render, &tested.notes, &[]);
            let json = json!({
                "connection": name,
                "account": tested.account.as_ref().map(|account| json!(account)),
                "level": tested.level,
            });
            render.data(&json, || {
                let account = tested
                    .account
                    .as_ref()
                    .map_or("an account that is not told", |a| a.name.as_str());
                let level = tested
                    .level_words
                    .as_deref()
                    .or(tested.level.as_deref())
                    .unwrap_or("not told");
                format!("{name} works. Account: {account}. Access level: {level}.")
            });
        }
        ConnectionCommand::Diagnose { name } => {
            let diagnosis = App::open(home)?.diagnose_connection(&input::name(&name)?).await?;
            let json = json!({
                "connection": name,
                "works": diagnosis.works,
                "findings": diagnosis.findings,
                "tried": diagnosis.tried,
            });
            render.data(&json, || diagnosis_text(&name, &diagnosis));
            return Ok(if diagnosis.works {
                Ended::Well
            } else {
                Ended::Failed
            });
        }
        ConnectionCommand::Export { name } => {
            let (json, yaml) = App::open(home)?.export_connection(&input::name(&name)?)?;
            render.document(&json, || yaml);
        }
        ConnectionCommand::Import { file } => {
            let text = input::text(&file)?;
            let (app, made) = App::create(home)?;
            if made {
                render.talk(&format!("Made the home folder {}.", home.display()));
            }
            let added = app.import_connection(&file.display().to_string(), &text).await?;
            tell(render, &added.notes, &added.warnings);
            render.data(&added.view.to_json(), || connection_text(&added.view));
        }
        ConnectionCommand::Remove { name } => {
            App::open(home)?.remove_connection(&input::name(&name)?).await?;
            render.data(&json!({"removed": name}), || {
                format!("Connection {name} and its secrets are removed.")
            });
        }
    }
    Ok(Ended::Well)
}

fn list(home: &Path, render: Render) -> Result<(), AppError> {
    let views = App::open(home)?.connections()?;
    let rows: Vec<Vec<String>> = views
        .iter()
        .map(|view| {
            vec![
                view.connection.to_string(),
                view.service.to_string(),
                view.state().to_owned(),
                view.account.as_ref().map(|a| a.name.clone()).unwrap_or_default(),
                view.level_words.clone().unwrap_or_default(),
                view.root_url.clone().unwrap_or_default(),
            ]
        })
        .collect();
    let json: Vec<_> = views.iter().map(ConnectionView::to_json).collect();
    render.data(&json.into(), || {
        table(
            &["CONNECTION", "SERVICE", "STATE", "ACCOUNT", "LEVEL", "ROOT URL"],
            &rows,
            "There are no connections. `tailorbird connection add --help` shows how to add one.",
        )
    });
    Ok(())
}

/// Adds or changes a connection; asks for its keys where a person sits there.
async fn add(
    home: &Path,
    name: &str,
    service: Option<String>,
    settings: &[String],
    secrets: Option<PathBuf>,
    render: Render,
) -> Result<(), AppError> {
    let (app, made) = App::create(home)?;
    if made {
        render.talk(&format!("Made the home folder {}.", home.display()));
    }
    let name = input::name(name)?;
    let service = service.as_deref().map(input::name).transpose()?;
    let secrets = match secrets {
        Some(file) => Some(SecretsInput::from_json(&input::text(&file)?)?),
        None => None,
    };
    let settings = input::pairs(settings)?;
    if let Some((secret, _)) = settings.iter().find(|(name, _)| SECRETS.contains(&name.as_str())) {
        let message = format!("\"{secret}\" is given with the secrets, never by a flag");
        return Err(AppError::usage(
            Failure::new(codes::CONNECTION_SETTING, Meaning::ConnectionFault, message).hint(
                "A flag stays in the shell's history. Give it by --secrets FILE, by standard input with --secrets -, \
                 or leave it out and be asked. If it was a real one, regenerate it at the provider.",
            ),
        ));
    }
    let add = AddConnection {
        name: name.clone(),
        service,
        settings,
        secrets,
    };
    let asks = add.secrets.is_none() && std::io::stdin().is_terminal() && !render.is_json();
    let mut added = app.add_connection(add).await?;
    tell(render, &added.notes, &added.warnings);
    if asks && !added.view.missing.is_empty() {
        added = wizard::ask_for_keys(&app, &name, render, added).await?;
    }
    render.data(&added.view.to_json(), || connection_text(&added.view));
    Ok(())
}

/// The wizard, or one of the two moves for scripts.
async fn authorize(
    home: &Path,
    name: &str,
    start: bool,
    verifier: Option<String>,
    callback: connection::Callback,
    render: Render,
) -> Result<(), AppError> {
    let app = App::open(home)?;
    let name = input::name(name)?;
    let callback = match callback {
        connection::Callback::Oob => Callback::OutOfBand,
        connection::Callback::Loopback => Callback::Loopback,
    };
    if start {
        let started = app.authorize_start(&name, callback).await?;
        tell(render, &[], &started.warnings);
        render.json(&json!({
            "connection": started.connection,
            "authorize_url": started.authorize_url,
            "expires_at": started.expires_at,
        }));
        return Ok(());
    }
    let finished = match verifier {
        Some(code) => {
            let code = if code == "-" {
                input::text(Path::new("-"))?
            } else {
                code
            };
            app.authorize_finish(&name, &code).await?
        }
        None => wizard::authorize(&app, &name, callback, render).await?,
    };
    tell(render, &finished.notes, &[]);
    let json = json!({
        "connection": finished.connection,
        "account": finished.account.as_ref().map(|account| json!(account)),
        "level": finished.level,
    });
    if render.is_json() || !std::io::stdout().is_terminal() {
        render.json(&json);
    } else {
        render.text(&wizard::finished_text(&finished));
    }
    Ok(())
}

pub(crate) fn tell(render: Render, notes: &[String], warnings: &[String]) {
    for note in notes {
        render.talk(&format!("note: {note}"));
    }
    for warning in warnings {
        render.talk(&format!("warning: {warning}"));
    }
}

fn diagnosis_text(name: &str, diagnosis: &Diagnosis) -> String {
    let mut text = if diagnosis.works {
        format!("{name} works.\n")
    } else {
        format!("{name} does not work.\n")
    };
    for finding in &diagnosis.findings {
        let mark = if finding.certain { "✕" } else { "◆" };
        text.push_str(&format!("\n{mark} {}\n", finding.cause));
        for (lead, words) in [("proof", &finding.proof), ("next", &finding.next_step)] {
            if !words.is_empty() {
                text.push_str(&format!("    {lead}:  {words}\n"));
            }
        }
        text.push_str(&format!("    more:  tailorbird explain {}\n", finding.code));
    }
    if !diagnosis.tried.is_empty() {
        text.push_str("\nWhat was tried:\n");
        for line in &diagnosis.tried {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text
}

pub(crate) fn connection_text(view: &ConnectionView) -> String {
    let mut text = format!(
        "Connection {} to {}: {}\n",
        view.connection,
        view.service_title,
        view.state()
    );
    if let Some(root) = &view.root_url {
        text.push_str(&format!("  root URL: {root}\n"));
    }
    for (name, value) in &view.settings {
        if name != "root_url" {
            text.push_str(&format!("  {name}: {value}\n"));
        }
    }
    if let Some(account) = &view.account {
        text.push_str(&format!("  account: {} ({})\n", account.name, account.id));
    }
    if let Some(level) = view.level_words.as_ref().or(view.level.as_ref()) {
        text.push_str(&format!("  access level: {level}\n"));
    }
    if !view.missing.is_empty() {
        text.push_str(&format!("  still missing: {}\n", view.missing.join(", ")));
    }
    if let Some(next) = &view.next_step {
        text.push_str(&format!("  next: {next}\n"));
    }
    text
}
