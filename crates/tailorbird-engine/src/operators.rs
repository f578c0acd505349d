//! Steps that pass records on, one file each. Each of them may see a chunk twice and ends in the same state.

mod approve;
mod call_task;
mod decide;
mod filter;
mod for_each;
mod set;
mod transform;
mod wait;

pub(crate) use decide::branch_of;
pub(crate) use for_each::stepped_into;
pub(crate) use set::Variables;
pub(crate) use transform::transformed;

use tailorbird_model::{Failure, Name, Record};

use crate::deliver::beginning;
use crate::durable::RunEnd;

/// A record that a step cannot handle stops the run: leaving it out would lose it in silence.
pub(crate) fn unusable(step: &Name, record: &Record, failure: Failure) -> RunEnd {
    let known = format!("The record begins with {}.", beginning(record));
    let detail = if failure.detail.is_empty() {
        known
    } else {
        format!("{}\n{known}", failure.detail)
    };
    let message = format!("step `{step}`: {}", failure.message);
    RunEnd::Attention(Failure {
        message,
        ..failure.detail(detail)
    })
}
