//! What came of it all: the sandbox's own count and the tables, compared with what was fed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::scene::{BY_HAND, Scene, name_of};
use super::turn::{End, How};

/// How often the program is started until nothing is left to do.
const STARTS_MAX: usize = 6;

/// Tasks whose runs post once each, under a name of their own, and the word that it begins with.
const OF_RUNS: [(&str, &str); 2] = [("pause", "Pause"), ("tick", "Tick")];

/// What came of a scene.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Posts that the sandbox accepted.
    pub(crate) accepted: usize,
    /// Names of posts that it accepted more than once.
    pub(crate) twice: BTreeSet<String>,
    /// What was fed and never accepted.
    pub(crate) lost: BTreeSet<String>,
    /// What else does not fit, in words.
    pub(crate) wrong: Vec<String>,
}

impl Verdict {
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = self.wrong.clone();
        if !self.twice.is_empty() {
            problems.push(format!("accepted more than once: {:?}", self.twice));
        }
        if !self.lost.is_empty() {
            problems.push(format!("never accepted: {:?}", self.lost));
        }
        problems
    }
}

impl Scene {
    /// Lets the program do what is left, undisturbed, and compares.
    pub(crate) fn verdict(&mut self) -> Verdict {
        let mut verdict = Verdict::default();
        self.sandbox.faults(&Value::Array(Vec::new()));
        self.people.cuts(false);
        for starts in 1.. {
            self.turn(How::Serve, &End::AtRest);
            // What was decided, what a cursor left to the next run, and the listing of all that was posted since.
            let refusals = self.run_all();
            if self.is_done() && refusals.is_empty() {
                break;
            }
            if starts == STARTS_MAX {
                verdict.wrong.extend(refusals);
                verdict.wrong.push(self.restless());
                break;
            }
        }
        self.compare_posts(&mut verdict);
        self.compare_people(&mut verdict);
        self.compare_tables(&mut verdict);
        self.compare_runs(&mut verdict);
        let verified = self.home.run(&["delivery", "verify"]);
        if verified.code != 0 {
            verdict
                .wrong
                .push(format!("delivery verify: {}", verified.stdout));
        }
        verdict
    }

    /// Runs every task by hand; tells which do not end well.
    fn run_all(&self) -> Vec<String> {
        let mut refusals = Vec::new();
        // The called one first: it may have something to send still, and the listing of all posts comes last.
        for task in ["brief", "one"].into_iter().chain(BY_HAND) {
            let ended = self.command(&["task", "run", task]).output().unwrap();
            // What expired was not released, and is told as rejected.
            let is_well = ended.status.success() || (task == "brief" && ended.status.code() == Some(3));
            if !is_well {
                let said = String::from_utf8_lossy(&ended.stderr);
                refusals.push(format!("task run {task}: {}: {said}", ended.status));
            }
        }
        refusals
    }

    /// Why it is not done.
    fn restless(&self) -> String {
        let runs = self.list(&["run", "list", "--limit", "1000"]);
        let open: Vec<String> = runs
            .iter()
            .filter(|run| run["state"] != "succeeded")
            .map(|run| {
                format!(
                    "{} {} {} {}",
                    run["id"], run["task"], run["state"], run["failure"]["message"]
                )
            })
            .collect();
        let left: Vec<String> = ["pending", "sending", "in_doubt", "rejected"]
            .iter()
            .flat_map(|state| self.deliveries(state).into_values().flatten())
            .map(|delivery| {
                format!(
                    "{} {} {} {}",
                    delivery["task"], delivery["key"], delivery["state"], delivery["failure"]["message"]
                )
            })
            .collect();
        format!(
            "something is left to do: taken in: {}, runs {open:#?}, deliveries {left:#?}",
            self.is_taken_in()
        )
    }

