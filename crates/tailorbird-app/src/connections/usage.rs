//! What a connection may use, and what it used: limits, the provider's reports, money.

use jiff::Timestamp;
use serde_json::json;
use tailorbird_connector::Resolved;
use tailorbird_model::Name;
use tailorbird_model::connection::Connection;
use tailorbird_model::money::{Amount, Period, SpendingCap};
use tailorbird_model::ports::Credentials;
use tailorbird_model::service::{Cost, Span};
use tailorbird_store::{BudgetEntry, CallLimit, LimitUse, Store, StoreError};

/// What a connection may use, and what it used.
#[derive(Debug, Clone)]
pub struct Usage {
    /// How many requests may be under way at once.
    pub concurrency: usize,
    /// Other connections that hold the same credential: their calls count together.
    pub counts_with: Vec<Name>,
    /// Limits of the service file, with what is used of them. Empty where the connection leads elsewhere.
    pub limits: Vec<LimitUse>,
    /// What the provider's answers last said.
    pub reported: Vec<BudgetEntry>,
    /// What calls cost, by operation.
    pub costs: Vec<(String, Cost)>,
    /// The cap.
    pub cap: Option<SpendingCap>,
    /// Spent today (UTC).
    pub today: Amount,
    /// Spent this month (UTC).
    pub this_month: Amount,
}

impl Usage {
    pub(super) fn of(
        store: &Store,
        resolved: &Resolved,
        credentials: &Credentials,
        connection: &Connection,
    ) -> Result<Self, StoreError> {
        let mut counts_with = Vec::new();
        for other in store.connections()? {
            let other = other.value.connection;
            // One whose secrets cannot be opened calls nothing.
            let is_same = |opened: Credentials| opened.budget == credentials.budget;
            if other != connection.connection && store.open_credentials(&other).is_ok_and(is_same) {
                counts_with.push(other);
            }
        }
        let mut limits: Vec<CallLimit> = Vec::new();
        for operation in resolved.service.operations.keys() {
            for limit in tailorbird_engine::limits_of(resolved, credentials, operation.as_str()) {
                if !limits.contains(&limit) {
                    limits.push(limit);
                }
            }
        }
        let costs = resolved.service.operations.iter();
        let name = &connection.connection;
        Ok(Self {
            concurrency: connection.concurrency(),
            counts_with,
            limits: store.limit_uses(&limits)?,
            reported: store.budget(&credentials.budget)?,
            costs: costs
                .filter_map(|(name, operation)| Some((name.to_string(), operation.cost.clone()?)))
                .collect(),
            cap: connection.spending_cap(),
            today: store.spent(name, Period::Day)?,
            this_month: store.spent(name, Period::Month)?,
        })
    }

    /// The form for programs.
    pub fn to_json(&self) -> serde_json::Value {
        let limits = self.limits.iter().map(|entry| {
            json!({"operation": entry.limit.operation, "calls": entry.limit.calls, "used": entry.used,
                   "counts": counted(entry),
                   "window": Span::from_seconds(entry.limit.seconds).to_string(), "until": entry.until})
        });
        let reported = self.reported.iter().map(|entry| {
            json!({"operation": entry.operation, "family": entry.report.family, "limit": entry.report.limit,
                   "remaining": entry.report.remaining, "reset_at": entry.report.reset_at,
                   "shared": entry.report.shared, "updated_at": entry.updated_at})
        });
        let costs = self.costs.iter().map(|(operation, cost)| {
            json!({"operation": operation, "per_call": cost.per_call, "with_link": cost.with_link,
                   "per_item": cost.per_item, "currency": cost.currency})
        });
        json!({
            "concurrency": self.concurrency,
            "counts_with": self.counts_with,
            "limits": limits.collect::<Vec<_>>(),
            "reported": reported.collect::<Vec<_>>(),
            "costs": costs.collect::<Vec<_>>(),
            "spending": {"cap": self.cap.map(|cap| cap.to_string()), "today": self.today,
                         "this_month": self.this_month},
        })
    }

    /// What a person should see: what is used, what is short, what it costs.
    pub fn lines(&self, now: Timestamp) -> Vec<String> {
        let mut lines = vec![format!("at most {} requests at once", self.concurrency)];
        if !self.counts_with.is_empty() {
            let others: Vec<&str> = self.counts_with.iter().map(Name::as_str).collect();
            lines.push(format!(
                "one credential with {}: its limits count together",
                others.join(", ")
            ));
        }
        for entry in self.limits.iter().filter(|entry| entry.used > 0) {
            let until = entry
                .until
                .map_or_else(String::new, |until| format!(", anew at {until}"));
            let window = Span::from_seconds(entry.limit.seconds);
            lines.push(format!(
                "{}: {} of {} {} in {window}{until}",
                entry.limit.operation,
                entry.used,
                entry.limit.calls,
                counted(entry)
            ));
        }
        for entry in &self.reported {
            if let (Some(left), Some(reset)) = (entry.report.remaining, entry.report.reset_at)
                && reset > now
            {
                lines.push(format!(
                    "{}: {left} left by {}, anew at {reset}",
                    entry.operation, entry.report.family
                ));
            }
        }
        for (operation, cost) in &self.costs {
            let link = cost
                .with_link
                .map_or_else(String::new, |link| format!(", {link} with a link"));
            let item = cost
                .per_item
                .map_or_else(String::new, |item| format!(", {item} more for each item"));
            lines.push(format!(
                "{operation} costs {} {}{link}{item}",
                cost.per_call, cost.currency
            ));
        }
        if self.cap.is_some() || self.this_month > Amount::default() {
            let cap = self
                .cap
                .map_or_else(|| "no cap".to_owned(), |cap| format!("cap {cap}"));
            lines.push(format!(
                "spent {} today, {} this month (UTC), {cap}",
                self.today, self.this_month
            ));
        }
        lines
    }
}

/// What a limit counts, in the word of service files.
fn counted(entry: &LimitUse) -> &'static str {
    if entry.limit.counts_items {
        "items"
    } else {
        "calls"
    }
}
