//! Connections: what there is and whose it is, making one, editing it, authorising it, testing it, finding out why it is
//! refused.

mod catalogue;
mod diagnosis;
mod editor;
mod frame;
mod request;
mod tryout;
mod wizard;
mod words;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use tailorbird_app::{App, ConnectionView, Usage};

use super::form::Form;
use super::look;
use super::page::{Chrome, failed, go, show as show_page};
use super::tasks::named;
use super::view::{Badge, grouped, until};
use super::visit::Visit;
use crate::server::Shared;
use frame::Account;
use words::in_browser;

pub(super) use catalogue::{catalogue, make, make_rest, new_rest, offer};
pub(super) use diagnosis::{diagnose, diagnosis};
pub(super) use editor::{save, show};
pub(super) use tryout::{test, try_it, try_out};
pub(super) use wizard::{act as authorize, callback, wizard};

/// Connections on one page; more are found by the search.
const MAX_TILES: usize = 200;

#[derive(Template)]
#[template(path = "connections/list.html")]
struct List {
    chrome: Chrome,
    search: String,
    is_empty: bool,
    tiles: Vec<Tile>,
    more: usize,
}

struct Tile {
    name: String,
    service: String,
    account: Option<Account>,
    level: Option<String>,
    badge: Badge,
    missing: String,
}

fn tile(view: &ConnectionView) -> Tile {
    Tile {
        name: view.connection.to_string(),
        service: view.service_title.clone(),
        account: view.account.as_ref().map(Account::of),
        level: view.level_words.clone().or_else(|| view.level.clone()),
        badge: frame::badge(view),
        missing: view.missing.join(", "),
    }
}

/// What is searched for.
#[derive(Deserialize)]
pub(super) struct Searched {
    #[serde(default)]
    q: String,
}

/// `GET /connections?q=…`.
pub(super) async fn list(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Query(searched): Query<Searched>,
) -> Response {
    let views = match look(&shared, App::connections).await {
        Ok(views) => views,
        Err(error) => return failed(&visit, "connections", error),
    };
    let words: Vec<String> = searched.q.split_whitespace().map(str::to_lowercase).collect();
    let is_wanted = |view: &&ConnectionView| {
        let account = view.account.as_ref().map_or("", |account| account.name.as_str());
        let text = format!(
            "{} {} {} {account}",
            view.connection, view.service, view.service_title
        )
        .to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let found: Vec<&ConnectionView> = views.iter().filter(is_wanted).collect();
    show_page(&List {
        chrome: visit.chrome("Connections", "connections"),
        is_empty: views.is_empty(),
        more: found.len().saturating_sub(MAX_TILES),
        tiles: found.into_iter().take(MAX_TILES).map(tile).collect(),
        search: searched.q,
    })
}

/// A limit and what is used of it.
struct Gauge {
    name: String,
    used: u64,
    most: u64,
    words: String,
    is_full: bool,
}

/// What is used of the limits, by the service file and by what the provider said.
fn gauges(usage: &Usage, now: Timestamp) -> Vec<Gauge> {
    let anew = |until_words: Option<String>| until_words.map(|at| format!(", anew {at}")).unwrap_or_default();
    let by_file = usage
        .limits
        .iter()
        .filter(|entry| entry.used > 0)
        .map(|entry| Gauge {
            name: operation(&entry.limit.operation),
            used: entry.used.into(),
            most: entry.limit.calls.into(),
            words: format!(
                "{} of {} by the service file{}",
                grouped(entry.used.into()),
                grouped(entry.limit.calls.into()),
                anew(entry.until.map(|at| until(at, now)))
            ),
            is_full: entry.used >= entry.limit.calls,
        });
    let by_provider = usage.reported.iter().filter_map(|entry| {
        let (limit, left) = (entry.report.limit?, entry.report.remaining?);
        let reset = entry.report.reset_at.filter(|at| *at > now)?;
        Some(Gauge {
            name: operation(&entry.operation),
            used: limit.saturating_sub(left),
            most: limit,
            words: format!(
                "{} of {} left by {}, anew {}",
                grouped(left),
                grouped(limit),
                entry.report.family,
                until(reset, now)
            ),
            is_full: left == 0,
        })
    });
    by_file.chain(by_provider).collect()
}

/// What a limit counts, for people.
fn operation(name: &str) -> String {
    if name == "*" {
        "all operations".to_owned()
    } else {
        name.to_owned()
    }
}

#[derive(Template)]
#[template(path = "connections/remove.html")]
struct Remove {
    chrome: Chrome,
    name: String,
    tasks: Vec<String>,
}

/// `GET /connections/{name}/remove`: what removing it would mean.
pub(super) async fn ask_to_remove(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
) -> Response {
    let read = look(&shared, move |app| {
        let name = named(&name)?;
        app.connection(&name)?;
        Ok((name.clone(), app.connection_users(&name)?))
    });
    match read.await {
        Ok((name, users)) => show_page(&Remove {
            chrome: visit.chrome(&format!("Remove {name}"), "connections"),
            name: name.to_string(),
            tasks: users.iter().map(ToString::to_string).collect(),
        }),
        Err(error) => failed(&visit, "connections", error),
    }
}

/// `POST /connections/{name}/remove`.
pub(super) async fn remove(
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    _form: Form,
) -> Response {
    let removed = async { visit.app().remove_connection(&named(&name)?).await };
    match removed.await {
        Ok(()) => go("/connections?said=removed"),
        Err(error) => failed(&visit, "connections", error),
    }
}

/// An answer of the provider, in words.
struct Verdict {
    tone: &'static str,
    what: String,
    more: String,
}

impl Verdict {
    fn of_failure(failure: &tailorbird_model::Failure) -> Self {
        Self {
            tone: "bad",
            what: in_browser(&format!("{} [{}]", failure.message, failure.code)),
            more: in_browser(&[failure.detail.as_str(), failure.hint.as_str()].join(" ")),
        }
    }
}
