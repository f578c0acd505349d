#![doc = include_str!("../README.md")]

pub mod access;
pub mod account;
pub mod approval;
pub mod change;
pub mod codes;
pub mod connection;
pub mod database;
pub mod delivery;
pub mod event;
pub mod expression;
pub mod failure;
pub mod fault;
pub mod key;
pub mod mail;
pub mod measure;
pub mod money;
pub mod name;
pub mod ports;
pub mod run;
pub mod schedule;
pub mod service;
pub mod task;
pub mod text;
pub mod trace;
pub mod value;
pub mod yaml;

pub use failure::{Failure, Meaning};
pub use name::Name;
pub use value::{Record, Value};
