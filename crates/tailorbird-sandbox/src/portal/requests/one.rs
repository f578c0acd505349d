//! One received request: the verdict in a sentence, the base string in colour, every parameter with the place
//! it was found in, and the request as it came.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use tailorbird_oauth::{ClientSecret, SignatureFamily, SignatureMethod, SigningKey, TokenSecret};

use super::row::{Outcome, caller, method_tone, target};
use crate::Shared;
use crate::portal::page::{self, Chrome};
use crate::portal::problem::Problem;
use crate::portal::view::{Badge, When, grouped};
use crate::portal::visit::Visit;
use crate::record::{Received, Step, is_cut};

/// Most parameters listed.
const PARAMETERS_MAX: usize = 200;

/// The base string and its three parts (RFC 5849 §3.4.1.1).
struct Base {
    whole: String,
    parts: Option<Parts>,
}

struct Parts {
    method: String,
    uri: String,
    parameters: String,
}

/// What was sent as signature, beside what the sandbox computed.
struct Signature {
    given: String,
    expected: String,
    badge: Badge,
    method: String,
}

struct Parameter {
    name: String,
    value: String,
    place: &'static str,
}

#[derive(Template)]
#[template(path = "requests/one.html")]
struct OnePage {
    chrome: Chrome,
    n: u64,
    at: When,
    method: String,
    method_tone: &'static str,
    path: String,
    target: String,
    status: String,
    took: String,
    caller: String,
    verdict: Badge,
    reason: String,
    advice: Option<String>,
    base: Option<Base>,
    signature: Option<Signature>,
    steps: Vec<Step>,
    parameters: Vec<Parameter>,
    headers: Vec<(String, String)>,
    body: String,
    body_note: String,
    newer: Option<String>,
    older: Option<String>,
}

/// `GET /requests/{n}`.
pub(in crate::portal) async fn show(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
) -> Response {
    let Some(received) = number.parse().ok().and_then(|number| shared.record.find(number)) else {
        return visit.problem(
            &Problem::new(
                StatusCode::NOT_FOUND,
                "No such request",
                "It is older than what is kept, or the sandbox was started anew: requests live in memory only.",
            )
            .back("/requests", "See the kept ones"),
        );
    };
    let n = received.number;
    let neighbour = |number: Option<u64>| {
        number
            .filter(|n| shared.record.find(*n).is_some())
            .map(|n| format!("/requests/{n}"))
    };
    let outcome = Outcome::of(&received);
    let parameters = parameters(&received);
    page::show(&OnePage {
        chrome: visit.chrome(format!("Request {n}"), "requests"),
        n,
        at: When::new(received.at, shared.clock.now()),
        method: received.method.clone(),
        method_tone: method_tone(&received.method),
        path: received.path.clone(),
        target: format!("{}://{}{}", received.scheme, received.host, target(&received)),
        status: received.status.map_or_else(
            || "nothing: the connection was closed".to_owned(),
            |it| it.to_string(),
        ),
        took: format!("{} ms", grouped(received.duration_ms)),
        caller: caller(&received),
        verdict: outcome.badge(),
        reason: received.verdict.clone(),
        advice: received.fault.as_deref().map(advice),
        base: received.base_string.as_deref().map(base),
        signature: signature(&shared, &received, &parameters),
        steps: other_steps(&received),
        parameters,
        headers: received.headers.clone(),
        body: received.body.clone(),
        body_note: body_note(&received),
        newer: neighbour(n.checked_add(1)),
        older: neighbour(n.checked_sub(1)),
    })
}

/// What a fault on demand means for the client.
fn advice(fault: &str) -> String {
    let effect = match fault {
        "429" | "503" => "It struck before anything happened: the client may send the same again.",
        "lose_answer" | "cut" => {
            "It struck after the effect: what was asked for is done, and the client cannot know it. Only a look-up tells."
        }
        "delay" => "The effect happened at once, and the answer came late.",
        _ => "The effect happened, and the answer cannot be read.",
    };
    format!("This was a fault on demand, {fault}. {effect}")
}

fn base(whole: &str) -> Base {
    // Each of the three parts is escaped, so that an ampersand can only stand between them.
    let mut split = whole.split('&');
    let parts = match (split.next(), split.next(), split.next(), split.next()) {
        (Some(method), Some(uri), Some(parameters), None) => Some(Parts {
            method: method.to_owned(),
            uri: uri.to_owned(),
            parameters: parameters.to_owned(),
        }),
        _ => None,
    };
    Base {
        whole: whole.to_owned(),
        parts,
    }
}

