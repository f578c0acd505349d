//! The step `wait`: it is parked, survives a restart, and nothing before it is done again.

use std::time::Duration;

use tailorbird_app::Stop;
use tailorbird_model::run::RunState;

use crate::house::{House, name};
use crate::supervise::{comes_to, open, quiet, store};

/// Copies the products, waits, and copies them once more under another name.
fn task(wait: &str) -> String {
    let copy = |id: &str, from: &str| {
        format!(
            "  - id: {id}\n    write: {{ database: shop, table: copies, from: {from}, key: [sku, task], \
             columns: {{ sku: \"{{{{ sku }}}}\", task: {id}, name: \"{{{{ name }}}}\" }} }}\n"
        )
    };
    let rows = |id: &str| {
        format!("  - id: {id}\n    query: {{ database: erp, sql: \"select sku, name from products\" }}\n")
    };
    format!(
        "task: slow\nvariables: {{ opens_at: {{ value: \"2020-01-01T00:00:00Z\" }} }}\nsteps:\n{}{}  - {{ id: pause, wait: {{ {wait} }} }}\n{}{}",
        rows("first"),
        copy("before", "first"),
        rows("second"),
        copy("after", "second"),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_wait_survives_a_restart_and_repeats_nothing() {
    let house = House::new(10).await;
    house.apply(&task("for: 4s")).await;
    let supervisor = house.app.supervise(quiet()).await.unwrap();
    let run = open(&house.app, "slow").await;
    let waiting = comes_to(&house.app, &run.id, RunState::Waiting).await;
    let resume_at = waiting.resume_at.unwrap();
    assert!(resume_at > store(&house.app).now(), "the time is shown");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(supervisor.driven().is_empty(), "nothing of it stays in memory");
    assert_eq!((house.copies("before"), house.copies("after")), (10, 0));
    // What was read before the wait is not read again, whatever happens to it.
    house
        .database("erp")
        .execute("delete from products where sku = 'S1'", [])
        .unwrap();
    supervisor.stop().await;
    assert_eq!(
        house.app.run(&run.id).unwrap().resume_at,
        Some(resume_at),
        "a restart does not begin it anew"
    );
    let supervisor = house.another().supervise(quiet()).await.unwrap();
    let ended = comes_to(&house.app, &run.id, RunState::Succeeded).await;
    assert!(ended.ended_at.unwrap() >= resume_at);
    assert_eq!(house.copies("after"), 9);
    assert_eq!(
        (ended.counts.read, ended.counts.written),
        (19, 19),
        "each was counted once"
    );
    assert_eq!(ended.resume_at, None);
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_has_passed_is_not_waited_for_and_no_time_is_refused() {
    let house = House::new(3).await;
    house.apply(&task("until: \"{{ variables.opens_at }}\"")).await;
    let run = house
        .app
        .run_task(&name("slow"), std::sync::Arc::new(|_| {}), Stop::default())
        .await
        .unwrap();
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.failure);
    assert_eq!(house.copies("after"), 3);
    house.apply(&task("until: \"{{ run.id }}\"")).await;
    let run = house
        .app
        .run_task(&name("slow"), std::sync::Arc::new(|_| {}), Stop::default())
        .await
        .unwrap();
    assert_eq!(run.state, RunState::NeedsAttention);
    let failure = run.failure.unwrap();
    assert!(failure.message.contains("`until` yields no time"), "{failure:?}");
}

#[test]
fn waits_that_cannot_be_meant_are_refused() {
    let problems = |text: &str| {
        let files = [("t.yaml".to_owned(), text.to_owned())];
        let (_, problems) = tailorbird_app::check_tasks(None, &files);
        problems
            .into_iter()
            .map(|(_, problem)| problem.message)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(problems(&task("for: 10m")), "");
    assert!(problems(&task("for: 10m, until: \"2026-12-24T18:00:00Z\"")).contains("either `for` or `until`"));
    assert!(problems(&task("")).contains("either `for` or `until`"));
    assert!(problems(&task("for: 400d")).contains("longer than 366d"));
    assert_ne!(problems(&task("for: soon")), "");
    assert!(problems(&task("until: \"{{ variables.closes_at }}\"")).contains("no variable `closes_at`"));
    let nested = "task: t\nsteps:\n  - { id: r, query: { database: erp, sql: select 1 } }\n  - id: each\n    for_each: { from: r, as: row, steps: [ { id: p, wait: { for: 1s } } ] }\n";
    assert!(
        problems(nested).contains("not inside a `for_each`"),
        "{}",
        problems(nested)
    );
}
