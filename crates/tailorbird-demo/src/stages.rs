//! The stages of the demo; each may find its work done by an earlier demo and then says so.

use std::path::PathBuf;
use std::sync::Arc;

use tailorbird_app::{
    AddConnection, AddDatabase, App, AppError, Callback, Progress, ProgressEvent, SecretsInput, Stop,
};
use tailorbird_model::database::DatabaseKind;
use tailorbird_model::run::{Run, RunState};
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_sandbox::{ApplicationKeys, Consent, Decision, Level, Running, VisitError};

use crate::{DemoEvent, Settings, Tell, sample, tasks};

/// The name of the demo's connection.
pub(crate) const CONNECTION: &str = "company-x";
/// The name of the application that the demo registers.
const APPLICATION: &str = "Tailorbird demo";

/// The sample databases.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) erp: PathBuf,
    pub(crate) crm: PathBuf,
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn visit_failure(error: VisitError) -> AppError {
    let message = format!("could not walk the sandbox's pages: {error}");
    Failure::new(codes::DEMO_MISMATCH, Meaning::NotSent, message).into()
}

pub(crate) fn name(text: &str) -> Result<Name, AppError> {
    text.parse().map_err(|error: tailorbird_model::name::NotAName| {
        Failure::new(codes::INTERNAL, Meaning::NotSent, error.to_string()).into()
    })
}

/// Registers the application by the portal's own pages, and raises its level; nothing where an earlier demo
/// did.
pub(crate) async fn register(
    app: &App,
    sandbox: &Running,
    tell: &Tell,
) -> Result<Option<ApplicationKeys>, AppError> {
    let known = app
        .connections()?
        .into_iter()
        .find(|view| view.connection.as_str() == CONNECTION);
    if known.is_some_and(|view| view.missing.is_empty()) {
        tell(DemoEvent::Detail(format!(
            "an earlier demo registered “{APPLICATION}”; its connection is used"
        )));
        return Ok(None);
    }
    let mut visitor = sandbox.visitor();
    visitor.sign_in().await.map_err(visit_failure)?;
    let website = "https://www.example.com/";
    let callback = "http://127.0.0.1:7082/oauth/callback";
    let description = "Announces new products and brings mentions into the CRM.";
    let mut title = APPLICATION.to_owned();
    let mut made = visitor
        .create_application(&title, description, website, callback)
        .await;
    if let Err(VisitError::Refused { .. }) = made {
        // An application of that name may be left from a connection that was removed; names are unique.
        title = format!(
            "{APPLICATION} {}",
            jiff::Timestamp::now().strftime("%y%m%d %H%M%S")
        );
        made = visitor
            .create_application(&title, description, website, callback)
            .await;
    }
    let keys = made.map_err(visit_failure)?;
    tell(DemoEvent::Detail(format!(
        "“{title}” is registered; new applications are Read only"
    )));
    visitor
        .set_level(&keys.client_key, Level::ReadWrite)
        .await
        .map_err(visit_failure)?;
    tell(DemoEvent::Detail(
        "its level is set to Read and Write, before any token is made".to_owned(),
    ));
    Ok(Some(keys))
}

