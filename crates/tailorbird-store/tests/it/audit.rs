//! The audit log: a line in the commit of its change, and none without one.

use tailorbird_store::{AuditFilter, MAX_AUDIT_PAGE, NewAudit};

use crate::bench::{Bench, name};

fn line(what: &'static str, object: &str) -> NewAudit {
    NewAudit {
        came_by: "account",
        who: "anna".to_owned(),
        what,
        object: object.to_owned(),
        detail: "100% of it".to_owned(),
        address: "192.0.2.7".to_owned(),
    }
}

fn all() -> AuditFilter {
    AuditFilter {
        limit: MAX_AUDIT_PAGE,
        ..AuditFilter::default()
    }
}

#[tokio::test]
async fn a_change_and_its_line_are_one_commit() {
    let bench = Bench::new();
    let store = &bench.store;
    store
        .apply_task(&name("news"), "task: news\nsteps: []\n")
        .await
        .unwrap();
    let commits = store.commits();
    let noting = store.noting(line("task.disabled", "news"));
    noting.set_task_enabled(&name("news"), false).await.unwrap();
    assert_eq!(store.commits(), commits + 1);
    // What follows belongs to the same change.
    noting.set_task_enabled(&name("news"), true).await.unwrap();
    let lines = store.audit(&all()).unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (
            lines[0].who.as_str(),
            lines[0].what.as_str(),
            lines[0].object.as_str()
        ),
        ("anna", "task.disabled", "news")
    );
}

#[tokio::test]
async fn what_fails_or_changes_nothing_leaves_no_line() {
    let bench = Bench::new();
    let store = &bench.store;
    let noting = store.noting(line("task.disabled", "none"));
    assert!(noting.set_task_enabled(&name("none"), false).await.is_err());
    assert_eq!(store.audit(&all()).unwrap(), []);
    let text = "task: news\nsteps: []\n";
    store.apply_task(&name("news"), text).await.unwrap();
    let noting = store.noting(line("task.changed", "news"));
    noting.apply_task(&name("news"), text).await.unwrap();
    assert_eq!(store.audit(&all()).unwrap(), []);
    // The line still stands there for the change that comes.
    noting
        .apply_task(&name("news"), "task: news\nsteps: [ ]\n")
        .await
        .unwrap();
    assert_eq!(store.audit(&all()).unwrap().len(), 1);
}

#[tokio::test]
async fn lines_are_found_paged_and_never_altered() {
    let bench = Bench::new();
    let store = &bench.store;
    for number in 0..30 {
        let what = if number % 3 == 0 {
            "run.opened"
        } else {
            "task.changed"
        };
        store.note(line(what, &format!("thing-{number}"))).await.unwrap();
    }
    let found = |filter: AuditFilter| store.audit(&AuditFilter { limit: 20, ..filter }).unwrap();
    let first = found(AuditFilter::default());
    assert_eq!(
        (first.len(), first[0].object.as_str(), first[19].object.as_str()),
        (20, "thing-29", "thing-10")
    );
    let second = found(AuditFilter {
        before: Some(first[19].id),
        ..AuditFilter::default()
    });
    assert_eq!((second.len(), second[0].object.as_str()), (10, "thing-9"));
    let with = |text: &str| {
        found(AuditFilter {
            text: text.to_owned(),
            ..AuditFilter::default()
        })
        .len()
    };
    assert_eq!(
        (with("THING-7"), with("100%"), with("1_0"), with("192.0.2.7")),
        (1, 20, 0, 20)
    );
    let of = |what: &str| {
        found(AuditFilter {
            what: what.to_owned(),
            ..AuditFilter::default()
        })
        .len()
    };
    assert_eq!(
        (of("run"), of("run.opened"), of("ru"), of("run.")),
        (10, 10, 0, 0)
    );
    let raw = bench.raw();
    for statement in [
        "UPDATE audit SET who = 'nobody'",
        "DELETE FROM audit WHERE id = 1",
    ] {
        let refused = raw.execute(statement, []).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
    store
        .note(NewAudit {
            detail: "ä".repeat(5_000),
            ..line("task.changed", "long")
        })
        .await
        .unwrap();
    assert_eq!(found(AuditFilter::default())[0].detail.chars().count(), 1_000);
}
