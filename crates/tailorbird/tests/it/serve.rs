//! `serve`: the program as a server.

mod hand_over;
mod listening;
mod schedules;
mod stopping;
pub(crate) mod support;
