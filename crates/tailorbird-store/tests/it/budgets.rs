//! Budgets: kept over restarts, per connection and operation, never absurd.

use tailorbird_model::ports::{Budget as _, BudgetReport};
use tailorbird_store::Store;

use crate::bench::{Bench, name};

fn report(bench: &Bench, family: &str, remaining: u64, seconds: i64) -> BudgetReport {
    BudgetReport {
        shared: false,
        family: family.to_owned(),
        limit: Some(100),
        remaining: Some(remaining),
        reset_at: Some(bench.after(seconds)),
    }
}

#[tokio::test]
async fn a_used_up_window_holds_until_its_reset() {
    let bench = Bench::new();
    let (store, x) = (&bench.store, name("x"));
    assert_eq!(store.wait_until(&x, "post", bench.now()), None);
    store.report(&x, "post", &[report(&bench, "15m", 1, 900)], None);
    assert_eq!(
        store.wait_until(&x, "post", bench.now()),
        None,
        "one call is left"
    );
    store.report(
        &x,
        "post",
        &[report(&bench, "15m", 0, 900), report(&bench, "24h", 0, 3600)],
        None,
    );
    assert_eq!(
        store.wait_until(&x, "post", bench.now()),
        Some(bench.after(3600)),
        "the longest counts"
    );
    assert_eq!(store.wait_until(&x, "read", bench.now()), None);
    assert_eq!(store.wait_until(&name("y"), "post", bench.now()), None);
    bench.advance(3600);
    assert_eq!(store.wait_until(&x, "post", bench.now()), None);
}

#[tokio::test]
async fn retry_after_zero_and_absurd_values_do_no_harm() {
    let bench = Bench::new();
    let (store, x) = (&bench.store, name("x"));
    store.report(&x, "post", &[], Some(bench.now()));
    assert_eq!(store.wait_until(&x, "post", bench.now()), None);
    store.report(&x, "post", &[report(&bench, "15m", 0, 10 * 365 * 86_400)], None);
    assert_eq!(
        store.wait_until(&x, "post", bench.now()),
        Some(bench.after(48 * 3600))
    );
}

#[tokio::test]
async fn budgets_survive_a_restart_and_reach_other_processes() {
    let bench = Bench::new();
    let other = Store::open_with_clock(&bench.home, bench.clock()).unwrap();
    bench
        .store
        .report(&name("x"), "post", &[report(&bench, "15m", 0, 900)], None);
    let reset = Some(bench.after(900));
    // A write that is waited for comes after the report in the queue.
    bench.store.settle(Vec::new()).await.unwrap();
    assert_eq!(other.wait_until(&name("x"), "post", bench.now()), reset);
    drop(other);
    let bench = bench.restart();
    assert_eq!(bench.store.wait_until(&name("x"), "post", bench.now()), reset);
    let entries = bench.store.budget(&name("x")).unwrap();
    assert_eq!(
        (entries[0].operation.as_str(), entries[0].report.remaining),
        ("post", Some(0))
    );
}

#[tokio::test]
async fn operations_that_report_a_shared_family_stand_still_together() {
    let bench = Bench::new();
    let (store, x) = (&bench.store, name("x"));
    let day = |remaining| BudgetReport {
        shared: true,
        ..report(&bench, "user-24hour", remaining, 3_600)
    };
    store.report(&x, "post", &[day(5)], None);
    store.report(&x, "delete", &[day(5), report(&bench, "15m", 9, 900)], None);
    store.report(&x, "read", &[report(&bench, "15m", 9, 900)], None);
    store.report(&x, "post", &[day(0)], None);
    let until = Some(bench.after(3_600));
    assert_eq!(store.wait_until(&x, "post", bench.now()), until);
    assert_eq!(
        store.wait_until(&x, "delete", bench.now()),
        until,
        "it shares the window"
    );
    assert_eq!(store.wait_until(&x, "read", bench.now()), None, "it does not");
    assert_eq!(store.wait_until(&name("y"), "delete", bench.now()), None);
}
