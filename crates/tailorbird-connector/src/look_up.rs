//! Looks a past effect up at the provider (never-twice rule 10).
//!
//! It finds candidates; what they mean (none twice, one, several, an id that the ledger holds already) is
//! decided by whoever keeps the ledger. It never claims more than it saw: [`Found::complete`] tells whether
//! the whole span of time was looked through.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tailorbird_model::ports::{BudgetReport, Credentials};
use tailorbird_model::service::{InDoubtPolicy, LookUp, Operation};
use tailorbird_model::text::same_text;
use tailorbird_model::{Failure, Meaning, Record, Value, codes};

use crate::build::sent_text;
use crate::clock::{NOTABLE_SKEW_SECONDS, shifted};
use crate::connector::Connector;
use crate::pack::items;
use crate::pages::Pages;
use crate::request::Request;
use crate::resolve::Resolved;

/// How far before the attempt an effect may be dated: the clocks' difference and the provider's rounding.
pub const BEFORE_ATTEMPT: SignedDuration = SignedDuration::from_mins(5);

/// How far after now an effect may be dated, for whole seconds and small differences of clocks.
const AFTER_NOW: SignedDuration = SignedDuration::from_mins(1);

/// The most candidates that are kept; one more than one is already too many to choose from.
const MAX_CANDIDATES: usize = 100;

/// What a look-up found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The records that match what was sent, within the span of time, newest first where the provider
    /// lists them so.
    pub candidates: Vec<Record>,
    /// Whether everything in the span was looked through. Where not, "nothing found" proves nothing.
    pub complete: bool,
    /// How many pages were read.
    pub pages: u32,
    /// How many records were compared.
    pub compared: usize,
    /// What the last answer said about limits.
    pub reports: Vec<BudgetReport>,
}

/// The look-up of an operation, if that is its policy.
pub fn look_up_of(operation: &Operation) -> Option<LookUp> {
    match operation.doubt_policy() {
        InDoubtPolicy::LookUp(look_up) => Some(look_up),
        InDoubtPolicy::Repeat | InDoubtPolicy::Ask => None,
    }
}

impl Connector {
    /// Looks for the effect of a request that was sent at `attempted_at` (by our clock).
    ///
    /// # Errors
    /// SVC-003 where the operation has no look-up; those of [`Connector::next_page`].
    pub async fn look_up(
        &self,
        resolved: &Resolved,
        credentials: &Credentials,
        request: &Request,
        attempted_at: Timestamp,
    ) -> Result<Found, Failure> {
        let name = request.operation.as_deref().unwrap_or_default();
        let operation = resolved.operation(name)?;
        let look_up = look_up_of(operation).ok_or_else(|| no_look_up(name))?;
        let wanted = wanted(request, operation, &look_up)?;
        let from = attempted_at.checked_sub(BEFORE_ATTEMPT).unwrap_or(Timestamp::MIN);
        let mut found = Found {
            candidates: Vec::new(),
            complete: false,
            pages: 0,
            compared: 0,
            reports: Vec::new(),
        };
        let mut pages = Pages::new(
            resolved,
            look_up.operation.as_str(),
            &BTreeMap::new(),
            Some(look_up.pages),
            None,
        )?;
        loop {
            let Some((page, answer)) = self.next_page(resolved, credentials, &mut pages).await? else {
                return Ok(found);
            };
            found.pages = page.number;
            found.reports.clone_from(&answer.reports);
            let until = self.clock.now().checked_add(AFTER_NOW).unwrap_or(Timestamp::MAX);
            let skew = answer
                .skew_seconds
                .filter(|skew| skew.abs() >= NOTABLE_SKEW_SECONDS)
                .unwrap_or_default();
            let mut oldest: Option<Timestamp> = None;
            for record in page.records {
                found.compared += 1;
                let created = look_up
                    .created_at
                    .as_ref()
                    .and_then(|column| time_of(&record, column))
                    .map(|at| shifted(at, -skew));
                oldest = match (oldest, created) {
                    (Some(before), Some(at)) => Some(before.min(at)),
                    (before, at) => before.or(at),
                };
                let in_span = created.is_none_or(|at| at >= from && at <= until);
                if in_span && matches(&record, &wanted, &look_up) && found.candidates.len() < MAX_CANDIDATES {
                    found.candidates.push(record);
                }
            }
            // Lists come newest first: once a page reaches below the span, nothing in it is left unseen.
            let past_the_span = oldest.is_some_and(|at| at < from);
            if past_the_span || page.next.is_none() {
                found.complete = true;
                return Ok(found);
            }
        }
    }
}

/// Result column and the text that it must hold.
fn wanted(
    request: &Request,
    operation: &Operation,
    look_up: &LookUp,
) -> Result<Vec<(String, String)>, Failure> {
    let name = request.operation.as_deref().unwrap_or_default();
    let in_item = |pointer: &str| {
        let items = items(operation, request)?;
        let value = items.first()?.pointer(pointer)?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let in_body = |field: &str| sent_text(request, operation.body.as_ref()?, field);
    let pairs: Vec<(String, String)> = look_up
        .matching
        .iter()
        .filter_map(|(field, column)| {
            let text = if field.starts_with('/') {
                in_item(field)
            } else {
                in_body(field)
            };
            Some((column.clone(), text?))
        })
        .collect();
    if pairs.len() < look_up.matching.len() || pairs.is_empty() {
        return Err(Failure::new(
            codes::IN_DOUBT,
            Meaning::InDoubt,
            format!("effect of {name} cannot be looked up: the request lacks what it is found by"),
        )
        .hint("Look at the provider yourself, then decide: `tailorbird delivery resolve`."));
    }
    Ok(pairs)
}

fn no_look_up(name: &str) -> Failure {
    Failure::new(
        codes::IN_DOUBT,
        Meaning::InDoubt,
        format!("operation {name:?} names no way to look its effect up"),
    )
    .hint("Look at the provider yourself, then decide: `tailorbird delivery resolve`.")
}

fn time_of(record: &Record, column: &str) -> Option<Timestamp> {
    match record.get(column)? {
        Value::Timestamp(at) => Some(*at),
        Value::Text(text) => text.parse().ok().or_else(|| classic_date(text)),
        _ => None,
    }
}

/// X's v1.1 writes `Wed Oct 10 20:19:24 +0000 2018`.
fn classic_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::strtime::parse("%a %b %d %H:%M:%S %z %Y", text)
        .ok()?
        .to_timestamp()
        .ok()
}

fn matches(record: &Record, wanted: &[(String, String)], look_up: &LookUp) -> bool {
    let links = look_up
        .links
        .as_ref()
        .map(|column| links_of(record, column))
        .unwrap_or_default();
    let pairs: Vec<(&str, &str)> = links
        .iter()
        .map(|(short, long)| (short.as_str(), long.as_str()))
        .collect();
    wanted.iter().all(|(column, sent)| {
        record
            .get(column)
            .is_some_and(|seen| same_text(sent, &seen.to_string(), &pairs))
    })
}

/// Short links with what they stand for: a list of `{url, expanded_url}`.
fn links_of(record: &Record, column: &str) -> Vec<(String, String)> {
    let Some(Value::Json(serde_json::Value::Array(items))) = record.get(column) else {
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| {
            Some((
                item.get("url")?.as_str()?.to_owned(),
                item.get("expanded_url")?.as_str()?.to_owned(),
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::classic_date;

    #[test]
    fn the_classic_date_is_read() {
        assert_eq!(
            classic_date("Wed Oct 10 20:19:24 +0000 2018"),
            "2018-10-10T20:19:24Z".parse().ok()
        );
    }
}
