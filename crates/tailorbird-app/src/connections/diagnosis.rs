//! Why a provider refuses: the use-case of `connection diagnose`, also for one refused delivery.

use serde::Serialize;
use tailorbird_connector as connector;
use tailorbird_connector::Shown;
use tailorbird_model::{Failure, Name};

use crate::{App, AppError};

/// What `connection diagnose` found.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnosis {
    /// Whether the connection works as it is.
    pub works: bool,
    /// The causes, the surest first.
    pub findings: Vec<Finding>,
    /// What was tried, in order.
    pub tried: Vec<String>,
    /// The request that was refused meanwhile, for a screen.
    #[serde(skip)]
    pub refused: Option<RefusedCall>,
}

/// A request that the provider refused.
#[derive(Debug, Clone)]
pub struct RefusedCall {
    /// The request as it was sent, secrets masked, with its signature step by step.
    pub shown: Shown,
    /// What the refusal means, with the provider's words.
    pub failure: Failure,
}

/// One finding of `connection diagnose`.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The code of the page that explains it.
    pub code: &'static str,
    /// The cause, in one sentence.
    pub cause: String,
    /// How it is known.
    pub proof: String,
    /// What to do next.
    pub next_step: String,
    /// Whether it is proven.
    pub certain: bool,
}

impl App {
    /// Names the cause where the provider refuses, by safe requests only.
    ///
    /// # Errors
    /// CONN-001 where there is no such connection.
    pub async fn diagnose_connection(&self, name: &Name) -> Result<Diagnosis, AppError> {
        self.diagnose(name, None, None).await
    }

    /// Names the cause of one refused delivery, by safe requests only.
    ///
    /// # Errors
    /// Where there is no such delivery; CONN-001 where its connection is gone.
    pub async fn diagnose_delivery(&self, key_or_id: &str) -> Result<Diagnosis, AppError> {
        let delivery = self.delivery_story(key_or_id)?.delivery;
        let operation = Some(delivery.operation.as_str());
        self.diagnose(&delivery.connection, delivery.failure.as_ref(), operation)
            .await
    }

    async fn diagnose(
        &self,
        name: &Name,
        refusal: Option<&Failure>,
        operation: Option<&str>,
    ) -> Result<Diagnosis, AppError> {
        let (resolved, credentials, connection) = self.resolved(name)?;
        let needs_level = operation
            .and_then(|operation| resolved.operation(operation).ok())
            .and_then(|operation| operation.needs_level.as_deref());
        let pending = self.store.pending_authorization(name)?;
        let known = connector::Known {
            refusal,
            temporary_secret: pending.as_ref().map(|pending| &pending.temporary.secret),
            needs_level,
            last_level: connection.level.as_deref(),
            authorized_at: connection.authorized_at,
        };
        let diagnosed = self.connector.diagnose(&resolved, &credentials, &known).await;
        let finding = |finding: connector::Finding| Finding {
            code: finding.code,
            cause: finding.cause,
            proof: finding.proof,
            next_step: finding.next_step,
            certain: finding.certain,
        };
        Ok(Diagnosis {
            works: diagnosed.works,
            findings: diagnosed.findings.into_iter().map(finding).collect(),
            tried: diagnosed.tried,
            refused: diagnosed.refused.map(|refused| RefusedCall {
                shown: refused.shown,
                failure: refused.failure,
            }),
        })
    }
}
