//! The test command of the README, stage by stage, and its parts.
//!
//! One target directory, one profile and the feature set of the whole workspace throughout: what one
//! stage built, the next uses. The runner comes last, so that its summary is the last line.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::{prepare as installation, repository, run, say};

/// The environment variables that the kill harness reads (crates/tailorbird-judges).
const ROUNDS_VARIABLE: &str = "TAILORBIRD_KILL_ROUNDS";
const KILLS_VARIABLE: &str = "TAILORBIRD_CRASH_KILLS";
const SEED_VARIABLE: &str = "TAILORBIRD_KILL_SEED";

/// Where the judge of the pages leaves their pictures.
const SHOTS_VARIABLE: &str = "TAILORBIRD_SCREENSHOTS";

/// Everything.
pub(crate) fn test() -> Result<()> {
    let stages = [
        Stage::new("format", cargo(&["fmt", "--all", "--check"])?),
        Stage::new(
            "lint",
            cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--",
                "-D",
                "warnings",
            ])?,
        ),
        Stage::new("build", build()?),
        Stage::new("documentation", documentation()?),
        Stage::new(
            "examples in the documentation",
            cargo(&["test", "--workspace", "--doc", "--locked", "--quiet"])?,
        ),
        Stage::new("tests", nextest(&[])?),
    ];
    let total = stages.len() + 1;
    installed(total)?;
    for (index, stage) in stages.into_iter().enumerate() {
        let last = index + 2 == total;
        stage.run(index + 2, total, last)?;
    }
    Ok(())
}

/// The installation alone.
pub(crate) fn prepare() -> Result<()> {
    installed(1)
}

/// The judges alone, on a binary that is built first.
pub(crate) fn foreign(filter: Option<&str>) -> Result<()> {
    installed(3)?;
    Stage::new("build", build()?).run(2, 3, false)?;
    let only = match filter {
        Some(part) => format!("package(tailorbird-judges) & test({part})"),
        None => "package(tailorbird-judges)".to_owned(),
    };
    Stage::new("judges", nextest(&["-E", &only])?).run(3, 3, true)
}

/// The kill harness of one task, with as many rounds as asked for; its table is shown.
pub(crate) fn kill(rounds: u32, seed: Option<u64>) -> Result<()> {
    harness(
        "package(tailorbird-judges) & test(/^kill::/)",
        (ROUNDS_VARIABLE, rounds),
        seed,
    )
}

/// The crash harness of all kinds of steps, with as many kills as asked for; its table is shown.
pub(crate) fn crash(kills: u32, seed: Option<u64>) -> Result<()> {
    harness(
        "package(tailorbird-judges) & test(/^crash::ended_at_random/)",
        (KILLS_VARIABLE, kills),
        seed,
    )
}

fn harness(filter: &str, (variable, number): (&str, u32), seed: Option<u64>) -> Result<()> {
    Stage::new("build", build()?).run(1, 2, false)?;
    let mut command = nextest(&["-E", filter, "--no-capture", "--profile", "kill"])?;
    command.env(variable, number.to_string());
    if let Some(seed) = seed {
        command.env(SEED_VARIABLE, seed.to_string());
    }
    Stage::new("kill", command).run(2, 2, true)
}

/// Pictures of every page, in two widths and both themes, from the judge that walks them.
pub(crate) fn screenshots() -> Result<()> {
    let folder = repository::root()?.join("docs/screenshots/pages");
    std::fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    installed(3)?;
    Stage::new("build", build()?).run(2, 3, false)?;
    let mut command = nextest(&["-E", "package(tailorbird-judges) & test(/^(pages|connect)::/)"])?;
    command.env(SHOTS_VARIABLE, &folder);
    Stage::new("pictures", command).run(3, 3, true)
}

fn installed(total: usize) -> Result<()> {
    let started = Instant::now();
    say::stage(1, total, "packages", "cargo xtask prepare");
    installation::all()?;
    say::done("packages", started.elapsed());
    Ok(())
}

struct Stage {
    name: &'static str,
    command: Command,
}

impl Stage {
    fn new(name: &'static str, command: Command) -> Self {
        Self { name, command }
    }

    /// Runs the stage; after the last one nothing more is said, so that the runner has the last word.
    fn run(mut self, number: usize, total: usize, last: bool) -> Result<()> {
        let started = Instant::now();
        say::stage(number, total, self.name, &run::shown(&self.command));
        run::show(&mut self.command).with_context(|| format!("stage {number}/{total}, {}", self.name))?;
        if self.name == "build" {
            binary_is_there()?;
        }
        if !last {
            say::done(self.name, started.elapsed());
        }
        Ok(())
    }
}

fn cargo(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new("cargo");
    command.current_dir(repository::root()?).args(arguments);
    Ok(command)
}

pub(crate) fn nextest(more: &[&str]) -> Result<Command> {
    let mut command = cargo(&["nextest", "run", "--workspace", "--locked"])?;
    // A failed test is told by its assertion; a page of frames pushes that out of what a CI record keeps.
    command.args(more).env("RUST_BACKTRACE", "0");
    Ok(command)
}

/// All test programs and the binary, in the feature set of the whole workspace.
pub(crate) fn build() -> Result<Command> {
    cargo(&["test", "--workspace", "--locked", "--no-run"])
}

fn documentation() -> Result<Command> {
    let mut command = cargo(&["doc", "--workspace", "--no-deps", "--locked", "--quiet"])?;
    command.env("RUSTDOCFLAGS", "-Dwarnings");
    Ok(command)
}

/// The judges start the program itself; cargo builds it beside the tests because it has tests of its own.
fn binary_is_there() -> Result<()> {
    let binary = repository::target()?.join("debug/tailorbird");
    ensure!(binary.is_file(), "the build left no {}", binary.display());
    Ok(())
}
