//! As much of HTTP/1.1 as the clients of the measurements speak: requests with `Content-Length`, kept connections.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest request, in bytes.
const MAX_REQUEST: usize = 64 * 1024;

/// A request, as far as the mock looks at it.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) authorization: String,
    pub(super) body: Vec<u8>,
    /// The client closes after it.
    pub(super) is_last: bool,
}

pub(super) enum Read {
    Request(Request),
    /// The client closed.
    End,
}

/// A connection with what was read of it and not yet used.
pub(super) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(4096),
        })
    }

    pub(super) async fn read(&mut self) -> io::Result<Read> {
        loop {
            if let Some((request, used)) = whole_request(&self.buffer)? {
                self.buffer.drain(..used);
                return Ok(Read::Request(request));
            }
            if self.buffer.len() > MAX_REQUEST {
                return Err(odd("the request is too long"));
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(Read::End);
            }
        }
    }

    pub(super) async fn write(&mut self, status: &str, body: &str) -> io::Result<()> {
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(answer.as_bytes()).await
    }
}

fn odd(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// The first request and how long it is; nothing while it is not whole.
fn whole_request(bytes: &[u8]) -> io::Result<Option<(Request, usize)>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = bytes.get(..end).unwrap_or_default();
    let head = std::str::from_utf8(head).map_err(|_| odd("the head is not text"))?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let mut request = Request {
        method: first.next().unwrap_or_default().to_owned(),
        path: first.next().unwrap_or_default().to_owned(),
        authorization: String::new(),
        body: Vec::new(),
        is_last: false,
    };
    let mut length = 0;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            return Err(odd("a header has no colon"));
        };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().map_err(|_| odd("the length is no number"))?;
        } else if name.eq_ignore_ascii_case("authorization") {
            value.clone_into(&mut request.authorization);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(odd("chunks are not read here"));
        } else if name.eq_ignore_ascii_case("connection") {
            request.is_last = value.eq_ignore_ascii_case("close");
        }
    }
    let begin = end.saturating_add(4);
    let after = begin.saturating_add(length);
    Ok(bytes.get(begin..after).map(|body| {
        request.body = body.to_vec();
        (request, after)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_when_it_is_whole() {
        let text = b"POST /orders HTTP/1.1\r\nHost: x\r\nAuthorization: OAuth a=\"b\"\r\ncontent-length: 2\r\n\r\n{}GET";
        for cut in 0..text.len() - 3 {
            assert!(whole_request(&text[..cut]).unwrap().is_none(), "{cut}");
        }
        let (request, used) = whole_request(text).unwrap().unwrap();
        assert_eq!(used, text.len() - 3);
        assert_eq!(
            (
                request.method.as_str(),
                request.path.as_str(),
                request.body.as_slice()
            ),
            ("POST", "/orders", &b"{}"[..])
        );
        assert_eq!(request.authorization, "OAuth a=\"b\"");
        assert!(!request.is_last);
    }
}
