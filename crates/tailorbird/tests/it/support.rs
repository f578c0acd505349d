//! A sandbox process, a home folder, and the program's commands.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

/// The built program.
pub(crate) fn program() -> &'static str {
    env!("CARGO_BIN_EXE_tailorbird")
}

/// A sandbox in a process of its own; it ends with the test.
pub(crate) struct Sandbox {
    child: Child,
    pub(crate) api: String,
}

impl Sandbox {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(program())
            .args(["sandbox", "--listen", "127.0.0.1:0", "--limits", "off"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        Self { child, api: ready["api"].as_str().unwrap().to_owned() }
    }

    fn request(&self, method: &str, path: &str, body: &str) -> Value {
        let address = self.api.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {answer}"))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.request("POST", &format!("/_sandbox/{path}"), &body.to_string())
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.request("GET", &format!("/_sandbox/{path}"), "")
    }

    /// Registers an application; `level` is read, read_write or read_write_dm.
    pub(crate) fn application(&self, level: &str) -> Value {
        self.post(
            "apps",
            &json!({"name": "Tests", "description": "For tests of the program.", "website": "https://example.com/",
                    "level": level, "callbacks": ["http://127.0.0.1:7082/oauth/callback"]}),
        )
    }

    /// Approves at the consent page, as a script may; gives the PIN.
    pub(crate) fn approve(&self, authorize_url: &str) -> String {
        let token = authorize_url.split("oauth_token=").nth(1).unwrap();
        self.post("approve", &json!({"oauth_token": token}))["verifier"].as_str().unwrap().to_owned()
    }

    /// The texts of all posts that API callers ever made.
    pub(crate) fn texts(&self) -> Vec<String> {
        let posts = self.get("posts");
        posts["posts"].as_array().unwrap().iter().map(|p| p["original_text"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A home folder and the program's commands on it.
pub(crate) struct Home {
    folder: tempfile::TempDir,
}

/// What a command said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {} {}", self.stdout, self.stderr))
    }

    /// The error object of `--output json`.
    pub(crate) fn error(&self) -> Value {
        let line = self.stderr.lines().find(|line| line.starts_with("{\"error\"")).unwrap_or_else(|| panic!("{}", self.stderr));
        serde_json::from_str::<Value>(line).unwrap()["error"].clone()
    }

    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The home folder itself; commands make it.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A file beside the home folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.file(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// A command with its arguments, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.arg("--home").arg(self.path()).args(["--output", "json"]).args(arguments).env("NO_COLOR", "1");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.command(arguments).stdin(Stdio::null()).output().unwrap().into()
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap().into()
    }

    /// A connection to a service of the sandbox with an application of that level, not authorised yet.
    pub(crate) fn connect(&self, sandbox: &Sandbox, name: &str, service: &str, level: &str) -> Value {
        let keys = sandbox.application(level);
        let root = format!("root_url={}", sandbox.api);
        self.run_with_input(
            &["connection", "add", name, "--service", service, "--set", &root, "--secrets", "-"],
            &keys.to_string(),
        )
        .expect(0);
        keys
    }

    /// Authorises a connection by PIN.
    pub(crate) fn authorize(&self, sandbox: &Sandbox, name: &str) -> Value {
        let started = self.run(&["connection", "authorize", name, "--start"]).expect(0).json();
        let pin = sandbox.approve(started["authorize_url"].as_str().unwrap());
        self.run(&["connection", "authorize", name, "--verifier", &pin]).expect(0).json()
    }

    /// A writable SQLite database made by a script.
    pub(crate) fn database(&self, name: &str, script: &str) -> PathBuf {
        let path = self.file(&format!("{name}.sqlite"));
        sql(&path, script);
        let set = format!("path={}", path.display());
        self.run(&["database", "add", name, "--kind", "sqlite", "--set", &set, "--writable"]).expect(0);
        path
    }

    pub(crate) fn apply(&self, file: &str, text: &str) -> Said {
        let path = self.write(file, text);
        self.run(&["task", "apply", &path])
    }

    pub(crate) fn deliveries(&self, state: &str) -> Vec<Value> {
        self.run(&["delivery", "list", "--state", state]).expect(0).json().as_array().unwrap().clone()
    }
}

/// Runs a script on a SQLite file.
pub(crate) fn sql(path: &Path, script: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(script).unwrap();
}

/// One number from a SQLite file.
pub(crate) fn number(path: &Path, query: &str) -> i64 {
    rusqlite::Connection::open(path).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
}
