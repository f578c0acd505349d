//! What a step yields goes on to the later steps; each of them may see the same record twice and must end in
//! the same state (never-twice rule 17).

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tailorbird_database::CursorMove;
use tailorbird_model::delivery::{Delivery, DeliveryId, SEEN_COLUMN};
use tailorbird_model::expression::Scope;
use tailorbird_model::service::Operation;
use tailorbird_model::{Failure, Meaning, Name, Record, Value, codes, fault};

use crate::deliver::Route;
use crate::drive::Driver;
use crate::durable::RunEnd;
use crate::limits::{CHUNK, MAX_LOCKED_TRIES, MAX_REFUSED_RECORDS};
use crate::plan::{CallPlan, Plan, StepPlan, WritePlan, evaluate};
use crate::progress::ProgressEvent;
use crate::seen::Seen;

/// A record on its way to the later steps.
#[derive(Debug, Clone)]
pub(crate) struct Emitted {
    pub(crate) record: Record,
    pub(crate) result: Option<Record>,
    pub(crate) delivered_at: Option<Value>,
    /// The records of the loops around it, by the names under which they are seen; the outermost first.
    pub(crate) outer: Arc<[(String, Record)]>,
    /// What it saw beside its columns in the run that stored it, where that was another one.
    pub(crate) seen: Option<Arc<Seen>>,
}

impl Emitted {
    pub(crate) fn plain(record: Record) -> Self {
        Self {
            record,
            result: None,
            delivered_at: None,
            outer: Arc::default(),
            seen: None,
        }
    }

    /// A row that was read for another record, or made of it: it stands where that one does.
    pub(crate) fn inside(record: Record, parent: &Self) -> Self {
        Self {
            outer: Arc::clone(&parent.outer),
            seen: parent.seen.clone(),
            ..Self::plain(record)
        }
    }

    /// A delivered record with the provider's answer. What the answer does not tell (nobody could read it, or
    /// a person said that it arrived) is null: a later step can go on with what is known.
    pub(crate) fn of(delivery: &Delivery, operation: Option<&Operation>, outer: &[String]) -> Self {
        let columns = operation
            .and_then(|operation| operation.result.as_ref())
            .map(|result| result.columns.keys());
        let known = delivery.result.clone().unwrap_or_else(|| Record::from_pairs([]));
        let missing = columns
            .into_iter()
            .flatten()
            .filter(|name| known.get(name).is_none())
            .map(|name| (name.clone(), Value::Null));
        let told = known.iter().map(|(name, value)| (name.to_owned(), value.clone()));
        Self {
            result: Some(Record::from_pairs(told.chain(missing))),
            delivered_at: delivery.delivered_at.map(Value::Timestamp),
            ..Self::restored(&delivery.input, outer)
        }
    }

    /// A record as [`Driver::to_store`] gave it: the records of the loops around it are columns there. Before a step
    /// takes it, [`Driver::as_seen`] has to say what it sees.
    pub(crate) fn restored(stored: &Record, outer: &[String]) -> Self {
        let around = outer.iter().filter_map(|name| match stored.get(name) {
            Some(Value::Json(json)) => {
                let record = serde_json::from_value::<Record>(json.clone()).ok()?;
                Some((name.clone(), record))
            }
            _ => None,
        });
        let around: Arc<[(String, Record)]> = around.collect();
        let seen = Seen::of(stored);
        let own = stored
            .iter()
            .filter(|(name, _)| seen.is_none() || *name != SEEN_COLUMN)
            .filter(|(name, _)| !around.iter().any(|(outer, _)| outer == name))
            .map(|(name, value)| (name.to_owned(), value.clone()));
        Self {
            record: Record::from_pairs(own),
            outer: Arc::clone(&around),
            result: None,
            delivered_at: None,
            seen: seen.map(Arc::new),
        }
    }

