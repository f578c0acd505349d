//! The outer interface, to the letter: flags, JSON forms, exit codes, errors. Scripts of others hold on to it.

mod bulk;
mod calls;
mod connections;
mod deliveries;
mod help;
mod rest;
mod retention;
mod sandbox;
mod sign;
mod tasks;
mod verify;
