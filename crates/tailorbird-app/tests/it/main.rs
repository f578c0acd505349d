//! The use-cases from the outside, without a command line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod fuzz;
mod hand_over;
mod house;
mod supervise;
mod waiting;
