//! Dropping what is done: contents first, then the memory that it was ever received.

use jiff::SignedDuration;
use rusqlite::params;

use crate::{Store, StoreError};

/// How long the payload of an event stays after its run has ended, so that the run can be tried again.
const PAYLOAD_DAYS: i64 = 14;

/// How long a received event is recognised when it comes again. Providers repeat for at most a few days.
const MEMORY_DAYS: i64 = 90;

/// How many events that are done are remembered in all, whatever their age; the oldest go first.
const MAX_REMEMBERED: i64 = 1_000_000;

/// Rows changed by one call at most, so that other writers are not held up for long.
const MAX_CHANGED: i64 = 10_000;

impl Store {
    /// Drops payloads and memories of events that are done and old. Events that wait, or that a run has, are
    /// never dropped. Returns how many rows were changed; call again until it is 0.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn forget_events(&self) -> Result<usize, StoreError> {
        self.write(|writing| {
            let before = |days: i64| {
                let age = SignedDuration::from_hours(24 * days);
                writing.now.checked_sub(age).map_or(0, jiff::Timestamp::as_microsecond)
            };
            let db = writing.connection;
            let emptied = db
                .prepare_cached(
                    "UPDATE trigger_event SET payload = NULL WHERE id IN (
                         SELECT id FROM trigger_event
                         WHERE state = 'done' AND done_at < ?1 AND payload IS NOT NULL LIMIT ?2)",
                )?
                .execute(params![before(PAYLOAD_DAYS), MAX_CHANGED])?;
            let old = db
                .prepare_cached(
                    "DELETE FROM trigger_event WHERE id IN (
                         SELECT id FROM trigger_event WHERE state = 'done' AND done_at < ?1 LIMIT ?2)",
                )?
                .execute(params![before(MEMORY_DAYS), MAX_CHANGED])?;
            let surplus = db
                .prepare_cached(
                    "DELETE FROM trigger_event WHERE id IN (
                         SELECT id FROM trigger_event WHERE state = 'done' ORDER BY done_at
                         LIMIT min(?2, max(0, (SELECT count(*) FROM trigger_event WHERE state = 'done') - ?1)))",
                )?
                .execute(params![MAX_REMEMBERED, MAX_CHANGED])?;
            Ok(emptied + old + surplus)
        })
        .await
    }
}
