//! Brings records into the ledger: key, condition and request are worked out before anything is sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tailorbird_connector::{Request, Resolved, build, build_item, with_idempotency_key};
use tailorbird_model::connection::Connection;
use tailorbird_model::delivery::{DeliveryIdentity, DeliveryState, Event};
use tailorbird_model::expression::{Expressions, Scope, Template};
use tailorbird_model::key::DeliveryKey;
use tailorbird_model::ports::{BudgetId, Credentials};
use tailorbird_model::{Failure, Meaning, Name, Record, Value, codes};
use tailorbird_store::{Charges, Enrolled, Enrolment, Intended, Lane, NewDelivery, Outcome, StoreError};
use tokio::task::JoinHandle;

use crate::charge::charges_of;
use crate::drive::Driver;
use crate::durable::RunEnd;
use crate::plan::{CallPlan, Plan, evaluate};
use crate::progress::ProgressEvent;
use crate::resources::destination_of;
use crate::tail::Emitted;

/// A call step joined to its connection.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) resolved: Arc<Resolved>,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) lane: Lane,
    pub(crate) account: Option<Record>,
    /// How many deliveries may be under way at once; at most this many can be in doubt after a crash.
    pub(crate) concurrency: usize,
    pub(crate) connection: Arc<Connection>,
}

impl Route {
    /// Whose calls count together with those over it.
    pub(crate) fn budget(&self) -> &BudgetId {
        &self.credentials.budget
    }

    /// What calls of an operation over it are counted against.
    pub(crate) fn charges(&self, operation: &str) -> Charges {
        charges_of(&self.resolved, &self.credentials, &self.connection, operation)
    }
}

pub(crate) enum Prepared {
    NotDue,
    Ready(Box<NewDelivery>),
    Broken(Box<NewDelivery>, Box<Failure>),
}

/// A chunk of records as the ledger will take them in.
pub(crate) struct Made {
    batch: Vec<NewDelivery>,
    keys: Vec<DeliveryKey>,
    /// Those that made no request, by their place, and why.
    broken: Vec<(usize, Failure)>,
}

/// A chunk of records that the ledger is taking in.
pub(crate) struct Enrolling {
    enrolled: JoinHandle<Result<Vec<Enrolled>, StoreError>>,
    keys: Vec<DeliveryKey>,
    /// Those that made no request, by their place, and why.
    broken: Vec<(usize, Failure)>,
}

impl Driver {
    /// Tells whether a call has an effect at the provider, and so goes through the ledger.
    pub(crate) fn is_delivering(&self, call: &CallPlan) -> Result<bool, RunEnd> {
        let (resolved, ..) = self
            .engine
            .resources
            .connection(&call.step.connection)
            .map_err(RunEnd::Attention)?;
        let operation = resolved
            .operation(call.step.operation.as_str())
            .map_err(RunEnd::Attention)?;
        Ok(!operation.method.is_safe())
    }

    pub(crate) fn route(&self, call: &CallPlan) -> Result<Route, RunEnd> {
        let (resolved, credentials, connection) = self
            .engine
            .resources
            .connection(&call.step.connection)
            .map_err(RunEnd::Attention)?;
        let destination = destination_of(&resolved, &credentials, &connection);
        let account = connection.account.as_ref().map(|account| {
            Record::from_pairs([
                ("id".to_owned(), Value::from(account.id.as_str())),
                ("name".to_owned(), Value::from(account.name.as_str())),
            ])
        });
        Ok(Route {
            resolved: Arc::new(resolved),
            credentials: Arc::new(credentials),
            lane: Lane::new(self.task.clone(), call.id.clone(), destination),
            account,
            concurrency: connection.concurrency(),
            connection: Arc::new(connection),
        })
    }

    /// Brings the one record of a call without `for_each` into the ledger.
    pub(crate) async fn enrol_once(&mut self, plan: &Plan, call: &CallPlan) -> Result<(), RunEnd> {
        self.enrol(plan, call, &[Emitted::plain(Record::from_pairs([]))])
            .await
    }

    /// What expressions of a call can see beside the record: whose account it is, and which run.
    pub(crate) fn call_scope(&self, route: &Route, record: &Emitted) -> Scope {
        let scope = self.see_of(record);
        match &route.account {
            Some(account) => scope.with_record("account", account),
            None => scope,
        }
    }

    /// Brings a chunk of records into the ledger.
    pub(crate) async fn enrol(
        &mut self,
        plan: &Plan,
        call: &CallPlan,
        records: &[Emitted],
    ) -> Result<(), RunEnd> {
        let made = self.make_requests(call, records)?;
        let enrolling = self.begin_to_enrol(made);
        self.end_enrolling(plan, call, enrolling).await
    }

