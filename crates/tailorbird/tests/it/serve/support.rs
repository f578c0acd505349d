//! A server in a process of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Home, http};

/// How long a test waits for something to come about.
const PATIENCE: Duration = Duration::from_secs(40);

/// A server that ends with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    pub(crate) ready: Value,
}

impl Server {
    /// Starts one on a free port; its time is the system's plus the milliseconds in the file `clock` beside the
    /// home.
    pub(crate) fn start(home: &Home) -> Self {
        Self::start_with(home, &[])
    }

    pub(crate) fn start_with(home: &Home, more: &[&str]) -> Self {
        Self::begin(home, more, &[])
    }

    /// Starts one with these variables in its environment.
    pub(crate) fn start_in(home: &Home, variables: &[(&str, String)]) -> Self {
        Self::begin(home, &[], variables)
    }

    fn begin(home: &Home, more: &[&str], variables: &[(&str, String)]) -> Self {
        let talk = std::fs::File::options()
            .create(true)
            .append(true)
            .open(home.file("server.log"))
            .unwrap();
        let mut child = home
            .command(&["serve", "--listen", "127.0.0.1:0"])
            .args(more)
            .env("TAILORBIRD_TEST_CLOCK", home.file("clock"))
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(talk)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        Self {
            child,
            url: ready["url"].as_str().unwrap().to_owned(),
            ready,
        }
    }

    /// The most memory that the process has held, in MiB.
    pub(crate) fn peak_memory_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib / 1024
    }

    /// Status and body of a path.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        http("GET", &format!("{}{path}", self.url), &[], "")
    }

    /// Asks it politely to end; gives its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let pid = i32::try_from(self.child.id()).unwrap();
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(pid).unwrap(),
            rustix::process::Signal::TERM,
        )
        .unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What the servers of a home said.
pub(crate) fn talk(home: &Home) -> String {
    std::fs::read_to_string(home.file("server.log")).unwrap()
}

/// Looks again until it is so.
pub(crate) fn until(what: &str, is_so: impl FnMut() -> bool) {
    within(PATIENCE, what, is_so);
}

/// As [`until`], for what waits until a provider cannot show anything new any more.
pub(crate) fn until_slowly(what: &str, is_so: impl FnMut() -> bool) {
    within(PATIENCE * 4, what, is_so);
}

fn within(patience: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < patience, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// One request as it stands; gives the status.
pub(crate) fn raw(address: &str, request: &str) -> u16 {
    let mut stream = TcpStream::connect(address.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer[9..12].parse().unwrap()
}
