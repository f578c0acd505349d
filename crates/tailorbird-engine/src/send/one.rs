//! Sends one delivery between its intent and its outcome (never-twice rules 6, 9, 13).

use tailorbird_connector::{Answer, Request, Resolved, judge, record, relocated};
use tailorbird_model::delivery::Event;
use tailorbird_model::money::Amount;
use tailorbird_model::ports::Budget as _;
use tailorbird_model::{Failure, Meaning, codes, fault};
use tailorbird_store::{DueRequest, Held, Intended, Outcome};
use tracing::Instrument as _;

use super::pool::Shared;
use crate::charge::{cost_of, items_of};
use crate::spans;

/// How the sending of one delivery ended, as far as the run must know.
#[derive(Debug, Clone)]
pub(crate) enum Sent {
    /// It has an outcome of its own; the run goes on.
    Done,
    /// It was part of a batch that took nothing, and is sent again at once.
    Again,
    /// The connection is at fault: nothing else can go through.
    Fault(Failure),
    /// A limit or the spending cap is used up: nothing was begun.
    Held(Held),
    /// The provider was not reached.
    Unreached(Failure),
    /// The provider wants to be asked later.
    Later(Failure),
    /// The outcome could not be stored: nothing else may leave.
    Unstored(Failure),
}

impl Sent {
    /// Which trouble ends the sending where several occur.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Done | Self::Again => 0,
            Self::Held(_) => 1,
            Self::Later(_) => 2,
            Self::Unreached(_) => 3,
            Self::Fault(_) => 4,
            Self::Unstored(_) => 5,
        }
    }
}

/// A delivery that is due, its request read.
pub(super) struct Ready {
    pub(super) due: DueRequest,
    pub(super) request: Request,
    /// What the request costs, whatever it holds.
    pub(super) per_call: Amount,
    /// How many items of a list it holds; one where it takes no list.
    pub(super) items: u32,
}

impl Ready {
    /// A delivery with its request.
    pub(super) fn of(shared: &Shared, due: DueRequest, request: Request) -> Self {
        let operation = shared.route.resolved.operation(&shared.operation).ok();
        let items = operation.map_or(1, |operation| items_of(operation, &request));
        Self {
            per_call: cost_of(shared.cost.as_ref(), &request),
            items,
            due,
            request,
        }
    }

    /// What it costs by itself.
    pub(super) fn cost(&self, shared: &Shared) -> Amount {
        let per_item = shared.cost.as_ref().and_then(|cost| cost.per_item);
        self.per_call
            .plus(per_item.unwrap_or_default().times(self.items.into()))
    }

    /// Reads the stored request.
    ///
    /// # Errors
    /// Why there is none; the delivery is refused for that.
    pub(super) fn read(shared: &Shared, due: DueRequest) -> Result<Self, Outcome> {
        let parsed: Result<Option<Request>, _> = serde_json::from_str(&due.request);
        let failure = match parsed {
            Ok(Some(request)) => {
                let request = relocated(&shared.route.resolved, request);
                return Ok(Self::of(shared, due, request));
            }
            Ok(None) => {
                // It was refused before sending, made pending again, and its row did not come again to be mapped
                // anew.
                let store = &shared.engine.store;
                let earlier = store
                    .delivery(due.id)
                    .ok()
                    .flatten()
                    .and_then(|delivery| delivery.failure);
                earlier
                    .unwrap_or_else(|| {
                        let what = "the record could not be made into a request";
                        Failure::new(codes::EXPRESSION, Meaning::Rejected, what)
                    })
                    .detail("There is no request to send: the record was refused before one could be made.")
                    .hint("Mend the row or the mapping and let the statement select the row again; a changed record is tried again by itself.")
            }
            Err(error) => {
                let message = format!("a stored request cannot be read back: {error}");
                Failure::new(codes::INTERNAL, Meaning::Rejected, message)
            }
        };
        let intended = Intended {
            id: due.id,
            attempt: due.attempts,
        };
        Err(Outcome::failed(intended, Event::Refused, failure))
    }
}