    /// Makes the requests of a chunk.
    pub(crate) fn make_requests(&mut self, call: &CallPlan, records: &[Emitted]) -> Result<Made, RunEnd> {
        let route = self.route(call)?;
        let (mut batch, mut broken) = (Vec::with_capacity(records.len()), Vec::new());
        for record in records {
            match self.prepare(call, &route, record)? {
                Prepared::NotDue => self.counts.not_due += 1,
                Prepared::Ready(new) => batch.push(*new),
                Prepared::Broken(new, failure) => {
                    broken.push((batch.len(), *failure));
                    batch.push(*new);
                }
            }
        }
        let keys: Vec<DeliveryKey> = batch.iter().map(|new| new.identity.key.clone()).collect();
        Ok(Made { batch, keys, broken })
    }

    /// Gives a chunk to the ledger, without waiting for it. Nothing that relies on it may follow before
    /// [`Driver::end_enrolling`], the next chunk of the same call included: the same key may be in both.
    pub(crate) fn begin_to_enrol(&self, made: Made) -> Enrolling {
        let store = self.engine.store.clone();
        let Made { batch, keys, broken } = made;
        Enrolling {
            enrolled: tokio::spawn(async move { store.enrol(batch).await }),
            keys,
            broken,
        }
    }

    /// Waits until a chunk is in the ledger, and counts what that made of it.
    pub(crate) async fn end_enrolling(
        &mut self,
        plan: &Plan,
        call: &CallPlan,
        enrolling: Enrolling,
    ) -> Result<(), RunEnd> {
        let Enrolling {
            enrolled,
            keys,
            broken,
        } = enrolling;
        let enrolled = enrolled.await.map_err(|error| {
            let message = format!("the enrolling of records ended abruptly: {error}");
            RunEnd::Failed(Failure::new(codes::INTERNAL, Meaning::NotSent, message))
        })??;
        let mut refused = Vec::new();
        for (index, failure) in broken {
            let Some(entry) = enrolled.get(index) else {
                continue;
            };
            // One that is open with other content keeps the request that was stored (rule 12).
            let is_this_one = matches!(
                entry.enrolment,
                Enrolment::New | Enrolment::TriedAgain | Enrolment::Open { conflict: false }
            );
            if is_this_one {
                let intended = Intended {
                    id: entry.id,
                    attempt: entry.attempts,
                };
                refused.push(Outcome::failed(intended, Event::Refused, failure));
            }
        }
        if !refused.is_empty() {
            self.engine.store.record(refused).await?;
        }
        for (entry, key) in enrolled.iter().zip(&keys) {
            self.count_enrolled(plan, call, entry, key);
        }
        Ok(())
    }

    /// Counts what the ledger made of a record, and tells what a person should know.
    fn count_enrolled(&mut self, plan: &Plan, call: &CallPlan, entry: &Enrolled, key: &DeliveryKey) {
        let is_first = self.met.entry(call.id.clone()).or_default().insert(entry.id);
        if !is_first && call.source.is_some() {
            self.counts.already += 1;
            let note = format!(
                "step {}: the key {key} came twice in one recordset; the first one counts",
                call.id
            );
            return (self.progress)(ProgressEvent::Note(note));
        }
        let is_ours = entry.run == self.run;
        let is_again = is_ours && self.is_begun_anew && entry.enrolment != Enrolment::New;
        if is_again && plan.counts_reads_of(call.source.as_ref()) {
            // This run read it before it was cut off, and counted it then.
            self.counts.read = self.counts.read.saturating_sub(1);
        }
        match &entry.enrolment {
            Enrolment::Already { .. } if !is_ours => self.counts.already += 1,
            Enrolment::Held { state, .. } if !is_ours => match state {
                DeliveryState::Rejected => self.counts.rejected += 1,
                DeliveryState::Skipped => self.counts.skipped += 1,
                _ => {}
            },
            _ => {}
        }
        if let Enrolment::Open { conflict: true } | Enrolment::Held { conflict: true, .. } = entry.enrolment {
            let note = format!(
                "step {}: the content of {key} changed while it was open; what was stored is sent",
                call.id
            );
            (self.progress)(ProgressEvent::Note(note));
        }
    }

    fn delivery_key(&self, call: &CallPlan, route: &Route, record: &Emitted) -> Result<DeliveryKey, RunEnd> {
        let Some(template) = &call.key else {
            return Err(RunEnd::Attention(Failure::new(
                codes::KEY,
                Meaning::NotSent,
                format!("the step `{}` has an effect and no key", call.id),
            )));
        };
        let scope = self.call_scope(route, &record.for_key());
        key_of(&call.id, &call.expressions, template, &scope, &record.record)
    }

