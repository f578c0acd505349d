//! Reads from an API: whole listings, and one call for each record.

pub(crate) mod batches;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tailorbird_connector::{Page, Pages, Request, build, judge, records};
use tailorbird_model::ports::Budget as _;
use tailorbird_model::task::Pages as Wanted;
use tailorbird_model::{Failure, Meaning, Name, Record, Value, fault};
use tailorbird_store::CursorMove;

use crate::charge::{whole_cost, why_held};
use crate::cursor::later;
use crate::deliver::Route;
use crate::drive::Driver;
use crate::durable::{EffectOutput, RunEnd, Wait};
use crate::effects::Performed;
use crate::limits::{MAX_LATER, MAX_LISTING_RESTARTS, MAX_REACH_TRIES, REACH_PAUSE};
use crate::plan::{CallPlan, Plan, StepPlan, WritePlan, evaluate};
use crate::progress::ProgressEvent;
use crate::query::unreadable;
use crate::tail::{Emitted, blocking};

/// Where a listing goes on.
#[derive(Debug, Serialize, Deserialize)]
struct PagePlace {
    /// Pages that were read.
    number: u32,
    /// The token of the next page; none for the first.
    token: Option<String>,
    /// How many pages may still be read; absent for all.
    left: Option<u32>,
    /// What the last run ended with.
    since: Option<String>,
    /// The greatest value so far.
    greatest: Option<String>,
    /// How often the listing was begun anew.
    restarts: u32,
}

impl Driver {
    /// Reads the next page of a listing and hands it on. The cursor moves with the last page, because lists come
    /// newest first: moved earlier, it would pass over the pages that were not read yet.
    pub(crate) async fn listing(
        &mut self,
        plan: &Plan,
        call: &CallPlan,
        place: Option<serde_json::Value>,
    ) -> Result<Performed, RunEnd> {
        let place = match place {
            Some(json) => serde_json::from_value(json).map_err(|error| unreadable(&call.id, &error))?,
            None => self.first_page(plan, call).await?,
        };
        let (connection, operation) = (&call.step.connection, call.step.operation.as_str());
        let store = self.engine.store.clone();
        let route = self.route(call)?;
        if let Some(until) = store.wait_until(route.budget(), operation, store.now()) {
            self.waits_for(route.budget(), until);
            return Ok(again(&place, Some(limit_of(connection, until, None)), None));
        }
        self.give_way(route.budget()).await?;
        let mut pages = match self.pages.take() {
            // The pages so far are known, so a provider that repeats one is noticed.
            Some((step, number, pages)) if step == call.id && number == place.number => pages,
            _ => self.pages_from(call, &route, &place)?,
        };
        let Some(request) = pages.next_request().cloned() else {
            return Ok(Performed::default());
        };
        let charges = route.charges(operation);
        let (items, cost) = whole_cost(
            route.resolved.operation(operation).map_err(RunEnd::Attention)?,
            &request,
        );
        if let Some(held) = store.take_call(&charges, items, cost).await? {
            let why = why_held(&route.connection, charges.cap, &held);
            return match why.retry_at {
                Some(until) => {
                    self.waits_for(route.budget(), until);
                    Ok(again(&place, Some(limit_of(connection, until, Some(why))), None))
                }
                None => Err(RunEnd::Attention(why)),
            };
        }
        self.was_served(route.budget());
        let sent = self
            .engine
            .connector
            .send(&route.resolved, &route.credentials, &request)
            .await;
        fault::reach("page.read");
        let failure = match sent {
            Ok(answer) => {
                let taken = pages.take(&route.resolved, &answer);
                let retry_at = taken.as_ref().err().and_then(|failure| failure.retry_at);
                store.report(route.budget(), operation, &answer.reports, retry_at);
                match taken {
                    Ok(page) => return self.take_page(plan, call, place, pages, page).await,
                    Err(failure) => failure,
                }
            }
            Err(failure) => failure,
        };
        match failure.meaning {
            Meaning::RetryLater => {
                let until = failure.retry_at.unwrap_or_else(|| store.now());
                let wait = limit_of(connection, until, Some(failure.clone()));
                Ok(again(&place, Some(wait), Some(failure)))
            }
            Meaning::NotSent | Meaning::InDoubt => Err(RunEnd::TryAgain(failure)),
            Meaning::ConnectionFault => Err(RunEnd::Attention(failure)),
            // A provider forgets its page tokens after a while; what was read is kept by its keys.
            _ if place.token.is_some() && place.restarts < MAX_LISTING_RESTARTS => {
                let first = PagePlace {
                    restarts: place.restarts + 1,
                    ..self.first_page(plan, call).await?
                };
                Ok(again(&first, None, None))
            }
            _ => Err(RunEnd::Failed(failure)),
        }
    }