    fn compare_posts(&self, verdict: &mut Verdict) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for post in self.sandbox.posts() {
            verdict.accepted += 1;
            *counts.entry(name_of(&post.text).to_owned()).or_default() += 1;
        }
        verdict.twice = counts
            .iter()
            .filter(|(_, count)| **count > 1)
            .map(|(name, _)| name.clone())
            .collect();
        verdict.lost = self
            .fed
            .iter()
            .filter(|name| !counts.contains_key(*name))
            .cloned()
            .collect();
        for name in counts.keys() {
            let is_of_a_run = OF_RUNS
                .iter()
                .any(|(_, first)| name.starts_with(&format!("{first} run-")));
            if !self.fed.contains(name) && !is_of_a_run {
                verdict
                    .wrong
                    .push(format!("{name:?} was posted, and nobody asked for it"));
            }
        }
        let refused = self.sandbox.count()["refused_duplicates"].as_u64().unwrap();
        if refused != 0 {
            verdict
                .wrong
                .push(format!("{refused} duplicates were refused, and the rule was off"));
        }
        let delivered = self.deliveries("delivered").into_iter();
        let delivered = delivered.filter(|(connection, _)| connection != "lists");
        let delivered = delivered.flat_map(|(_, list)| list).count();
        if delivered != counts.len() {
            verdict.wrong.push(format!(
                "{delivered} are delivered, and {} names were posted",
                counts.len()
            ));
        }
    }

    /// Each customer was put on the list once, and is written back with the number that it has there.
    fn compare_people(&self, verdict: &mut Verdict) {
        let taken = self.people.taken();
        let asked: BTreeSet<String> = self
            .pairs("erp", "select customer, customer from orders")
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let twice = taken.iter().filter(|(_, count)| **count > 1);
        verdict.twice.extend(twice.map(|(name, _)| name.clone()));
        verdict
            .lost
            .extend(asked.iter().filter(|name| !taken.contains_key(*name)).cloned());
        let written = self.pairs("crm", "select name, number from people");
        let names: BTreeSet<String> = written.iter().map(|(name, _)| name.clone()).collect();
        if names != asked || written.iter().any(|(_, number)| number.is_none()) {
            verdict.wrong.push(format!(
                "people were asked for: {asked:?}; and written back: {written:?}"
            ));
        }
    }

    /// The tables are as an undisturbed run leaves them.
    fn compare_tables(&self, verdict: &mut Verdict) {
        let posted: BTreeMap<String, String> = self
            .sandbox
            .posts()
            .into_iter()
            .map(|post| (name_of(&post.text).to_owned(), post.id))
            .collect();
        let mut written: BTreeMap<String, Option<String>> = BTreeMap::new();
        for database in ["erp", "crm"] {
            let found = self.pairs(database, "select name, post_id from posted");
            for (name, id) in found {
                if written.insert(name.clone(), id).is_some() {
                    verdict
                        .wrong
                        .push(format!("{name} was written back in two places"));
                }
            }
        }
        let names: BTreeSet<String> = written.keys().cloned().collect();
        if names != self.fed {
            let off: Vec<_> = names.symmetric_difference(&self.fed).collect();
            verdict
                .wrong
                .push(format!("written back and fed differ: {off:?}"));
        }
        for (name, id) in written {
            // An answer that nobody could read leaves no id where doubts are asked about.
            if id.is_some() && id.as_ref() != posted.get(&name) {
                verdict.wrong.push(format!(
                    "{name}: written back as {id:?}, posted as {:?}",
                    posted.get(&name)
                ));
            }
        }
        let called: BTreeSet<(String, Option<String>)> = self
            .pairs("crm", "select name, state from called")
            .into_iter()
            .collect();
        let expected: BTreeSet<(String, Option<String>)> = self
            .fed
            .iter()
            .filter(|name| name.starts_with("One "))
            .map(|name| (name.clone(), Some("succeeded".to_owned())))
            .collect();
        if called != expected {
            let off: Vec<_> = called.symmetric_difference(&expected).collect();
            verdict.wrong.push(format!("called and fed differ: {off:?}"));
        }
        let own: BTreeSet<String> = self
            .pairs("crm", "select id, id from own")
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        let ids: BTreeSet<String> = self.sandbox.posts().into_iter().map(|post| post.id).collect();
        let texts: BTreeMap<String, Option<String>> = self
            .pairs("crm", "select id, text from texts")
            .into_iter()
            .collect();
        if texts.keys().ne(&ids) {
            let known: BTreeSet<String> = texts.keys().cloned().collect();
            let off: Vec<_> = known.symmetric_difference(&ids).collect();
            verdict
                .wrong
                .push(format!("read in batches and posted differ: {off:?}"));
        }
        if own != ids {
            let off: Vec<_> = own.symmetric_difference(&ids).collect();
            verdict.wrong.push(format!("listed and posted differ: {off:?}"));
        }
    }

    /// Each pause and tick that came to its end posted, and each time of the schedule fired once; what nobody released
    /// has expired.
    fn compare_runs(&self, verdict: &mut Verdict) {
        let of = |task: &str| self.list(&["run", "list", "--limit", "10000", "--task", task]);
        let posts: BTreeSet<String> = self
            .sandbox
            .posts()
            .into_iter()
            .map(|post| name_of(&post.text).to_owned())
            .collect();
        for (task, first) in OF_RUNS {
            for run in of(task) {
                let name = format!("{first} {}", run["id"].as_str().unwrap());
                if run["state"] == "succeeded" && !posts.contains(&name) {
                    verdict.wrong.push(format!("{name} was never accepted"));
                }
            }
        }
        let number = |sql: &str| -> u32 { self.store().query_row(sql, [], |row| row.get(0)).unwrap() };
        let (fired, runs) = (
            number("select count(*) from firing where task = 'tick' and verdict = 'fired'"),
            number("select count(*) from run_input where task = 'tick' and cause = 'schedule'"),
        );
        if fired != runs {
            verdict.wrong.push(format!(
                "{fired} times fired, and {runs} runs were opened for them"
            ));
        }
        let standing = number("select count(*) from approval where task = 'brief' and state <> 'expired'");
        if standing != 0 {
            verdict.wrong.push(format!(
                "{standing} questions that nobody decides have not expired"
            ));
        }
    }

    fn pairs(&self, database: &str, sql: &str) -> Vec<(String, Option<String>)> {
        let database = self.database(database);
        let mut statement = database.prepare(sql).unwrap();
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        rows.map(Result::unwrap).collect()
    }
}
