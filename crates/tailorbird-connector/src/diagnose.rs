//! Why was it refused? "401 Unauthorized" has a dozen causes and providers name none of them.
//!
//! The search asks the provider safe questions only (who am I; may I start an authorization) with the
//! credentials as they are and with each usual mistake undone. A variant that is accepted is proof of its
//! mistake. Findings come in the order of their certainty.

mod checks;
mod client;
mod token;

use jiff::Timestamp;
use tailorbird_model::Failure;
use tailorbird_model::ports::Credentials;
use tailorbird_oauth::TokenSecret;

use crate::connector::Connector;
use crate::resolve::{Resolved, missing};
use crate::shown::Shown;

/// One cause, with its proof and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The code of the page that explains it.
    pub code: &'static str,
    /// The cause, in a whole sentence.
    pub cause: String,
    /// How it is known, in whole sentences. No secret is in it.
    pub proof: String,
    /// What to do next, in whole sentences.
    pub next_step: String,
    /// Whether it is proven; otherwise it is likely or worth a look.
    pub certain: bool,
}

/// What a diagnosis found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnosed {
    /// Whether the connection works as it is.
    pub works: bool,
    /// The causes, the surest first. Empty where it works and nothing is odd.
    pub findings: Vec<Finding>,
    /// What was tried, in whole sentences, in order.
    pub tried: Vec<String>,
    /// The first request that was refused as the connection is.
    pub refused: Option<Refused>,
}

/// The request that the provider refused while it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The request as it was sent, with its signature step by step.
    pub shown: Shown,
    /// What the refusal means, with the provider's words.
    pub failure: Failure,
}

/// What is known besides the connection itself.
#[derive(Debug, Clone, Default)]
pub struct Known<'a> {
    /// The refusal that is to be explained.
    pub refusal: Option<&'a Failure>,
    /// The secret of the temporary credentials of the last authorization, if it was kept.
    pub temporary_secret: Option<&'a TokenSecret>,
    /// The level that the refused operation needs.
    pub needs_level: Option<&'a str>,
    /// The level that the provider last reported.
    pub last_level: Option<&'a str>,
    /// When the token was obtained.
    pub authorized_at: Option<Timestamp>,
}

impl Connector {
    /// Looks for the cause of a refusal. Only reading requests and requests for temporary credentials are
    /// sent; nothing is changed at the provider.
    pub async fn diagnose(
        &self,
        resolved: &Resolved,
        credentials: &Credentials,
        known: &Known<'_>,
    ) -> Diagnosed {
        let mut diagnosed = Diagnosed::default();
        let lacks = missing(resolved, credentials);
        if !lacks.is_empty() {
            diagnosed.findings.push(checks::incomplete(resolved, &lacks));
            if lacks.iter().any(|lack| lack.field != "token") {
                return diagnosed;
            }
        }
        checks::look_at_addresses(resolved, &mut diagnosed);
        checks::look_at_credentials(resolved, credentials, &mut diagnosed);
        checks::ask_provider(self, resolved, credentials, known, &mut diagnosed).await;
        checks::look_at_refusal(resolved, known, &mut diagnosed);
        diagnosed.findings.sort_by_key(|finding| !finding.certain);
        diagnosed.findings.dedup_by(|one, other| one.cause == other.cause);
        diagnosed
    }
}
