//! Enrolling: which records are new, which were sent, which are held (rules 1, 2, 4, 12).

use std::collections::HashMap;

use rusqlite::Connection;
use tailorbird_model::delivery::{DeliveryId, DeliveryState, Event, next_state};
use tailorbird_model::run::RunId;

use super::outcome::put_aside;
use super::rows::{self, Lanes};
use super::{Enrolled, Enrolment, Lane, NewDelivery, check_batch, key_hash};
use crate::codec::{count, from_micros, micros, to_json};
use crate::restored::{Doubtful, Mark, may_have_been_sent};
use crate::writer::Writing;
use crate::{Store, StoreError};

impl Store {
    /// Brings records into the ledger; the answers are in the order of the batch.
    ///
    /// New records are pending when this returns, or in doubt where the home came back from a backup (rule
    /// 20). Of those that the ledger knew, it says where they stand;
    /// only rejected ones whose content changed become pending again.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] beyond [`super::MAX_BATCH`] records, or where the database refuses.
    pub async fn enrol(&self, batch: Vec<NewDelivery>) -> Result<Vec<Enrolled>, StoreError> {
        check_batch("deliveries", batch.len())?;
        self.write_often(move |writing| {
            writing.at("ledger.enrolled");
            let mut lanes = Lanes::default();
            let mut doubtful = Doubtful::load(writing.connection)?;
            let mut seen = HashMap::with_capacity(batch.len());
            let mut enrolled: Vec<Enrolled> = Vec::with_capacity(batch.len());
            for (place, new) in batch.iter().enumerate() {
                let lane = lanes.id(writing.connection, Lane::of(&new.identity))?;
                let hash = key_hash(&new.identity.key);
                let earlier: Option<(usize, Enrolled)> = seen
                    .get(&(lane, hash))
                    .and_then(|first: &usize| enrolled.get(*first).map(|found| (*first, found.clone())));
                if let Some((first, found)) = earlier {
                    enrolled.push(Enrolled {
                        enrolment: Enrolment::SameKey { first },
                        ..found
                    });
                } else {
                    seen.insert((lane, hash), place);
                    // What cannot be sent cannot have been sent either.
                    let mark = match &new.request {
                        serde_json::Value::Null => None,
                        _ => doubtful.of(writing.connection, &new.identity.task)?,
                    };
                    enrolled.push(enrol_one(writing, lane, hash, new, mark)?);
                }
            }
            Ok(enrolled)
        })
        .await
    }
}

fn enrol_one(
    writing: &mut Writing<'_>,
    lane: i64,
    hash: [u8; 32],
    new: &NewDelivery,
    mark: Option<Mark>,
) -> Result<Enrolled, StoreError> {
    let db = writing.connection;
    let first = first_state(mark);
    let failure = mark.as_ref().map(why).transpose()?;
    let inserted = db
        .prepare_cached(
            "INSERT OR FAIL INTO delivery (lane, key_hash, state, run, connection, operation, fingerprint, not_before,
                                   enrolled_at, updated_at, attempted_at)
             VALUES (?1, ?2, ?9, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?10) ON CONFLICT (key_hash, lane) DO NOTHING",
        )?
        .execute((
            lane,
            hash,
            &new.run.0,
            new.connection.as_str(),
            new.operation.as_str(),
            &new.fingerprint,
            micros(new.not_before),
            writing.now.as_microsecond(),
            first.as_str(),
            mark.map(|mark| mark.backup_at),
        ))?;
    if inserted == 1 {
        let id = db.last_insert_rowid();
        db.prepare_cached(
            "INSERT INTO delivery_content (delivery, key, input, request, failure) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((
            id,
            new.identity.key.as_str(),
            to_json("input", &new.input)?,
            to_json("request", &new.request)?,
            failure,
        ))?;
        writing.touch(id);
        writing.count(&new.run.0, None, first);
        return Ok(Enrolled {
            id: DeliveryId(id),
            enrolment: Enrolment::New,
            run: new.run.clone(),
            attempts: 0,
            not_before: new.not_before,
        });
    }
    let known = Known::find(db, lane, hash)?;
    known.meet(writing, new, mark)
}

/// Where a new key stands: pending, and in doubt where the ledger came back from a backup (rule 20).
fn first_state(mark: Option<Mark>) -> DeliveryState {
    match mark {
        None => DeliveryState::Pending,
        Some(_) => next_state(DeliveryState::Pending, Event::Restored).unwrap_or(DeliveryState::InDoubt),
    }
}

