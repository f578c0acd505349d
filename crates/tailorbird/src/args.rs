//! What a person may type.

pub(crate) mod approval;
pub(crate) mod connection;
pub(crate) mod database;
mod home;
mod notice;
pub(crate) mod sandbox;
pub(crate) mod serve;
mod service;
pub(crate) mod task;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub(crate) use approval::{ApprovalCommand, Which};
pub(crate) use connection::{CallArguments, ConnectionCommand};
pub(crate) use database::DatabaseCommand;
pub(crate) use home::{BackupArguments, HomeCommand, RestoreArguments};
pub(crate) use notice::NoticeCommand;
pub(crate) use sandbox::SandboxArguments;
pub(crate) use serve::ServeArguments;
pub(crate) use service::ServiceCommand;
pub(crate) use task::{DeliveryCommand, RunCommand, TaskCommand};

/// Where the home lies if nobody says otherwise.
pub(crate) const DEFAULT_HOME: &str = "./.tailorbird";

const AFTER_HELP: &str = "\
Try it, without internet or account:
  tailorbird demo

Exit codes: 0 done; 1 failed; 2 usage, invalid file or no home; 3 ended, with rejected records, doubts or \
something waiting for a person.
Errors have a code; `tailorbird explain CODE` shows its page.";

/// Connects any business database to any web API, both ways, and never sends the same thing twice.
#[derive(Debug, Parser)]
#[command(name = "tailorbird", version, after_help = AFTER_HELP, propagate_version = true)]
pub(crate) struct Arguments {
    /// The home folder: definitions, sealed secrets and the ledger
    #[arg(
        long,
        global = true,
        env = "TAILORBIRD_HOME",
        default_value = DEFAULT_HOME,
        value_name = "DIR"
    )]
    pub(crate) home: PathBuf,
    /// How data is printed: for people, or as one JSON value
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// One JSON value.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lives the whole tutorial through on sample data: portal, keys, PIN, posted rows, mentions
    #[command(
        after_help = "Examples:\n  tailorbird demo\n  tailorbird demo --rows 200\n  tailorbird demo --keep-serving    # then walk the same way by hand in a browser"
    )]
    Demo {
        /// Go on serving the sandbox when the demo has ended, and print each address
        #[arg(long)]
        keep_serving: bool,
        /// How many newly published products the sample ERP has
        #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
        rows: u32,
    },
    /// Drives runs by itself, day and night: triggers, health, metrics
    Serve(ServeArguments),
    /// Serves the sandbox provider: developer portal, consent page, OAuth 1.0a, X API v1.1 and v2
    Sandbox(SandboxArguments),
    /// Services: web APIs described as data
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Connections: a service plus one account's credentials
    #[command(subcommand)]
    Connection(ConnectionCommand),
    /// Calls one operation, or any method and path, over a connection
    Call(CallArguments),
    /// OAuth 1.0a tools
    #[command(subcommand)]
    Oauth1(Oauth1Command),
    /// Databases: named links to business databases
    #[command(subcommand)]
    Database(DatabaseCommand),
    /// Tasks: a trigger and steps
    #[command(subcommand)]
    Task(TaskCommand),
    /// Runs: executions of tasks
    #[command(subcommand)]
    Run(RunCommand),
    /// Approvals: records that wait for a person's release
    #[command(subcommand)]
    Approval(ApprovalCommand),
    /// Deliveries: each record that leaves, with its story
    #[command(subcommand)]
    Delivery(DeliveryCommand),
    /// Notices to the owners of tasks
    #[command(subcommand)]
    Notice(NoticeCommand),
    /// The home folder: how it stands after a backup came back
    #[command(subcommand)]
    Home(HomeCommand),
    /// Writes the whole home into one file, while runs go on
    Backup(BackupArguments),
    /// Brings a backup back; what was sent since is looked up before it is sent again
    Restore(RestoreArguments),
    /// Prints a link that opens the pages of the running server in a browser, once, within an hour
    #[command(
        after_help = "Examples:\n  tailorbird open\n  xdg-open \"$(tailorbird open)\"\n  tailorbird --home /srv/tailorbird open --output json"
    )]
    Open,
    /// Checks this installation: home, key, clock, definitions
    #[command(after_help = "Example:\n  tailorbird doctor")]
    Doctor,
    /// Shows the page of an error code
    #[command(
        after_help = "Examples:\n  tailorbird explain AUTH-001\n  tailorbird explain          # lists all codes"
    )]
    Explain {
        /// The code, for example AUTH-001; all codes where absent
        code: Option<String>,
    },
    /// Prints the completions for a shell
    #[command(after_help = "Example:\n  tailorbird completions bash > /etc/bash_completion.d/tailorbird")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Oauth1Command {
    /// Signs requests: JSON Lines in, JSON Lines out, in order
    #[command(
        after_help = "Example:\n  echo '{\"method\":\"GET\",\"url\":\"https://api.example.com/1\",\"oauth\":{\"oauth_consumer_key\":\"k\",\"oauth_signature_method\":\"HMAC-SHA1\",\"oauth_timestamp\":\"1\",\"oauth_nonce\":\"n\"},\"consumer_secret\":\"s\",\"token_secret\":\"\"}' | tailorbird oauth1 sign"
    )]
    Sign,
}
