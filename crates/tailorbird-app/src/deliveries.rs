//! Deliveries: list, the whole story of one, and a person's decision.

use std::ops::ControlFlow;

use serde::{Deserialize as _, Serialize};
use tailorbird_connector::{MASK, Request};
use tailorbird_model::access::Right;
use tailorbird_model::delivery::{Delivery, DeliveryId, DeliveryState};
use tailorbird_model::run::RunId;
use tailorbird_model::{Name, Record};
use tailorbird_store as store;

use crate::actor::Act;
use crate::resolutions::{Mapping, check_mapping, in_store};
use crate::{App, AppError};

/// Which deliveries to list.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// Only in this state.
    pub state: Option<DeliveryState>,
    /// Only of this task.
    pub task: Option<Name>,
    /// Only of this step.
    pub step: Option<Name>,
    /// Only over this connection.
    pub connection: Option<Name>,
    /// Only those that this run touched last.
    pub run: Option<RunId>,
    /// Only those whose key holds this text; with `*` (any text) or `?` (any character), whose whole key fits.
    pub key: Option<String>,
    /// Only those that changed at this time or later.
    pub since: Option<jiff::Timestamp>,
    /// Only those whose failure has this code.
    pub code: Option<String>,
    /// Only those after this one.
    pub after: Option<DeliveryId>,
    /// At most so many; all where absent.
    pub limit: Option<usize>,
}

impl DeliveryFilter {
    /// What it says, in short.
    pub(crate) fn told(&self) -> String {
        let text = |value: Option<String>, name: &str| value.map(|value| format!("{name} {value}"));
        let parts = [
            text(self.state.map(|state| state.to_string()), "state"),
            text(self.task.as_ref().map(ToString::to_string), "task"),
            text(self.step.as_ref().map(ToString::to_string), "step"),
            text(self.connection.as_ref().map(ToString::to_string), "connection"),
            text(self.run.as_ref().map(ToString::to_string), "run"),
            text(self.key.clone(), "key"),
            text(self.since.map(|since| since.to_string()), "since"),
            text(self.code.clone(), "code"),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// As the store takes it, a page at a time.
    pub(crate) fn in_store(&self, page: u32) -> store::DeliveryFilter {
        let is_pattern = self.key.as_ref().is_some_and(|key| key.contains(['*', '?']));
        store::DeliveryFilter {
            states: self.state.into_iter().collect(),
            task: self.task.clone(),
            step: self.step.clone(),
            run: self.run.clone(),
            connection: self.connection.clone(),
            key_contains: self.key.clone().filter(|_| !is_pattern),
            key_pattern: self.key.clone().filter(|_| is_pattern),
            since: self.since,
            code: self.code.as_ref().map(|code| code.to_ascii_uppercase()),
            after: self.after,
            limit: page,
        }
    }
}

/// A person's decision.
#[derive(Debug, Clone)]
pub enum Resolution {
    /// It was sent; with the provider's answer where it is known.
    Sent(Option<Record>),
    /// Send it again.
    Again,
    /// Leave it out.
    Skip,
}

impl Resolution {
    /// The word used on the screen and in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Sent(_) => "sent",
            Self::Again => "again",
            Self::Skip => "skip",
        }
    }
}

/// A delivery with all that happened to it.
#[derive(Debug, Clone)]
pub struct DeliveryStory {
    /// The delivery as it stands; its request is whole, so it is not for showing.
    pub delivery: Delivery,
    /// The stored request as people may see it; null where none could be made.
    pub request: serde_json::Value,
    /// What happened, in order.
    pub lines: Vec<StoryLine>,
}

/// One line of a story.
#[derive(Debug, Clone, Serialize)]
pub struct StoryLine {
    /// When.
    pub at: jiff::Timestamp,
    /// What, in words.
    pub text: String,
}

