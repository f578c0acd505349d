//! Keeps what was sent as sent when a task, a step, a key or a destination changes its name (never-twice
//! rule 1).

use tailorbird_engine::destination_of;
use tailorbird_model::task::{FlatStep, Task};
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::{Lane, StepIdentity};

use crate::{App, AppError, tasks};

impl App {
    /// Refuses a change that would send records again, unless it is accepted (never-twice rule 1).
    pub(crate) fn guard_rekey(&self, task: &Task, accept: bool) -> Result<(), AppError> {
        if accept {
            return Ok(());
        }
        let mut lines = Vec::new();
        for step in task.flat_steps() {
            let Some((before_task, before_step, identity)) = self.identity_of(task, &step)? else {
                continue;
            };
            if let Some(rekey) = self.store.count_rekey(&before_task, &before_step, &identity)?
                && rekey.delivered + rekey.open > 0
            {
                lines.push(format!(
                    "Step `{}`: {} delivered record(s) would go again, {} open one(s) would stay behind. It was key {:?} to {}; it is key {:?} to {}.",
                    step.path, rekey.delivered, rekey.open, rekey.before.key_template, rekey.before.destination.0,
                    identity.key_template, identity.destination.0
                ));
            }
        }
        if lines.is_empty() {
            return Ok(());
        }
        Err(AppError::usage(
            Failure::new(codes::REKEY, Meaning::NotSent, format!("the change of task `{}` would send records again", task.task))
                .detail(lines.join("\n"))
                .hint(
                    "If a task or step was only renamed, say so with `formerly: OLD-NAME`. If sending again is meant, \
                     apply the file with --accept-rekey.",
                ),
        ))
    }

    /// What names the records of a delivering step, and under which names the ledger knows it.
    fn identity_of(
        &self,
        task: &Task,
        step: &FlatStep<'_>,
    ) -> Result<Option<(Name, Name, StepIdentity)>, AppError> {
        let Some(call) = &step.step.call else {
            return Ok(None);
        };
        let Some(key) = &call.key else { return Ok(None) };
        let Ok((resolved, credentials, connection)) = self.resolved(&call.connection) else {
            return Ok(None);
        };
        let destination = destination_of(&resolved, &credentials, &connection);
        let before_task = task.formerly.clone().unwrap_or_else(|| task.task.clone());
        let before_step = step.formerly.clone().unwrap_or_else(|| step.path.clone());
        let known = self.store.step_identity(&before_task, &before_step)?.is_some();
        let names = if known {
            (before_task, before_step)
        } else {
            (task.task.clone(), step.path.clone())
        };
        Ok(Some((
            names.0,
            names.1,
            StepIdentity {
                key_template: key.clone(),
                destination,
            },
        )))
    }

    /// Carries what was sent under former names over to the new ones.
    pub(crate) async fn adopt_former_names(&self, task: &Task) -> Result<(), AppError> {
        if let Some(before) = &task.formerly {
            self.store.adopt_events(before, &task.task).await?;
        }
        for step in task.flat_steps() {
            if task.formerly.is_none() && step.formerly.is_none() {
                continue;
            }
            let before_task = task.formerly.as_ref().unwrap_or(&task.task);
            let before_step = step.formerly.as_ref().unwrap_or(&step.path);
            self.store
                .adopt((before_task, before_step), (&task.task, &step.path))
                .await?;
        }
        // The old name would send everything again: a forgotten cron line must not find it any more.
        if let Some(former) = task.formerly.as_ref().filter(|former| **former != task.task)
            && self.store.task(former)?.is_some()
        {
            self.store.remove_task(former).await?;
        }
        Ok(())
    }

