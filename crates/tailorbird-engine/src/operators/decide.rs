//! `decide`: each record takes the first branch whose condition holds.

use std::collections::BTreeMap;

use tailorbird_model::expression::Scope;
use tailorbird_model::{Failure, Name};

use super::unusable;
use crate::drive::Driver;
use crate::durable::RunEnd;
use crate::plan::{DecidePlan, Plan};
use crate::tail::Emitted;

impl Driver {
    pub(crate) async fn decide(
        &mut self,
        plan: &Plan,
        decide: &DecidePlan,
        records: &[Emitted],
    ) -> Result<(), RunEnd> {
        let mut branches: BTreeMap<&Name, Vec<Emitted>> = BTreeMap::new();
        for record in records {
            let scope = self.see_of(record);
            let taken =
                branch_of(decide, &scope).map_err(|failure| unusable(&decide.id, &record.record, failure))?;
            match taken {
                Some(branch) => branches.entry(branch).or_default().push(record.clone()),
                None => self.counts.not_due += 1,
            }
        }
        // In the order of the file, so that a run does the same each time.
        for (name, _) in &decide.branches {
            if let Some(records) = branches.get(name) {
                self.hand_on(plan, name, records).await?;
            }
        }
        Ok(())
    }
}

/// The branch that a record takes; none where no condition holds.
pub(crate) fn branch_of<'p>(decide: &'p DecidePlan, scope: &Scope) -> Result<Option<&'p Name>, Failure> {
    for (name, when) in &decide.branches {
        let holds = match when {
            Some(when) => decide.expressions.truth(when, scope)?,
            None => true,
        };
        if holds {
            return Ok(Some(name));
        }
    }
    Ok(None)
}
