//! A person's decision on many deliveries at once, with a preview, and by the newest mapping (never-twice rule
//! 12).

use serde::Serialize;
use tailorbird_model::delivery::{Delivery, DeliveryId, DeliveryState, Event, next_state};
use tailorbird_model::task::Task;
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_store as store;

use crate::actor::Act;
use crate::deliveries::shown_request;
use crate::{App, AppError, DeliveryFilter, Resolution, Stop, tasks};

/// Deliveries that are decided in one commit.
const PAGE: u32 = 500;

/// How many a preview shows, and how many that were left a report names.
const MAX_SHOWN: usize = 5;
const MAX_LEFT: usize = 100;

/// By which version of the task a record is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mapping {
    /// The request as it was stored.
    #[default]
    Stored,
    /// The stored input, rendered by the newest version.
    New,
}

/// What a decision on many would do.
#[derive(Debug, Clone, Serialize)]
pub struct Preview {
    /// How many fit the filter.
    pub matched: u64,
    /// For how many of them the decision is possible.
    pub possible: u64,
    /// How many fit in each state.
    pub states: Vec<(DeliveryState, u64)>,
    /// The first ones.
    pub shown: Vec<Sample>,
}

/// One delivery of a preview.
#[derive(Debug, Clone, Serialize)]
pub struct Sample {
    /// Its number.
    pub id: DeliveryId,
    /// Its key.
    pub key: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Why, in short.
    pub failure: Option<String>,
    /// The request as it is stored; only where it would be rendered anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<serde_json::Value>,
    /// The request that would take its place, or why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_request: Option<serde_json::Value>,
}

/// What a decision on many did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Decided {
    /// How many were decided.
    pub resolved: u64,
    /// How many were left as they are.
    pub left: u64,
    /// The first 100 of those, with the reason.
    pub named: Vec<Left>,
}

/// One that was left as it is.
#[derive(Debug, Clone, Serialize)]
pub struct Left {
    /// Its number.
    pub id: DeliveryId,
    /// Its key.
    pub key: String,
    /// Why.
    pub why: String,
}

impl Decided {
    fn leave(&mut self, delivery: &Delivery, why: &dyn ToString) {
        self.left += 1;
        if self.named.len() < MAX_LEFT {
            self.named.push(Left {
                id: delivery.id,
                key: delivery.identity.key.to_string(),
                why: why.to_string(),
            });
        }
    }
}

impl App {
    /// What a decision on all that fit a filter would do. Nothing is changed.
    ///
    /// # Errors
    /// Where the store cannot be read, or the task of a new mapping cannot be used.
    pub fn preview_resolution(
        &self,
        filter: &DeliveryFilter,
        resolution: &Resolution,
        mapping: Mapping,
    ) -> Result<Preview, AppError> {
        check_mapping(resolution, mapping)?;
        let states = self.count_deliveries(filter)?;
        let can = |state: &DeliveryState| is_possible(*state, resolution, mapping);
        let matched = states.iter().map(|(_, count)| count).sum();
        let possible = states
            .iter()
            .filter(|(state, _)| can(state))
            .map(|(_, count)| count)
            .sum();
        let few = DeliveryFilter {
            limit: Some(MAX_SHOWN),
            ..filter.clone()
        };
        let mut shown = Vec::new();
        for delivery in self.deliveries(&few)? {
            let renders = mapping == Mapping::New && can(&delivery.state);
            let new_request = if renders {
                Some(self.render_one(&delivery))
            } else {
                None
            };
            shown.push(Sample {
                id: delivery.id,
                key: delivery.identity.key.to_string(),
                state: delivery.state,
                failure: delivery.failure.as_ref().map(ToString::to_string),
                request: renders.then(|| shown_request(&delivery.request)),
                new_request: new_request.map(|rendered| match rendered {
                    Ok((request, _)) => shown_request(&request),
                    Err(failure) => failure.to_string().into(),
                }),
            });
        }
        Ok(Preview {
            matched,
            possible,
            states,
            shown,
        })
    }

