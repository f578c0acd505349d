//! Signs requests that stand in JSON Lines: how the signer is judged from outside.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::json;
use tailorbird_model::codes;
use tailorbird_oauth::{RawRequest, RawSigner};

/// The longest line that is read, in bytes.
pub const MAX_LINE: usize = 8 << 20;

/// Signs line after line; what can be reused between lines is.
#[derive(Debug, Default)]
pub struct LineSigner {
    signer: RawSigner,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    url: Cow<'a, str>,
    #[serde(borrow, default)]
    body: Option<Body<'a>>,
    oauth: serde_json::Map<String, serde_json::Value>,
    #[serde(borrow, default)]
    consumer_secret: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    token_secret: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    rsa_private_key: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    realm: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow, default)]
    content_type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    raw: Option<Cow<'a, str>>,
}

impl LineSigner {
    /// Signs one line and appends the answer, without a line end: base string, signature and authorization,
    /// or an error. The secrets are in neither.
    pub fn answer(&mut self, line: &[u8], out: &mut Vec<u8>) {
        let answer = match self.sign(line) {
            Ok(signed) => signed,
            Err((message, hint)) => {
                json!({"error": {"code": codes::CREDENTIALS_UNUSABLE, "message": message, "detail": "", "hint": hint}})
            }
        };
        if serde_json::to_writer(&mut *out, &answer).is_err() {
            // Writing plain JSON into memory cannot fail; an empty object keeps the lines in step.
            out.extend_from_slice(b"{}");
        }
    }

    fn sign(&mut self, line: &[u8]) -> Result<serde_json::Value, (String, &'static str)> {
        let line: Line<'_> = serde_json::from_slice(line).map_err(|error| {
            // The message of a JSON error may repeat a value, and a value may be a secret.
            let what = match error.classify() {
                serde_json::error::Category::Data => "has a member that is missing, unknown or of the wrong type",
                _ => "is not JSON",
            };
            (
                format!("the line {what} (column {})", error.column()),
                "A line is {\"method\",\"url\",\"body\":{\"content_type\",\"raw\"}?,\"oauth\":{…},\"consumer_secret\",\"token_secret\",\"rsa_private_key\"?,\"realm\"?}.",
            )
        })?;
        let mut oauth = Vec::with_capacity(line.oauth.len());
        for (name, value) in &line.oauth {
            let value = match value {
                serde_json::Value::String(text) => Cow::Borrowed(text.as_str()),
                serde_json::Value::Number(number) => Cow::Owned(number.to_string()),
                _ => {
                    return Err((
                        format!("the member `{name}` of `oauth` is not a text"),
                        "Write protocol parameters as texts.",
                    ));
                }
            };
            oauth.push((Cow::Borrowed(name.as_str()), value));
        }
        let body = line.body.as_ref().map(|body| {
            (
                body.content_type.as_deref().unwrap_or_default(),
                body.raw.as_deref().unwrap_or_default().as_bytes(),
            )
        });
        let request = RawRequest {
            method: &line.method,
            url: &line.url,
            body,
            oauth: &oauth,
            consumer_secret: line.consumer_secret.as_deref(),
            token_secret: line.token_secret.as_deref(),
            rsa_private_key: line.rsa_private_key.as_deref(),
            realm: line.realm.as_deref(),
        };
        let signed = self
            .signer
            .sign(&request)
            .map_err(|error| (error.to_string(), ""))?;
        Ok(json!({
            "base_string": signed.base_string,
            "signature": signed.signature,
            "authorization": signed.authorization,
        }))
    }
}
