//! Walks a plan as a run would, with nothing but reading.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tailorbird_connector::{MaskedRequest, Pages, Piece, Request, build, judge, records};
use tailorbird_model::delivery::{Delivery, DeliveryState};
use tailorbird_model::expression::Scope;
use tailorbird_model::ports::Budget as _;
use tailorbird_model::task::Pages as Wanted;
use tailorbird_model::task::trigger::TRIGGER_SOURCE;
use tailorbird_model::{Failure, Meaning, Name, Record, Value, codes};
use tailorbird_store::NewDelivery;

use super::watch::Watch;
use super::{
    Rehearsal, RehearsedApproval, RehearsedRequest, RehearsedStep, RehearsedTaskCall, RehearsedWrite,
};
use crate::cursor::from_value;
use crate::deliver::{Prepared, Route};
use crate::drive::Driver;
use crate::durable::RunEnd;
use crate::operators::{branch_of, stepped_into, transformed, unusable};
use crate::plan::{
    CallPlan, CallTaskPlan, DecidePlan, Plan, QueryPlan, SetPlan, StepPlan, WritePlan, evaluate,
};
use crate::tail::{Emitted, blocking, row};

/// How the records that are handed on came about.
#[derive(Debug, Clone, Copy, Default)]
struct After {
    approval: bool,
    delivery: bool,
}

pub(super) struct Walk<'p> {
    plan: &'p Plan,
    pub(super) driver: Driver,
    limit: usize,
    pub(super) told: Rehearsal,
    pub(super) watch: Option<Watch>,
}

impl<'p> Walk<'p> {
    pub(super) fn new(plan: &'p Plan, driver: Driver, limit: usize) -> Self {
        let steps = plan.steps.iter().map(|step| RehearsedStep {
            step: step.id().clone(),
            kind: step.kind(),
            records: 0,
            left_out: 0,
        });
        let told = Rehearsal {
            task: plan.task.clone(),
            limit,
            complete: true,
            steps: steps.collect(),
            requests: Vec::new(),
            batches: Vec::new(),
            costs: Vec::new(),
            writes: Vec::new(),
            approvals: Vec::new(),
            task_calls: Vec::new(),
            variables: BTreeMap::new(),
            failure: None,
        };
        Self {
            plan,
            driver,
            limit,
            told,
            watch: None,
        }
    }

    pub(super) fn end(mut self) -> Rehearsal {
        let variables = self.driver.variables.record();
        let variables = variables.into_iter().flat_map(Record::iter);
        self.told.variables = variables
            .map(|(name, value)| (name.to_owned(), value.to_json()))
            .collect();
        self.told
    }

