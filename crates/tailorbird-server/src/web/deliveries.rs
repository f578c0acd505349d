//! Deliveries: search over millions, the story of one, and what a person decides, singly and in bulk.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use tailorbird_app::{App, AppError, DeliveryFilter, Mapping, Resolution, Stop};
use tailorbird_model::delivery::{Delivery, DeliveryId, DeliveryState, SEEN_COLUMN};
use tailorbird_model::{Failure, Meaning, codes};

use super::filters;
use super::form::Form;
use super::look;
use super::page::{Chrome, failed, go, show as show_page};
use super::view::{Badge, When, grouped};
use super::visit::Visit;
use crate::server::Shared;

/// Rows of a page.
const PAGE: usize = 50;

/// What the address asks for.
#[derive(Debug, Clone, Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    state: String,
    #[serde(default)]
    task: String,
    #[serde(default)]
    connection: String,
    #[serde(default)]
    run: String,
    #[serde(default)]
    key: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    after: String,
    #[serde(default, rename = "as")]
    decision: String,
}

impl Asked {
    pub(super) fn filter(&self) -> DeliveryFilter {
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        DeliveryFilter {
            state: self.state.parse().ok(),
            task: self.task.parse().ok(),
            connection: self.connection.parse().ok(),
            run: text(&self.run).map(tailorbird_model::run::RunId),
            key: text(&self.key),
            code: text(&self.code),
            after: self.after.parse().ok().map(DeliveryId),
            ..DeliveryFilter::default()
        }
    }

    /// The filter as a query, without the page.
    fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.named() {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }

