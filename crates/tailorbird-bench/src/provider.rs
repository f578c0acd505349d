//! The mock, seen from the measurements: started, asked, set to zero.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::process::Server;

/// The mock as a process of its own.
pub(crate) struct Provider {
    _server: Server,
    pub(crate) root: String,
}

/// What the mock counted since it was set to zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) accepted: u64,
    /// Accepted a second time.
    pub(crate) twice: u64,
    /// Refused: unsigned, or no order.
    pub(crate) refused: u64,
    pub(crate) connections: u64,
}

impl Provider {
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let program = std::env::current_exe()?;
        let server = Server::start(Command::new(program).arg("mock"), &folder.join("mock.log"))?;
        let root = server.ready.get("url").and_then(Value::as_str);
        let root = root.context("the mock names no address")?.to_owned();
        Ok(Self {
            _server: server,
            root,
        })
    }

    pub(crate) fn reset(&self) -> Result<()> {
        self.ask("POST /_reset").map(drop)
    }

    pub(crate) fn counted(&self) -> Result<Counted> {
        let counted = self.ask("GET /_count")?;
        let number = |name: &str| counted.get(name).and_then(Value::as_u64).unwrap_or_default();
        Ok(Counted {
            accepted: number("accepted"),
            twice: number("twice"),
            refused: number("unsigned").saturating_add(number("odd")),
            connections: number("connections"),
        })
    }

    /// Whoever sent has to have sent every row once, signed.
    pub(crate) fn has_each_once(&self, who: &str, rows: u64) -> Result<Counted> {
        let counted = self.counted()?;
        ensure!(
            counted.accepted == rows && counted.twice == 0 && counted.refused == 0,
            "{who} did not send {rows} rows once each: {counted:?}"
        );
        Ok(counted)
    }

    fn ask(&self, what: &str) -> Result<Value> {
        let place = self.root.trim_start_matches("http://");
        let mut stream = TcpStream::connect(place)?;
        write!(
            stream,
            "{what} HTTP/1.1\r\nhost: mock\r\nconnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").context("no answer of the mock")?;
        Ok(serde_json::from_str(body)?)
    }
}
