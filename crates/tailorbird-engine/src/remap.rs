//! Renders the stored input of a delivery by the newest version of its task (never-twice rule 12, `--mapping
//! new`): what was refused because of the mapping can be sent again after the mapping was mended.
//!
//! Invariant: nothing is stored here, and the delivery keeps its key. Whether it may be sent at all is the
//! ledger's decision.

use std::collections::HashMap;
use std::sync::Arc;

use tailorbird_connector::{Request, Resolved};
use tailorbird_model::connection::Connection;
use tailorbird_model::delivery::Delivery;
use tailorbird_model::ports::Credentials;
use tailorbird_model::run::RunId;
use tailorbird_model::task::Task;
use tailorbird_model::{Failure, Meaning, Name, Record, Value, codes};

use crate::deliver::request_of;
use crate::drive::Engine;
use crate::operators::Variables;
use crate::plan::{CallPlan, Plan, StepPlan, evaluate};
use crate::resources::destination_of;
use crate::seen::Beside;
use crate::tail::Emitted;
use crate::trigger;

/// So many runs are remembered, because the deliveries of a run come one after the other.
const MAX_REMEMBERED_RUNS: usize = 16;

/// Renders deliveries of one task anew.
pub struct Remap<'a> {
    engine: &'a Engine,
    task: &'a Task,
    plan: Plan,
    connections: HashMap<Name, (Resolved, Credentials, Connection)>,
    /// What the runs that touched the deliveries last show to expressions: for names that the record did not keep.
    known: HashMap<RunId, (Variables, Record)>,
}

impl std::fmt::Debug for Remap<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remap")
            .field("task", &self.task.task)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Makes a task ready to render deliveries by.
    ///
    /// # Errors
    /// MAP-001 for an expression that cannot be read.
    pub fn remap<'a>(&'a self, task: &'a Task) -> Result<Remap<'a>, Failure> {
        Ok(Remap {
            engine: self,
            task,
            plan: Plan::of(task)?,
            connections: HashMap::new(),
            known: HashMap::new(),
        })
    }
}

impl Remap<'_> {
    /// The request that the newest version makes of a delivery's stored input.
    ///
    /// # Errors
    /// MAP-… and SEND-… where it makes none, TASK-003 where the step leads elsewhere now, TASK-001 where it is
    /// gone, RUN-004 where the input was dropped by retention.
    pub fn render(&mut self, delivery: &Delivery) -> Result<Request, Failure> {
        let step = &delivery.identity.step;
        let call = self.call(step)?;
        let (name, operation) = (call.step.connection.clone(), call.step.operation.clone());
        if !self.connections.contains_key(&name) {
            let opened = self.engine.resources.connection(&name)?;
            self.connections.insert(name.clone(), opened);
        }
        self.remember(&delivery.run)?;
        if delivery.input.columns().is_empty() && delivery.identity.key.as_str().starts_with("sha256:") {
            let message = "the record's input was dropped by retention";
            return Err(Failure::new(codes::TRANSITION, Meaning::NotSent, message)
                .hint("It cannot be rendered anew. Let the statement select the row again."));
        }
        let call = self.call(step)?;
        let Some((resolved, credentials, connection)) = self.connections.get(&name) else {
            return Err(gone(step));
        };
        if destination_of(resolved, credentials, connection) != delivery.identity.destination {
            let message = format!("step `{step}` leads elsewhere now");
            return Err(
                Failure::new(codes::REKEY, Meaning::NotSent, message).detail(format!(
                    "The delivery goes to {}.",
                    delivery.identity.destination.0
                )),
            );
        }
        let record = Emitted::restored(&delivery.input, &call.outer);
        let mut scope = record.scope();
        if let Some(account) = &connection.account {
            let account = Record::from_pairs([
                ("id".to_owned(), Value::from(account.id.as_str())),
                ("name".to_owned(), Value::from(account.name.as_str())),
            ]);
            scope = scope.with_record("account", &account);
        }
        let seen = match record.seen {
            Some(seen) => Arc::unwrap_or_clone(seen).by(None, &self.engine.store)?,
            None => None,
        };
        if let Some((variables, trigger)) = self.known.get(&delivery.run) {
            let beside = Beside {
                run: &delivery.run,
                trigger,
                variables: variables.record(),
            };
            scope = beside.added_to(scope, seen.as_ref());
        }
        let arguments = evaluate(&call.expressions, &call.parameters, &scope)?;
        let is_item = call.step.batch.is_some();
        request_of(
            resolved,
            operation.as_str(),
            &arguments,
            &delivery.identity,
            is_item,
        )
    }

    fn call(&self, step: &Name) -> Result<&CallPlan, Failure> {
        self.plan
            .steps
            .iter()
            .find_map(|found| match found {
                StepPlan::Call(call) if call.id == *step => Some(call.as_ref()),
                _ => None,
            })
            .ok_or_else(|| gone(step))
    }

    fn remember(&mut self, run: &RunId) -> Result<(), Failure> {
        if self.known.contains_key(run) {
            return Ok(());
        }
        if self.known.len() >= MAX_REMEMBERED_RUNS {
            self.known.clear();
        }
        let store = &self.engine.store;
        let input = store.run_input(run)?;
        let loaded = Variables::load(store, &self.task.task, run, &self.task.variables, &input)?;
        let trigger = match store.run(run)? {
            Some(run) => trigger::about(store, &run, &input, &self.task.trigger)?,
            None => Record::from_pairs([]),
        };
        self.known.insert(run.clone(), (loaded, trigger));
        Ok(())
    }
}

fn gone(step: &Name) -> Failure {
    let message = format!("the newest version of the task has no calling step `{step}`");
    Failure::new(codes::TASK_UNKNOWN, Meaning::NotSent, message)
        .hint("If the step was renamed, say so with `formerly` and apply the file.")
}
