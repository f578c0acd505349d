//! Connections: what there is, whose it is, what it may use; testing one.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use tailorbird_app::{App, AppError, ConnectionView};

use super::filters;
use super::form::Form;
use super::look;
use super::page::{Chrome, failed, show as show_page};
use super::tasks::named;
use super::view::{Badge, When, grouped, until};
use super::visit::Visit;
use crate::server::Shared;

#[derive(Template)]
#[template(path = "connections/list.html")]
struct List {
    chrome: Chrome,
    tiles: Vec<Tile>,
}

struct Tile {
    name: String,
    service: String,
    account: Option<String>,
    level: Option<String>,
    badge: Badge,
    missing: String,
}

fn tile(view: &ConnectionView) -> Tile {
    Tile {
        name: view.connection.to_string(),
        service: view.service_title.clone(),
        account: view.account.as_ref().map(|account| account.name.clone()),
        level: view.level_words.clone().or_else(|| view.level.clone()),
        badge: if view.missing.is_empty() {
            Badge::new("ok", "●", "complete")
        } else {
            Badge::new("wait", "◔", "incomplete")
        },
        missing: view.missing.join(", "),
    }
}

/// `GET /connections`.
pub(super) async fn list(State(shared): State<Shared>, Extension(visit): Extension<Visit>) -> Response {
    match look(&shared, App::connections).await {
        Ok(views) => show_page(&List {
            chrome: visit.chrome("Connections", "connections"),
            tiles: views.iter().map(tile).collect(),
        }),
        Err(error) => failed(&visit, "connections", error),
    }
}

#[derive(Template)]
#[template(path = "connections/show.html")]
struct Show {
    chrome: Chrome,
    tile: Tile,
    service_name: String,
    root_url: Option<String>,
    authorized: Option<When>,
    next_step: Option<String>,
    settings: Vec<(String, String)>,
    concurrency: usize,
    counts_with: Vec<String>,
    limits: Vec<Gauge>,
    costs: Vec<(String, String)>,
    spending: Option<String>,
    tested: Option<Answer>,
}

/// A limit and what is used of it.
struct Gauge {
    name: String,
    used: u64,
    most: u64,
    words: String,
    is_full: bool,
}

/// What a test found.
struct Answer {
    tone: &'static str,
    what: String,
    more: String,
}

fn page_of(app: &App, name: &str, chrome: Chrome) -> Result<Show, AppError> {
    let name = named(name)?;
    let view = app.connection(&name)?;
    let usage = app.connection_usage(&name)?;
    let now = app.now();
    let mut limits: Vec<Gauge> = usage
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
                entry
                    .until
                    .map(|at| format!(", anew {}", until(at, now)))
                    .unwrap_or_default()
            ),
            is_full: entry.used >= entry.limit.calls,
        })
        .collect();
    limits.extend(usage.reported.iter().filter_map(|entry| {
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
    }));
    Ok(Show {
        chrome,
        tile: tile(&view),
        service_name: view.service.to_string(),
        root_url: view.root_url.clone(),
        authorized: view.authorized_at.map(|at| When::new(at, now)),
        next_step: view.next_step.clone(),
        settings: view
            .settings
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        concurrency: usage.concurrency,
        counts_with: usage.counts_with.iter().map(ToString::to_string).collect(),
        limits,
        costs: usage
            .costs
            .iter()
            .map(|(operation, cost)| {
                let link = cost
                    .with_link
                    .map(|with| format!(", {with} with a link"))
                    .unwrap_or_default();
                (
                    operation.clone(),
                    format!("{}{link} {}", cost.per_call, cost.currency),
                )
            })
            .collect(),
        spending: usage.cap.map(|cap| {
            format!(
                "{cap}: spent {} today, {} this month",
                usage.today, usage.this_month
            )
        }),
        tested: None,
    })
}

/// What a limit counts, for people.
fn operation(name: &str) -> String {
    if name == "*" {
        "all operations".to_owned()
    } else {
        name.to_owned()
    }
}

/// `GET /connections/{name}`.
pub(super) async fn show(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
) -> Response {
    let chrome = visit.chrome(&name, "connections");
    match look(&shared, move |app| page_of(app, &name, chrome)).await {
        Ok(page) => show_page(&page),
        Err(error) => failed(&visit, "connections", error),
    }
}

/// `POST /connections/{name}/test`: asks the provider whose account it is. It changes nothing there, so the answer is
/// shown at once.
pub(super) async fn test(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    _form: Form,
) -> Response {
    let tested = async { visit.app().test_connection(&named(&name)?).await };
    let answer = match tested.await {
        Ok(tested) => {
            let account = tested.account.as_ref().map(|account| account.name.clone());
            let level = tested.level_words.clone().or_else(|| tested.level.clone());
            Answer {
                tone: "ok",
                what: match account {
                    Some(name) => format!("It works: the account is {name}."),
                    None => "It works: the provider took the credentials.".to_owned(),
                },
                more: level
                    .map(|level| format!("Access level: {level}."))
                    .unwrap_or_default(),
            }
        }
        Err(error) => Answer {
            tone: "bad",
            what: format!("{} [{}]", error.failure.message, error.failure.code),
            more: [error.failure.detail, error.failure.hint].join(" "),
        },
    };
    let chrome = visit.chrome(&name, "connections");
    match look(&shared, move |app| page_of(app, &name, chrome)).await {
        Ok(mut page) => {
            page.tested = Some(answer);
            show_page(&page)
        }
        Err(error) => failed(&visit, "connections", error),
    }
}
