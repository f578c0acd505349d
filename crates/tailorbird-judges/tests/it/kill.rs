//! `kill -9` at a random moment of a run, again and again.
//!
//! A task posts two hundred rows to a sandbox that is a process of its own, keeps its state in a file that it
//! syncs before each answer, refuses no duplicates and loses, cuts and refuses some answers. The program is
//! ended by SIGKILL, sometimes twice, and then started until the task ends. Afterwards the sandbox's own count
//! decides: each row accepted exactly once, or listed in doubt. What the program believes decides nothing.
//!
//! `cargo xtask kill --rounds 50` runs more rounds than the suite does; the same `--seed` gives the same
//! moments (not the same interleaving: the machine has its own ideas).

mod round;
mod table;

use std::time::Duration;

use round::{Plan, Round};
pub(crate) use round::{connect, connect_named, post_one_row};

/// Rows of each round.
const ROWS: usize = 200;
/// Rounds in the suite, where nobody asked for more.
const ROUNDS: u32 = 5;

/// Numbers that are the same for the same seed (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn moment(&mut self, longest: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(longest.as_micros()).unwrap()))
    }
}

/// A number from the environment, as `cargo xtask kill` sets it.
fn asked(variable: &str) -> Option<u64> {
    let text = std::env::var_os(variable)?.into_string().expect("a number");
    Some(
        text.parse()
            .unwrap_or_else(|error| panic!("{variable}={text}: {error}")),
    )
}

#[test]
fn each_row_is_accepted_once_or_listed_in_doubt() {
    let rounds = asked("TAILORBIRD_KILL_ROUNDS").map_or(ROUNDS, |rounds| u32::try_from(rounds).unwrap());
    let seed = asked("TAILORBIRD_KILL_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let mut random = Random(seed);

    // One run that nobody disturbs says how long the moments may reach, and that the harness itself is right.
    let calm = Round::run(&Plan {
        kills: Vec::new(),
        faults: Vec::new(),
    });
    table::begin(rounds, seed);
    table::line("calm", &calm);
    calm.judge();
    assert_eq!(calm.in_doubt, 0, "nothing disturbed this run");
    assert_eq!(calm.delivered, ROWS);

    let mut table = table::Sum::default();
    for number in 1..=rounds {
        let plan = Plan::random(&mut random, calm.first_run);
        let round = Round::run(&plan);
        table::line(&number.to_string(), &round);
        round.judge();
        table.add(&round);
    }
    table.print(rounds);
    assert!(
        rounds < 5 || table.disturbed > 0,
        "no kill hit a run: the moments are wrong"
    );
}
