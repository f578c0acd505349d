//! Trying an operation: the request as it is sent, the answer, the records in it, page by page.

use std::collections::BTreeMap;

use tailorbird_connector as connector;
use tailorbird_connector::{Answer, Pages, Request, Resolved, Showing, Shown};
use tailorbird_model::access::Right;
use tailorbird_model::ports::Credentials;
use tailorbird_model::{Name, Record, Value};

use super::{Call, CallAnswer, CallTarget, answered, build, told, unanswered};
use crate::actor::Act;
use crate::{App, AppError};

/// The most pages that one try reads.
pub const MAX_TRIED_PAGES: u32 = 5;

/// The most records that one try keeps.
pub const MAX_TRIED_RECORDS: usize = 200;

/// What trying a call came to.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The last request as it was sent, secrets masked, with its signature step by step.
    pub shown: Option<Shown>,
    /// The last answer.
    pub answer: CallAnswer,
    /// The records that the service file finds in the answers; none for a call by method and path.
    pub records: Vec<Record>,
    /// How many pages were read.
    pub pages: u32,
    /// Whether there are more pages, or more records, than were read.
    pub more: bool,
}

impl App {
    /// Whether a call may change something at the provider.
    ///
    /// # Errors
    /// CONN-001 and SVC-003 for a connection or operation that is not there.
    pub fn call_changes(&self, call: &Call) -> Result<bool, AppError> {
        let (resolved, ..) = self.resolved(&call.connection)?;
        Ok(match &call.target {
            CallTarget::Operation(operation) => !resolved.operation(operation.as_str())?.method.is_safe(),
            CallTarget::Raw(method, _) => !method.is_safe(),
        })
    }

    /// The request that would be sent, secrets masked, with its signature step by step; nothing is sent.
    ///
    /// # Errors
    /// Where the request cannot be built or signed.
    pub fn call_shown(&self, call: &Call) -> Result<Option<Shown>, AppError> {
        let (request, resolved, credentials) = self.prepared(call)?;
        let showing = Showing::Call(&request);
        Ok(self.connector.shown(&resolved, &credentials, showing, None)?)
    }

    /// Sends one call, and for a listing asks for up to so many pages. What it does is in no ledger: it is for a person
    /// who looks.
    ///
    /// # Errors
    /// Where the request cannot be built; what came back, or did not, is in the answer.
    pub async fn try_call(&self, call: &Call, pages: u32) -> Result<Tried, AppError> {
        self.actor().need(Right::Design)?;
        let (resolved, credentials, _) = self.usable(&call.connection)?;
        let request = build(&resolved, call)?;
        self.note(Act::CALL_MADE, &call.connection, told(&call.target))
            .await?;
        let operation = match (&call.target, &call.body) {
            (CallTarget::Operation(operation), None) => Some(operation),
            _ => None,
        };
        let is_paged = pages > 1
            && operation
                .and_then(|operation| resolved.operation(operation.as_str()).ok())
                .is_some_and(|operation| operation.pagination.is_some());
        match operation {
            Some(operation) if is_paged => {
                let pages = pages.min(MAX_TRIED_PAGES);
                self.try_pages(&resolved, &credentials, operation, call, pages)
                    .await
            }
            _ => {
                self.try_once(&resolved, &credentials, &request, operation.is_some())
                    .await
            }
        }
    }

    async fn try_once(
        &self,
        resolved: &Resolved,
        credentials: &Credentials,
        request: &Request,
        is_known: bool,
    ) -> Result<Tried, AppError> {
        let answer = match self.connector.send(resolved, credentials, request).await {
            Ok(answer) => answer,
            Err(failure) => return self.nothing(resolved, credentials, request, failure),
        };
        let told = answered(resolved, request, &answer);
        let mut records = Vec::new();
        if told.failure.is_none() && is_known {
            // An answer without a record is what it is; the answer itself is shown.
            records = connector::records(resolved, request, &answer).unwrap_or_default();
        }
        let more = records.len() > MAX_TRIED_RECORDS;
        records.truncate(MAX_TRIED_RECORDS);
        Ok(Tried {
            shown: self.as_sent(resolved, credentials, request, &answer)?,
            answer: told,
            records,
            pages: 1,
            more,
        })
    }

    async fn try_pages(
        &self,
        resolved: &Resolved,
        credentials: &Credentials,
        operation: &Name,
        call: &Call,
        limit: u32,
    ) -> Result<Tried, AppError> {
        let arguments: BTreeMap<String, Value> = call
            .parameters
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect();
        let mut listing = Pages::new(resolved, operation.as_str(), &arguments, Some(limit), None)?;
        let mut last = None;
        let (mut records, mut read, mut more): (Vec<Record>, u32, bool) = (Vec::new(), 0, false);
        while let Some(request) = listing.next_request().cloned() {
            let answer = match self.connector.send(resolved, credentials, &request).await {
                Ok(answer) => answer,
                Err(failure) => {
                    let mut nothing = self.nothing(resolved, credentials, &request, failure)?;
                    (nothing.records, nothing.pages) = (records, read);
                    return Ok(nothing);
                }
            };
            let mut told = answered(resolved, &request, &answer);
            let shown = self.as_sent(resolved, credentials, &request, &answer)?;
            match listing.take(resolved, &answer) {
                Ok(page) => {
                    read = page.number;
                    more = page.more;
                    records.extend(page.records);
                }
                Err(failure) => {
                    told.failure = told.failure.or(Some(failure));
                    last = Some((shown, told));
                    break;
                }
            }
            last = Some((shown, told));
            if records.len() > MAX_TRIED_RECORDS {
                more = true;
                break;
            }
        }
        records.truncate(MAX_TRIED_RECORDS);
        let (shown, answer) = last.unwrap_or_else(|| (None, CallAnswer::default()));
        Ok(Tried {
            shown,
            answer,
            records,
            pages: read,
            more,
        })
    }

    fn as_sent(
        &self,
        resolved: &Resolved,
        credentials: &Credentials,
        request: &Request,
        answer: &Answer,
    ) -> Result<Option<Shown>, AppError> {
        let showing = Showing::Call(request);
        let stamp = answer.stamp.as_ref();
        Ok(self.connector.shown(resolved, credentials, showing, stamp)?)
    }

    fn nothing(
        &self,
        resolved: &Resolved,
        credentials: &Credentials,
        request: &Request,
        failure: tailorbird_model::Failure,
    ) -> Result<Tried, AppError> {
        let showing = Showing::Call(request);
        Ok(Tried {
            shown: self.connector.shown(resolved, credentials, showing, None)?,
            answer: unanswered(failure),
            records: Vec::new(),
            pages: 0,
            more: false,
        })
    }
}
