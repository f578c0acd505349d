//! The program under measurement, used as a person uses it: commands on a home of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::oauth::{CLIENT_KEY, CLIENT_SECRET, TOKEN, TOKEN_SECRET};
use crate::process::{self, Took};
use crate::source;

/// The task: every order once, and the mock's id kept in the ledger.
const TASK: &str = r#"task: orders-out
steps:
  - id: orders
    query:
      database: erp
      sql: select id, customer from orders order by id
  - id: post
    call:
      connection: mock
      operation: create_order
      for_each: orders
      key: "order-{{ id }}"
      with:
        number: "{{ id }}"
        text: "Order {{ id }} of customer {{ customer }} is on its way"
"#;

/// The service; its root is the mock's address of this run.
const SERVICE: &str = r"service: bench-mock
title: The mock of the measurements
docs: https://docs.example.com/
root_url: http://127.0.0.1:1
authentication:
  oauth1:
    signature_method: HMAC-SHA1
operations:
  create_order:
    method: POST
    path: /orders
    body:
      json:
        number: { type: integer, required: true }
        text: { type: text, required: true }
    result: { record: /data, columns: { id: /id } }
    in_doubt: ask
verified: never
";

/// A home, set up to send orders to the mock.
pub(crate) struct Home {
    binary: PathBuf,
    folder: PathBuf,
}

impl Home {
    /// Makes a home and a source with so many rows in a folder.
    pub(crate) fn make(
        binary: &Path,
        folder: PathBuf,
        mock: &str,
        rows: u64,
        concurrency: usize,
    ) -> Result<Self> {
        fs::create_dir_all(&folder)?;
        let home = Self {
            binary: binary.to_owned(),
            folder,
        };
        source::make(&home.source(), 1, rows)?;
        let [service, secrets, task] =
            ["service.yaml", "secrets.json", "task.yaml"].map(|name| home.path(name));
        fs::write(&service, SERVICE)?;
        fs::write(&task, TASK)?;
        let credentials = serde_json::json!({
            "client_key": CLIENT_KEY, "client_secret": CLIENT_SECRET,
            "token": TOKEN, "token_secret": TOKEN_SECRET,
        });
        fs::write(&secrets, credentials.to_string())?;
        let text = |path: &Path| path.display().to_string();
        home.say(
            &["database", "add", "erp", "--kind", "sqlite", "--set"],
            &[&format!("path={}", text(&home.source()))],
        )?;
        home.say(&["service", "add"], &[&text(&service)])?;
        home.say(
            &[
                "connection",
                "add",
                "mock",
                "--service",
                "bench-mock",
                "--secrets",
            ],
            &[
                &text(&secrets),
                "--set",
                &format!("root_url={mock}"),
                "--set",
                &format!("concurrency={concurrency}"),
            ],
        )?;
        home.say(&["task", "apply"], &[&text(&task)])?;
        Ok(home)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The business database.
    pub(crate) fn source(&self) -> PathBuf {
        self.path("erp.db")
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(words)
            .env("TAILORBIRD_HOME", self.path("home"))
            .env("RUST_LOG", "warn")
            .current_dir(&self.folder);
        command
    }

    /// A command that has to end well.
    fn say(&self, words: &[&str], more: &[&str]) -> Result<String> {
        let mut command = self.command(words);
        let output = command.args(more).stdin(Stdio::null()).output()?;
        ensure!(
            output.status.success(),
            "{command:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs the task once, to its end.
    pub(crate) fn run(&self) -> Result<Ran> {
        let before = self.ledger_commits()?;
        let took = process::measure(&mut self.run_command(), &self.folder)?;
        let summary: Value = serde_json::from_str(&took.stdout).context("the run printed no summary")?;
        let delivered = summary
            .pointer("/counts/delivered")
            .and_then(Value::as_u64)
            .with_context(|| format!("no count in {summary}"))?;
        Ok(Ran {
            delivered,
            commits: self.ledger_commits()?.saturating_sub(before),
            took,
        })
    }

    pub(crate) fn run_command(&self) -> Command {
        self.command(&["task", "run", "orders-out", "--output", "json"])
    }

    pub(crate) fn serve_command(&self) -> Command {
        self.command(&["serve", "--listen", "127.0.0.1:0"])
    }

    /// Each commit that changed deliveries left one link in the ledger's chain; each was synced.
    fn ledger_commits(&self) -> Result<u64> {
        self.ask("SELECT coalesce(max(number), 0) FROM chain_link")
    }

    /// How many deliveries are in a state.
    pub(crate) fn deliveries(&self, state: &str) -> Result<u64> {
        self.ask(&format!("SELECT count(*) FROM delivery WHERE state = '{state}'"))
    }

    /// Copies deliveries inside the ledger's file, each under a key of its own, until there are so many: what a year of
    /// runs leaves, in a minute. The chain does not know of them, which only `delivery verify` asks.
    pub(crate) fn multiply(&self, deliveries: u64) -> Result<()> {
        let db = Connection::open(self.path("home/ledger.db"))?;
        db.pragma_update(None, "synchronous", "OFF")?;
        let columns: Vec<String> = db
            .prepare("SELECT name FROM pragma_table_info('delivery') WHERE name NOT IN ('id', 'key_hash')")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let columns = columns.join(", ");
        loop {
            let missing = deliveries.saturating_sub(self.ask("SELECT count(*) FROM delivery")?);
            if missing == 0 {
                break;
            }
            db.execute(
                &format!(
                    "INSERT INTO delivery ({columns}, key_hash) SELECT {columns}, randomblob(32) FROM delivery LIMIT ?1"
                ),
                [i64::try_from(missing)?],
            )?;
        }
        db.execute_batch(
            "INSERT INTO delivery_content (delivery, key, input, request, result)
                 SELECT d.id, 'copy-' || d.id, c.input, c.request, c.result
                 FROM (SELECT * FROM delivery_content LIMIT 1) AS c
                 JOIN delivery d ON d.id > (SELECT max(delivery) FROM delivery_content);
             PRAGMA wal_checkpoint(TRUNCATE);",
        )?;
        Ok(())
    }

    /// The size of the ledger's file, in bytes.
    pub(crate) fn ledger_bytes(&self) -> u64 {
        fs::metadata(self.path("home/ledger.db")).map_or(0, |data| data.len())
    }

    fn ask(&self, statement: &str) -> Result<u64> {
        let db = Connection::open_with_flags(self.path("home/ledger.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let number: i64 = db.query_row(statement, [], |row| row.get(0))?;
        Ok(u64::try_from(number)?)
    }
}

/// One run of the task.
pub(crate) struct Ran {
    pub(crate) took: Took,
    pub(crate) delivered: u64,
    pub(crate) commits: u64,
}
