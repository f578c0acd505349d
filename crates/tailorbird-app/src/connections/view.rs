//! A connection as people see it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;
use tailorbird_connector::{Missing, Resolved};
use tailorbird_model::Name;
use tailorbird_model::account::Account;
use tailorbird_model::connection::Connection;

/// A connection as people see it; it holds no secret.
#[derive(Debug, Clone)]
pub struct ConnectionView {
    /// The name.
    pub connection: Name,
    /// The service.
    pub service: Name,
    /// The service's title.
    pub service_title: String,
    /// The root URL in force.
    pub root_url: Option<String>,
    /// What the connection itself sets.
    pub settings: BTreeMap<String, String>,
    /// Whose credentials it holds.
    pub account: Option<Account>,
    /// The access level, in the provider's word.
    pub level: Option<String>,
    /// The access level, in words for people.
    pub level_words: Option<String>,
    /// When the token was obtained.
    pub authorized_at: Option<Timestamp>,
    /// What it still lacks, in the provider's words.
    pub missing: Vec<String>,
    /// The settings and secrets that are missing, by their names.
    pub missing_fields: Vec<&'static str>,
    /// What to do next, where something is missing.
    pub next_step: Option<String>,
    /// A digest of what people set, by which a change in between is noticed.
    pub revision: String,
}

impl ConnectionView {
    pub(super) fn new(resolved: &Resolved, connection: &Connection, missing: &[Missing]) -> Self {
        Self {
            connection: connection.connection.clone(),
            service: connection.service.clone(),
            service_title: resolved.service.title.clone(),
            root_url: resolved
                .root_url
                .as_ref()
                .map(|url| url.as_str().trim_end_matches('/').to_owned()),
            settings: connection.settings.clone(),
            account: connection.account.clone(),
            level: connection.level.clone(),
            level_words: level_words(resolved, connection.level.as_deref()),
            authorized_at: connection.authorized_at,
            missing: missing.iter().map(|part| part.label.clone()).collect(),
            missing_fields: missing.iter().map(|part| part.field).collect(),
            revision: super::change::revision_of(connection),
            next_step: missing.first().map(|part| part.hint.clone()),
        }
    }

    /// Complete, or incomplete.
    pub fn state(&self) -> &'static str {
        if self.missing.is_empty() {
            "complete"
        } else {
            "incomplete"
        }
    }

    /// The form for programs.
    pub fn to_json(&self) -> serde_json::Value {
        json!({
            "connection": self.connection,
            "service": self.service,
            "state": self.state(),
            "missing": self.missing,
            "root_url": self.root_url,
            "settings": self.settings,
            "account": self.account,
            "level": self.level,
            "authorized_at": self.authorized_at,
        })
    }
}

/// The service's words for a level.
pub(crate) fn level_words(resolved: &Resolved, level: Option<&str>) -> Option<String> {
    let level = level?;
    resolved
        .service
        .level
        .as_ref()
        .and_then(|report| report.names.get(level))
        .cloned()
}
