//! Durable means against power loss: before the first byte of a write leaves, the intent is synced to disk.
//!
//! The proof is a trace of the system calls of a real run: between the last write to the store and the first
//! byte of the request lies a sync of that file. A program that forgets it passes every `kill -9` (the kernel
//! keeps what it was given) and loses its memory only when the power goes.

use std::process::Command;

use crate::kill::{connect, post_one_row};
use crate::program::Home;
use crate::sandbox::Sandbox;

/// The system calls that write, sync and send.
const TRACED: &str = "trace=write,writev,pwrite64,pwritev,fsync,fdatasync,msync,sendto,sendmsg";

/// A traced call that matters here.
#[derive(Debug, PartialEq)]
enum Call<'a> {
    /// A write to a file of the store.
    Write(&'a str),
    /// A sync of a file of the store.
    Sync(&'a str),
    /// The first bytes of a request that creates a post.
    Post,
}

/// Reads one line of the trace; `home` marks the files of the store.
fn call<'a>(line: &'a str, home: &str) -> Option<Call<'a>> {
    let (name, rest) = line.split_once('(')?;
    let name = name.rsplit(' ').next()?;
    let file = || {
        rest.split_once('<')?
            .1
            .split_once('>')
            .map(|(path, _)| path)
            .filter(|path| path.starts_with(home))
    };
    match name {
        "sendto" | "sendmsg" | "write" | "writev" if rest.contains("\"POST /2/tweets") => Some(Call::Post),
        "write" | "writev" | "pwrite64" | "pwritev" => file().map(Call::Write),
        "fsync" | "fdatasync" | "msync" => file().map(Call::Sync),
        _ => None,
    }
}

/// Files that mean nothing after a crash: memory shared between processes, and locks.
const FLEETING: [&str; 2] = ["-shm", ".lock"];

/// Whether everything that was written to the store before the post was also synced before it.
fn unsynced_before_the_post<'a>(calls: &[Call<'a>]) -> Result<Vec<&'a str>, &'static str> {
    let post = calls
        .iter()
        .position(|call| *call == Call::Post)
        .ok_or("no post in the trace")?;
    let mut open: Vec<&str> = Vec::new();
    let mut synced = false;
    for call in &calls[..post] {
        match call {
            Call::Write(path) if !FLEETING.iter().any(|ending| path.ends_with(ending)) => open.push(path),
            Call::Sync(path) => {
                synced = true;
                open.retain(|written| written != path);
            }
            Call::Write(_) | Call::Post => {}
        }
    }
    if synced {
        Ok(open)
    } else {
        Err("nothing was synced before the post")
    }
}

#[test]
fn the_intent_is_synced_before_the_first_byte_leaves() {
    let home = Home::new();
    let sandbox = Sandbox::start(&["--limits", "off"]);
    connect(&home, &sandbox);
    let run = post_one_row(&home);
    let trace = home.path().join("trace");
    let mut traced = Command::new("strace");
    traced
        .args(["-f", "-y", "-s", "64", "-e", TRACED, "-o"])
        .arg(&trace)
        .arg(run.get_program())
        .args(run.get_args());
    for (name, value) in run.get_envs() {
        traced.env(name, value.unwrap_or_default());
    }
    let output = traced.current_dir(home.path()).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        sandbox
            .posts()
            .iter()
            .filter(|post| post.text.starts_with("Row 000"))
            .count(),
        1
    );

    let text = std::fs::read_to_string(&trace).unwrap();
    let store = home.path().join("home");
    let calls: Vec<_> = text
        .lines()
        .filter_map(|line| call(line, store.to_str().unwrap()))
        .collect();
    assert_eq!(unsynced_before_the_post(&calls), Ok(Vec::new()), "{calls:#?}");
}

#[test]
fn a_trace_without_the_sync_is_noticed() {
    let home = "/h";
    let lines = |text: &'static str| {
        text.lines()
            .filter_map(|line| call(line, home))
            .collect::<Vec<_>>()
    };
    let well = lines(
        "12 pwrite64(7</h/ledger.db-wal>, \"..\", 4096, 0) = 4096\n\
         12 fdatasync(7</h/ledger.db-wal>) = 0\n\
         13 pwrite64(8</h/ledger.db-shm>, \"..\", 8, 0) = 8\n\
         13 write(5</tmp/other>, \"x\", 1) = 1\n\
         13 sendto(9<socket:[1]>, \"POST /2/tweets HTTP/1.1\\r\\n\", 30, 0, NULL, 0) = 30",
    );
    assert_eq!(well.len(), 4);
    assert_eq!(unsynced_before_the_post(&well), Ok(Vec::new()));
    let late = lines(
        "1 fdatasync(7</h/ledger.db-wal>) = 0\n\
         1 pwrite64(7</h/ledger.db-wal>, \"..\", 4096, 0) = 4096\n\
         1 writev(9<socket:[1]>, [{iov_base=\"POST /2/tweets HTTP/1.1\", iov_len=9}], 1) = 9\n\
         1 fdatasync(7</h/ledger.db-wal>) = 0",
    );
    assert_eq!(unsynced_before_the_post(&late), Ok(vec!["/h/ledger.db-wal"]));
    assert!(unsynced_before_the_post(&lines("1 write(2</dev/pts/0>, \"x\", 1) = 1")).is_err());
}