    /// Where a listing begins: after what the last run has read.
    async fn first_page(&self, plan: &Plan, call: &CallPlan) -> Result<PagePlace, RunEnd> {
        let since = self.listing_cursor(plan, call).await?;
        let left = match call.step.pages {
            // Lists come newest first, so a limit would leave out the oldest of what is new, and the cursor
            // would pass it over for good. Once there is a cursor, it alone bounds the listing.
            _ if call.step.cursor.is_some() && since.is_some() => None,
            None => Some(1),
            Some(Wanted::Count(count)) => Some(count),
            Some(Wanted::All(_)) => None,
        };
        Ok(PagePlace {
            number: 0,
            token: None,
            left,
            greatest: since.clone(),
            since,
            restarts: 0,
        })
    }

    fn pages_from(&self, call: &CallPlan, route: &Route, place: &PagePlace) -> Result<Pages, RunEnd> {
        let scope = self.call_scope(route, &Emitted::plain(Record::from_pairs([])));
        let mut arguments =
            evaluate(&call.expressions, &call.parameters, &scope).map_err(RunEnd::Attention)?;
        if let (Some(cursor), Some(value)) = (&call.step.cursor, &place.since) {
            arguments.insert(cursor.parameter.clone(), Value::from(value.as_str()));
        }
        let operation = call.step.operation.as_str();
        Pages::new(
            &route.resolved,
            operation,
            &arguments,
            place.left,
            place.token.as_deref(),
        )
        .map_err(RunEnd::Attention)
    }

    /// Hands a page on, and says where the listing goes on.
    async fn take_page(
        &mut self,
        plan: &Plan,
        call: &CallPlan,
        place: PagePlace,
        pages: Pages,
        page: Page,
    ) -> Result<Performed, RunEnd> {
        self.counts.read += u64::try_from(page.records.len()).unwrap_or_default();
        let mut greatest = place.greatest;
        if let Some(cursor) = &call.step.cursor {
            for record in &page.records {
                if let Some(value) = record.get(&cursor.result).filter(|value| !value.is_null()) {
                    greatest = Some(later(greatest, value.to_string()));
                }
            }
        }
        let is_last = pages.next_request().is_none();
        let emitted: Vec<Emitted> = page.records.into_iter().map(Emitted::plain).collect();
        let moved = greatest.clone().filter(|_| is_last && call.step.cursor.is_some());
        let mut cursors = Vec::new();
        match (moved, only_write(plan, &call.id)) {
            // One target: records and cursor in one transaction of the target (rule 18).
            (Some(value), Some(write)) => self.write(write, &emitted, Some(value)).await?,
            (moved, _) => {
                self.hand_on(plan, &call.id, &emitted).await?;
                cursors.extend(moved.map(|value| CursorMove {
                    step: call.id.clone(),
                    value: value.into(),
                }));
            }
        }
        if is_last {
            return Ok(Performed {
                cursors,
                ..Performed::default()
            });
        }
        let next = PagePlace {
            number: place.number + 1,
            token: page.next,
            left: place.left.map(|left| left.saturating_sub(1)),
            since: place.since,
            greatest,
            restarts: place.restarts,
        };
        let performed = again(&next, None, None);
        self.pages = Some((call.id.clone(), next.number, pages));
        Ok(performed)
    }

    /// Where the last run ended: kept in the target where there is one, else in our own store.
    pub(crate) async fn listing_cursor(
        &self,
        plan: &Plan,
        call: &CallPlan,
    ) -> Result<Option<String>, RunEnd> {
        let Some(cursor) = &call.step.cursor else {
            return Ok(None);
        };
        let kept = match only_write(plan, &call.id) {
            Some(write) => {
                let (resources, database) = (Arc::clone(&self.engine.resources), write.step.database.clone());
                let (task, step) = (self.task.clone(), call.id.clone());
                let kept = blocking(move || Ok(resources.database(&database)?.read_cursor(&task, &step)?))
                    .await
                    .map_err(RunEnd::Failed)?;
                kept.and_then(|value| value.as_str().map(str::to_owned))
            }
            None => self
                .engine
                .store
                .step_cursor(&self.task, &call.id)?
                .and_then(|value| value.as_str().map(str::to_owned)),
        };
        Ok(kept.or_else(|| cursor.start.clone()))
    }