fn body_note(received: &Received) -> String {
    match received.body_bytes {
        0 => "No body.".to_owned(),
        bytes => format!("Body: {} bytes.", grouped(bytes)),
    }
}

/// Everything a signature may cover, with its place: the header, the query, a form body.
fn parameters(received: &Received) -> Vec<Parameter> {
    let header = |name: &str| {
        received
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    };
    let mut out = Vec::new();
    if let Some((scheme, items)) =
        header("authorization").and_then(|value| value.split_once(char::is_whitespace))
        && scheme.eq_ignore_ascii_case("oauth")
    {
        for item in items.split(',') {
            if let Some((name, value)) = item.trim().split_once('=') {
                out.push(Parameter {
                    name: decoded(name),
                    value: decoded(value.trim_matches('"')),
                    place: "Authorization header",
                });
            }
        }
    }
    let pairs = |text: &str, place: &'static str| -> Vec<Parameter> {
        url::form_urlencoded::parse(text.as_bytes())
            .map(|(name, value)| Parameter {
                name: name.into_owned(),
                value: value.into_owned(),
                place,
            })
            .collect()
    };
    out.extend(pairs(&received.query, "query"));
    let is_form = header("content-type").is_some_and(|kind| {
        kind.to_ascii_lowercase()
            .starts_with("application/x-www-form-urlencoded")
    });
    if is_form {
        out.extend(pairs(&received.body, "form body"));
    }
    out.truncate(PARAMETERS_MAX);
    out
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

/// The steps that say more than the page shows anyway: the parameters have a table, the base string a card.
fn other_steps(received: &Received) -> Vec<Step> {
    received
        .steps
        .iter()
        .filter(|step| {
            !step.title.starts_with("Parameters of") && Some(&step.value) != received.base_string.as_ref()
        })
        .cloned()
        .collect()
}

fn signature(shared: &Shared, received: &Received, parameters: &[Parameter]) -> Option<Signature> {
    let named = |name: &str| {
        parameters
            .iter()
            .find(|one| one.name == name)
            .map(|one| one.value.as_str())
    };
    let base_string = received.base_string.as_ref()?;
    let method = named("oauth_signature_method")?;
    let expected = expected(shared, received, named("oauth_token"), method, base_string);
    let given = named("oauth_signature").unwrap_or("none was sent").to_owned();
    let badge = match &expected {
        Err(_) => Badge::new("", "○", "not compared"),
        Ok(expected) if *expected != given => Badge::new("bad", "✕", "different"),
        Ok(_) if received.verified == Some(true) => Badge::new("ok", "●", "equal"),
        Ok(_) => Badge::new("wait", "◔", "equal, refused for another reason"),
    };
    Some(Signature {
        given,
        expected: expected.unwrap_or_else(str::to_owned),
        badge,
        method: method.to_owned(),
    })
}

/// The signature that the secrets of today give for the base string, or why there is none to show. Secrets can
/// have changed since; a PLAINTEXT signature is made of them and is never shown.
fn expected(
    shared: &Shared,
    received: &Received,
    token: Option<&str>,
    method: &str,
    base_string: &str,
) -> Result<String, &'static str> {
    let method: SignatureMethod = method
        .parse()
        .map_err(|_| "none: the sandbox does not know this method")?;
    if is_cut(base_string) {
        return Err("not shown: of a long base string only the beginning is kept, and that signs nothing");
    }
    if !matches!(method.family(), SignatureFamily::Hmac(_)) {
        return Err(
            "not shown: with this method it would give the secrets away, or needs the client's own key",
        );
    }
    let (client, token) = shared.store.read(|state| {
        let app = received
            .client_key
            .as_ref()
            .and_then(|key| state.application_with_key(key));
        let client = app
            .map(|app| ClientSecret::from(app.client_secret.expose()))
            .ok_or("none: no app has this consumer key")?;
        let token = match token {
            None | Some("") => None,
            Some(token) => {
                let access = state.tokens.get(token).map(|known| &known.secret);
                let secret = access.or_else(|| state.temporary.get(token).map(|known| &known.secret));
                Some(TokenSecret::from(
                    secret
                        .ok_or("none: the sandbox does not know this token")?
                        .expose(),
                ))
            }
        };
        Ok::<_, &'static str>((client, token))
    })?;
    // The request for temporary credentials is signed without a token secret (RFC 5849 §2.1), even where a
    // client sends a token along.
    let token = token.filter(|_| received.path != "/oauth/request_token");
    SigningKey::from_secrets(method, &client, token.as_ref())
        .ok()
        .and_then(|key| key.sign(base_string.as_bytes()).ok())
        .ok_or("none: it could not be computed")
}
