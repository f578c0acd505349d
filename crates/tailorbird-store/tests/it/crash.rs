//! `kill -9`: the test binary runs itself as the process that dies.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tailorbird_model::Failure;
use tailorbird_model::delivery::{DeliveryState, Event};
use tailorbird_store::{DeliveryFilter, DriveLock, Enrolment, Home, Outcome, Store};

use crate::bench::{Bench, delivery, result, run};

const CHILD_HOME: &str = "TAILORBIRD_STORE_TEST_CHILD_HOME";
const CHILD_PART: &str = "TAILORBIRD_STORE_TEST_CHILD_PART";
/// How long a child lives at most, if nobody kills it.
const CHILD_LIFE: Duration = Duration::from_mins(1);
/// Deliveries on their way at the same time.
const CONCURRENCY: usize = 4;

/// Starts this very test binary as a process of its own.
pub(crate) fn child(part: &str, home: &Path, wrapper: &[OsString]) -> Child {
    let this = std::env::current_exe().unwrap();
    let mut command = match wrapper.split_first() {
        Some((program, arguments)) => {
            let mut command = Command::new(program);
            command.args(arguments).arg(this);
            command
        }
        None => Command::new(this),
    };
    command
        .args(["crash::the_child", "--exact", "--nocapture"])
        .env(CHILD_HOME, home)
        .env(CHILD_PART, part)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until a file is there.
pub(crate) fn wait_for(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < CHILD_LIFE, "{} never came", path.display());
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What the child process does. As an ordinary test it does nothing.
#[tokio::test]
async fn the_child() {
    let Some(home) = std::env::var_os(CHILD_HOME).map(PathBuf::from) else {
        return;
    };
    let home = Home::open(home).unwrap();
    match std::env::var_os(CHILD_PART).unwrap().to_str().unwrap() {
        "stop_between" => stop_between(&home).await,
        "send" => send(&home).await,
        "first_byte" => first_byte(&home).await,
        other => panic!("{other}"),
    }
}

/// Dies with two intents and no outcome.
async fn stop_between(home: &Home) {
    let store = Store::open(home).unwrap();
    let lock = DriveLock::acquire(home).unwrap();
    let batch = ["a", "b", "c", "d"].map(|key| delivery(key, "text")).to_vec();
    let ids: Vec<_> = store
        .enrol(batch)
        .await
        .unwrap()
        .iter()
        .map(|one| one.id)
        .collect();
    let intended = store
        .intend(ids[..3].to_vec(), &run(1), lock.epoch())
        .await
        .unwrap();
    store
        .record(vec![Outcome::accepted(intended[0], result("1"))])
        .await
        .unwrap();
    fs::write(home.path().join("ready"), "").unwrap();
    std::thread::sleep(CHILD_LIFE);
}

/// Sends for as long as it lives: a line in a file stands for a request that reached the provider.
async fn send(home: &Home) {
    let store = Store::open(home).unwrap();
    let lock = DriveLock::acquire(home).unwrap();
    let mut provider = OpenOptions::new()
        .append(true)
        .create(true)
        .open(home.path().join("provider"))
        .unwrap();
    let begun = Instant::now();
    let mut number = 0;
    while begun.elapsed() < CHILD_LIFE {
        let batch = (0..CONCURRENCY).map(|place| delivery(&format!("key-{}", number + place), "text"));
        let enrolled = store.enrol(batch.collect()).await.unwrap();
        let new = enrolled
            .iter()
            .filter(|one| matches!(one.enrolment, Enrolment::New | Enrolment::Open { .. }));
        let intended = store
            .intend(new.map(|one| one.id).collect(), &run(1), lock.epoch())
            .await
            .unwrap();
        for one in &intended {
            if store.may_send(*one, lock.epoch()).unwrap() {
                // In one piece: a kill between number and line end would join it with the next one's.
                provider.write_all(format!("{}\n", one.id).as_bytes()).unwrap();
                fs::write(home.path().join("ready"), "").unwrap();
            }
        }
        let outcomes = intended
            .iter()
            .map(|one| Outcome::new(*one, Event::Accepted))
            .collect();
        store.record(outcomes).await.unwrap();
        number += CONCURRENCY;
    }
}

/// Makes an intent durable and then lets the first byte go; for the trace of `durability.rs`.
async fn first_byte(home: &Home) {
    let store = Store::open(home).unwrap();
    let lock = DriveLock::acquire(home).unwrap();
    let id = store.enrol(vec![delivery("k", "text")]).await.unwrap()[0].id;
    store.intend(vec![id], &run(1), lock.epoch()).await.unwrap();
    fs::write(home.path().join("first-byte"), "POST").unwrap();
    std::process::exit(0);
}

#[tokio::test]
async fn a_process_killed_between_intent_and_outcome_leaves_doubt_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::create(folder.path().join("home")).unwrap();
    let mut child = child("stop_between", home.path(), &[]);
    wait_for(&home.path().join("ready"));
    let busy = Failure::from(DriveLock::acquire(&home).unwrap_err());
    assert_eq!(busy.code, "RUN-002");
    assert!(busy.detail.contains(&child.id().to_string()), "{}", busy.detail);
    child.kill().unwrap();
    child.wait().unwrap();

    let store = Store::open(&home).unwrap();
    let lock = DriveLock::acquire(&home).unwrap();
    let doubtful = store.recover(&lock).await.unwrap();
    assert_eq!(
        doubtful
            .iter()
            .map(|one| one.identity.key.as_str())
            .collect::<Vec<_>>(),
        ["b", "c"]
    );
    let states: BTreeMap<_, _> = store
        .deliveries(&DeliveryFilter {
            limit: 10,
            ..DeliveryFilter::default()
        })
        .unwrap()
        .into_iter()
        .map(|one| (one.identity.key.to_string(), one.state))
        .collect();
    let expected = [
        ("a", DeliveryState::Delivered),
        ("b", DeliveryState::InDoubt),
        ("c", DeliveryState::InDoubt),
        ("d", DeliveryState::Pending),
    ];
    assert_eq!(
        states,
        expected.map(|(key, state)| (key.to_owned(), state)).into()
    );
    assert!(store.verify_chain().unwrap().is_whole());
}

