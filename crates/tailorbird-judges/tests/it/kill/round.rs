//! One round: a fresh sandbox, a fresh home, two hundred rows, kills, and the count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{ROWS, Random};
use crate::program::{Home, repository};
use crate::sandbox::{Post, Sandbox};

/// The task is started at most this often until it ends.
const RUNS_MAX: usize = 20;
/// A run that needs longer hangs.
const RUN_LONGEST: Duration = Duration::from_mins(3);
/// How long to wait before the next start where a run ended with something still to settle.
const PAUSE: Duration = Duration::from_secs(1);

/// How the service says that a doubt is settled.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) enum Policy {
    /// By looking the post up, as the service `x` does: nothing stays in doubt.
    #[default]
    LookUp,
    /// By a person: what may have arrived is listed and stays.
    Ask,
}

/// What will be done to the program.
pub(crate) struct Plan {
    pub(crate) policy: Policy,
    /// The moments, one for each start that is ended by SIGKILL.
    pub(crate) kills: Vec<Duration>,
    pub(crate) faults: Vec<Value>,
}

impl Plan {
    /// One to three kills within the time that a calm run takes, and a fault of each kind. Every third round
    /// leaves doubts to a person.
    pub(crate) fn random(random: &mut Random, number: u32, calm: Duration) -> Self {
        let policy = if number.is_multiple_of(3) {
            Policy::Ask
        } else {
            Policy::LookUp
        };
        let kills = (0..=random.below(3)).map(|_| random.moment(calm)).collect();
        let row = |random: &mut Random| 1 + random.below(u64::try_from(ROWS).unwrap());
        let mut kinds = vec!["lose_answer", "lose_answer", "503"];
        if policy == Policy::LookUp {
            // Accepted, with an answer that nobody can read: delivered, and its id comes by the look-up alone.
            kinds.extend(["cut", "bad_json"]);
        }
        let mut fault = |kind| json!({ "match": "POST /2/tweets", "nth": row(random), "do": kind });
        let faults = kinds.into_iter().map(&mut fault).collect();
        Self {
            policy,
            kills,
            faults,
        }
    }
}

/// A kill that was carried out.
pub(crate) struct Kill {
    pub(crate) after: Duration,
    /// What the sandbox had accepted when the process was gone.
    pub(crate) accepted: usize,
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Round {
    pub(crate) policy: Policy,
    pub(crate) kills: Vec<Kill>,
    /// Starts of the task, the killed ones included.
    pub(crate) runs: usize,
    /// How long the first start took, where it was not killed.
    pub(crate) first_run: Duration,
    pub(crate) took: Duration,
    pub(crate) accepted: usize,
    pub(crate) refused_duplicates: u64,
    pub(crate) delivered: usize,
    pub(crate) in_doubt: usize,
    /// Rows that the sandbox accepted more than once.
    pub(crate) twice: Vec<usize>,
    /// Rows that it never accepted and that are not listed in doubt.
    pub(crate) missing: Vec<usize>,
    /// What else does not fit, in words.
    pub(crate) wrong: Vec<String>,
}

impl Round {
    pub(crate) fn run(plan: &Plan) -> Self {
        let begun = Instant::now();
        let home = Home::new();
        let state = home.path().join("provider.jsonl");
        let sandbox = Sandbox::start(&["--state", state.to_str().unwrap(), "--limits", "off"]);
        sandbox.refuse_duplicates(false);
        let erp = home.path().join("erp.sqlite");
        make_rows(&erp, ROWS);
        match plan.policy {
            Policy::LookUp => connect(&home, &sandbox),
            Policy::Ask => connect_to(&home, &sandbox, "company-x", &add_service_that_asks(&home)),
        }
        add_task(&home, &erp);
        sandbox.faults(&Value::Array(plan.faults.clone()));
        let accepted = || {
            sandbox
                .posts()
                .iter()
                .filter(|post| row_of(&post.text).is_some())
                .count()
        };

        let mut kills = Vec::new();
        for after in &plan.kills {
            start_and_kill(&home, *after);
            kills.push(Kill {
                after: *after,
                accepted: accepted(),
            });
        }
        let (more, first_run) = until_it_ends(&home);

        let listed = home.run(&["delivery", "list"]).well();
        let mut round = Self {
            policy: plan.policy,
            runs: kills.len() + more,
            kills,
            first_run,
            accepted: accepted(),
            refused_duplicates: sandbox.count()["refused_duplicates"].as_u64().unwrap(),
            ..Self::default()
        };
        round.compare(&sandbox.posts(), listed.as_array().expect("an array"));
        round.compare_write_back(&erp, listed.as_array().unwrap());
        round.took = begun.elapsed();
        round
    }

