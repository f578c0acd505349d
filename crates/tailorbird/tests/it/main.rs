//! The built program, as a person or a script uses it, against a sandbox in a process of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod support;

mod access_levels;
mod adversities;
mod bad_input;
mod batches;
mod cursors;
mod demo;
mod doubts;
mod fairness;
mod flow;
mod interface;
mod notices;
mod pages;
mod provider;
mod renames;
mod restoring;
mod rules;
mod secrets;
mod sending;
mod serve;
mod steps;
mod traces;
mod triggers;
mod wizard;
mod write_back;
