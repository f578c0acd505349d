//! What the figures were taken on.

use std::fs;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use crate::source;

/// Cores, memory, kernel, load, and how often this disk syncs.
pub(crate) fn about(scratch: &Path) -> Result<Value> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let of = |text: &str, name: &str| {
        text.lines()
            .find_map(|line| line.split_once(':').filter(|(found, _)| found.trim() == name))
            .map(|(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    Ok(json!({
        "cores": cores,
        "cpu": of(&read("/proc/cpuinfo"), "model name"),
        "memory": of(&read("/proc/meminfo"), "MemTotal"),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "load": load(),
        "synced_commits_a_second": source::syncs_a_second(scratch)?.round(),
    }))
}

/// The machine's load over the last minute.
pub(crate) fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ')
        .next()
        .and_then(|load| load.parse().ok())
        .unwrap_or_default()
}
