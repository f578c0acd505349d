//! The store from the outside: what it keeps, what it refuses, and what survives.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod audit;
mod backup;
mod bench;
mod budgets;
mod chain;
mod charges;
mod crash;
mod deciding;
mod definitions;
mod durability;
mod enrolling;
mod events;
mod firings;
mod fuzz;
mod group_commit;
mod home;
mod identity;
mod migrations;
mod opening;
mod properties;
mod reading;
mod resolving;
mod restored;
mod retention;
mod runs;
mod secrets;
mod sending;
mod sessions;
mod transitions;
