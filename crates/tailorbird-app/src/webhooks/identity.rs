//! What tells an event from every other one, so that a repetition is known as one.
//!
//! Best is an id inside of the signed body. A header is not signed by most providers, so whoever has seen one
//! request could send it again under another id; the digest of the body cannot be helped in that way, but takes
//! two events with the same content for one.

use sha2::{Digest as _, Sha256};
use tailorbird_model::task::trigger::{EventKey, ReceivedRequest, Verify, WebhookTrigger};

use super::bytes::to_hex;
use super::verify::{Presented, Verified, header};

/// The longest id of an event, in bytes.
const MAX_ID: usize = 512;

/// Characters of a label.
const MAX_LABEL: usize = 100;

/// How an event is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// For the inbox.
    pub(super) identity: String,
    /// For people.
    pub(super) label: String,
}

/// Names an event. The error is the end of "the body …".
pub(super) fn identity(
    hook: &WebhookTrigger,
    request: Presented<'_>,
    received: &ReceivedRequest,
    verified: Verified,
) -> Result<Named, String> {
    match (&hook.id, &hook.verify) {
        (Some(EventKey::Pointer(pointer)), _) => by_pointer(received, pointer),
        (Some(EventKey::Header(key)), _) => {
            let value = header(request, &key.header).map_err(|why| format!("cannot be told apart: {why}"))?;
            named("header", value)
        }
        (None, Verify::Github) => match header(request, "X-GitHub-Delivery") {
            Ok(value) => named("header", value),
            Err(_) => Ok(by_digest(request, verified)),
        },
        (None, Verify::Stripe) => by_pointer(received, "/id"),
        (None, _) => Ok(by_digest(request, verified)),
    }
}

fn by_pointer(received: &ReceivedRequest, pointer: &str) -> Result<Named, String> {
    let body = received.json()?;
    match body.pointer(pointer) {
        Some(serde_json::Value::String(text)) => named("id", text),
        Some(serde_json::Value::Number(number)) => named("id", &number.to_string()),
        _ => Err(format!("has no id at {pointer:?}")),
    }
}

fn named(kind: &str, value: &str) -> Result<Named, String> {
    if value.is_empty() || value.len() > MAX_ID {
        return Err(format!(
            "has an id of {} bytes; 1 to {MAX_ID} are taken",
            value.len()
        ));
    }
    Ok(Named {
        identity: format!("{kind}:{value}"),
        label: value
            .chars()
            .filter(|c| !c.is_control())
            .take(MAX_LABEL)
            .collect(),
    })
}

fn by_digest(request: Presented<'_>, verified: Verified) -> Named {
    let mut hash = Sha256::new();
    if let Some(time) = verified.signed_at {
        hash.update(time.to_be_bytes());
    }
    hash.update(request.body);
    let digest = to_hex(&hash.finalize());
    let start: String = digest.chars().take(12).collect();
    Named {
        identity: format!("digest:{digest}"),
        label: format!("body {start}"),
    }
}
