//! What a call uses up, counted in the commit of its intent: the limits that a service file states, and money.
//!
//! Counting stands in the writer's transaction, so it is exact over tasks and processes and holds over restarts. A
//! call that does not fit any more is not begun: its run waits, which never makes a doubt (rule 5).

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _};
use tailorbird_model::Name;
use tailorbird_model::money::{Amount, Period, SpendingCap};

use crate::codec::from_micros;
use crate::writer::Writing;
use crate::{Store, StoreError};

/// One limit of a service file, for one credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallLimit {
    /// Whose calls count together: a credential by its digest, or a client key.
    pub whose: String,
    /// The operation; `*` for all.
    pub operation: String,
    /// Calls allowed in the window, or items of batches.
    pub calls: u32,
    /// The length of the window, in seconds.
    pub seconds: u32,
    /// Whether it counts items of batches in place of calls.
    pub counts_items: bool,
}

impl CallLimit {
    /// The name under which it is counted: items and calls of one operation are two limits.
    fn counted_as(&self) -> Cow<'_, str> {
        if self.counts_items {
            Cow::Owned(format!("{} (items)", self.operation))
        } else {
            Cow::Borrowed(&self.operation)
        }
    }

    /// How much a call with so many items adds.
    fn adds(&self, items: u32) -> u32 {
        if self.counts_items { items } else { 1 }
    }
}

/// What calls of an operation over a connection are counted against.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Charges {
    /// The connection whose spending counts.
    pub connection: Option<Name>,
    /// The limits that hold for it.
    pub limits: Vec<CallLimit>,
    /// The most that may be spent.
    pub cap: Option<SpendingCap>,
}

/// Why a call may not be begun now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// A limit of the service file is used up until a time.
    Limit {
        /// Which.
        limit: CallLimit,
        /// When its window begins anew.
        until: Timestamp,
    },
    /// The spending cap is reached until a time.
    Cap {
        /// What was spent in the period.
        spent: Amount,
        /// When the next period begins.
        until: Timestamp,
    },
    /// The call costs more than the whole cap, so it never fits.
    NeverFits,
}

/// How much of a limit is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitUse {
    /// The limit.
    pub limit: CallLimit,
    /// Calls in the current window.
    pub used: u32,
    /// When the window begins anew; none where it has no call yet.
    pub until: Option<Timestamp>,
}

impl Store {
    /// Counts a call with so many items and of that cost that only reads, or says until when it must wait. Writes are counted with their intent
    /// ([`Store::advance`]).
    ///
    /// # Errors
    /// Where the database refuses; then nothing may be called.
    pub async fn take_call(
        &self,
        charges: &Charges,
        items: u32,
        cost: Amount,
    ) -> Result<Option<Held>, StoreError> {
        if charges.limits.is_empty() && cost == Amount::default() {
            return Ok(None);
        }
        let charges = charges.clone();
        self.write(move |writing| {
            if let Some(held) = charges.held(writing, items, cost)? {
                return Ok(Some(held));
            }
            charges.count(writing, items, cost)?;
            Ok(None)
        })
        .await
    }

    /// How much of each limit is used now.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn limit_uses(&self, limits: &[CallLimit]) -> Result<Vec<LimitUse>, StoreError> {
        let now = (self.clock())();
        self.read(|db| {
            limits
                .iter()
                .map(|limit| {
                    let (used, until) = in_use(db, limit, now)?.unzip();
                    Ok(LimitUse {
                        limit: limit.clone(),
                        used: used.unwrap_or_default(),
                        until,
                    })
                })
                .collect()
        })
    }

    /// What a connection spent in the current period.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn spent(&self, connection: &Name, period: Period) -> Result<Amount, StoreError> {
        let (began, _) = period.around((self.clock())());
        self.read(|db| spent(db, connection, period, began))
    }
}

