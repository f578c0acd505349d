//! Tests of the model from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod expressions;
mod files;
mod fuzz;
mod ledger_states;
mod schedules;
mod values;
