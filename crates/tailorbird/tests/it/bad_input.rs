//! Everything on the list of bad input: each gets a clear message with a code, what is valid and what to do,
//! and nothing is lost.

mod authorizing;
mod credentials;
mod files;
mod names;
mod places;
mod records;
mod tasks;
