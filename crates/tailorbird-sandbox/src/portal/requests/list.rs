//! The table of received requests.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::row::{Outcome, Row, row, target};
use crate::Shared;
use crate::portal::page::{self, Chrome};
use crate::portal::view::plural;
use crate::portal::visit::Visit;
use crate::record::Received;

/// Requests on a page.
const PAGE: usize = 50;

struct Choice {
    value: &'static str,
    word: &'static str,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "requests/list.html")]
struct ListPage {
    chrome: Chrome,
    recent: Vec<Row>,
    q: String,
    options: Vec<Choice>,
    filtered: bool,
    total: usize,
    shown: String,
    matching: usize,
    newer: Option<String>,
    older: Option<String>,
}

/// The filters in the address.
#[derive(Debug, Default, Deserialize)]
pub(in crate::portal) struct ListQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    page: String,
}

/// `GET /requests`.
pub(in crate::portal) async fn show(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Query(query): Query<ListQuery>,
) -> Response {
    let verdict = Outcome::ALL
        .into_iter()
        .find(|outcome| outcome.value() == query.verdict);
    let wanted = query.q.trim().to_lowercase();
    let filtered = verdict.is_some() || !wanted.is_empty();
    let all = shared.record.newest_first();
    let total = all.len();
    let matching: Vec<Arc<Received>> = all
        .into_iter()
        .filter(|received| matches(received, &wanted, verdict))
        .collect();
    let page = query
        .page
        .parse::<usize>()
        .unwrap_or(0)
        .min(matching.len() / PAGE);
    let now = shared.clock.now();
    let recent: Vec<Row> = matching
        .iter()
        .skip(page.saturating_mul(PAGE))
        .take(PAGE)
        .map(|one| row(one, now))
        .collect();
    let link = |to: usize| {
        format!(
            "/requests?q={}&verdict={}&page={to}",
            utf8_percent_encode(query.q.trim(), NON_ALPHANUMERIC),
            verdict.map_or("", Outcome::value)
        )
    };
    let first = page.saturating_mul(PAGE);
    let last = first.saturating_add(recent.len());
    let newer = page.checked_sub(1).map(link);
    let older = (last < matching.len()).then(|| link(page.saturating_add(1)));
    let mut options = vec![Choice {
        value: "",
        word: "Any",
        chosen: verdict.is_none(),
    }];
    options.extend(Outcome::ALL.into_iter().map(|outcome| Choice {
        value: outcome.value(),
        word: outcome.word(),
        chosen: verdict == Some(outcome),
    }));
    page::show(&ListPage {
        chrome: visit.chrome("Requests", "requests"),
        shown: if last == first.saturating_add(1) {
            plural(1, "request", "requests")
        } else {
            format!("{} to {last}", first.saturating_add(1))
        },
        q: query.q.trim().to_owned(),
        recent,
        options,
        filtered,
        total,
        matching: matching.len(),
        newer,
        older,
    })
}

fn matches(received: &Received, wanted: &str, verdict: Option<Outcome>) -> bool {
    if verdict.is_some_and(|verdict| Outcome::of(received) != verdict) {
        return false;
    }
    wanted.is_empty()
        || target(received).to_lowercase().contains(wanted)
        || [&received.client_key, &received.account]
            .into_iter()
            .flatten()
            .any(|text| text.to_lowercase().contains(wanted.trim_start_matches('@')))
}
