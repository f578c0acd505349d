//! Runs: the list, one run as it goes, and what a person may do with it.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tailorbird_app::{App, AppError, Mapping, StepState};
use tailorbird_model::run::{Run, RunId, RunState};

use super::filters;
use super::flow::{self, Card};
use super::form::Form;
use super::live::{Part, watch};
use super::look;
use super::overview::rendered;
use super::page::{Chrome, failed, go, show as show_page};
use super::view::{Badge, Count, RunRow, When, counts, took, until};
use super::visit::Visit;
use crate::server::Shared;

/// Rows of a page.
const PAGE: u32 = 50;

#[derive(Deserialize, Default)]
pub(super) struct Filter {
    #[serde(default)]
    state: String,
    #[serde(default)]
    task: String,
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "runs/list.html")]
struct List {
    chrome: Chrome,
    rows: Vec<RunRow>,
    states: Vec<(&'static str, &'static str, bool)>,
    tasks: Vec<(String, bool)>,
    older: Option<String>,
    is_filtered: bool,
}

/// `GET /runs`.
pub(super) async fn list(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Query(filter): Query<Filter>,
) -> Response {
    let read = move |app: &App| -> Result<_, AppError> {
        let task = filter.task.parse().ok();
        let states: Vec<RunState> = filter.state.parse().into_iter().collect();
        let after = Some(RunId(filter.after.clone())).filter(|id| !id.0.is_empty());
        let runs = app.runs_page(task.as_ref(), &states, after.as_ref(), PAGE)?;
        let names: Vec<String> = app
            .tasks()?
            .into_iter()
            .map(|task| task.task.to_string())
            .collect();
        Ok((runs, names, filter, app.now()))
    };
    match look(&shared, read).await {
        Ok((runs, names, filter, now)) => show_page(&List {
            chrome: visit.chrome("Runs", "runs"),
            older: runs
                .last()
                .filter(|_| runs.len() >= usize::try_from(PAGE).unwrap_or(0))
                .map(|last| {
                    let mut query = url::form_urlencoded::Serializer::new(String::new());
                    query
                        .append_pair("state", &filter.state)
                        .append_pair("task", &filter.task);
                    query.append_pair("after", &last.id.0).finish()
                }),
            rows: runs.iter().map(|run| RunRow::new(run, now)).collect(),
            states: RunState::ALL
                .into_iter()
                .map(|state| {
                    (
                        state.as_str(),
                        Badge::run(state).word,
                        state.as_str() == filter.state,
                    )
                })
                .collect(),
            tasks: names
                .into_iter()
                .map(|name| (name.clone(), name == filter.task))
                .collect(),
            is_filtered: !filter.state.is_empty() || !filter.task.is_empty(),
        }),
        Err(error) => failed(&visit, "runs", error),
    }
}

#[derive(Template)]
#[template(path = "runs/show.html")]
struct Show {
    chrome: Chrome,
    id: String,
    task: String,
    is_final: bool,
    parts: Parts,
}

#[derive(Template)]
#[template(path = "runs/live.html")]
struct Parts {
    id: String,
    state: Badge,
    is_final: bool,
    started: When,
    took: String,
    version: i64,
    resumes: Option<String>,
    failure: Option<Why>,
    counts: Vec<Count>,
    cards: Vec<Card>,
    can: Can,
    form_token: String,
}

/// Why a run stands as it does.
struct Why {
    tone: &'static str,
    message: String,
    detail: String,
    hint: String,
    code: String,
}

/// What may be done with a run.
#[expect(clippy::struct_excessive_bools, reason = "one for each button")]
struct Can {
    pause: bool,
    resume: bool,
    cancel: bool,
    retry: bool,
}

