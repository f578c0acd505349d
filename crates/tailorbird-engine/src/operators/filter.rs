//! `filter`: which records go on, by a condition and by memory.
//!
//! Invariant: a record is remembered after the later steps have taken it. A crash in between lets it through
//! again, which they stand; the other order would lose it.

use std::collections::HashMap;

use tailorbird_model::expression::Scope;
use tailorbird_model::key::DeliveryKey;
use tailorbird_model::task::Only;
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_store::Fingerprint;

use super::unusable;
use crate::deliver::key_of;
use crate::drive::Driver;
use crate::durable::RunEnd;
use crate::plan::{FilterPlan, Plan};
use crate::tail::Emitted;

/// What a filter lets through.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    pub(crate) records: Vec<Emitted>,
    /// What is to be remembered of them.
    pub(crate) memory: Vec<(DeliveryKey, Fingerprint)>,
    pub(crate) left_out: u64,
}

impl Driver {
    pub(crate) async fn filter(
        &mut self,
        plan: &Plan,
        filter: &FilterPlan,
        records: &[Emitted],
    ) -> Result<(), RunEnd> {
        let passed = self.passed(filter, records)?;
        self.counts.not_due += passed.left_out;
        self.hand_on(plan, &filter.id, &passed.records).await?;
        if !passed.memory.is_empty() {
            self.engine
                .store
                .remember(&self.task, &filter.id, passed.memory)
                .await?;
        }
        Ok(())
    }

    /// Works out which records go on; remembers nothing yet.
    pub(crate) fn passed(&self, filter: &FilterPlan, records: &[Emitted]) -> Result<Passed, RunEnd> {
        let mut due = Vec::with_capacity(records.len());
        for record in records {
            let scope = self.see_of(record);
            let is_due =
                is_due(filter, &scope).map_err(|failure| unusable(&filter.id, &record.record, failure))?;
            if is_due {
                due.push(record.clone());
            }
        }
        let passed = match (filter.step.only, &filter.key) {
            (Some(only), Some(template)) => {
                let mut named = Vec::with_capacity(due.len());
                for record in due {
                    let plain = record.for_key();
                    let scope = self.see_of(&plain);
                    let key = key_of(&filter.id, &filter.expressions, template, &scope, &record.record)?;
                    let looks = fingerprint(filter, &plain)
                        .map_err(|failure| unusable(&filter.id, &record.record, failure))?;
                    named.push((record, key, looks));
                }
                let keys: Vec<DeliveryKey> = named.iter().map(|(_, key, _)| key.clone()).collect();
                let known = self.engine.store.remembered(&self.task, &filter.id, &keys)?;
                let known = keys.into_iter().zip(known);
                unknown(only, named, known.filter_map(|(key, looks)| Some((key, looks?))))
            }
            _ => Passed {
                records: due,
                ..Passed::default()
            },
        };
        let left_out = records.len().saturating_sub(passed.records.len());
        Ok(Passed {
            left_out: u64::try_from(left_out).unwrap_or_default(),
            ..passed
        })
    }
}

fn is_due(filter: &FilterPlan, scope: &Scope) -> Result<bool, Failure> {
    filter
        .when
        .as_ref()
        .map_or(Ok(true), |when| filter.expressions.truth(when, scope))
}

/// Those records that are not known, or look otherwise than the last time. Of several with one key, each is
/// held against the one before it.
fn unknown(
    only: Only,
    named: Vec<(Emitted, DeliveryKey, Fingerprint)>,
    known: impl Iterator<Item = (DeliveryKey, Fingerprint)>,
) -> Passed {
    let mut known: HashMap<DeliveryKey, Fingerprint> = known.collect();
    let mut passed = Passed::default();
    for (record, key, looks) in named {
        let goes_on = match (known.get(&key), only) {
            (None, _) => true,
            (Some(_), Only::New) => false,
            (Some(before), Only::Changed) => *before != looks,
        };
        if goes_on {
            known.insert(key.clone(), looks);
            passed.records.push(record);
            passed.memory.push((key, looks));
        }
    }
    passed
}

/// How a record looks: its compared columns with their types. The record comes as keys see it, so that 1.10
/// and 1.1 are no change.
fn fingerprint(filter: &FilterPlan, record: &Emitted) -> Result<Fingerprint, Failure> {
    let mut compared = Vec::new();
    if filter.step.compare.is_empty() {
        compared.extend(record.record.iter());
    }
    for name in &filter.step.compare {
        let value = record.record.get(name).ok_or_else(|| {
            let message = format!("the record has no column `{name}`, which `compare` names");
            let known = record.record.columns().join(", ");
            Failure::new(codes::COLUMN_UNKNOWN, Meaning::Rejected, message).hint(format!("It has {known}."))
        })?;
        compared.push((name.as_str(), value));
    }
    let text = serde_json::to_string(&compared).unwrap_or_default();
    Ok(Fingerprint::of(&text))
}
