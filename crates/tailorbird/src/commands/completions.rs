//! `completions SHELL`.

use clap::CommandFactory as _;

use crate::Ended;
use crate::args::Arguments;

pub(crate) fn run(shell: clap_complete::Shell) -> Ended {
    clap_complete::generate(
        shell,
        &mut Arguments::command(),
        "tailorbird",
        &mut std::io::stdout(),
    );
    Ended::Well
}
