//! The one interpreter: walks the steps of a task and asks for what has to be done.
//!
//! It is deterministic: no clock, no randomness, no store, no spawning. The same answers lead to the same calls, so a
//! run that was cut off anywhere is interpreted again from its last checkpoint and comes by the same places.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tailorbird_model::{Failure, Meaning, Name, codes};

use crate::durable::{Durable, EffectCall, EffectKind, EffectOutput, Role, RunEnd, StepPath, Wait};
use crate::limits::{MAX_CHUNKS, MAX_LATER, MAX_PASSES, MAX_REACH_TRIES, MAX_ROUNDS, REACH_PAUSE};

/// Where a run goes on: plain data, a few numbers and one small reference.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// The step, by its place in the task; the version of the task is pinned to the run.
    pub step: usize,
    /// The place in the step.
    pub place: Place,
    /// How often the run came to its last step and went back to an earlier one.
    #[serde(default)]
    pub pass: u32,
}

/// A place in a step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Nothing of it is done.
    #[default]
    Begin,
    /// Before the part of this number.
    Chunk {
        /// Its number, from 0.
        number: u32,
        /// Where it begins.
        cursor: Option<Json>,
        /// How often in a row the provider asked to come later.
        laters: u32,
    },
    /// The one record of the step has to be brought into the ledger.
    Enrol,
    /// In a round of settling and sending.
    Round(Round),
}

/// A round of settling doubts and sending.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Its number, from 0.
    pub number: u32,
    /// What comes next in it.
    pub part: Part,
    /// The batch that is sent next.
    pub batch: u32,
    /// How many it sent.
    pub sent: u64,
    /// What settling came to.
    pub settled: Settled,
    /// How often in a row the provider was not reached.
    pub tries: u32,
    /// How often the provider asked to come later.
    pub laters: u32,
}

/// The parts of a round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Doubts are settled.
    #[default]
    Settle,
    /// What is due is sent.
    Send,
    /// New doubts are settled.
    Again,
    /// What was delivered goes on to the later steps.
    Emit,
}

/// What settling doubts came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    /// How many were found not to have arrived, and will be sent.
    pub back: u64,
    /// When the others can be looked up again.
    pub wait: Option<Wait>,
}

/// Goes through a task from a position to its end.
///
/// # Errors
/// Why it does not go on; interpreted again later, it goes on from the last checkpoint.
pub async fn interpret<D: Durable>(durable: &D, steps: &[Name], from: Position) -> Result<(), RunEnd> {
    let mut position = from;
    loop {
        position = match steps.get(position.step) {
            Some(step) => match advance(durable, step, position.place).await? {
                Some(place) => Position { place, ..position },
                None => Position {
                    step: position.step + 1,
                    place: Place::Begin,
                    ..position
                },
            },
            None => match finish(durable, steps, position.pass).await? {
                Some(next) => next,
                None => return Ok(()),
            },
        };
        durable.checkpoint(&position).await?;
    }
}

/// All steps have ended. Where the run still waits for something, it waits, and goes back to an earlier step.
async fn finish<D: Durable>(durable: &D, steps: &[Name], pass: u32) -> Result<Option<Position>, RunEnd> {
    let Some(last) = steps.last() else { return Ok(None) };
    let path = StepPath::of(last).at(format_args!("end.{pass}"));
    let done = ask(durable, last, path.clone(), EffectKind::Finish, None).await?;
    let back = done.cursor.as_ref().and_then(Json::as_u64);
    let Some(step) = back
        .and_then(|step| usize::try_from(step).ok())
        .filter(|_| done.more)
    else {
        return Ok(None);
    };
    if pass >= MAX_PASSES {
        let message = format!("the run went back to an earlier step {MAX_PASSES} times and came to no end");
        return Err(RunEnd::Failed(Failure::new(
            codes::INTERNAL,
            Meaning::NotSent,
            message,
        )));
    }
    rest(durable, &path, done.wait.as_ref()).await?;
    Ok(Some(Position {
        step,
        place: Place::Begin,
        pass: pass + 1,
    }))
}

/// Does what comes next in a step; nothing is left of it where nothing is returned.
async fn advance<D: Durable>(durable: &D, step: &Name, place: Place) -> Result<Option<Place>, RunEnd> {
    match place {
        Place::Begin => {
            let begun = ask(
                durable,
                step,
                StepPath::of(step).at("begin"),
                EffectKind::Begin,
                None,
            )
            .await?;
            Ok(match begun.role {
                Role::Passive => None,
                Role::Chunks => Some(Place::Chunk {
                    number: 0,
                    cursor: None,
                    laters: 0,
                }),
                Role::Deliver { once: true } => Some(Place::Enrol),
                Role::Deliver { once: false } => Some(Place::Round(Round::default())),
            })
        }
        Place::Chunk {
            number,
            cursor,
            laters,
        } => chunk(durable, step, number, cursor, laters).await,
        Place::Enrol => {
            ask(
                durable,
                step,
                StepPath::of(step).at("enrol"),
                EffectKind::Enrol,
                None,
            )
            .await?;
            Ok(Some(Place::Round(Round::default())))
        }
        Place::Round(round) => part(durable, step, round).await,
    }
}

