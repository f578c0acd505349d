//! The single checks of a diagnosis.

use tailorbird_model::ports::Credentials;
use tailorbird_model::service::Method;
use tailorbird_model::{Failure, codes};
use tailorbird_oauth::{
    ClientCredentials, TokenCredentials, inspect_credentials, read_temporary_credentials,
};

use super::{Diagnosed, Finding, Known};
use crate::answer::Answer;
use crate::authenticate::Purpose;
use crate::authorize::Callback;
use crate::clock::{NOTABLE_SKEW_SECONDS, skew_words};
use crate::connector::Connector;
use crate::judge::judge;
use crate::origin::Origin;
use crate::request::{Request, RequestBody};
use crate::resolve::{Missing, OAuth1Settings, Resolved};
use crate::settings::check_settings;

fn likely(code: &'static str, cause: String, proof: String, next_step: String) -> Finding {
    Finding {
        code,
        cause,
        proof,
        next_step,
        certain: false,
    }
}

fn certain(code: &'static str, cause: String, proof: String, next_step: String) -> Finding {
    Finding {
        certain: true,
        ..likely(code, cause, proof, next_step)
    }
}

pub(super) fn incomplete(resolved: &Resolved, lacks: &[Missing]) -> Finding {
    let labels: Vec<&str> = lacks.iter().map(|lack| lack.label.as_str()).collect();
    let hints: Vec<&str> = lacks.iter().map(|lack| lack.hint.as_str()).collect();
    certain(
        codes::CONNECTION_INCOMPLETE,
        format!(
            "Connection \"{}\" lacks: {}.",
            resolved.connection,
            labels.join(", ")
        ),
        "It is not stored.".to_owned(),
        hints.join(" "),
    )
}

/// Facts about the addresses that need no request.
pub(super) fn look_at_addresses(resolved: &Resolved, diagnosed: &mut Diagnosed) {
    let checked = check_settings(&resolved.service, &std::collections::BTreeMap::new());
    for problem in checked.problems {
        diagnosed.findings.push(certain(
            codes::AUTHORIZE_URL_WRONG,
            format!("The service file is wrong: {}.", problem.message),
            problem.detail,
            problem.hint,
        ));
    }
    let Some(oauth) = resolved.oauth1() else { return };
    let root = resolved.root_url.as_ref().and_then(Origin::of);
    let others = [
        ("temporary_credentials_url", &oauth.temporary_credentials_url),
        ("authorization_url", &oauth.authorization_url),
        ("token_url", &oauth.token_url),
    ];
    for (name, url) in others {
        let origin = url.as_ref().and_then(Origin::of);
        if let (Some(root), Some(origin)) = (&root, &origin)
            && root.is_loopback() != origin.is_loopback()
        {
            diagnosed.findings.push(likely(
                codes::CONNECTION_SETTING,
                format!("{name} and root_url lead to different providers."),
                format!("root_url is on {root}, {name} on {origin}."),
                "Set both to the same provider; credentials of one mean nothing to the other.".to_owned(),
            ));
        }
    }
}

/// Facts about the credentials that need no request.
pub(super) fn look_at_credentials(resolved: &Resolved, credentials: &Credentials, diagnosed: &mut Diagnosed) {
    let Some(client) = &credentials.client else { return };
    for suspicion in inspect_credentials(client, credentials.token.as_ref()) {
        diagnosed.findings.push(likely(
            codes::CREDENTIALS_UNUSABLE,
            format!("The credentials look odd: {suspicion}."),
            "Seen by their form; no secret was shown or sent.".to_owned(),
            format!(
                "Compare them with the provider's page, then: tailorbird connection add {} --secrets -",
                resolved.connection
            ),
        ));
    }
}

/// Asks the provider, first as things are, then with each usual mistake undone.
pub(super) async fn ask_provider(
    connector: &Connector,
    resolved: &Resolved,
    credentials: &Credentials,
    known: &Known<'_>,
    diagnosed: &mut Diagnosed,
) {
    let probe = probe_request(resolved);
    let mut refused = None;
    if let Some(probe) = &probe
        && crate::resolve::missing(resolved, credentials).is_empty()
    {
        diagnosed.tried.push(format!(
            "Asked the provider whose credentials these are ({}).",
            probe.name()
        ));
        match connector.send(resolved, credentials, probe).await {
            Err(failure) => {
                diagnosed.findings.push(unreached(failure));
                return;
            }
            Ok(answer) => {
                look_at_clock(&answer, diagnosed);
                look_at_level(resolved, known, answer.level.as_deref(), diagnosed);
                match judge(resolved, probe, &answer) {
                    Ok(()) => diagnosed.works = true,
                    Err(failure) => refused = Some((answer, failure)),
                }
            }
        }
    }
    let Some(oauth) = resolved.oauth1() else { return };
    if let Some((answer, failure)) = &refused
        && answer.status != 401
        && !matches!(failure.provider_code.as_deref(), Some("89" | "215" | "32"))
    {
        // Authentication went through; the refusal is about something else and says what.
        diagnosed.findings.push(certain(
            static_code(&failure.code),
            format!(
                "The provider knows the credentials and refuses for another reason: {}.",
                failure.message
            ),
            failure.detail.clone(),
            failure.hint.clone(),
        ));
        return;
    }
    if diagnosed.works {
        return;
    }
    let client_good = try_client(connector, resolved, oauth, credentials, diagnosed).await;
    let Some(probe) = probe else { return };
    let Some(token) = &credentials.token else { return };
    if refused.is_none() || client_good == Some(false) {
        return;
    }
    try_tokens(connector, resolved, credentials, token, known, &probe, diagnosed).await;
    let explained = diagnosed.findings.iter().any(|finding| finding.certain);
    if !explained && client_good == Some(true) {
        diagnosed.findings.push(certain(
            codes::TOKEN_REFUSED,
            "The application's credentials are right; the token or its secret is not.".to_owned(),
            "A request with the application's credentials alone was accepted, the same with the token was refused. \
             The token is of another application, revoked, regenerated, or its secret is another one."
                .to_owned(),
            format!("Get a new token: tailorbird connection authorize {}", resolved.connection),
        ));
    }
}

