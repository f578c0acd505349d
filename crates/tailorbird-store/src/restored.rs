//! A home whose ledger came back from a backup (never-twice rule 20).
//!
//! What was sent between the backup and its return is not in the ledger. So while the mark stands, a key that
//! is new to the ledger is in doubt before it is sent: the operation's policy looks it up, or a person
//! decides. What was pending when the backup was made may have been sent as well, and is in doubt too.
//!
//! Invariant: the mark is a row of the ledger itself, written before the restored ledger gets its name. It is
//! asked at each enrolment and not remembered by a process, so it cannot be forgotten.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use serde::Serialize;
use tailorbird_model::delivery::{DeliveryState, Event, next_state};
use tailorbird_model::{Failure, Meaning, Name, codes};

use crate::codec::{from_micros, parse, to_json, whole};
use crate::ledger::outcome::put_aside;
use crate::writer::Writing;
use crate::{Store, StoreError};

/// Pending deliveries that become doubt in one transaction, so that other writers are not held up for long.
const MAX_DOUBTED: u32 = 1_000;

/// What fires with records of its own: a later run of the task does not read them again, so no run shows that
/// all was met.
const FED_CAUSES: &str = "'webhook', 'file', 'database'";

/// The mark of a home that came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restoration {
    /// When the backup was made; what was sent since is unknown.
    pub backup_at: Timestamp,
    /// When it came back; what is sent since is known.
    pub restored_at: Timestamp,
}

/// How a task of a restored home stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestoredTask {
    /// The task.
    pub task: Name,
    /// A run that began after the return has read everything once: new keys of the task are sent as usual.
    pub is_met: bool,
    /// Deliveries that are in doubt.
    pub in_doubt: u64,
}

impl Store {
    /// The mark, where the home bears one.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn restoration(&self) -> Result<Option<Restoration>, StoreError> {
        self.read(open_mark)?.map(Mark::restoration).transpose()
    }

    /// Marks the home as one that came back. Where it bears a mark already, that one stays. The time of the
    /// backup is that of the last change to the ledger where it is not given.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn mark_restored(&self, backup_at: Option<Timestamp>) -> Result<Restoration, StoreError> {
        self.write(move |writing| {
            if open_mark(writing.connection)?.is_none() {
                let backup_at = match backup_at {
                    Some(at) => at,
                    None => last_change(writing.connection)?.unwrap_or(writing.now),
                };
                mark(writing.connection, backup_at, writing.now)?;
            }
            open_mark(writing.connection)?.map_or(Err(missing()), Mark::restoration)
        })
        .await
    }

    /// Takes the mark away by a person's word: from now on new keys are sent as usual. What is in doubt stays
    /// so. Tells whether there was one.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn end_restored(&self, who: &str) -> Result<bool, StoreError> {
        let who = who.to_owned();
        self.write(move |writing| end(writing.connection, writing.now, &who))
            .await
    }

    /// Brings what was pending when the backup was made into doubt. Runs may not begin before this has
    /// answered. Repeating it is harmless; returns how many there were.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn doubt_restored(&self) -> Result<u64, StoreError> {
        let (mut total, mut after) = (0, 0);
        loop {
            let marked = self.read(open_mark)?;
            let Some(mark) = marked.filter(|mark| !mark.doubted) else {
                return Ok(total);
            };
            let doubted = self
                .write(move |writing| doubt_some(writing, &mark, after))
                .await?;
            total += doubted.0;
            after = doubted.1;
        }
    }

    /// The tasks of a restored home and how they stand, by name.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn restored_tasks(&self) -> Result<Vec<RestoredTask>, StoreError> {
        self.read(|db| {
            let Some(mark) = open_mark(db)? else {
                return Ok(Vec::new());
            };
            let mut statement = db.prepare(
                "SELECT l.task, (SELECT count(*) FROM delivery d JOIN lane m ON m.id = d.lane
                                 WHERE m.task = l.task AND d.state = 'in_doubt')
                 FROM lane l GROUP BY l.task ORDER BY l.task",
            )?;
            let mut rows = statement.query([])?;
            let mut tasks = Vec::new();
            while let Some(row) = rows.next()? {
                let task: String = row.get(0)?;
                tasks.push(RestoredTask {
                    is_met: mark.is_met(db, &task)?,
                    task: parse("task", &task)?,
                    in_doubt: whole(row, 1)?,
                });
            }
            Ok(tasks)
        })
    }

    /// Where a doubt is of a restored home: the latest time at which it may have been sent. It bears the time
    /// of the backup as that of its attempt.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn sent_before(&self, attempted_at: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.read(|db| {
            db.prepare_cached("SELECT max(restored_at) FROM restoration WHERE backup_at = ?1")?
                .query_row([attempted_at.as_microsecond()], |row| {
                    row.get::<_, Option<i64>>(0)
                })?
                .map(from_micros)
                .transpose()
        })
    }
}

/// An open mark as it is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) backup_at: i64,
    restored_at: i64,
    doubted: bool,
}

impl Mark {
    fn restoration(self) -> Result<Restoration, StoreError> {
        Ok(Restoration {
            backup_at: from_micros(self.backup_at)?,
            restored_at: from_micros(self.restored_at)?,
        })
    }

    /// Tells whether a run that began after the return has read everything that the task reads, so that no
    /// record of the time in between is still to come.
    fn is_met(self, db: &Connection, task: &str) -> Result<bool, StoreError> {
        Ok(db
            .prepare_cached(&format!(
                "SELECT EXISTS (SELECT 1 FROM run r LEFT JOIN run_input i ON i.run = r.id
                     WHERE r.task = ?1 AND r.started_at >= ?2 AND r.state = 'succeeded'
                       AND i.parent IS NULL AND coalesce(i.cause, 'manual') NOT IN ({FED_CAUSES}))
                 AND NOT EXISTS (SELECT 1 FROM run_input i WHERE i.task = ?1
                       AND (i.cause IN ({FED_CAUSES}) OR i.parent IS NOT NULL))"
            ))?
            .query_row((task, self.restored_at), |row| row.get(0))?)
    }
}

