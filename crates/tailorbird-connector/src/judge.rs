//! What an answer means (never-twice rule 9).
//!
//! The order: success and its odd forms; redirects; the service file's own rules, the first that fits; then
//! what the status says by itself. The meaning decides what happens to the delivery, so a doubtful reading
//! goes the careful way: a refusal that may concern the connection keeps the records, and a failure that
//! may have had an effect is doubt.

mod limits;
mod words;

use jiff::{SignedDuration, Timestamp};
use tailorbird_model::service::{ErrorRule, InDoubtPolicy, Method};
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_oauth::{Refusal, RefusalShape, read_refusal};

use crate::answer::Answer;
use crate::idempotency::carries_idempotency_key;
use crate::request::{Request, mask_url, mask_words};
use crate::resolve::Resolved;
use crate::transport::{Stage, Unanswered};

pub(crate) use limits::{limit_reports, retry_after};
pub(crate) use words::odd;

/// How long to wait after a 429 that does not say how long.
pub const DEFAULT_WAIT: SignedDuration = SignedDuration::from_secs(60);
/// The shortest wait: a provider that says "0" would otherwise be asked in a busy loop.
pub const MIN_WAIT: SignedDuration = SignedDuration::from_secs(1);
/// The longest wait; the longest window known is 24 hours. What goes beyond is a misread header.
pub const MAX_WAIT: SignedDuration = SignedDuration::from_hours(25);
/// How long a repeatable operation waits after the provider failed.
const FAILED_WAIT: SignedDuration = SignedDuration::from_secs(5);

/// Tells whether a request may be sent again without a second effect: by its operation's policy, else by
/// its method (RFC 9110 §9.2.2).
pub fn is_repeatable(resolved: &Resolved, request: &Request) -> bool {
    match operation(resolved, request) {
        Some(operation) => {
            operation.doubt_policy() == InDoubtPolicy::Repeat
                && (operation.idempotency_key.is_none()
                    || request.method.is_idempotent()
                    || carries_idempotency_key(operation, request))
        }
        None => request.method.is_idempotent(),
    }
}

fn operation<'a>(
    resolved: &'a Resolved,
    request: &Request,
) -> Option<&'a tailorbird_model::service::Operation> {
    let name = request.operation.as_deref()?;
    resolved
        .service
        .operations
        .iter()
        .find(|(key, _)| key.as_str() == name)
        .map(|(_, operation)| operation)
}

/// Judges an answer.
///
/// # Errors
/// One failure, with the provider's code and words, what it means and what to do.
pub fn judge(resolved: &Resolved, request: &Request, answer: &Answer) -> Result<(), Failure> {
    if answer.is_success() {
        return match errors_without_data(answer) {
            None => Ok(()),
            Some(refusal) => Err(refused(resolved, request, answer, &refusal)),
        };
    }
    if (300..400).contains(&answer.status) {
        return Err(redirected(request, answer));
    }
    let refusal = read_refusal(answer.status, &answer.body);
    Err(refused(resolved, request, answer, &refusal))
}

/// X answers some failures with 200 and nothing but `errors`. With `data` beside it that is a partial
/// success, which counts as success.
fn errors_without_data(answer: &Answer) -> Option<Refusal> {
    let object = answer.json.as_ref()?.as_object()?;
    let errors = object.get("errors")?.as_array()?;
    let lonely = !errors.is_empty() && object.get("data").is_none_or(serde_json::Value::is_null);
    // Other members beside `errors` and `meta` are the result in a shape that has no `data`.
    let bare = object.keys().all(|name| {
        matches!(
            name.as_str(),
            "errors" | "meta" | "data" | "title" | "detail" | "type" | "status"
        )
    });
    (lonely && bare).then(|| read_refusal(answer.status, &answer.body))
}

fn redirected(request: &Request, answer: &Answer) -> Failure {
    let to = answer
        .header("location")
        .map_or_else(|| "nowhere".to_owned(), mask_url);
    let mut failure = Failure::new(
        codes::REDIRECTED,
        Meaning::Rejected,
        format!("provider answered {} with a redirect (HTTP {})", request.name(), answer.status),
    )
    .detail(format!(
        "It points to {to}. A redirected write is not followed: nobody can know whether it would be done twice; \
         and credentials do not follow to another origin."
    ))
    .hint("Compare the root URL of the connection with the provider's documentation: scheme, host and path.");
    failure.status = Some(answer.status);
    failure
}

