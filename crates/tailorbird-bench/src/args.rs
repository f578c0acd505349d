//! What the command line may say.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::floor::Client;

/// Measures the built program beside a floor and hand-written scripts, on one mock.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask bench",
    bin_name = "cargo xtask bench",
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
        cargo xtask bench\n  \
        cargo xtask bench --part out --rows 20000 --rounds 5\n  \
        cargo xtask bench --part scale --scale 1000,100000 --part recovery\n\n\
        Measure on an idle machine. Where that cannot be had, look at the ratios: what is compared runs in turns."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) inner: Option<Inner>,
    #[command(flatten)]
    pub(crate) plan: Plan,
}

/// Parts of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Rows out: floors, program, Node and Python in turns.
    Out,
    /// CPU per row and peak memory, from few rows to many.
    Scale,
    /// The server: ready after how long, memory at rest.
    Idle,
    /// `kill -9` in the middle of a run over a store with many deliveries; how soon it goes on.
    Recovery,
}

/// What is measured.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Only these parts (may be given again); all where none is named.
    #[arg(long = "part", value_enum)]
    pub(crate) parts: Vec<Part>,
    /// Rows of each run of the part `out`.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) rows: u64,
    /// How often the part `out` goes round; the middle of the rounds counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// Requests under way at once, for the program and the floor; several are measured one after another.
    #[arg(long, value_delimiter = ',', default_value = "64")]
    pub(crate) concurrency: Vec<usize>,
    /// Rows of the runs of the part `scale`.
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000,1000000")]
    pub(crate) scale: Vec<u64>,
    /// Deliveries in the store of the part `recovery`.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=3_000_000))]
    pub(crate) deliveries: u64,
    /// Leaves the hand-written scripts out.
    #[arg(long)]
    pub(crate) no_scripts: bool,
    /// Leaves the floors out.
    #[arg(long)]
    pub(crate) no_floors: bool,
    /// The program; the release build where absent.
    #[arg(long)]
    pub(crate) binary: Option<PathBuf>,
    /// A folder with `node_modules` for the Node script; without it that script is left out.
    #[arg(long, hide = true)]
    pub(crate) node: Option<PathBuf>,
    /// A Python with requests-oauthlib; without it that script is left out.
    #[arg(long, hide = true)]
    pub(crate) python: Option<PathBuf>,
    /// Where the homes and databases lie meanwhile; on the disk that is to be measured. It is emptied before and
    /// after.
    #[arg(long, default_value = "target/bench/scratch")]
    pub(crate) scratch: PathBuf,
    /// Where the figures go as JSON.
    #[arg(long, default_value = "target/bench/figures.json")]
    pub(crate) json: PathBuf,
}

/// Programs that the measurement starts itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Inner {
    /// The mock.
    #[command(hide = true)]
    Mock,
    /// The floor.
    #[command(hide = true)]
    Floor {
        #[arg(value_enum)]
        client: Client,
        root: String,
        rows: u64,
        workers: usize,
        ledger: PathBuf,
    },
}
