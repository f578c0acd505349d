//! From few rows to many: CPU per row has to stay, and memory.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{Bench, Lines};
use crate::report::{float, round};
use crate::say;

pub(super) fn run(bench: &Bench<'_>) -> Result<Value> {
    let concurrency = *bench.plan.concurrency.first().context("no concurrency")?;
    say::line("\nThe program alone, from few rows to many")?;
    let mut lines = Lines::default();
    let mut files = Vec::new();
    // What starting, reading the home and one row cost.
    let (_, one) = bench.program("scale", 1, concurrency)?;
    let base = one.cpu;
    lines.add(one)?;
    for rows in &bench.plan.scale {
        let (home, line) = bench.program("scale", *rows, concurrency)?;
        let more = line.cpu.saturating_sub(base).as_secs_f64() * 1e6 / float(*rows);
        let bytes = home.ledger_bytes();
        files.push(json!({
            "rows": rows,
            "cpu_microseconds_per_row_without_start": round(more, 1),
            "ledger_bytes_per_row": round(float(bytes) / float(*rows), 0),
        }));
        lines.add(line)?;
        say::line(&format!(
            "  {more:.1} µs CPU a row without the start; {:.0} bytes of ledger a row",
            float(bytes) / float(*rows)
        ))?;
    }
    Ok(json!({ "runs": lines.json(), "per_row": files }))
}
