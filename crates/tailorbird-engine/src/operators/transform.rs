//! `transform`: new columns from expressions.

use tailorbird_model::expression::Scope;
use tailorbird_model::{Failure, Record};

use super::unusable;
use crate::drive::Driver;
use crate::durable::RunEnd;
use crate::plan::{Plan, TransformPlan, evaluate};
use crate::tail::Emitted;

impl Driver {
    pub(crate) async fn transform(
        &mut self,
        plan: &Plan,
        transform: &TransformPlan,
        records: &[Emitted],
    ) -> Result<(), RunEnd> {
        let mut changed = Vec::with_capacity(records.len());
        for record in records {
            let scope = self.see_of(record);
            let new = transformed(transform, record, &scope)
                .map_err(|failure| unusable(&transform.id, &record.record, failure))?;
            changed.push(new);
        }
        self.hand_on(plan, &transform.id, &changed).await
    }
}

/// The record with its new columns. All expressions see it as it came.
pub(crate) fn transformed(
    transform: &TransformPlan,
    record: &Emitted,
    scope: &Scope,
) -> Result<Emitted, Failure> {
    let new = evaluate(&transform.expressions, &transform.columns, scope)?;
    if !transform.keep {
        return Ok(Emitted::inside(Record::from_pairs(new), record));
    }
    let kept = record.record.iter().map(|(name, value)| {
        let value = new.get(name).unwrap_or(value);
        (name.to_owned(), value.clone())
    });
    let added = new
        .iter()
        .filter(|(name, _)| record.record.get(name).is_none())
        .map(|(name, value)| (name.clone(), value.clone()));
    Ok(Emitted {
        record: Record::from_pairs(kept.chain(added)),
        ..record.clone()
    })
}
