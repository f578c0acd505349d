//! Asks the parsers of outside input with made-up input for as long as wanted. The same targets are among the usual
//! tests, with few cases; here they get as many as fit into the time.

pub(crate) mod targets;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::{run, say, stages};
use targets::{TARGETS, Target};

/// What proptest reads how many cases to try from.
const CASES_VARIABLE: &str = "PROPTEST_CASES";
/// Cases of a first round, by which later ones are measured.
const FIRST_CASES: u32 = 500;
/// Cases of one round at most.
const MAX_CASES: u32 = 2_000_000;
/// What a round should take, so that an end in time is possible and the runner's start is not what is measured.
const ROUND: Duration = Duration::from_secs(20);

/// Runs the targets whose names contain `filter`, each for so many seconds.
pub(crate) fn fuzz(filter: Option<&str>, seconds: u64) -> Result<()> {
    let wanted: Vec<&Target> = TARGETS
        .iter()
        .filter(|target| filter.is_none_or(|part| target.name.contains(part)))
        .collect();
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    ensure!(
        !wanted.is_empty(),
        "there is no such target; there are: {}",
        names.join(", ")
    );
    run::show(&mut stages::build()?)?;
    for target in wanted {
        let (cases, took) = one(target, Duration::from_secs(seconds))?;
        say::line(&format!(
            "ok   {}: {cases} cases a test in {} s ({} {})",
            target.name,
            took.as_secs(),
            target.tests.len(),
            if target.tests.len() == 1 { "test" } else { "tests" }
        ));
    }
    Ok(())
}

/// Rounds of one target until its time is over; how many cases each of its tests had, and how long it took.
fn one(target: &Target, time: Duration) -> Result<(u64, Duration)> {
    let began = Instant::now();
    let (mut cases, mut total) = (FIRST_CASES, 0_u64);
    loop {
        let round = Instant::now();
        let expression = target.expression();
        let mut command = stages::nextest(&["-E", &expression, "--profile", "fuzz", "--cargo-quiet"])?;
        command.env(CASES_VARIABLE, cases.to_string());
        run::show(&mut command)?;
        total = total.saturating_add(u64::from(cases));
        let left = time.saturating_sub(began.elapsed());
        if left.is_zero() {
            return Ok((total, began.elapsed()));
        }
        cases = next_cases(cases, round.elapsed(), left.min(ROUND));
    }
}

/// How many cases fit into a time, by what the round before took.
fn next_cases(cases: u32, took: Duration, wanted: Duration) -> u32 {
    let scaled = u128::from(cases).saturating_mul(wanted.as_millis()) / took.as_millis().max(1);
    u32::try_from(scaled)
        .unwrap_or(MAX_CASES)
        .clamp(FIRST_CASES / 10, MAX_CASES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_grow_and_shrink_to_their_time() {
        let seconds = Duration::from_secs;
        assert_eq!(next_cases(500, seconds(1), seconds(20)), 10_000);
        assert_eq!(next_cases(10_000, seconds(40), seconds(20)), 5_000);
        assert_eq!(next_cases(500, seconds(1_000), seconds(1)), FIRST_CASES / 10);
        assert_eq!(next_cases(MAX_CASES, Duration::ZERO, seconds(20)), MAX_CASES);
    }
}
