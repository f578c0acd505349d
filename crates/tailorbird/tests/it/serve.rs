//! `serve`: the program as a server.

mod listening;
mod support;
