//! Budgets: kept over restarts, per connection and operation, never absurd.

use tailorbird_model::account::Account;
use tailorbird_model::connection::Connection;
use tailorbird_model::ports::{Budget as _, BudgetId, BudgetReport, CredentialVault as _};
use tailorbird_store::{CredentialChange, Store};

use crate::bench::{Bench, name};

fn whose(text: &str) -> BudgetId {
    BudgetId::new(text.to_owned())
}

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
    let (store, x) = (&bench.store, whose("x"));
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
    assert_eq!(store.wait_until(&whose("y"), "post", bench.now()), None);
    bench.advance(3600);
    assert_eq!(store.wait_until(&x, "post", bench.now()), None);
}

#[tokio::test]
async fn retry_after_zero_and_absurd_values_do_no_harm() {
    let bench = Bench::new();
    let (store, x) = (&bench.store, whose("x"));
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
        .report(&whose("x"), "post", &[report(&bench, "15m", 0, 900)], None);
    let reset = Some(bench.after(900));
    // A write that is waited for comes after the report in the queue.
    bench.store.settle(Vec::new()).await.unwrap();
    assert_eq!(other.wait_until(&whose("x"), "post", bench.now()), reset);
    drop(other);
    let bench = bench.restart();
    assert_eq!(bench.store.wait_until(&whose("x"), "post", bench.now()), reset);
    let entries = bench.store.budget(&whose("x")).unwrap();
    assert_eq!(
        (entries[0].operation.as_str(), entries[0].report.remaining),
        ("post", Some(0))
    );
}

#[tokio::test]
async fn operations_that_report_a_shared_family_stand_still_together() {
    let bench = Bench::new();
    let (store, x) = (&bench.store, whose("x"));
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
    assert_eq!(store.wait_until(&whose("y"), "delete", bench.now()), None);
}

fn holds(client: &str, token: Option<&str>) -> CredentialChange {
    CredentialChange {
        client_key: Some(client.into()),
        client_secret: Some("secret".into()),
        token: token.map(Into::into),
        token_secret: token.map(|_| "secret of the token".into()),
        ..CredentialChange::default()
    }
}

/// Connections share a budget where they hold one credential of one service; its digest shows nothing of it, and is the
/// same after a restart and another sealing key.
#[tokio::test]
async fn whose_calls_count_together_is_told_by_the_credential() {
    let bench = Bench::new();
    let put = async |connection: &str, service: &str, account: Option<&str>, holds: CredentialChange| {
        let definition = Connection {
            connection: name(connection),
            service: name(service),
            settings: std::collections::BTreeMap::new(),
            account: account.map(|id| Account {
                id: id.to_owned(),
                name: "somebody".to_owned(),
            }),
            level: None,
            authorized_at: None,
        };
        bench.store.put_connection(definition, holds).await.unwrap();
    };
    let budget = |connection: &str| bench.store.credentials(&name(connection)).unwrap().budget;
    put("a", "x", None, holds("client", Some("canary-token"))).await;
    put("b", "x", None, holds("client", Some("canary-token"))).await;
    put("other-token", "x", None, holds("client", Some("another"))).await;
    put("other-client", "x", None, holds("client-2", Some("canary-token"))).await;
    put("other-service", "y", None, holds("client", Some("canary-token"))).await;
    put("no-token", "x", None, holds("client", None)).await;
    put("nothing", "x", None, CredentialChange::default()).await;
    assert_eq!(budget("a"), budget("b"));
    assert!(!format!("{:?}", budget("a")).contains("canary"));
    let mut all: Vec<String> = [
        "a",
        "other-token",
        "other-client",
        "other-service",
        "no-token",
        "nothing",
    ]
    .map(|connection| budget(connection).as_str().to_owned())
    .to_vec();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 6, "{all:?}");

    // A renewed token is the same account's; another account's is not.
    put("a", "x", Some("7"), holds("client", Some("first"))).await;
    put("b", "x", Some("7"), holds("client", Some("second"))).await;
    let before = budget("a");
    assert_eq!(before, budget("b"));
    put("b", "x", Some("8"), holds("client", Some("second"))).await;
    assert_ne!(before, budget("b"));

    bench.store.rotate_key().await.unwrap();
    let bench = bench.restart();
    assert_eq!(before, bench.store.credentials(&name("a")).unwrap().budget);
}