    /// Reads a listing for each record of the loop around it.
    pub(crate) async fn list_each(
        &mut self,
        plan: &Plan,
        call: &CallPlan,
        parents: &[Emitted],
    ) -> Result<(), RunEnd> {
        let route = self.route(call)?;
        let limit = match call.step.pages {
            None => Some(1),
            Some(Wanted::Count(count)) => Some(count),
            Some(Wanted::All(_)) => None,
        };
        for parent in parents {
            let scope = self.call_scope(&route, parent);
            if let Some(when) = &call.when
                && !call.expressions.truth(when, &scope).map_err(RunEnd::Attention)?
            {
                self.counts.not_due += 1;
                continue;
            }
            let arguments =
                evaluate(&call.expressions, &call.parameters, &scope).map_err(RunEnd::Attention)?;
            let operation = call.step.operation.as_str();
            let mut pages =
                Pages::new(&route.resolved, operation, &arguments, limit, None).map_err(RunEnd::Attention)?;
            while let Some(page) = self.next_page(call, &route, &mut pages).await? {
                self.counts.read += u64::try_from(page.records.len()).unwrap_or_default();
                let inside = |record| Emitted::inside(record, parent);
                let emitted: Vec<Emitted> = page.records.into_iter().map(inside).collect();
                self.hand_on(plan, &call.id, &emitted).await?;
            }
        }
        Ok(())
    }

    /// The next page, after as many pauses as it takes within the limits.
    async fn next_page(
        &mut self,
        call: &CallPlan,
        route: &Route,
        pages: &mut Pages,
    ) -> Result<Option<Page>, RunEnd> {
        let (mut tries, mut laters) = (0, 0);
        loop {
            self.look_up_requests().await?;
            let Some(request) = pages.next_request().cloned() else {
                return Ok(None);
            };
            self.wait_for_budget(call, route, &request).await?;
            let sent = self
                .engine
                .connector
                .send(&route.resolved, &route.credentials, &request)
                .await;
            let failure = match sent {
                Ok(answer) => {
                    let taken = pages.take(&route.resolved, &answer);
                    let retry_at = taken.as_ref().err().and_then(|failure| failure.retry_at);
                    let operation = call.step.operation.as_str();
                    self.engine
                        .store
                        .report(route.budget(), operation, &answer.reports, retry_at);
                    match taken {
                        Ok(page) => return Ok(Some(page)),
                        Err(failure) => failure,
                    }
                }
                Err(failure) => failure,
            };
            self.after_failure(&call.step.connection, failure, &mut tries, &mut laters)
                .await?;
        }
    }

    /// Calls a reading operation once for each record and hands both on together.
    pub(crate) async fn enrich(
        &mut self,
        plan: &Plan,
        call: &CallPlan,
        sources: &[Emitted],
    ) -> Result<(), RunEnd> {
        if let Some(asked) = call.step.batch {
            return self.enrich_in_batches(plan, call, asked, sources).await;
        }
        let route = self.route(call)?;
        let mut emitted = Vec::with_capacity(sources.len());
        for source in sources {
            let scope = self.call_scope(&route, source);
            if let Some(when) = &call.when
                && !call.expressions.truth(when, &scope).map_err(RunEnd::Attention)?
            {
                self.counts.not_due += 1;
                continue;
            }
            let arguments =
                evaluate(&call.expressions, &call.parameters, &scope).map_err(RunEnd::Attention)?;
            for found in self.read_one(call, &route, &arguments).await? {
                emitted.push(Emitted {
                    record: source.flattened(),
                    result: Some(found),
                    ..Emitted::inside(Record::from_pairs([]), source)
                });
            }
        }
        self.hand_on(plan, &call.id, &emitted).await
    }

