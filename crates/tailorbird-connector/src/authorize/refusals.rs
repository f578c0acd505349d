//! Why an authorization failed, and what to do: the two questions that providers leave open.

use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_oauth::{AnswerError, CallbackError, Refusal};

use super::{Callback, LOOPBACK_CALLBACK};
use crate::answer::Answer;
use crate::judge::speaks_of_the_clock;
use crate::request::mask_words;
use crate::resolve::{OAuth1Settings, Resolved};

fn fault(code: &str, message: impl Into<String>) -> Failure {
    Failure::new(code, Meaning::ConnectionFault, message)
}

fn again(connection: &Name) -> String {
    format!("Start again: tailorbird connection authorize {connection}")
}

/// A lost answer to the first request does no harm: a second try makes new temporary credentials.
pub(super) fn harmless(mut failure: Failure) -> Failure {
    if failure.meaning == Meaning::InDoubt {
        failure.meaning = Meaning::RetryLater;
        codes::PROVIDER_UNREACHABLE.clone_into(&mut failure.code);
        "Try again; nothing was changed at the provider.".clone_into(&mut failure.hint);
    }
    failure
}

/// A lost answer to the exchange: the code may be used up, so only a new attempt is sure.
pub(super) fn start_again(mut failure: Failure) -> Failure {
    if failure.meaning == Meaning::InDoubt {
        failure.meaning = Meaning::RetryLater;
        codes::PROVIDER_UNREACHABLE.clone_into(&mut failure.code);
        "The code may be used up now. Start the authorization again; a second token does no harm."
            .clone_into(&mut failure.hint);
    }
    failure
}

fn with_refusal(mut failure: Failure, answer: &Answer, refusal: &Refusal) -> Failure {
    failure.status = Some(answer.status);
    failure.provider_code = refusal
        .code
        .map(|code| code.to_string())
        .or_else(|| refusal.problem.clone());
    let message = mask_words(&refusal.message);
    let said = if message.is_empty() {
        format!(
            "The provider answered HTTP {} and gives no reason.",
            answer.status
        )
    } else {
        format!("The provider says (HTTP {}): “{message}”", answer.status)
    };
    failure.provider_message = Some(message).filter(|message| !message.is_empty());
    let notes = answer
        .notes
        .iter()
        .fold(String::new(), |text, note| text + " " + note);
    failure.detail = if failure.detail.is_empty() {
        format!("{said}{notes}")
    } else {
        format!("{said} {}{notes}", failure.detail)
    };
    failure
}

/// The first request was refused or answered with something else.
pub(super) fn of_start(
    resolved: &Resolved,
    settings: &OAuth1Settings,
    callback: &Callback,
    answer: &Answer,
    problem: AnswerError,
) -> Failure {
    match problem {
        AnswerError::Refused(refusal) => with_refusal(
            start_refusal(resolved, settings, callback, answer, &refusal),
            answer,
            &refusal,
        ),
        other => unreadable_answer("temporary_credentials_url", &other, answer),
    }
}

fn start_refusal(
    resolved: &Resolved,
    settings: &OAuth1Settings,
    callback: &Callback,
    answer: &Answer,
    refusal: &Refusal,
) -> Failure {
    let words = refusal.message.to_lowercase();
    let key = settings.labels.client_key.as_deref().unwrap_or("client key");
    let secret = settings
        .labels
        .client_secret
        .as_deref()
        .unwrap_or("client secret");
    let place = settings
        .keys_at
        .as_ref()
        .map_or_else(String::new, |at| format!(" Both are found at: {at}."));
    if refusal.code == Some(417) || words.contains("'oob'") {
        return fault(
            codes::CALLBACK_REFUSED,
            "provider takes no callback address for this application",
        )
        .detail("The application has no callback address registered, so only the code (PIN) way is open.")
        .hint(format!(
            "Use `--callback oob`, or register exactly this text as a callback address of the application: {}",
            match callback {
                Callback::Url(url) => url.as_str(),
                Callback::OutOfBand => LOOPBACK_CALLBACK,
            }
        ));
    }
    if refusal.code == Some(415) || words.contains("callback") {
        return match callback {
            Callback::Url(url) => fault(codes::CALLBACK_REFUSED, "provider does not have the callback registered")
                .hint(format!(
                    "Register exactly this text as a callback address of the application: {url} (no slash more or \
                     less, 127.0.0.1 and not localhost). Or use `--callback oob`, which needs none."
                )),
            Callback::OutOfBand => fault(codes::CALLBACK_REFUSED, "provider refuses the code (PIN) way for this application")
                .hint("Register a callback address at the provider and use `--callback loopback`."),
        };
    }
    if speaks_of_the_clock(answer) {
        return fault(codes::CLOCK_OFF, "provider refused the timestamp")
            .hint("Set the clock of this machine (for example `timedatectl set-ntp true`), then try again.");
    }
    match answer.status {
        400 | 401 | 403 => fault(codes::SIGNATURE_REFUSED, "provider refused the application's credentials")
            .hint(format!(
                "Compare {key} and {secret} with the provider's page: swapped, cut off, or of another application.{place} \
                 `tailorbird connection diagnose {}` looks further.",
                resolved.connection
            )),
        404 | 410 => fault(codes::CONNECTION_SETTING, "provider has nothing at the address for temporary credentials")
            .hint("Compare temporary_credentials_url with the provider's documentation."),
        429 => {
            let mut failure = Failure::new(codes::RATE_LIMITED, Meaning::RetryLater, "provider put the authorization off")
                .hint("Wait some minutes, then start again.");
            failure.retry_at = answer.reports.iter().filter_map(|report| report.reset_at).max();
            failure
        }
        500..=599 => Failure::new(codes::PROVIDER_FAILED, Meaning::RetryLater, "provider failed at the authorization")
            .hint("Try again later; nothing was changed."),
        _ => fault(codes::SIGNATURE_REFUSED, "provider refused to start the authorization")
            .hint(again(&resolved.connection)),
    }
}

