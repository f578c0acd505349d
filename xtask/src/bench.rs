//! `cargo xtask bench`: builds the program and its measurement in the release profile, then measures.
//!
//! The words after `bench` go to crates/tailorbird-bench, whose help they are, too.

use std::ffi::OsString;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::prepare::{self, Folder};
use crate::{repository, run, say};

/// What the hand-written Node script needs.
const PACKAGES: [&str; 2] = ["package.json", "package-lock.json"];

/// Builds, installs what the scripts need, measures.
pub(crate) fn measure(words: &[OsString]) -> Result<()> {
    let root = repository::root()?;
    let mut build = Command::new("cargo");
    build.current_dir(&root).args([
        "build",
        "--release",
        "--locked",
        "-p",
        "tailorbird",
        "-p",
        "tailorbird-bench",
    ]);
    run::show(&mut build)?;
    let program = repository::target()?.join("release/tailorbird-bench");
    let mut bench = Command::new(program);
    bench.current_dir(&root).args(words);
    let asks = words.iter().any(|word| word == "--help" || word == "-h");
    if !asks && !words.iter().any(|word| word == "--no-scripts") {
        let folder = Folder::find()?;
        prepare::python(&folder)?;
        bench.arg("--python").arg(folder.venv().join("bin/python"));
        bench.arg("--node").arg(node(&folder)?);
    }
    run::show(&mut bench)
}

/// A Node with SQLite and a signer, from the lock file beside the script.
fn node(folder: &Folder) -> Result<std::path::PathBuf> {
    let from = repository::root()?.join("crates/tailorbird-bench/scripts");
    let lock = fs::read_to_string(from.join("package-lock.json"))
        .context("could not read the bench's package-lock.json")?;
    let to = folder.bench_node();
    let stamp = to.join("stamp");
    if !prepare::is_current(&stamp, &lock) {
        say::note(&format!("installing npm packages in {}", to.display()));
        fs::create_dir_all(&to).with_context(|| format!("could not make {}", to.display()))?;
        for name in PACKAGES {
            fs::copy(from.join(name), to.join(name)).with_context(|| format!("could not copy {name}"))?;
        }
        prepare::npm_ci(folder, &to)?;
        prepare::write_stamp(&stamp, &lock)?;
    }
    Ok(to)
}
