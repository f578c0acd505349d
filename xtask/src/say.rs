//! All that xtask tells a person. Progress goes to standard error, where the test runner writes too, so
//! that the lines stay in order; the runner's summary is the last thing printed.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the one module that prints"
)]

use std::time::Duration;

/// A stage begins.
pub(crate) fn stage(number: usize, total: usize, name: &str, command: &str) {
    eprintln!("\n== {number}/{total} {name}: {command}");
}

/// A stage ended well.
pub(crate) fn done(name: &str, took: Duration) {
    eprintln!("== {name}: done in {:.1} s", took.as_secs_f64());
}

/// Something worth knowing while it goes on.
pub(crate) fn note(text: &str) {
    eprintln!("   {text}");
}

/// A line of data.
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// The command ended badly: message and causes.
pub(crate) fn failure(error: &anyhow::Error) {
    eprintln!("\nerror: {error:#}");
}
