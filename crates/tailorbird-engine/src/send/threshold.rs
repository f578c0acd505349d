//! Stops the sending of a run of which too much is rejected.

use std::sync::Mutex;

use tailorbird_model::delivery::Event;
use tailorbird_model::run::Counts;
use tailorbird_model::task::StopAfter;
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::Outcome;

use crate::drive::Driver;
use crate::durable::RunEnd;
use crate::plan::Plan;

/// Counts outcomes against a task's threshold while its deliveries are sent.
#[derive(Debug)]
pub(super) struct Threshold {
    stop: StopAfter,
    counted: Mutex<(u64, u64)>,
}

impl Threshold {
    /// Takes an outcome in; tells whether the threshold is reached.
    pub(super) fn is_reached_with(&self, outcome: &Outcome) -> bool {
        let is_refused = outcome.event == Event::Refused;
        let has_ended = is_refused || matches!(outcome.event, Event::Accepted | Event::Lost);
        let mut counted = self
            .counted
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        counted.0 += u64::from(is_refused);
        counted.1 += u64::from(has_ended);
        is_refused && self.stop.is_reached(counted.0, counted.1)
    }
}

/// All that have an outcome.
fn ended(counts: &Counts) -> u64 {
    counts.delivered + counts.rejected + counts.in_doubt + counts.skipped
}

impl Driver {
    /// The threshold of the task as the run stands now; none where the task has none.
    pub(super) fn threshold(&self, plan: &Plan) -> Result<Option<Threshold>, RunEnd> {
        let Some(stop) = plan.stop else {
            return Ok(None);
        };
        let known = self.engine.store.run_delivery_counts(&self.run)?;
        let (rejected, all) = self.engine.store.threshold_base(&self.run)?;
        let counted = Mutex::new((
            known.rejected.saturating_sub(rejected),
            ended(&known).saturating_sub(all),
        ));
        Ok(Some(Threshold { stop, counted }))
    }

    /// Ends the run where the threshold is reached. A person who lets it go on lets the counting begin anew.
    pub(super) async fn check_threshold(&self, plan: &Plan, step: &Name) -> Result<(), RunEnd> {
        let Some(threshold) = self.threshold(plan)? else {
            return Ok(());
        };
        let (rejected, all) = *threshold
            .counted
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if !threshold.stop.is_reached(rejected, all) {
            return Ok(());
        }
        let known = self.engine.store.run_delivery_counts(&self.run)?;
        let base = (known.rejected, ended(&known));
        self.engine
            .store
            .set_threshold_base(&self.run, base.0, base.1)
            .await?;
        Err(RunEnd::Attention(reached(threshold.stop, step, rejected, all)))
    }
}

fn reached(limit: StopAfter, step: &Name, rejected: u64, all: u64) -> Failure {
    let allowed = [
        limit
            .after_rejected
            .map(|most| format!("after {most} rejected records")),
        limit.after_share.map(|share| {
            let thousandths = share.thousandths();
            format!("where {}.{} % are rejected", thousandths / 10, thousandths % 10)
        }),
    ];
    let allowed: Vec<String> = allowed.into_iter().flatten().collect();
    Failure::new(
        codes::THRESHOLD,
        Meaning::NotSent,
        format!("step `{step}` was stopped: {rejected} of {all} records were rejected"),
    )
    .detail(format!(
        "The task stops {}. What was not sent stays pending; nothing is lost.",
        allowed.join(", or ")
    ))
    .hint("Look at them with `tailorbird delivery list --state rejected`, mend the cause, then run the task again.")
}
