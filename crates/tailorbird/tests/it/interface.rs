//! The outer interface, to the letter: flags, JSON forms, exit codes, errors. Scripts of others hold on to it.

mod calls;
mod connections;
mod deliveries;
mod help;
mod rest;
mod sandbox;
mod sign;
mod tasks;
mod verify;