    /// Compares the ledger's list with what the sandbox accepted, row by row.
    fn compare(&mut self, posts: &[Post], listed: &[Value]) {
        let mut ids: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for post in posts {
            if let Some(row) = row_of(&post.text) {
                ids.entry(row).or_default().push(post.id.clone());
            }
        }
        let by_key: BTreeMap<&str, &Value> = listed
            .iter()
            .map(|delivery| (delivery["key"].as_str().unwrap(), delivery))
            .collect();
        if by_key.len() != listed.len() {
            self.wrong.push("a key is listed twice".to_owned());
        }
        for row in 0..ROWS {
            let posted = ids.get(&row).map_or(&[][..], Vec::as_slice);
            if posted.len() > 1 {
                self.twice.push(row);
            }
            let delivery = by_key.get(key(row).as_str());
            match delivery.and_then(|delivery| delivery["state"].as_str()) {
                Some("in_doubt") => self.in_doubt += 1,
                Some("delivered") => {
                    self.delivered += 1;
                    let id = &delivery.unwrap()["result"]["id"];
                    if !posted.iter().any(|posted| id == posted) {
                        self.wrong.push(format!(
                            "row {row}: delivered as {id}, and the sandbox has {posted:?}"
                        ));
                    }
                }
                other => self
                    .wrong
                    .push(format!("row {row}: {other:?}, posted as {posted:?}")),
            }
            if posted.is_empty() && !delivery.is_some_and(|delivery| delivery["state"] == "in_doubt") {
                self.missing.push(row);
            }
        }
    }

    /// Every delivered row was written back once, with its id; no other row was.
    fn compare_write_back(&mut self, erp: &Path, listed: &[Value]) {
        let database = Connection::open(erp).unwrap();
        let mut statement = database
            .prepare("select sku, post_id from product_posts")
            .unwrap();
        let written: BTreeSet<(String, String)> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let delivered: BTreeSet<(String, String)> = listed
            .iter()
            .filter(|delivery| delivery["state"] == "delivered")
            .map(|delivery| {
                let sku = delivery["key"]
                    .as_str()
                    .unwrap()
                    .trim_start_matches("product-")
                    .to_owned();
                (
                    sku,
                    delivery["result"]["id"].as_str().unwrap_or_default().to_owned(),
                )
            })
            .collect();
        let off: Vec<_> = written.symmetric_difference(&delivered).collect();
        if !off.is_empty() {
            self.wrong.push(format!(
                "written back and delivered differ in {} rows: {off:?}",
                off.len()
            ));
        }
    }

    /// The rule itself: what breaks it.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = self.wrong.clone();
        if !self.twice.is_empty() {
            problems.push(format!("accepted more than once: rows {:?}", self.twice));
        }
        if !self.missing.is_empty() {
            problems.push(format!(
                "neither accepted nor listed in doubt: rows {:?}",
                self.missing
            ));
        }
        if self.refused_duplicates != 0 {
            problems.push(format!(
                "{} duplicates refused, and the rule was off",
                self.refused_duplicates
            ));
        }
        problems
    }
}

/// Texts that the provider rewrites: it escapes, shortens links and trims, so that a look-up which compares
/// carelessly finds nothing and sends again.
fn text(row: usize) -> String {
    format!(
        "Row {row:03}: nuts & bolts <M{row}>, 5% off ~ “today” https://shop.example.com/p/{row}?a=1&b=2  "
    )
}

/// The row that a stored text came from.
fn row_of(text: &str) -> Option<usize> {
    text.strip_prefix("Row ")?
        .split_once(':')?
        .0
        .parse()
        .ok()
        .filter(|row| *row < ROWS)
}

fn sku(row: usize) -> String {
    format!("SKU-{row:04}")
}