    pub(crate) fn prepare(
        &self,
        call: &CallPlan,
        route: &Route,
        record: &Emitted,
    ) -> Result<Prepared, RunEnd> {
        let scope = self.call_scope(route, record);
        // The key comes first: a record that cannot be named must not be guessed at (rule 2).
        let due = match &call.when {
            None => Ok(true),
            Some(when) => call.expressions.truth(when, &scope),
        };
        if let Ok(false) = due {
            return Ok(Prepared::NotDue);
        }
        let key = self.delivery_key(call, route, record)?;
        let identity = DeliveryIdentity {
            task: self.task.clone(),
            step: call.id.clone(),
            destination: route.lane.destination.clone(),
            key,
        };
        let request = due.and_then(|_| {
            let arguments = evaluate(&call.expressions, &call.parameters, &scope)?;
            let name = call.step.operation.as_str();
            request_of(
                &route.resolved,
                name,
                &arguments,
                &identity,
                call.step.batch.is_some(),
            )
        });
        let new = |request: serde_json::Value, fingerprint: String| {
            Box::new(NewDelivery {
                identity: identity.clone(),
                run: self.run.clone(),
                connection: call.step.connection.clone(),
                operation: call.step.operation.clone(),
                input: self.to_store(record, &call.keeps),
                request,
                fingerprint,
                not_before: None,
            })
        };
        match request {
            Ok(request) => {
                let stored = serde_json::to_value(&request).map_err(|error| {
                    RunEnd::Failed(Failure::new(
                        codes::INTERNAL,
                        Meaning::NotSent,
                        format!("a request cannot be stored: {error}"),
                    ))
                })?;
                Ok(Prepared::Ready(new(stored, request.fingerprint())))
            }
            // A name that no record has, or a connection at fault, would reject the whole table.
            Err(failure)
                if failure.code == codes::COLUMN_UNKNOWN || failure.meaning == Meaning::ConnectionFault =>
            {
                Err(RunEnd::Attention(failure))
            }
            Err(failure) => {
                let mut hasher = Sha256::new();
                hasher.update(record.flattened().to_json().to_string());
                hasher.update(failure.message.as_bytes());
                let fingerprint = hasher.finalize().iter().fold(String::new(), |mut hex, byte| {
                    hex.push_str(&format!("{byte:02x}"));
                    hex
                });
                Ok(Prepared::Broken(
                    new(serde_json::Value::Null, fingerprint),
                    Box::new(failure),
                ))
            }
        }
    }
}

/// The key of a record, as a step's template names it.
///
/// # Errors
/// A person must look where it is null, empty or cannot be built: a record that cannot be named must not be
/// guessed at (rule 2).
pub(crate) fn key_of(
    step: &Name,
    expressions: &Expressions,
    template: &Template,
    scope: &Scope,
    record: &Record,
) -> Result<DeliveryKey, RunEnd> {
    let attention = |why: String| {
        RunEnd::Attention(
            Failure::new(codes::KEY, Meaning::NotSent, format!("a delivery key of step `{step}` cannot be built: {why}"))
                .detail(format!("The record begins with {}.", beginning(record)))
                .hint("Every record needs a key that names it for good. Mend the data, the statement or `key`, then run the task again."),
        )
    };
    let value = match expressions.evaluate(template, scope) {
        Ok(value) => value,
        Err(failure) if failure.code == codes::COLUMN_UNKNOWN => return Err(RunEnd::Attention(failure)),
        Err(failure) => return Err(attention(failure.to_string())),
    };
    DeliveryKey::from_value(&value).map_err(|problem| attention(problem.to_string()))
}

/// How much of a text is shown of a record that cannot be handled, in characters.
const MAX_SHOWN: usize = 60;

/// The first columns of a record, so that a person finds it.
pub(crate) fn beginning(record: &Record) -> String {
    let shown: BTreeMap<String, serde_json::Value> = record
        .iter()
        .take(4)
        .map(|(name, value)| {
            let json = match value.to_json() {
                serde_json::Value::String(text) => text.chars().take(MAX_SHOWN).collect::<String>().into(),
                other => other,
            };
            (name.to_owned(), json)
        })
        .collect();
    serde_json::to_string(&shown).unwrap_or_default()
}

/// The request of a delivery, with its idempotency key where the operation takes one. Whatever makes requests for
/// the ledger makes them here: one without its key must not be repeated. `is_item` says that it may share a batch.
pub(crate) fn request_of(
    resolved: &Resolved,
    operation: &str,
    arguments: &BTreeMap<String, Value>,
    identity: &DeliveryIdentity,
    is_item: bool,
) -> Result<Request, Failure> {
    let request = if is_item {
        build_item(resolved, operation, arguments)?
    } else {
        build(resolved, operation, arguments)?
    };
    let parts = [
        identity.task.as_str(),
        identity.step.as_str(),
        &identity.destination.0,
        identity.key.as_str(),
    ];
    Ok(with_idempotency_key(
        resolved.operation(operation)?,
        request,
        &parts,
    ))
}
