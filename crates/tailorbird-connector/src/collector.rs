//! Hands traces to a collector: OTLP over HTTP, as JSON (OpenTelemetry Protocol 1, "OTLP/HTTP").
//!
//! It goes through the same door as everything else, [`crate::transport`], with time-outs, a body cap and the guard. The
//! collector's own address is named by whoever runs the program, so it may be on this machine.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use tailorbird_model::service::Method;
use tailorbird_model::{Failure, Meaning, codes};

use crate::origin::{Address, Origin};
use crate::transport::{Transport, TransportSettings, WireRequest};

/// The most bytes of a collector's answer that are read.
const MAX_COLLECTOR_ANSWER: usize = 64 << 10;

/// A collector of traces.
#[derive(Clone)]
pub struct Collector {
    transport: Transport,
    address: Address,
    headers: Vec<(String, String)>,
    allowed: BTreeSet<Origin>,
}

// Headers hold the key of a collector, and an address may.
impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

/// What a collector said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed {
    /// It took all but so many spans.
    Taken {
        /// Spans that it did not want.
        refused: u64,
    },
    /// It did not take them and may do so later; why, in a few words.
    Later(String),
    /// It will never take them; why, in a few words.
    Refused(String),
}

impl Collector {
    /// A collector at an address.
    ///
    /// # Errors
    /// CONN-002 where the address is none, or this machine's TLS set-up is broken.
    pub fn new(url: &str, headers: Vec<(String, String)>, timeout: Duration) -> Result<Self, Failure> {
        let address = Address::parse(url).ok_or_else(|| {
            let message = "the address of the collector of traces is neither http nor https";
            Failure::new(codes::CONNECTION_SETTING, Meaning::NotSent, message)
        })?;
        let transport = Transport::new(TransportSettings {
            connect_timeout: timeout,
            read_timeout: timeout,
            total_timeout: timeout,
            max_answer_bytes: MAX_COLLECTOR_ANSWER,
            ..TransportSettings::default()
        })?;
        Ok(Self {
            transport,
            allowed: BTreeSet::from([address.origin().clone()]),
            address,
            headers,
        })
    }

    /// Hands a batch over, once.
    pub async fn hand(&self, json: String) -> Handed {
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(self.headers.iter().cloned());
        let request = WireRequest {
            method: Method::Post,
            address: self.address.clone(),
            headers,
            body: Bytes::from(json),
        };
        match self.transport.send(request, &self.allowed).await {
            Ok(answer) => judged(answer.status, &answer.body),
            Err(_) => Handed::Later("it was not reached".to_owned()),
        }
    }
}

/// What a status means by the protocol: only these four are worth another try.
fn judged(status: u16, body: &[u8]) -> Handed {
    match status {
        200..=299 => Handed::Taken {
            refused: refused_spans(body),
        },
        429 | 502 | 503 | 504 => Handed::Later(format!("it answered with status {status}")),
        _ => Handed::Refused(format!("it answered with status {status}")),
    }
}

/// Spans that the collector did not want, by its own count (`partialSuccess`). The number is a text by the rules of JSON
/// for 64 bits; some send it as a number.
fn refused_spans(body: &[u8]) -> u64 {
    let said: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let count = said
        .as_ref()
        .and_then(|said| said.pointer("/partialSuccess/rejectedSpans"));
    count
        .and_then(|count| count.as_u64().or_else(|| count.as_str()?.parse().ok()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_tells_whether_another_try_is_worth_it() {
        let taken = |refused| Handed::Taken { refused };
        assert_eq!(judged(200, b""), taken(0));
        assert_eq!(
            judged(200, br#"{"partialSuccess":{"rejectedSpans":"3"}}"#),
            taken(3)
        );
        assert_eq!(
            judged(202, br#"{"partialSuccess":{"rejectedSpans":4}}"#),
            taken(4)
        );
        for status in [429, 502, 503, 504] {
            assert!(matches!(judged(status, b""), Handed::Later(_)), "{status}");
        }
        for status in [301, 400, 401, 404, 500] {
            assert!(matches!(judged(status, b""), Handed::Refused(_)), "{status}");
        }
    }

    #[test]
    fn neither_address_nor_headers_are_shown() {
        let headers = vec![("api-key".to_owned(), "canary".to_owned())];
        let collector =
            Collector::new("http://127.0.0.1:4318/canary", headers, Duration::from_secs(1)).unwrap();
        assert!(!format!("{collector:?}").contains("canary"));
        assert!(Collector::new("grpc://x", Vec::new(), Duration::from_secs(1)).is_err());
    }
}
