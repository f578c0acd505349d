//! Tests of the crate from outside: published cases, own cases, properties.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests fail by panicking, and say on stderr when data is absent"
)]

mod compare;
mod conformance;
mod extract;
mod length;
mod measure;
mod properties;
mod rewrite;
mod yaml;