    /// `events` are the records that the trigger would bring.
    pub(super) async fn steps(&mut self, mut events: Vec<Record>) -> Result<(), RunEnd> {
        let plan = self.plan;
        if let (false, Ok(name)) = (events.is_empty(), TRIGGER_SOURCE.parse::<Name>()) {
            self.told.complete &= events.len() <= self.limit;
            events.truncate(self.limit);
            self.count(&name, events.len(), 0);
            let found = events.into_iter().map(Emitted::plain).collect();
            self.hand_on(&name, found, After::default()).await?;
        }
        let nothing = || vec![Emitted::plain(Record::from_pairs([]))];
        for step in plan.steps.iter().filter(|step| step.source().is_none()) {
            self.note_taken(step, &nothing())?;
            match step {
                StepPlan::Query(query) => {
                    let scope = self.driver.see(Scope::of(&Record::from_pairs([])));
                    let found = self.rows(query, &scope).await?;
                    let found: Vec<Emitted> = found.into_iter().map(Emitted::plain).collect();
                    self.hand_on(&query.id, found, After::default()).await?;
                }
                StepPlan::Call(call) if self.driver.is_delivering(call)? => {
                    self.requests(call, nothing(), After::default()).await?;
                }
                StepPlan::Call(call) => {
                    let found = self.list(call, &nothing()).await?;
                    self.hand_on(&call.id, found, After::default()).await?;
                }
                StepPlan::Set(set) => self.set(set, &nothing())?,
                StepPlan::CallTask(call) => self.call_task(call, &nothing())?,
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn count(&mut self, step: &Name, records: usize, left_out: u64) {
        let records = u64::try_from(records).unwrap_or(u64::MAX);
        if let Some(told) = self.told.steps.iter_mut().find(|told| told.step == *step) {
            told.records += records;
            told.left_out += left_out;
        }
    }

    /// How many more records of a step are looked at.
    pub(super) fn left(&self, step: &Name) -> usize {
        let told = self.told.steps.iter().find(|told| told.step == *step);
        let seen = told.map_or(0, |told| usize::try_from(told.records).unwrap_or(usize::MAX));
        self.limit.saturating_sub(seen)
    }

    /// The first rows of a query.
    async fn rows(&mut self, query: &QueryPlan, scope: &Scope) -> Result<Vec<Record>, RunEnd> {
        let mut parameters =
            evaluate(&query.expressions, &query.parameters, scope).map_err(RunEnd::Attention)?;
        if let Some(cursor) = &query.step.cursor
            && let Some(last) = self.driver.query_cursor(query)?
        {
            let from = from_value(&last, cursor, &query.id).map_err(RunEnd::Attention)?;
            parameters.insert("cursor".to_owned(), from);
        }
        let left = self.left(&query.id);
        if left == 0 {
            self.told.complete = false;
            return Ok(Vec::new());
        }
        let resources = std::sync::Arc::clone(&self.driver.engine.resources);
        let step = query.step.clone();
        let found = blocking(move || {
            Ok(resources
                .database(&step.database)?
                .query(&step.sql, &parameters, left)?)
        })
        .await
        .map_err(RunEnd::Attention)?;
        self.told.complete &= !found.truncated;
        self.count(&query.id, found.records.len(), 0);
        Ok(found.records)
    }

    /// The first records of a listing, for each of these records.
    async fn list(&mut self, call: &CallPlan, parents: &[Emitted]) -> Result<Vec<Emitted>, RunEnd> {
        let route = self.driver.route(call)?;
        let mut found = Vec::new();
        for parent in parents {
            let scope = self.driver.call_scope(&route, parent);
            if !is_due(call, &scope)? {
                self.count(&call.id, 0, 1);
                continue;
            }
            let mut arguments =
                evaluate(&call.expressions, &call.parameters, &scope).map_err(RunEnd::Attention)?;
            if let Some(cursor) = &call.step.cursor
                && let Some(value) = self.driver.listing_cursor(self.plan, call).await?
            {
                arguments.insert(cursor.parameter.clone(), Value::from(value));
            }
            let limit = match call.step.pages {
                None => Some(1),
                Some(Wanted::Count(count)) => Some(count),
                Some(Wanted::All(_)) => None,
            };
            let operation = call.step.operation.as_str();
            let mut pages =
                Pages::new(&route.resolved, operation, &arguments, limit, None).map_err(RunEnd::Attention)?;
            while let Some(request) = pages.next_request().cloned() {
                let left = self.left(&call.id);
                if left == 0 {
                    self.told.complete = false;
                    break;
                }
                let answer = self.ask(call, &route, &request).await?;
                let page = pages.take(&route.resolved, &answer).map_err(RunEnd::Attention)?;
                self.told.complete &= page.records.len() <= left;
                let page: Vec<Record> = page.records.into_iter().take(left).collect();
                self.count(&call.id, page.len(), 0);
                found.extend(page.into_iter().map(|record| Emitted::inside(record, parent)));
            }
        }
        Ok(found)
    }

    /// Sends one request that only reads. The limits that the provider reports are not kept.
    pub(super) async fn ask(
        &self,
        call: &CallPlan,
        route: &Route,
        request: &Request,
    ) -> Result<tailorbird_connector::Answer, RunEnd> {
        let (connection, operation) = (&call.step.connection, call.step.operation.as_str());
        let engine = &self.driver.engine;
        if let Some(until) = engine
            .store
            .wait_until(route.budget(), operation, Timestamp::now())
        {
            let message = format!("the limit of connection `{connection}` is used up until {until}");
            let failure = Failure::new(codes::RATE_LIMITED, Meaning::RetryLater, message);
            return Err(RunEnd::Attention(failure.hint("Rehearse again then.")));
        }
        engine
            .connector
            .send(&route.resolved, &route.credentials, request)
            .await
            .map_err(RunEnd::Attention)
    }

    async fn hand_on(&mut self, source: &Name, found: Vec<Emitted>, after: After) -> Result<(), RunEnd> {
        if found.is_empty() {
            return Ok(());
        }
        self.note_made(source, &found);
        let plan = self.plan;
        for taker in plan.takers(source) {
            Box::pin(self.take(taker, found.clone(), after)).await?;
        }
        Ok(())
    }

    async fn take(&mut self, taker: &StepPlan, found: Vec<Emitted>, after: After) -> Result<(), RunEnd> {
        let id = taker.id();
        self.note_taken(taker, &found)?;
        // Those that read count what they read, the others what they take.
        let reads = match taker {
            StepPlan::Query(_) => true,
            StepPlan::Call(call) => !self.driver.is_delivering(call)?,
            _ => false,
        };
        if !reads {
            self.count(id, found.len(), 0);
        }
        match taker {
            StepPlan::Write(write) => {
                self.write(write, &found, after);
                Ok(())
            }
            StepPlan::Call(call) if !reads => self.requests(call, found, after).await,
            StepPlan::Call(call) if call.step.for_each.is_none() => {
                let listed = self.list(call, &found).await?;
                self.hand_on(id, listed, after).await
            }
            StepPlan::Call(call) => {
                let enriched = self.enrich(call, &found).await?;
                self.hand_on(id, enriched, after).await
            }
            StepPlan::Query(query) => {
                let mut inside = Vec::new();
                for parent in &found {
                    let rows = self.rows(query, &self.driver.around(parent)).await?;
                    inside.extend(rows.into_iter().map(|row| Emitted::inside(row, parent)));
                }
                self.hand_on(id, inside, after).await
            }
            StepPlan::Transform(transform) => {
                let mut changed = Vec::with_capacity(found.len());
                for record in &found {
                    let scope = self.driver.see(record.scope());
                    let new = transformed(transform, record, &scope)
                        .map_err(|failure| unusable(id, &record.record, failure))?;
                    changed.push(new);
                }
                self.hand_on(id, changed, after).await
            }
            StepPlan::Filter(filter) => {
                let passed = self.driver.passed(filter, &found)?;
                self.count(id, 0, passed.left_out);
                self.hand_on(id, passed.records, after).await
            }
            StepPlan::Decide(decide) => self.decide(decide, found, after).await,
            StepPlan::Set(set) => self.set(set, &found),
            // It takes no records, and a rehearsal does not wait.
            StepPlan::Trigger(_) | StepPlan::Wait(_) => Ok(()),
            StepPlan::ForEach(each) => {
                let inside = found.iter().map(|record| stepped_into(each, record)).collect();
                self.hand_on(id, inside, after).await
            }
            StepPlan::Approve(approve) => {
                for record in &found {
                    let question = self.driver.question(self.plan, approve, record)?;
                    self.told.approvals.push(RehearsedApproval {
                        step: id.clone(),
                        key: question.key.to_string(),
                        shown: question.shown,
                        role: approve.step.role.clone(),
                    });
                }
                let after = After {
                    approval: true,
                    ..after
                };
                self.hand_on(id, found, after).await
            }
            StepPlan::CallTask(call) => self.call_task(call, &found),
        }
    }

    async fn decide(&mut self, decide: &DecidePlan, found: Vec<Emitted>, after: After) -> Result<(), RunEnd> {
        let mut branches: BTreeMap<&Name, Vec<Emitted>> = BTreeMap::new();
        for record in found {
            let scope = self.driver.see(record.scope());
            let branch =
                branch_of(decide, &scope).map_err(|failure| unusable(&decide.id, &record.record, failure))?;
            match branch {
                Some(branch) => branches.entry(branch).or_default().push(record),
                None => self.count(&decide.id, 0, 1),
            }
        }
        for (branch, found) in branches {
            self.hand_on(branch, found, after).await?;
        }
        Ok(())
    }

    fn set(&mut self, set: &SetPlan, found: &[Emitted]) -> Result<(), RunEnd> {
        for record in found {
            let scope = self.driver.see(record.scope());
            let values = evaluate(&set.expressions, &set.variables, &scope)
                .map_err(|failure| unusable(&set.id, &record.record, failure))?;
            self.driver.variables.set(&values);
        }
        Ok(())
    }

    fn call_task(&mut self, call: &CallTaskPlan, found: &[Emitted]) -> Result<(), RunEnd> {
        for record in found {
            let scope = self.driver.see(record.scope());
            let values = evaluate(&call.expressions, &call.variables, &scope)
                .map_err(|failure| unusable(&call.id, &record.record, failure))?;
            let shown = values.iter().map(|(name, value)| (name.clone(), value.to_json()));
            self.told.task_calls.push(RehearsedTaskCall {
                step: call.id.clone(),
                task: call.step.task.clone(),
                variables: shown.collect(),
            });
        }
        Ok(())
    }

    fn write(&mut self, write: &WritePlan, found: &[Emitted], after: After) {
        for record in found {
            let scope = self.driver.see(record.scope());
            let (row, failure) = match row(write, record, &scope) {
                Ok(row) => (Some(row.to_json()), None),
                Err(failure) => (None, Some(failure)),
            };
            self.told.writes.push(RehearsedWrite {
                step: write.id.clone(),
                database: write.step.database.clone(),
                table: write.step.table.clone(),
                key: write.step.key.clone(),
                row,
                after_delivery: after.delivery,
                failure,
            });
        }
    }

    /// Calls a reading operation for each record, as a run would.
    async fn enrich(&mut self, call: &CallPlan, found: &[Emitted]) -> Result<Vec<Emitted>, RunEnd> {
        if let Some(asked) = call.step.batch {
            return self.enrich_in_batches(call, asked, found).await;
        }
        let route = self.driver.route(call)?;
        let mut enriched = Vec::new();
        for source in found {
            let scope = self.driver.call_scope(&route, source);
            if !is_due(call, &scope)? {
                self.count(&call.id, 0, 1);
                continue;
            }
            if self.left(&call.id) == 0 {
                self.told.complete = false;
                break;
            }
            let arguments =
                evaluate(&call.expressions, &call.parameters, &scope).map_err(RunEnd::Attention)?;
            let request = build(&route.resolved, call.step.operation.as_str(), &arguments)
                .map_err(RunEnd::Attention)?;
            self.count(&call.id, 1, 0);
            let answer = self.ask(call, &route, &request).await?;
            let read = judge(&route.resolved, &request, &answer)
                .and_then(|()| records(&route.resolved, &request, &answer));
            match read {
                Ok(records) => enriched.extend(records.into_iter().map(|found| Emitted {
                    record: source.flattened(),
                    result: Some(found),
                    ..Emitted::inside(Record::from_pairs([]), source)
                })),
                Err(failure) if failure.meaning == Meaning::Rejected => self.count(&call.id, 0, 1),
                Err(failure) => return Err(RunEnd::Attention(failure)),
            }
        }
        Ok(enriched)
    }

    pub(super) fn preview(&self, route: &Route, request: &Request) -> Result<MaskedRequest, RunEnd> {
        let connector = &self.driver.engine.connector;
        connector
            .preview(&route.resolved, &route.credentials, request)
            .map_err(RunEnd::Attention)
    }

    /// The requests that a call would send. The later steps get the records as if they had been delivered, with
    /// nothing known of the answer.
    async fn requests(&mut self, call: &CallPlan, found: Vec<Emitted>, after: After) -> Result<(), RunEnd> {
        let route = self.driver.route(call)?;
        let operation = route.resolved.operation(call.step.operation.as_str()).ok();
        let columns = operation
            .and_then(|operation| operation.result.as_ref())
            .map(|result| result.columns.keys().cloned().collect::<Vec<String>>())
            .unwrap_or_default();
        let mut delivered = Vec::new();
        let mut packable = Vec::new();
        for record in found {
            let (new, broken) = match self.driver.prepare(call, &route, &record)? {
                Prepared::NotDue => {
                    self.count(&call.id, 0, 1);
                    continue;
                }
                Prepared::Ready(new) => (new, None),
                Prepared::Broken(new, failure) => (new, Some(*failure)),
            };
            let known = self.driver.engine.store.delivery_of(&new.identity)?;
            let would = would(known.as_ref(), &new, broken.is_some());
            let request = serde_json::from_value::<Request>(new.request.clone()).ok();
            let shown = request
                .as_ref()
                .map(|request| self.preview(&route, request))
                .transpose()?;
            if would == SEND
                && let (Some(operation), Some(request)) = (operation, &request)
                && let Some(piece) = Piece::of(operation, request)
            {
                packable.push((self.told.requests.len(), piece));
            }
            if would == SEND
                && let (Some(operation), Some(request)) = (operation, &request)
                && (call.step.batch.is_none() || Piece::of(operation, request).is_none())
            {
                self.price(call, operation, request);
            }
            if would == SEND {
                let unknown = columns.iter().map(|name| (name.clone(), Value::Null));
                delivered.push(Emitted {
                    result: Some(Record::from_pairs(unknown)),
                    delivered_at: Some(Value::Timestamp(Timestamp::now())),
                    ..record
                });
            }
            self.told.requests.push(RehearsedRequest {
                step: call.id.clone(),
                key: new.identity.key.to_string(),
                would,
                after_approval: after.approval,
                connection: call.step.connection.clone(),
                operation: call.step.operation.clone(),
                request: shown,
                batch: None,
                failure: broken,
            });
        }
        self.pack(call, &route, packable)?;
        let after = After {
            delivery: true,
            ..after
        };
        self.hand_on(&call.id, delivered, after).await
    }
}

const SEND: &str = "send";

/// What a run would do with a record, by what the ledger knows of it.
fn would(known: Option<&Delivery>, new: &NewDelivery, is_broken: bool) -> &'static str {
    let has_changed = known.is_some_and(|known| known.fingerprint != new.fingerprint);
    match known.map(|known| known.state) {
        Some(DeliveryState::Delivered) => "already",
        Some(DeliveryState::InDoubt) => "in_doubt",
        Some(DeliveryState::Skipped) => "skipped",
        Some(DeliveryState::Sending) => "sending",
        Some(DeliveryState::Rejected) if !has_changed => "held",
        _ if is_broken => "reject",
        _ => SEND,
    }
}

pub(super) fn is_due(call: &CallPlan, scope: &Scope) -> Result<bool, RunEnd> {
    call.when.as_ref().map_or(Ok(true), |when| {
        call.expressions.truth(when, scope).map_err(RunEnd::Attention)
    })
}
