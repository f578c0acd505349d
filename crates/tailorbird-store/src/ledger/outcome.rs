//! How an outcome is stored: the delivery's next state, its last attempt, its answer (rules 3, 6, 13).
//!
//! A delivery's row says how its last attempt ended. Before anything else comes to it, that goes to the table
//! `attempt` ([`put_aside`]); most deliveries have one attempt and no row there.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use tailorbird_model::Record;
use tailorbird_model::delivery::{DeliveryId, DeliveryState, Event, next_state};
use tailorbird_model::run::RunId;

use super::Outcome;
use super::rows;
use crate::StoreError;
use crate::codec::{micros, to_json};
use crate::error::RefusalReason;
use crate::writer::Writing;

/// Where a delivery stands before an event.
pub(super) struct Current {
    pub(super) state: DeliveryState,
    pub(super) attempts: u32,
    pub(super) run: String,
    pub(super) attempted_at: Option<i64>,
}

impl Current {
    pub(super) fn find(db: &Connection, id: DeliveryId) -> Result<Option<Self>, StoreError> {
        let found = db
            .prepare_cached("SELECT state, attempts, run, attempted_at FROM delivery WHERE id = ?1")?
            .query_row([id.0], |row| {
                let current = Self {
                    state: DeliveryState::Pending,
                    attempts: row.get(1)?,
                    run: row.get(2)?,
                    attempted_at: row.get(3)?,
                };
                Ok((row.get::<_, String>(0)?, current))
            })
            .optional()?;
        found
            .map(|(word, current)| {
                Ok(Self {
                    state: rows::state(&word)?,
                    ..current
                })
            })
            .transpose()
    }
}

/// Stores how an attempt ended that this process made for a run. One that is not on its way (any more) is told apart by
/// [`record_one`]; what the wire answers takes one statement less here.
pub(super) fn record_sent(
    writing: &mut Writing<'_>,
    outcome: &Outcome,
    run: &RunId,
) -> Result<Result<(), RefusalReason>, StoreError> {
    if is_reported(outcome.event)
        && let Some(next) = next_state(DeliveryState::Sending, outcome.event)
        && end_attempt(writing, outcome, next)?
    {
        writing.count(&run.0, Some(DeliveryState::Sending), next);
        return Ok(Ok(()));
    }
    record_one(writing, outcome)
}

/// Applies one outcome. The inner error says why it was not applied; the outer one ends the transaction.
pub(super) fn record_one(
    writing: &mut Writing<'_>,
    outcome: &Outcome,
) -> Result<Result<(), RefusalReason>, StoreError> {
    if !is_reported(outcome.event) {
        return Ok(Err(RefusalReason::Event));
    }
    let Some(current) = Current::find(writing.connection, outcome.id)? else {
        return Ok(Err(RefusalReason::Unknown));
    };
    if current.attempts != outcome.attempt {
        return Ok(Err(RefusalReason::Attempt {
            given: outcome.attempt,
            stored: current.attempts,
        }));
    }
    let Some(next) = next_state(current.state, outcome.event) else {
        return Ok(Err(RefusalReason::State(current.state)));
    };
    if current.state == DeliveryState::Sending {
        end_attempt(writing, outcome, next)?;
    } else {
        settle_doubt(writing, outcome, &current, next)?;
    }
    writing.count(&current.run, Some(current.state), next);
    Ok(Ok(()))
}

/// Events that an outcome may report; the others are people's, and the ledger's own.
fn is_reported(event: Event) -> bool {
    matches!(
        event,
        Event::Accepted
            | Event::Refused
            | Event::NotSent
            | Event::Lost
            | Event::FoundByLookUp
            | Event::AbsentByLookUp
    )
}

pub(super) const END_ATTEMPT: &str =
    "UPDATE OR FAIL delivery SET state = ?3, result_id = ?4, delivered_at = ?5, not_before = ?6, settled = ?7,
            updated_at = ?8, ended_at = ?8, event = ?9, status = ?10
     WHERE id = ?1 AND state = 'sending' AND attempts = ?2";