/// Sends a delivery whose intent is durable. None where another decision came between: then it is not ours to
/// send any more.
pub(super) async fn send(shared: &Shared, ready: &Ready, intended: Intended) -> Option<(Outcome, Sent)> {
    let span = spans::delivery(
        &shared.span,
        &ready.due.connection,
        ready.due.operation.as_str(),
        intended,
    );
    let attempted = attempt(shared, ready, intended).instrument(span.clone()).await;
    spans::attempted(&span, attempted.as_ref());
    attempted
}

async fn attempt(shared: &Shared, ready: &Ready, intended: Intended) -> Option<(Outcome, Sent)> {
    let (store, route) = (&shared.engine.store, &shared.route);
    match store.may_send(intended, &shared.sending.epoch) {
        Ok(true) => {}
        Ok(false) => return None,
        Err(error) => {
            let failure = Failure::from(error);
            let outcome = Outcome::failed(intended, Event::NotSent, failure.clone());
            return Some((outcome, Sent::Unstored(failure)));
        }
    }
    fault::reach("request.due");
    let sent = shared
        .engine
        .connector
        .send(&route.resolved, &route.credentials, &ready.request)
        .await;
    fault::reach("request.answered");
    let judged = sent.and_then(|answer| {
        let judged = judge(&route.resolved, &ready.request, &answer);
        let retry_at = judged.as_ref().err().and_then(|failure| failure.retry_at);
        let operation = ready.due.operation.as_str();
        store.report(route.budget(), operation, &answer.reports, retry_at);
        judged.map(|()| answer)
    });
    Some(match judged {
        Ok(answer) => {
            let mut outcome = accepted(&route.resolved, intended, &ready.request, &answer);
            outcome.settled = shared.settles && outcome.result.is_some();
            (outcome, Sent::Done)
        }
        Err(failure) => {
            let was_in_doubt = was_in_doubt(shared, intended, &failure);
            outcome_of(intended, failure, was_in_doubt)
        }
    })
}

/// After a doubt a duplicate may be our own. Where the ledger cannot be asked, that is assumed.
pub(super) fn was_in_doubt(shared: &Shared, intended: Intended, failure: &Failure) -> bool {
    failure.meaning == Meaning::Duplicate
        && intended.attempt > 1
        && shared.engine.store.story(intended.id).map_or(true, |story| {
            story
                .attempts
                .iter()
                .any(|attempt| attempt.outcome == Some(Event::Lost))
        })
}

/// 2xx: delivered. Where the body cannot be read, the outcome is stored without delay all the same; the id is
/// looked up afterwards, one delivery at a time, so that two with the same text do not take one id (rules 9, 10).
fn accepted(resolved: &Resolved, intended: Intended, request: &Request, answer: &Answer) -> Outcome {
    let (result, failure) = match record(resolved, request, answer) {
        Ok(result) => (Some(result), None),
        Err(unreadable) => (None, Some(unreadable)),
    };
    Outcome {
        result,
        failure,
        status: Some(answer.status),
        ..Outcome::new(intended, Event::Accepted)
    }
}

/// What a failure means for the delivery and for the run (rule 9).
pub(crate) fn outcome_of(intended: Intended, failure: Failure, was_in_doubt: bool) -> (Outcome, Sent) {
    let outcome = |event: Event| Outcome::failed(intended, event, failure.clone());
    match failure.meaning {
        Meaning::Rejected => (outcome(Event::Refused), Sent::Done),
        // The duplicate may be the effect of the attempt that was in doubt: look it up (rule 10).
        Meaning::Duplicate if was_in_doubt => (outcome(Event::Lost), Sent::Done),
        Meaning::Duplicate => (outcome(Event::Refused), Sent::Done),
        Meaning::ConnectionFault => (outcome(Event::NotSent), Sent::Fault(failure)),
        Meaning::RetryLater => {
            let later = Outcome {
                not_before: failure.retry_at,
                ..outcome(Event::NotSent)
            };
            (later, Sent::Later(failure))
        }
        Meaning::NotSent => (outcome(Event::NotSent), Sent::Unreached(failure)),
        Meaning::InDoubt => (outcome(Event::Lost), Sent::Done),
        // A meaning that a newer connector knows and we do not: claim nothing.
        _ => (outcome(Event::Lost), Sent::Done),
    }
}