    fn named(&self) -> [(&'static str, &str); 6] {
        [
            ("state", &self.state),
            ("task", &self.task),
            ("connection", &self.connection),
            ("run", &self.run),
            ("key", &self.key),
            ("code", &self.code),
        ]
    }

    fn is_filtered(&self) -> bool {
        self.named().iter().any(|(_, value)| !value.is_empty())
    }
}

#[derive(Template)]
#[template(path = "deliveries/list.html")]
struct List {
    chrome: Chrome,
    asked: Asked,
    states: Vec<(&'static str, &'static str, bool)>,
    tasks: Vec<(String, bool)>,
    rows: Vec<Row>,
    next: Option<String>,
    query: String,
    is_filtered: bool,
    counts: Vec<(Badge, String, String)>,
    can_decide: bool,
}

struct Row {
    id: String,
    key: String,
    task: String,
    step: String,
    state: Badge,
    connection: String,
    why: String,
    updated: When,
}

fn row(delivery: &Delivery, now: jiff::Timestamp) -> Row {
    Row {
        id: delivery.id.to_string(),
        key: delivery.identity.key.to_string(),
        task: delivery.identity.task.to_string(),
        step: delivery.identity.step.to_string(),
        state: Badge::delivery(delivery.state),
        connection: delivery.connection.to_string(),
        why: delivery
            .failure
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        updated: When::new(delivery.updated_at, now),
    }
}

/// `GET /deliveries`.
pub(super) async fn list(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Query(asked): Query<Asked>,
) -> Response {
    let read = move |app: &App| -> Result<_, AppError> {
        let filter = DeliveryFilter {
            limit: Some(PAGE + 1),
            ..asked.filter()
        };
        let deliveries = app.deliveries(&filter)?;
        let names: Vec<String> = app
            .tasks()?
            .into_iter()
            .map(|task| task.task.to_string())
            .collect();
        // States with an index of their own; counting millions of delivered ones would hold the page up.
        let mut sums: BTreeMap<&'static str, u64> = BTreeMap::new();
        for figure in app.overview()?.deliveries {
            *sums.entry(figure.state).or_default() += figure.count;
        }
        Ok((deliveries, names, sums, asked, app.now()))
    };
    match look(&shared, read).await {
        Ok((deliveries, names, sums, asked, now)) => {
            let query = asked.query();
            let next = deliveries.get(PAGE - 1).filter(|_| deliveries.len() > PAGE);
            show_page(&List {
                chrome: visit.chrome("Deliveries", "deliveries"),
                next: next.map(|last| format!("{query}&after={}", last.id)),
                rows: deliveries
                    .iter()
                    .take(PAGE)
                    .map(|delivery| row(delivery, now))
                    .collect(),
                states: DeliveryState::ALL
                    .into_iter()
                    .map(|state| {
                        (
                            state.as_str(),
                            Badge::delivery(state).word,
                            state.as_str() == asked.state,
                        )
                    })
                    .collect(),
                tasks: names
                    .into_iter()
                    .map(|name| (name.clone(), name == asked.task))
                    .collect(),
                counts: DeliveryState::ALL
                    .into_iter()
                    .filter_map(|state| {
                        let sum = sums.get(state.as_str()).copied().filter(|sum| *sum > 0)?;
                        Some((
                            Badge::delivery(state),
                            grouped(sum),
                            format!("/deliveries?state={}", state.as_str()),
                        ))
                    })
                    .collect(),
                can_decide: !deliveries.is_empty()
                    && matches!(asked.state.as_str(), "in_doubt" | "rejected" | "pending"),
                is_filtered: asked.is_filtered(),
                query,
                asked,
            })
        }
        Err(error) => failed(&visit, "deliveries", error),
    }
}

#[derive(Template)]
#[template(path = "deliveries/show.html")]
struct Show {
    chrome: Chrome,
    row: Row,
    run: String,
    operation: String,
    destination: String,
    attempts: u32,
    failure: Option<Failure>,
    tone: &'static str,
    lead: &'static str,
    input: Vec<(String, String)>,
    result: Vec<(String, String)>,
    request: String,
    story: Vec<(String, When)>,
    delivered: Option<When>,
    settled: bool,
    can: Vec<(&'static str, &'static str, &'static str)>,
}

/// What may be decided about a delivery in a state: value, button, style.
fn decisions(state: DeliveryState) -> Vec<(&'static str, &'static str, &'static str)> {
    match state {
        DeliveryState::InDoubt => vec![
            ("sent", "It was sent", "primary"),
            ("again", "Send it again", ""),
            ("skip", "Leave it out", ""),
        ],
        DeliveryState::Rejected => vec![
            ("again", "Send it again", "primary"),
            ("skip", "Leave it out", ""),
        ],
        DeliveryState::Pending => vec![("skip", "Leave it out", "")],
        DeliveryState::Skipped => vec![("again", "Send it after all", "")],
        DeliveryState::Sending | DeliveryState::Delivered => Vec::new(),
    }
}

/// A state in one sentence.
fn lead(state: DeliveryState) -> (&'static str, &'static str) {
    match state {
        DeliveryState::Pending => ("wait", "It waits to be sent. Nothing has left yet."),
        DeliveryState::Sending => ("", "It is on its way at this moment."),
        DeliveryState::Delivered => ("ok", "The provider has taken it. It will not be sent again."),
        DeliveryState::Rejected => ("bad", "It was refused for good."),
        DeliveryState::InDoubt => (
            "doubt",
            "Nobody knows whether it arrived. It is not sent again before that is settled.",
        ),
        DeliveryState::Skipped => ("", "A person left it out."),
    }
}

/// `GET /deliveries/{id}`.
pub(super) async fn show(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<u64>,
) -> Response {
    let chrome = visit.chrome(&format!("Delivery {id}"), "deliveries");
    let read = move |app: &App| -> Result<_, AppError> {
        let story = app.delivery_story(&format!("#{id}"))?;
        let now = app.now();
        let delivery = &story.delivery;
        let (tone, lead) = lead(delivery.state);
        let columns = |record: &tailorbird_model::Record| -> Vec<(String, String)> {
            record
                .iter()
                .filter(|(name, _)| *name != SEEN_COLUMN)
                .map(|(name, value)| (name.to_owned(), value.to_string()))
                .collect()
        };
        Ok(Show {
            chrome,
            run: delivery.run.to_string(),
            operation: delivery.operation.to_string(),
            destination: delivery.identity.destination.0.clone(),
            attempts: delivery.attempts,
            failure: delivery.failure.clone(),
            tone,
            lead,
            input: columns(&delivery.input),
            result: delivery.result.as_ref().map(columns).unwrap_or_default(),
            request: if story.request.is_null() {
                String::new()
            } else {
                serde_json::to_string_pretty(&story.request).unwrap_or_default()
            },
            story: story
                .lines
                .iter()
                .map(|line| (line.text.clone(), When::new(line.at, now)))
                .collect(),
            delivered: delivery.delivered_at.map(|at| When::new(at, now)),
            settled: delivery.settled,
            can: decisions(delivery.state),
            row: row(delivery, now),
        })
    };
    match look(&shared, read).await {
        Ok(page) => show_page(&page),
        Err(error) => failed(&visit, "deliveries", error),
    }
}

fn resolution(word: &str) -> Result<Resolution, AppError> {
    match word {
        "sent" => Ok(Resolution::Sent(None)),
        "again" => Ok(Resolution::Again),
        "skip" => Ok(Resolution::Skip),
        _ => Err(
            Failure::new(codes::REQUEST_REFUSED, Meaning::NotSent, "no decision was given")
                .hint("Decide one of: it was sent, send it again, leave it out.")
                .into(),
        ),
    }
}

/// `POST /deliveries/{id}/resolve`.
pub(super) async fn resolve(Extension(visit): Extension<Visit>, Path(id): Path<u64>, form: Form) -> Response {
    let done = async {
        let resolution = resolution(form.get("as"))?;
        visit
            .app()
            .resolve_delivery(&format!("#{id}"), resolution, Mapping::Stored)
            .await
    };
    match done.await {
        Ok(_) => {
            let said = match form.get("as") {
                "sent" => "sent",
                "again" => "again",
                _ => "skipped",
            };
            go(&format!("/deliveries/{id}?said={said}"))
        }
        Err(error) => failed(&visit, "deliveries", error),
    }
}

#[derive(Template)]
#[template(path = "deliveries/decide.html")]
struct Decide {
    chrome: Chrome,
    query: String,
    fields: Vec<(&'static str, String)>,
    decision: String,
    button: &'static str,
    sentence: &'static str,
    matched: String,
    possible: String,
    is_possible: bool,
    states: Vec<(Badge, String)>,
    shown: Vec<(String, String, String)>,
}

/// `GET /decide`: what a decision on many would do.
pub(super) async fn preview(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Query(asked): Query<Asked>,
) -> Response {
    let chrome = visit.chrome("Decide many", "deliveries");
    let read = move |app: &App| -> Result<_, AppError> {
        let resolution = resolution(&asked.decision)?;
        let preview = app.preview_resolution(
            &DeliveryFilter {
                after: None,
                ..asked.filter()
            },
            &resolution,
            Mapping::Stored,
        )?;
        let (button, sentence) = match resolution {
            Resolution::Sent(_) => (
                "Note them as sent",
                "They count as delivered and are never sent again.",
            ),
            Resolution::Again => (
                "Send them again",
                "They are sent by the next run of their task, with the request as it is stored.",
            ),
            Resolution::Skip => ("Leave them out", "They are never sent."),
        };
        Ok(Decide {
            chrome,
            query: asked.query(),
            fields: asked
                .named()
                .into_iter()
                .map(|(name, value)| (name, value.to_owned()))
                .collect(),
            decision: asked.decision.clone(),
            button,
            sentence,
            matched: grouped(preview.matched),
            possible: grouped(preview.possible),
            is_possible: preview.possible > 0,
            states: preview
                .states
                .iter()
                .map(|(state, count)| (Badge::delivery(*state), grouped(*count)))
                .collect(),
            shown: preview
                .shown
                .iter()
                .map(|sample| {
                    (
                        sample.id.to_string(),
                        sample.key.clone(),
                        sample.failure.clone().unwrap_or_default(),
                    )
                })
                .collect(),
        })
    };
    match look(&shared, read).await {
        Ok(page) => show_page(&page),
        Err(error) => failed(&visit, "deliveries", error),
    }
}

/// `POST /decide`.
pub(super) async fn resolve_all(Extension(visit): Extension<Visit>, form: Form) -> Response {
    let asked = Asked {
        state: form.get("state").to_owned(),
        task: form.get("task").to_owned(),
        connection: form.get("connection").to_owned(),
        run: form.get("run").to_owned(),
        key: form.get("key").to_owned(),
        code: form.get("code").to_owned(),
        after: String::new(),
        decision: form.get("as").to_owned(),
    };
    let done = async {
        let resolution = resolution(&asked.decision)?;
        let app = visit.app();
        app.resolve_all(
            &asked.filter(),
            &resolution,
            Mapping::Stored,
            &Stop::default(),
            &mut |_| (),
        )
        .await
    };
    match done.await {
        Ok(decided) => go(&format!(
            "/deliveries?{}&said=decided&n={}",
            asked.query(),
            decided.resolved
        )),
        Err(error) => failed(&visit, "deliveries", error),
    }
}
