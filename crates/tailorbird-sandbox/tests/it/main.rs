//! The sandbox from outside: real listeners, real HTTP, signed requests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::format_push_string,
    clippy::too_many_lines,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod admin;
mod api_accounts;
mod api_lists;
mod api_lookup;
mod api_media;
mod api_messages;
mod api_posts;
mod api_support;
mod api_timelines;
mod api_users;
mod api_v1;
mod client;
mod faults;
mod fuzz;
mod limits;
mod oauth;
mod oauth_refusals;
mod portal_flow;
mod portal_forms;
mod portal_guard;
mod portal_pages;
mod portal_support;
mod proxy;
mod state;
mod tls;
