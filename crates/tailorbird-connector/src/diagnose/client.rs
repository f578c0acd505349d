//! Are the application's own credentials right? A request for temporary credentials tells, and changes
//! nothing.

use tailorbird_model::codes;
use tailorbird_model::ports::Credentials;
use tailorbird_model::service::Method;
use tailorbird_oauth::{
    CallbackConfirmation, ClientCredentials, OUT_OF_BAND, read_refusal, read_temporary_credentials,
};

use super::checks::{certain, is_private_way, key_label, look_at_clock, secret_label, unreached};
use super::{Diagnosed, Finding, Refused};
use crate::answer::Answer;
use crate::authenticate::Purpose;
use crate::authorize::start_refused;
use crate::connector::Connector;
use crate::request::{Request, RequestBody, mask_words};
use crate::resolve::{OAuth1Settings, Resolved};
use crate::shown::Showing;
use url::Url;

/// Tries the client credentials as they are, then with each usual slip undone. Tells whether they are
/// good, where that can be known.
pub(super) async fn try_client(
    connector: &Connector,
    resolved: &Resolved,
    oauth: &OAuth1Settings,
    credentials: &Credentials,
    diagnosed: &mut Diagnosed,
) -> Option<bool> {
    let url = oauth.temporary_credentials_url.as_ref()?;
    let request = Request {
        operation: None,
        method: Method::Post,
        url: url.as_str().to_owned(),
        headers: Vec::new(),
        body: RequestBody::None,
    };
    diagnosed
        .tried
        .push("Asked for temporary credentials with the application's credentials alone.".to_owned());
    let answer = match connector.exchange(resolved, credentials, &request, PURPOSE).await {
        Ok(answer) => answer,
        Err(failure) => {
            diagnosed.findings.push(unreached(failure));
            return None;
        }
    };
    look_at_clock(&answer, diagnosed);
    if client_verdict(&answer)? {
        return Some(true);
    }
    if diagnosed.refused.is_none()
        && let Err(problem) =
            read_temporary_credentials(answer.status, &answer.body, CallbackConfirmation::Optional)
    {
        let showing = Showing::TemporaryCredentials {
            callback: OUT_OF_BAND,
        };
        let shown = connector.shown(resolved, credentials, showing, answer.stamp.as_ref());
        diagnosed.refused = shown.ok().flatten().map(|shown| Refused {
            shown,
            failure: start_refused(resolved, oauth, &answer, problem),
        });
    }
    let finding = if oauth.signature_method.is_rsa() {
        rsa_refused()
    } else {
        match undo_slips(
            connector,
            resolved,
            oauth,
            credentials,
            &request,
            &mut diagnosed.tried,
        )
        .await
        {
            Some(finding) => finding,
            None => refused(oauth, url, &answer),
        }
    };
    diagnosed.findings.push(finding);
    Some(false)
}

const PURPOSE: Purpose<'static> = Purpose::TemporaryCredentials {
    callback: OUT_OF_BAND,
};

/// Asks again with each usual slip undone; the first that is accepted is the cause.
async fn undo_slips(
    connector: &Connector,
    resolved: &Resolved,
    oauth: &OAuth1Settings,
    credentials: &Credentials,
    request: &Request,
    tried: &mut Vec<String>,
) -> Option<Finding> {
    let client = credentials.client.as_ref()?;
    let (key, secret) = (client.key.trim(), client.secret.trimmed());
    let (key_label, secret_label) = (key_label(oauth), secret_label(oauth));
    let mut variants = Vec::new();
    if key != client.key || client.secret.has_outer_whitespace() {
        variants.push((
            "without outer white space",
            ClientCredentials::new(key, secret.clone()),
            format!("{key_label} or {secret_label} has white space around it."),
        ));
    }
    // Swapped, the secret goes out as the key, readable for whoever listens.
    if is_private_way(&request.url) {
        variants.push((
            "swapped",
            ClientCredentials::new(secret.expose_for_sealing(), key),
            format!("{key_label} and {secret_label} are swapped."),
        ));
    }
    for (how, variant, cause) in variants {
        tried.push(format!("Asked again with key and secret {how}."));
        let changed = Credentials {
            client: Some(variant),
            ..credentials.clone()
        };
        let Ok(answer) = connector.exchange(resolved, &changed, request, PURPOSE).await else {
            continue;
        };
        if client_verdict(&answer) == Some(true) {
            return Some(certain(
                codes::CREDENTIALS_UNUSABLE,
                cause,
                "The provider refused them as they are and accepted them the other way.".to_owned(),
                format!(
                    "Give them anew: tailorbird connection add {} --secrets -",
                    resolved.connection
                ),
            ));
        }
    }
    None
}

fn rsa_refused() -> Finding {
    certain(
        codes::SIGNATURE_REFUSED,
        "The provider refuses the application's key or its RSA signature.".to_owned(),
        "A request with the application's credentials alone was refused.".to_owned(),
        "Check that the provider has the public key that belongs to this private key, and the signature method."
            .to_owned(),
    )
}

fn refused(oauth: &OAuth1Settings, url: &Url, answer: &Answer) -> Finding {
    let words = mask_words(&read_refusal(answer.status, &answer.body).message);
    let said = if words.is_empty() {
        "without a reason".to_owned()
    } else {
        format!("with the words “{words}”")
    };
    certain(
        codes::SIGNATURE_REFUSED,
        format!(
            "The provider refuses {} with {}.",
            key_label(oauth),
            secret_label(oauth)
        ),
        format!(
            "A request with the application's credentials alone was refused (HTTP {}) {said}.",
            answer.status
        ),
        format!(
            "Copy both anew from the provider{}; they may be cut off, regenerated, or of another provider than {}.",
            oauth
                .keys_at
                .as_ref()
                .map_or_else(String::new, |at| format!(" ({at})")),
            url.host_str().unwrap_or_default()
        ),
    )
}

/// Whether an answer to a request for temporary credentials shows that the client is known.
fn client_verdict(answer: &Answer) -> Option<bool> {
    if read_temporary_credentials(answer.status, &answer.body, CallbackConfirmation::Optional).is_ok() {
        return Some(true);
    }
    let refusal = read_refusal(answer.status, &answer.body);
    // A complaint about the callback comes after the signature was found right.
    if matches!(refusal.code, Some(415 | 417)) || refusal.message.to_lowercase().contains("callback") {
        return Some(true);
    }
    matches!(answer.status, 400 | 401 | 403).then_some(false)
}