/// The second request was refused or answered with something else.
pub(super) fn of_finish(resolved: &Resolved, answer: &Answer, problem: AnswerError) -> Failure {
    let connection = &resolved.connection;
    match problem {
        AnswerError::Refused(refusal) => {
            with_refusal(finish_refusal(connection, answer, &refusal), answer, &refusal)
        }
        other => unreadable_answer("token_url", &other, answer),
    }
}

fn finish_refusal(connection: &Name, answer: &Answer, refusal: &Refusal) -> Failure {
    let words = refusal.message.to_lowercase();
    if speaks_of_the_clock(answer) {
        return fault(codes::CLOCK_OFF, "provider refused the timestamp")
            .hint(format!("Set the clock of this machine. {}", again(connection)));
    }
    if answer.status >= 500 {
        return Failure::new(
            codes::PROVIDER_FAILED,
            Meaning::RetryLater,
            "provider failed at the exchange of the code",
        )
        .hint(again(connection));
    }
    if words.contains("verifier") || words.contains("pin") {
        return fault(codes::VERIFIER_REFUSED, "provider refused the verification code").hint(format!(
            "The code is mistyped, or used already; each works once. Compare it with the provider's page and give it \
             again. {}",
            again(connection)
        ));
    }
    let over = [
        "expired",
        "request token",
        "reverse auth",
        "invalid token",
        "already",
        "used",
        "token",
    ];
    if over.iter().any(|word| words.contains(word)) {
        return fault(
            codes::AUTHORIZATION_EXPIRED,
            "provider no longer knows this authorization",
        )
        .detail("Its temporary credentials are expired, used, or were never approved.")
        .hint(again(connection));
    }
    fault(
        codes::VERIFIER_REFUSED,
        "provider refused to exchange the verification code",
    )
    .hint(format!(
        "Usual causes: a wrong or used code, or an attempt that is too old. {}",
        again(connection)
    ))
}

fn unreadable_answer(setting: &str, problem: &AnswerError, answer: &Answer) -> Failure {
    let mut failure = fault(
        codes::ANSWER_UNREADABLE,
        format!("provider's OAuth answer cannot be used: {problem}"),
    );
    failure.status = Some(answer.status);
    failure.hint = match problem {
        AnswerError::WebPage { .. } => {
            format!("{setting} leads to a page for people. Set it to the address for programs, from the provider's documentation.")
        }
        AnswerError::CallbackNotConfirmed => {
            "The provider speaks OAuth 1.0, before its security fix (1.0a); its tokens can be stolen on the way. Ask \
             the provider for 1.0a, or give a ready token by --secrets."
                .to_owned()
        }
        _ => format!("Compare {setting} with the provider's documentation."),
    };
    failure
}

pub(super) fn expired(connection: &Name) -> Failure {
    fault(
        codes::AUTHORIZATION_EXPIRED,
        "authorization was started more than 10 minutes ago",
    )
    .detail("Nothing was sent.")
    .hint(again(connection))
}

/// Somebody else's requests came in numbers that no browser sends.
pub(super) fn crowded(connection: &Name, requests: usize) -> Failure {
    fault(
        codes::CALLBACK_REFUSED,
        format!("{requests} requests came to the callback address, and none was the provider's redirect"),
    )
    .detail("Another program on this machine sends requests there. Nothing was sent.")
    .hint(format!(
        "End that program, or use `--callback oob`. {}",
        again(connection)
    ))
}

pub(super) fn denied(connection: &Name) -> Failure {
    fault(codes::CONSENT_DENIED, "the account's owner did not approve")
        .hint(format!("If that was a slip: {}", again(connection)))
}

pub(super) fn other_attempt(connection: &Name) -> Failure {
    fault(
        codes::AUTHORIZATION_EXPIRED,
        "what came back belongs to another attempt",
    )
    .detail("A newer start replaces an older one; only the newest can be finished. Nothing was sent.")
    .hint(again(connection))
}

pub(super) fn empty(connection: &Name) -> Failure {
    fault(codes::VERIFIER_REFUSED, "no verification code was given")
        .hint(format!("Approve on the provider's page; it shows the code. Then: tailorbird connection authorize {connection} --verifier CODE"))
}

pub(super) fn unreadable(connection: &Name, problem: &CallbackError) -> Failure {
    match problem {
        CallbackError::Empty => empty(connection),
        other => fault(codes::VERIFIER_REFUSED, format!("what was given is no verification code: {other}"))
            .hint("Give the code that the provider's page shows, or the whole address that the browser was sent to."),
    }
}
