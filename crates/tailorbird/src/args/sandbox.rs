//! `sandbox`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tailorbird sandbox\n  tailorbird sandbox --listen 127.0.0.1:0 --state sandbox.state\n  tailorbird sandbox --tls-listen 127.0.0.1:0 --proxy-listen 127.0.0.1:0 --ca-out ca.pem\n  HTTPS_PROXY=… REQUESTS_CA_BUNDLE=ca.pem python my_tweepy_script.py   # an unmodified client"
)]
pub(crate) struct SandboxArguments {
    /// Where portal and API listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:7081", value_name = "ADDR")]
    pub(crate) listen: SocketAddr,
    /// Where the same is served over TLS, with a certificate that names X's hosts
    #[arg(long, value_name = "ADDR", requires = "ca_out")]
    pub(crate) tls_listen: Option<SocketAddr>,
    /// Where the certificate of the private authority is written
    #[arg(long, value_name = "FILE", requires = "tls_listen")]
    pub(crate) ca_out: Option<PathBuf>,
    /// Where a CONNECT proxy listens that leads X's hosts to the TLS address
    #[arg(long, value_name = "ADDR", requires = "tls_listen")]
    pub(crate) proxy_listen: Option<SocketAddr>,
    /// Whether the v1.1 API answers as in 2012, or 453 as today
    #[arg(long, value_enum, default_value_t = LegacyV1::Open)]
    pub(crate) legacy_v1: LegacyV1,
    /// Whether signatures are judged by the letter of RFC 5849, or as leniently as X does
    #[arg(long, value_enum, default_value_t = Verify::Strict)]
    pub(crate) verify: Verify,
    /// Whether X's rate limits apply
    #[arg(long, value_enum, default_value_t = Limits::X)]
    pub(crate) limits: Limits,
    /// Faults from the start: a JSON file in the form of POST /_sandbox/faults
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
    /// Keep the state in this file, synced before each answer; in memory only where absent
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LegacyV1 {
    Open,
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Verify {
    Strict,
    Lenient,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Limits {
    X,
    Off,
}
