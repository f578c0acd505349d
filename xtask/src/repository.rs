//! The repository as files: where it is, what Git tracks, and its packages as cargo sees them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::run;

/// The top folder: the parent of this crate's.
pub(crate) fn root() -> Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .context("the folder of xtask has no parent")
}

/// The paths that Git tracks and that still exist, relative to the top folder, with `/`.
pub(crate) fn tracked() -> Result<Vec<String>> {
    let root = root()?;
    let listed = run::read(Command::new("git").current_dir(&root).args(["ls-files", "-z"]))?;
    let present = |path: &&str| !path.is_empty() && root.join(path).is_file();
    Ok(listed.split('\0').filter(present).map(str::to_owned).collect())
}

/// A tracked text file; `None` for one that is not UTF-8.
pub(crate) fn text(path: &str) -> Result<Option<String>> {
    let bytes = fs::read(root()?.join(path)).with_context(|| format!("could not read {path}"))?;
    Ok(String::from_utf8(bytes).ok())
}

/// All tracked text files whose name ends with one of these, with their contents.
pub(crate) fn texts(endings: &[&str]) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for path in tracked()? {
        if endings.iter().any(|ending| path.ends_with(ending))
            && let Some(contents) = text(&path)?
        {
            found.push((path, contents));
        }
    }
    Ok(found)
}

/// What cargo says about the workspace alone.
pub(crate) fn metadata() -> Result<Value> {
    cargo_metadata(&["--no-deps"])
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> Result<PathBuf> {
    let metadata = metadata()?;
    let folder = metadata.get("target_directory").and_then(Value::as_str);
    Ok(folder
        .context("`cargo metadata` names no target directory")?
        .into())
}

/// What cargo says about the workspace and everything that a build for this machine needs.
pub(crate) fn metadata_with_dependencies() -> Result<Value> {
    let version = run::read(Command::new("rustc").arg("-vV"))?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("`rustc -vV` names no host")?;
    cargo_metadata(&["--filter-platform", host])
}

fn cargo_metadata(more: &[&str]) -> Result<Value> {
    let mut command = Command::new("cargo");
    command
        .current_dir(root()?)
        .args(["metadata", "--locked", "--format-version", "1"])
        .args(more);
    serde_json::from_str(&run::read(&mut command)?).context("`cargo metadata` printed no JSON")
}
