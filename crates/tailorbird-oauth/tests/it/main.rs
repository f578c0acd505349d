//! The outside view of the crate: conformance data, the 19 traps, properties, messages, verification.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod case;
mod clients;
mod conformance;
mod diagnosis;
mod disputed;
mod freshness;
mod fuzz;
mod keys;
mod messages;
mod placement;
mod properties;
mod refusals;
mod secrecy;
mod traps;
mod verification;
mod wire_urls;
