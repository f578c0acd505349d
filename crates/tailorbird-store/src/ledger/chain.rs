//! The keyed chain (rule 8): whoever edits the ledger's file without the key is found out.
//!
//! Each commit that changed deliveries adds one link. A link packs the id and a digest of the narrow row of
//! each changed delivery; its HMAC covers them, its number, its time and the link before. The check replays
//! the links and compares the last digest of each delivery with its row.
//!
//! What it cannot see: a file put back as a whole to an older state. For that, keep [`ChainHead`] elsewhere.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use secrecy::zeroize::Zeroizing;
use sha2::{Digest as _, Sha256};

use crate::StoreError;

/// Bytes of a row's digest in a link.
const DIGEST_BYTES: usize = 16;
/// Bytes of one change in a link: the delivery's number and its digest.
pub(super) const CHANGE_BYTES: usize = 8 + DIGEST_BYTES;
pub(super) type Digest = [u8; DIGEST_BYTES];

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
        let mut row = db.prepare_cached(&format!("{SELECT_NARROW} WHERE id = ?1"))?;
        for id in touched {
            let digest = row.query_row([*id], digest)?;
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

pub(crate) fn head(db: &Connection) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
    Ok(db
        .prepare_cached("SELECT number, mac FROM chain_link ORDER BY number DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// What a digest covers. `settled`, `run` and `not_before` are left out: they change often and decide
/// nothing about what was sent.
pub(super) const SELECT_NARROW: &str =
    "SELECT id, lane, key_hash, state, attempts, fingerprint, result_id, attempted_at,
    delivered_at FROM delivery";

pub(super) fn digest(row: &rusqlite::Row<'_>) -> Result<Digest, rusqlite::Error> {
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
    for column in [3, 5, 6] {
        // Looked at in place: this runs twice for each delivery that is sent.
        let text = row.get_ref(column)?.as_str_or_null()?;
        // The length in front keeps two neighbouring texts apart; absence differs from every length.
        let length = text.map_or(u64::MAX, |text| u64::try_from(text.len()).unwrap_or(u64::MAX - 1));
        hash.update(length.to_be_bytes());
        hash.update(text.unwrap_or_default());
    }
    let whole: [u8; 32] = hash.finalize().into();
    let mut digest = Digest::default();
    digest.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
    Ok(digest)
}

pub(super) fn mac(
    key: &[u8],
    number: i64,
    at: i64,
    previous: &[u8],
    changes: &[u8],
) -> Result<[u8; 32], StoreError> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).map_err(|error| crate::codec::unreadable("chain key", &error))?;
    mac.update(b"tailorbird chain 1");
    mac.update(&number.to_be_bytes());
    mac.update(&at.to_be_bytes());
    mac.update(previous);
    mac.update(changes);
    Ok(mac.finalize().into_bytes().into())
}
