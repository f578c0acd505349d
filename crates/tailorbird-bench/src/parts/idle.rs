//! The server at rest: how soon it is ready, and how much memory it holds.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::Bench;
use crate::process::{self, Server};
use crate::report::{float, median, round};
use crate::say;

/// How often it is started.
const STARTS: usize = 10;
/// How long it rests before its memory is read.
const REST: Duration = Duration::from_secs(3);

pub(super) fn run(bench: &Bench<'_>) -> Result<Value> {
    say::line("\nThe server at rest")?;
    // A home that has been used: one run of a thousand rows.
    let (home, _) = bench.program("idle", 1_000, 8)?;
    let mut ready = Vec::new();
    let mut memory = None;
    for start in 0..STARTS {
        let server = Server::start(&mut home.serve_command(), &home.path("serve.log"))?;
        ready.push(server.after.as_secs_f64() * 1e3);
        if start + 1 == STARTS {
            std::thread::sleep(REST);
            let rss = process::status_kib(server.id(), "VmRSS").context("no memory figure")?;
            let own = process::own_kib(server.id()).unwrap_or_default();
            memory = Some((rss, own));
        }
    }
    let (rss, own) = memory.context("not measured")?;
    let slowest = ready.iter().copied().fold(f64::MIN, f64::max);
    let middle = median(ready);
    let [rss, own] = [rss, own].map(|kib| float(kib) / 1024.0);
    say::line(&format!(
        "ready after {middle:.0} ms (slowest of {STARTS}: {slowest:.0} ms); {rss:.1} MB at rest ({own:.1} MB of its own)"
    ))?;
    Ok(json!({
        "ready_ms": round(middle, 1),
        "ready_ms_slowest": round(slowest, 1),
        "idle_rss_mb": round(rss, 1),
        "idle_pss_mb": round(own, 1),
    }))
}
