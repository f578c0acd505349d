//! The interpreter over a fake world: it may be cut off anywhere, and each effect may be done twice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use tailorbird_model::run::RunId;
use tailorbird_model::{Failure, Meaning, Name, codes};

use super::{Position, interpret};
use crate::durable::{Durable, EffectCall, EffectKind, EffectOutput, Role, RunEnd, StepPath, Wait};
use crate::limits::MAX_REACH_TRIES;

/// How many records the world has to send.
const RECORDS: u32 = 11;

/// What the outside looks like: a source of pages, a ledger, a provider that loses answers, a table.
#[derive(Debug, Clone, Default, PartialEq)]
struct Outside {
    pending: BTreeSet<u32>,
    doubt: BTreeSet<u32>,
    delivered: BTreeSet<u32>,
    written: BTreeSet<u32>,
    /// What the provider accepted; a record that stands here twice was sent twice.
    accepted: Vec<u32>,
    /// Doubts that were looked up once.
    looked: BTreeSet<u32>,
    lost: BTreeSet<u32>,
    was_limited: bool,
    unreachable: u32,
    signals: Vec<Json>,
}

#[derive(Default)]
struct World {
    outside: Outside,
    roles: BTreeMap<String, Role>,
    journal: BTreeMap<String, Json>,
    position: Position,
    waiting_position: Option<Position>,
    clock: Timestamp,
    /// Everything that was asked, answered or done.
    asked: Vec<String>,
    done: Vec<String>,
    /// The run is cut off when so many commits were made; before or after the last one.
    commits_left: Option<u32>,
    cut_before_commit: bool,
    does_twice: bool,
    keeps_all: bool,
}

#[derive(Clone)]
struct Fake(Rc<RefCell<World>>);

impl World {
    fn commit(&mut self, path: &str, answer: Json) -> Result<(), RunEnd> {
        if let Some(left) = &mut self.commits_left {
            if *left == 0 {
                return Err(RunEnd::Stopped);
            }
            *left -= 1;
            if *left == 0 && self.cut_before_commit {
                return Err(RunEnd::Stopped);
            }
        }
        if let Some(position) = self.waiting_position.take() {
            self.position = position;
            self.journal.clear();
        }
        self.journal.insert(path.to_owned(), answer);
        Ok(())
    }

    fn perform(&mut self, call: &EffectCall) -> EffectOutput {
        let outside = &mut self.outside;
        let wait = |seconds| Wait::until(self.clock + SignedDuration::from_secs(seconds), "the clock");
        let mut output = EffectOutput::default();
        match (call.step.as_str(), call.kind) {
            (step, EffectKind::Begin) => output.role = self.roles[step],
            // Pages of four; the provider wants to be asked later once, at the second.
            ("rows", EffectKind::Chunk) => {
                let page = call.cursor.as_ref().map_or(0, |cursor| cursor.as_u64().unwrap());
                let page = u32::try_from(page).unwrap();
                if page == 1 && !outside.was_limited {
                    outside.was_limited = true;
                    output.wait = Some(wait(900));
                    output.later = Some(failure());
                    output.cursor = Some(json!(page));
                    output.more = true;
                    return output;
                }
                for record in (page * 4..(page + 1) * 4).filter(|record| *record < RECORDS) {
                    let is_known = outside.delivered.contains(&record) || outside.doubt.contains(&record);
                    if !is_known {
                        outside.pending.insert(record);
                    }
                }
                output.more = (page + 1) * 4 < RECORDS;
                output.cursor = Some(json!(page + 1));
                output.counts.read = 4;
            }
            ("pause", EffectKind::Chunk) => {
                output.more = call.cursor.is_none();
                output.cursor = Some(json!("waited"));
                output.wait = output.more.then(|| wait(600));
            }
            ("release", EffectKind::Chunk) => {
                output.more = outside.signals.is_empty();
                output.wait = output.more.then(|| Wait {
                    signal: Some("released".to_owned()),
                    ..wait(60)
                });
            }
            (_, EffectKind::Enrol) => {
                if !outside.delivered.contains(&0) {
                    outside.pending.insert(0);
                }
            }
            // Three at a time; the answer of every fourth record is lost.
            (_, EffectKind::Send) => {
                if outside.unreachable > 0 {
                    outside.unreachable -= 1;
                    output.unreached = Some(failure());
                    output.more = true;
                    return output;
                }
                let due: Vec<u32> = outside.pending.iter().copied().take(3).collect();
                for record in &due {
                    outside.pending.remove(record);
                    let is_lost = record % 4 == 3 && outside.lost.insert(*record);
                    // Some lost ones had arrived, some had not.
                    if !is_lost || record % 8 == 3 {
                        outside.accepted.push(*record);
                    }
                    if is_lost {
                        outside.doubt.insert(*record);
                    } else {
                        outside.delivered.insert(*record);
                    }
                }
                output.moved = u64::try_from(due.len()).unwrap();
                output.more = !due.is_empty();
            }
            // Found at once; not found: looked up a second time.
            (_, EffectKind::Settle) => {
                for record in outside.doubt.clone() {
                    if outside.accepted.contains(&record) {
                        outside.doubt.remove(&record);
                        outside.delivered.insert(record);
                    } else if outside.looked.insert(record) {
                        output.left += 1;
                        output.wait = Some(wait(30));
                    } else {
                        outside.doubt.remove(&record);
                        outside.pending.insert(record);
                        output.moved += 1;
                    }
                }
            }
            // One more record comes when a person lets it go; then sending goes on at the fourth step.
            (_, EffectKind::Finish) => {
                output.more = outside.signals.len() < 2;
                output.cursor = Some(json!(3));
                output.wait = output.more.then(|| Wait {
                    signal: Some("late".to_owned()),
                    ..wait(60)
                });
            }
            (_, EffectKind::Emit) => outside.written.extend(outside.delivered.iter().copied()),
            (step, kind) => panic!("{kind:?} of {step}"),
        }
        output
    }
}

