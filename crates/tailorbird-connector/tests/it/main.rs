//! The connector against a provider that behaves, and one that does not.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    clippy::result_large_err,
    clippy::format_push_string,
    clippy::too_many_lines,
    reason = "tests fail by panicking"
)]

mod answers;
mod authorize;
mod batches;
mod build;
mod diagnose;
mod fixtures;
mod judge;
mod look_up;
mod pages;
mod properties;
mod provider;
mod resolve;
mod secrets;
mod services;
mod shown;
mod signing;
mod transport;
