//! The floor: what cannot be left out of a durable, signed row out, and nothing else.
//!
//! Each worker hands in the outcome of its last row with the intent of its next one; a thread commits what all
//! workers handed in meanwhile, synced. Then the row is signed, sent, and its answer parsed. There is no source,
//! no key, no stored request, no enrolment, no chain, no budget, no check before the send: a program that does
//! those can at best come near.

mod bare;
mod ledger;
mod over_hyper;
mod over_reqwest;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::oauth::Signer;
use ledger::Ledger;

/// What the floor sends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Client {
    /// A thread and a socket for each worker, HTTP by hand.
    Bare,
    /// tokio and a hyper connection for each worker.
    Hyper,
    /// tokio and reqwest with the program's settings: the floor that the program is compared with.
    Reqwest,
}

impl Client {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "floor, bare threads",
            Self::Hyper => "floor, hyper",
            Self::Reqwest => "floor, reqwest",
        }
    }
}

/// The rows of one run and what all workers share.
struct Shared {
    root: String,
    /// `host:port` of the mock.
    place: String,
    signer: Signer,
    next: AtomicU64,
    rows: u64,
    ledger: Ledger,
}

impl Shared {
    /// The number of the next row.
    fn take(&self) -> Option<u64> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number <= self.rows).then_some(number)
    }

    fn authorization(&self, number: u64) -> String {
        let seconds = now_seconds();
        self.signer.authorization(number ^ (seconds << 24), seconds)
    }
}

/// Sends so many rows; prints what it took as JSON.
pub(crate) fn run(client: Client, root: &str, rows: u64, workers: usize, ledger: PathBuf) -> Result<Value> {
    let shared = Arc::new(Shared {
        root: root.to_owned(),
        place: root.trim_start_matches("http://").to_owned(),
        signer: Signer::new(&format!("{root}/orders"))?,
        next: AtomicU64::new(1),
        rows,
        ledger: Ledger::start(ledger)?,
    });
    match client {
        Client::Bare => bare::run(&shared, workers)?,
        Client::Hyper => runtime()?.block_on(over_hyper::run(&shared, workers))?,
        Client::Reqwest => runtime()?.block_on(over_reqwest::run(&shared, workers))?,
    }
    let shared = Arc::into_inner(shared).context("a worker is still there")?;
    let (commits, delivered) = shared.ledger.end()?;
    Ok(json!({ "commits": commits, "delivered": delivered }))
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// The order that everybody sends, as JSON; the same text that the task and the scripts make.
pub(crate) fn order(number: u64) -> String {
    json!({ "number": number, "text": format!("Order {number} of customer {} is on its way", number % 997) })
        .to_string()
}

/// The provider's id in an answer.
fn id_in(answer: &[u8]) -> Result<String> {
    let answer: Value = serde_json::from_slice(answer).context("an answer that is no JSON")?;
    let id = answer.pointer("/data/id").and_then(Value::as_str);
    Ok(id
        .with_context(|| format!("an answer without an id: {answer}"))?
        .to_owned())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a measurement has no clock to be tested with"
)]
fn now_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