/// The reading request that a diagnosis repeats: the account probe.
fn probe_request(resolved: &Resolved) -> Option<Request> {
    let probe = resolved.service.account.as_ref()?;
    crate::build::build(
        resolved,
        probe.operation.as_str(),
        &std::collections::BTreeMap::new(),
    )
    .ok()
}

/// Tries the client credentials by asking for temporary credentials, as they are and swapped. Tells
/// whether they are good, where that can be known.
async fn try_client(
    connector: &Connector,
    resolved: &Resolved,
    oauth: &OAuth1Settings,
    credentials: &Credentials,
    diagnosed: &mut Diagnosed,
) -> Option<bool> {
    let url = oauth.temporary_credentials_url.as_ref()?;
    let client = credentials.client.as_ref()?;
    let request = Request {
        operation: None,
        method: Method::Post,
        url: url.as_str().to_owned(),
        headers: Vec::new(),
        body: RequestBody::None,
    };
    let purpose = Purpose::TemporaryCredentials {
        callback: Callback::OutOfBand.as_str(),
    };
    diagnosed
        .tried
        .push("Asked for temporary credentials with the application's credentials alone.".to_owned());
    let answer = match connector.exchange(resolved, credentials, &request, purpose).await {
        Ok(answer) => answer,
        Err(failure) => {
            diagnosed.findings.push(unreached(failure));
            return None;
        }
    };
    look_at_clock(&answer, diagnosed);
    match client_verdict(&answer) {
        Some(true) => return Some(true),
        None => return None,
        Some(false) => {}
    }
    if oauth.signature_method.is_rsa() {
        diagnosed.findings.push(certain(
            codes::SIGNATURE_REFUSED,
            "The provider refuses the application's key or its RSA signature.".to_owned(),
            "A request with the application's credentials alone was refused.".to_owned(),
            "Check that the provider has the public key that belongs to this private key, and the signature method.".to_owned(),
        ));
        return Some(false);
    }
    let (key, secret) = (client.key.trim(), client.secret.trimmed());
    let variants = [
        (
            "swapped",
            ClientCredentials::new(secret.expose_for_sealing(), key),
        ),
        ("spaces", ClientCredentials::new(key, secret.clone())),
    ];
    for (name, variant) in variants {
        if name == "spaces" && key == client.key && !client.secret.has_outer_whitespace() {
            continue;
        }
        diagnosed.tried.push(format!(
            "Asked again with key and secret {}.",
            if name == "swapped" {
                "swapped"
            } else {
                "without outer white space"
            }
        ));
        let changed = Credentials {
            client: Some(variant),
            ..credentials.clone()
        };
        let Ok(answer) = connector.exchange(resolved, &changed, &request, purpose).await else {
            continue;
        };
        if client_verdict(&answer) == Some(true) {
            let (cause, next) = if name == "swapped" {
                (
                    format!("{} and {} are swapped.", key_label(oauth), secret_label(oauth)),
                    "Swap them",
                )
            } else {
                (
                    format!(
                        "{} or {} has white space around it.",
                        key_label(oauth),
                        secret_label(oauth)
                    ),
                    "Give them without it",
                )
            };
            diagnosed.findings.push(certain(
                codes::CREDENTIALS_UNUSABLE,
                cause,
                "The provider refused them as they are and accepted them the other way.".to_owned(),
                format!(
                    "{next}: tailorbird connection add {} --secrets -",
                    resolved.connection
                ),
            ));
            return Some(false);
        }
    }
    diagnosed.findings.push(certain(
        codes::SIGNATURE_REFUSED,
        format!("The provider refuses {} with {}.", key_label(oauth), secret_label(oauth)),
        format!(
            "A request with the application's credentials alone was refused (HTTP {}): {}",
            answer.status,
            tailorbird_oauth::read_refusal(answer.status, &answer.body).message
        ),
        format!(
            "Copy both anew from the provider{}; they may be cut off, regenerated, or of another provider than {}.",
            oauth.keys_at.as_ref().map_or_else(String::new, |at| format!(" ({at})")),
            url.host_str().unwrap_or_default()
        ),
    ));
    Some(false)
}

