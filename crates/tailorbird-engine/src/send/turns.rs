//! Who comes first when a used up limit opens again.
//!
//! Slots are given in the order of asking ([`super::gate`]), but whoever takes the last calls of a window keeps all
//! others out until the next one; and then all ask at once, with many workers or with one. So a run that got nothing
//! in a window comes first in the next, and before those that went short later: the others stand back until it is served. This is kept in memory
//! only: after a restart the order is one of chance again, for one window.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tailorbird_model::ports::BudgetId;
use tailorbird_model::run::RunId;

use crate::drive::Driver;
use crate::durable::RunEnd;
use crate::limits::{GIVE_WAY_EVERY, MAX_GIVEN_WAY};

/// The runs that went short, by credential.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<Short>>);

type Short = HashMap<BudgetId, HashMap<RunId, Standing>>;

#[derive(Debug, Clone, Copy)]
struct Standing {
    /// Since when it has got nothing.
    since: Timestamp,
    /// When the limit opens for it.
    until: Timestamp,
}

impl Turns {
    // The map is whole after every statement, so poison is no danger here.
    fn lock(&self) -> MutexGuard<'_, Short> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn went_short(&self, of: &BudgetId, run: &RunId, now: Timestamp, until: Timestamp) {
        let mut short = self.lock();
        let runs = short.entry(of.clone()).or_default();
        let since = runs.get(run).map_or(now, |known| known.since);
        runs.insert(run.clone(), Standing { since, until });
    }

    fn served(&self, of: &BudgetId, run: &RunId) {
        if let Some(runs) = self.lock().get_mut(of) {
            runs.remove(run);
        }
    }

    /// Forgets a run that waits no more.
    pub(crate) fn forget(&self, run: &RunId) {
        self.lock().retain(|_, runs| {
            runs.remove(run);
            !runs.is_empty()
        });
    }

    /// Tells whether a run has to stand back: another one has gone short for longer, and its time has come. One that
    /// was paused meanwhile, or never comes, is not waited for any longer than [`MAX_GIVEN_WAY`].
    fn stands_back(&self, of: &BudgetId, run: &RunId, now: Timestamp) -> bool {
        let longest = SignedDuration::try_from(MAX_GIVEN_WAY).unwrap_or_default();
        let mut short = self.lock();
        let Some(runs) = short.get_mut(of) else {
            return false;
        };
        runs.retain(|_, standing| now.duration_since(standing.until) <= longest);
        let own = runs.get(run).map(|standing| standing.since);
        runs.values()
            .any(|other| other.until <= now && own.is_none_or(|own| other.since < own))
    }
}

impl Driver {
    /// Notes that the run has to wait for a limit of a credential; it went short where it got nothing since it waited
    /// last.
    pub(crate) fn waits_for(&mut self, of: &BudgetId, until: Timestamp) {
        if !self.served.remove(of) {
            self.engine
                .turns
                .went_short(of, &self.run, self.engine.store.now(), until);
        }
    }

    /// Notes that the run could make calls with a credential.
    pub(crate) fn was_served(&mut self, of: &BudgetId) {
        self.engine.turns.served(of, &self.run);
        if !self.served.contains(of) {
            self.served.insert(of.clone());
        }
    }

    /// Lets runs go first that went short of the calls of a credential.
    pub(crate) async fn give_way(&mut self, of: &BudgetId) -> Result<(), RunEnd> {
        while self
            .engine
            .turns
            .stands_back(of, &self.run, self.engine.store.now())
        {
            self.stop.wait(GIVE_WAY_EVERY).await;
            self.look_up_requests().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_went_short_comes_first_and_is_not_waited_for_without_end() {
        let (turns, of) = (Turns::default(), BudgetId::new("c".to_owned()));
        let (big, small) = (RunId("big".to_owned()), RunId("small".to_owned()));
        let now = Timestamp::UNIX_EPOCH;
        let later = |seconds| now + SignedDuration::from_secs(seconds);
        turns.went_short(&of, &small, later(0), later(10));
        assert!(!turns.stands_back(&of, &big, later(9)), "it waits itself");
        assert!(turns.stands_back(&of, &big, later(10)));
        assert!(!turns.stands_back(&of, &small, later(10)));
        assert!(!turns.stands_back(&BudgetId::new("d".to_owned()), &big, later(10)));
        turns.served(&of, &small);
        assert!(!turns.stands_back(&of, &big, later(10)));
        turns.went_short(&of, &small, later(12), later(20));
        turns.went_short(&of, &big, later(11), later(20));
        assert!(
            !turns.stands_back(&of, &big, later(20)),
            "it went short before the other"
        );
        assert!(turns.stands_back(&of, &small, later(20)));
        turns.went_short(&of, &big, later(20), later(30));
        assert!(
            !turns.stands_back(&of, &small, later(20)),
            "the other waits again"
        );
        turns.forget(&big);
        assert!(turns.stands_back(&of, &big, later(20)));
        assert!(!turns.stands_back(&of, &big, later(24)), "it does not come");
    }
}
