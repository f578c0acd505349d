//! `approve`: a person releases records before they go on.
//!
//! Invariant: what goes on is what was released. Right before a released record is handed on, its request is
//! built again; where it differs from the one that was shown, the person is asked again.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use tailorbird_connector::Request;
use tailorbird_model::approval::{Approval, ApprovalId, ApprovalState, ShownRequest};
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::{Asked, Asker, DECIDED, NewApproval};

use super::unusable;
use crate::deliver::{Prepared, key_of};
use crate::drive::Driver;
use crate::durable::{EffectOutput, RunEnd, Wait};
use crate::limits::CHUNK;
use crate::plan::{ApprovePlan, CallPlan, Plan, StepPlan};
use crate::tail::Emitted;

impl Driver {
    /// Asks about a chunk of records. Nothing goes on yet.
    pub(crate) async fn ask(
        &mut self,
        plan: &Plan,
        approve: &ApprovePlan,
        records: &[Emitted],
    ) -> Result<(), RunEnd> {
        let mut batch = Vec::with_capacity(records.len());
        for record in records {
            batch.push(self.question(plan, approve, record)?);
        }
        let asked = self.engine.store.ask_approval(self.asker(approve), batch).await?;
        let counts_reads = self.is_begun_anew && plan.counts_reads_of(Some(&approve.source));
        for answer in asked {
            let is_ours = match answer {
                Asked::New => continue,
                Asked::Anew(is_ours) | Asked::Known(_, is_ours) | Asked::Settled(is_ours) => is_ours,
            };
            if is_ours && counts_reads {
                // This run read it before, and counted it then.
                self.counts.read = self.counts.read.saturating_sub(1);
            }
            match answer {
                Asked::Settled(false) => self.counts.already += 1,
                Asked::Known(ApprovalState::Refused, false) => self.counts.skipped += 1,
                Asked::Known(ApprovalState::Expired, false) => self.counts.rejected += 1,
                _ => {}
            }
        }
        Ok(())
    }

    /// Hands on what was released since, and rejects what nobody decided in time.
    pub(crate) async fn approve(&mut self, plan: &Plan, approve: &ApprovePlan) -> Result<(), RunEnd> {
        let store = self.engine.store.clone();
        store.expire_approvals(&self.task, &approve.id, &self.run).await?;
        loop {
            self.look_up_requests().await?;
            let limit = u32::try_from(CHUNK).unwrap_or(u32::MAX);
            let chunk = store.released(&self.task, &approve.id, limit)?;
            if chunk.is_empty() {
                return Ok(());
            }
            let (mut records, mut ids) = (Vec::new(), Vec::new());
            for approval in chunk {
                if let Some(record) = self.as_released(plan, approve, &approval).await? {
                    records.push(record);
                    ids.push(approval.id);
                }
            }
            self.hand_on(plan, &approve.id, &records).await?;
            store.settle_approvals(ids).await?;
            self.store_counts(plan, Some(&approve.id)).await?;
        }
    }

    /// The record of a released question, if it would go out as it was shown; else the question is put anew.
    async fn as_released(
        &self,
        plan: &Plan,
        approve: &ApprovePlan,
        approval: &Approval,
    ) -> Result<Option<Emitted>, RunEnd> {
        let record = self.as_seen(Emitted::restored(&approval.input, &approve.outer))?;
        let now = self.question(plan, approve, &record)?;
        if now.fingerprint == approval.fingerprint {
            return Ok(Some(record));
        }
        self.ask_again(approve, approval.id, now).await?;
        Ok(None)
    }

    async fn ask_again(&self, approve: &ApprovePlan, id: ApprovalId, now: NewApproval) -> Result<(), RunEnd> {
        let note = format!(
            "step {}: {} would go out otherwise than it was released; it has to be released again",
            approve.id, now.key
        );
        self.engine
            .store
            .ask_approval_again(id, self.asker(approve), now)
            .await?;
        (self.progress)(crate::ProgressEvent::Note(note));
        Ok(())
    }

