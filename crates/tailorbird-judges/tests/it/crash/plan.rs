//! What will be done to the program: how each start of it ends, and what the provider does meanwhile.

use std::time::Duration;

use serde_json::{Value, json};

use super::scene::Scene;
use super::turn::{End, How};
use crate::kill::Random;

/// A calm server is done with a batch in less.
const MOMENT_LONGEST: Duration = Duration::from_secs(5);

/// The starts of one scene.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) starts: Vec<Start>,
}

/// One start of the program.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) how: How,
    /// Ends that have to come before, so that the point is on the way.
    pub(crate) before: Vec<End>,
    pub(crate) end: End,
    pub(crate) faults: Value,
    /// A database that is gone meanwhile.
    pub(crate) gone: Option<&'static str>,
}

impl Start {
    /// Ended when it comes to a fault point first, in a world where that happens.
    pub(crate) fn at(point: &str, random: &mut Random) -> Self {
        let at = |point: &str, nth| End::At(point.to_owned(), nth);
        let transition = point.trim_end_matches(".before").trim_end_matches(".after");
        let mut how = How::Serve;
        let mut before = Vec::new();
        match transition {
            // A person runs a task again that was cut off in its midst.
            "run.anew" => {
                how = How::ByHand;
                before.push(at("journal.checkpoint.after", 3));
            }
            "ledger.recovered" => before.push(at("ledger.intent.after", 2)),
            _ => {}
        }
        let faults = match transition {
            "request.unanswered" => all_posts("delay"),
            "ledger.looked_up" | "look_up.answered" | "ledger.resolved" => all_posts("lose_answer"),
            // A run that ends with doubts is told.
            _ if point.starts_with("notice.") => all_posts("lose_answer"),
            "ledger.result" => all_posts("bad_json"),
            _ => mixed(random, 6),
        };
        Self {
            how,
            before,
            end: at(point, 1),
            faults,
            gone: (transition == "journal.put_off").then_some("crm"),
        }
    }

    /// Ended at a random moment.
    pub(crate) fn random(random: &mut Random) -> Self {
        let how = if random.below(4) == 0 {
            How::ByHand
        } else {
            How::Serve
        };
        Self {
            how,
            before: Vec::new(),
            end: End::After(random.moment(MOMENT_LONGEST)),
            faults: mixed(random, 12),
            gone: None,
        }
    }

    /// Where it has to stand in its scene.
    pub(crate) fn rank(&self) -> u8 {
        match &self.end {
            End::At(point, _) if point.starts_with("firing.begun") => 0,
            End::At(point, _) if point.starts_with("ledger.identity") => 1,
            _ => 2,
        }
    }

    /// How often it is tried, each time with something new to do.
    pub(crate) fn tries(&self) -> u32 {
        if self.must_end() { 3 } else { 1 }
    }

    /// Whether it is a failure where the end does not come.
    pub(crate) fn must_end(&self) -> bool {
        matches!(self.end, End::At(..))
    }
}

impl Scene {
    /// Brings something to do, and sets the provider's faults. A start that ends at its place needs little of it.
    pub(crate) fn feed_for(&mut self, start: &Start) {
        if start.must_end() {
            self.feed_little();
        } else {
            self.feed();
        }
        self.sandbox.faults(&start.faults);
        self.people.cuts(true);
    }
}

/// Every one of the first posts meets the same fault.
fn all_posts(kind: &str) -> Value {
    all("POST /2/tweets", kind)
}

/// Every one of the first requests of a kind meets the same fault.
fn all(matches: &str, kind: &str) -> Value {
    let faults = (1..=30).map(|nth| json!({"match": matches, "nth": nth, "do": kind, "seconds": 1}));
    Value::Array(faults.collect())
}

/// Each kind of fault among so many first posts, and a listing or look-up that is refused.
fn mixed(random: &mut Random, most: u64) -> Value {
    let kinds = [
        "lose_answer",
        "lose_answer",
        "bad_json",
        "cut",
        "503",
        "429",
        "delay",
    ];
    let mut faults: Vec<Value> = kinds
        .iter()
        .map(|kind| json!({"match": "POST /2/tweets", "nth": 1 + random.below(most), "do": kind, "seconds": 1}))
        .collect();
    faults.push(json!({"match": "GET /2/users", "nth": 1 + random.below(3), "do": "503"}));
    Value::Array(faults)
}
