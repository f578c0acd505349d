//! What is left of each credential's limits, kept over restarts and shared by all tasks.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use tailorbird_model::ports::{Budget, BudgetId, BudgetReport};

use crate::codec::{from_micros, micros};
use crate::{Store, StoreError};

/// The family under which `Retry-After` is kept.
const RETRY_FAMILY: &str = "retry-after";

/// The longest wait that a provider may ask for. An absurd reset time must not park a task for years.
const MAX_WAIT: SignedDuration = SignedDuration::from_hours(48);

/// How old what we remember may get before other processes' reports are read.
const REFRESH_AFTER: SignedDuration = SignedDuration::from_secs(1);

/// One limit as it was last reported, for `connection show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetEntry {
    /// The operation that the report came with.
    pub operation: String,
    /// What the provider said.
    pub report: BudgetReport,
    /// When it said so.
    pub updated_at: Timestamp,
}

type Key = (String, String, String);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Left {
    allowed: Option<u64>,
    remaining: Option<u64>,
    reset_at: Option<Timestamp>,
    updated_at: Timestamp,
    shared: bool,
}

/// The limits in memory; the table is behind by at most the commits that wait.
pub(crate) struct Budgets {
    state: Mutex<State>,
}

struct State {
    left: HashMap<Key, Left>,
    read_at: Option<Timestamp>,
}

impl Budgets {
    pub(crate) fn load(db: &Connection) -> Result<Self, StoreError> {
        Ok(Self {
            state: Mutex::new(State {
                left: load(db)?,
                read_at: None,
            }),
        })
    }

    // The map is whole after every statement, so poison is no danger here.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// The limits of a credential as they were last reported, by operation and family.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn budget(&self, whose: &BudgetId) -> Result<Vec<BudgetEntry>, StoreError> {
        let now = (self.clock())();
        self.refresh_budgets(now)?;
        let state = self.budgets().lock();
        let mut entries: Vec<_> = state
            .left
            .iter()
            .filter(|((id, _, _), _)| id == whose.as_str())
            .map(|((_, operation, family), left)| BudgetEntry {
                operation: operation.clone(),
                report: BudgetReport {
                    family: family.clone(),
                    limit: left.allowed,
                    remaining: left.remaining,
                    reset_at: left.reset_at,
                    shared: left.shared,
                },
                updated_at: left.updated_at,
            })
            .collect();
        entries.sort_by(|a, b| (&a.operation, &a.report.family).cmp(&(&b.operation, &b.report.family)));
        Ok(entries)
    }

    /// Takes in what other processes reported, at most once per [`REFRESH_AFTER`].
    fn refresh_budgets(&self, now: Timestamp) -> Result<(), StoreError> {
        if self
            .budgets()
            .lock()
            .read_at
            .is_some_and(|at| now.duration_since(at).abs() < REFRESH_AFTER)
        {
            return Ok(());
        }
        let stored = self.read(load)?;
        let mut state = self.budgets().lock();
        state.read_at = Some(now);
        for (key, left) in stored {
            let known = state.left.entry(key).or_insert(left);
            if known.updated_at < left.updated_at {
                *known = left;
            }
        }
        Ok(())
    }
}

impl Budget for Store {
    fn wait_until(&self, whose: &BudgetId, operation: &str, now: Timestamp) -> Option<Timestamp> {
        if let Err(error) = self.refresh_budgets(now) {
            // What this process knows itself still counts; the provider's 429 is the last word anyway.
            tracing::warn!(%error, "the limits that other processes reported could not be read");
        }
        let latest = now.checked_add(MAX_WAIT).unwrap_or(now);
        let state = self.budgets().lock();
        let own = |id: &str, of: &str| id == whose.as_str() && of == operation;
        // An operation stands still with every other one that reports the same shared family.
        let is_shared_with = |family: &str| {
            let shared =
                |((id, of, known), left): (&Key, &Left)| own(id, of) && known == family && left.shared;
            state.left.iter().any(shared)
        };
        state
            .left
            .iter()
            .filter(|((id, of, family), left)| {
                left.remaining == Some(0)
                    && id == whose.as_str()
                    && (of == operation || (left.shared && is_shared_with(family)))
            })
            .filter_map(|(_, left)| left.reset_at)
            .filter(|reset_at| *reset_at > now)
            .max()
            .map(|reset_at| reset_at.min(latest))
    }

    fn report(
        &self,
        whose: &BudgetId,
        operation: &str,
        reports: &[BudgetReport],
        retry_at: Option<Timestamp>,
    ) {
        let now = (self.clock())();
        let retry = retry_at.map(|at| BudgetReport {
            family: RETRY_FAMILY.to_owned(),
            limit: None,
            remaining: Some(0),
            reset_at: Some(at),
            shared: false,
        });
        let mut changed = Vec::new();
        {
            let mut state = self.budgets().lock();
            for report in reports.iter().chain(&retry) {
                let key = (
                    whose.as_str().to_owned(),
                    operation.to_owned(),
                    report.family.clone(),
                );
                let left = Left {
                    allowed: report.limit,
                    remaining: report.remaining,
                    reset_at: report.reset_at,
                    updated_at: now,
                    shared: report.shared,
                };
                let before = state.left.insert(key.clone(), left);
                if before.is_none_or(|before| {
                    Left {
                        updated_at: now,
                        ..before
                    } != left
                }) {
                    changed.push((key, left));
                }
            }
        }
        if changed.is_empty() {
            return;
        }
        self.write_later(move |writing| {
            for ((whose, operation, family), left) in changed {
                let number = |value: Option<u64>| value.map(|value| i64::try_from(value).unwrap_or(i64::MAX));
                writing
                    .connection
                    .prepare_cached(
                        "INSERT INTO budget (whose, operation, family, allowed, remaining, reset_at, updated_at, shared)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                         ON CONFLICT (whose, operation, family) DO UPDATE
                         SET allowed = excluded.allowed, remaining = excluded.remaining,
                             reset_at = excluded.reset_at, updated_at = excluded.updated_at,
                             shared = excluded.shared",
                    )?
                    .execute((
                        whose,
                        operation,
                        family,
                        number(left.allowed),
                        number(left.remaining),
                        micros(left.reset_at),
                        left.updated_at.as_microsecond(),
                        left.shared,
                    ))?;
            }
            Ok(())
        });
    }
}

fn load(db: &Connection) -> Result<HashMap<Key, Left>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT whose, operation, family, allowed, remaining, reset_at, updated_at, shared FROM budget",
    )?;
    let mut rows = statement.query([])?;
    let mut left = HashMap::new();
    while let Some(row) = rows.next()? {
        let number = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok());
        left.insert(
            (row.get(0)?, row.get(1)?, row.get(2)?),
            Left {
                allowed: number(row.get(3)?),
                remaining: number(row.get(4)?),
                reset_at: row.get::<_, Option<i64>>(5)?.map(from_micros).transpose()?,
                updated_at: from_micros(row.get(6)?)?,
                shared: row.get(7)?,
            },
        );
    }
    Ok(left)
}
