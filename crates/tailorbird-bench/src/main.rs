#![doc = include_str!("../README.md")]

mod args;
mod floor;
mod machine;
mod mock;
mod oauth;
mod parts;
mod peers;
mod process;
mod product;
mod provider;
mod report;
mod say;
mod source;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use crate::args::{Arguments, Inner};

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::talk(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    match arguments.inner {
        Some(Inner::Mock) => mock::serve(),
        Some(Inner::Floor {
            client,
            root,
            rows,
            workers,
            ledger,
        }) => {
            let ended = floor::run(client, &root, rows, workers, ledger)?;
            say::line(&ended.to_string())
        }
        None => parts::run(&arguments.plan),
    }
}
