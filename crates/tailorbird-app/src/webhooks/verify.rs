//! Tells whether a request comes from whom it says: pure, over the raw bytes of the body.
//!
//! Invariant: secrets and signatures are compared in constant time, and no reason repeats any of them.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq as _;
use tailorbird_model::service::Span;
use tailorbird_model::task::trigger::{
    Encoding, HMAC_BODY, HMAC_TIMESTAMP, HmacAlgorithm, HmacStyle, TokenStyle, Verify,
};

use super::bytes::{from_base64, from_hex, to_base64};

/// Signatures that one header may hold: Stripe sends two while a secret is exchanged.
const MAX_SIGNATURES: usize = 8;

/// The longest header that is looked at, in bytes.
const MAX_HEADER: usize = 4_096;

/// The longest challenge of X, in bytes.
const MAX_CRC_TOKEN: usize = 1_024;

/// A request as it came; names of headers in small letters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Presented<'a> {
    pub(crate) headers: &'a [(String, Vec<u8>)],
    pub(crate) body: &'a [u8],
}

/// A request that shows whom it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verified {
    /// The time that was signed with it, if there was one.
    pub(crate) signed_at: Option<i64>,
}

/// Why a request was not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Disbelief {
    #[error("it has no header {0}")]
    Missing(String),
    #[error("it has the header {0} several times")]
    Several(String),
    #[error("its header {header} is not {expected}")]
    Malformed { header: String, expected: &'static str },
    #[error("its signature is wrong")]
    Signature,
    #[error("its token is wrong")]
    Token,
    #[error("its signed time is {seconds} s in the past, and {tolerance} are tolerated")]
    TooOld { seconds: i64, tolerance: Span },
    #[error("its signed time is {seconds} s in the future, and {tolerance} are tolerated")]
    TooNew { seconds: i64, tolerance: Span },
}

/// Verifies a request by a style.
pub(crate) fn verify(
    style: &Verify,
    tolerance: Span,
    secret: &[u8],
    request: Presented<'_>,
    now: Timestamp,
) -> Result<Verified, Disbelief> {
    let unsigned_time = Verified { signed_at: None };
    match style {
        Verify::None => Ok(unsigned_time),
        Verify::Token(style) => token(style, secret, request).map(|()| unsigned_time),
        Verify::Github => {
            let style = HmacStyle {
                header: "X-Hub-Signature-256".to_owned(),
                algorithm: HmacAlgorithm::Sha256,
                encoding: Encoding::Hex,
                prefix: "sha256=".to_owned(),
                timestamp: None,
            };
            hmac_header(&style, tolerance, secret, request, now)
        }
        Verify::X => {
            let style = HmacStyle {
                header: "X-Twitter-Webhooks-Signature".to_owned(),
                algorithm: HmacAlgorithm::Sha256,
                encoding: Encoding::Base64,
                prefix: "sha256=".to_owned(),
                timestamp: None,
            };
            hmac_header(&style, tolerance, secret, request, now)
        }
        Verify::Hmac(style) => hmac_header(style, tolerance, secret, request, now),
        Verify::Stripe => stripe(tolerance, secret, request, now),
    }
}

/// The answer to X's challenge: that we know the client secret.
pub(crate) fn crc_answer(secret: &[u8], crc_token: &str) -> Option<String> {
    let is_well = !crc_token.is_empty() && crc_token.len() <= MAX_CRC_TOKEN;
    is_well.then(|| {
        let mac = mac(HmacAlgorithm::Sha256, secret, &[crc_token.as_bytes()]);
        format!("sha256={}", to_base64(&mac))
    })
}

fn hmac_header(
    style: &HmacStyle,
    tolerance: Span,
    secret: &[u8],
    request: Presented<'_>,
    now: Timestamp,
) -> Result<Verified, Disbelief> {
    let given = header(request, &style.header)?;
    let malformed = |expected| Disbelief::Malformed {
        header: style.header.clone(),
        expected,
    };
    let digits = given
        .strip_prefix(style.prefix.as_str())
        .ok_or_else(|| malformed("what the style's prefix begins"))?;
    let given = match style.encoding {
        Encoding::Hex => from_hex(digits).ok_or_else(|| malformed("a signature in hexadecimal digits"))?,
        Encoding::Base64 => from_base64(digits).ok_or_else(|| malformed("a signature in base64"))?,
    };
    let Some(time) = &style.timestamp else {
        let expected = mac(style.algorithm, secret, &[request.body]);
        same(&expected, &given)
            .then_some(())
            .ok_or(Disbelief::Signature)?;
        return Ok(Verified { signed_at: None });
    };
    let text = header(request, &time.header)?;
    let signed_at = seconds(text).ok_or_else(|| Disbelief::Malformed {
        header: time.header.clone(),
        expected: "a time in seconds since 1970",
    })?;
    // The time as it came, since that is what was signed.
    let (before, after) = time.signed.split_once(HMAC_BODY).unwrap_or(("", ""));
    let [before, after] = [before, after].map(|part| part.replace(HMAC_TIMESTAMP, text));
    let expected = mac(
        style.algorithm,
        secret,
        &[before.as_bytes(), request.body, after.as_bytes()],
    );
    same(&expected, &given)
        .then_some(())
        .ok_or(Disbelief::Signature)?;
    timely(signed_at, tolerance, now)?;
    Ok(Verified {
        signed_at: Some(signed_at),
    })
}

