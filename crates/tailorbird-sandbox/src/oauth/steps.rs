//! How a base string came about, step by step, for the request page.

use tailorbird_oauth::{Presented, SignatureFamily, base_string_uri, percent_decode};

use crate::record::Step;

/// Parameters listed one by one; the base string holds the rest.
const PARAMETERS_LISTED: usize = 60;
/// Characters of a value that are shown.
const VALUE_SHOWN: usize = 300;

/// The steps of RFC 5849 §3.4.1 for a request, with what each gave.
pub(super) fn steps(presented: &Presented) -> Vec<Step> {
    let mut steps = vec![
        step(
            "HTTP method, in capitals (RFC 5849 §3.4.1.1)",
            presented.http_method().to_ascii_uppercase(),
        ),
        step(
            "Base string URI: scheme and host in small letters, default port and query left out (§3.4.1.2)",
            base_string_uri(presented.url()).unwrap_or_else(|_| presented.url().to_owned()),
        ),
    ];
    let mut listed: Vec<String> = presented
        .parameters()
        .iter()
        .take(PARAMETERS_LISTED)
        .map(|parameter| {
            let name = parameter.name_lossy();
            let value = if name == "oauth_signature" {
                "(left out of the base string)".to_owned()
            } else {
                String::from_utf8_lossy(&parameter.value)
                    .chars()
                    .take(VALUE_SHOWN)
                    .collect()
            };
            format!("{name} = {value}   ({})", parameter.place)
        })
        .collect();
    if presented.parameters().len() > PARAMETERS_LISTED {
        listed.push(format!(
            "… and {} more",
            presented.parameters().len().saturating_sub(PARAMETERS_LISTED)
        ));
    }
    steps.push(step(
        "Parameters of header, query and form body, decoded (§3.4.1.3.1)",
        listed.join("\n"),
    ));
    let normalized = presented.base_string().split('&').nth(2).unwrap_or_default();
    steps.push(step(
        "The same encoded, then sorted, then joined (§3.4.1.3.2)",
        String::from_utf8_lossy(&percent_decode(normalized)).into_owned(),
    ));
    steps.push(step(
        "Base string: the three, each encoded once more (§3.4.1.1)",
        presented.base_string().to_owned(),
    ));
    if let Some(method) = presented.signature_method() {
        let key = match (method.family(), presented.token().is_some()) {
            (SignatureFamily::Hmac(_), true) => "client secret, encoded, & token secret, encoded",
            (SignatureFamily::Hmac(_), false) => "client secret, encoded, & (no token, so nothing after it)",
            (SignatureFamily::Plaintext, _) => {
                "the secrets themselves are the signature; no base string is used"
            }
            (SignatureFamily::Rsa(_), _) => "the client's RSA key",
        };
        steps.push(step(
            &format!("Key for {method} (§3.4.2 to §3.4.4)"),
            key.to_owned(),
        ));
    }
    for note in presented.notes() {
        steps.push(step("Let pass, as X does", note.to_string()));
    }
    steps
}

fn step(title: &str, value: String) -> Step {
    Step {
        title: title.to_owned(),
        value,
    }
}