    /// The record with those around it as columns.
    pub(crate) fn stored(&self) -> Record {
        let flat = self.flattened();
        if self.outer.is_empty() {
            return flat;
        }
        let own = flat
            .iter()
            .filter(|(name, _)| !self.outer.iter().any(|(outer, _)| outer == name))
            .map(|(name, value)| (name.to_owned(), value.clone()));
        let around = self.outer.iter().map(|(name, record)| {
            let json = serde_json::to_value(record).unwrap_or_default();
            (name.clone(), Value::Json(json))
        });
        Record::from_pairs(own.chain(around))
    }

    /// What expressions can see.
    pub(crate) fn scope(&self) -> Scope {
        let mut scope = Scope::of(&self.record);
        for (name, record) in self.outer.iter() {
            scope = scope.with_record(name, record);
        }
        if let Some(result) = &self.result {
            scope = scope.with_record("result", result);
        }
        if let Some(at) = &self.delivered_at {
            scope = scope.with("delivered_at", at);
        }
        scope
    }

    /// The record as keys see it: decimals lose trailing zeros, also inside a text, so that 1.10 and 1.1 are
    /// one key (rule 2).
    pub(crate) fn for_key(&self) -> Self {
        let plain = |(name, value): (&str, &Value)| {
            let value = match value {
                Value::Decimal(decimal) => Value::Decimal(decimal.normalize()),
                other => other.clone(),
            };
            (name.to_owned(), value)
        };
        let of = |record: &Record| Record::from_pairs(record.iter().map(plain));
        Self {
            record: of(&self.record),
            result: self.result.as_ref().map(of),
            delivered_at: self.delivered_at.clone(),
            outer: self
                .outer
                .iter()
                .map(|(name, record)| (name.clone(), of(record)))
                .collect(),
            seen: self.seen.clone(),
        }
    }

    /// The record with the reserved names as columns, as a chained step stores it.
    pub(crate) fn flattened(&self) -> Record {
        if self.result.is_none() && self.delivered_at.is_none() {
            return self.record.clone();
        }
        let own = self
            .record
            .iter()
            .map(|(name, value)| (name.to_owned(), value.clone()));
        let result = self
            .result
            .as_ref()
            .map(|result| ("result".to_owned(), Value::Json(result.to_json())));
        let at = self
            .delivered_at
            .clone()
            .map(|at| ("delivered_at".to_owned(), at));
        Record::from_pairs(
            own.filter(|(name, _)| name != "result" && name != "delivered_at")
                .chain(result)
                .chain(at),
        )
    }
}

impl Driver {
    /// Hands what was delivered and not yet taken up to the later steps, and marks it as settled.
    pub(crate) async fn emit_settled(
        &mut self,
        plan: &Plan,
        call: &CallPlan,
        route: &Route,
    ) -> Result<(), RunEnd> {
        self.emit_chunks(plan, call, route, None).await
    }

    /// As [`Driver::emit_settled`], at most so many chunks.
    pub(crate) async fn emit_chunks(
        &mut self,
        plan: &Plan,
        call: &CallPlan,
        route: &Route,
        at_most: Option<u64>,
    ) -> Result<(), RunEnd> {
        // Those whose id could not be looked up now; the next run tries again.
        let mut put_off: HashSet<DeliveryId> = HashSet::new();
        let mut refused: Option<Failure> = None;
        let operation = route.resolved.operation(call.step.operation.as_str()).ok();
        let mut chunks = 0;
        loop {
            if at_most.is_some_and(|at_most| chunks >= at_most) {
                return refused.map_or(Ok(()), |failure| Err(RunEnd::Failed(failure)));
            }
            chunks += 1;
            let limit = u32::try_from(CHUNK + put_off.len()).unwrap_or(u32::MAX);
            let mut chunk = self.engine.store.unsettled(&route.lane, limit)?;
            chunk.retain(|delivery| !put_off.contains(&delivery.id));
            if chunk.is_empty() {
                return refused.map_or(Ok(()), |failure| Err(RunEnd::Failed(failure)));
            }
            self.find_results(call, route, &mut chunk, &mut put_off).await?;
            let ids: Vec<DeliveryId> = chunk.iter().map(|delivery| delivery.id).collect();
            let records = chunk
                .iter()
                .map(|delivery| self.as_seen(Emitted::of(delivery, operation, &call.outer)))
                .collect::<Result<Vec<Emitted>, RunEnd>>()?;
            match self.hand_on(plan, &call.id, &records).await {
                Ok(()) => self.engine.store.settle(ids).await?,
                Err(end) if chunk.len() > 1 && can_go_one_by_one(plan, call, &end) => {
                    let refusal = self
                        .emit_one_by_one(plan, call, &chunk, &records, &mut put_off)
                        .await?;
                    refused = refused.or(refusal);
                }
                Err(end) => return Err(end),
            }
            self.store_counts(plan, None).await?;
            if put_off.len() >= MAX_REFUSED_RECORDS {
                return refused.map_or(Ok(()), |failure| Err(RunEnd::Failed(failure)));
            }
        }
    }