/// `t=1492774577,v1=5257…,v1=…`: the time and the body, joined by a point, are signed.
fn stripe(
    tolerance: Span,
    secret: &[u8],
    request: Presented<'_>,
    now: Timestamp,
) -> Result<Verified, Disbelief> {
    const HEADER: &str = "Stripe-Signature";
    let malformed = || Disbelief::Malformed {
        header: HEADER.to_owned(),
        expected: "of the form t=TIME,v1=SIGNATURE",
    };
    let given = header(request, HEADER)?;
    let (mut time, mut signatures) = (None, Vec::new());
    for part in given.split(',') {
        match part.trim().split_once('=') {
            Some(("t", text)) if time.is_none() => time = Some(text),
            Some(("t", _)) => return Err(malformed()),
            Some(("v1", digits)) if signatures.len() < MAX_SIGNATURES => {
                signatures.push(from_hex(digits).ok_or_else(malformed)?);
            }
            Some(("v1", _)) | None => return Err(malformed()),
            // Schemes that we do not know, such as v0, prove nothing and harm nothing.
            Some(_) => {}
        }
    }
    let text = time.ok_or_else(malformed)?;
    let signed_at = seconds(text).ok_or_else(malformed)?;
    if signatures.is_empty() {
        return Err(malformed());
    }
    let expected = mac(
        HmacAlgorithm::Sha256,
        secret,
        &[text.as_bytes(), b".", request.body],
    );
    // All are compared, so that the time tells nothing about which one it was.
    let mut is_right = false;
    for signature in &signatures {
        is_right |= same(&expected, signature);
    }
    if !is_right {
        return Err(Disbelief::Signature);
    }
    timely(signed_at, tolerance, now)?;
    Ok(Verified {
        signed_at: Some(signed_at),
    })
}

fn token(style: &TokenStyle, secret: &[u8], request: Presented<'_>) -> Result<(), Disbelief> {
    let given = header(request, &style.header)?;
    let given = given
        .strip_prefix(style.prefix.as_str())
        .ok_or(Disbelief::Token)?;
    // Digests have one length, so the comparison does not tell how long the secret is.
    let is_right = same(&Sha256::digest(secret), &Sha256::digest(given.as_bytes()));
    is_right.then_some(()).ok_or(Disbelief::Token)
}

/// The one value of a header.
pub(crate) fn header<'a>(request: Presented<'a>, name: &str) -> Result<&'a str, Disbelief> {
    let mut values = request
        .headers
        .iter()
        .filter(|(given, _)| given.eq_ignore_ascii_case(name));
    let (_, value) = values.next().ok_or_else(|| Disbelief::Missing(name.to_owned()))?;
    if values.next().is_some() {
        return Err(Disbelief::Several(name.to_owned()));
    }
    let malformed = |expected| Disbelief::Malformed {
        header: name.to_owned(),
        expected,
    };
    if value.len() > MAX_HEADER {
        return Err(malformed("of a length that makes sense"));
    }
    std::str::from_utf8(value)
        .map(str::trim)
        .map_err(|_| malformed("text"))
}

/// Whole seconds, without a sign or anything else around them.
fn seconds(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn timely(signed_at: i64, tolerance: Span, now: Timestamp) -> Result<(), Disbelief> {
    let age = now.as_second().saturating_sub(signed_at);
    let tolerated = i64::from(tolerance.seconds());
    if age > tolerated {
        return Err(Disbelief::TooOld {
            seconds: age,
            tolerance,
        });
    }
    if age < -tolerated {
        return Err(Disbelief::TooNew {
            seconds: -age,
            tolerance,
        });
    }
    Ok(())
}

fn mac(algorithm: HmacAlgorithm, secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    macro_rules! mac {
        ($hash:ty) => {{
            // A key of any length will do; the error cannot happen, and an empty code fits no signature.
            let Ok(mut mac) = Hmac::<$hash>::new_from_slice(secret) else {
                return Vec::new();
            };
            for part in parts {
                mac.update(part);
            }
            mac.finalize().into_bytes().to_vec()
        }};
    }
    match algorithm {
        HmacAlgorithm::Sha1 => mac!(Sha1),
        HmacAlgorithm::Sha256 => mac!(Sha256),
        HmacAlgorithm::Sha512 => mac!(Sha512),
    }
}

fn same(expected: &[u8], given: &[u8]) -> bool {
    !expected.is_empty() && bool::from(expected.ct_eq(given))
}

#[cfg(test)]
mod tests;
