//! What the sandbox received, and what it made of each request.

pub(super) mod list;
pub(super) mod one;
pub(super) mod row;
