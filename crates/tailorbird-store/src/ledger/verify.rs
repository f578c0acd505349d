//! The check of the keyed chain: whether the rows are what the links say (never-twice rule 8).
//!
//! It walks the links from the newest to the oldest, so the first digest it meets of a delivery is its last
//! one, and one bit per delivery is all it has to remember. Links and rows are read in one transaction: runs
//! may go on meanwhile.
//!
//! What it cannot see is a file put back as a whole to an older state, or rows and links cut off together at
//! the end; for that, a [`ChainHead`] noted elsewhere is compared.

use std::collections::HashMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension as _};

use super::chain::{CHANGE_BYTES, Digest, SELECT_NARROW, digest, head, mac};
use crate::{Store, StoreError, entropy};

/// How many misfits of links, and how many of rows, a report names; the others are only counted.
pub const MAX_NAMED: usize = 100;

/// Deliveries that share one page of the bits that remember which were met.
const PAGE_BITS: i64 = 1 << 16;
/// Words of such a page.
const PAGE_WORDS: usize = 1 << 10;
/// Pages that may be in use: 10⁹ deliveries, 128 MiB. Only links written by hand name more.
const MAX_PAGES: usize = 1 << 14;

/// Progress is told after so many deliveries.
const TELL_EVERY: u64 = 16_384;

/// A link of the chain, as it is noted elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainHead {
    /// Its number, from 1 on.
    pub number: i64,
    /// Its code, in hexadecimal digits.
    pub mac: String,
}

/// Something that does not fit. Numbers of deliveries are those of [`tailorbird_model::delivery::DeliveryId`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// The link was altered, or does not belong after the one before it.
    LinkAltered {
        /// Its number.
        link: i64,
    },
    /// Links are not there.
    LinksMissing {
        /// The first of them.
        from: i64,
        /// The last of them.
        to: i64,
    },
    /// The row is not what its last link says.
    RowAltered {
        /// Which delivery.
        delivery: i64,
    },
    /// A link names the delivery and it has no row.
    RowMissing {
        /// Which delivery.
        delivery: i64,
    },
    /// No link names the row: it was added by hand, or its links were cut off.
    RowUnknown {
        /// Which delivery.
        delivery: i64,
    },
    /// The link that was noted elsewhere is not in the chain: its end was cut off, or an older copy of the
    /// ledger came back.
    HeadGone {
        /// What was noted.
        noted: ChainHead,
    },
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
    /// How many things do not fit.
    pub misfits: u64,
    /// Those of links first, then those of rows; at most [`MAX_NAMED`] of each.
    pub named: Vec<Misfit>,
}

impl ChainReport {
    /// Tells whether everything fits.
    pub fn is_whole(&self) -> bool {
        self.misfits == 0
    }

    fn note(&mut self, misfit: Misfit) {
        self.misfits += 1;
        if self.named.len() < MAX_NAMED {
            self.named.push(misfit);
        }
    }

    fn note_row(&mut self, rows: &mut Vec<Misfit>, misfit: Misfit) {
        self.misfits += 1;
        if rows.len() < MAX_NAMED {
            rows.push(misfit);
        }
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

    /// Checks every link and compares every delivery with the chain.
    ///
    /// # Errors
    /// Where the database cannot be read or the key does not open.
    pub fn verify_chain(&self) -> Result<ChainReport, StoreError> {
        self.verify_chain_with(None, &mut |_, _| ())
    }

    /// As [`Store::verify_chain`], comparing a link that was noted elsewhere too. Progress is told as links
    /// done and links there are.
    ///
    /// # Errors
    /// As [`Store::verify_chain`].
    pub fn verify_chain_with(
        &self,
        noted: Option<&ChainHead>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<ChainReport, StoreError> {
        self.read(|db| {
            let key = Self::with_key(db, self.home(), self.key(), |key| {
                crate::secrets::chain_key(db, key)
            })?;
            // One transaction, so that links and rows are of the same moment.
            let db = db.unchecked_transaction()?;
            let mut report = ChainReport::default();
            if let Some(noted) = noted {
                check_noted(&db, noted, &mut report)?;
            }
            let mut walk = Walk {
                key: &key,
                row: db.prepare_cached(&format!("{SELECT_NARROW} WHERE id = ?1"))?,
                met: Met::default(),
                report,
                rows: Vec::new(),
                untold: 0,
            };
            walk.links(&db, progress)?;
            walk.count_rows(&db)?;
            walk.report.named.append(&mut walk.rows);
            Ok(walk.report)
        })
    }
}

fn check_noted(db: &Connection, noted: &ChainHead, report: &mut ChainReport) -> Result<(), StoreError> {
    let there: Option<Vec<u8>> = db
        .query_row(
            "SELECT mac FROM chain_link WHERE number = ?1",
            [noted.number],
            |row| row.get(0),
        )
        .optional()?;
    if there.is_none_or(|mac| !entropy::hex(&mac).eq_ignore_ascii_case(&noted.mac)) {
        report.note(Misfit::HeadGone { noted: noted.clone() });
    }
    Ok(())
}

/// A link as it is stored.
struct Link {
    number: i64,
    at: i64,
    changes: Vec<u8>,
    mac: Vec<u8>,
}

struct Walk<'a> {
    key: &'a [u8],
    row: CachedStatement<'a>,
    met: Met,
    report: ChainReport,
    /// Misfits of rows; they must not crowd out those of links, which are found between them.
    rows: Vec<Misfit>,
    untold: u64,
}

impl Walk<'_> {
    /// Checks the links, newest first, and the rows that they name.
    fn links(&mut self, db: &Connection, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
        let total: u64 = db.query_row("SELECT count(*) FROM chain_link", [], |row| {
            crate::codec::whole(row, 0)
        })?;
        let mut statement =
            db.prepare("SELECT number, at, changes, mac FROM chain_link ORDER BY number DESC")?;
        let mut rows = statement.query([])?;
        let mut later: Option<Link> = None;
        while let Some(row) = rows.next()? {
            let link = Link {
                number: row.get(0)?,
                at: row.get(1)?,
                changes: row.get(2)?,
                mac: row.get(3)?,
            };
            match later.take() {
                Some(later) => self.join(&later, link.number, &link.mac)?,
                None => {
                    self.report.head = Some(ChainHead {
                        number: link.number,
                        mac: entropy::hex(&link.mac),
                    });
                }
            }
            self.compare(&link)?;
            self.report.links += 1;
            if self.untold >= TELL_EVERY {
                self.untold = 0;
                progress(self.report.links, total);
            }
            later = Some(link);
        }
        if let Some(first) = later {
            self.join(&first, 0, &[])?;
        }
        progress(total, total);
        Ok(())
    }

