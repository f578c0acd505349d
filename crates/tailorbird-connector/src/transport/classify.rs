//! Tells whether a request that got no answer had left.
//!
//! *Not sent* is claimed only where it is proven: the address was refused, the name not found, the
//! connection not made, TLS not agreed, or the connection turned out closed before the request was handed
//! to it. Everything else may have arrived.

use std::error::Error as _;
use std::time::Duration;

use super::guard::AddressRefused;

/// A request without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unanswered {
    /// The guard or a limit of ours refused it: nothing was sent, and trying again changes nothing.
    Refused {
        /// Why, lower case.
        why: String,
    },
    /// No byte of it left.
    NotSent {
        /// What failed: `name`, `connect`, `tls`, `time-out` or `closed`.
        stage: Stage,
        /// What the operating system or the TLS library said.
        why: String,
    },
    /// It may have arrived.
    InDoubt {
        /// What happened.
        why: String,
    },
}

/// How far a request came that was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The host's name was not found.
    Name,
    /// No connection could be made.
    Connect,
    /// The two sides agreed on no secure connection.
    Tls,
    /// No connection stood in time.
    TimeOut,
    /// A kept connection was closed before the request was handed to it.
    Closed,
}

impl Unanswered {
    pub(crate) fn refused(why: String) -> Self {
        Self::Refused { why }
    }

    pub(super) fn timed_out(after: Duration) -> Self {
        Self::InDoubt {
            why: format!("no answer within {} seconds", after.as_secs()),
        }
    }
}

/// Reads an error of the client library.
pub(super) fn unanswered(error: &reqwest::Error) -> Unanswered {
    if let Some(refused) = find::<AddressRefused>(error) {
        return Unanswered::Refused {
            why: refused.to_string(),
        };
    }
    if error.is_builder() {
        return Unanswered::Refused {
            why: root_cause(error),
        };
    }
    if error.is_connect() {
        let stage = if error.is_dns() {
            Stage::Name
        } else if find::<rustls::Error>(error).is_some() {
            Stage::Tls
        } else if error.is_timeout() {
            Stage::TimeOut
        } else {
            Stage::Connect
        };
        return Unanswered::NotSent {
            stage,
            why: root_cause(error),
        };
    }
    // The library gives a request back unharmed when the connection was gone before it was written.
    if find::<hyper::Error>(error).is_some_and(hyper::Error::is_canceled) {
        return Unanswered::NotSent {
            stage: Stage::Closed,
            why: root_cause(error),
        };
    }
    let why = if error.is_timeout() {
        "the answer did not come in time".to_owned()
    } else {
        root_cause(error)
    };
    Unanswered::InDoubt { why }
}

/// Finds a cause of a type, however deep. An I/O error carries a custom cause that `source` steps over, and
/// TLS wraps one I/O error into another.
fn find<E: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(found) = cause.downcast_ref::<E>() {
            return Some(found);
        }
        source = match cause
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
        {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    None
}

/// The innermost cause, which names the fact; the outer ones repeat that a request failed, with its address.
fn root_cause(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut source = error.source();
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    if text.is_empty() {
        "the connection failed".to_owned()
    } else {
        text
    }
}
