//! `serve`: the program as a server.

mod hand_over;
mod listening;
mod schedules;
mod stopping;
mod support;
