#![doc = include_str!("../README.md")]

mod bench;
mod fuzz;
mod prepare;
mod repository;
mod run;
mod say;
mod stages;
mod tidy;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Rounds of the kill harness where nobody says how many.
const DEFAULT_ROUNDS: u32 = 50;

/// Work on the repository itself.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install what the tests need and pass them all; ends with the test runner's own summary.
    Test,
    /// Install what the tests need: Debian packages, a Python environment, npm packages, the runner.
    Prepare,
    /// Run the judges: other people's clients and provider against the built binary.
    Foreign {
        /// Only the tests whose name contains this.
        filter: Option<String>,
    },
    /// End the program by `kill -9` again and again and count what arrived.
    Kill {
        /// Rounds of one task with 200 rows, each with one to three kills; 50 where nothing is said.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        rounds: Option<u32>,
        /// So many kills at random moments while tasks with every kind of step and trigger are at work.
        #[arg(long, conflicts_with = "rounds", value_parser = clap::value_parser!(u32).range(1..=100_000))]
        kills: Option<u32>,
        /// The first round's seed; the same seed waits the same times before each kill.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Ask the parsers of outside input with made-up input; the suite has a short run of the same.
    Fuzz {
        /// Only the targets whose name contains this.
        target: Option<String>,
        /// How long for each target.
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
        seconds: u64,
    },
    /// Build in the release profile and measure, beside a floor and hand-written scripts; `bench --help` says what.
    #[command(disable_help_flag = true)]
    Bench {
        /// What the measurement is told.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// Take pictures of all pages again, into docs/screenshots/pages.
    Screenshots,
    /// Check the rules that no compiler checks.
    Tidy,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Test => stages::test(),
        Command::Prepare => stages::prepare(),
        Command::Foreign { filter } => stages::foreign(filter.as_deref()),
        Command::Fuzz { target, seconds } => fuzz::fuzz(target.as_deref(), seconds),
        Command::Bench { words } => bench::measure(&words),
        Command::Screenshots => stages::screenshots(),
        Command::Kill {
            kills: Some(kills),
            seed,
            ..
        } => stages::crash(kills, seed),
        Command::Kill { rounds, seed, .. } => stages::kill(rounds.unwrap_or(DEFAULT_ROUNDS), seed),
        Command::Tidy => tidy::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::failure(&error);
            ExitCode::FAILURE
        }
    }
}
