//! Is the token right, and which slip would make it so?

use tailorbird_model::codes;
use tailorbird_model::ports::Credentials;
use tailorbird_oauth::TokenCredentials;

use super::checks::{certain, is_private_way};
use super::{Diagnosed, Known};
use crate::authenticate::Purpose;
use crate::connector::Connector;
use crate::request::Request;
use crate::resolve::Resolved;

/// Asks the probe with each usual slip undone. The first that is accepted is the cause.
pub(super) async fn try_tokens(
    connector: &Connector,
    resolved: &Resolved,
    credentials: &Credentials,
    token: &TokenCredentials,
    known: &Known<'_>,
    probe: &Request,
    diagnosed: &mut Diagnosed,
) {
    let again = format!(
        "Get a new token: tailorbird connection authorize {}",
        resolved.connection
    );
    let mut variants: Vec<(&str, TokenCredentials, String)> = Vec::new();
    if token.token.trim() != token.token || token.secret.has_outer_whitespace() {
        variants.push((
            "the token without outer white space",
            TokenCredentials::new(token.token.trim(), token.secret.trimmed()),
            "Token or token secret has white space around it.".to_owned(),
        ));
    }
    // Swapped, the token's secret goes out as the token, readable for whoever listens.
    if is_private_way(&probe.url) {
        variants.push((
            "token and token secret swapped",
            TokenCredentials::new(token.secret.trimmed().expose_for_sealing(), token.token.trim()),
            "Token and token secret are swapped.".to_owned(),
        ));
    }
    if let Some(secret) = known.temporary_secret {
        if *secret == token.secret {
            diagnosed.findings.push(certain(
                codes::CREDENTIALS_UNUSABLE,
                "The token is kept with the secret of the request token.".to_owned(),
                "Both secrets are the same, and a request token's secret ends with the authorization."
                    .to_owned(),
                again.clone(),
            ));
        } else {
            variants.push((
                "the request token's secret",
                TokenCredentials::new(token.token.clone(), secret.clone()),
                "The token secret is wrong; the provider goes by the request token's secret.".to_owned(),
            ));
        }
    }
    for (what, variant, cause) in variants {
        diagnosed
            .tried
            .push(format!("Asked whose credentials these are, with {what}."));
        let changed = Credentials {
            token: Some(variant),
            ..credentials.clone()
        };
        let Ok(answer) = connector.exchange(resolved, &changed, probe, Purpose::Call).await else {
            continue;
        };
        if answer.is_success() {
            diagnosed.findings.push(certain(
                codes::CREDENTIALS_UNUSABLE,
                cause,
                "The provider refused the credentials as they are and accepted them this way.".to_owned(),
                format!(
                    "Correct them (tailorbird connection add {} --secrets -). Or: {again}",
                    resolved.connection
                ),
            ));
            return;
        }
    }
}
