//! The npm packages of the foreign clients, from the lock file in `tests/foreign`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::{Folder, is_current, write_stamp};
use crate::{repository, run, say};

/// Installs anew when the lock file or Node changed.
pub(super) fn install(folder: &Folder) -> Result<()> {
    let from = repository::root()?.join("tests/foreign");
    let lock = fs::read_to_string(from.join("package-lock.json"))
        .context("could not read tests/foreign/package-lock.json")?;
    let version = run::read(Command::new("node").arg("--version"))?;
    let source = format!("{version}\n{lock}");

    let to = folder.node();
    let stamp = to.join("stamp");
    if is_current(&stamp, &source) {
        return Ok(());
    }
    say::note(&format!("installing npm packages in {}", to.display()));
    fs::create_dir_all(&to).with_context(|| format!("could not make {}", to.display()))?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(from.join(name), to.join(name)).with_context(|| format!("could not copy {name}"))?;
    }
    ci(folder, &to)?;
    write_stamp(&stamp, &source)
}

/// Installs what the lock file in a folder names.
pub(crate) fn ci(folder: &Folder, to: &Path) -> Result<()> {
    let mut npm = Command::new("npm");
    // No package's script is run: nothing that is used here needs one, and a fresh machine may be offline
    // to everything but the registry.
    npm.current_dir(to).args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]);
    folder.cache(&mut npm, "npm_config_cache", "npm");
    run::show(&mut npm)
}
