//! Approvals: what is to go out, exactly as it will look, and a person's word.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use tailorbird_app::{App, AppError, ApprovalDecision, ApprovalFilter, Decide};
use tailorbird_model::approval::{Approval, ApprovalId, ApprovalState, ShownRequest};
use tailorbird_model::delivery::SEEN_COLUMN;
use tailorbird_model::{Failure, Meaning, codes};

use super::form::Form;
use super::look;
use super::page::{Chrome, failed, go, show as show_page};
use super::view::{Badge, When, until};
use super::visit::Visit;
use crate::server::Shared;

/// Rows of a page; releasing more at once is for the command line.
const ROWS: usize = 200;

#[derive(Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    state: String,
}

#[derive(Template)]
#[template(path = "approvals/list.html")]
struct List {
    chrome: Chrome,
    rows: Vec<Row>,
    states: Vec<(&'static str, &'static str, bool)>,
    is_waiting: bool,
}

struct Row {
    id: String,
    /// Which question, and a digest of what is shown of it: what a form sends back.
    seen: String,
    task: String,
    key: String,
    role: String,
    state: Badge,
    shown: String,
    asked: When,
    expires: String,
    decided: String,
    reason: String,
}

fn row(approval: &Approval, now: jiff::Timestamp) -> Row {
    Row {
        id: approval.id.to_string(),
        seen: format!("{}.{}", approval.id, approval.fingerprint),
        task: approval.task.to_string(),
        key: approval.key.to_string(),
        role: approval.role.to_string(),
        state: Badge::approval(approval.state),
        shown: approval.shown.clone(),
        asked: When::new(approval.asked_at, now),
        expires: until(approval.expires_at, now),
        decided: match (&approval.decided_by, approval.decided_at) {
            (Some(who), Some(at)) => format!("by {who}, {}", When::new(at, now).relative),
            _ => String::new(),
        },
        reason: approval.reason.clone().unwrap_or_default(),
    }
}

/// `GET /approvals`.
pub(super) async fn list(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Query(asked): Query<Asked>,
) -> Response {
    let state = asked.state.parse().unwrap_or(ApprovalState::Waiting);
    let read = move |app: &App| -> Result<_, AppError> {
        let filter = ApprovalFilter {
            state: Some(state),
            limit: Some(ROWS),
            ..ApprovalFilter::default()
        };
        Ok((app.approvals(&filter)?, app.now()))
    };
    match look(&shared, read).await {
        Ok((approvals, now)) => show_page(&List {
            chrome: visit.chrome("Approvals", "approvals"),
            rows: approvals.iter().map(|approval| row(approval, now)).collect(),
            states: ApprovalState::ALL
                .into_iter()
                .map(|known| (known.as_str(), Badge::approval(known).word, known == state))
                .collect(),
            is_waiting: state == ApprovalState::Waiting,
        }),
        Err(error) => failed(&visit, "approvals", error),
    }
}

#[derive(Template)]
#[template(path = "approvals/show.html")]
struct Show {
    chrome: Chrome,
    row: Row,
    run: String,
    requests: Vec<ShownRequest>,
    input: Vec<(String, String)>,
    is_waiting: bool,
}

/// `GET /approvals/{id}`.
pub(super) async fn show(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<i64>,
) -> Response {
    let chrome = visit.chrome("Approval", "approvals");
    let read = move |app: &App| -> Result<_, AppError> {
        let approval = app.approval(ApprovalId(id))?;
        Ok(Show {
            chrome,
            row: row(&approval, app.now()),
            run: approval.run.to_string(),
            input: approval
                .input
                .iter()
                .filter(|(name, _)| *name != SEEN_COLUMN)
                .map(|(name, value)| (name.to_owned(), value.to_string()))
                .collect(),
            is_waiting: approval.state == ApprovalState::Waiting,
            requests: approval.requests,
        })
    };
    match look(&shared, read).await {
        Ok(page) => show_page(&page),
        Err(error) => failed(&visit, "approvals", error),
    }
}

/// A question as the page showed it: `ID.DIGEST`, where the digest is of what was shown and would be sent.
fn chosen(form: &Form) -> Vec<(ApprovalId, String)> {
    form.all("seen")
        .filter_map(|seen| {
            let (id, digest) = seen.split_once('.')?;
            Some((ApprovalId(id.parse().ok()?), digest.to_owned()))
        })
        .collect()
}

/// Decides one question as the page showed it: what shows something else by now stays as it is.
async fn decide_one(
    app: &App,
    (id, digest): &(ApprovalId, String),
    decision: ApprovalDecision,
    reason: &str,
) -> Result<(), AppError> {
    let approval = app.approval(*id)?;
    let decide = Decide {
        decision,
        // Without accounts whoever opened the session is the operator of everything here.
        role: approval.role.clone(),
        reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
    };
    let seen = Approval {
        fingerprint: digest.clone(),
        ..approval
    };
    app.decide_seen(&[seen], &decide).await.map(drop)
}

/// `POST /decide-approvals`: releases or refuses what was chosen, each as it was shown. One that cannot be decided holds
/// up no other, and is told.
pub(super) async fn decide(Extension(visit): Extension<Visit>, form: Form) -> Response {
    let refuse = |what: &str, hint: &str| {
        let failure = Failure::new(codes::REQUEST_REFUSED, Meaning::NotSent, what).hint(hint);
        failed(&visit, "approvals", failure.into())
    };
    let (decision, said) = match form.get("as") {
        "release" => (ApprovalDecision::Release, "released"),
        "refuse" => (ApprovalDecision::Refuse, "refused"),
        _ => return refuse("no decision was given", "Release or refuse."),
    };
    let chosen = chosen(&form);
    if chosen.is_empty() {
        return refuse(
            "nothing was chosen",
            "Mark the records that are to be decided, then press the button again.",
        );
    }
    let (mut count, mut first_left) = (0_usize, None);
    for question in &chosen {
        match decide_one(visit.app(), question, decision, form.get("reason")).await {
            Ok(()) => count += 1,
            Err(error) => first_left = first_left.or(Some(error)),
        }
    }
    match first_left {
        None => go(&format!("/approvals?said={said}&n={count}")),
        Some(mut error) => {
            let left = chosen.len() - count;
            error.failure.detail = format!(
                "{count} of {} chosen record(s) were {said}; {left} stay as they are. {}",
                chosen.len(),
                error.failure.detail
            );
            error.failure = error
                .failure
                .hint("Load the approvals again and look at what they show now.");
            failed(&visit, "approvals", error)
        }
    }
}