impl Durable for Fake {
    fn run_id(&self) -> RunId {
        RunId("run".to_owned())
    }

    fn now(&self) -> Timestamp {
        self.0.borrow().clock
    }

    async fn effect(&self, call: EffectCall) -> Result<EffectOutput, RunEnd> {
        let mut world = self.0.borrow_mut();
        let path = call.path.as_str().to_owned();
        world.asked.push(path.clone());
        if let Some(known) = world.journal.get(&path) {
            return Ok(serde_json::from_value(known.clone()).unwrap());
        }
        if world.does_twice {
            world.perform(&call);
        }
        let output = world.perform(&call);
        world.done.push(path.clone());
        world.commit(&path, serde_json::to_value(&output).unwrap())?;
        Ok(output)
    }

    async fn sleep_until(&self, path: &StepPath, wait: &Wait) -> Result<(), RunEnd> {
        let mut world = self.0.borrow_mut();
        world.asked.push(path.as_str().to_owned());
        if !world.journal.contains_key(path.as_str()) {
            world.commit(path.as_str(), json!(wait.until))?;
        }
        let until: Timestamp = serde_json::from_value(world.journal[path.as_str()].clone()).unwrap();
        world.clock = world.clock.max(until);
        Ok(())
    }

    async fn signal(&self, path: &StepPath, name: &str, _: &Wait) -> Result<Option<Json>, RunEnd> {
        let mut world = self.0.borrow_mut();
        world.asked.push(path.as_str().to_owned());
        if !world.journal.contains_key(path.as_str()) {
            world.commit(path.as_str(), json!(name))?;
            world.outside.signals.push(json!(name));
            if name == "late" {
                world.outside.pending.insert(RECORDS);
            }
        }
        Ok(Some(world.journal[path.as_str()].clone()))
    }

    async fn checkpoint(&self, position: &Position) -> Result<(), RunEnd> {
        let mut world = self.0.borrow_mut();
        if !world.keeps_all {
            world.waiting_position = Some(position.clone());
        }
        Ok(())
    }
}

fn failure() -> Failure {
    Failure::new(codes::PROVIDER_UNREACHABLE, Meaning::NotSent, "no")
}

const STEPS: [(&str, Role); 5] = [
    ("rows", Role::Chunks),
    ("pause", Role::Chunks),
    ("release", Role::Chunks),
    ("post", Role::Deliver { once: false }),
    ("copy", Role::Passive),
];

fn steps() -> Vec<Name> {
    STEPS.iter().map(|(step, _)| step.parse().unwrap()).collect()
}

fn world() -> World {
    World {
        roles: STEPS
            .iter()
            .map(|(step, role)| ((*step).to_owned(), *role))
            .collect(),
        ..World::default()
    }
}

