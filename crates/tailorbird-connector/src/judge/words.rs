//! What a status means by itself, and the words for it.

use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_oauth::Refusal;

use crate::answer::Answer;
use crate::request::{Request, mask_words};
use crate::resolve::Resolved;

use super::{is_page, operation};

/// What a status says where no rule of the service fits.
pub(super) struct ByStatus {
    pub(super) code: &'static str,
    pub(super) meaning: Meaning,
    pub(super) hint: String,
}

/// Words in a 403 that speak of the connection and not of the record. A revoked right must not reject a
/// whole table (never-twice rule 9).
const CONNECTION_WORDS: [&str; 22] = [
    "access level",
    "access token",
    "api key",
    "application",
    "client app",
    "consumer",
    "credential",
    "enroll",
    "forbidden",
    "insufficient",
    "not authorized",
    "not authorised",
    "oauth",
    "permission",
    "plan",
    "privilege",
    "read-only",
    "scope",
    "subscription",
    "suspended",
    "token",
    "unauthorized",
];

/// Reads a status.
pub(super) fn by_status(
    resolved: &Resolved,
    request: &Request,
    status: u16,
    refusal: &Refusal,
    repeatable: bool,
) -> ByStatus {
    let name = &resolved.connection;
    let make = |code, meaning, hint: String| ByStatus { code, meaning, hint };
    let diagnose = format!("Run `tailorbird connection diagnose {name}`: it finds the cause.");
    match status {
        401 => make(codes::SIGNATURE_REFUSED, Meaning::ConnectionFault, diagnose),
        402 => make(
            codes::PLAN_REFUSED,
            Meaning::ConnectionFault,
            "Look at the plan and the credit of the application in the provider's console.".to_owned(),
        ),
        403 if speaks_of_connection(refusal) => make(codes::LEVEL_TOO_LOW, Meaning::ConnectionFault, diagnose),
        404 | 410 if !has_placeholder(resolved, request) => make(
            codes::CONNECTION_SETTING,
            Meaning::ConnectionFault,
            format!(
                "The provider has nothing at this address. Compare the connection's root URL ({}) with the provider's \
                 documentation.",
                resolved.root_url.as_ref().map_or("none", url::Url::as_str)
            ),
        ),
        405 | 407 => make(
            codes::CONNECTION_SETTING,
            Meaning::ConnectionFault,
            "The provider does not take this method at this address. Compare the operation with its documentation.".to_owned(),
        ),
        408 | 500..=599 if !repeatable => make(
            codes::IN_DOUBT,
            Meaning::InDoubt,
            "The provider failed while it worked on the request; it may be done. It is looked up, or waits for your \
             decision: `tailorbird delivery list`."
                .to_owned(),
        ),
        408 | 500..=599 => make(
            codes::PROVIDER_FAILED,
            Meaning::RetryLater,
            "The provider failed; repeating this request does no harm. It is tried again later.".to_owned(),
        ),
        425 | 429 => make(
            codes::RATE_LIMITED,
            Meaning::RetryLater,
            "Wait until the provider's window begins again; a run waits by itself.".to_owned(),
        ),
        // A 200 whose whole content is an error.
        200..=299 | 400..=499 => make(
            codes::REJECTED,
            Meaning::Rejected,
            "Correct what is sent by what the provider says, then send it again.".to_owned(),
        ),
        _ => make(
            codes::ANSWER_ODD,
            if repeatable { Meaning::RetryLater } else { Meaning::InDoubt },
            "This status is none that an API gives as a final answer; something between may have made it.".to_owned(),
        ),
    }
}

fn speaks_of_connection(refusal: &Refusal) -> bool {
    if refusal.message.is_empty() || is_page(refusal) {
        return true;
    }
    let words = refusal.message.to_lowercase();
    CONNECTION_WORDS.iter().any(|word| words.contains(word))
}

/// A 404 below a placeholder is about the thing that the record names; without one it is about the root.
fn has_placeholder(resolved: &Resolved, request: &Request) -> bool {
    operation(resolved, request).is_none_or(|operation| operation.path.contains('{'))
}

/// The page for a meaning, where a rule names none.
pub(super) fn code_of(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::ConnectionFault => codes::SIGNATURE_REFUSED,
        Meaning::RetryLater => codes::RATE_LIMITED,
        Meaning::NotSent => codes::PROVIDER_UNREACHABLE,
        Meaning::InDoubt => codes::IN_DOUBT,
        Meaning::Duplicate => codes::DUPLICATE,
        _ => codes::REJECTED,
    }
}

/// What the provider did, as a verb.
pub(super) fn verb(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::RetryLater => "put off",
        Meaning::InDoubt => "failed at",
        Meaning::Duplicate => "already has the content of",
        _ => "refused",
    }
}

/// The facts in whole sentences: the provider's words, and what kept them from being read.
pub(super) fn detail(answer: &Answer, refusal: &Refusal) -> String {
    let mut sentences = Vec::new();
    if is_page(refusal) {
        let title = if refusal.message.is_empty() {
            String::new()
        } else {
            format!(" with the title “{}”", refusal.message)
        };
        sentences.push(format!("The answer is a web page{title}, not an API's answer."));
    } else if refusal.message.is_empty() {
        sentences.push("The provider gives no reason.".to_owned());
    } else {
        sentences.push(format!("The provider says: “{}”", mask_words(&refusal.message)));
        let others: Vec<&str> = refusal
            .items
            .iter()
            .skip(1)
            .map(|item| item.message.as_str())
            .filter(|text| !text.is_empty())
            .collect();
        if !others.is_empty() {
            sentences.push(format!("And: “{}”", others.join("”, “")));
        }
    }
    if let Some(cut) = &answer.cut {
        sentences.push(format!("The answer is not whole: {cut}."));
    }
    sentences.extend(answer.notes.iter().cloned());
    sentences.join(" ")
}

/// The failure of a successful answer that does not have the shape the service file says.
pub(crate) fn odd(request: &Request, answer: &Answer, what: &str) -> Failure {
    let mut failure = Failure::new(
        codes::ANSWER_ODD,
        Meaning::Rejected,
        format!(
            "provider accepted {}, but its answer cannot be read: {what}",
            request.name()
        ),
    )
    .detail(match &answer.cut {
        Some(cut) => format!("The answer is not whole: {cut}."),
        None => format!("The answer begins with: {}", beginning(&answer.masked_body())),
    })
    .hint("Compare `result` of the operation in the service file with the provider's documentation.");
    failure.status = Some(answer.status);
    failure
}

/// How much of an odd answer is shown, in characters.
const SHOWN_BEGINNING: usize = 200;

fn beginning(text: &str) -> String {
    text.chars().take(SHOWN_BEGINNING).collect()
}
