//! The single checks of a diagnosis.

use tailorbird_model::ports::Credentials;
use tailorbird_model::{Failure, codes};
use tailorbird_oauth::inspect_credentials;

use super::client::try_client;
use super::token::try_tokens;
use super::{Diagnosed, Finding, Known, Refused};
use crate::answer::Answer;
use crate::clock::{NOTABLE_SKEW_SECONDS, skew_words};
use crate::connector::Connector;
use crate::judge::judge;
use crate::origin::Origin;
use crate::request::Request;
use crate::resolve::{Missing, OAuth1Settings, Resolved};
use crate::settings::check_settings;
use crate::shown::Showing;

fn likely(code: &'static str, cause: String, proof: String, next_step: String) -> Finding {
    Finding {
        code,
        cause,
        proof,
        next_step,
        certain: false,
    }
}

pub(super) fn certain(code: &'static str, cause: String, proof: String, next_step: String) -> Finding {
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
                    Err(failure) => {
                        let shown = connector.shown(
                            resolved,
                            credentials,
                            Showing::Call(probe),
                            answer.stamp.as_ref(),
                        );
                        diagnosed.refused = shown.ok().flatten().map(|shown| Refused {
                            shown,
                            failure: failure.clone(),
                        });
                        refused = Some((answer, failure));
                    }
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
             The token is of another application, revoked, regenerated, or its secret is another one, such as \
             that of the request token."
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

pub(super) fn look_at_clock(answer: &Answer, diagnosed: &mut Diagnosed) {
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

/// Compares the token's level with what the refused operation needs, or with what the service offers.
fn look_at_level(resolved: &Resolved, known: &Known<'_>, level: Option<&str>, diagnosed: &mut Diagnosed) {
    let (Some(report), Some(has)) = (&resolved.service.level, level) else {
        return;
    };
    let name = |level: &str| {
        let words = report.names.get(level);
        words.map_or_else(|| level.to_owned(), |words| format!("{words} ({level})"))
    };
    let since = known
        .authorized_at
        .map_or_else(String::new, |at| format!(" It was obtained at {at}."));
    let proof = format!(
        "The provider reports the token's level with each answer. A token keeps the level that the application had \
         when it was authorised.{since}"
    );
    let next = format!(
        "Set the application's level at the provider, then authorise anew: tailorbird connection authorize {}",
        resolved.connection
    );
    let refused_for_level = known
        .refusal
        .is_some_and(|refusal| refusal.code == codes::LEVEL_TOO_LOW);
    if let Some(needs) = known.needs_level
        && report
            .is_less(has, needs)
            .unwrap_or(refused_for_level && has != needs)
    {
        let cause = format!(
            "The token has the access level {}; the operation needs {}.",
            name(has),
            name(needs)
        );
        diagnosed
            .findings
            .push(certain(codes::LEVEL_TOO_LOW, cause, proof, next));
        return;
    }
    let beyond: Vec<&str> = resolved
        .service
        .operations
        .iter()
        .filter(|(_, operation)| {
            operation
                .needs_level
                .as_ref()
                .is_some_and(|needs| report.is_less(has, needs) == Some(true))
        })
        .map(|(operation, _)| operation.as_str())
        .collect();
    if let Some(example) = beyond.first() {
        let cause = format!(
            "The token has the access level {}; {} operations such as {example} need more.",
            name(has),
            beyond.len()
        );
        diagnosed.findings.push(likely(
            codes::LEVEL_TOO_LOW,
            cause,
            proof,
            format!("If you want them: {next}"),
        ));
    }
}

/// Whether nobody on the way can read what is sent to an address.
pub(super) fn is_private_way(url: &str) -> bool {
    Origin::parse(url).is_some_and(|origin| origin.is_secure() || origin.is_loopback())
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

pub(super) fn unreached(failure: Failure) -> Finding {
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

pub(super) fn key_label(oauth: &OAuth1Settings) -> &str {
    oauth.labels.client_key.as_deref().unwrap_or("Client key")
}

pub(super) fn secret_label(oauth: &OAuth1Settings) -> &str {
    oauth.labels.client_secret.as_deref().unwrap_or("client secret")
}