/// Makes the connection and takes it through the three-legged flow.
pub(crate) async fn connect(
    app: &App,
    sandbox: &Running,
    keys: Option<ApplicationKeys>,
    tell: &Tell,
) -> Result<(), AppError> {
    let connection = name(CONNECTION)?;
    let root_url = sandbox.addresses().api.clone();
    let before = app
        .connections()?
        .into_iter()
        .find(|view| view.connection == connection);
    let secrets = keys.map(|keys| SecretsInput {
        client_key: Some(keys.client_key),
        client_secret: Some(keys.client_secret),
        ..SecretsInput::default()
    });
    let is_new = secrets.is_some();
    app.add_connection(AddConnection {
        name: connection.clone(),
        service: Some(name("x")?),
        settings: vec![("root_url".to_owned(), root_url.clone())],
        secrets,
    })
    .await?;
    if let Some(old_root) = before.and_then(|view| view.root_url)
        && old_root.trim_end_matches('/') != root_url.trim_end_matches('/')
    {
        app.service_moved(&connection, &old_root, &root_url).await?;
        tell(DemoEvent::Detail(
            "the sandbox listens at another port than last time; what was sent stays sent".to_owned(),
        ));
    }
    if !is_new {
        let tested = app.test_connection(&connection).await?;
        let account = tested.account.map(|account| account.name).unwrap_or_default();
        tell(DemoEvent::Detail(format!(
            "connection {connection} is authorised already, for {account}"
        )));
        return Ok(());
    }
    let started = app.authorize_start(&connection, Callback::OutOfBand).await?;
    tell(DemoEvent::Detail(
        "temporary credentials received (signed with HMAC-SHA1)".to_owned(),
    ));
    let mut visitor = sandbox.visitor();
    let consent = visitor
        .consent(&started.authorize_url, Decision::Approve)
        .await
        .map_err(visit_failure)?;
    let Consent::Pin(pin) = consent else {
        let message = "the consent page gave no PIN";
        return Err(Failure::new(codes::DEMO_MISMATCH, Meaning::NotSent, message).into());
    };
    tell(DemoEvent::Detail(format!(
        "signed in, approved on the consent page, PIN of {} digits shown",
        pin.len()
    )));
    let finished = app.authorize_finish(&connection, &pin).await?;
    let account = finished.account.map(|account| account.name).unwrap_or_default();
    let level = finished.level_words.or(finished.level).unwrap_or_default();
    tell(DemoEvent::Detail(format!(
        "access token received and sealed: account {account}, level {level}"
    )));
    Ok(())
}

/// Makes the sample databases and names them.
pub(crate) async fn databases(app: &App, settings: &Settings, tell: &Tell) -> Result<Files, AppError> {
    let files = Files {
        erp: settings.home.join("erp.sqlite"),
        crm: settings.home.join("crm.sqlite"),
    };
    let made = sample::make(&files, settings.rows)?;
    tell(DemoEvent::Detail(made));
    for (database, path) in [("erp", &files.erp), ("crm", &files.crm)] {
        app.add_database(AddDatabase {
            name: name(database)?,
            kind: Some(DatabaseKind::Sqlite),
            settings: vec![("path".to_owned(), path.display().to_string())],
            writable: Some(true),
        })
        .await?;
    }
    Ok(files)
}

/// Takes the task files in and runs them.
pub(crate) async fn run_tasks(app: &App, sandbox: &Running, tell: &Tell) -> Result<Vec<Run>, AppError> {
    let (file, text) = tasks::write(app.home(), &sandbox.addresses().portal)?;
    app.apply_tasks(&[(file.display().to_string(), text)], false)
        .await?;
    tell(DemoEvent::Detail(format!("their files: {}", file.display())));
    let mut runs = Vec::new();
    for task in [tasks::ANNOUNCE, tasks::COLLECT] {
        let teller = Arc::clone(tell);
        let progress: Progress = Arc::new(move |event| match event {
            ProgressEvent::Note(note) => teller(DemoEvent::Detail(note)),
            other => teller(DemoEvent::Progress(other.to_string())),
        });
        let run = app.run_task(&name(task)?, progress, Stop::default()).await?;
        let c = &run.counts;
        tell(DemoEvent::Detail(format!(
            "{task}: {} read, {} delivered, {} already delivered, {} rejected, {} written",
            c.read, c.delivered, c.already, c.rejected, c.written
        )));
        if run.state != RunState::Succeeded {
            let failure = run.failure.clone().unwrap_or_else(|| {
                Failure::new(
                    codes::DEMO_MISMATCH,
                    Meaning::NotSent,
                    format!("the run of {task} is {}", run.state.as_str()),
                )
            });
            return Err(failure.into());
        }
        runs.push(run);
    }
    Ok(runs)
}
