//! The tutorial's first task on a home of its own: rows of an ERP go out as posts, their ids come back.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Home, Said, Sandbox, number, sql};

/// The connection of all tasks here.
pub(crate) const CONNECTION: &str = "company-x";
/// A person whom the sandbox knows from the start.
pub(crate) const OTHER_ACCOUNT: &str = "priya_raman";
/// How long a test waits for something that happens in another process.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(15);

/// Rows go out, ids come back.
pub(crate) const ANNOUNCE: &str = r#"
task: announce
steps:
  - id: items
    query: { database: erp, sql: "select sku, text from items order by id" }
  - id: post
    call:
      connection: company-x
      operation: create_post
      for_each: items
      key: "item-{{ sku }}"
      with: { text: "{{ text }}" }
  - id: write-back
    write:
      database: erp
      table: posted
      from: post
      key: [sku]
      columns: { sku: "{{ sku }}", post_id: "{{ result.id }}", posted_at: "{{ delivered_at }}" }
"#;

/// Direct messages: an effect that nobody can look up, so its doubt waits for a person.
pub(crate) const TELL: &str = r#"
task: tell
steps:
  - id: items
    query: { database: erp, sql: "select sku, text, person from items order by id" }
  - id: message
    call:
      connection: company-x
      operation: send_direct_message
      for_each: items
      key: "told-{{ sku }}"
      with: { participant_id: "{{ person }}", text: "{{ text }}" }
  - id: write-back
    write:
      database: erp
      table: posted
      from: message
      key: [sku]
      columns: { sku: "{{ sku }}", post_id: "{{ result.id }}", posted_at: "{{ delivered_at }}" }
"#;

const TABLES: &str = "
    create table items (id integer primary key, sku text, text text, person text, price decimal(10,2),
                        changed_at text);
    create table posted (sku text primary key, post_id text, posted_at text);";

/// A sandbox, a home with an authorised connection, and an ERP.
pub(crate) struct Flow {
    pub(crate) sandbox: Sandbox,
    pub(crate) home: Home,
    pub(crate) erp: PathBuf,
    /// The application's keys.
    pub(crate) keys: Value,
}

impl Flow {
    pub(crate) fn new() -> Self {
        Self::on(Sandbox::start(&[]), "read_write_dm")
    }

    /// On a given sandbox, with a given access level.
    pub(crate) fn on(sandbox: Sandbox, level: &str) -> Self {
        let home = Home::new();
        let keys = home.connect(&sandbox, CONNECTION, "x", level);
        home.authorize(&sandbox, CONNECTION);
        let erp = home.database("erp", TABLES);
        Self {
            sandbox,
            home,
            erp,
            keys,
        }
    }

    /// With the tutorial's task and rows A, B, C … with a text each.
    pub(crate) fn announcing(texts: &[&str]) -> Self {
        let flow = Self::new();
        flow.apply(ANNOUNCE);
        for (text, sku) in texts.iter().zip('A'..='Z') {
            flow.item(&sku.to_string(), text);
        }
        flow
    }

    pub(crate) fn apply(&self, task: &str) {
        self.home.apply("task.yaml", task).expect(0);
    }

    /// Adds a row.
    pub(crate) fn item(&self, sku: &str, text: &str) {
        self.sql_with("insert into items (sku, text) values (?1, ?2)", &[sku, text]);
    }

    pub(crate) fn sql(&self, script: &str) {
        sql(&self.erp, script);
    }

    pub(crate) fn sql_with(&self, statement: &str, values: &[&str]) {
        let database = rusqlite::Connection::open(&self.erp).unwrap();
        database
            .execute(statement, rusqlite::params_from_iter(values))
            .unwrap();
    }

    pub(crate) fn number(&self, query: &str) -> i64 {
        number(&self.erp, query)
    }

    /// How many rows were written back.
    pub(crate) fn written_back(&self) -> i64 {
        self.number("select count(*) from posted where post_id is not null")
    }

