//! Clocks that jump, forwards and backwards, between processes and under a running one. By libfaketime, which stands
//! between the program and the system's clock.

use std::path::{Path, PathBuf};

use super::{PRODUCTS, all_once, announcing, skipped};
use crate::serve::support::until_slowly;
use crate::support::{Home, Said, Sandbox};

/// Where Debian puts the library.
const PLACES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
];

/// The library; none where it is not installed, which the test says and passes.
pub(super) fn library() -> Option<PathBuf> {
    let found = PLACES.iter().map(Path::new).find(|path| path.exists());
    if found.is_none() {
        skipped("libfaketime is not installed (`cargo xtask prepare`)");
    }
    found.map(Path::to_owned)
}

/// A command of a process whose clock is off by what the file says, such as `+2h` or `-400d`. Only the time of day
/// jumps: the clock that measures spans goes on, as it does when somebody sets the time.
pub(super) fn off(home: &Home, library: &Path, arguments: &[&str]) -> std::process::Command {
    let mut command = home.command(arguments);
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", home.file("time"))
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1")
        .env("FAKETIME_NO_CACHE", "1");
    command
}

fn run_at(home: &Home, library: &Path, shift: &str) -> Said {
    home.write("time", shift);
    off(home, library, &["task", "run", "announce"])
        .output()
        .unwrap()
        .into()
}

#[test]
fn a_run_after_the_clock_went_back_or_forth_sends_nothing_again() {
    let Some(library) = library() else { return };
    let sandbox = Sandbox::start(&[]);
    let home = announcing(&sandbox);
    for shift in ["+400d", "-400d", "+0"] {
        let said = run_at(&home, &library, shift);
        assert!(
            [0, 1, 3].contains(&said.code),
            "{shift}: {} {}",
            said.stdout,
            said.stderr
        );
        let accepted = sandbox.accepted();
        assert!(
            accepted <= u64::try_from(PRODUCTS).unwrap(),
            "{shift}: {accepted}"
        );
    }
    home.run(&["task", "run", "announce"]).expect(0);
    all_once(&home, &sandbox);
}

#[test]
fn a_clock_that_jumps_under_a_run_stops_nothing() {
    for shift in ["+3d", "-3d"] {
        let Some(library) = library() else { return };
        let sandbox = Sandbox::start(&[]);
        let home = announcing(&sandbox);
        home.write("time", "+0");
        let mut run = off(&home, &library, &["task", "run", "announce"])
            .spawn()
            .unwrap();
        until_slowly("some are sent", || sandbox.accepted() > 0);
        home.write("time", shift);
        drop(run.wait());
        home.run(&["task", "run", "announce"]).expect(0);
        all_once(&home, &sandbox);
    }
}
