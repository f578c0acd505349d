//! `kill -9` at a random moment of a run, again and again.
//!
//! A task posts two hundred rows to a sandbox that is a process of its own, keeps its state in a file that it
//! syncs before each answer, refuses no duplicates and loses, cuts and refuses some answers. The program is
//! ended by SIGKILL, sometimes twice, and then started until the task ends. Afterwards the sandbox's own count
//! decides: each row accepted exactly once, or listed in doubt. What the program believes decides nothing.
//! Doubts are looked up, as the service `x` says; every third round leaves them to a person instead, so that
//! doubts stay and have to be listed.
//!
//! `cargo xtask kill --rounds 50` runs more rounds than the suite does; the same `--seed` gives the same
//! moments (not the same interleaving: the machine has its own ideas).

mod round;
mod table;

use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use round::{Plan, Policy, Round};
pub(crate) use round::{connect, connect_named, connect_to, post_one_row};

/// Rows of each round.
const ROWS: usize = 200;
/// Rounds in the suite, where nobody asked for more.
const ROUNDS: u32 = 5;
/// Rounds at the same time. Most of a round is waiting: what may have been sent is looked up a second time
/// only when the time-out and the service's settling delay are over.
const BESIDE: usize = 5;
/// Rounds beside each other are slower than the calm one, so the moments reach as much further.
const STRETCH: u32 = 3;

/// Numbers that are the same for the same seed (`SplitMix64`).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    pub(crate) fn moment(&mut self, longest: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(longest.as_micros()).unwrap()))
    }
}

/// A number from the environment, as `cargo xtask kill` sets it.
pub(crate) fn asked(variable: &str) -> Option<u64> {
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
        policy: Policy::LookUp,
        kills: Vec::new(),
        faults: Vec::new(),
    });
    table::begin(rounds, seed);
    table::line("calm", &calm);
    assert_eq!(calm.problems(), Vec::<String>::new());
    assert_eq!(calm.in_doubt, 0, "nothing disturbed this run");
    assert_eq!(calm.delivered, ROWS);

    let plans: Vec<(u32, Plan)> = (1..=rounds)
        .map(|number| {
            (
                number,
                Plan::random(&mut random, number, calm.first_run * STRETCH),
            )
        })
        .collect();
    let mut sum = table::Sum::default();
    let mut broken = Vec::new();
    let mut ended = 0;
    for (number, round) in beside_each_other(plans) {
        table::line(&number.to_string(), &round);
        sum.add(&round);
        ended += 1;
        broken.extend(
            round
                .problems()
                .into_iter()
                .map(|problem| format!("round {number}: {problem}")),
        );
    }
    sum.print(rounds);
    assert_eq!(
        ended, rounds,
        "a round did not come to its end; its panic stands above (seed {seed})"
    );
    assert!(broken.is_empty(), "seed {seed}:\n{}", broken.join("\n"));
    assert!(
        rounds < ROUNDS || sum.disturbed > 0,
        "no kill hit a run: the moments are wrong"
    );
}

/// Runs the rounds, [`BESIDE`] at a time, and gives each as it ends.
fn beside_each_other(plans: Vec<(u32, Plan)>) -> mpsc::IntoIter<(u32, Round)> {
    let (ended, rounds) = mpsc::channel();
    let waiting = Arc::new(Mutex::new(plans.into_iter()));
    for _ in 0..BESIDE {
        let (ended, waiting) = (ended.clone(), waiting.clone());
        thread::spawn(move || {
            loop {
                let Some((number, plan)) = waiting.lock().unwrap().next() else {
                    return;
                };
                if ended.send((number, Round::run(&plan))).is_err() {
                    return;
                }
            }
        });
    }
    rounds.into_iter()
}
