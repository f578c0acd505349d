//! The parts of the measurement, and what they share.

mod idle;
mod out;
mod recovery;
mod scale;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value};

use crate::args::{Part, Plan};
use crate::product::Home;
use crate::provider::Provider;
use crate::report::Line;
use crate::{machine, say};

const ALL: &[Part] = &[Part::Out, Part::Scale, Part::Idle, Part::Recovery];

/// What every part works with.
struct Bench<'a> {
    plan: &'a Plan,
    binary: PathBuf,
    scratch: PathBuf,
    mock: Provider,
}

/// Measures, prints the table, writes the JSON.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    let scratch = std::path::absolute(&plan.scratch)?;
    // What an interrupted measurement left behind goes first.
    empty(&scratch)?;
    let binary = match &plan.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => std::env::current_exe()?.with_file_name("tailorbird"),
    };
    ensure!(
        binary.is_file(),
        "there is no {}; `cargo xtask bench` builds it",
        binary.display()
    );
    let about = machine::about(&scratch)?;
    say::talk(&format!("machine: {about}"));
    let bench = Bench {
        plan,
        binary,
        mock: Provider::start(&scratch)?,
        scratch,
    };
    let mut figures = Map::from_iter([("machine".to_owned(), about)]);
    let wanted = if plan.parts.is_empty() { ALL } else { &plan.parts };
    for part in wanted {
        let (name, found) = match part {
            Part::Out => ("out", out::run(&bench)?),
            Part::Scale => ("scale", scale::run(&bench)?),
            Part::Idle => ("idle", idle::run(&bench)?),
            Part::Recovery => ("recovery", recovery::run(&bench)?),
        };
        figures.insert(name.to_owned(), found);
        // After each part: what was measured is not lost where a later part is interrupted.
        let text = serde_json::to_string_pretty(&figures)?;
        fs::write(&plan.json, text).with_context(|| format!("could not write {}", plan.json.display()))?;
    }
    say::talk(&format!("figures: {}", plan.json.display()));
    fs::remove_dir_all(&bench.scratch)?;
    Ok(())
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        ensure!(
            folder.join(MARK).is_file(),
            "{} exists and was not made by a measurement; name another folder by --scratch",
            folder.display()
        );
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    fs::write(
        folder.join(MARK),
        "Made by cargo xtask bench, and removed by it.\n",
    )?;
    Ok(())
}

/// Marks a folder as the measurement's own.
const MARK: &str = "made-by-bench";

impl Bench<'_> {
    /// A folder of its own, empty.
    fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.scratch.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    fn home(&self, name: &str, rows: u64, concurrency: usize) -> Result<Home> {
        let folder = self.folder(name)?;
        Home::make(&self.binary, folder, &self.mock.root, rows, concurrency)
    }

    /// The program sends so many rows over a home of its own, which stays.
    fn program(&self, name: &str, rows: u64, concurrency: usize) -> Result<(Home, Line)> {
        let home = self.home(name, rows, concurrency)?;
        self.mock.reset()?;
        let ran = home.run()?;
        let counted = self.mock.has_each_once("the program", rows)?;
        ensure!(
            ran.delivered == rows,
            "the program says that {} of {rows} were delivered",
            ran.delivered
        );
        let line = Line {
            who: "tailorbird".to_owned(),
            rows,
            concurrency,
            wall: ran.took.wall,
            cpu: ran.took.cpu,
            peak: ran.took.peak,
            commits: ran.commits,
            connections: counted.connections,
            load: machine::load(),
        };
        Ok((home, line))
    }
}

/// Prints lines as they come and keeps them.
#[derive(Default)]
struct Lines(Vec<Line>);

impl Lines {
    fn add(&mut self, line: Line) -> Result<()> {
        if self.0.is_empty() {
            say::line(&Line::head())?;
        }
        say::line(&line.text())?;
        self.0.push(line);
        Ok(())
    }

    fn json(&self) -> Value {
        self.0.iter().map(Line::json).collect()
    }
}
