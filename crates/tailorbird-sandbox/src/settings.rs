//! What a sandbox can be started with, and the lifetimes that are the same for every sandbox.
//!
//! X publishes no figure for most of these lifetimes (facts about the live API are rare here), so each is a
//! named constant of our own choosing instead of a number hidden in a handler.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::faults::Fault;

/// Seconds for which temporary credentials may be authorized and exchanged.
pub(crate) const TEMPORARY_CREDENTIALS_LIFETIME_S: i64 = 600;
/// Digits of a PIN (an out-of-band verifier).
pub(crate) const PIN_DIGITS: u32 = 7;
/// Wrong verifiers after which temporary credentials are void: a PIN has only ten million values.
pub(crate) const VERIFIER_ATTEMPTS: u32 = 10;
/// Seconds by which a timestamp may differ from the sandbox clock, in either direction (RFC 5849 §3.3).
pub(crate) const TIMESTAMP_WINDOW_S: u64 = 300;
/// Seconds for which uploaded media may be attached to a post.
pub(crate) const MEDIA_LIFETIME_S: i64 = 86_400;
/// Seconds during which the same text by the same author is refused as a duplicate.
pub(crate) const DUPLICATE_WINDOW_S: i64 = 86_400;
/// Most callback URLs one application may register (X's own figure).
pub(crate) const CALLBACKS_MAX: usize = 10;
/// The name of the account one signs in with.
pub(crate) const MAIN_ACCOUNT: &str = "tailorbird_demo";
/// The password of every seeded account; it is printed on the sign-in page.
pub(crate) const ACCOUNT_PASSWORD: &str = "sandbox";

/// Whether the 2012-style API v1.1 answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LegacyV1 {
    /// All v1.1 endpoints of the sandbox answer, as in the tutorial's days.
    #[default]
    Open,
    /// v1.1 answers 403 with code 453, as X does for ordinary plans since 2023.
    Closed,
}

/// How literally requests are held to RFC 5849.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verify {
    /// RFC 5849 to the letter: `oauth_` parameters in one place, each once, everything signed.
    #[default]
    Strict,
    /// As lax as X: `oauth_` parameters may be split over header, query and body, the same pair in two places
    /// counts once, and the token request needs no signature.
    Lenient,
}

/// Which rate limits apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LimitMode {
    /// X's documented limits for each endpoint.
    #[default]
    X,
    /// No request is refused; the headers are still there, with generous numbers.
    Off,
}

/// What to start a sandbox with. Port 0 picks a free port.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where portal, OAuth endpoints and API listen with plain HTTP.
    pub listen: SocketAddr,
    /// Where the same is served by TLS under X's host names, with a certificate of a private CA.
    pub tls_listen: Option<SocketAddr>,
    /// The file the CA certificate (never its key) is written to, as PEM.
    pub ca_out: Option<PathBuf>,
    /// Where the CONNECT proxy listens; a loopback address.
    pub proxy_listen: Option<SocketAddr>,
    /// Whether API v1.1 answers.
    pub legacy_v1: LegacyV1,
    /// How literally requests are held to RFC 5849.
    pub verify: Verify,
    /// Which rate limits apply.
    pub limits: LimitMode,
    /// Faults to begin with; more can be sent to `/_sandbox/faults`.
    pub faults: Vec<Fault>,
    /// The state file; without it everything is kept in memory only.
    pub state: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls_listen: None,
            ca_out: None,
            proxy_listen: None,
            legacy_v1: LegacyV1::default(),
            verify: Verify::default(),
            limits: LimitMode::default(),
            faults: Vec::new(),
            state: None,
        }
    }
}
