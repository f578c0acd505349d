//! `/metrics`: what Prometheus reads. Names and units are documented in `docs/metrics.md`; a test compares.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};
use tailorbird_app::{Figures, RECORD_COUNTS};
use tailorbird_model::measure::{BOUNDS_US, Measured};

use crate::exposition::{CONTENT_TYPE, Exposition, Kind};
use crate::problem::Problem;
use crate::server::Shared;

/// Answers with all figures.
pub(crate) async fn page(State(shared): State<Shared>) -> Result<Response, Problem> {
    let figures = shared.pulse().figures().map_err(Problem::store)?;
    let mut page = Exposition::default();
    page.family(
        "tailorbird_build_info",
        Kind::Gauge,
        "Always 1; the version is a label.",
    )
    .sample(
        "tailorbird_build_info",
        &[("version", env!("CARGO_PKG_VERSION"))],
        "1",
    );
    runs(&mut page, &figures);
    records(&mut page, &figures);
    work(&mut page, &figures);
    budgets(&mut page, &figures);
    triggers(&mut page, &figures);
    store(&mut page, &figures);
    answers(&mut page, &shared);
    traces(&mut page, &figures);
    let mut response = page.into_text().into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    Ok(response)
}

fn runs(page: &mut Exposition, figures: &Figures) {
    let name = "tailorbird_runs";
    page.family(name, Kind::Gauge, "Runs that have not ended, by task and state.");
    for run in &figures.open_runs {
        let labels = [("task", run.task.as_str()), ("state", run.state.as_str())];
        page.sample(name, &labels, &run.count.to_string());
    }
    let name = "tailorbird_runs_driven";
    page.family(name, Kind::Gauge, "Runs that are worked on at this moment.")
        .sample(name, &[], &figures.driven.to_string());
    let name = "tailorbird_runs_ended_total";
    page.family(
        name,
        Kind::Counter,
        "Runs that ended or came to need attention, by task and state, since the server began.",
    );
    for (task, tally) in &figures.tasks {
        for (state, count) in &tally.ended {
            page.sample(
                name,
                &[("task", task.as_str()), ("state", state)],
                &count.to_string(),
            );
        }
    }
}

fn records(page: &mut Exposition, figures: &Figures) {
    let name = "tailorbird_records_total";
    page.family(
        name,
        Kind::Counter,
        "Records by task and what became of them, since the server began.",
    );
    for (task, tally) in &figures.tasks {
        for (outcome, count) in RECORD_COUNTS.iter().zip(&tally.records) {
            page.sample(
                name,
                &[("task", task.as_str()), ("outcome", outcome)],
                &count.to_string(),
            );
        }
    }
    let name = "tailorbird_deliveries";
    page.family(
        name,
        Kind::Gauge,
        "Deliveries that are pending, sending, in doubt or rejected, by step and connection.",
    );
    for delivery in &figures.deliveries {
        page.sample(
            name,
            &[
                ("task", &delivery.task),
                ("step", &delivery.step),
                ("connection", &delivery.connection),
                ("state", delivery.state),
            ],
            &delivery.count.to_string(),
        );
    }
}

fn budgets(page: &mut Exposition, figures: &Figures) {
    let mut family = |name: &str, help: &str, value: fn(&tailorbird_app::BudgetFigure) -> Option<String>| {
        page.family(name, Kind::Gauge, help);
        for budget in &figures.budgets {
            if let Some(value) = value(budget) {
                let labels = [
                    ("connection", budget.connection.as_str()),
                    ("operation", &budget.operation),
                    ("family", &budget.report.family),
                ];
                page.sample(name, &labels, &value);
            }
        }
    };
    family(
        "tailorbird_budget_limit",
        "Calls that a provider allows in a window, as it last said.",
        |budget| budget.report.limit.map(|limit| limit.to_string()),
    );
    family(
        "tailorbird_budget_remaining",
        "Calls that are left in the window.",
        |budget| budget.report.remaining.map(|left| left.to_string()),
    );
    family(
        "tailorbird_budget_reset_timestamp_seconds",
        "When the window ends, in seconds since 1970.",
        |budget| budget.report.reset_at.map(|at| at.as_second().to_string()),
    );
}