fn key(row: usize) -> String {
    format!("product-{}", sku(row))
}

fn make_rows(erp: &Path, rows: usize) {
    let mut database = Connection::open(erp).unwrap();
    database
        .execute_batch(
            "create table products (sku text primary key, text text not null);
             create table product_posts (sku text primary key, post_id text not null, posted_at text not null);",
        )
        .unwrap();
    let transaction = database.transaction().unwrap();
    for row in 0..rows {
        transaction
            .execute("insert into products values (?1, ?2)", [sku(row), text(row)])
            .unwrap();
    }
    transaction.commit().unwrap();
}

/// A connection to the sandbox by the service `x`, authorized the three-legged way.
pub(crate) fn connect(home: &Home, sandbox: &Sandbox) {
    connect_named(home, sandbox, "company-x");
}

/// The same under another name.
pub(crate) fn connect_named(home: &Home, sandbox: &Sandbox, name: &str) {
    connect_to(home, sandbox, name, "x");
}

/// The shipped service `x` with one thing changed: what is in doubt is left to a person.
fn add_service_that_asks(home: &Home) -> String {
    let shipped = std::fs::read_to_string(repository().join("services/x.yaml")).unwrap();
    let (before, after) = shipped
        .split_once("    in_doubt:\n")
        .expect("create_post comes first and has a policy");
    assert!(
        before.contains("  create_post:") && !before.contains("  delete_post:"),
        "create_post comes first"
    );
    let rest: Vec<&str> = after
        .lines()
        .skip_while(|line| line.starts_with("      "))
        .collect();
    let changed = format!(
        "{}    in_doubt: ask\n{}\n",
        before.replace("service: x\n", "service: x-asks\n"),
        rest.join("\n")
    );
    let file = home.path().join("x-asks.yaml");
    std::fs::write(&file, changed).unwrap();
    // The first command of a home makes it; `service add` is not one of those.
    home.run(&[
        "database",
        "add",
        "unused",
        "--kind",
        "sqlite",
        "--set",
        "path=unused.sqlite",
    ]);
    home.run(&["service", "add", file.to_str().unwrap()]).well();
    "x-asks".to_owned()
}

pub(crate) fn connect_to(home: &Home, sandbox: &Sandbox, name: &str, service: &str) {
    let keys = sandbox.register("read_write");
    let api = sandbox.address("api");
    let settings = [
        format!("root_url={api}"),
        format!("temporary_credentials_url={api}/oauth/request_token"),
        format!("authorization_url={api}/oauth/authorize"),
        format!("token_url={api}/oauth/access_token"),
    ];
    let mut arguments = vec!["connection", "add", name, "--service", service, "--secrets", "-"];
    for setting in &settings {
        arguments.extend(["--set", setting]);
    }
    let secrets = json!({ "client_key": keys.client_key, "client_secret": keys.client_secret });
    home.run_with_input(&arguments, &secrets.to_string()).well();
    let started = home.run(&["connection", "authorize", name, "--start"]).well();
    let address = url::Url::parse(started["authorize_url"].as_str().unwrap()).unwrap();
    let token = address
        .query_pairs()
        .find(|(name, _)| name == "oauth_token")
        .unwrap()
        .1
        .into_owned();
    let pin = sandbox.approve(&token);
    home.run(&["connection", "authorize", name, "--verifier", &pin])
        .well();
}

/// The first task of the tutorial: post each row once, write the post's id back.
fn add_task(home: &Home, erp: &Path) {
    let path = format!("path={}", erp.to_str().unwrap());
    home.run(&[
        "database",
        "add",
        "erp",
        "--kind",
        "sqlite",
        "--set",
        &path,
        "--writable",
    ])
    .well();
    let file = home.path().join("announce.yaml");
    let task = r#"task: announce
steps:
  - id: products
    query:
      database: erp
      sql: |
        select p.sku, p.text from products p
        left join product_posts d on d.sku = p.sku
        where d.sku is null order by p.sku
  - id: post
    call:
      connection: company-x
      operation: create_post
      for_each: products
      key: "product-{{ sku }}"
      with:
        text: "{{ text }}"
  - id: write-back
    write:
      database: erp
      table: product_posts
      from: post
      key: [sku]
      columns: { sku: "{{ sku }}", post_id: "{{ result.id }}", posted_at: "{{ delivered_at }}" }
"#;
    std::fs::write(&file, task).unwrap();
    home.run(&["task", "apply", file.to_str().unwrap()]).well();
}

