//! Dropping old contents (rule 7): what was sent stays known, what it said does not.

use jiff::Timestamp;

use crate::{Store, StoreError};

/// Contents dropped by one call at most, so that other writers are not held up for long.
const MAX_DROPPED: u32 = 10_000;

impl Store {
    /// Drops keys, inputs, requests and results of deliveries that ended before a time and that no later step
    /// needs. The hashes of their keys stay, so they are never sent again. Returns how many were dropped;
    /// call again until it is 0.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn drop_contents(&self, ended_before: Timestamp) -> Result<usize, StoreError> {
        self.write(move |writing| {
            let old: Vec<i64> = writing
                .connection
                .prepare_cached(
                    "SELECT c.delivery FROM delivery_content c JOIN delivery d ON d.id = c.delivery
                     WHERE d.updated_at < ?1 AND ((d.state = 'delivered' AND d.settled = 1) OR d.state = 'skipped')
                     ORDER BY c.delivery LIMIT ?2",
                )?
                .query_map((ended_before.as_microsecond(), MAX_DROPPED), |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            for delivery in &old {
                for sql in [
                    "DELETE FROM delivery_content WHERE delivery = ?1",
                    "UPDATE attempt SET failure = NULL WHERE delivery = ?1",
                    "UPDATE look_up SET detail = '' WHERE delivery = ?1",
                ] {
                    writing.connection.prepare_cached(sql)?.execute([delivery])?;
                }
            }
            Ok(old.len())
        })
        .await
    }
}
