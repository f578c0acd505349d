//! Which tasks people want to go on, by what they decided about records.

use tailorbird_model::Name;

use crate::codec::parse;
use crate::{Store, StoreError};

/// A task with records that a person decided about and that no run has taken up since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedTask {
    /// The task.
    pub task: Name,
    /// The number of the last such decision.
    pub decision: i64,
}

/// Records that are to be sent again, or were called sent and are not handed to the later steps yet.
const WANTED: &str =
    "r.decision IN ('again', 'sent') AND (d.state = 'pending' OR (d.state = 'delivered' AND d.settled = 0))";

impl Store {
    /// The number of the last decision that a person took.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn last_decision(&self) -> Result<i64, StoreError> {
        self.read(|db| {
            Ok(db
                .prepare_cached("SELECT coalesce(max(id), 0) FROM resolution")?
                .query_row([], |row| row.get(0))?)
        })
    }

    /// The tasks that people want to go on by decisions after one.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn wanted_since(&self, after: i64) -> Result<Vec<WantedTask>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(&format!(
                "SELECT l.task, max(r.id) FROM resolution r JOIN delivery d ON d.id = r.delivery
                 JOIN lane l ON l.id = d.lane WHERE r.id > ?1 AND {WANTED} GROUP BY l.task ORDER BY 2"
            ))?;
            let mut rows = statement.query([after])?;
            let mut wanted = Vec::new();
            while let Some(row) = rows.next()? {
                wanted.push(WantedTask {
                    task: parse("task", &row.get::<_, String>(0)?)?,
                    decision: row.get(1)?,
                });
            }
            Ok(wanted)
        })
    }

    /// Tells whether a task still has such records, by decisions up to one.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn is_wanted(&self, wanted: &WantedTask) -> Result<bool, StoreError> {
        self.read(|db| {
            Ok(db
                .prepare_cached(&format!(
                    "SELECT EXISTS (SELECT 1 FROM resolution r JOIN delivery d ON d.id = r.delivery
                     JOIN lane l ON l.id = d.lane WHERE r.id <= ?2 AND l.task = ?1 AND {WANTED})"
                ))?
                .query_row((wanted.task.as_str(), wanted.decision), |row| row.get(0))?)
        })
    }
}