/// The same task with a single row, ready to be run.
pub(crate) fn post_one_row(home: &Home) -> Command {
    let erp = home.path().join("erp.sqlite");
    make_rows(&erp, 1);
    add_task(home, &erp);
    home.command(&["task", "run", "announce"])
}

/// Starts the task and ends it by SIGKILL.
fn start_and_kill(home: &Home, after: Duration) {
    let mut child = home
        .command(&["task", "run", "announce"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    thread::sleep(after);
    // `kill` is SIGKILL here: the process gets no chance to tidy up. A run that ended before is no failure.
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Starts the task until nothing moves any more; returns the number of starts and how long the first took.
fn until_it_ends(home: &Home) -> (usize, Duration) {
    let mut first = Duration::ZERO;
    let mut before = None;
    for runs in 1..=RUNS_MAX {
        let begun = Instant::now();
        let ended = run_within(home, RUN_LONGEST);
        if runs == 1 {
            first = begun.elapsed();
        }
        // 0: all went. 3: it ended with something in doubt, rejected or waiting; that is the end when a
        // further start changes nothing.
        assert!(
            ended.code == 0 || ended.code == 3,
            "task run ended with {}: {}{}",
            ended.code,
            ended.stdout,
            ended.stderr
        );
        let states = states(home);
        let open = states
            .iter()
            .any(|(state, _)| state == "pending" || state == "sending");
        if ended.code == 0 && !open || before.as_ref() == Some(&states) {
            return (runs, first);
        }
        before = Some(states);
        thread::sleep(PAUSE);
    }
    panic!("the task did not end in {RUNS_MAX} starts: {before:?}");
}

fn run_within(home: &Home, longest: Duration) -> crate::program::Ended {
    let begun = Instant::now();
    let ended = home.run(&["task", "run", "announce"]);
    assert!(begun.elapsed() < longest, "task run took {:?}", begun.elapsed());
    ended
}

/// How many deliveries are in each state.
fn states(home: &Home) -> BTreeMap<String, usize> {
    let mut states = BTreeMap::new();
    for delivery in home.run(&["delivery", "list"]).well().as_array().unwrap() {
        *states
            .entry(delivery["state"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    states
}

/// The comparison finds what it is there for: one row twice, one nowhere, one under another id.
#[test]
fn each_way_to_be_wrong_is_noticed() {
    let post = |row: usize, id: &str| Post {
        id: id.to_owned(),
        text: text(row).trim_end().to_owned(),
    };
    let delivered =
        |row: usize, id: &str| json!({"key": key(row), "state": "delivered", "result": {"id": id}});
    let mut posts: Vec<Post> = (0..ROWS).map(|row| post(row, &row.to_string())).collect();
    let mut listed: Vec<Value> = (0..ROWS).map(|row| delivered(row, &row.to_string())).collect();
    let judged = |posts: &[Post], listed: &[Value]| {
        let mut round = Round::default();
        round.compare(posts, listed);
        round
    };
    assert_eq!(judged(&posts, &listed).problems(), Vec::<String>::new());

    posts.push(post(7, "again"));
    assert_eq!(judged(&posts, &listed).twice, [7]);
    posts.pop();

    let gone = posts.remove(9);
    let round = judged(&posts, &listed);
    assert_eq!((round.missing.as_slice(), round.wrong.len()), ([9].as_slice(), 1));
    listed[9] = json!({"key": key(9), "state": "in_doubt"});
    let round = judged(&posts, &listed);
    assert_eq!((round.problems(), round.in_doubt), (Vec::new(), 1));
    posts.push(gone);

    listed[9] = delivered(9, "another");
    assert_eq!(judged(&posts, &listed).problems().len(), 1);
    listed[9] = json!({"key": key(9), "state": "rejected"});
    assert_eq!(judged(&posts, &listed).problems().len(), 1);
    listed.pop();
    assert_eq!(judged(&posts, &listed).problems().len(), 2);
}
