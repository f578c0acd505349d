//! Business databases from the outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod bench;
mod contract;
mod folders;
mod fuzz;
mod locking;
mod opening;
mod outbox;
mod reading;
mod streaming;
mod writing;
