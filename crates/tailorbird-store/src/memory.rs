//! What filter steps have let through (`only: new`, `only: changed`).
//!
//! Invariant: a record is remembered only after the later steps have taken it, so what a crash forgets comes
//! again, and the later steps take it twice harmlessly.

use rusqlite::{Connection, OptionalExtension as _};
use sha2::{Digest as _, Sha256};
use tailorbird_model::Name;
use tailorbird_model::key::DeliveryKey;

use crate::ledger::check_batch;
use crate::{Store, StoreError};

/// A digest of a record's compared columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The digest of a text that holds all that is compared.
    pub fn of(text: &str) -> Self {
        Self(digest(text))
    }
}

impl Store {
    /// How records looked when a filter last let them through; absent for keys that it does not know. The
    /// answers are in the order of the keys.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn remembered(
        &self,
        task: &Name,
        step: &Name,
        keys: &[DeliveryKey],
    ) -> Result<Vec<Option<Fingerprint>>, StoreError> {
        self.read(|db| {
            let Some(filter) = find(db, task, step)? else {
                return Ok(vec![None; keys.len()]);
            };
            let mut statement = db.prepare_cached(
                "SELECT fingerprint FROM filter_memory WHERE filter = ?1 AND key_hash = ?2",
            )?;
            keys.iter()
                .map(|key| {
                    let found = statement
                        .query_row((filter, digest(key.as_str())), |row| row.get(0))
                        .optional()?;
                    Ok(found.map(Fingerprint))
                })
                .collect()
        })
    }

    /// Remembers records that a filter has let through and the later steps have taken.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] beyond [`crate::MAX_BATCH`] records, or where the database refuses.
    pub async fn remember(
        &self,
        task: &Name,
        step: &Name,
        records: Vec<(DeliveryKey, Fingerprint)>,
    ) -> Result<(), StoreError> {
        check_batch("remembered records", records.len())?;
        let (task, step) = (task.clone(), step.clone());
        self.write(move |writing| {
            writing.at("memory.kept");
            let db = writing.connection;
            db.prepare_cached("INSERT INTO filter (task, step) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
                .execute((task.as_str(), step.as_str()))?;
            let filter = find(db, &task, &step)?;
            let mut statement = db.prepare_cached(
                "INSERT INTO filter_memory (filter, key_hash, fingerprint, seen_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (filter, key_hash) DO UPDATE SET fingerprint = excluded.fingerprint,
                                                              seen_at = excluded.seen_at",
            )?;
            for (key, fingerprint) in &records {
                statement.execute((
                    filter,
                    digest(key.as_str()),
                    fingerprint.0,
                    writing.now.as_microsecond(),
                ))?;
            }
            Ok(())
        })
        .await
    }
}

fn find(db: &Connection, task: &Name, step: &Name) -> Result<Option<i64>, StoreError> {
    Ok(db
        .prepare_cached("SELECT id FROM filter WHERE task = ?1 AND step = ?2")?
        .query_row((task.as_str(), step.as_str()), |row| row.get(0))
        .optional()?)
}

/// Half of SHA-256: enough that two keys never meet by chance, and half of the room.
fn digest(text: &str) -> [u8; 16] {
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(Sha256::digest(text.as_bytes())) {
        *to = from;
    }
    half
}
