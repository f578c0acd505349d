//! `notice …`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum NoticeCommand {
    /// Lists notices, the newest first: received, waiting for another try, or given up
    #[command(after_help = "Example:\n  tailorbird notice list")]
    List {
        /// The greatest number of notices, at most 200
        #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
}