    /// What the run waits for at its end: a person's decision, or the time when the first question expires. Then it
    /// goes on at the first step that asks.
    pub(crate) fn waits_for_release(&self, plan: &Plan) -> Result<EffectOutput, RunEnd> {
        let asks = |step: &StepPlan| matches!(step, StepPlan::Approve(_));
        let first_step = plan.steps.iter().position(asks);
        let (mut waiting, mut is_released) = (0, false);
        let mut first: Option<Timestamp> = None;
        let mut roles: Vec<&Name> = Vec::new();
        for step in &plan.steps {
            let StepPlan::Approve(approve) = step else {
                continue;
            };
            let standing = self.engine.store.standing_approvals(&self.task, &approve.id)?;
            // Released after the step had its turn.
            is_released |= !self.engine.store.released(&self.task, &approve.id, 1)?.is_empty();
            if standing.waiting > 0 {
                waiting += standing.waiting;
                first = first.into_iter().chain(standing.first_expires_at).min();
                if !roles.contains(&&approve.step.role) {
                    roles.push(&approve.step.role);
                }
            }
        }
        if is_released {
            return Ok(EffectOutput {
                more: true,
                cursor: first_step.map(Into::into),
                ..EffectOutput::default()
            });
        }
        let (Some(first), Some(step)) = (first, first_step) else {
            return Ok(EffectOutput::default());
        };
        let roles: Vec<&str> = roles.into_iter().map(Name::as_str).collect();
        let failure = Failure::new(
            codes::APPROVAL_WAITING,
            Meaning::NotSent,
            format!("{waiting} record(s) wait for release by {}", roles.join(", ")),
        )
        .detail(format!("The first question expires at {first}."))
        .hint(format!(
            "`tailorbird approval list --task {task}` shows them, `approval release` lets them go; then `tailorbird task run {task}` goes on.",
            task = self.task
        ));
        Ok(EffectOutput {
            more: true,
            cursor: Some(step.into()),
            wait: Some(Wait {
                signal: Some(DECIDED.to_owned()),
                failure: Some(failure.clone()),
                ..Wait::until(first, failure.message)
            }),
            ..EffectOutput::default()
        })
    }

    fn asker(&self, approve: &ApprovePlan) -> Asker {
        let stands = SignedDuration::from_secs(approve.step.expires.seconds().into());
        Asker {
            task: self.task.clone(),
            step: approve.id.clone(),
            run: self.run.clone(),
            role: approve.step.role.clone(),
            expires_at: self
                .engine
                .store
                .now()
                .checked_add(stands)
                .unwrap_or(Timestamp::MAX),
        }
    }

    /// What is asked about a record.
    pub(crate) fn question(
        &self,
        plan: &Plan,
        approve: &ApprovePlan,
        record: &Emitted,
    ) -> Result<NewApproval, RunEnd> {
        let input = self.to_store(record, &approve.keeps);
        // Everything is worked out from what is stored, so that it comes out the same later.
        let record = self.as_seen(Emitted::restored(&input, &approve.outer))?;
        let scope = self.see_of(&record.for_key());
        let key = key_of(
            &approve.id,
            &approve.expressions,
            &approve.key,
            &scope,
            &record.record,
        )?;
        let shown = match &approve.show {
            None => record.record.to_json().to_string(),
            Some(show) => approve
                .expressions
                .evaluate(show, &self.see_of(&record))
                .map_err(|failure| unusable(&approve.id, &record.record, failure))?
                .to_string(),
        };
        let mut hasher = Sha256::new();
        hasher.update(shown.as_bytes());
        let mut requests = Vec::new();
        for taker in plan.takers(&approve.id) {
            match taker {
                StepPlan::Call(call) if self.is_delivering(call)? => {
                    let Some((request, fingerprint)) = self.shown_request(call, &record)? else {
                        continue;
                    };
                    hasher.update([0]);
                    hasher.update(fingerprint.as_bytes());
                    requests.push(request);
                }
                // Other steps take the whole record.
                _ => hasher.update(serde_json::to_string(&record.stored()).unwrap_or_default()),
            }
        }
        let fingerprint = hasher.finalize().iter().fold(String::new(), |mut hex, byte| {
            hex.push_str(&format!("{byte:02x}"));
            hex
        });
        Ok(NewApproval {
            key,
            input,
            shown,
            requests,
            fingerprint,
        })
    }

    /// The request that a call would send for a record, with its fingerprint; none where it is not due.
    fn shown_request(
        &self,
        call: &CallPlan,
        record: &Emitted,
    ) -> Result<Option<(ShownRequest, String)>, RunEnd> {
        let route = self.route(call)?;
        let blank = ShownRequest {
            step: call.id.clone(),
            connection: call.step.connection.clone(),
            operation: call.step.operation.clone(),
            method: None,
            address: None,
            body: None,
            problem: None,
        };
        match self.prepare(call, &route, record)? {
            Prepared::NotDue => Ok(None),
            Prepared::Ready(new) => {
                let request: Request = serde_json::from_value(new.request).map_err(|error| {
                    let message = format!("a request cannot be read back: {error}");
                    RunEnd::Failed(Failure::new(codes::INTERNAL, Meaning::NotSent, message))
                })?;
                let masked = request.masked();
                let shown = ShownRequest {
                    method: Some(masked.method.to_string()),
                    address: Some(masked.url),
                    body: masked.body,
                    ..blank
                };
                Ok(Some((shown, new.fingerprint)))
            }
            Prepared::Broken(new, failure) => {
                let shown = ShownRequest {
                    problem: Some(failure.to_string()),
                    ..blank
                };
                Ok(Some((shown, new.fingerprint)))
            }
        }
    }
}
