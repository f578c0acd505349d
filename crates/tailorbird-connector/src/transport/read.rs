//! Reads an answer, up to its limits.

use bytes::BytesMut;
use tokio::time::Instant;

use super::WireAnswer;

/// Reads head and body. From here on there is a status, so nothing is an error any more: a body that ends
/// early, is too large or cannot be decompressed is said in [`WireAnswer::cut`].
pub(super) async fn answer(
    mut response: reqwest::Response,
    deadline: Instant,
    max_bytes: usize,
) -> WireAnswer {
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let mut body = BytesMut::new();
    let cut = loop {
        match tokio::time::timeout_at(deadline, response.chunk()).await {
            Err(_elapsed) => break Some("the rest of the answer did not come in time".to_owned()),
            Ok(Err(error)) => break Some(reason(&error)),
            Ok(Ok(None)) => break None,
            Ok(Ok(Some(chunk))) => {
                // Chunks come decompressed one buffer at a time, so a small answer that unpacks to
                // gigabytes stops here with little memory used.
                if body.len() + chunk.len() > max_bytes {
                    break Some(format!("the answer is larger than {max_bytes} bytes"));
                }
                body.extend_from_slice(&chunk);
            }
        }
    };
    WireAnswer {
        status,
        headers,
        body: body.freeze(),
        cut,
    }
}

fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        "the rest of the answer did not come in time".to_owned()
    } else if error.is_decode() {
        "the answer cannot be decompressed or ends early".to_owned()
    } else {
        "the connection broke in the middle of the answer".to_owned()
    }
}