    /// Notes how the records of each delivering step are named from now on.
    pub(crate) async fn note_identities(&self, task: &Task) -> Result<(), AppError> {
        for step in task.flat_steps() {
            if let Some((_, _, identity)) = self.identity_of(task, &step)? {
                let lane = Lane::new(task.task.clone(), step.path.clone(), identity.destination.clone());
                let is_used = self.store.lanes(&task.task)?.contains(&lane);
                let is_known = self.store.step_identity(&task.task, &step.path)?.is_some();
                if is_known || is_used {
                    self.store
                        .set_step_identity(&task.task, &step.path, identity)
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// Refuses files in which a task or step has another name than the one that the ledger knows it by, without
    /// `formerly` saying so: under a new name every record would look new.
    pub(crate) fn guard_renames(&self, task: &Task, accept: bool) -> Result<(), AppError> {
        if accept {
            return Ok(());
        }
        let known_as = task
            .formerly
            .clone()
            .filter(|former| self.knows(former))
            .unwrap_or_else(|| task.task.clone());
        let lines = if self.knows(&known_as) {
            self.renamed_steps(task, &known_as)?
        } else {
            self.same_as_other_tasks(task)?
        };
        if lines.is_empty() {
            return Ok(());
        }
        let message = format!(
            "task `{}` looks like one whose records were sent under another name",
            task.task
        );
        Err(AppError::usage(
            Failure::new(codes::REKEY, Meaning::NotSent, message).detail(lines.join("\n")).hint(
                "If the task or step was renamed, say so with `formerly: OLD-NAME`; then nothing is sent again. If \
                 it is another one that may send the same records too, apply the file with --accept-rekey.",
            ),
        ))
    }

    /// Tells whether the ledger or the definitions know a task of that name.
    fn knows(&self, task: &Name) -> bool {
        let is_defined = self.store.task(task).is_ok_and(|found| found.is_some());
        is_defined || self.store.lanes(task).is_ok_and(|lanes| !lanes.is_empty())
    }

    /// Steps of the ledger that the file lacks, while it has a new one that sends to the same place.
    fn renamed_steps(&self, task: &Task, known_as: &Name) -> Result<Vec<String>, AppError> {
        let lanes = self.store.lanes(known_as)?;
        let is_named = |id: &Name| {
            task.flat_steps()
                .iter()
                .any(|step| step.path == *id || step.formerly.as_ref() == Some(id))
        };
        let mut found = Vec::new();
        for step in task.flat_steps() {
            let Some((_, _, identity)) = self.identity_of(task, &step)? else {
                continue;
            };
            let is_new = step.formerly.is_none() && !lanes.iter().any(|lane| lane.step == step.path);
            if !is_new {
                continue;
            }
            for lane in lanes
                .iter()
                .filter(|lane| lane.destination == identity.destination && !is_named(&lane.step))
            {
                if let Some(sent) = self.sent_by(known_as, &lane.step)? {
                    found.push(format!(
                        "Step `{}` is not in the file any more, and {sent} record(s) were sent by it; step `{}` is new and sends to the same place.",
                        lane.step, step.path
                    ));
                }
            }
        }
        Ok(found)
    }

    /// Other tasks that have sent by the same key to the same place, where this one is new.
    fn same_as_other_tasks(&self, task: &Task) -> Result<Vec<String>, AppError> {
        let mut lines = Vec::new();
        for stored in self.store.tasks()? {
            let stored_task = tasks::parse(&stored)?;
            let known = stored_task.flat_steps().into_iter().map(|step| step.path);
            let known: Vec<Name> = known.collect();
            for step in task.flat_steps() {
                let Some((_, _, identity)) = self.identity_of(task, &step)? else {
                    continue;
                };
                for other in &known {
                    if self.store.step_identity(&stored.name, other)?.as_ref() == Some(&identity)
                        && let Some(sent) = self.sent_by(&stored.name, other)?
                    {
                        lines.push(format!(
                            "Task `{}` has sent {sent} record(s) by the same key to the same place (its step `{other}`).",
                            stored.name
                        ));
                    }
                }
            }
        }
        Ok(lines)
    }

    /// How many records a step has sent or may have sent; none where it never did.
    fn sent_by(&self, task: &Name, step: &Name) -> Result<Option<u64>, AppError> {
        let Some(known) = self.store.step_identity(task, step)? else {
            return Ok(None);
        };
        let other = StepIdentity {
            key_template: format!("not {}", known.key_template),
            ..known
        };
        let counted = self.store.count_rekey(task, step, &other)?;
        Ok(counted
            .map(|rekey| rekey.delivered + rekey.open)
            .filter(|count| *count > 0))
    }
}
