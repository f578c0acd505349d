//! `notice …`.

use clap::Subcommand;

use std::path::PathBuf;

use tailorbird_model::mail::MailTls;

#[derive(Debug, Subcommand)]
pub(crate) enum NoticeCommand {
    /// Lists notices, the newest first: received, waiting for another try, or given up
    #[command(after_help = "Example:\n  tailorbird notice list")]
    List {
        /// The greatest number of notices, at most 200
        #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
    /// Shows or sets the mail server over which notices go
    #[command(
        after_help = "Examples:\n  tailorbird notice mail\n  tailorbird notice mail --host smtp.example.com --from ops@example.com --user ops --secrets password.json\n\nThe secrets are JSON: {\"password\": \"…\"}. They are sealed in the home folder."
    )]
    Mail {
        /// The server's name or address
        #[arg(long)]
        host: Option<String>,
        /// Its port; 587 for `starttls`, 465 for `implicit`, 25 for `none`
        #[arg(long)]
        port: Option<u16>,
        /// How the way to it is closed: `starttls`, `implicit`, or `none` (on this machine only)
        #[arg(long)]
        tls: Option<MailTls>,
        /// The address that notices come from
        #[arg(long, value_name = "ADDRESS")]
        from: Option<String>,
        /// The name to log in with; empty takes it back
        #[arg(long)]
        user: Option<String>,
        /// A file with the password as JSON; `-` is standard input
        #[arg(long, value_name = "FILE")]
        secrets: Option<PathBuf>,
    },
}
