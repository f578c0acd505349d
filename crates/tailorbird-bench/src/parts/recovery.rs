//! After `kill -9` in the middle of a run over a store with many deliveries: how soon it goes on.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Bench, Lines};
use crate::process::Server;
use crate::report::round;
use crate::{say, source};

/// Rows that are sent to fill the store; its further deliveries are copies of them.
const SENT: u64 = 10_000;
/// Rows of the run that is cut off.
const CUT_OFF: u64 = 20_000;
/// It is cut off when so many of them have arrived.
const AFTER: u64 = 2_000;
/// How often the mock is asked.
const ASK_EVERY: Duration = Duration::from_millis(1);
/// How long is waited for anything.
const PATIENCE: Duration = Duration::from_mins(5);

pub(super) fn run(bench: &Bench<'_>) -> Result<Value> {
    let rows = bench.plan.deliveries;
    let concurrency = bench.plan.concurrency.first().copied().unwrap_or(1);
    say::line(&format!("\nRecovery of a store with {rows} deliveries"))?;
    let mut lines = Lines::default();
    let sent = rows.min(SENT);
    let (home, line) = bench.program("recovery", sent, concurrency)?;
    lines.add(line)?;
    say::talk("filling the store");
    home.multiply(rows)?;

    source::make(&home.source(), sent + 1, CUT_OFF)?;
    bench.mock.reset()?;
    let talk = home.path("cut-off.log");
    let mut child = home
        .run_command()
        .stdout(std::fs::File::create(&talk)?)
        .stderr(std::fs::File::create(&talk)?)
        .spawn()?;
    let arrived = until(bench, AFTER);
    // By `kill -9`, as a power cut would.
    child.kill()?;
    child.wait()?;
    let before = arrived?;
    let sending = home.deliveries("sending")?;

    let started = Instant::now();
    let server = Server::start(&mut home.serve_command(), &home.path("serve.log"))?;
    let ready = server.after;
    let before = before.max(bench.mock.counted()?.accepted);
    until(bench, before + 1)?;
    let sends_again = started.elapsed();
    // Every row arrives, none twice: those in doubt were sent and are left to a person, or never left.
    let waited = Instant::now();
    while home.deliveries("delivered")? + home.deliveries("in_doubt")? < rows + CUT_OFF {
        ensure!(waited.elapsed() < PATIENCE, "the run did not go on to its end");
        std::thread::sleep(Duration::from_millis(50));
    }
    let (counted, in_doubt) = (bench.mock.counted()?, home.deliveries("in_doubt")?);
    ensure!(
        counted.twice == 0 && counted.accepted + in_doubt >= CUT_OFF && counted.accepted <= CUT_OFF,
        "after the restart: {counted:?}, {in_doubt} in doubt"
    );
    let milliseconds = |time: Duration| round(time.as_secs_f64() * 1e3, 1);
    say::line(&format!(
        "ready after {} ms, sends again after {} ms; {sending} were under way, {in_doubt} in doubt, 0 twice, 0 lost",
        milliseconds(ready),
        milliseconds(sends_again)
    ))?;
    Ok(json!({
        "runs": lines.json(),
        "deliveries": rows,
        "ready_ms": milliseconds(ready),
        "sends_again_ms": milliseconds(sends_again),
        "under_way_at_kill": sending,
        "in_doubt": in_doubt,
        "twice": counted.twice,
        "ledger_bytes": home.ledger_bytes(),
    }))
}

/// Waits until so many have arrived.
fn until(bench: &Bench<'_>, wanted: u64) -> Result<u64> {
    let since = Instant::now();
    loop {
        let now = bench.mock.counted()?.accepted;
        if now >= wanted {
            return Ok(now);
        }
        ensure!(since.elapsed() < PATIENCE, "{now} of {wanted} rows arrived");
        std::thread::sleep(ASK_EVERY);
    }
}