    /// Hands records on singly, so that one which a database refuses keeps no other from being written. Those
    /// that are refused stay unsettled; the first refusal is returned.
    async fn emit_one_by_one(
        &mut self,
        plan: &Plan,
        call: &CallPlan,
        chunk: &[Delivery],
        records: &[Emitted],
        put_off: &mut HashSet<DeliveryId>,
    ) -> Result<Option<Failure>, RunEnd> {
        let mut refused = None;
        for (delivery, record) in chunk.iter().zip(records) {
            match self.hand_on(plan, &call.id, std::slice::from_ref(record)).await {
                Ok(()) => self.engine.store.settle(vec![delivery.id]).await?,
                Err(RunEnd::Failed(failure) | RunEnd::Attention(failure)) if is_of_a_record(&failure) => {
                    put_off.insert(delivery.id);
                    let key = &delivery.identity.key;
                    let note = format!("{key} was delivered and cannot be written: {failure}");
                    (self.progress)(ProgressEvent::Note(note));
                    let detail = format!("It is the record with the key {key}.\n{}", failure.detail);
                    refused.get_or_insert(failure.detail(detail));
                    if put_off.len() >= MAX_REFUSED_RECORDS {
                        break;
                    }
                }
                Err(end) => return Err(end),
            }
        }
        Ok(refused)
    }

    /// Gives records to each step that takes them.
    pub(crate) async fn hand_on(
        &mut self,
        plan: &Plan,
        source: &Name,
        records: &[Emitted],
    ) -> Result<(), RunEnd> {
        for taker in plan.takers(source) {
            match taker {
                StepPlan::Write(write) => self.write(write, records, None).await?,
                StepPlan::Call(call) if self.is_delivering(call)? => self.enrol(plan, call, records).await?,
                StepPlan::Call(call) if call.step.for_each.is_none() => {
                    Box::pin(self.list_each(plan, call, records)).await?;
                }
                StepPlan::Call(call) => Box::pin(self.enrich(plan, call, records)).await?,
                StepPlan::Query(query) => Box::pin(self.query_each(plan, query, records)).await?,
                StepPlan::Transform(transform) => {
                    Box::pin(self.transform(plan, transform, records)).await?;
                }
                StepPlan::Filter(filter) => Box::pin(self.filter(plan, filter, records)).await?,
                StepPlan::Decide(decide) => Box::pin(self.decide(plan, decide, records)).await?,
                StepPlan::Set(set) => self.set(set, records).await?,
                StepPlan::Approve(approve) => self.ask(plan, approve, records).await?,
                StepPlan::CallTask(call) => self.note_calls(plan, call, records).await?,
                // It takes no records.
                StepPlan::Trigger(_) | StepPlan::Wait(_) => {}
                StepPlan::ForEach(each) => Box::pin(self.for_each(plan, each, records)).await?,
            }
        }
        Ok(())
    }

