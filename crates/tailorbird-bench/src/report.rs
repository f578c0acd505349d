//! The figures: a table for people, JSON for programs.

use std::time::Duration;

use serde_json::{Value, json};

/// One run of something.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) who: String,
    pub(crate) rows: u64,
    pub(crate) concurrency: usize,
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
    /// Peak memory in KiB.
    pub(crate) peak: u64,
    /// Synced commits of the ledger.
    pub(crate) commits: u64,
    pub(crate) connections: u64,
    /// The machine's load when it ended.
    pub(crate) load: f64,
}

impl Line {
    pub(crate) fn a_second(&self) -> f64 {
        float(self.rows) / self.wall.as_secs_f64()
    }

    /// In microseconds.
    pub(crate) fn cpu_per_row(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / float(self.rows)
    }

    pub(crate) fn commits_a_second(&self) -> f64 {
        float(self.commits) / self.wall.as_secs_f64()
    }

    pub(crate) fn peak_mb(&self) -> f64 {
        float(self.peak) / 1024.0
    }

    /// A line of the table.
    pub(crate) fn text(&self) -> String {
        format!(
            "{:<32} {:>8} {:>5} {:>8.2} {:>9.0} {:>9.1} {:>8.1} {:>8.0} {:>5} {:>5.1}",
            self.who,
            self.rows,
            self.concurrency,
            self.wall.as_secs_f64(),
            self.a_second(),
            self.cpu_per_row(),
            self.peak_mb(),
            self.commits_a_second(),
            self.connections,
            self.load,
        )
    }

    /// The head of the table.
    pub(crate) fn head() -> String {
        format!(
            "{:<32} {:>8} {:>5} {:>8} {:>9} {:>9} {:>8} {:>8} {:>5} {:>5}",
            "", "rows", "conc.", "s", "rows/s", "µs CPU/row", "peak MB", "syncs/s", "conn.", "load"
        )
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "who": self.who,
            "rows": self.rows,
            "concurrency": self.concurrency,
            "seconds": round(self.wall.as_secs_f64(), 3),
            "rows_a_second": round(self.a_second(), 0),
            "cpu_microseconds_per_row": round(self.cpu_per_row(), 1),
            "peak_mb": round(self.peak_mb(), 1),
            "synced_commits": self.commits,
            "syncs_a_second": round(self.commits_a_second(), 0),
            "connections": self.connections,
            "twice": 0,
            "load": self.load,
        })
    }
}

/// The middle of some figures.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let at = |place: usize| figures.get(place).copied().unwrap_or(f64::NAN);
    if figures.len().is_multiple_of(2) {
        f64::midpoint(at(middle.wrapping_sub(1)), at(middle))
    } else {
        at(middle)
    }
}

/// A figure with so many places.
pub(crate) fn round(figure: f64, places: i32) -> f64 {
    let scale = 10_f64.powi(places);
    (figure * scale).round() / scale
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "figures of measurements are far below 2^53"
)]
pub(crate) fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_even_and_odd_counts() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(Vec::new()).is_nan());
    }
}
