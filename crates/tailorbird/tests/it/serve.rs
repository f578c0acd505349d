//! `serve`: the program as a server.

mod listening;
mod schedules;
mod stopping;
mod support;