impl Charges {
    /// Why another call with so many items and of that cost may not be begun now.
    pub(crate) fn held(
        &self,
        writing: &Writing<'_>,
        items: u32,
        cost: Amount,
    ) -> Result<Option<Held>, StoreError> {
        for limit in &self.limits {
            if let Some((used, until)) = in_use(writing.connection, limit, writing.now)?
                && used.saturating_add(limit.adds(items)) > limit.calls
            {
                let limit = limit.clone();
                return Ok(Some(Held::Limit { limit, until }));
            }
        }
        if let (Some(cap), Some(connection)) = (&self.cap, &self.connection)
            && cost > Amount::default()
        {
            if cost > cap.amount {
                return Ok(Some(Held::NeverFits));
            }
            let (began, until) = cap.period.around(writing.now);
            let spent = spent(writing.connection, connection, cap.period, began)?;
            if spent.plus(cost) > cap.amount {
                return Ok(Some(Held::Cap { spent, until }));
            }
        }
        Ok(None)
    }

    /// Counts a call with so many items that is about to be made.
    pub(crate) fn count(&self, writing: &Writing<'_>, items: u32, cost: Amount) -> Result<(), StoreError> {
        let now = writing.now.as_microsecond();
        for limit in &self.limits {
            // A window that is over, or that begins in the future because the clock was set back, begins anew now;
            // in the second case what was used stays.
            writing
                .connection
                .prepare_cached(
                    "INSERT INTO limit_use (whose, operation, seconds, began_at, used) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (whose, operation, seconds) DO UPDATE SET
                         used = CASE WHEN began_at + seconds * 1000000 <= ?4 THEN 0 ELSE used END + ?5,
                         began_at = CASE WHEN began_at + seconds * 1000000 <= ?4 THEN ?4 ELSE min(began_at, ?4) END",
                )?
                .execute((
                    &limit.whose,
                    limit.counted_as(),
                    limit.seconds,
                    now,
                    limit.adds(items),
                ))?;
        }
        let Some(connection) = self.connection.as_ref().filter(|_| cost > Amount::default()) else {
            return Ok(());
        };
        for period in Period::ALL {
            let (began, _) = period.around(writing.now);
            writing
                .connection
                .prepare_cached(
                    "INSERT INTO spending (connection, period, began_at, millionths) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (connection, period) DO UPDATE SET
                         millionths = CASE WHEN began_at = ?3 THEN millionths ELSE 0 END + ?4, began_at = ?3",
                )?
                .execute((
                    connection.as_str(),
                    period.as_str(),
                    began.as_microsecond(),
                    cost.millionths(),
                ))?;
        }
        Ok(())
    }
}

/// What is used of a limit in its current window, and when that ends; nothing where no window is open.
fn in_use(
    db: &Connection,
    limit: &CallLimit,
    now: Timestamp,
) -> Result<Option<(u32, Timestamp)>, StoreError> {
    let found: Option<(i64, u32)> = db
        .prepare_cached(
            "SELECT began_at, used FROM limit_use WHERE whose = ?1 AND operation = ?2 AND seconds = ?3",
        )?
        .query_row((&limit.whose, limit.counted_as(), limit.seconds), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let Some((began, used)) = found else {
        return Ok(None);
    };
    let window = SignedDuration::from_secs(limit.seconds.into());
    // A clock that was set back must not park a run for longer than a window.
    let until = from_micros(began)?
        .min(now)
        .checked_add(window)
        .unwrap_or(Timestamp::MAX);
    Ok((until > now).then_some((used, until)))
}

fn spent(db: &Connection, connection: &Name, period: Period, began: Timestamp) -> Result<Amount, StoreError> {
    let millionths: Option<i64> = db
        .prepare_cached(
            "SELECT millionths FROM spending WHERE connection = ?1 AND period = ?2 AND began_at = ?3",
        )?
        .query_row(
            (connection.as_str(), period.as_str(), began.as_microsecond()),
            |row| row.get(0),
        )
        .optional()?;
    Ok(Amount::from_millionths(millionths.unwrap_or_default()))
}