#[tokio::test]
async fn killed_at_any_moment_nothing_is_sent_twice_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::create(folder.path().join("home")).unwrap();
    let ready = home.path().join("ready");
    let mut in_doubt = 0;
    for round in 0..6_u64 {
        let mut child = child("send", home.path(), &[]);
        wait_for(&ready);
        std::thread::sleep(Duration::from_millis(7 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        fs::remove_file(&ready).unwrap();
        let store = Store::open(&home).unwrap();
        let lock = DriveLock::acquire(&home).unwrap();
        let doubtful = store.recover(&lock).await.unwrap().len();
        assert!(doubtful <= CONCURRENCY, "{doubtful} in doubt");
        in_doubt += doubtful;
    }
    let store = Store::open(&home).unwrap();
    let mut sent: Vec<i64> = fs::read_to_string(home.path().join("provider"))
        .unwrap()
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    let lines = sent.len();
    sent.sort_unstable();
    sent.dedup();
    assert_eq!(sent.len(), lines, "no delivery reached the provider twice");
    let filter = DeliveryFilter {
        limit: 10_000,
        ..DeliveryFilter::default()
    };
    for one in store.deliveries(&filter).unwrap() {
        let arrived = sent.contains(&one.id.0);
        match one.state {
            DeliveryState::Delivered => assert!(arrived, "{} is said to have arrived", one.id),
            DeliveryState::Pending => assert!(!arrived, "{} would be sent twice", one.id),
            DeliveryState::InDoubt => {}
            other => panic!("{} is {other}", one.id),
        }
    }
    println!("{lines} sent over 6 kills, {in_doubt} in doubt");
    assert!(store.verify_chain().unwrap().is_whole());
}

#[tokio::test]
async fn a_transaction_that_was_given_up_blocks_nobody() {
    let bench = Bench::new();
    let raw = bench.raw();
    raw.execute_batch("BEGIN IMMEDIATE; DELETE FROM schema_version")
        .unwrap();
    drop(raw);
    assert_eq!(bench.enrol(&["k"]).await[0].enrolment, Enrolment::New);
}
