//! Records that wait for a person: list, show, release, refuse.

use tailorbird_model::approval::{Approval, ApprovalId, ApprovalState};
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::{ApprovalFilter as Stored, MAX_APPROVAL_PAGE};

pub use tailorbird_store::ApprovalDecision;

use crate::actor::Act;
use crate::{App, AppError};

/// How many questions are decided in one command.
const MAX_DECIDED: usize = 100_000;

/// Which questions.
#[derive(Debug, Clone, Default)]
pub struct ApprovalFilter {
    /// Only of this task.
    pub task: Option<Name>,
    /// Only in this state.
    pub state: Option<ApprovalState>,
    /// Only for this role.
    pub role: Option<Name>,
    /// At most so many; all where absent.
    pub limit: Option<usize>,
}

/// A person's decision.
#[derive(Debug, Clone)]
pub struct Decide {
    /// What is decided.
    pub decision: ApprovalDecision,
    /// In which role.
    pub role: Name,
    /// Why.
    pub reason: Option<String>,
}

impl App {
    /// Questions, in the order in which they were first asked.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<Approval>, AppError> {
        let most = filter.limit.unwrap_or(MAX_DECIDED);
        let mut stored = Stored {
            task: filter.task.clone(),
            state: filter.state,
            role: filter.role.clone(),
            after: None,
            limit: MAX_APPROVAL_PAGE,
        };
        let mut found: Vec<Approval> = Vec::new();
        while found.len() < most {
            let page = self.store.approvals(&stored)?;
            let Some(last) = page.last() else { break };
            stored.after = Some(last.id);
            found.extend(page);
        }
        found.truncate(most);
        Ok(found)
    }

    /// One question.
    ///
    /// # Errors
    /// APPR-001 where there is none.
    pub fn approval(&self, id: ApprovalId) -> Result<Approval, AppError> {
        Ok(self.store.approval(id)?.ok_or_else(|| unknown(id))?)
    }

    /// Decides questions. All of them are looked at before any is decided.
    ///
    /// # Errors
    /// APPR-001 where one is not there, APPR-002 where the role does not fit, APPR-004 where it was decided,
    /// expired or changed meanwhile.
    pub async fn decide(&self, ids: &[ApprovalId], decide: &Decide) -> Result<Vec<Approval>, AppError> {
        let mut seen = Vec::with_capacity(ids.len());
        for id in ids {
            let approval = self.approval(*id)?;
            allowed(&approval, &decide.role)?;
            if approval.state != ApprovalState::Waiting {
                return Err(decided_before(&approval).into());
            }
            seen.push(approval);
        }
        self.decide_seen(&seen, decide).await
    }

    /// Decides questions as they were shown.
    ///
    /// # Errors
    /// As [`App::decide`].
    pub async fn decide_seen(&self, seen: &[Approval], decide: &Decide) -> Result<Vec<Approval>, AppError> {
        let mut decided = Vec::with_capacity(seen.len());
        for approval in seen {
            allowed(approval, &decide.role)?;
        }
        for approval in seen {
            let reason = decide.reason.as_deref();
            let object = format!("{} {}", approval.id, approval.key);
            let detail = match decide.decision {
                ApprovalDecision::Release => "released",
                ApprovalDecision::Refuse => "refused",
            };
            let (done, now) = self
                .noting(Act::APPROVAL_DECIDED, object, detail)?
                .store
                .decide_approval(approval, decide.decision, decide.role.as_str(), reason)
                .await?;
            let now = now.ok_or_else(|| unknown(approval.id))?;
            if !done {
                return Err(decided_before(&now).into());
            }
            decided.push(now);
        }
        Ok(decided)
    }
}

fn unknown(id: ApprovalId) -> Failure {
    let message = format!("there is no question {id}");
    Failure::new(codes::APPROVAL_UNKNOWN, Meaning::NotSent, message)
        .hint("`tailorbird approval list` shows what waits.")
}

fn allowed(approval: &Approval, role: &Name) -> Result<(), Failure> {
    if approval.role == *role {
        return Ok(());
    }
    let message = format!("the role {role} may not decide question {}", approval.id);
    Err(Failure::new(codes::APPROVAL_ROLE, Meaning::NotSent, message)
        .detail(format!(
            "Records of step `{}` of task `{}` are released by {}.",
            approval.step, approval.task, approval.role
        ))
        .hint(format!(
            "Ask somebody who has that role; they add `--role {}`.",
            approval.role
        )))
}

fn decided_before(approval: &Approval) -> Failure {
    let id = approval.id;
    let (message, detail) = match approval.state {
        ApprovalState::Waiting => (
            format!("question {id} shows something else by now, or its time is over"),
            "The record changed after it was read, or nobody decided in time.".to_owned(),
        ),
        state => {
            let by = approval.decided_by.as_deref().unwrap_or("nobody");
            let at = approval.decided_at.unwrap_or(approval.expires_at);
            (
                format!("question {id} is {state} already"),
                format!("It was decided at {at} by {by}."),
            )
        }
    };
    Failure::new(codes::APPROVAL_DECIDED, Meaning::NotSent, message)
        .detail(detail)
        .hint(format!("`tailorbird approval show {id}` tells its story."))
}