/// Ends the attempt that is on its way; tells whether it was.
fn end_attempt(
    writing: &mut Writing<'_>,
    outcome: &Outcome,
    next: DeliveryState,
) -> Result<bool, StoreError> {
    let delivered = next == DeliveryState::Delivered;
    let now = writing.now.as_microsecond();
    let delivered_at = delivered.then(|| outcome.delivered_at.map_or(now, Timestamp::as_microsecond));
    let changed = writing.connection.prepare_cached(END_ATTEMPT)?.execute((
        outcome.id.0,
        outcome.attempt,
        next.as_str(),
        result_id(outcome, delivered),
        delivered_at,
        not_before(outcome, next),
        delivered && outcome.settled,
        now,
        event_word(outcome.event)?,
        outcome.status,
    ))?;
    if changed == 0 {
        return Ok(false);
    }
    store_answer(writing, outcome)?;
    Ok(true)
}

/// Applies what a look-up found about a doubt, or why a delivery that waits cannot be sent at all.
fn settle_doubt(
    writing: &mut Writing<'_>,
    outcome: &Outcome,
    current: &Current,
    next: DeliveryState,
) -> Result<(), StoreError> {
    let delivered = next == DeliveryState::Delivered;
    let now = writing.now.as_microsecond();
    let delivered_at = delivered.then(|| match outcome.delivered_at {
        Some(at) => at.as_microsecond(),
        // What a look-up finds was accepted when it was sent, however late it is found.
        None => current.attempted_at.unwrap_or(now),
    });
    put_aside(writing.connection, outcome.id.0)?;
    writing
        .connection
        .prepare_cached(
            "UPDATE OR FAIL delivery SET state = ?2, result_id = ?3, delivered_at = ?4, not_before = ?5, settled = ?6,
                    updated_at = ?7 WHERE id = ?1",
        )?
        .execute((
            outcome.id.0,
            next.as_str(),
            result_id(outcome, delivered),
            delivered_at,
            not_before(outcome, next),
            delivered && outcome.settled,
            now,
        ))?;
    store_answer(writing, outcome)
}

fn store_answer(writing: &mut Writing<'_>, outcome: &Outcome) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached("UPDATE OR FAIL delivery_content SET result = ?2, failure = ?3 WHERE delivery = ?1")?
        .execute((
            outcome.id.0,
            outcome
                .result
                .as_ref()
                .map(|result| to_json("result", result))
                .transpose()?,
            outcome
                .failure
                .as_ref()
                .map(|failure| to_json("failure", failure))
                .transpose()?,
        ))?;
    writing.touch(outcome.id.0);
    Ok(())
}

/// Keeps how the last attempt of a delivery ended, before what the delivery's row says of it changes.
pub(crate) fn put_aside(db: &Connection, delivery: i64) -> Result<(), StoreError> {
    let kept = db
        .prepare_cached(
            "INSERT INTO attempt (delivery, number, run, epoch, intended_at, ended_at, event, status, failure)
             SELECT d.id, d.attempts, d.run, coalesce(d.epoch, ''), coalesce(d.attempted_at, 0), d.ended_at, d.event,
                    d.status, c.failure
             FROM delivery d LEFT JOIN delivery_content c ON c.delivery = d.id
             WHERE d.id = ?1 AND d.event IS NOT NULL",
        )?
        .execute([delivery])?;
    if kept > 0 {
        db.prepare_cached("UPDATE delivery SET ended_at = NULL, event = NULL, status = NULL WHERE id = ?1")?
            .execute([delivery])?;
    }
    Ok(())
}

fn result_id(outcome: &Outcome, delivered: bool) -> Option<String> {
    outcome
        .result_id
        .clone()
        .or_else(|| outcome.result.as_ref().and_then(result_id_of))
        .filter(|_| delivered)
}

fn not_before(outcome: &Outcome, next: DeliveryState) -> Option<i64> {
    micros(outcome.not_before.filter(|_| next == DeliveryState::Pending))
}

/// The id that a provider gave, from the result's column `id`.
pub(super) fn result_id_of(result: &Record) -> Option<String> {
    result
        .get("id")
        .filter(|value| !value.is_null())
        .map(ToString::to_string)
}

/// An event as the word that is stored.
fn event_word(event: Event) -> Result<String, StoreError> {
    to_json("event", &event).map(|text| text.trim_matches('"').to_owned())
}
