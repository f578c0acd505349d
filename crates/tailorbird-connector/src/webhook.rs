//! Signs webhooks that we send, in the form of Standard Webhooks: HMAC-SHA256 over id, time and body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tailorbird_model::ports::Credentials;
use tailorbird_model::{Failure, Meaning, codes};

use crate::Request;

/// What a secret begins with that is written in Base64.
const ENCODED: &str = "whsec_";

/// Adds the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`. The receiver computes the same with
/// the shared secret; the time keeps an old message from being sent again.
///
/// # Errors
/// AUTH-006 where the connection has no secret: an unsigned notice could be anybody's.
pub fn sign_webhook(
    request: &mut Request,
    credentials: &Credentials,
    id: &str,
    seconds: i64,
) -> Result<(), Failure> {
    let no_secret = || {
        Failure::new(
            codes::CONNECTION_INCOMPLETE,
            Meaning::ConnectionFault,
            "the receiver's connection has no secret to sign with",
        )
        .hint("Give \"client_key\" (its name) and \"client_secret\" with `tailorbird connection add NAME --secrets -`.")
    };
    let secret = credentials
        .client
        .as_ref()
        .ok_or_else(no_secret)?
        .secret
        .expose_for_sealing();
    if secret.trim().is_empty() {
        return Err(no_secret());
    }
    let decoded = secret
        .strip_prefix(ENCODED)
        .and_then(|encoded| STANDARD.decode(encoded).ok());
    let mut mac = Hmac::<Sha256>::new_from_slice(decoded.as_deref().unwrap_or(secret.as_bytes()))
        .map_err(|_| no_secret())?;
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(&request.body.bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    for (name, value) in [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", format!("v1,{signature}")),
    ] {
        request.headers.push((name.to_owned(), value));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tailorbird_oauth::ClientCredentials;

    use super::*;
    use crate::RequestBody;

    fn request() -> Request {
        Request {
            operation: None,
            method: tailorbird_model::service::Method::Post,
            url: "https://example.com/".to_owned(),
            headers: Vec::new(),
            body: RequestBody::Json("{\"test\": 2432232314}".to_owned()),
        }
    }

    fn credentials(secret: &str) -> Credentials {
        Credentials {
            client: Some(ClientCredentials::new("name", secret)),
            token: None,
            rsa_private_key: None,
            ..Credentials::default()
        }
    }

    /// The example of the Standard Webhooks libraries.
    #[test]
    fn the_published_example_comes_out() {
        let mut request = request();
        let credentials = credentials("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        sign_webhook(
            &mut request,
            &credentials,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
        )
        .unwrap();
        assert_eq!(
            request.headers.last().unwrap().1,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn nothing_goes_unsigned() {
        let none = Credentials {
            client: None,
            token: None,
            rsa_private_key: None,
            ..Credentials::default()
        };
        for credentials in [none, credentials(" ")] {
            let failure = sign_webhook(&mut request(), &credentials, "1", 1).unwrap_err();
            assert_eq!(failure.code, codes::CONNECTION_INCOMPLETE);
        }
    }
}
