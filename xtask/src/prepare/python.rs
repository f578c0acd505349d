//! The Python environment of the foreign clients, from `tests/foreign/requirements.txt`.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use super::{Folder, is_current, write_stamp};
use crate::{repository, run, say};

/// Makes the environment anew when the pinned list or the interpreter changed.
pub(super) fn install(folder: &Folder) -> Result<()> {
    let requirements = repository::root()?.join("tests/foreign/requirements.txt");
    let pinned =
        fs::read_to_string(&requirements).context("could not read tests/foreign/requirements.txt")?;
    let version = run::read(Command::new("python3").args(["-c", "import sys; print(sys.version)"]))?;
    let source = format!("{version}\n{pinned}");

    let venv = folder.venv();
    let stamp = venv.join("stamp");
    if is_current(&stamp, &source) {
        return Ok(());
    }
    say::note(&format!("making a Python environment in {}", venv.display()));
    run::show(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--requirement",
    ])
    .arg(&requirements);
    folder.cache(&mut pip, "PIP_CACHE_DIR", "pip");
    run::show(&mut pip)?;
    // `--no-deps` keeps an unpinned package from slipping in; this says whether the list is whole.
    run::show(Command::new(venv.join("bin/python")).args(["-m", "pip", "check", "--quiet"]))?;
    write_stamp(&stamp, &source)
}