impl App {
    /// Lists deliveries in the order in which they became known.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>, AppError> {
        let mut all = Vec::new();
        self.each_page_of_deliveries(filter, &mut |page| {
            all.extend(page);
            ControlFlow::Continue(())
        })?;
        Ok(all)
    }

    /// Goes through deliveries in the order in which they became known, a page at a time, so that millions of them take
    /// no more memory than a page.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn each_page_of_deliveries(
        &self,
        filter: &DeliveryFilter,
        take: &mut dyn FnMut(Vec<Delivery>) -> ControlFlow<()>,
    ) -> Result<(), AppError> {
        let mut left = filter.limit.unwrap_or(usize::MAX);
        let page = u32::try_from(left)
            .unwrap_or(u32::MAX)
            .min(store::MAX_DELIVERY_PAGE);
        let mut page_filter = filter.in_store(page);
        while left > 0 {
            let mut page = self.store.deliveries(&page_filter)?;
            page.truncate(left);
            let Some(last) = page.last() else { break };
            page_filter.after = Some(last.id);
            left -= page.len();
            if take(page).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Counts deliveries by state.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn count_deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<(DeliveryState, u64)>, AppError> {
        Ok(self.store.count_deliveries(&filter.in_store(0))?)
    }

    /// A delivery's whole story, by key or id.
    ///
    /// # Errors
    /// RUN-003 where there is none, or where several have that key.
    pub fn delivery_story(&self, key_or_id: &str) -> Result<DeliveryStory, AppError> {
        let delivery = self.store.find_delivery(key_or_id)?;
        let story = self.store.story(delivery.id)?;
        let mut lines = Vec::new();
        for attempt in &story.attempts {
            lines.push(StoryLine {
                at: attempt.intended_at,
                text: format!(
                    "attempt {}: intent stored, by run {}",
                    attempt.number, attempt.run
                ),
            });
            if let Some(at) = attempt.ended_at {
                let outcome = attempt.outcome.map_or_else(
                    || "ended".to_owned(),
                    |event| {
                        serde_json::to_value(event)
                            .ok()
                            .and_then(|v| v.as_str().map(str::to_owned))
                            .unwrap_or_default()
                    },
                );
                let status = attempt
                    .status
                    .map(|status| format!(", HTTP {status}"))
                    .unwrap_or_default();
                let why = attempt
                    .failure
                    .as_ref()
                    .map(|failure| format!(": {failure}"))
                    .unwrap_or_default();
                lines.push(StoryLine {
                    at,
                    text: format!(
                        "attempt {}: {}{status}{why}",
                        attempt.number,
                        outcome.replace('_', " ")
                    ),
                });
            }
        }
        for look in &story.look_ups {
            let id = look
                .result_id
                .as_ref()
                .map(|id| format!(", id {id}"))
                .unwrap_or_default();
            lines.push(StoryLine {
                at: look.at,
                text: format!(
                    "looked up at the provider: {} hit(s), {}{id} ({})",
                    look.hits,
                    look.decision.replace('_', " "),
                    look.detail
                ),
            });
        }
        for decision in &story.decisions {
            lines.push(StoryLine {
                at: decision.at,
                text: format!(
                    "{} decided: {} (it was {})",
                    decision.who, decision.decision, decision.from
                ),
            });
        }
        lines.sort_by_key(|line| line.at);
        Ok(DeliveryStory {
            request: shown_request(&story.delivery.request),
            delivery: story.delivery,
            lines,
        })
    }

    /// Carries out a person's decision.
    ///
    /// # Errors
    /// RUN-003 where there is no such delivery, RUN-004 where its state does not allow the decision, and where the
    /// newest mapping makes no request of it.
    pub async fn resolve_delivery(
        &self,
        key_or_id: &str,
        resolution: Resolution,
        mapping: Mapping,
    ) -> Result<Delivery, AppError> {
        check_mapping(&resolution, mapping)?;
        self.actor().need(Right::Operate)?;
        let delivery = self.store.find_delivery(key_or_id)?;
        let object = format!("#{} {}", delivery.id, delivery.identity.key);
        let noting = self.noting(Act::DELIVERY_DECIDED, object, resolution.as_str())?;
        let who = self.actor().told();
        if mapping == Mapping::Stored {
            return Ok(noting
                .store
                .resolve(delivery.id, in_store(&resolution), who)
                .await?);
        }
        let (request, fingerprint) = self.render_one(&delivery)?;
        let refused = noting
            .store
            .send_anew(vec![(delivery.id, request, fingerprint)], who)
            .await?;
        if !refused.is_empty() {
            return Err(store::StoreError::Transition { refused }.into());
        }
        Ok(self.store.find_delivery(&format!("#{}", delivery.id))?)
    }
}

/// A stored request with secrets masked. Nothing is added to it before it is signed, but a service file may
/// have put a token into a header or an address. What cannot be read cannot be masked by name, so it is
/// masked whole.
pub(crate) fn shown_request(stored: &serde_json::Value) -> serde_json::Value {
    if stored.is_null() {
        return serde_json::Value::Null;
    }
    Request::deserialize(stored)
        .ok()
        .and_then(|request| serde_json::to_value(request.masked()).ok())
        .unwrap_or_else(|| MASK.into())
}

#[cfg(test)]
mod tests;
