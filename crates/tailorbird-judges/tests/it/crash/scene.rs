//! A home with tasks of every kind, the sandbox that they post to, the databases that they read and write, and the
//! world that brings them something to do.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use super::people::{self, People};
use crate::kill::connect_to;
use crate::program::{Home, repository};
use crate::sandbox::Sandbox;

/// At most this many deliveries of a connection are under way at once, so at most so many may be left in doubt.
pub(crate) const CONCURRENCY: usize = 3;

/// How long a request may take in all, in milliseconds: a doubt may be called absent after that time.
const TIMEOUT_MS: &str = "4000";

/// How long another process may hold a database.
const BUSY: Duration = Duration::from_secs(20);

const TASKS: &str = include_str!("tasks.yaml");

/// Tasks that a person can run by hand whatever happened before. One that reads is first: what it was doing when it was cut
/// off is begun anew.
pub(crate) const BY_HAND: [&str; 9] = [
    "orders", "people", "follow", "hook", "intake", "pause", "tick", "own", "texts",
];

pub(crate) struct Scene {
    pub(crate) home: Home,
    pub(crate) sandbox: Sandbox,
    /// Takes lists.
    pub(crate) people: People,
    /// What names the posts that have to come of what was fed so far.
    pub(crate) fed: BTreeSet<String>,
    /// Requests to the webhook that nobody has answered with 2xx yet.
    hooks: BTreeMap<String, Value>,
    /// When each doubt was met first.
    pub(super) doubts: HashMap<String, Instant>,
    batches: u32,
    folder: PathBuf,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let home = Home::new();
        let state = home.path().join("provider.jsonl");
        let sandbox = Sandbox::start(&["--state", state.to_str().unwrap(), "--limits", "off"]);
        sandbox.refuse_duplicates(false);
        let folder = home.path().join("incoming");
        fs::create_dir(&folder).unwrap();
        let scene = Self {
            home,
            sandbox,
            people: People::start(),
            fed: BTreeSet::new(),
            hooks: BTreeMap::new(),
            doubts: HashMap::new(),
            batches: 0,
            folder,
        };
        scene.make_databases();
        scene.connect();
        let tasks = scene.home.path().join("tasks.yaml");
        fs::write(&tasks, TASKS.replace("FOLDER", scene.folder.to_str().unwrap())).unwrap();
        scene.well(&["task", "apply", tasks.to_str().unwrap()]);
        scene.well(&["database", "trigger-sql", "erp", "products", "--install"]);
        scene
    }

    fn make_databases(&self) {
        let tables = |name: &str, sql: &str| self.sql(name, sql);
        tables(
            "erp",
            "create table products (sku text primary key, parity text not null);
             create table orders (id integer primary key, customer text not null);
             create table order_lines (order_id integer, number integer, what text, primary key (order_id, number));
             create table posted (name text primary key, post_id text);",
        );
        tables(
            "crm",
            "create table posted (name text primary key, post_id text);
             create table called (name text primary key, state text not null);
             create table people (name text primary key, number text);
             create table own (id text primary key);
             create table texts (id text primary key, text text not null);",
        );
        for name in ["erp", "crm"] {
            let path = format!("path={}", self.file(name).display());
            self.well(&[
                "database",
                "add",
                name,
                "--kind",
                "sqlite",
                "--set",
                &path,
                "--writable",
            ]);
        }
    }

    /// Two connections to the sandbox, whose doubts are looked up and asked about, one to a provider of lists, and one to
    /// a receiver of notices.
    fn connect(&self) {
        let shipped = fs::read_to_string(repository().join("services/x.yaml")).unwrap();
        let quick = shipped
            .replacen("service: x\n", "service: x-quick\n", 1)
            .replacen("settling: 5s", "settling: 1s", 1);
        let (before, after) = shipped.split_once("    in_doubt:\n").unwrap();
        let rest: Vec<&str> = after
            .lines()
            .skip_while(|line| line.starts_with("      "))
            .collect();
        let asks = format!(
            "{}    in_doubt: ask\n{}\n",
            before.replacen("service: x\n", "service: x-asks\n", 1),
            rest.join("\n")
        );
        for (name, service, text) in [("quick", "x-quick", quick), ("asks", "x-asks", asks)] {
            let file = self.home.path().join(format!("{service}.yaml"));
            fs::write(&file, text).unwrap();
            self.well(&["service", "add", file.to_str().unwrap()]);
            connect_to(&self.home, &self.sandbox, name, service);
            let concurrency = format!("concurrency={CONCURRENCY}");
            self.well(&["connection", "add", name, "--set", &concurrency]);
        }
        let file = self.home.path().join("lists.yaml");
        fs::write(&file, people::SERVICE.replace("ROOT", &self.people.root)).unwrap();
        self.well(&["service", "add", file.to_str().unwrap()]);
        let root = format!("root_url={}", self.people.root);
        // One request at a time, so no more than the records of one batch are on their way.
        let one = ["--set", &root, "--set", "concurrency=1"];
        self.well(&[&["connection", "add", "lists", "--service", "lists"][..], &one].concat());
        let root = format!("root_url={}", receiver());
        let add = [
            "connection",
            "add",
            "owner",
            "--service",
            "webhook",
            "--set",
            &root,
            "--secrets",
            "-",
        ];
        let secrets = json!({"client_key": "crash", "client_secret": "known to both"});
        self.home.run_with_input(&add, &secrets.to_string()).well();
    }

    /// Keeps the folder for whoever looks into what went wrong, and says where.
    pub(crate) fn keep(&mut self) -> String {
        format!("its folder is kept in {}", self.home.keep().display())
    }

    /// A command of the program, as the crashed one is started: with short time-outs.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command(arguments);
        command.env("TAILORBIRD_TEST_TIMEOUT", TIMEOUT_MS);
        command
    }

    #[track_caller]
    pub(crate) fn well(&self, arguments: &[&str]) -> Value {
        self.home.run(arguments).well()
    }

    /// A list that the program prints.
    #[track_caller]
    pub(crate) fn list(&self, arguments: &[&str]) -> Vec<Value> {
        self.well(arguments).as_array().expect("an array").clone()
    }

    fn file(&self, database: &str) -> PathBuf {
        self.home.path().join(format!("{database}.sqlite"))
    }

    /// Takes a database away.
    pub(crate) fn hide(&self, database: Option<&str>) {
        if let Some(name) = database {
            fs::rename(self.file(name), self.file("hidden")).unwrap();
        }
    }

    /// Brings it back.
    pub(crate) fn bring_back(&self, database: Option<&str>) {
        if let Some(name) = database {
            fs::rename(self.file("hidden"), self.file(name)).unwrap();
        }
    }

    pub(crate) fn database(&self, name: &str) -> Connection {
        let connection = Connection::open(self.file(name)).unwrap();
        connection.busy_timeout(BUSY).unwrap();
        connection
    }

    /// The program's own store, to look into.
    pub(super) fn store(&self) -> Connection {
        let path = self.home.path().join("home/ledger.db");
        let store = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        store.busy_timeout(BUSY).unwrap();
        store
    }

    fn sql(&self, name: &str, sql: &str) {
        self.database(name).execute_batch(sql).unwrap();
    }

    /// Brings something for every task to do: six products, two orders of two lines, a request of two records, a
    /// file.
    pub(crate) fn feed(&mut self) {
        self.feed_of(6, 2, 2);
    }

    /// The same with less of it.
    pub(crate) fn feed_little(&mut self) {
        self.feed_of(2, 1, 1);
    }

    fn feed_of(&mut self, products: u32, orders: u32, items: u32) {
        self.batches += 1;
        let batch = self.batches;
        let mut sql = "begin immediate;".to_owned();
        for number in 0..products {
            let parity = if number % 3 == 0 { "odd" } else { "even" };
            let sku = format!("S{batch:03}{number}");
            sql += &format!("insert into products values ('{sku}', '{parity}');");
            self.fed.insert(format!("Follow {sku}"));
        }
        // Of batches of any size no two have an order in common.
        for order in (0..orders).map(|number| 10 * batch + number) {
            sql += &format!("insert into orders values ({order}, 'Customer {order}');");
            for number in 1..=2 {
                sql += &format!("insert into order_lines values ({order}, {number}, 'Thing {number}');");
                self.fed.insert(format!("Line {order}/{number}"));
            }
        }
        self.sql("erp", &(sql + "commit;"));
        let items: Vec<Value> = (0..items)
            .map(|number| {
                let id = format!("H{batch:03}{number}");
                self.fed.insert(format!("One {id}"));
                json!({"id": id, "what": format!("what {id} says")})
            })
            .collect();
        let id = format!("hook-{batch}");
        self.hooks.insert(id.clone(), json!({"id": id, "items": items}));
        let name = format!("F{batch:03}.csv");
        // Under another name first, as careful programs do.
        let partial = self.folder.join(".partial");
        fs::write(&partial, "a,b\n").unwrap();
        fs::rename(&partial, self.folder.join(&name)).unwrap();
        self.fed.insert(format!("File {name}"));
    }

    /// Sends requests to the webhook of a server, again and again until it says 2xx, as providers do.
    pub(crate) fn knock(&mut self, server: &str) {
        let address = server.trim_start_matches("http://").to_owned();
        self.hooks.retain(|_, body| {
            let status = try_post(&address, "/hooks/hook", &body.to_string());
            !status.is_some_and(|status| (200..300).contains(&status))
        });
    }

    /// Whether everything that was brought was taken in.
    pub(crate) fn is_taken_in(&self) -> bool {
        let waiting = fs::read_dir(&self.folder)
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().is_file())
            .count();
        let erp = self.database("erp");
        let changes: u32 = erp
            .query_row("select count(*) from _tailorbird_outbox", [], |row| row.get(0))
            .unwrap();
        self.hooks.is_empty() && waiting == 0 && changes == 0
    }

    /// Deliveries in a state, by connection.
    pub(crate) fn deliveries(&self, state: &str) -> BTreeMap<String, Vec<Value>> {
        let mut by_connection: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for delivery in self.list(&["delivery", "list", "--state", state]) {
            let connection = delivery["connection"].as_str().unwrap().to_owned();
            by_connection.entry(connection).or_default().push(delivery);
        }
        by_connection
    }
}

/// What a post is called: its text up to the first colon.
pub(crate) fn name_of(text: &str) -> &str {
    text.split(':').next().unwrap_or_default()
}

/// A receiver that takes everything, for the life of the test.
fn receiver() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            // One read is enough to know that somebody asks; a sender that dies meanwhile is what is tested.
            let mut buffer = vec![0; 1 << 16];
            drop(stream.set_read_timeout(Some(Duration::from_secs(1))));
            drop(stream.read(&mut buffer));
            thread::sleep(Duration::from_millis(20));
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
        }
    });
    url
}

/// A request whose receiver may be dying: nothing where it gave no answer.
fn try_post(address: &str, path: &str, body: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(BUSY)).ok()?;
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    let mut answer = String::new();
    // What came before the connection broke counts.
    drop(stream.read_to_string(&mut answer));
    answer.get(9..12)?.parse().ok()
}

/// Where the list of fault points stands.
pub(crate) fn points() -> Vec<String> {
    let list = Path::new("crates/tailorbird-model/fault-points.txt");
    let text = fs::read_to_string(repository().join(list)).unwrap();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}