    pub(crate) fn fault(&self, path: &str, nth: Option<u64>, kind: &str) {
        self.sandbox
            .post("faults", &json!([{"match": path, "nth": nth, "do": kind}]));
    }

    /// Every post is answered so many seconds late.
    pub(crate) fn delay(&self, seconds: u64) {
        let fault = json!([{"match": "POST /2/tweets", "do": "delay", "seconds": seconds}]);
        self.sandbox.post("faults", &fault);
    }

    pub(crate) fn no_faults(&self) {
        self.sandbox.post("faults", &json!([]));
    }

    /// Lets the sandbox take the same text twice, so that nothing but the program keeps it from going twice.
    pub(crate) fn accept_duplicates(&self) {
        self.sandbox.post("duplicates", &json!({"refuse": false}));
    }

    pub(crate) fn run(&self) -> Said {
        self.run_task("announce")
    }

    pub(crate) fn run_task(&self, task: &str) -> Said {
        self.home.run(&["task", "run", task])
    }

    /// Starts the task and does not wait for it.
    pub(crate) fn start(&self) -> Running {
        Running::start(self.home.command(&["task", "run", "announce"]))
    }

    /// Waits until the sandbox has accepted so many posts.
    pub(crate) fn wait_for_accepted(&self, count: u64) {
        wait_until(&format!("{count} accepted posts"), || {
            self.sandbox.accepted() >= count
        });
    }

    /// The id of [`OTHER_ACCOUNT`].
    pub(crate) fn other_account(&self) -> String {
        let name = format!("username={OTHER_ACCOUNT}");
        let found = self
            .home
            .run(&["call", CONNECTION, "get_user_by_username", "--param", &name])
            .expect(0)
            .json();
        found["body"]["data"]["id"].as_str().unwrap().to_owned()
    }

    /// Direct messages to [`OTHER_ACCOUNT`], one for each SKU.
    pub(crate) fn telling(skus: &[&str]) -> Self {
        let flow = Self::new();
        flow.apply(TELL);
        let person = flow.other_account();
        for sku in skus {
            let values = [sku, "Your order is on its way", &person];
            flow.sql_with(
                "insert into items (sku, text, person) values (?1, ?2, ?3)",
                &values,
            );
        }
        flow
    }

    /// The state of each delivery, by key.
    pub(crate) fn states(&self) -> Vec<(String, String)> {
        let all = self.home.run(&["delivery", "list"]).expect(0).json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        all.as_array()
            .unwrap()
            .iter()
            .map(|delivery| (text(&delivery["key"]), text(&delivery["state"])))
            .collect()
    }

    /// The newest run, as `run list` gives it.
    pub(crate) fn last_run(&self) -> Value {
        self.home.run(&["run", "list"]).expect(0).json()[0].clone()
    }
}

impl Said {
    /// Asserts how a run ended and what it counted; counts that are not named are zero.
    #[track_caller]
    pub(crate) fn counted(&self, state: &str, counts: &[(&str, u64)]) {
        let run = self.json();
        assert_eq!(run["state"], state, "{run:#}\n{}", self.stderr);
        for (name, count) in run["counts"].as_object().unwrap() {
            let expected = counts
                .iter()
                .find(|(given, _)| given == name)
                .map_or(0, |(_, count)| *count);
            assert_eq!(count.as_u64(), Some(expected), "{name}: {run:#}\n{}", self.stderr);
        }
    }
}

/// A command under way; it is killed with the test.
pub(crate) struct Running {
    child: Option<Child>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child: Some(child) }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    /// kill -9
    pub(crate) fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Ctrl-C
    pub(crate) fn interrupt(&self) {
        let status = Command::new("kill")
            .args(["-INT", &self.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    pub(crate) fn end(mut self) -> Said {
        self.child.take().unwrap().wait_with_output().unwrap().into()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Waits for something that happens in another process.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited for {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Whether a home folder is there.
pub(crate) fn is_home(path: &Path) -> bool {
    path.join("ledger.db").exists()
}
