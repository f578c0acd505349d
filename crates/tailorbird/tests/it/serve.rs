//! `serve`: the program as a server.

mod approving;
mod decisions;
mod hand_over;
mod listening;
mod schedules;
mod stopping;
pub(crate) mod support;
