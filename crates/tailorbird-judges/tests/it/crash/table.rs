//! The scenes as a table that can be copied into the documentation.
#![expect(clippy::print_stdout, reason = "the table is what the harness is run for")]

use std::time::Duration;

use super::plan::Plan;
use super::scene::CONCURRENCY;
use super::turn::{End, Ended};

/// Says what is done.
pub(crate) fn begin(what: &str, plans: &[Plan], seed: u64) {
    let starts: usize = plans.iter().map(|plan| plan.starts.len()).sum();
    println!(
        "crash: {what}: {starts} ends in {} scenes, concurrency {CONCURRENCY}, seed {seed} (TAILORBIRD_KILL_SEED={seed} \
         repeats the plan)",
        plans.len()
    );
    println!(
        "| scene | ends | of them while sending | most on their way | accepted | twice | lost | seconds |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
}

/// What came of one scene.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) number: usize,
    kills: usize,
    /// Kills that left something on its way.
    sending: usize,
    most_left: usize,
    pub(crate) accepted: usize,
    pub(crate) twice: usize,
    pub(crate) lost: usize,
    pub(crate) took: Duration,
    pub(crate) problems: Vec<String>,
}

impl Line {
    pub(crate) fn of(number: usize) -> Self {
        Self {
            number,
            ..Self::default()
        }
    }

    pub(crate) fn kills(&self) -> usize {
        self.kills
    }

    pub(crate) fn add(&mut self, end: &End, ended: &Ended) {
        self.kills += usize::from(ended.killed);
        let left: usize = ended.left.values().sum();
        self.sending += usize::from(left > 0);
        self.most_left = self
            .most_left
            .max(ended.left.values().copied().max().unwrap_or_default());
        self.problems.extend(
            ended
                .problems()
                .into_iter()
                .map(|problem| format!("{end:?}: {problem}")),
        );
    }

    pub(crate) fn print(&self) {
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {:.0} |",
            self.number,
            self.kills,
            self.sending,
            self.most_left,
            self.accepted,
            self.twice,
            self.lost,
            self.took.as_secs_f64()
        );
    }
}

/// What all scenes come to.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    pub(crate) scenes: usize,
    kills: usize,
    sending: usize,
    most_left: usize,
    accepted: usize,
    twice: usize,
    lost: usize,
}

impl Sum {
    pub(crate) fn add(&mut self, line: &Line) {
        self.scenes += 1;
        self.kills += line.kills;
        self.sending += line.sending;
        self.most_left = self.most_left.max(line.most_left);
        self.accepted += line.accepted;
        self.twice += line.twice;
        self.lost += line.lost;
    }

    pub(crate) fn print(&self, what: &str) {
        println!(
            "crash: {what}: {} kills in {} scenes, {} of them while something was on its way (at most {} of a connection, \
             {CONCURRENCY} allowed): {} posts accepted, {} twice, {} lost",
            self.kills, self.scenes, self.sending, self.most_left, self.accepted, self.twice, self.lost
        );
    }
}
