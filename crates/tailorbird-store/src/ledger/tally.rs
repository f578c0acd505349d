//! What each run made of its deliveries, by the state they came to: noted while a commit runs, stored once at its end.
//!
//! Counting a million rows anew would cost more than sending them, and a trigger for each row costs a seventh of what
//! the ledger does.

use rusqlite::Connection;
use tailorbird_model::delivery::DeliveryState;

use crate::StoreError;

/// What a commit changes in `run_tally`. A commit rarely holds more than a few runs, so they are looked through.
#[derive(Debug, Default)]
pub(crate) struct Tally(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    run: String,
    state: DeliveryState,
    more: i64,
}

impl Tally {
    /// Adds to a run's number of deliveries in a state. States that deliveries only pass through are not counted.
    pub(crate) fn add(&mut self, run: &str, state: DeliveryState, more: i64) {
        if !is_counted(state) {
            return;
        }
        let known = self
            .0
            .iter_mut()
            .find(|entry| entry.state == state && entry.run == run);
        match known {
            Some(entry) => entry.more += more,
            None => self.0.push(Entry {
                run: run.to_owned(),
                state,
                more,
            }),
        }
    }

    /// Adds all of another.
    pub(crate) fn merge(&mut self, other: &Self) {
        for entry in &other.0 {
            self.add(&entry.run, entry.state, entry.more);
        }
    }

    /// Writes it, inside the transaction that it is about.
    pub(crate) fn store(&self, db: &Connection) -> Result<(), StoreError> {
        for entry in self.0.iter().filter(|entry| entry.more != 0) {
            db.prepare_cached(
                "INSERT INTO run_tally (run, state, number) VALUES (?1, ?2, ?3)
                 ON CONFLICT (run, state) DO UPDATE SET number = number + excluded.number",
            )?
            .execute((&entry.run, entry.state.as_str(), entry.more))?;
        }
        Ok(())
    }
}

/// Where a delivery comes to rest.
fn is_counted(state: DeliveryState) -> bool {
    match state {
        DeliveryState::Delivered
        | DeliveryState::Rejected
        | DeliveryState::InDoubt
        | DeliveryState::Skipped => true,
        DeliveryState::Pending | DeliveryState::Sending => false,
    }
}