fn triggers(page: &mut Exposition, figures: &Figures) {
    let name = "tailorbird_firings_total";
    page.family(
        name,
        Kind::Counter,
        "Occasions on which tasks were to begin by themselves, by what became of them, since the server began.",
    );
    for (task, tally) in &figures.tasks {
        for (verdict, count) in &tally.firings {
            page.sample(
                name,
                &[("task", task.as_str()), ("verdict", verdict)],
                &count.to_string(),
            );
        }
    }
    let name = "tailorbird_next_firing_timestamp_seconds";
    page.family(
        name,
        Kind::Gauge,
        "When the schedule of a task fires next, in seconds since 1970; 0 where it cannot fire.",
    );
    for next in &figures.next {
        let at = if let Some(at) = next.at { at.as_second() } else { 0 };
        page.sample(name, &[("task", next.task.as_str())], &at.to_string());
    }
}

fn work(page: &mut Exposition, figures: &Figures) {
    let name = "tailorbird_effect_seconds";
    page.family(
        name,
        Kind::Histogram,
        "How long a piece of a run took: a chunk of rows, a page, a round of sending.",
    );
    samples(page, name, &[], &figures.effects);
    let name = "tailorbird_provider_answer_seconds";
    page.family(
        name,
        Kind::Histogram,
        "How long providers took to answer a request, or until it was given up.",
    );
    samples(page, name, &[("effect", "read")], &figures.answers.reads);
    samples(page, name, &[("effect", "write")], &figures.answers.writes);
}

fn store(page: &mut Exposition, figures: &Figures) {
    let name = "tailorbird_store_commits_total";
    page.family(
        name,
        Kind::Counter,
        "Commits of the store since the server began.",
    )
    .sample(name, &[], &figures.commits.to_string());
    let name = "tailorbird_store_commit_seconds";
    page.family(
        name,
        Kind::Histogram,
        "How long a commit took, its sync of the disk included.",
    );
    samples(page, name, &[], &figures.commit_times);
}

/// The samples of a histogram.
fn samples(page: &mut Exposition, name: &str, labels: &[(&str, &str)], measured: &Measured) {
    let bucket = format!("{name}_bucket");
    let mut below = |bound: &str, count: u64| {
        let labels: Vec<(&str, &str)> = labels.iter().copied().chain([("le", bound)]).collect();
        page.sample(&bucket, &labels, &count.to_string());
    };
    for (bound, count) in BOUNDS_US.iter().zip(&measured.up_to) {
        below(&seconds(*bound), *count);
    }
    below("+Inf", measured.count);
    page.sample(&format!("{name}_sum"), labels, &seconds(measured.sum_us))
        .sample(&format!("{name}_count"), labels, &measured.count.to_string());
}

/// Microseconds as seconds, exactly: `0.0001`, `5`.
fn seconds(us: u64) -> String {
    let (whole, rest) = (us / 1_000_000, us % 1_000_000);
    if rest == 0 {
        return whole.to_string();
    }
    let digits = format!("{rest:06}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

fn answers(page: &mut Exposition, shared: &Shared) {
    let name = "tailorbird_http_answers_total";
    page.family(
        name,
        Kind::Counter,
        "Answers to HTTP requests, by listener and class of status.",
    );
    for (listener, class, count) in shared.counters().all() {
        page.sample(
            name,
            &[("listener", listener), ("class", class)],
            &count.to_string(),
        );
    }
}

/// There where something is traced, as the connections' limits are there where a provider told them.
fn traces(page: &mut Exposition, figures: &Figures) {
    let name = "tailorbird_trace_spans_total";
    page.family(
        name,
        Kind::Counter,
        "Spans of traces by what became of them, since the server began.",
    );
    if let Some(traces) = figures.traces {
        page.sample(name, &[("outcome", "exported")], &traces.exported.to_string())
            .sample(name, &[("outcome", "dropped")], &traces.dropped.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_are_told_as_seconds_without_rounding() {
        for (us, text) in [
            (0, "0"),
            (100, "0.0001"),
            (2_500, "0.0025"),
            (5_000_000, "5"),
            (1_000_001, "1.000001"),
        ] {
            assert_eq!(seconds(us), text);
        }
    }
}
