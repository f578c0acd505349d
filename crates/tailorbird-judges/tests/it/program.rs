//! The built program as a process: where it lies, one command with its answer, and a guard that ends it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

/// The program of the same build as this test: it lies beside the folder of test programs.
pub(crate) fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let binary = test.parent().and_then(Path::parent).unwrap().join("tailorbird");
    assert!(
        binary.is_file(),
        "{} is not built; run the judges by `cargo xtask foreign`, which builds it first",
        binary.display()
    );
    binary
}

/// The top folder of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_path_buf()
}

/// A command's end.
pub(crate) struct Ended {
    pub(crate) code: i32,
    /// Standard output as JSON; null where there was none.
    pub(crate) json: Value,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    fn from(output: &Output) -> Self {
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            json: serde_json::from_str(&stdout).unwrap_or_default(),
            stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The JSON of a command that has to end with 0.
    #[track_caller]
    pub(crate) fn well(self) -> Value {
        assert_eq!(self.code, 0, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self.json
    }
}

/// A home folder of its own, gone with this value.
pub(crate) struct Home {
    folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Keeps the folder after the end of this value, for whoever looks into what went wrong.
    pub(crate) fn keep(&mut self) -> &Path {
        self.folder.disable_cleanup(true);
        self.folder.path()
    }

    /// A command in this home with JSON output.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .args(["--output", "json"])
            .env("TAILORBIRD_HOME", self.path().join("home"))
            .current_dir(self.path())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::from(&self.command(arguments).output().unwrap())
    }

    /// A command that reads `input` from standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ended {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Ended::from(&child.wait_with_output().unwrap())
    }
}

/// A server process that says in one JSON line when it is ready, ended with this value.
pub(crate) struct Server {
    child: Child,
    pub(crate) ready: Value,
}

impl Server {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines
            .next()
            .unwrap_or_else(|| panic!("{command:?} ended without a ready line"))
            .unwrap();
        let ready =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("ready line {line:?}: {error}"));
        // Whatever it says later is read, so that its pipe never fills.
        thread::spawn(move || lines.for_each(drop));
        Self { child, ready }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both only fail where the process is gone already, which is what is wanted.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
