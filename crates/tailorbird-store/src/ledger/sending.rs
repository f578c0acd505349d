//! Intent, the check right before the send, outcome, and recovery after a crash (rules 3 to 6, 9, 13).

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use tailorbird_model::delivery::{Delivery, DeliveryId, Event};
use tailorbird_model::run::RunId;
use tailorbird_model::{Failure, Meaning, Record, codes};

use super::outcome::{Current, put_aside, record_one, result_id_of};
use super::rows::{self, deliveries};
use super::{Intended, Lane, LookUp, Outcome, check_batch};
use crate::codec::to_json;
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
    // Nearly all are sent for the first time: one statement. With RETURNING it would keep its rows in a table that it
    // makes and drops, which takes longer than the second statement of the others.
    let mut attempt = 1;
    let first = intend_after(db, id, 0, (run, epoch, now))?;
    if !first {
        let attempts: Option<u32> = db
            .prepare_cached(
                "SELECT attempts FROM delivery
                 WHERE id = ?1 AND state = 'pending' AND (not_before IS NULL OR not_before <= ?2)",
            )?
            .query_row((id.0, now), |row| row.get(0))
            .optional()?;
        let Some(attempts) = attempts else {
            return Ok(None);
        };
        put_aside(db, id.0)?;
        intend_after(db, id, attempts, (run, epoch, now))?;
        attempt = attempts.saturating_add(1);
    }
    writing.at("ledger.intent");
    writing.touch(id.0);
    Ok(Some(Intended { id, attempt }))
}

const INTEND: &str =
    "UPDATE OR FAIL delivery SET state = 'sending', attempts = attempts + 1, run = ?2, epoch = ?3,
            attempted_at = ?4, not_before = NULL, updated_at = ?4
     WHERE id = ?1 AND state = 'pending' AND attempts = ?5 AND (not_before IS NULL OR not_before <= ?4)";

/// Writes the intent where the delivery is pending and due after so many attempts; tells whether it was.
fn intend_after(
    db: &Connection,
    id: DeliveryId,
    attempts: u32,
    (run, epoch, now): (&RunId, &Epoch, i64),
) -> Result<bool, StoreError> {
    let changed = db
        .prepare_cached(INTEND)?
        .execute((id.0, &run.0, epoch.as_str(), now, attempts))?;
    Ok(changed > 0)
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
    use super::{INTEND, SELECT_DEAD};
    use crate::ledger::outcome::END_ATTEMPT;
    use crate::{Home, schema};

    #[test]
    fn what_is_done_for_each_row_makes_no_table_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path().join("home")).unwrap();
        let db = schema::open_writer(&home.ledger_path()).unwrap();
        for statement in [INTEND, END_ATTEMPT] {
            let mut explain = db.prepare(&format!("EXPLAIN {statement}")).unwrap();
            let nothing = vec![None::<i64>; explain.parameter_count()];
            let steps: Vec<String> = explain
                .query_map(rusqlite::params_from_iter(nothing), |row| row.get("opcode"))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            assert!(steps.contains(&"IdxInsert".to_owned()), "it changes an index");
            assert!(!steps.contains(&"OpenEphemeral".to_owned()), "{statement}");
        }
    }

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
