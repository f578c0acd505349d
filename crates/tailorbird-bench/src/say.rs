//! What is printed: figures on standard output, progress on standard error.
#![expect(clippy::print_stderr, reason = "the one module that prints")]

use std::io::Write as _;

use anyhow::Result;

/// A line of data.
pub(crate) fn line(text: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

/// How it goes on.
pub(crate) fn talk(text: &str) {
    eprintln!("{text}");
}
