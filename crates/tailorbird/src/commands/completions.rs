//! `completions SHELL`.

use clap::CommandFactory as _;

use crate::Ended;
use crate::args::Arguments;
use crate::render::Render;

pub(crate) fn run(shell: clap_complete::Shell, render: Render) -> Ended {
    // Into memory first: the generator panics where the reader closes the pipe early.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "tailorbird", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let json = serde_json::json!({"shell": shell.to_string(), "script": script});
    render.document(&json, || script);
    Ended::Well
}
