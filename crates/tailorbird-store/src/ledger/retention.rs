//! Dropping old contents (rule 7): what was sent stays known, what it said does not.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};
use tailorbird_model::delivery::{Delivery, DeliveryId};

use super::rows::deliveries;
use crate::codec::{from_json, to_json, whole};
use crate::{Store, StoreError};

/// Contents dropped by one call at most, so that other writers are not held up for long.
const MAX_DROPPED: u32 = 10_000;

/// How long contents are kept where nobody says otherwise: a year and a month, so that last year's campaign can
/// still be looked at.
const DEFAULT_KEEP: Duration = Duration::from_hours(400 * 24);

/// The shortest time for which contents are kept: a person has to see yesterday's.
pub const MIN_KEEP: Duration = Duration::from_hours(24);

/// The setting's name.
const RETENTION: &str = "retention";

/// Contents that are no longer needed: those of deliveries that ended and that no later step needs.
const ENDED: &str = "((d.state = 'delivered' AND d.settled = 1) OR d.state = 'skipped')";

/// How long contents are kept, and where they go then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// Seconds after the last change of a delivery; for ever where absent.
    pub keep_seconds: Option<u64>,
    /// The folder into which contents are written before they are dropped; they are only dropped where absent.
    pub archive: Option<PathBuf>,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            keep_seconds: Some(DEFAULT_KEEP.as_secs()),
            archive: None,
        }
    }
}

impl Retention {
    /// Contents of deliveries that changed before this time may go; nothing where all are kept.
    pub fn ended_before(&self, now: Timestamp) -> Option<Timestamp> {
        let keep = Duration::from_secs(self.keep_seconds?).max(MIN_KEEP);
        now.checked_sub(keep).ok()
    }
}

impl Store {
    /// How long contents are kept.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn retention(&self) -> Result<Retention, StoreError> {
        self.read(|db| {
            db.query_row("SELECT value FROM setting WHERE name = ?1", [RETENTION], |row| {
                row.get::<_, String>(0)
            })
            .optional()?
            .map_or(Ok(Retention::default()), |text| from_json("retention", &text))
        })
    }

    /// Sets how long contents are kept.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn set_retention(&self, retention: Retention) -> Result<(), StoreError> {
        self.write(move |writing| {
            writing.connection.execute(
                "INSERT INTO setting (name, value) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (RETENTION, to_json("retention", &retention)?),
            )?;
            Ok(())
        })
        .await
    }

    /// How many contents may be dropped.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn count_expired(&self, ended_before: Timestamp) -> Result<u64, StoreError> {
        self.read(|db| {
            Ok(db.query_row(
                &format!(
                    "SELECT count(*) FROM delivery_content c JOIN delivery d ON d.id = c.delivery
                     WHERE d.updated_at < ?1 AND {ENDED}"
                ),
                [ended_before.as_microsecond()],
                |row| whole(row, 0),
            )?)
        })
    }

    /// Deliveries whose contents may be dropped, after a number, in the order of their enrolment.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn expired(
        &self,
        ended_before: Timestamp,
        after: DeliveryId,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.read(|db| {
            deliveries(
                db,
                &format!(
                    "WHERE d.id > ?1 AND c.delivery IS NOT NULL AND d.updated_at < ?2 AND {ENDED} ORDER BY d.id LIMIT ?3"
                ),
                (after.0, ended_before.as_microsecond(), limit.min(MAX_DROPPED)),
            )
        })
    }

    /// Drops keys, inputs, requests and results of those of the given deliveries that ended before a time and
    /// that no later step needs; one that changed meanwhile keeps them. The hashes of their keys stay, so they
    /// are never sent again. Returns how many were dropped.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn drop_contents_of(
        &self,
        ids: Vec<DeliveryId>,
        ended_before: Timestamp,
    ) -> Result<usize, StoreError> {
        super::check_batch("contents", ids.len())?;
        self.write(move |writing| {
            let mut dropped = 0;
            for id in ids {
                let may_go: bool = writing
                    .connection
                    .prepare_cached(&format!(
                        "SELECT EXISTS (SELECT 1 FROM delivery d WHERE d.id = ?1 AND d.updated_at < ?2 AND {ENDED})"
                    ))?
                    .query_row((id.0, ended_before.as_microsecond()), |row| row.get(0))?;
                if may_go {
                    drop_one(writing.connection, id.0)?;
                    dropped += 1;
                }
            }
            Ok(dropped)
        })
        .await
    }
}

fn drop_one(db: &Connection, delivery: i64) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM delivery_content WHERE delivery = ?1",
        "UPDATE attempt SET failure = NULL WHERE delivery = ?1",
        "UPDATE look_up SET detail = '' WHERE delivery = ?1",
    ] {
        db.prepare_cached(sql)?.execute([delivery])?;
    }
    Ok(())
}
