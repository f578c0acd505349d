//! What the tabs show besides forms.

use jiff::Timestamp;
use tailorbird_app::{App, AppError, ConnectionView};
use tailorbird_model::Name;
use tailorbird_model::service::InDoubtPolicy;

use super::super::Gauge;
use crate::web::fields::Field;
use crate::web::view::When;

/// The token of a connection.
pub(super) struct TokenPart {
    pub(super) is_stored: bool,
    pub(super) fields: Vec<Field>,
}

/// What a connection is, and who uses it.
pub(super) struct General {
    pub(super) root_url: Option<String>,
    pub(super) authorized: Option<When>,
    pub(super) tasks: Vec<String>,
    pub(super) yaml: String,
}

pub(super) fn general(app: &App, view: &ConnectionView, now: Timestamp) -> Result<General, AppError> {
    let users = app.connection_users(&view.connection)?;
    Ok(General {
        root_url: view.root_url.clone(),
        authorized: view.authorized_at.map(|at| When::new(at, now)),
        tasks: users.iter().map(ToString::to_string).collect(),
        yaml: app.export_connection(&view.connection)?.1,
    })
}

/// An operation as a row.
pub(super) struct OperationRow {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) changes: bool,
    pub(super) doubt: &'static str,
    pub(super) cost: String,
    /// The level it needs, where the connection's is known to be less.
    pub(super) lacks_level: Option<String>,
}

pub(super) fn operations(
    app: &App,
    name: &Name,
    view: &ConnectionView,
) -> Result<Vec<OperationRow>, AppError> {
    let service = app.connection_service(name)?;
    let lacking = |needs: &String| {
        let report = service.level.as_ref()?;
        let is_less = report.is_less(view.level.as_deref()?, needs)?;
        is_less.then(|| report.names.get(needs).unwrap_or(needs).clone())
    };
    let row = |(name, operation): (&Name, &tailorbird_model::service::Operation)| OperationRow {
        name: name.to_string(),
        title: operation.title.clone(),
        method: operation.method.to_string(),
        path: operation.path.clone(),
        changes: !operation.method.is_safe(),
        doubt: match operation.doubt_policy() {
            InDoubtPolicy::Repeat => "is repeated",
            InDoubtPolicy::Ask => "waits for a person",
            InDoubtPolicy::LookUp(_) => "is looked up",
        },
        cost: operation.cost.as_ref().map(price).unwrap_or_default(),
        lacks_level: operation.needs_level.as_ref().and_then(lacking),
    };
    Ok(service.operations.iter().map(row).collect())
}

/// What a call costs, in words.
fn price(cost: &tailorbird_model::service::Cost) -> String {
    let link = cost.with_link.map(|with| format!(", {with} with a link"));
    let item = cost.per_item.map(|item| format!(", {item} more for each item"));
    format!(
        "{}{}{} {}",
        cost.per_call,
        link.unwrap_or_default(),
        item.unwrap_or_default(),
        cost.currency
    )
}

/// What limits a connection.
pub(super) struct Limits {
    pub(super) gauges: Vec<Gauge>,
    pub(super) costs: Vec<(String, String)>,
    pub(super) spending: Option<String>,
    pub(super) published: Vec<String>,
    /// Connections with the same credential: their calls count together.
    pub(super) counts_with: Vec<String>,
}

pub(super) fn limits(app: &App, name: &Name, now: Timestamp) -> Result<Limits, AppError> {
    let usage = app.connection_usage(name)?;
    let service = app.connection_service(name)?;
    let published = service.limits.iter().map(|limit| {
        let what = limit
            .operation
            .as_ref()
            .map_or_else(|| "all operations".to_owned(), ToString::to_string);
        format!("{what}: {} in {}", limit.calls, limit.window)
    });
    Ok(Limits {
        gauges: super::super::gauges(&usage, now),
        costs: usage
            .costs
            .iter()
            .map(|(operation, cost)| (operation.clone(), price(cost)))
            .collect(),
        spending: usage.cap.map(|cap| {
            format!(
                "{cap}: spent {} today, {} this month",
                usage.today, usage.this_month
            )
        }),
        published: published.collect(),
        counts_with: usage.counts_with.iter().map(ToString::to_string).collect(),
    })
}