    /// One reading call. A record that the provider does not know is passed over with a note.
    async fn read_one(
        &mut self,
        call: &CallPlan,
        route: &Route,
        arguments: &BTreeMap<String, Value>,
    ) -> Result<Vec<Record>, RunEnd> {
        let request =
            build(&route.resolved, call.step.operation.as_str(), arguments).map_err(RunEnd::Attention)?;
        let (mut tries, mut laters) = (0, 0);
        loop {
            self.look_up_requests().await?;
            self.wait_for_budget(call, route, &request).await?;
            let sent = self
                .engine
                .connector
                .send(&route.resolved, &route.credentials, &request)
                .await;
            let failure = match sent {
                Ok(answer) => {
                    let judged = judge(&route.resolved, &request, &answer);
                    let retry_at = judged.as_ref().err().and_then(|failure| failure.retry_at);
                    let operation = call.step.operation.as_str();
                    self.engine
                        .store
                        .report(route.budget(), operation, &answer.reports, retry_at);
                    match judged.and_then(|()| records(&route.resolved, &request, &answer)) {
                        Ok(found) => return Ok(found),
                        Err(failure) => failure,
                    }
                }
                Err(failure) => failure,
            };
            if failure.meaning == Meaning::Rejected {
                self.counts.rejected += 1;
                (self.progress)(ProgressEvent::Note(format!("step {}: {failure}", call.id)));
                return Ok(Vec::new());
            }
            self.after_failure(&call.step.connection, failure, &mut tries, &mut laters)
                .await?;
        }
    }

    /// Waits for what the provider's headers and the service file's limits allow, and counts the call.
    async fn wait_for_budget(
        &mut self,
        call: &CallPlan,
        route: &Route,
        request: &Request,
    ) -> Result<(), RunEnd> {
        let (connection, operation) = (&call.step.connection, call.step.operation.as_str());
        let reported = self
            .engine
            .store
            .wait_until(route.budget(), operation, Timestamp::now());
        if let Some(until) = reported {
            self.waits_for(route.budget(), until);
            self.wait_until(connection, until, None).await?;
        }
        self.give_way(route.budget()).await?;
        let charges = route.charges(operation);
        let (items, cost) = whole_cost(
            route.resolved.operation(operation).map_err(RunEnd::Attention)?,
            request,
        );
        while let Some(held) = self.engine.store.take_call(&charges, items, cost).await? {
            let why = why_held(&route.connection, charges.cap, &held);
            match why.retry_at {
                Some(until) => {
                    self.waits_for(route.budget(), until);
                    self.wait_until(connection, until, Some(why)).await?;
                    self.give_way(route.budget()).await?;
                }
                None => return Err(RunEnd::Attention(why)),
            }
        }
        self.was_served(route.budget());
        Ok(())
    }

    /// What a failed read means for the run: wait, try again, or end.
    async fn after_failure(
        &mut self,
        connection: &Name,
        failure: Failure,
        tries: &mut u32,
        laters: &mut u32,
    ) -> Result<(), RunEnd> {
        match failure.meaning {
            Meaning::RetryLater if *laters < MAX_LATER => {
                *laters += 1;
                let until = failure.retry_at.unwrap_or_else(Timestamp::now);
                self.wait_until(connection, until, Some(failure)).await
            }
            Meaning::NotSent | Meaning::InDoubt if *tries + 1 < MAX_REACH_TRIES => {
                *tries += 1;
                self.stop.wait(REACH_PAUSE * 2_u32.pow(*tries)).await;
                Ok(())
            }
            Meaning::ConnectionFault => Err(RunEnd::Attention(failure)),
            _ => Err(RunEnd::Failed(failure)),
        }
    }
}

/// The same or another place comes next.
fn again(place: &PagePlace, wait: Option<Wait>, later: Option<Failure>) -> Performed {
    let output = EffectOutput {
        more: true,
        cursor: serde_json::to_value(place).ok(),
        wait,
        later,
        ..EffectOutput::default()
    };
    output.into()
}

/// A wait for the limit of a connection.
pub(crate) fn limit_of(connection: &Name, until: Timestamp, failure: Option<Failure>) -> Wait {
    Wait {
        failure,
        ..Wait::until(until, format!("the limit of {connection}"))
    }
}

/// The write step that alone takes a step's records, if it is so.
fn only_write<'p>(plan: &'p Plan, source: &'p Name) -> Option<&'p WritePlan> {
    let mut takers = plan.takers(source);
    match (takers.next(), takers.next()) {
        (Some(StepPlan::Write(write)), None) => Some(write),
        _ => None,
    }
}