fn why(mark: &Mark) -> Result<String, StoreError> {
    to_json("failure", &may_have_been_sent(mark)?)
}

/// A delivery that the ledger knew before.
struct Known {
    id: i64,
    state: DeliveryState,
    run: String,
    attempts: i64,
    fingerprint: String,
    not_before: Option<i64>,
    settled: bool,
}

impl Known {
    fn find(db: &Connection, lane: i64, hash: [u8; 32]) -> Result<Self, StoreError> {
        let (word, known) = db
            .prepare_cached(
                "SELECT id, state, run, attempts, fingerprint, not_before, settled FROM delivery
                 WHERE key_hash = ?1 AND lane = ?2",
            )?
            .query_row((hash, lane), |row| {
                let known = Self {
                    id: row.get(0)?,
                    state: DeliveryState::Pending,
                    run: row.get(2)?,
                    attempts: row.get(3)?,
                    fingerprint: row.get(4)?,
                    not_before: row.get(5)?,
                    settled: row.get(6)?,
                };
                Ok((row.get::<_, String>(1)?, known))
            })?;
        Ok(Self {
            state: rows::state(&word)?,
            ..known
        })
    }

    fn meet(
        self,
        writing: &mut Writing<'_>,
        new: &NewDelivery,
        mark: Option<Mark>,
    ) -> Result<Enrolled, StoreError> {
        let conflict = self.fingerprint != new.fingerprint;
        let mut not_before = self.not_before.map(from_micros).transpose()?;
        let enrolment = match self.state {
            DeliveryState::Pending => {
                // The stored request stays: a repeat sends what was stored (rule 12).
                if self.run != new.run.0 {
                    put_aside(writing.connection, self.id)?;
                    writing
                        .connection
                        .prepare_cached("UPDATE delivery SET run = ?2 WHERE id = ?1")?
                        .execute((self.id, &new.run.0))?;
                }
                Enrolment::Open { conflict }
            }
            DeliveryState::Sending => Enrolment::InFlight { conflict },
            DeliveryState::Delivered => Enrolment::Already {
                settled: self.settled,
            },
            DeliveryState::Rejected if conflict => {
                self.try_again(writing, new, mark)?;
                not_before = new.not_before;
                Enrolment::TriedAgain
            }
            state @ (DeliveryState::Rejected | DeliveryState::InDoubt | DeliveryState::Skipped) => {
                Enrolment::Held {
                    state,
                    conflict: conflict && state == DeliveryState::InDoubt,
                }
            }
        };
        Ok(Enrolled {
            id: DeliveryId(self.id),
            enrolment,
            run: RunId(self.run),
            attempts: count("attempts", self.attempts)?,
            not_before,
        })
    }

    fn try_again(
        &self,
        writing: &mut Writing<'_>,
        new: &NewDelivery,
        mark: Option<Mark>,
    ) -> Result<(), StoreError> {
        let next = match next_state(self.state, Event::ContentChanged) {
            // It may have been tried again since the backup, and accepted.
            Some(DeliveryState::Pending) => first_state(mark),
            next => next.unwrap_or(self.state),
        };
        let failure = mark.as_ref().map(why).transpose()?;
        let db = writing.connection;
        put_aside(db, self.id)?;
        db.prepare_cached(
            "UPDATE delivery SET state = ?2, run = ?3, connection = ?4, operation = ?5, fingerprint = ?6,
                    not_before = ?7, updated_at = ?8, attempted_at = coalesce(?9, attempted_at) WHERE id = ?1",
        )?
        .execute((
            self.id,
            next.as_str(),
            &new.run.0,
            new.connection.as_str(),
            new.operation.as_str(),
            &new.fingerprint,
            micros(new.not_before),
            writing.now.as_microsecond(),
            mark.map(|mark| mark.backup_at),
        ))?;
        // The content may have been dropped by retention, so it is written and not updated.
        db.prepare_cached(
            "INSERT INTO delivery_content (delivery, key, input, request, failure) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (delivery) DO UPDATE SET input = excluded.input, request = excluded.request,
                                                  result = NULL, failure = excluded.failure",
        )?
        .execute((
            self.id,
            new.identity.key.as_str(),
            to_json("input", &new.input)?,
            to_json("request", &new.request)?,
            failure,
        ))?;
        writing.touch(self.id);
        writing.uncount(&self.run, self.state);
        writing.count(&new.run.0, None, next);
        Ok(())
    }
}
