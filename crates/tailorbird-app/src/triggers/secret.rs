//! The secret that a provider signs a task's webhook requests with.

use std::fmt;

use serde::Deserialize;
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_oauth::ClientSecret;

use crate::actor::Act;
use crate::{App, AppError, tasks};

/// The shortest secret: a shorter one can be tried out.
const MIN_SECRET: usize = 8;

/// The longest secret, in bytes.
const MAX_SECRET: usize = 4_096;

/// What `task secret` is given.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSecretInput {
    webhook_secret: String,
}

impl fmt::Debug for TaskSecretInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaskSecretInput(redacted)")
    }
}

impl TaskSecretInput {
    /// A secret that a person typed.
    pub fn new(webhook_secret: String) -> Self {
        Self { webhook_secret }
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// TRIG-005; the message never repeats what was read, because it is secret.
    pub fn from_json(text: &str) -> Result<Self, AppError> {
        serde_json::from_str(text).map_err(|error| {
            let message = format!(
                "the secret cannot be read (line {}, column {})",
                error.line(),
                error.column()
            );
            let failure = Failure::new(codes::TASK_SECRET, Meaning::NotSent, message)
                .hint("Give one JSON object: {\"webhook_secret\": \"…\"}.");
            AppError::usage(failure)
        })
    }
}

impl App {
    /// Seals the secret of a task's webhook. Returns notes for the person.
    ///
    /// # Errors
    /// TASK-001 where there is no such task; TRIG-005 where the secret cannot be right.
    pub async fn set_task_secret(
        &self,
        name: &Name,
        input: TaskSecretInput,
    ) -> Result<Vec<String>, AppError> {
        let noting = self.noting(Act::TASK_SECRET, name, "")?;
        let task = tasks::parse(&self.stored_task(name)?)?;
        let mut notes = Vec::new();
        let secret = input.webhook_secret.trim();
        if secret.len() != input.webhook_secret.len() {
            notes.push("White space around the secret was removed.".to_owned());
        }
        if secret.len() < MIN_SECRET || secret.len() > MAX_SECRET {
            let message = format!(
                "the secret has {} bytes, and {MIN_SECRET} to {MAX_SECRET} are taken",
                secret.len()
            );
            let failure = Failure::new(codes::TASK_SECRET, Meaning::NotSent, message).hint(
                "Copy it whole from the provider, or make a long random one and give it to the provider.",
            );
            return Err(AppError::usage(failure));
        }
        match &task.trigger.webhook {
            Some(hook) if hook.verify.needs_task_secret() => {}
            Some(hook) => notes.push(format!(
                "The webhook of `{name}` has `verify: {}`, which does not use this secret.",
                hook.verify.as_str()
            )),
            None => notes.push(format!(
                "The task `{name}` has no webhook, so nothing uses this secret now."
            )),
        }
        noting
            .store
            .put_task_secret(name, ClientSecret::new(secret))
            .await?;
        Ok(notes)
    }

    /// The secret of a task's webhook.
    pub(crate) fn task_secret(&self, task: &Name) -> Result<ClientSecret, Failure> {
        self.store.task_secret(task)?.ok_or_else(|| {
            let message = format!("the task `{task}` has no secret, so its webhook can believe nobody");
            Failure::new(codes::TASK_SECRET, Meaning::NotSent, message)
                .hint(format!("Set it: `tailorbird task secret {task}`."))
        })
    }

    /// The client secret of a connection, with which X signs.
    pub(crate) fn client_secret(&self, connection: &Name) -> Result<ClientSecret, Failure> {
        let client = self.store.open_credentials(connection)?.client;
        client.map(|client| client.secret).ok_or_else(|| {
            let message = format!(
                "the connection `{connection}` has no client secret, so nothing can be verified by it"
            );
            Failure::new(codes::TASK_SECRET, Meaning::NotSent, message).hint(format!(
                "Set it: `tailorbird connection add {connection} --secrets FILE`."
            ))
        })
    }
}
