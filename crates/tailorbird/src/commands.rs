//! One file per noun: typed words in, calls to the app, data and talk out.

pub(crate) mod approval;
pub(crate) mod call;
pub(crate) mod completions;
pub(crate) mod connection;
pub(crate) mod database;
pub(crate) mod delivery;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod home;
pub(crate) mod input;
pub(crate) mod notice;
pub(crate) mod oauth1;
pub(crate) mod open;
pub(crate) mod rehearsal;
pub(crate) mod run;
pub(crate) mod sandbox;
pub(crate) mod serve;
pub(crate) mod service;
pub(crate) mod signals;
pub(crate) mod task;
mod wizard;