/// Makes the failure of a refusal.
fn refused(resolved: &Resolved, request: &Request, answer: &Answer, refusal: &Refusal) -> Failure {
    let problems = inner_problems(answer);
    let rule = resolved
        .service
        .errors
        .iter()
        .find(|rule| fits(rule, answer.status, refusal, &problems));
    let repeatable = is_repeatable(resolved, request);
    let by_status = words::by_status(resolved, request, answer.status, refusal, repeatable);
    let (code, meaning, hint) = match rule {
        Some(rule) => {
            let meaning = without_false_doubt(rule.means, repeatable);
            let code = rule
                .page
                .clone()
                .unwrap_or_else(|| words::code_of(meaning).to_owned());
            (
                code,
                meaning,
                if rule.hint.is_empty() {
                    by_status.hint.clone()
                } else {
                    rule.hint.clone()
                },
            )
        }
        None => (
            by_status.code.to_owned(),
            by_status.meaning,
            by_status.hint.clone(),
        ),
    };
    let provider_code = code_text(refusal).or_else(|| problems.into_iter().next());
    let said = provider_code
        .as_ref()
        .map_or_else(String::new, |code| format!(", provider's code {code}"));
    let mut failure = Failure::new(
        &code,
        meaning,
        format!(
            "provider {} {} (HTTP {}{said})",
            words::verb(meaning),
            request.name(),
            answer.status
        ),
    )
    .detail(words::detail(answer, refusal))
    .hint(hint);
    failure.status = Some(answer.status);
    failure.provider_code = provider_code;
    failure.provider_message = Some(mask_words(&refusal.message)).filter(|message| !message.is_empty());
    failure.retry_at = retry_at(meaning, answer);
    failure
}

/// Makes the failure of one item of a batch, from what the answer says of it. The service's rules count; without one
/// the item's own status does, and an item that is refused without one is at fault itself.
pub(crate) fn refused_item(
    resolved: &Resolved,
    request: &Request,
    answer: &Answer,
    status: Option<u16>,
    words: &serde_json::Value,
) -> Failure {
    let of_item = status.unwrap_or(answer.status);
    let refusal = read_refusal(of_item, words.to_string().as_bytes());
    let codes_given: Vec<String> = ["code", "type", "name", "reason"]
        .iter()
        .filter_map(|member| words.get(member)?.as_str()?.rsplit('/').next().map(str::to_owned))
        .collect();
    let rule = resolved
        .service
        .errors
        .iter()
        .find(|rule| fits(rule, of_item, &refusal, &codes_given));
    let repeatable = is_repeatable(resolved, request);
    let meaning = match (rule, status) {
        (Some(rule), _) => without_false_doubt(rule.means, repeatable),
        (None, Some(425 | 429)) => Meaning::RetryLater,
        (None, Some(408 | 500..=599)) => without_false_doubt(Meaning::InDoubt, repeatable),
        (None, _) => Meaning::Rejected,
    };
    let code = rule
        .and_then(|rule| rule.page.as_deref())
        .unwrap_or(words::code_of(meaning));
    let provider_code = code_text(&refusal).or_else(|| codes_given.into_iter().next());
    let said = provider_code
        .as_ref()
        .map_or_else(String::new, |code| format!(" (provider's code {code})"));
    let hint = rule
        .map(|rule| rule.hint.as_str())
        .filter(|hint| !hint.is_empty());
    let mut failure = Failure::new(
        code,
        meaning,
        format!(
            "provider {} this item of {}{said}",
            words::verb(meaning),
            request.name()
        ),
    )
    .detail(words::detail(answer, &refusal))
    .hint(hint.unwrap_or("Correct what is sent by what the provider says, then send it again."));
    failure.status = Some(of_item);
    failure.provider_code = provider_code;
    failure.provider_message = Some(mask_words(&refusal.message)).filter(|message| !message.is_empty());
    failure.retry_at = retry_at(meaning, answer);
    failure
}

/// Doubt exists only where a repeat could do harm.
fn without_false_doubt(meaning: Meaning, repeatable: bool) -> Meaning {
    if meaning == Meaning::InDoubt && repeatable {
        Meaning::RetryLater
    } else {
        meaning
    }
}

/// The last parts of the problem types inside `errors`: X names the kind there when the answer is a 200.
fn inner_problems(answer: &Answer) -> Vec<String> {
    let errors = answer
        .json
        .as_ref()
        .and_then(|json| json.get("errors")?.as_array());
    errors
        .into_iter()
        .flatten()
        .filter_map(|error| error.get("type")?.as_str()?.rsplit('/').next().map(str::to_owned))
        .collect()
}

fn fits(rule: &ErrorRule, status: u16, refusal: &Refusal, problems: &[String]) -> bool {
    let status_fits = rule.status.is_none_or(|wanted| wanted == status);
    let code_fits = rule.code.as_ref().is_none_or(|wanted| {
        refusal
            .items
            .iter()
            .any(|item| item.code.is_some_and(|code| code.to_string() == *wanted))
            || problems
                .iter()
                .any(|problem| problem.eq_ignore_ascii_case(wanted))
            || refusal
                .problem
                .as_ref()
                .is_some_and(|problem| problem.eq_ignore_ascii_case(wanted))
            || refusal
                .title
                .as_ref()
                .is_some_and(|title| title.eq_ignore_ascii_case(wanted))
    });
    let words_fit = rule.contains.as_ref().is_none_or(|wanted| {
        let wanted = wanted.to_lowercase();
        refusal
            .items
            .iter()
            .any(|item| item.message.to_lowercase().contains(&wanted))
            || refusal
                .title
                .as_ref()
                .is_some_and(|title| title.to_lowercase().contains(&wanted))
    });
    status_fits && code_fits && words_fit
}

