//! The rules of sending, from the outside (never-twice rules 1, 2, 9, 12, 13, 19, 20, 21).

mod answers;
mod content;
mod holding;
mod identity;
mod keys;
mod shapes;