/// Interprets from the last checkpoint, as a new process would: what was not committed is forgotten.
async fn go_on(world: World) -> (World, Result<(), RunEnd>) {
    let from = world.position.clone();
    let world = World {
        waiting_position: None,
        asked: Vec::new(),
        ..world
    };
    let fake = Fake(Rc::new(RefCell::new(world)));
    let ended = interpret(&fake, &steps(), from).await;
    (Rc::into_inner(fake.0).unwrap().into_inner(), ended)
}

fn is_right(outside: &Outside) {
    let all: BTreeSet<u32> = (0..=RECORDS).collect();
    assert_eq!(outside.written, all, "nothing is lost");
    let mut accepted = outside.accepted.clone();
    accepted.sort_unstable();
    assert_eq!(accepted, Vec::from_iter(all), "nothing is sent twice");
    assert!(outside.pending.is_empty() && outside.doubt.is_empty());
}

#[tokio::test]
async fn a_run_goes_through_steps_of_every_kind() {
    let (world, ended) = go_on(world()).await;
    ended.unwrap();
    is_right(&world.outside);
    assert_eq!(
        world.done[..4],
        ["rows/begin", "rows/chunk.0", "rows/chunk.1", "rows/chunk.2"]
    );
    let waited = [
        "rows/chunk.1/wait",
        "pause/chunk.0/wait",
        "release/chunk.0/signal",
        "post/round.0/wait",
    ];
    assert!(
        world.done.iter().filter(|path| *path == "post/begin").count() == 2,
        "it went back once"
    );
    for path in waited {
        assert!(
            world.asked.iter().any(|asked| asked == path),
            "{path}: {:?}",
            world.asked
        );
    }
    assert!(
        world.journal.len() < 3,
        "a checkpoint lets go of what came before"
    );
}

#[tokio::test]
async fn cut_off_after_any_commit_it_ends_in_the_same_state() {
    let (whole, ended) = go_on(world()).await;
    ended.unwrap();
    for cut_before_commit in [false, true] {
        for at in 1.. {
            let (mut cut, ended) = go_on(World {
                commits_left: Some(at),
                cut_before_commit,
                ..world()
            })
            .await;
            if ended.is_ok() {
                assert!(at > 20, "it was cut off {at} times");
                break;
            }
            cut.commits_left = None;
            let (mended, ended) = go_on(cut).await;
            ended.unwrap();
            is_right(&mended.outside);
            assert_eq!(mended.outside.written, whole.outside.written);
        }
    }
}

#[tokio::test]
async fn cut_off_after_every_commit_it_comes_to_its_end() {
    let mut world = world();
    for _ in 0..200 {
        world.commits_left = Some(1);
        let (next, ended) = go_on(world).await;
        world = next;
        if ended.is_ok() {
            is_right(&world.outside);
            return;
        }
    }
    panic!("it came to no end: {:?}", world.position);
}

#[tokio::test]
async fn each_effect_may_be_done_twice() {
    let (world, ended) = go_on(World {
        does_twice: true,
        ..world()
    })
    .await;
    ended.unwrap();
    is_right(&world.outside);
}

#[tokio::test]
async fn the_same_answers_lead_to_the_same_calls() {
    let (first, ended) = go_on(World {
        keeps_all: true,
        ..world()
    })
    .await;
    ended.unwrap();
    let (calls, done) = (first.asked.clone(), first.done.len());
    // Everything is answered from the journal: nothing is done again.
    let (again, ended) = go_on(first).await;
    ended.unwrap();
    assert_eq!(again.asked, calls);
    assert_eq!(again.done.len(), done);
}

#[tokio::test]
async fn a_provider_that_is_not_reached_is_tried_a_few_times() {
    let unreachable = |times| {
        let mut world = world();
        world.outside.unreachable = times;
        go_on(world)
    };
    let (world, ended) = unreachable(MAX_REACH_TRIES - 1).await;
    ended.unwrap();
    is_right(&world.outside);
    let (world, ended) = unreachable(MAX_REACH_TRIES).await;
    let Err(RunEnd::Failed(failure)) = ended else {
        panic!("{ended:?}")
    };
    assert!(failure.hint.contains("stays pending"), "{failure:?}");
    assert!(world.outside.accepted.is_empty());
}

#[tokio::test]
async fn a_call_without_a_source_sends_its_one_record() {
    let mut world = world();
    world
        .roles
        .insert("post".to_owned(), Role::Deliver { once: true });
    world.roles.insert("rows".to_owned(), Role::Passive);
    let (world, ended) = go_on(world).await;
    ended.unwrap();
    assert_eq!(world.outside.accepted, [0, RECORDS]);
    assert!(world.done.iter().any(|path| path == "post/enrol"));
}
