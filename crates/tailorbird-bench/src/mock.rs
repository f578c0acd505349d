//! The provider of the measurements: verifies every signature, counts every key, does nothing else.
//!
//! One thread with an event loop and a parser by hand, so that the mock costs a tenth of what sends to it. It is
//! a process of its own and ends when its standard input does, so it never outlives who started it.

mod http;

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::oauth::Signer;
use http::{Read, Request, Wire};

/// Keys are the numbers below this.
pub(crate) const MOST_ROWS: usize = 4_000_000;

/// What the mock has seen.
struct Seen {
    signer: Signer,
    /// How often each number was accepted.
    numbers: Vec<AtomicU8>,
    accepted: AtomicU64,
    twice: AtomicU64,
    /// Refused: the signature does not verify.
    unsigned: AtomicU64,
    /// Refused: no order.
    odd: AtomicU64,
    connections: AtomicU64,
}

/// Serves until standard input ends; prints its address as one line of JSON first.
pub(crate) fn serve() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    std::thread::spawn(|| {
        let mut nothing = [0; 64];
        while std::io::stdin().read(&mut nothing).is_ok_and(|bytes| bytes > 0) {}
        std::process::exit(0);
    });
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let root = format!("http://{}", listener.local_addr()?);
        let seen = Arc::new(Seen {
            signer: Signer::new(&format!("{root}/orders"))?,
            numbers: (0..MOST_ROWS).map(|_| AtomicU8::new(0)).collect(),
            accepted: AtomicU64::new(0),
            twice: AtomicU64::new(0),
            unsigned: AtomicU64::new(0),
            odd: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        });
        let mut out = std::io::stdout();
        writeln!(out, "{}", json!({ "url": root }))?;
        out.flush()?;
        loop {
            let (stream, _) = listener.accept().await.context("the mock cannot accept")?;
            seen.connections.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(talk(stream, Arc::clone(&seen)));
        }
    })
}

async fn talk(stream: TcpStream, seen: Arc<Seen>) {
    // A connection that breaks is the client's affair; what arrived is counted.
    let Ok(mut wire) = Wire::new(stream) else {
        return;
    };
    while let Ok(Read::Request(request)) = wire.read().await {
        let (status, answer) = seen.answer(&request);
        if wire.write(status, &answer).await.is_err() || request.is_last {
            return;
        }
    }
}

impl Seen {
    fn answer(&self, request: &Request) -> (&'static str, String) {
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/orders") => self.order(request),
            ("GET", "/_count") => ("200 OK", self.count().to_string()),
            ("POST", "/_reset") => {
                for number in &self.numbers {
                    number.store(0, Ordering::Relaxed);
                }
                for counter in [
                    &self.accepted,
                    &self.twice,
                    &self.unsigned,
                    &self.odd,
                    &self.connections,
                ] {
                    counter.store(0, Ordering::Relaxed);
                }
                ("200 OK", "{}".to_owned())
            }
            _ => ("404 Not Found", "{\"error\":\"no such place\"}".to_owned()),
        }
    }

    fn order(&self, request: &Request) -> (&'static str, String) {
        if !self.signer.verifies(&request.authorization) {
            self.unsigned.fetch_add(1, Ordering::Relaxed);
            let refusal = "{\"error\":\"the signature does not verify\"}";
            return ("401 Unauthorized", refusal.to_owned());
        }
        let body: Option<Value> = serde_json::from_slice(&request.body).ok();
        let number = body.as_ref().and_then(|body| body.get("number")?.as_u64());
        let place = number
            .and_then(|number| usize::try_from(number).ok())
            .and_then(|number| self.numbers.get(number));
        let (Some(number), Some(place)) = (number, place) else {
            self.odd.fetch_add(1, Ordering::Relaxed);
            return ("400 Bad Request", "{\"error\":\"no number\"}".to_owned());
        };
        if place.fetch_add(1, Ordering::Relaxed) > 0 {
            self.twice.fetch_add(1, Ordering::Relaxed);
        }
        let id = self.accepted.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let answer = format!("{{\"data\":{{\"id\":\"{id}\",\"number\":{number}}}}}");
        ("201 Created", answer)
    }

    fn count(&self) -> Value {
        json!({
            "accepted": self.accepted.load(Ordering::Relaxed),
            "twice": self.twice.load(Ordering::Relaxed),
            "unsigned": self.unsigned.load(Ordering::Relaxed),
            "odd": self.odd.load(Ordering::Relaxed),
            "connections": self.connections.load(Ordering::Relaxed),
        })
    }
}