    /// Writes a chunk: updates the row with that key, or inserts it.
    pub(crate) async fn write(
        &mut self,
        write: &WritePlan,
        records: &[Emitted],
        cursor: Option<String>,
    ) -> Result<(), RunEnd> {
        let mut rows = Vec::with_capacity(records.len());
        for record in records {
            let scope = self.see_of(record);
            rows.push(row(write, record, &scope).map_err(RunEnd::Attention)?);
        }
        if rows.is_empty() && cursor.is_none() {
            return Ok(());
        }
        let resources = Arc::clone(&self.engine.resources);
        let (step, task) = (write.step.clone(), self.task.clone());
        // The cursor belongs to the step that reads; that is where the next run looks for it.
        let owner = write.source.clone();
        let mut tries = 0;
        loop {
            let (resources, step, task, owner) =
                (Arc::clone(&resources), step.clone(), task.clone(), owner.clone());
            let (rows, cursor) = (rows.clone(), cursor.clone());
            let written = blocking(move || {
                let mut link = resources.database(&step.database)?;
                fault::reach("target.due");
                let written = match cursor {
                    Some(value) => {
                        let cursor = CursorMove {
                            task,
                            step: owner,
                            value: value.into(),
                            now: Timestamp::now(),
                        };
                        link.upsert_with_cursor(&step.table, &step.key, &rows, &cursor)?
                    }
                    None => link.upsert(&step.table, &step.key, &rows)?,
                };
                fault::reach("target.committed");
                Ok(written.rows)
            })
            .await;
            match written {
                Ok(count) => {
                    self.counts.written += count;
                    return Ok(());
                }
                Err(failure) if failure.code == codes::DATABASE_LOCKED && tries < MAX_LOCKED_TRIES => {
                    tries += 1;
                    (self.progress)(ProgressEvent::Note(format!("{}; trying again", failure.message)));
                    self.stop.wait(Duration::from_millis(300 << tries)).await;
                    self.look_up_requests().await?;
                }
                Err(failure) => {
                    let known = "What was delivered stays in the ledger and is written by the next run; nothing is sent again.";
                    let detail = if failure.detail.is_empty() {
                        known.to_owned()
                    } else {
                        format!("{}\n{known}", failure.detail)
                    };
                    let may_pass = is_passing(&failure);
                    let failure = failure.detail(detail);
                    return Err(if may_pass {
                        RunEnd::TryAgain(failure)
                    } else {
                        RunEnd::Failed(failure)
                    });
                }
            }
        }
    }
}

/// Tells whether a failure of a database may pass without anybody changing the task: another program lets it go, a
/// share is mounted again, somebody makes room.
pub(crate) fn is_passing(failure: &Failure) -> bool {
    [
        codes::DATABASE_LOCKED,
        codes::DATABASE_MISSING,
        codes::DATABASE_FULL,
    ]
    .contains(&failure.code.as_str())
}

/// Tells whether a failure speaks of one record and not of the database or the task.
fn is_of_a_record(failure: &Failure) -> bool {
    [codes::WRITE_REFUSED, codes::VALUE_TYPE, codes::EXPRESSION].contains(&failure.code.as_str())
}

/// Where only writes take the records, each of them can be handed on alone, and again, without harm.
fn can_go_one_by_one(plan: &Plan, call: &CallPlan, end: &RunEnd) -> bool {
    let (RunEnd::Failed(failure) | RunEnd::Attention(failure)) = end else {
        return false;
    };
    is_of_a_record(failure)
        && plan
            .takers(&call.id)
            .all(|taker| matches!(taker, StepPlan::Write(_)))
}

/// The row that a record becomes.
pub(crate) fn row(write: &WritePlan, record: &Emitted, scope: &Scope) -> Result<Record, Failure> {
    if write.columns.is_empty() {
        return Ok(record.record.clone());
    }
    let values = evaluate(&write.expressions, &write.columns, scope).map_err(|mut failure| {
        failure.message = format!("step `{}`: {}", write.id, failure.message);
        failure
    })?;
    Ok(Record::from_pairs(values))
}

/// Runs work on a database, which waits for files and locks, away from the threads that serve requests.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        let message = format!("work on a database ended abruptly: {error}");
        Err(Failure::new(codes::INTERNAL, Meaning::NotSent, message))
    })
}