/// `GET /runs/{id}`.
pub(super) async fn show(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Response {
    let form_token = visit.form_token.clone();
    match look(&shared, move |app| parts(app, &RunId(id), &form_token)).await {
        Ok((run, parts)) => show_page(&Show {
            chrome: visit.chrome(&format!("Run of {}", run.task), "runs"),
            id: run.id.0.clone(),
            task: run.task.to_string(),
            is_final: run.state.is_final(),
            parts,
        }),
        Err(error) => failed(&visit, "runs", error),
    }
}

/// `GET /live/runs/{id}`.
pub(super) async fn live(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Response {
    watch(shared, move |app| {
        let (run, parts) = parts(app, &RunId(id.clone()), &visit.form_token)?;
        let text = rendered(&parts)?;
        Ok(if run.state.is_final() {
            Part::Last(text)
        } else {
            Part::Now(text)
        })
    })
}

fn parts(app: &App, id: &RunId, form_token: &str) -> Result<(Run, Parts), AppError> {
    let run = app.run(id)?;
    let now = app.now();
    let steps = app.run_steps(id)?;
    let mut cards = app
        .task_version(&run.task, run.task_version)
        .map_or_else(|_| Vec::new(), |task| flow::cards(&task));
    flow::join(&mut cards, &steps, &run.counts);
    for card in &mut cards {
        let step = steps.iter().find(|step| step.path == card.path);
        card.state = step.and_then(|step| step_state(step.state, run.state));
    }
    let is_open = !run.state.is_final();
    let parts = Parts {
        id: run.id.0.clone(),
        state: Badge::run(run.state),
        is_final: run.state.is_final(),
        started: When::new(run.started_at, now),
        took: took(run.started_at, run.ended_at.unwrap_or(now)),
        version: run.task_version,
        resumes: run
            .resume_at
            .filter(|_| run.state == RunState::Waiting)
            .map(|at| until(at, now)),
        failure: run.failure.as_ref().map(|failure| Why {
            tone: match run.state {
                RunState::Failed => "bad",
                RunState::NeedsAttention => "doubt",
                _ => "wait",
            },
            message: failure.message.clone(),
            detail: failure.detail.clone(),
            hint: failure.hint.clone(),
            code: failure.code.clone(),
        }),
        counts: counts(&run.counts),
        cards,
        can: Can {
            pause: matches!(
                run.state,
                RunState::Queued | RunState::Running | RunState::Waiting
            ),
            resume: matches!(
                run.state,
                RunState::Paused | RunState::NeedsAttention | RunState::Waiting
            ),
            cancel: is_open,
            retry: run.counts.rejected > 0,
        },
        form_token: form_token.to_owned(),
    };
    Ok((run, parts))
}

fn step_state(step: StepState, run: RunState) -> Option<Badge> {
    match (step, run) {
        (StepState::Running, RunState::Running) => Some(Badge::new("accent", "▶", "at work")),
        (StepState::Running, _) => None,
        (StepState::Done, _) => Some(Badge::new("ok", "●", "done")),
        (StepState::Failed, _) => Some(Badge::new("bad", "✕", "failed")),
    }
}

/// `POST /runs/{id}/{action}`.
pub(super) async fn act(
    Extension(visit): Extension<Visit>,
    Path((id, action)): Path<(String, String)>,
    _form: Form,
) -> Response {
    let app = visit.app();
    let id = RunId(id);
    let done = match action.as_str() {
        "pause" => app.pause_run(&id).await.map(|run| (run, "paused".to_owned())),
        "resume" => app
            .ask_to_resume(&id)
            .await
            .map(|run| (run, "resumed".to_owned())),
        "cancel" => app.cancel_run(&id).await.map(|run| (run, "cancelled".to_owned())),
        "retry" => app
            .ask_to_retry(&id, Mapping::Stored)
            .await
            .map(|(run, count)| (run, format!("retried&n={count}"))),
        _ => return crate::problem::Problem::not_found("there is no such action", "").into_response(),
    };
    match done {
        Ok((run, said)) => go(&format!("/runs/{}?said={said}", run.id)),
        Err(error) => failed(&visit, "runs", error),
    }
}