/// Whether an answer to a request for temporary credentials shows that the client is known.
fn client_verdict(answer: &Answer) -> Option<bool> {
    if read_temporary_credentials(
        answer.status,
        &answer.body,
        tailorbird_oauth::CallbackConfirmation::Optional,
    )
    .is_ok()
    {
        return Some(true);
    }
    let refusal = tailorbird_oauth::read_refusal(answer.status, &answer.body);
    // A complaint about the callback comes after the signature was found right.
    if matches!(refusal.code, Some(415 | 417)) || refusal.message.to_lowercase().contains("callback") {
        return Some(true);
    }
    matches!(answer.status, 400 | 401 | 403).then_some(false)
}

async fn try_tokens(
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
    let mut variants: Vec<(&str, TokenCredentials, String)> = vec![(
        "token and token secret swapped",
        TokenCredentials::new(token.secret.trimmed().expose_for_sealing(), token.token.trim()),
        "Token and token secret are swapped.".to_owned(),
    )];
    if token.token.trim() != token.token || token.secret.has_outer_whitespace() {
        variants.push((
            "the token without outer white space",
            TokenCredentials::new(token.token.trim(), token.secret.trimmed()),
            "Token or token secret has white space around it.".to_owned(),
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

fn look_at_clock(answer: &Answer, diagnosed: &mut Diagnosed) {
    let Some(skew) = answer
        .skew_seconds
        .filter(|skew| skew.abs() >= NOTABLE_SKEW_SECONDS)
    else {
        return;
    };
    let corrected = answer.is_success();
    let proof = format!(
        "The provider's Date header was {}, our clock {}.{}",
        answer.date.map(|at| at.to_string()).unwrap_or_default(),
        answer.received_at,
        if corrected {
            " Timestamps are corrected by the difference."
        } else {
            ""
        }
    );
    diagnosed.findings.push(Finding {
        certain: !corrected,
        ..likely(
            codes::CLOCK_OFF,
            format!(
                "The clock of this machine is {} the provider's.",
                skew_words(skew)
            ),
            proof,
            "Set the clock (for example `timedatectl set-ntp true`).".to_owned(),
        )
    });
}

fn look_at_level(resolved: &Resolved, known: &Known<'_>, level: Option<&str>, diagnosed: &mut Diagnosed) {
    let (Some(needs), Some(has)) = (known.needs_level, level) else {
        return;
    };
    if needs == has {
        return;
    }
    let refused_for_level = known
        .refusal
        .is_some_and(|refusal| refusal.code == codes::LEVEL_TOO_LOW);
    if !refused_for_level {
        return;
    }
    let name = |level: &str| {
        resolved
            .service
            .level
            .as_ref()
            .and_then(|report| report.names.get(level))
            .map_or_else(|| level.to_owned(), |name| format!("{name} ({level})"))
    };
    let since = known
        .authorized_at
        .map_or_else(String::new, |at| format!(" It was obtained at {at}."));
    diagnosed.findings.push(certain(
        codes::LEVEL_TOO_LOW,
        format!("The token has the access level {}; the operation needs {}.", name(has), name(needs)),
        format!("The provider reports the token's level with each answer. A token keeps the level that the application had when it was authorised.{since}"),
        format!(
            "Set the application's level at the provider, then authorise anew: tailorbird connection authorize {}",
            resolved.connection
        ),
    ));
}

/// What the refusal itself says, where asking found no more.
pub(super) fn look_at_refusal(resolved: &Resolved, known: &Known<'_>, diagnosed: &mut Diagnosed) {
    let Some(refusal) = known.refusal else { return };
    if diagnosed.findings.iter().any(|finding| finding.certain) {
        return;
    }
    look_at_level(resolved, known, known.last_level, diagnosed);
    diagnosed.findings.push(likely(
        static_code(&refusal.code),
        format!("{}.", capitalised(&refusal.message)),
        refusal.detail.clone(),
        refusal.hint.clone(),
    ));
}

fn unreached(failure: Failure) -> Finding {
    certain(
        static_code(&failure.code),
        format!("{}.", capitalised(&failure.message)),
        failure.detail,
        failure.hint,
    )
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

/// The code as the list of pages has it.
fn static_code(code: &str) -> &'static str {
    codes::page(code).map_or(codes::INTERNAL, |page| page.code)
}

fn key_label(oauth: &OAuth1Settings) -> &str {
    oauth.labels.client_key.as_deref().unwrap_or("Client key")
}

fn secret_label(oauth: &OAuth1Settings) -> &str {
    oauth.labels.client_secret.as_deref().unwrap_or("client secret")
}
