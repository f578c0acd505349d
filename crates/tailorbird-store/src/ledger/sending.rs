//! Intent, the check right before the send, outcome, and recovery after a crash (rules 3 to 6, 9, 13).

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use tailorbird_model::delivery::{Delivery, DeliveryId, DeliveryState, Event, next_state};
use tailorbird_model::run::RunId;
use tailorbird_model::{Failure, Meaning, Record, codes};

use super::rows::{self, deliveries};
use super::{Intended, Lane, LookUp, Outcome, check_batch};
use crate::codec::{micros, to_json};
use crate::error::{RefusalReason, RefusedTransition};
use crate::lock::{DriveLock, Epoch};
use crate::writer::Writing;
use crate::{Store, StoreError};

impl Store {
    /// Makes the intent to send durable, for those that are pending and due; the others are left out.
    ///
    /// When this returns, a crash turns exactly the returned ones into doubt: so name no more than are sent
    /// at once (rule 4), and wait for limits and fresh tokens before (rule 5).
    ///
    /// # Errors
    /// Where the database refuses; then nothing may be sent.
    pub async fn intend(
        &self,
        ids: Vec<DeliveryId>,
        run: &RunId,
        epoch: &Epoch,
    ) -> Result<Vec<Intended>, StoreError> {
        check_batch("intents", ids.len())?;
        let (run, epoch) = (run.clone(), epoch.clone());
        self.write(move |writing| {
            let mut intended = Vec::with_capacity(ids.len());
            for id in ids {
                intended.extend(intend_one(writing, id, &run, &epoch)?);
            }
            Ok(intended)
        })
        .await
    }

    /// Tells, right before the bytes leave, whether this attempt is still the one to send (rule 13).
    ///
    /// # Errors
    /// Where the database cannot be read; then it may not be sent.
    pub fn may_send(&self, intended: Intended, epoch: &Epoch) -> Result<bool, StoreError> {
        self.read(|db| {
            let found = db
                .prepare_cached(
                    "SELECT 1 FROM delivery WHERE id = ?1 AND state = 'sending' AND attempts = ?2 AND epoch = ?3",
                )?
                .exists((intended.id.0, intended.attempt, epoch.as_str()))?;
            Ok(found)
        })
    }

    /// Stores how attempts ended, and how doubts were settled by look-up.
    ///
    /// # Errors
    /// [`StoreError::Transition`] names the outcomes that do not fit the state or belong to an old attempt;
    /// the others are stored all the same, because a lost outcome is a doubt. Any other error means that
    /// nothing was stored: stop sending and try again (rule 6).
    pub async fn record(&self, outcomes: Vec<Outcome>) -> Result<(), StoreError> {
        check_batch("outcomes", outcomes.len())?;
        let refused = self
            .write_often(move |writing| {
                writing.at("ledger.outcome");
                let mut refused = Vec::new();
                for outcome in &outcomes {
                    if let Err(reason) = record_one(writing, outcome)? {
                        refused.push(RefusedTransition {
                            id: outcome.id,
                            event: outcome.event,
                            reason,
                        });
                    }
                }
                Ok(refused)
            })
            .await?;
        if refused.is_empty() {
            Ok(())
        } else {
            Err(StoreError::Transition { refused })
        }
    }

