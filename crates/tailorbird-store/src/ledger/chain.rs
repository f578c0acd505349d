//! The keyed chain (rule 8): whoever edits the ledger's file without the key is found out.
//!
//! Each commit that changed deliveries adds one link. A link packs the id and a digest of the narrow row of
//! each changed delivery; its HMAC covers them, its number, its time and the link before. The check replays
//! the links and compares the last digest of each delivery with its row.
//!
//! What it cannot see: a file put back as a whole to an older state. For that, keep [`ChainHead`] elsewhere.

use std::collections::HashMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use secrecy::zeroize::Zeroizing;
use sha2::{Digest as _, Sha256};

use crate::{Store, StoreError, entropy};

/// Bytes of a row's digest in a link.
const DIGEST_BYTES: usize = 16;
/// Bytes of one change in a link: the delivery's number and its digest.
const CHANGE_BYTES: usize = 8 + DIGEST_BYTES;
/// How many deliveries a report names.
const MAX_NAMED: usize = 20;

type Digest = [u8; DIGEST_BYTES];

/// The newest link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainHead {
    /// Its number, from 1 on.
    pub number: i64,
    /// Its code, in hexadecimal digits.
    pub mac: String,
}

/// What a check of the chain found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChainReport {
    /// Links that were checked.
    pub links: u64,
    /// Deliveries that were compared.
    pub deliveries: u64,
    /// The newest link, if there is one.
    pub head: Option<ChainHead>,
    /// The first link that was altered, removed or added by hand.
    pub broken_link: Option<i64>,
    /// Deliveries whose rows were altered, removed or added by hand; at most 20.
    pub altered: Vec<i64>,
}

impl ChainReport {
    /// Tells whether nothing was altered.
    pub fn is_whole(&self) -> bool {
        self.broken_link.is_none() && self.altered.is_empty()
    }
}

/// Makes links.
pub(crate) struct Chain {
    key: Zeroizing<Vec<u8>>,
}

impl Chain {
    pub(crate) fn new(key: Zeroizing<Vec<u8>>) -> Self {
        Self { key }
    }

    /// Adds a link for the deliveries that a transaction touched, inside that transaction.
    pub(crate) fn append(
        &self,
        db: &Connection,
        now: Timestamp,
        touched: &mut Vec<i64>,
    ) -> Result<(), StoreError> {
        if touched.is_empty() {
            return Ok(());
        }
        touched.sort_unstable();
        touched.dedup();
        let mut changes = Vec::with_capacity(touched.len() * CHANGE_BYTES);
        for id in touched {
            let digest = db
                .prepare_cached(&format!("{SELECT_NARROW} WHERE id = ?1"))?
                .query_row([*id], digest)?;
            changes.extend_from_slice(&id.to_be_bytes());
            changes.extend_from_slice(&digest);
        }
        let (last, previous) = head(db)?.unwrap_or((0, Vec::new()));
        let at = now.as_microsecond();
        let mac = mac(&self.key, last + 1, at, &previous, &changes)?;
        db.prepare_cached("INSERT INTO chain_link (number, at, changes, mac) VALUES (?1, ?2, ?3, ?4)")?
            .execute((last + 1, at, changes, mac))?;
        Ok(())
    }
}

