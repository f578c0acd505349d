//! Judges of the built program. See the crate's README.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod clients;
mod connect;
mod crash;
mod durable;
mod http;
mod kill;
mod pages;
mod portal;
mod program;
mod provider;
mod sandbox;
mod script;
mod sign;
