#![doc = include_str!("../README.md")]

mod check;
mod sample;
mod sample_words;
mod stages;
mod summary;
mod tasks;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use tailorbird_app::{App, AppError};
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_sandbox::{LegacyV1, LimitMode, Running, Verify};

pub use summary::Summary;

/// What the demo is to do.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its own home folder.
    pub home: PathBuf,
    /// How many newly published products the sample ERP has.
    pub rows: u32,
    /// How the person called this program, so that the commands to try next can be copied as they stand.
    pub program: String,
    /// The command that runs this demo again, on this home.
    pub again: String,
}

/// What the demo tells while it works.
#[derive(Debug, Clone)]
pub enum DemoEvent {
    /// A new stage begins.
    Stage(String),
    /// Something that happened in it.
    Detail(String),
    /// A line that replaces the one before.
    Progress(String),
}

/// Takes in what the demo tells.
pub type Tell = Arc<dyn Fn(DemoEvent) + Send + Sync>;

/// A finished demo whose sandbox still answers.
pub struct Demo {
    sandbox: Running,
    summary: Summary,
    mismatch: Option<Failure>,
}

impl std::fmt::Debug for Demo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demo")
            .field("summary", &self.summary)
            .finish_non_exhaustive()
    }
}

/// The port of the last demo is tried first, so that its addresses stay what they were.
const PORT_FILE: &str = "sandbox.port";

impl Demo {
    /// Lives the tutorial through: portal, keys, consent, rows out, rows in, and a check of all of it.
    ///
    /// # Errors
    /// Where a stage does not succeed. A check that fails is in [`Demo::mismatch`].
    pub async fn run(settings: Settings, tell: Tell) -> Result<Self, AppError> {
        let stage = |number: u8, words: &str| tell(DemoEvent::Stage(format!("{number} of 6  {words}")));
        stage(1, "A sandbox provider on this machine");
        let (app, _) = App::create(&settings.home)?;
        let sandbox = start_sandbox(&settings).await?;
        let addresses = sandbox.addresses();
        tell(DemoEvent::Detail(format!(
            "developer portal and API at {}",
            addresses.portal
        )));

        stage(2, "An application in its developer portal");
        let keys = stages::register(&app, &sandbox, &tell).await?;

        stage(3, "A connection, authorised by OAuth 1.0a");
        stages::connect(&app, &sandbox, keys, &tell).await?;

        stage(4, "A sample ERP and CRM");
        let files = stages::databases(&app, &settings, &tell).await?;

        stage(5, "Two tasks: new products out, mentions and metrics in");
        let runs = stages::run_tasks(&app, &sandbox, &tell).await?;

        stage(
            6,
            "The check: what the sandbox accepted against what the tables say",
        );
        let checked = check::check(&app, &sandbox.facts(), &settings)?;
        let mismatch = checked.mismatch();
        for line in checked.lines() {
            tell(DemoEvent::Detail(line));
        }
        let summary = Summary::new(&settings, &sandbox, &files, &runs, &checked);
        Ok(Self {
            sandbox,
            summary,
            mismatch,
        })
    }

    /// What happened, where things lie, what to try next.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Why the demo's own check failed, if it did.
    pub fn mismatch(&self) -> Option<Failure> {
        self.mismatch.clone()
    }

    /// Addresses and account, to walk the same way by hand.
    pub fn by_hand(&self) -> String {
        let addresses = self.sandbox.addresses();
        let (user, password) = self.sandbox.account();
        format!(
            "\nThe sandbox goes on. Walk the same way by hand:\n\
             \x20 portal     {}\n\
             \x20 API        {}\n\
             \x20 scripts    {}\n\
             \x20 sign in as {user} with the password {password}\n\
             Ctrl-C ends it.",
            addresses.portal, addresses.api, addresses.admin
        )
    }

    /// Stops the sandbox.
    pub async fn stop(self) {
        self.sandbox.stop().await;
    }
}

/// Starts the sandbox with its state under the home: on the port of the last time, or on a free one.
async fn start_sandbox(settings: &Settings) -> Result<Running, AppError> {
    let port_file = settings.home.join(PORT_FILE);
    let last: Option<u16> = std::fs::read_to_string(&port_file)
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let with_port = |port: u16| tailorbird_sandbox::Settings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        tls_listen: None,
        ca_out: None,
        proxy_listen: None,
        legacy_v1: LegacyV1::Open,
        verify: Verify::Strict,
        limits: LimitMode::Off,
        faults: Vec::new(),
        state: Some(settings.home.join("sandbox.state")),
    };
    let started = match last {
        Some(port) => match tailorbird_sandbox::start(with_port(port)).await {
            Ok(running) => Ok(running),
            Err(_) => tailorbird_sandbox::start(with_port(0)).await,
        },
        None => tailorbird_sandbox::start(with_port(0)).await,
    };
    let running = started.map_err(|error| {
        let cause = std::error::Error::source(&error)
            .map(ToString::to_string)
            .unwrap_or_default();
        Failure::new(codes::SANDBOX_START, Meaning::NotSent, error.to_string())
            .detail(cause)
            .hint("Another demo may be running with this home; end it, or use another one with --home.")
    })?;
    let port = running
        .addresses()
        .portal
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .trim_end_matches('/')
        .to_owned();
    std::fs::write(&port_file, port).map_err(|error| {
        Failure::new(
            codes::FILE_UNREADABLE,
            Meaning::NotSent,
            format!("could not write {}: {error}", port_file.display()),
        )
    })?;
    Ok(running)
}
