//! `serve`.

use std::net::SocketAddr;

use clap::Args;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tailorbird serve\n  tailorbird --home /srv/tailorbird serve --listen 127.0.0.1:0\n  tailorbird serve --webhook-listen 0.0.0.0:7083   # webhooks from outside, and nothing else\n\nWhen it is ready it prints one line of JSON with its addresses to standard output. Ctrl-C stops safely: what is \
under way is finished, nothing is lost, and the next start goes on."
)]
pub(crate) struct ServeArguments {
    /// Where health, metrics and pages listen: a loopback address; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:7080", value_name = "ADDR")]
    pub(crate) listen: SocketAddr,
    /// Where webhooks listen, and nothing else does; on the address of --listen where absent
    #[arg(long, value_name = "ADDR")]
    pub(crate) webhook_listen: Option<SocketAddr>,
    /// An older copy of the home came back: what is new to the ledger is looked up before it is sent
    #[arg(long)]
    pub(crate) restored: bool,
}
