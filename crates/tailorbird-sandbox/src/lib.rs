#![doc = include_str!("../README.md")]

mod admin;
mod api;
mod clock;
mod entropy;
mod facts;
mod faults;
#[cfg(test)]
mod fuzz;
mod guard;
mod journal;
mod limits;
mod oauth;
mod pipeline;
mod portal;
mod proxy;
mod record;
mod server;
mod sessions;
mod settings;
mod shapes;
mod state;
mod tls;
mod visitor;

pub use facts::Facts;
pub use faults::{Fault, FaultKind};
pub use journal::JournalError;
pub use server::{Addresses, Running, StartError, start};
pub use settings::{LegacyV1, LimitMode, Settings, Verify};
pub use state::Level;
pub use tls::TlsError;
pub use visitor::*;

pub(crate) use server::{Sandbox, Shared};