/// Which lanes of a batch are in doubt from their enrolment on.
pub(crate) struct Doubtful {
    mark: Option<Mark>,
    tasks: HashMap<Name, bool>,
}

impl Doubtful {
    pub(crate) fn load(db: &Connection) -> Result<Self, StoreError> {
        Ok(Self {
            mark: open_mark(db)?,
            tasks: HashMap::new(),
        })
    }

    /// The mark, where a new key of the task may have been sent since the backup.
    pub(crate) fn of(&mut self, db: &Connection, task: &Name) -> Result<Option<Mark>, StoreError> {
        let Some(mark) = self.mark else { return Ok(None) };
        let is_met = if let Some(known) = self.tasks.get(task) {
            *known
        } else {
            let is_met = mark.is_met(db, task.as_str())?;
            self.tasks.insert(task.clone(), is_met);
            is_met
        };
        Ok((!is_met).then_some(mark))
    }
}

pub(crate) fn open_mark(db: &Connection) -> Result<Option<Mark>, StoreError> {
    Ok(db
        .prepare_cached("SELECT backup_at, restored_at, doubted FROM restoration WHERE ended_at IS NULL")?
        .query_row([], |row| {
            Ok(Mark {
                backup_at: row.get(0)?,
                restored_at: row.get(1)?,
                doubted: row.get(2)?,
            })
        })
        .optional()?)
}

/// Writes the mark. A home that came back a second time while it bore one keeps the earlier time of backup.
pub(crate) fn mark(db: &Connection, backup_at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let changed = db.execute(
        "UPDATE restoration SET backup_at = min(backup_at, ?1), restored_at = ?2, doubted = 0 WHERE ended_at IS NULL",
        (backup_at.as_microsecond(), now.as_microsecond()),
    )?;
    if changed == 0 {
        db.execute(
            "INSERT INTO restoration (backup_at, restored_at) VALUES (?1, ?2)",
            (backup_at.as_microsecond(), now.as_microsecond()),
        )?;
    }
    Ok(())
}

fn end(db: &Connection, now: Timestamp, who: &str) -> Result<bool, StoreError> {
    let changed = db.execute(
        "UPDATE restoration SET ended_at = ?1, ended_by = ?2 WHERE ended_at IS NULL",
        (now.as_microsecond(), who),
    )?;
    Ok(changed > 0)
}

/// When the ledger last changed.
fn last_change(db: &Connection) -> Result<Option<Timestamp>, StoreError> {
    db.query_row(
        "SELECT at FROM chain_link ORDER BY number DESC LIMIT 1",
        [],
        |row| row.get(0),
    )
    .optional()?
    .map(from_micros)
    .transpose()
}

/// Doubts some of those after a number; returns how many, and the last of them.
fn doubt_some(writing: &mut Writing<'_>, mark: &Mark, after: i64) -> Result<(u64, i64), StoreError> {
    let db = writing.connection;
    // A request that could not be made cannot have been sent; what became pending since is known not to be sent.
    let pending: Vec<(i64, String)> = db
        .prepare_cached(
            "SELECT d.id, d.run FROM delivery d JOIN delivery_content c ON c.delivery = d.id
             WHERE d.id > ?3 AND d.state = 'pending' AND d.updated_at < ?1 AND c.request <> 'null'
             ORDER BY d.id LIMIT ?2",
        )?
        .query_map((mark.restored_at, MAX_DOUBTED, after), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    let Some(last) = pending.last().map(|(id, _)| *id) else {
        db.execute("UPDATE restoration SET doubted = 1 WHERE ended_at IS NULL", [])?;
        return Ok((0, after));
    };
    let Some(next) = next_state(DeliveryState::Pending, Event::Restored) else {
        return Err(missing());
    };
    let failure = to_json("failure", &may_have_been_sent(mark)?)?;
    for (id, run) in &pending {
        put_aside(db, *id)?;
        db.prepare_cached(
            "UPDATE delivery SET state = ?2, attempted_at = ?3, not_before = NULL, updated_at = ?4 WHERE id = ?1",
        )?
        .execute((*id, next.as_str(), mark.backup_at, writing.now.as_microsecond()))?;
        db.prepare_cached("UPDATE delivery_content SET failure = ?2 WHERE delivery = ?1")?
            .execute((*id, &failure))?;
        writing.touch(*id);
        writing.count(run, Some(DeliveryState::Pending), next);
    }
    Ok((u64::try_from(pending.len()).unwrap_or(u64::MAX), last))
}

/// Why a delivery of a restored home is in doubt.
pub(crate) fn may_have_been_sent(mark: &Mark) -> Result<Failure, StoreError> {
    let backup_at = from_micros(mark.backup_at)?;
    Ok(Failure::new(
        codes::IN_DOUBT,
        Meaning::InDoubt,
        "this home came back from a backup, and this may have been sent since",
    )
    .detail(format!(
        "The backup is of {backup_at}; what was sent after that is not in the ledger."
    ))
    .hint(
        "It is looked up at the provider where the operation allows that. Otherwise decide with \
         `delivery resolve KEY --as sent|again|skip`. `home show` tells about the mark.",
    ))
}

fn missing() -> StoreError {
    StoreError::Unreadable {
        what: "mark of a restored home",
        detail: "it was written and is not there".to_owned(),
    }
}
