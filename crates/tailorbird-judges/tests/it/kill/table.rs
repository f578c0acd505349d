//! The rounds as a table that can be copied into the documentation.
#![expect(clippy::print_stdout, reason = "the table is what the harness is run for")]

use super::ROWS;
use super::round::{Policy, Round};

/// Says what is run, and how to run it again.
pub(crate) fn begin(rounds: u32, seed: u64) {
    println!(
        "kill: {rounds} rounds of {ROWS} rows, seed {seed} (TAILORBIRD_KILL_SEED={seed} repeats the moments)"
    );
    println!(
        "| round | doubts | killed after (ms) | accepted by then | runs | accepted | twice | missing | in doubt | seconds |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
}

pub(crate) fn line(name: &str, round: &Round) {
    let joined = |numbers: Vec<String>| {
        if numbers.is_empty() {
            "-".to_owned()
        } else {
            numbers.join(", ")
        }
    };
    println!(
        "| {name} | {} | {} | {} | {} | {} | {} | {} | {} | {:.1} |",
        match round.policy {
            Policy::LookUp => "looked up",
            Policy::Ask => "asked",
        },
        joined(
            round
                .kills
                .iter()
                .map(|kill| kill.after.as_millis().to_string())
                .collect()
        ),
        joined(round.kills.iter().map(|kill| kill.accepted.to_string()).collect()),
        round.runs,
        round.accepted,
        round.twice.len(),
        round.missing.len(),
        round.in_doubt,
        round.took.as_secs_f64(),
    );
}

/// What all rounds come to.
#[derive(Default)]
pub(crate) struct Sum {
    kills: usize,
    /// Kills that hit a run between its first and its last row.
    pub(crate) disturbed: usize,
    rows: usize,
    twice: usize,
    missing: usize,
    in_doubt: usize,
}

impl Sum {
    pub(crate) fn add(&mut self, round: &Round) {
        self.kills += round.kills.len();
        self.disturbed += round
            .kills
            .iter()
            .filter(|kill| (1..ROWS).contains(&kill.accepted))
            .count();
        self.rows += ROWS;
        self.twice += round.twice.len();
        self.missing += round.missing.len();
        self.in_doubt += round.in_doubt;
    }

    pub(crate) fn print(&self, rounds: u32) {
        println!(
            "kill: {rounds} rounds, {} kills ({} between the first and the last row), {} rows: \
             {} accepted twice, {} missing without being listed, {} listed in doubt",
            self.kills, self.disturbed, self.rows, self.twice, self.missing, self.in_doubt
        );
    }
}