    /// Lets deliveries of a lane go now that are put off beyond `latest`: no provider asks for that, so the clock was
    /// ahead when it was noted. Tells how many.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn undo_put_off(&self, lane: &Lane, latest: Timestamp) -> Result<usize, StoreError> {
        let lane = lane.clone();
        self.write(move |writing| {
            let Some(lane) = rows::find_lane(writing.connection, &lane)? else {
                return Ok(0);
            };
            let ids: Vec<i64> = writing
                .connection
                .prepare_cached(
                    "UPDATE delivery SET not_before = NULL, updated_at = ?3
                     WHERE lane = ?1 AND state = 'pending' AND not_before > ?2 RETURNING id",
                )?
                .query_map(
                    (lane, latest.as_microsecond(), writing.now.as_microsecond()),
                    |row| row.get(0),
                )?
                .collect::<Result<_, _>>()?;
            for id in &ids {
                writing.touch(*id);
            }
            Ok(ids.len())
        })
        .await
    }

    /// Turns what dead processes were sending into doubt and returns it. The lock proves that they are dead.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn recover(&self, lock: &DriveLock) -> Result<Vec<Delivery>, StoreError> {
        // What was pending when an older ledger came back may have been sent since (rule 20).
        self.doubt_restored().await?;
        let epoch = lock.epoch().clone();
        self.write(move |writing| {
            let dead: Vec<(DeliveryId, u32)> = writing
                .connection
                .prepare(SELECT_DEAD)?
                .query_map([epoch.as_str()], |row| Ok((DeliveryId(row.get(0)?), row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            if !dead.is_empty() {
                writing.at("ledger.recovered");
            }
            let mut doubtful = Vec::with_capacity(dead.len());
            for (id, attempt) in dead {
                let outcome = Outcome::failed(Intended { id, attempt }, Event::Lost, interrupted());
                // The state was read in this very transaction, so nothing can be refused here.
                if record_one(writing, &outcome)?.is_ok() {
                    doubtful.extend(deliveries(writing.connection, "WHERE d.id = ?1", [id.0])?);
                }
            }
            Ok(doubtful)
        })
        .await
    }

    /// Adds the result to a delivery that was accepted with an answer nobody could read (rule 9).
    ///
    /// # Errors
    /// [`StoreError::Transition`] where it is not delivered or has a result already.
    pub async fn complete_result(&self, id: DeliveryId, result: Record) -> Result<(), StoreError> {
        self.write(move |writing| {
            writing.at("ledger.result");
            let db = writing.connection;
            let text = to_json("result", &result)?;
            let changed = db.execute(
                "UPDATE delivery_content SET result = ?2 WHERE delivery = ?1 AND result IS NULL
                 AND EXISTS (SELECT 1 FROM delivery WHERE id = ?1 AND state = 'delivered')",
                (id.0, text),
            )?;
            if changed == 0 {
                let reason = match Current::find(db, id)? {
                    Some(current) => RefusalReason::State(current.state),
                    None => RefusalReason::Unknown,
                };
                let refused = vec![RefusedTransition {
                    id,
                    event: Event::FoundByLookUp,
                    reason,
                }];
                return Err(StoreError::Transition { refused });
            }
            db.execute(
                "UPDATE delivery SET result_id = ?2, updated_at = ?3 WHERE id = ?1",
                (id.0, result_id_of(&result), writing.now.as_microsecond()),
            )?;
            writing.touch(id.0);
            Ok(())
        })
        .await
    }

    /// Marks deliveries as taken up by the later steps (rule 17).
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn settle(&self, ids: Vec<DeliveryId>) -> Result<(), StoreError> {
        check_batch("deliveries", ids.len())?;
        self.write_often(move |writing| {
            writing.at("ledger.settled");
            for id in &ids {
                writing
                    .connection
                    .prepare_cached(
                        "UPDATE OR FAIL delivery SET settled = 1 WHERE id = ?1 AND state = 'delivered'",
                    )?
                    .execute([id.0])?;
            }
            Ok(())
        })
        .await
    }

    /// Keeps what a look-up found, as evidence.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn note_look_up(&self, look_up: LookUp) -> Result<(), StoreError> {
        self.write(move |writing| {
            writing.at("ledger.looked_up");
            writing.connection.execute(
                "INSERT INTO look_up (delivery, attempt, at, hits, decision, result_id, detail)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                (
                    look_up.id.0,
                    look_up.attempt,
                    look_up.at.as_microsecond(),
                    look_up.hits,
                    &look_up.decision,
                    &look_up.result_id,
                    &look_up.detail,
                ),
            )?;
            Ok(())
        })
        .await
    }
}

/// What other epochs were sending. The index is named, because the planner prefers to go through all deliveries in the
/// order that is asked for: a second and more where there are a million.
const SELECT_DEAD: &str = "SELECT id, attempts FROM delivery INDEXED BY delivery_sending
    WHERE state = 'sending' AND epoch <> ?1 ORDER BY id";

/// Writes the intent for a delivery that is pending and due; nothing where it is not.
pub(super) fn intend_one(
    writing: &mut Writing<'_>,
    id: DeliveryId,
    run: &RunId,
    epoch: &Epoch,
) -> Result<Option<Intended>, StoreError> {
    let now = writing.now.as_microsecond();
    let db = writing.connection;
    // Two statements: one with RETURNING keeps its rows in a table that it makes and drops, which takes longer.
    let attempts: Option<u32> = db
        .prepare_cached(
            "SELECT attempts FROM delivery
             WHERE id = ?1 AND state = 'pending' AND (not_before IS NULL OR not_before <= ?2)",
        )?
        .query_row((id.0, now), |row| row.get(0))
        .optional()?;
    let Some(attempt) = attempts.map(|attempts| attempts.saturating_add(1)) else {
        return Ok(None);
    };
    db.prepare_cached(
        "UPDATE OR FAIL delivery SET state = 'sending', attempts = ?5, run = ?2, epoch = ?3, attempted_at = ?4,
                not_before = NULL, updated_at = ?4 WHERE id = ?1",
    )?
    .execute((id.0, &run.0, epoch.as_str(), now, attempt))?;
    writing.at("ledger.intent");
    writing.touch(id.0);
    Ok(Some(Intended { id, attempt }))
}