    /// Checks that a link follows the one before it; the first one follows number 0 and no code.
    fn join(&mut self, link: &Link, before: i64, code_before: &[u8]) -> Result<(), StoreError> {
        if link.number != before.saturating_add(1) {
            // Its code covers the link that is gone, so nothing can be said about the link itself.
            self.report.note(Misfit::LinksMissing {
                from: before.saturating_add(1),
                to: link.number.saturating_sub(1),
            });
        } else if mac(self.key, link.number, link.at, code_before, &link.changes)?.as_slice() != link.mac {
            self.report.note(Misfit::LinkAltered { link: link.number });
        }
        Ok(())
    }

    /// Compares the rows that a link names, apart from those that a later link has named.
    fn compare(&mut self, link: &Link) -> Result<(), StoreError> {
        for change in link.changes.chunks_exact(CHANGE_BYTES) {
            let Some((id, said)) = change.split_first_chunk::<8>() else {
                continue;
            };
            let Ok(said) = Digest::try_from(said) else {
                continue;
            };
            let delivery = i64::from_be_bytes(*id);
            self.untold += 1;
            if !self.met.insert(delivery) {
                continue;
            }
            match self.row.query_row([delivery], digest).optional()? {
                Some(found) if found == said => {}
                Some(_) => self
                    .report
                    .note_row(&mut self.rows, Misfit::RowAltered { delivery }),
                None => self
                    .report
                    .note_row(&mut self.rows, Misfit::RowMissing { delivery }),
            }
        }
        Ok(())
    }

    /// Counts the rows, and finds those that no link names.
    fn count_rows(&mut self, db: &Connection) -> Result<(), StoreError> {
        let mut statement = db.prepare("SELECT id FROM delivery ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let delivery: i64 = row.get(0)?;
            self.report.deliveries += 1;
            if !self.met.contains(delivery) {
                self.report
                    .note_row(&mut self.rows, Misfit::RowUnknown { delivery });
            }
        }
        Ok(())
    }
}

/// Which deliveries were met: one bit each, in pages, because their numbers lie close together.
#[derive(Default)]
struct Met(HashMap<i64, Box<[u64; PAGE_WORDS]>>);

impl Met {
    fn place(delivery: i64) -> (i64, usize, u64) {
        let within = u64::try_from(delivery.rem_euclid(PAGE_BITS)).unwrap_or_default();
        let word = usize::try_from(within / 64).unwrap_or_default();
        (delivery.div_euclid(PAGE_BITS), word, 1 << (within % 64))
    }

    /// Remembers a delivery; tells whether it is the first time.
    fn insert(&mut self, delivery: i64) -> bool {
        let (page, word, bit) = Self::place(delivery);
        if !self.0.contains_key(&page) && self.0.len() >= MAX_PAGES {
            return true;
        }
        let page = self.0.entry(page).or_insert_with(|| Box::new([0; PAGE_WORDS]));
        page.get_mut(word).is_none_or(|word| {
            let is_new = *word & bit == 0;
            *word |= bit;
            is_new
        })
    }

    fn contains(&self, delivery: i64) -> bool {
        let (page, word, bit) = Self::place(delivery);
        self.0
            .get(&page)
            .and_then(|page| page.get(word))
            .is_some_and(|word| word & bit != 0)
    }
}
