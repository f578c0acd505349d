//! The command line's own callback listener: one address, one answer, ten minutes.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_oauth::{CallbackAnswer, read_callback};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{LOOPBACK_CALLBACK, refusals};

/// The longest request head that is read.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// How long a browser may take to send its request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// The most requests answered while waiting: browsers ask for icons, and open connections in advance. Time is
/// the real end of the wait; this one is far above what a browser does in it.
const MAX_REQUESTS: usize = 10_000;
/// The path of the callback.
const PATH: &str = "/oauth/callback";

/// Listens for the redirect of the account owner's browser.
#[derive(Debug)]
pub struct Loopback {
    listener: TcpListener,
    port: u16,
}

impl Loopback {
    /// Listens at 127.0.0.1:7082, the fixed address of [`LOOPBACK_CALLBACK`].
    ///
    /// # Errors
    /// AUTH-008 where another program holds the port.
    pub async fn bind() -> Result<Self, Failure> {
        Self::bind_at(SocketAddr::from(([127, 0, 0, 1], 7082))).await
    }

    /// Listens at another loopback address, for tests.
    ///
    /// # Errors
    /// As [`Loopback::bind`]; also for an address that is not loopback.
    pub async fn bind_at(address: SocketAddr) -> Result<Self, Failure> {
        let refused = |why: String| {
            Failure::new(
                codes::CALLBACK_REFUSED,
                Meaning::ConnectionFault,
                format!("could not listen for the callback at {address}"),
            )
            .detail(why)
            .hint("End the program that holds the port, or use `--callback oob`.")
        };
        if !address.ip().is_loopback() {
            return Err(refused("Only a loopback address is listened at.".to_owned()));
        }
        let listener = TcpListener::bind(address)
            .await
            .map_err(|cause| refused(format!("{cause}.")))?;
        let port = listener
            .local_addr()
            .map_err(|cause| refused(format!("{cause}.")))?
            .port();
        Ok(Self { listener, port })
    }

    /// The callback address that leads here.
    pub fn callback(&self) -> String {
        if self.port == 7082 {
            LOOPBACK_CALLBACK.to_owned()
        } else {
            format!("http://127.0.0.1:{}{PATH}", self.port)
        }
    }

    /// Waits for the redirect that belongs to a temporary token and gives its verifier.
    ///
    /// Redirects for other tokens are answered with a page that says so, and waited past.
    ///
    /// # Errors
    /// AUTH-010 where the owner did not approve, AUTH-011 where nobody came until `until`, AUTH-008 where
    /// another program floods the address.
    pub async fn wait(
        self,
        connection: &Name,
        temporary_token: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<String, Failure> {
        let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
        tokio::time::timeout(left, self.serve(connection, temporary_token))
            .await
            .unwrap_or_else(|_elapsed| Err(refusals::expired(connection)))
    }

    async fn serve(self, connection: &Name, temporary_token: &str) -> Result<String, Failure> {
        for _ in 0..MAX_REQUESTS {
            let Ok((mut stream, _)) = self.listener.accept().await else {
                continue;
            };
            let Ok(Some(target)) =
                tokio::time::timeout(HEAD_TIMEOUT, read_target(&mut stream, self.port)).await
            else {
                respond(&mut stream, 400, "This is not a request that belongs here.").await;
                continue;
            };
            let (path, query) = target.split_once('?').unwrap_or((&target, ""));
            if path != PATH {
                respond(
                    &mut stream,
                    404,
                    "There is only one address here, and it is another one.",
                )
                .await;
                continue;
            }
            match read_callback(query) {
                Ok(CallbackAnswer::Granted { token, verifier }) if token == temporary_token => {
                    respond(
                        &mut stream,
                        200,
                        "Approved. You can close this window and go back to the terminal.",
                    )
                    .await;
                    return Ok(verifier);
                }
                Ok(CallbackAnswer::Denied { token }) if token == temporary_token => {
                    respond(&mut stream, 200, "Not approved. You can close this window.").await;
                    return Err(refusals::denied(connection));
                }
                Ok(_) => {
                    let words = "This belongs to another attempt. Open the newest address from the terminal.";
                    respond(&mut stream, 400, words).await;
                }
                Err(problem) => {
                    let words = format!("This address is not whole: {problem}.");
                    respond(&mut stream, 400, &words).await;
                }
            }
        }
        Err(refusals::crowded(connection, MAX_REQUESTS))
    }
}

/// Reads the head of a request and gives its target.
async fn read_target(stream: &mut TcpStream, port: u16) -> Option<String> {
    let mut head = Vec::new();
    let mut buffer = [0_u8; 2048];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut buffer).await.ok()?;
        if count == 0 || head.len() + count > MAX_HEAD_BYTES {
            return None;
        }
        head.extend_from_slice(buffer.get(..count)?);
    }
    target_of(std::str::from_utf8(&head).ok()?, port)
}

/// The target of a request by its head. Only a GET for this very host is taken: a page on the internet whose name
/// was made to point here carries its own name (DNS rebinding).
pub(crate) fn target_of(head: &str, port: u16) -> Option<String> {
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let host = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map(|(_, value)| value.trim().to_ascii_lowercase())?;
    let ours = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    (method == "GET" && ours.contains(&host)).then(|| target.to_owned())
}

/// Answers with a small page. The words are ours, or our own description of a problem; nothing of the
/// request is repeated.
async fn respond(stream: &mut TcpStream, status: u16, words: &str) {
    let reason = match status {
        200 => "OK",
        404 => "Not Found",
        _ => "Bad Request",
    };
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Tailorbird</title>\
         <body style=\"font-family:system-ui,sans-serif;max-width:34em;margin:20vh auto;padding:0 1em\">\
         <h1>Tailorbird</h1><p>{words}</p></body></html>"
    );
    let answer = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nContent-Security-Policy: default-src 'none'; \
         style-src 'unsafe-inline'\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    // The browser may be gone; the verifier counts all the same.
    let _gone = stream.write_all(answer.as_bytes()).await;
    let _gone = stream.shutdown().await;
}
