//! The test runner, cargo-nextest.

use std::process::Command;

use anyhow::Result;

use crate::{run, say};

/// Installs the runner where it is missing. Built without optimisation: it only starts other programs,
/// and so it takes a third of the time.
pub(super) fn install() -> Result<()> {
    if run::works(Command::new("cargo").args(["nextest", "--version"])) {
        return Ok(());
    }
    say::note("cargo-nextest is missing: building it takes some minutes, once");
    run::show(Command::new("cargo").args(["install", "cargo-nextest", "--locked", "--debug"]))
}
