//! Installs what the tests need and a fresh machine lacks. Each part looks first and does nothing when
//! all is there; a stamp beside each environment holds the pinned list that it was made from.

mod debian;
mod node;
mod python;
mod runner;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::repository;

/// Names another folder for what the tests install, the package clients' caches included.
pub(crate) const FOLDER_VARIABLE: &str = "TAILORBIRD_FOREIGN_DIR";

/// Where the tests' environments lie.
pub(crate) struct Folder {
    path: PathBuf,
    own_caches: bool,
}

impl Folder {
    /// The folder that the environment names, else `target/foreign`.
    pub(crate) fn find() -> Result<Self> {
        if let Some(path) = std::env::var_os(FOLDER_VARIABLE) {
            return Ok(Self {
                path: std::path::absolute(path)?,
                own_caches: true,
            });
        }
        Ok(Self {
            path: repository::root()?.join("target/foreign"),
            own_caches: false,
        })
    }

    /// The Python environment.
    pub(crate) fn venv(&self) -> PathBuf {
        self.path.join("venv")
    }

    /// The folder that holds `node_modules`.
    pub(crate) fn node(&self) -> PathBuf {
        self.path.join("node")
    }

    /// The folder that holds the `node_modules` of the measurements' script.
    pub(crate) fn bench_node(&self) -> PathBuf {
        self.path.join("bench-node")
    }

    /// Points a package client's cache into this folder, where the folder was asked for.
    fn cache(&self, command: &mut Command, variable: &str, name: &str) {
        if self.own_caches {
            command.env(variable, self.path.join("cache").join(name));
        }
    }
}

/// Makes everything present.
pub(crate) fn all() -> Result<()> {
    let folder = Folder::find()?;
    debian::install()?;
    runner::install()?;
    python::install(&folder)?;
    node::install(&folder)
}

/// Makes the Python environment present.
pub(crate) fn python(folder: &Folder) -> Result<()> {
    python::install(folder)
}

pub(crate) use node::ci as npm_ci;

/// Whether `stamp` says that its environment was made from exactly this.
pub(crate) fn is_current(stamp: &Path, source: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|made_from| made_from == source)
}

/// Writes the stamp, last of all: an installation that was cut off is done again.
pub(crate) fn write_stamp(stamp: &Path, source: &str) -> Result<()> {
    fs::write(stamp, source).with_context(|| format!("could not write {}", stamp.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_holds_for_its_own_list_only() {
        let folder = tempfile::tempdir().unwrap();
        let stamp = folder.path().join("stamp");
        assert!(!is_current(&stamp, "a==1"));
        write_stamp(&stamp, "a==1").unwrap();
        assert!(is_current(&stamp, "a==1"));
        assert!(!is_current(&stamp, "a==2"));
    }
}