impl Store {
    /// The newest link; noted elsewhere, it shows later that no links were cut off.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn chain_head(&self) -> Result<Option<ChainHead>, StoreError> {
        self.read(|db| {
            Ok(head(db)?.map(|(number, mac)| ChainHead {
                number,
                mac: entropy::hex(&mac),
            }))
        })
    }

    /// Checks every link and compares every delivery with the chain. Takes 24 bytes of memory and a few
    /// microseconds per delivery.
    ///
    /// # Errors
    /// Where the database cannot be read or the key does not open.
    pub fn verify_chain(&self) -> Result<ChainReport, StoreError> {
        self.read(|db| {
            let key = Self::with_key(db, self.home(), self.key(), |key| {
                crate::secrets::chain_key(db, key)
            })?;
            // One transaction, so that links and rows are of the same moment.
            let db = db.unchecked_transaction()?;
            let mut report = ChainReport::default();
            let mut known = replay(&db, &key, &mut report)?;
            let mut statement = db.prepare(&format!("{SELECT_NARROW} ORDER BY id"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(0)?;
                report.deliveries += 1;
                if known.remove(&id) != Some(digest(row)?) && report.altered.len() < MAX_NAMED {
                    report.altered.push(id);
                }
            }
            let mut missing: Vec<i64> = known.into_keys().collect();
            missing.sort_unstable();
            report.altered.extend(
                missing
                    .into_iter()
                    .take(MAX_NAMED.saturating_sub(report.altered.len())),
            );
            Ok(report)
        })
    }
}

fn replay(db: &Connection, key: &[u8], report: &mut ChainReport) -> Result<HashMap<i64, Digest>, StoreError> {
    let mut known = HashMap::new();
    let mut statement = db.prepare("SELECT number, at, changes, mac FROM chain_link ORDER BY number")?;
    let mut rows = statement.query([])?;
    let mut previous = Vec::new();
    while let Some(row) = rows.next()? {
        let (number, at): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (changes, stored): (Vec<u8>, Vec<u8>) = (row.get(2)?, row.get(3)?);
        let expected_number = report.head.as_ref().map_or(1, |head| head.number + 1);
        let expected = mac(key, number, at, &previous, &changes)?;
        if report.broken_link.is_none() && (number != expected_number || expected.as_slice() != stored) {
            report.broken_link = Some(number);
        }
        for change in changes.chunks_exact(CHANGE_BYTES) {
            if let Some((id, digest)) = change.split_first_chunk::<8>()
                && let Ok(digest) = Digest::try_from(digest)
            {
                known.insert(i64::from_be_bytes(*id), digest);
            }
        }
        report.links += 1;
        report.head = Some(ChainHead {
            number,
            mac: entropy::hex(&stored),
        });
        previous = stored;
    }
    Ok(known)
}

fn head(db: &Connection) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
    Ok(db
        .prepare_cached("SELECT number, mac FROM chain_link ORDER BY number DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// What a digest covers. `settled`, `run` and `not_before` are left out: they change often and decide
/// nothing about what was sent.
const SELECT_NARROW: &str =
    "SELECT id, lane, key_hash, state, attempts, fingerprint, result_id, attempted_at,
    delivered_at FROM delivery";

fn digest(row: &rusqlite::Row<'_>) -> Result<Digest, rusqlite::Error> {
    let mut hash = Sha256::new();
    for number in [
        row.get::<_, Option<i64>>(0)?,
        row.get(1)?,
        row.get(4)?,
        row.get(7)?,
        row.get(8)?,
    ] {
        hash.update([u8::from(number.is_some())]);
        hash.update(number.unwrap_or_default().to_be_bytes());
    }
    hash.update(row.get::<_, [u8; 32]>(2)?);
    for text in [row.get::<_, Option<String>>(3)?, row.get(5)?, row.get(6)?] {
        // The length in front keeps two neighbouring texts apart; absence differs from every length.
        let length = text
            .as_ref()
            .map_or(u64::MAX, |text| u64::try_from(text.len()).unwrap_or(u64::MAX - 1));
        hash.update(length.to_be_bytes());
        hash.update(text.unwrap_or_default());
    }
    let whole: [u8; 32] = hash.finalize().into();
    let mut digest = Digest::default();
    digest.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
    Ok(digest)
}

fn mac(key: &[u8], number: i64, at: i64, previous: &[u8], changes: &[u8]) -> Result<[u8; 32], StoreError> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).map_err(|error| crate::codec::unreadable("chain key", &error))?;
    mac.update(b"tailorbird chain 1");
    mac.update(&number.to_be_bytes());
    mac.update(&at.to_be_bytes());
    mac.update(previous);
    mac.update(changes);
    Ok(mac.finalize().into_bytes().into())
}
