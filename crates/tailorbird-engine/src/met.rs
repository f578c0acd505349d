//! Which deliveries a run has met, in little memory.

use std::collections::BTreeMap;

use tailorbird_model::delivery::DeliveryId;

/// Numbers under one word of the set.
const WORD: i64 = 64;

/// A set of delivery numbers. Records of one recordset get neighbouring numbers, so 64 of them share a word:
/// a million records need less than a megabyte.
#[derive(Debug, Default)]
pub(crate) struct Met(BTreeMap<i64, u64>);

impl Met {
    /// Adds a number; tells whether it is new.
    pub(crate) fn insert(&mut self, id: DeliveryId) -> bool {
        let bit = 1_u64 << id.0.rem_euclid(WORD);
        let word = self.0.entry(id.0.div_euclid(WORD)).or_default();
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}