/// Where a delivery stands before an event.
pub(super) struct Current {
    pub(super) state: DeliveryState,
    pub(super) attempts: u32,
    run: String,
    epoch: Option<String>,
    pub(super) attempted_at: Option<i64>,
}

impl Current {
    pub(super) fn find(db: &Connection, id: DeliveryId) -> Result<Option<Self>, StoreError> {
        let found = db
            .prepare_cached("SELECT state, attempts, run, epoch, attempted_at FROM delivery WHERE id = ?1")?
            .query_row([id.0], |row| {
                let current = Self {
                    state: DeliveryState::Pending,
                    attempts: row.get(1)?,
                    run: row.get(2)?,
                    epoch: row.get(3)?,
                    attempted_at: row.get(4)?,
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

/// Applies one outcome. The inner error says why it was not applied; the outer one ends the transaction.
pub(super) fn record_one(
    writing: &mut Writing<'_>,
    outcome: &Outcome,
) -> Result<Result<(), RefusalReason>, StoreError> {
    if !matches!(
        outcome.event,
        Event::Accepted
            | Event::Refused
            | Event::NotSent
            | Event::Lost
            | Event::FoundByLookUp
            | Event::AbsentByLookUp
    ) {
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
        end_attempt(writing, &current, outcome)?;
    }
    apply(writing, outcome, &current, next)?;
    Ok(Ok(()))
}

fn end_attempt(writing: &Writing<'_>, current: &Current, outcome: &Outcome) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached(
            "INSERT INTO attempt (delivery, number, run, epoch, intended_at, ended_at, event, status, failure)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute((
            outcome.id.0,
            outcome.attempt,
            &current.run,
            current.epoch.as_deref().unwrap_or_default(),
            current.attempted_at.unwrap_or_default(),
            writing.now.as_microsecond(),
            event_word(outcome.event)?,
            outcome.status,
            outcome.failure.as_ref().map(|failure| to_json("failure", failure)).transpose()?,
        ))?;
    Ok(())
}

fn apply(
    writing: &mut Writing<'_>,
    outcome: &Outcome,
    current: &Current,
    next: DeliveryState,
) -> Result<(), StoreError> {
    let delivered = next == DeliveryState::Delivered;
    let result_id = outcome
        .result_id
        .clone()
        .or_else(|| outcome.result.as_ref().and_then(result_id_of))
        .filter(|_| delivered);
    let delivered_at = delivered.then(|| match (outcome.delivered_at, outcome.event) {
        (Some(at), _) => at.as_microsecond(),
        // What a look-up finds was accepted when it was sent, however late it is found.
        (None, Event::FoundByLookUp) => current.attempted_at.unwrap_or(writing.now.as_microsecond()),
        (None, _) => writing.now.as_microsecond(),
    });
    let not_before: Option<Timestamp> = outcome.not_before.filter(|_| next == DeliveryState::Pending);
    let db = writing.connection;
    db.prepare_cached(
        "UPDATE OR FAIL delivery SET state = ?2, result_id = ?3, delivered_at = ?4, not_before = ?5, settled = ?7,
                updated_at = ?6 WHERE id = ?1",
    )?
    .execute((
        outcome.id.0,
        next.as_str(),
        result_id,
        delivered_at,
        micros(not_before),
        writing.now.as_microsecond(),
        delivered && outcome.settled,
    ))?;
    db.prepare_cached("UPDATE OR FAIL delivery_content SET result = ?2, failure = ?3 WHERE delivery = ?1")?
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

/// The id that a provider gave, from the result's column `id`.
pub(super) fn result_id_of(result: &Record) -> Option<String> {
    result
        .get("id")
        .filter(|value| !value.is_null())
        .map(ToString::to_string)
}

/// An event as the word that is stored.
pub(super) fn event_word(event: Event) -> Result<String, StoreError> {
    to_json("event", &event).map(|text| text.trim_matches('"').to_owned())
}

fn interrupted() -> Failure {
    Failure::new(
        codes::IN_DOUBT,
        Meaning::InDoubt,
        "the program stopped while this was being sent",
    )
    .detail("The intent to send it is on disk and the outcome is not, so it may or may not have arrived.")
    .hint(
        "It is looked up at the provider where the operation allows that. Otherwise decide with \
             `delivery resolve KEY --as sent|again|skip`.",
    )
}

#[cfg(test)]
mod tests {
    use super::SELECT_DEAD;
    use crate::{Home, schema};

    #[test]
    fn recovery_looks_at_what_is_being_sent_only() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path().join("home")).unwrap();
        let db = schema::open_writer(&home.ledger_path()).unwrap();
        let plan: Vec<String> = db
            .prepare(&format!("EXPLAIN QUERY PLAN {SELECT_DEAD}"))
            .unwrap()
            .query_map([""], |row| row.get("detail"))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert!(plan[0].ends_with("USING INDEX delivery_sending"), "{plan:?}");
    }
}
