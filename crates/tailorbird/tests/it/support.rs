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
    /// Starts one on a free port, without limits.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", arguments)
    }

    /// Starts one at an address, without limits.
    pub(crate) fn start_at(listen: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(program())
            .args(["sandbox", "--listen", listen, "--limits", "off"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        Self {
            child,
            api: ready["api"].as_str().unwrap().to_owned(),
        }
    }

    fn request(&self, method: &str, path: &str, body: &str) -> Value {
        let url = format!("{}{path}", self.api);
        let (_, answer) = http(method, &url, &[("Content-Type", "application/json")], body);
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{path}: {error}: {answer}"))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.request("POST", &format!("/_sandbox/{path}"), &body.to_string())
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.request("GET", &format!("/_sandbox/{path}"), "")
    }

    /// Moves the sandbox's clock forward.
    pub(crate) fn advance(&self, seconds: i64) {
        self.post("clock", &json!({"advance_s": seconds}));
    }

    /// How many posts API callers ever made, by the sandbox's own count.
    pub(crate) fn accepted(&self) -> u64 {
        self.get("posts")["accepted"].as_u64().unwrap()
    }

    /// Registers an application; `level` is `read`, `read_write` or `read_write_dm`.
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
        self.post("approve", &json!({"oauth_token": token}))["verifier"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The texts of all posts that API callers ever made.
    pub(crate) fn texts(&self) -> Vec<String> {
        let posts = self.get("posts");
        posts["posts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["original_text"].as_str().unwrap().to_owned())
            .collect()
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
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.stdout, self.stderr))
    }

    /// The error object of `--output json`.
    pub(crate) fn error(&self) -> Value {
        let line = self
            .stderr
            .lines()
            .find(|line| line.starts_with("{\"error\""))
            .unwrap_or_else(|| panic!("{}", self.stderr));
        serde_json::from_str::<Value>(line).unwrap()["error"].clone()
    }

    /// Asserts the exit code and the error's code, and that the error says what happened and what to do.
    pub(crate) fn refused(&self, exit: i32, code: &str) -> Refused {
        assert_eq!(
            self.code, exit,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        Refused::new(&self.error(), code)
    }

    /// The same for the failure in what a call or a run prints.
    pub(crate) fn failed(&self, exit: i32, code: &str) -> Refused {
        assert_eq!(
            self.code, exit,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        Refused::new(&self.json()["failure"], code)
    }

    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        self
    }
}

/// Why something was refused: message, detail and hint together.
pub(crate) struct Refused(String);

impl Refused {
    fn new(error: &Value, code: &str) -> Self {
        assert_eq!(error["code"], code, "{error:#}");
        let text = |member: &str| error[member].as_str().unwrap_or_default().to_owned();
        assert!(!text("message").is_empty(), "{error:#}");
        let first = text("message").chars().next().unwrap();
        assert!(
            !first.is_uppercase() && !text("message").ends_with('.'),
            "a message is a fragment: {error:#}"
        );
        Self([text("message"), text("detail"), text("hint")].join("\n"))
    }

    /// Asserts that each of these words is somewhere in message, detail or hint.
    pub(crate) fn says(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(self.0.contains(word), "{word:?} is not in: {}", self.0);
        }
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
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
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
        command
            .arg("--home")
            .arg(self.path())
            .args(["--output", "json"])
            .args(arguments)
            .env("NO_COLOR", "1");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.command(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
            .into()
    }

    /// As [`Home::run`], as people read it.
    pub(crate) fn run_as_text(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(program());
        command
            .arg("--home")
            .arg(self.path())
            .args(arguments)
            .env("NO_COLOR", "1");
        command.stdin(Stdio::null()).output().unwrap().into()
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Written beside the reading: a program that answers while it reads fills its pipe otherwise.
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        let said = child.wait_with_output().unwrap().into();
        writer.join().unwrap();
        said
    }

    /// A connection to a service of the sandbox with an application of that level, not authorised yet.
    pub(crate) fn connect(&self, sandbox: &Sandbox, name: &str, service: &str, level: &str) -> Value {
        let keys = sandbox.application(level);
        let root = format!("root_url={}", sandbox.api);
        self.run_with_input(
            &[
                "connection",
                "add",
                name,
                "--service",
                service,
                "--set",
                &root,
                "--secrets",
                "-",
            ],
            &keys.to_string(),
        )
        .expect(0);
        keys
    }

    /// Authorises a connection by PIN.
    pub(crate) fn authorize(&self, sandbox: &Sandbox, name: &str) -> Value {
        let started = self
            .run(&["connection", "authorize", name, "--start"])
            .expect(0)
            .json();
        let pin = sandbox.approve(started["authorize_url"].as_str().unwrap());
        self.run(&["connection", "authorize", name, "--verifier", &pin])
            .expect(0)
            .json()
    }

    /// A writable SQLite database made by a script.
    pub(crate) fn database(&self, name: &str, script: &str) -> PathBuf {
        let path = self.file(&format!("{name}.sqlite"));
        sql(&path, script);
        let set = format!("path={}", path.display());
        self.run(&[
            "database",
            "add",
            name,
            "--kind",
            "sqlite",
            "--set",
            &set,
            "--writable",
        ])
        .expect(0);
        path
    }

    pub(crate) fn apply(&self, file: &str, text: &str) -> Said {
        let path = self.write(file, text);
        self.run(&["task", "apply", &path])
    }

    /// A database `erp` with these products (sku, name), a connection `company-x` at that level, and a task
    /// `announce` that posts each product once and writes the post's id back.
    pub(crate) fn announcing(&self, sandbox: &Sandbox, level: &str, products: &[(&str, &str)]) -> Value {
        let keys = self.connect(sandbox, "company-x", "x", level);
        self.authorize(sandbox, "company-x");
        let path = self.database("erp", PRODUCTS);
        let erp = rusqlite::Connection::open(path).unwrap();
        for (sku, name) in products {
            erp.execute("insert into products values (?1, ?2)", [sku, name])
                .unwrap();
        }
        self.apply("announce.yaml", &announce("product-{{ sku }}", "New: {{ name }}"))
            .expect(0);
        keys
    }

    pub(crate) fn deliveries(&self, state: &str) -> Vec<Value> {
        self.run(&["delivery", "list", "--state", state])
            .expect(0)
            .json()
            .as_array()
            .unwrap()
            .clone()
    }
}

/// One plain HTTP request; gives status and body.
pub(crate) fn http(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let rest = url.strip_prefix("http://").unwrap();
    let (address, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = if path.is_empty() { "/" } else { path };
    let mut stream = TcpStream::connect(address).unwrap();
    let more = headers.iter().fold(String::new(), |text, (name, value)| {
        text + name + ": " + value + "\r\n"
    });
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

const PRODUCTS: &str = "create table products (sku text, name text);
    create table product_posts (sku text primary key, post_id text, posted_at text);";

/// The task of the tutorial, with a key and a text of one's own.
pub(crate) fn announce(key: &str, text: &str) -> String {
    format!(
        "task: announce
steps:
  - id: products
    query:
      database: erp
      sql: |
        select p.sku, p.name from products p
        left join product_posts d on d.sku = p.sku where d.sku is null order by p.sku
  - id: post
    call:
      connection: company-x
      operation: create_post
      for_each: products
      key: \"{key}\"
      with: {{ text: \"{text}\" }}
  - id: write-back
    write:
      database: erp
      table: product_posts
      from: post
      key: [sku]
      columns: {{ sku: \"{{{{ sku }}}}\", post_id: \"{{{{ result.id }}}}\", posted_at: \"{{{{ delivered_at }}}}\" }}
"
    )
}

/// The names of an object's members, in the order in which they are printed.
pub(crate) fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Runs a script on a SQLite file.
pub(crate) fn sql(path: &Path, script: &str) {
    rusqlite::Connection::open(path)
        .unwrap()
        .execute_batch(script)
        .unwrap();
}

/// One number from a SQLite file.
pub(crate) fn number(path: &Path, query: &str) -> i64 {
    rusqlite::Connection::open(path)
        .unwrap()
        .query_row(query, [], |row| row.get(0))
        .unwrap()
}