fn code_text(refusal: &Refusal) -> Option<String> {
    refusal
        .code
        .map(|code| code.to_string())
        .or_else(|| refusal.problem.clone())
}

/// When trying again makes sense: what the provider asks for, never less than [`MIN_WAIT`] and never more
/// than [`MAX_WAIT`] from now.
fn retry_at(meaning: Meaning, answer: &Answer) -> Option<Timestamp> {
    if meaning != Meaning::RetryLater {
        return None;
    }
    let now = answer.received_at;
    let asked = answer
        .header("retry-after")
        .and_then(|text| retry_after(text, now, answer.skew_seconds.unwrap_or_default()));
    // Every exhausted window binds, so the latest of them counts.
    let exhausted = answer
        .reports
        .iter()
        .filter(|report| report.remaining == Some(0))
        .filter_map(|report| report.reset_at)
        .max();
    let fallback = if answer.status == 429 {
        DEFAULT_WAIT
    } else {
        FAILED_WAIT
    };
    let at = asked
        .max(exhausted)
        .unwrap_or_else(|| now.checked_add(fallback).unwrap_or(now));
    Some(bounded(at, now))
}

fn bounded(at: Timestamp, now: Timestamp) -> Timestamp {
    let earliest = now.checked_add(MIN_WAIT).unwrap_or(now);
    let latest = now.checked_add(MAX_WAIT).unwrap_or(now);
    at.clamp(earliest, latest)
}

/// Makes the failure of a request that got no answer.
pub(crate) fn unanswered(
    resolved: &Resolved,
    request: &Request,
    why: &Unanswered,
    now: Timestamp,
) -> Failure {
    let host = url::Url::parse(&request.url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default();
    match why {
        Unanswered::Refused { why } => Failure::new(
            codes::ADDRESS_REFUSED,
            Meaning::ConnectionFault,
            format!("{} was not sent: {why}", request.name()),
        )
        .detail(format!("The address is {}. Nothing was sent.", mask_url(&request.url)))
        .hint(format!(
            "Private and loopback addresses are reached only where the connection itself names that exact host and \
             port: tailorbird connection add {} --set root_url=…",
            resolved.connection
        )),
        Unanswered::NotSent { stage, why } => {
            let (what, hint) = match stage {
                Stage::Name => ("its name was not found", "Check the host's spelling and this machine's network and DNS."),
                Stage::Connect => ("no connection could be made", "Check that the provider is running at that host and port, and that no firewall is between."),
                Stage::Tls => ("no secure connection could be agreed", "Check the address, the machine's clock, and its certificates (on Debian the package ca-certificates)."),
                Stage::TimeOut => ("no connection stood in time", "Check the network; the provider may be down. It is tried again later."),
                Stage::Closed => ("the connection was closed before the request was written", "Try again."),
            };
            Failure::new(
                codes::PROVIDER_UNREACHABLE,
                Meaning::NotSent,
                format!("could not reach {host} for {}: {what}", request.name()),
            )
            .detail(format!("Nothing was sent. The cause: {why}."))
            .hint(hint)
        }
        Unanswered::InDoubt { why } if is_repeatable(resolved, request) => {
            let mut failure = Failure::new(
                codes::PROVIDER_UNREACHABLE,
                Meaning::RetryLater,
                format!("got no answer from {host} to {}", request.name()),
            )
            .detail(format!("The cause: {why}. Repeating this request does no harm."))
            .hint("Try again.");
            failure.retry_at = Some(bounded(now.checked_add(FAILED_WAIT).unwrap_or(now), now));
            failure
        }
        Unanswered::InDoubt { why } => Failure::new(
            codes::IN_DOUBT,
            Meaning::InDoubt,
            format!("got no answer from {host} to {}", request.name()),
        )
        .detail(format!("The request left, and nobody knows whether it arrived. The cause: {why}."))
        .hint("It is looked up at the provider, or waits for your decision: `tailorbird delivery list`."),
    }
}

/// Tells whether a refusal speaks of the timestamp (X's code 135, RFC 5849 §3.3).
pub(crate) fn speaks_of_the_clock(answer: &Answer) -> bool {
    if !matches!(answer.status, 400 | 401 | 403) {
        return false;
    }
    let refusal = read_refusal(answer.status, &answer.body);
    let words = refusal.message.to_lowercase();
    refusal.code == Some(135)
        || words.contains("timestamp")
        || refusal.problem.as_deref() == Some("timestamp_refused")
}

/// Tells whether a method may be followed along a redirect.
pub(crate) fn may_follow(method: Method) -> bool {
    matches!(method, Method::Get | Method::Head)
}

/// Tells whether a refusal is an HTML page rather than an API's answer.
fn is_page(refusal: &Refusal) -> bool {
    refusal.shape == RefusalShape::Html
}
