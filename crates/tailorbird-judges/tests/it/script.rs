//! A judge's script: started with its settings, read by its one JSON report.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::program::repository;
use crate::sandbox::{CALLBACK, Keys, Sandbox};

/// Where `cargo xtask prepare` put the clients (xtask/src/prepare.rs).
fn installed(part: &str) -> PathBuf {
    let folder = std::env::var_os("TAILORBIRD_FOREIGN_DIR")
        .map_or_else(|| repository().join("target/foreign"), PathBuf::from)
        .join(part);
    assert!(
        folder.join("stamp").is_file(),
        "{} is not there; `cargo xtask prepare` installs what the judges need",
        folder.display()
    );
    folder
}

pub(crate) fn python() -> PathBuf {
    installed("venv").join("bin/python")
}

pub(crate) fn path_of(script: &str) -> PathBuf {
    repository().join("tests/foreign").join(script)
}

/// A Python script in the clients' environment. It leaves no compiled files in the repository.
pub(crate) fn python_script(script: &str) -> Command {
    let mut command = Command::new(python());
    command.arg("-B").arg(path_of(script));
    command
}

pub(crate) fn node_script(script: &str) -> Command {
    let mut command = Command::new("node");
    command
        .arg(path_of(script))
        .env("NODE_PATH", installed("node").join("node_modules"));
    command
}

/// What every judge of the sandbox is told.
pub(crate) fn settings(sandbox: &Sandbox, keys: &Keys) -> Value {
    json!({
        "api": sandbox.address("api"),
        "tls": sandbox.address("tls"),
        "admin": sandbox.address("admin"),
        "portal": sandbox.address("portal"),
        "callback": CALLBACK,
        "client_key": keys.client_key,
        "client_secret": keys.client_secret,
    })
}

/// Sends the client to the sandbox by the means that every HTTP client has: a proxy and a CA file.
pub(crate) fn by_proxy(command: &mut Command, sandbox: &Sandbox) {
    command
        .env("HTTPS_PROXY", sandbox.address("proxy"))
        .env("REQUESTS_CA_BUNDLE", sandbox.address("ca"))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy");
}

/// Runs a script to its end and returns its report.
#[track_caller]
pub(crate) fn report(command: &mut Command, settings: &Value) -> Value {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(settings.to_string().as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{:?} ended with {}\n{told}\n{}",
        command.get_args().collect::<Vec<&std::ffi::OsStr>>(),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_str(&told).unwrap_or_else(|error| panic!("the report is no JSON ({error}): {told}"))
}