async fn ask<D: Durable>(
    durable: &D,
    step: &Name,
    path: StepPath,
    kind: EffectKind,
    cursor: Option<Json>,
) -> Result<EffectOutput, RunEnd> {
    let call = EffectCall {
        path,
        step: step.clone(),
        kind,
        cursor,
    };
    durable.effect(call).await
}

/// The next part of a step that is done part by part.
async fn chunk<D: Durable>(
    durable: &D,
    step: &Name,
    number: u32,
    cursor: Option<Json>,
    laters: u32,
) -> Result<Option<Place>, RunEnd> {
    if number >= MAX_CHUNKS {
        let message = format!("step `{step}` came to no end after {MAX_CHUNKS} parts");
        return Err(RunEnd::Failed(Failure::new(
            codes::INTERNAL,
            Meaning::NotSent,
            message,
        )));
    }
    let path = StepPath::of(step).at(format_args!("chunk.{number}"));
    let done = ask(durable, step, path.clone(), EffectKind::Chunk, cursor).await?;
    let laters = match done.later {
        Some(failure) if laters + 1 >= MAX_LATER => return Err(RunEnd::Attention(failure)),
        Some(_) => laters + 1,
        None => 0,
    };
    rest(durable, &path, done.wait.as_ref()).await?;
    Ok(done.more.then_some(Place::Chunk {
        number: number + 1,
        cursor: done.cursor,
        laters,
    }))
}

/// Waits for a time or a signal, where there is anything to wait for.
async fn rest<D: Durable>(durable: &D, path: &StepPath, wait: Option<&Wait>) -> Result<(), RunEnd> {
    let Some(wait) = wait else { return Ok(()) };
    match &wait.signal {
        // What was sent along is for whoever does the next part; it is kept where that looks for it.
        Some(name) => durable.signal(&path.at("signal"), name, wait).await.map(drop),
        None => durable.sleep_until(&path.at("wait"), wait).await,
    }
}

/// The next part of a round. Without a send there is no new doubt, and without anything put back nothing is left to
/// send: then the step has ended.
async fn part<D: Durable>(durable: &D, step: &Name, mut round: Round) -> Result<Option<Place>, RunEnd> {
    let path = StepPath::of(step).at(format_args!("round.{}", round.number));
    match round.part {
        Part::Settle | Part::Again => {
            let name = if round.part == Part::Settle {
                "settle"
            } else {
                "again"
            };
            let done = ask(durable, step, path.at(name), EffectKind::Settle, None).await?;
            round.settled = Settled {
                back: done.moved,
                wait: done.wait.filter(|_| done.left > 0),
            };
            round.part = if round.part == Part::Settle {
                Part::Send
            } else {
                Part::Emit
            };
        }
        Part::Send => {
            let path = path.at(format_args!("send.{}", round.batch));
            let done = ask(durable, step, path.clone(), EffectKind::Send, None).await?;
            round.sent += done.moved;
            round.batch += 1;
            if done.moved > 0 {
                round.tries = 0;
            }
            if let Some(failure) = done.unreached {
                round.tries += 1;
                if round.tries >= MAX_REACH_TRIES {
                    return Err(RunEnd::Failed(failure.hint(
                        "Nothing is lost: what was not sent stays pending. Run the task again when the provider is back.",
                    )));
                }
                let pause =
                    SignedDuration::try_from(REACH_PAUSE * 2_u32.pow(round.tries)).unwrap_or_default();
                let until = durable.now().saturating_add(pause).unwrap_or(durable.now());
                let wait = Wait::until(until, "another try to reach the provider");
                durable.sleep_until(&path.at("pause"), &wait).await?;
            }
            if let Some(failure) = done.later {
                round.laters += 1;
                if round.laters >= MAX_LATER {
                    return Err(RunEnd::Attention(failure));
                }
            }
            rest(durable, &path, done.wait.as_ref()).await?;
            if !done.more {
                round.part = Part::Again;
            }
        }
        Part::Emit => {
            ask(durable, step, path.at("emit"), EffectKind::Emit, None).await?;
            match &round.settled.wait {
                Some(wait) => durable.sleep_until(&path.at("wait"), wait).await?,
                None if round.sent == 0 && round.settled.back == 0 => return Ok(None),
                None => {}
            }
            if round.number + 1 >= MAX_ROUNDS {
                return Ok(None);
            }
            round = Round {
                number: round.number + 1,
                ..Round::default()
            };
        }
    }
    Ok(Some(Place::Round(round)))
}

#[cfg(test)]
mod tests;
