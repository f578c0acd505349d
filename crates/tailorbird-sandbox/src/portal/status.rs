//! Where the sandbox listens, how it is set, and how to point a client at it.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use super::base::Base;
use super::page::{Chrome, show as show_page};
use super::view::{Fact, plural};
use super::visit::Visit;
use crate::Shared;
use crate::settings::{LegacyV1, LimitMode, Verify};

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage {
    chrome: Chrome,
    addresses: Vec<Fact>,
    settings: Vec<Fact>,
}

/// `GET /status`.
pub(super) async fn show(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Base(base): Base,
) -> Response {
    show_page(&StatusPage {
        chrome: visit.chrome("Connect a client", "status"),
        addresses: addresses(&shared, &base),
        settings: settings(&shared),
    })
}

fn fact(label: &'static str, note: &str, value: String, absent: &'static str) -> Fact {
    Fact {
        label,
        note: note.to_owned(),
        value,
        absent,
        field: "",
    }
}

fn addresses(shared: &Shared, base: &str) -> Vec<Fact> {
    let listening = shared.addresses.get();
    let from = |pick: fn(&crate::Addresses) -> Option<String>| listening.and_then(pick).unwrap_or_default();
    vec![
        fact("Portal", "these pages", base.to_owned(), ""),
        fact("API", "root of /2/… and /1.1/…", base.to_owned(), ""),
        fact(
            "Scripts",
            "JSON, for tests and demos",
            format!("{base}/_sandbox/"),
            "",
        ),
        fact(
            "TLS",
            "the same, under the provider's host names",
            from(|it| it.tls.clone()),
            "off: start with --tls-listen",
        ),
        fact(
            "Proxy",
            "for clients with built-in hosts",
            from(|it| it.proxy.clone()),
            "off: start with --proxy-listen",
        ),
        fact(
            "CA certificate",
            "for clients to trust",
            from(|it| it.ca.clone()),
            "not written: start with --ca-out",
        ),
    ]
}

fn settings(shared: &Shared) -> Vec<Fact> {
    let settings = &shared.settings;
    let (verify, verify_note) = match settings.verify {
        Verify::Strict => (
            "strict",
            "RFC 5849 to the letter: oauth_ parameters in one place, each once",
        ),
        Verify::Lenient => (
            "lenient",
            "as lax as the real one: one value in two places counts once, the token request needs no signature",
        ),
    };
    let (legacy, legacy_note) = match settings.legacy_v1 {
        LegacyV1::Open => ("open", "the 2012-style API answers"),
        LegacyV1::Closed => ("closed", "answers 403 with code 453, as it does today"),
    };
    let (limits, limits_note) = match settings.limits {
        LimitMode::X => ("as documented", "429 and the three families of headers"),
        LimitMode::Off => ("off", "the headers are sent, nothing is refused"),
    };
    let duplicates = if shared.store.read(|state| state.duplicates_allowed) {
        "allowed"
    } else {
        "refused"
    };
    let state = if settings.state.is_some() {
        "in a file"
    } else {
        "in memory only"
    };
    let state_note = if settings.state.is_some() {
        "synced before each answer; survives a restart"
    } else {
        "everything is forgotten at the end; start with --state to keep it"
    };
    let clock = match u64::try_from(shared.clock.offset_s()).unwrap_or(0) {
        0 => "the system's".to_owned(),
        seconds => format!("{} ahead of the system's", plural(seconds, "second", "seconds")),
    };
    let clock_note = format!("now {}", shared.clock.now().strftime("%d %b %Y, %H:%M:%S UTC"));
    vec![
        fact("Signatures", verify_note, verify.to_owned(), ""),
        fact("API v1.1", legacy_note, legacy.to_owned(), ""),
        fact("Rate limits", limits_note, limits.to_owned(), ""),
        fact(
            "Duplicate posts",
            "the same text by the same author within a day",
            duplicates.to_owned(),
            "",
        ),
        fact("State", state_note, state.to_owned(), ""),
        fact("Clock", &clock_note, clock, ""),
    ]
}
