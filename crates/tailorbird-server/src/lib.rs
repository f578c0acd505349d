#![doc = include_str!("../README.md")]

mod counters;
mod door;
mod exposition;
#[cfg(test)]
mod fuzz;
mod guard;
mod hooks;
mod metrics;
mod pages;
mod problem;
mod routes;
mod server;
mod web;

pub use pages::stated_routes;
pub use routes::{Access, Stated};
pub use server::{Addresses, Running, Settings, StartError, start};
