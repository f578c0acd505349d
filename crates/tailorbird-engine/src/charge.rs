//! What calls over a connection are counted against, and what a request costs.

use tailorbird_connector::{Request, RequestBody, Resolved, items};
use tailorbird_model::connection::Connection;
use tailorbird_model::money::{Amount, SpendingCap};
use tailorbird_model::ports::Credentials;
use tailorbird_model::service::{Cost, LimitCounts, LimitScope, Operation};
use tailorbird_model::text::has_link;
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_store::{CallLimit, Charges, Held};

/// The limits of the service file that hold for an operation over a connection.
///
/// None where the connection leads elsewhere than the file says: a sandbox has its own limits and tells them by its
/// headers.
pub fn limits_of(resolved: &Resolved, credentials: &Credentials, operation: &str) -> Vec<CallLimit> {
    if resolved.is_moved() {
        return Vec::new();
    }
    let holds = |of: Option<&str>| of.is_none_or(|of| of == operation);
    resolved
        .service
        .limits
        .iter()
        .filter(|limit| holds(limit.operation.as_ref().map(tailorbird_model::Name::as_str)))
        .map(|limit| {
            let client = credentials.client.as_ref();
            let whose = match (limit.per, client) {
                (LimitScope::Application, Some(client)) => {
                    format!("{}/client:{}", resolved.service.service, client.key)
                }
                (LimitScope::Application | LimitScope::Connection, _) => {
                    credentials.budget.as_str().to_owned()
                }
            };
            CallLimit {
                whose,
                operation: limit
                    .operation
                    .as_ref()
                    .map_or_else(|| "*".to_owned(), ToString::to_string),
                calls: limit.calls,
                seconds: limit.window.seconds(),
                counts_items: limit.counts == LimitCounts::Items,
            }
        })
        .collect()
}

/// What calls of an operation are counted against.
pub(crate) fn charges_of(
    resolved: &Resolved,
    credentials: &Credentials,
    connection: &Connection,
    operation: &str,
) -> Charges {
    Charges {
        connection: Some(connection.connection.clone()),
        limits: limits_of(resolved, credentials, operation),
        cap: connection.spending_cap(),
    }
}

/// How many records one request may hold: what the task asks for and the operation takes, and no more than a limit
/// that counts items and a cap let through at all.
pub(crate) fn most_items(asked: u32, operation: &Operation, charges: &Charges) -> usize {
    let taken = operation.batch.as_ref().map_or(1, |batch| batch.max);
    let of_limits = charges.limits.iter().filter(|limit| limit.counts_items);
    let allowed = of_limits.map(|limit| limit.calls).min().unwrap_or(u32::MAX);
    let per_item = operation.cost.as_ref().and_then(|cost| cost.per_item);
    let affordable = match (&charges.cap, &operation.cost, per_item.map(Amount::millionths)) {
        (Some(cap), Some(cost), Some(per_item @ 1..)) => {
            let request = cost.dearest().millionths() - per_item;
            u32::try_from((cap.amount.millionths() - request) / per_item).unwrap_or(1)
        }
        _ => u32::MAX,
    };
    let most = asked.min(taken).min(allowed).min(affordable).max(1);
    usize::try_from(most).unwrap_or(1)
}

/// How many items a request holds, and what it costs by the service file with all of them.
pub(crate) fn whole_cost(operation: &Operation, request: &Request) -> (u32, Amount) {
    let items = items_of(operation, request);
    let per_item = operation.cost.as_ref().and_then(|cost| cost.per_item);
    let of_items = per_item.unwrap_or_default().times(items.into());
    (items, cost_of(operation.cost.as_ref(), request).plus(of_items))
}

/// How many items of a list a request holds; one where its operation takes no list.
pub(crate) fn items_of(operation: &Operation, request: &Request) -> u32 {
    let items = items(operation, request).map_or(1, |items| items.len());
    u32::try_from(items).unwrap_or(u32::MAX)
}

/// What one request costs by the service file.
pub fn cost_of(cost: Option<&Cost>, request: &Request) -> Amount {
    let Some(cost) = cost else {
        return Amount::default();
    };
    match cost.with_link {
        Some(dearer) if holds_link(&request.body) => dearer,
        _ => cost.per_call,
    }
}

fn holds_link(body: &RequestBody) -> bool {
    match body {
        RequestBody::Json(text) => serde_json::from_str(text).is_ok_and(|json| any_text(&json, has_link)),
        RequestBody::Form(pairs) => pairs.iter().any(|(_, value)| has_link(value)),
        RequestBody::None | RequestBody::Multipart(_) | RequestBody::Raw { .. } => false,
    }
}

fn any_text(json: &serde_json::Value, is_so: fn(&str) -> bool) -> bool {
    match json {
        serde_json::Value::String(text) => is_so(text),
        serde_json::Value::Array(items) => items.iter().any(|item| any_text(item, is_so)),
        serde_json::Value::Object(members) => members.values().any(|item| any_text(item, is_so)),
        _ => false,
    }
}

/// What a person is told of a run that is held by a limit or a cap.
pub(crate) fn why_held(connection: &Connection, cap: Option<SpendingCap>, held: &Held) -> Failure {
    let name = &connection.connection;
    match held {
        Held::Limit { limit, until } => {
            let mut failure = Failure::new(
                codes::RATE_LIMITED,
                Meaning::RetryLater,
                format!(
                    "{} {} of {} were made over {name}, as many as its service allows",
                    limit.calls,
                    if limit.counts_items { "items" } else { "calls" },
                    limit.operation
                ),
            )
            .detail(format!(
                "The service file allows so many in {} seconds.",
                limit.seconds
            ))
            .hint(
                "The run goes on by itself. If the provider allows more, raise `limits` in the service file.",
            );
            failure.retry_at = Some(*until);
            failure
        }
        Held::Cap { spent, until } => {
            let cap = cap.map_or_else(String::new, |cap| cap.to_string());
            let mut failure = Failure::new(
                codes::SPENDING_CAP,
                Meaning::RetryLater,
                format!("spending cap of {name} is reached: {spent} of {cap}"),
            )
            .detail("Nothing more is sent over it in this period. What was not sent stays pending.")
            .hint(format!("The run goes on when the next period begins. To go on now: tailorbird connection add {name} --set spending_cap=…"));
            failure.retry_at = Some(*until);
            failure
        }
        Held::NeverFits => {
            let cap = cap.map_or_else(String::new, |cap| cap.to_string());
            Failure::new(
                codes::SPENDING_CAP,
                Meaning::ConnectionFault,
                format!("one call costs more than the spending cap of {name} ({cap})"),
            )
            .hint(format!(
                "Raise it: tailorbird connection add {name} --set spending_cap=…"
            ))
        }
    }
}
