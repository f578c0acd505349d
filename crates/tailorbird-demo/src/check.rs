//! The demo's own check: the tables and the ledger against what the sandbox itself knows.

use std::collections::BTreeSet;

use tailorbird_app::{App, AppError, DeliveryFilter};
use tailorbird_model::delivery::DeliveryState;
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_sandbox::Facts;

use crate::Settings;
use crate::stages::name;
use crate::tasks::ANNOUNCE;

/// The greatest number of rows that the check reads from a table.
const MAX_ROWS: usize = 200_000;

/// How many of an account's newest posts a timeline reaches back to, at X as in the sandbox.
const MAX_TIMELINE: usize = 3_200;

/// What was compared.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    comparisons: Vec<Comparison>,
}

#[derive(Debug, Clone)]
struct Comparison {
    what: String,
    expected: usize,
    found: usize,
    holds: bool,
}

impl Checked {
    /// One line for each comparison.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mark = |holds| if holds { "●" } else { "✕" };
        self.comparisons
            .iter()
            .map(|c| format!("{} {}: {} of {}", mark(c.holds), c.what, c.found, c.expected))
            .collect()
    }

    /// Why the check failed, if it did.
    pub(crate) fn mismatch(&self) -> Option<Failure> {
        let wrong: Vec<String> = self
            .comparisons
            .iter()
            .filter(|c| !c.holds)
            .map(|c| format!("{}: {} found, {} expected", c.what, c.found, c.expected))
            .collect();
        if wrong.is_empty() {
            return None;
        }
        Some(
            Failure::new(codes::DEMO_MISMATCH, Meaning::Rejected, "the demo's own check failed")
                .detail(wrong.join("\n"))
                .hint("If posts were made or deleted by hand in this sandbox, remove the demo's home folder and run it again."),
        )
    }

    /// Tells whether all of it holds.
    pub(crate) fn holds(&self) -> bool {
        self.comparisons.iter().all(|c| c.holds)
    }
}

/// The values of one column.
fn column(app: &App, database: &str, sql: &str) -> Result<Vec<String>, AppError> {
    let found = app.query_database(&name(database)?, sql, MAX_ROWS)?;
    Ok(found
        .records
        .iter()
        .filter_map(|record| record.values().first().map(ToString::to_string))
        .collect())
}

pub(crate) fn check(app: &App, facts: &Facts, settings: &Settings) -> Result<Checked, AppError> {
    let ids = |list: &mut dyn Iterator<Item = &u64>| -> BTreeSet<String> {
        list.map(ToString::to_string).collect()
    };
    let mut comparisons = Vec::new();
    let mut equal = |what: &str, expected: usize, found: usize, holds: bool| {
        comparisons.push(Comparison {
            what: what.to_owned(),
            expected,
            found,
            holds: holds && expected == found,
        });
    };

    // Only posts that carry a product's number are the task's; a person may post by hand in this sandbox too.
    let announced = column(
        app,
        "erp",
        "select sku from products where published = 1 and published_on >= '2026-11-16'",
    )?;
    let written = column(app, "erp", "select post_id from product_posts")?;
    let distinct: BTreeSet<String> = written.iter().cloned().collect();
    let accepted = ids(&mut facts.accepted.iter());
    let by_hand = accepted.difference(&distinct).count();
    equal(
        "newly published products with a post in the ERP",
        announced.len(),
        written.len(),
        true,
    );
    equal(
        "of these, posts that the sandbox accepted, each once",
        written.len(),
        distinct.intersection(&accepted).count(),
        true,
    );
    let filter = DeliveryFilter {
        task: Some(name(ANNOUNCE)?),
        ..DeliveryFilter::default()
    };
    let deliveries = app.deliveries(&filter)?;
    let delivered = deliveries
        .iter()
        .filter(|delivery| delivery.state == DeliveryState::Delivered)
        .count();
    equal(
        "deliveries in the ledger, all delivered",
        announced.len(),
        delivered,
        deliveries.len() == delivered,
    );
    let sent_by_task = ids(&mut facts.accepted.iter()).len() - by_hand;
    equal(
        "posts ever accepted for these products",
        announced.len(),
        sent_by_task,
        true,
    );

    let mentions: BTreeSet<String> = column(app, "crm", "select id from mentions")?
        .into_iter()
        .collect();
    let known = ids(&mut facts.mentions.iter());
    equal(
        "mentions in the CRM",
        known.len(),
        mentions.len(),
        mentions == known,
    );
    let metrics: BTreeSet<String> = column(app, "crm", "select post_id from post_metrics")?
        .into_iter()
        .collect();
    let own = ids(&mut facts.own_posts.iter());
    // X shows no more than the newest of an account's posts, and so does the sandbox.
    let visible: BTreeSet<String> = own.iter().rev().take(MAX_TIMELINE).cloned().collect();
    equal(
        "own posts that the timeline shows, with their metrics in the CRM",
        visible.len(),
        metrics.intersection(&visible).count(),
        true,
    );
    debug_assert!(settings.rows > 0, "the command line asks for at least one row");
    Ok(Checked { comparisons })
}
