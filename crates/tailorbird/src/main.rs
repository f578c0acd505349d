#![doc = include_str!("../README.md")]

mod args;
mod commands;
mod config;
#[cfg(debug_assertions)]
mod faults;
#[cfg(test)]
mod fuzz;
mod render;
mod usage;

use std::process::ExitCode;

use clap::Parser as _;
use tailorbird_app::{AppError, Exporter, TraceLayer};
use tailorbird_model::trace::TARGET;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::args::{Arguments, Command};
use crate::render::Render;

/// How a command ended, apart from failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Nothing rejected or doubtful.
    Well,
    /// The answer was a refusal, or a check found something; all is said already.
    Failed,
    /// A file has problems; all is said already.
    Invalid,
    /// Ended, with rejected, in doubt or waiting for a person.
    NeedsPerson,
}

impl From<Ended> for ExitCode {
    fn from(ended: Ended) -> Self {
        Self::from(match ended {
            Ended::Well => 0,
            Ended::Failed => 1,
            Ended::Invalid => 2,
            Ended::NeedsPerson => 3,
        })
    }
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(problem) => return usage::refuse(&problem),
    };
    let render = Render::new(arguments.output);
    let exporter = start_log(render);
    #[cfg(debug_assertions)]
    if let Some(shorter) = config::shorter_timeout() {
        tailorbird_app::shorten_requests(shorter);
    }
    #[cfg(debug_assertions)]
    if let Err(problem) = faults::install() {
        render.talk(&format!("error: {problem}"));
        return ExitCode::from(2);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            render.talk(&format!("error: could not start the runtime: {error}"));
            return ExitCode::from(1);
        }
    };
    let done = runtime.block_on(async {
        let exporting = exporter.map(Exporter::start);
        let done = Box::pin(dispatch(arguments, render)).await;
        if let Some(exporting) = exporting {
            exporting.flush().await;
        }
        done
    });
    match done {
        Ok(ended) => ended.into(),
        Err(error) => {
            render.end_progress();
            let exit = ExitCode::from(if error.is_usage() { 2 } else { 1 });
            let mut failure = error.failure;
            if !render.is_json() && !error.problems.is_empty() {
                // People read the problems line by line; the detail would say the same once more.
                render.problems(&error.problems);
                failure.detail.clear();
            }
            render.failure(&failure);
            exit
        }
    }
}

async fn dispatch(arguments: Arguments, render: Render) -> Result<Ended, AppError> {
    let home = arguments.home;
    match arguments.command {
        Command::Demo { keep_serving, rows } => {
            Box::pin(commands::demo::run(&home, keep_serving, rows, render)).await
        }
        Command::Serve(arguments) => commands::serve::run(&home, arguments, render).await,
        Command::Sandbox(arguments) => commands::sandbox::run(arguments, render).await,
        Command::Service(command) => commands::service::run(&home, command, render).await,
        Command::Connection(command) => commands::connection::run(&home, command, render).await,
        Command::Call(arguments) => commands::call::run(&home, arguments, render).await,
        Command::Oauth1(args::Oauth1Command::Sign) => commands::oauth1::sign(),
        Command::Database(command) => commands::database::run(&home, command, render).await,
        Command::Task(command) => commands::task::run(&home, command, render).await,
        Command::Run(command) => Box::pin(commands::run::run(&home, command, render)).await,
        Command::Approval(command) => commands::approval::run(&home, command, render).await,
        Command::Delivery(command) => commands::delivery::run(&home, command, render).await,
        Command::Notice(command) => commands::notice::run(&home, command, render).await,
        Command::Home(command) => commands::home::run(&home, command, render).await,
        Command::Backup(arguments) => commands::home::backup(&home, &arguments, render).await,
        Command::Restore(arguments) => commands::home::restore(&home, &arguments, render).await,
        Command::Open => commands::open::run(&home, render).await,
        Command::Doctor => commands::doctor::run(&home, render).await,
        Command::Explain { code } => commands::explain::run(code.as_deref(), render),
        Command::Completions { shell } => Ok(commands::completions::run(shell, render)),
    }
}

/// The log goes to standard error and is quiet unless `RUST_LOG` asks for more. Traces go to a collector, where the
/// environment names one; then what hands them over is returned.
fn start_log(render: Render) -> Option<Exporter> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    let log = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_filter(filter);
    let (layer, exporter) = traces(render).unzip();
    let layer = layer.map(|layer| layer.with_filter(Targets::new().with_target(TARGET, LevelFilter::INFO)));
    tracing_subscriber::registry().with(log).with(layer).init();
    exporter
}

/// What keeps spans and what hands them over, where traces are wanted.
fn traces(render: Render) -> Option<(TraceLayer, Exporter)> {
    let (settings, notes) = config::traces();
    for note in notes {
        render.talk(&format!("note: {note}"));
    }
    match tailorbird_app::traces(&settings?) {
        Ok(traces) => Some(traces),
        Err(failure) => {
            render.talk(&format!("note: nothing is traced: {}.", failure.message));
            None
        }
    }
}