    /// Carries out a decision on all that fit a filter. Those whose state does not allow it (any more), or of
    /// which the newest mapping makes no request, are left as they are.
    ///
    /// # Errors
    /// Where the store refuses; what was decided until then stays decided.
    pub async fn resolve_all(
        &self,
        filter: &DeliveryFilter,
        resolution: &Resolution,
        mapping: Mapping,
        stop: &Stop,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<Decided, AppError> {
        let detail = format!("{}: {}", resolution.as_str(), filter.told());
        self.noting(Act::DELIVERIES_DECIDED, "deliveries", detail)?
            .resolve_pages(filter, resolution, mapping, stop, progress)
            .await
    }

    /// As [`App::resolve_all`], as a part of another change.
    pub(crate) async fn resolve_pages(
        &self,
        filter: &DeliveryFilter,
        resolution: &Resolution,
        mapping: Mapping,
        stop: &Stop,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<Decided, AppError> {
        check_mapping(resolution, mapping)?;
        let mut decided = Decided::default();
        let mut page_filter = filter.in_store(PAGE);
        while !stop.is_set() {
            let page = self.store.deliveries(&page_filter)?;
            let Some(last) = page.last() else { break };
            page_filter.after = Some(last.id);
            let mut able = Vec::with_capacity(page.len());
            for delivery in page {
                if is_possible(delivery.state, resolution, mapping) {
                    able.push(delivery);
                } else {
                    decided.leave(&delivery, &format!("it is {}", delivery.state));
                }
            }
            self.resolve_page(able, resolution, mapping, &mut decided).await?;
            progress(decided.resolved);
        }
        Ok(decided)
    }

    async fn resolve_page(
        &self,
        page: Vec<Delivery>,
        resolution: &Resolution,
        mapping: Mapping,
        decided: &mut Decided,
    ) -> Result<(), AppError> {
        let (refused, failed) = match mapping {
            Mapping::Stored => {
                let ids = page.iter().map(|delivery| delivery.id).collect();
                let refused = self
                    .store
                    .resolve_many(ids, in_store(resolution), self.actor().told())
                    .await?;
                (refused, Vec::new())
            }
            Mapping::New => {
                let (requests, failed) = self.render(&page);
                (self.store.send_anew(requests, self.actor().told()).await?, failed)
            }
        };
        for delivery in &page {
            let failure = failed.iter().find(|(id, _)| *id == delivery.id);
            let refusal = refused.iter().find(|refused| refused.id == delivery.id);
            match (failure, refusal) {
                (Some((_, failure)), _) => decided.leave(delivery, failure),
                (None, Some(refusal)) => decided.leave(delivery, refusal),
                (None, None) => decided.resolved += 1,
            }
        }
        Ok(())
    }

    /// Renders one delivery by the newest version of its task.
    pub(crate) fn render_one(&self, delivery: &Delivery) -> Result<(serde_json::Value, String), Failure> {
        let (mut requests, failed) = self.render(std::slice::from_ref(delivery));
        match (requests.pop(), failed.into_iter().next()) {
            (Some((_, request, fingerprint)), _) => Ok((request, fingerprint)),
            (None, Some((_, failure))) => Err(failure),
            (None, None) => Err(Failure::new(
                codes::INTERNAL,
                Meaning::NotSent,
                "a delivery was neither rendered nor refused",
            )),
        }
    }

    /// Renders deliveries by the newest versions of their tasks: requests with their fingerprints, and of which
    /// there is none, with the reason.
    fn render(&self, page: &[Delivery]) -> (Vec<Rendered>, Vec<(DeliveryId, Failure)>) {
        let engine = self.engine();
        let (mut requests, mut failed) = (Vec::new(), Vec::new());
        let mut names: Vec<_> = page.iter().map(|delivery| &delivery.identity.task).collect();
        names.sort();
        names.dedup();
        for name in names {
            let of_task = page.iter().filter(|delivery| delivery.identity.task == *name);
            let task: Result<Task, Failure> = self.stored_task(name).and_then(|stored| tasks::parse(&stored));
            let remap = task
                .as_ref()
                .map_err(Clone::clone)
                .and_then(|task| engine.remap(task));
            match remap {
                Err(failure) => failed.extend(of_task.map(|delivery| (delivery.id, failure.clone()))),
                Ok(mut remap) => {
                    for delivery in of_task {
                        let rendered = remap.render(delivery).and_then(|request| {
                            let fingerprint = request.fingerprint();
                            let request = serde_json::to_value(&request).map_err(|error| {
                                let message = format!("a request cannot be stored: {error}");
                                Failure::new(codes::INTERNAL, Meaning::NotSent, message)
                            })?;
                            Ok((delivery.id, request, fingerprint))
                        });
                        match rendered {
                            Ok(rendered) => requests.push(rendered),
                            Err(failure) => failed.push((delivery.id, failure)),
                        }
                    }
                }
            }
        }
        (requests, failed)
    }
}

/// A delivery's number, its new request, and the request's fingerprint.
type Rendered = (DeliveryId, serde_json::Value, String);

/// Whether a decision can be carried out in a state. A new mapping is only for what is known not to have been
/// sent.
fn is_possible(state: DeliveryState, resolution: &Resolution, mapping: Mapping) -> bool {
    if mapping == Mapping::New {
        return matches!(state, DeliveryState::Rejected | DeliveryState::Pending);
    }
    let event = match resolution {
        Resolution::Sent(_) => Event::ResolvedSent,
        Resolution::Again => Event::ResolvedAgain,
        Resolution::Skip => Event::ResolvedSkip,
    };
    next_state(state, event).is_some()
}

/// Only what is sent again can have another mapping.
pub(crate) fn check_mapping(resolution: &Resolution, mapping: Mapping) -> Result<(), AppError> {
    if mapping == Mapping::New && !matches!(resolution, Resolution::Again) {
        return Err(AppError::usage(
            Failure::new(codes::USAGE, Meaning::NotSent, "only `again` takes a new mapping")
                .hint("Use `--as again --mapping new`."),
        ));
    }
    Ok(())
}

/// A decision as the store takes it.
pub(crate) fn in_store(resolution: &Resolution) -> store::Resolution {
    match resolution {
        Resolution::Sent(result) => store::Resolution::Sent {
            result: result.clone(),
        },
        Resolution::Again => store::Resolution::Again,
        Resolution::Skip => store::Resolution::Skip,
    }
}
