//! Sessions of browsers: one for each ticket, and no longer than they may; and what the front page sums.

use tailorbird_model::run::{Counts, RunInput, RunState};
use tailorbird_store::RunChange;

use crate::bench::{Bench, name};

const HOUR: i64 = 3_600;

#[tokio::test]
async fn a_ticket_opens_one_session_and_only_its_digest_is_kept() {
    let bench = Bench::new();
    let store = &bench.store;
    let ticket = store.add_ticket().await.unwrap();
    assert_eq!(ticket.len(), 64);
    assert!(store.open_session("guess").await.unwrap().is_none());
    let session = store.open_session(&ticket).await.unwrap().unwrap();
    assert!(store.open_session(&ticket).await.unwrap().is_none(), "used");
    let found = store.session(&session).await.unwrap().unwrap();
    assert_ne!(found.form_token, session, "a page may hold it");
    assert!(store.session(&ticket).await.unwrap().is_none());
    let raw = bench.raw();
    for table in ["ticket", "session"] {
        let count: i64 = raw
            .query_row(
                &format!("SELECT count(*) FROM {table} WHERE hex(digest) IN (upper(?1), upper(?2))"),
                [&ticket, &session],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(count, 0, "{table}");
    }
    store.end_session(&session).await.unwrap();
    assert!(store.session(&session).await.unwrap().is_none());
}

#[tokio::test]
async fn tickets_and_sessions_run_out() {
    let bench = Bench::new();
    let store = &bench.store;
    let late = store.add_ticket().await.unwrap();
    bench.advance(HOUR + 1);
    assert!(store.open_session(&late).await.unwrap().is_none(), "an hour");
    let ticket = store.add_ticket().await.unwrap();
    let session = store.open_session(&ticket).await.unwrap().unwrap();
    // Used every eleven hours it stands, for thirty days.
    for _ in 0..60 {
        bench.advance(11 * HOUR);
        assert!(store.session(&session).await.unwrap().is_some());
    }
    bench.advance(12 * HOUR + 1);
    assert!(store.session(&session).await.unwrap().is_none(), "idle");
    let ticket = store.add_ticket().await.unwrap();
    let session = store.open_session(&ticket).await.unwrap().unwrap();
    bench.advance(-13 * HOUR);
    assert!(
        store.session(&session).await.unwrap().is_none(),
        "a clock that was set back"
    );
    bench.advance(13 * HOUR);
    for _ in 0..66 {
        bench.advance(11 * HOUR);
        drop(store.session(&session).await.unwrap());
    }
    assert!(store.session(&session).await.unwrap().is_none(), "thirty days");
}

#[tokio::test]
async fn there_are_never_too_many_of_them() {
    let bench = Bench::new();
    let store = &bench.store;
    let first = store.add_ticket().await.unwrap();
    for _ in 0..16 {
        bench.advance(1);
        store.add_ticket().await.unwrap();
    }
    assert!(
        store.open_session(&first).await.unwrap().is_none(),
        "the oldest made room"
    );
    let mut sessions = Vec::new();
    for _ in 0..65 {
        bench.advance(1);
        let ticket = store.add_ticket().await.unwrap();
        sessions.push(store.open_session(&ticket).await.unwrap().unwrap());
    }
    assert!(store.session(&sessions[0]).await.unwrap().is_none());
    assert!(store.session(&sessions[64]).await.unwrap().is_some());
}

#[tokio::test]
async fn the_day_is_summed_by_hour_and_task() {
    let bench = Bench::new();
    let store = &bench.store;
    for task in ["a", "b"] {
        store.apply_task(&name(task), "task: x").await.unwrap();
    }
    let began = bench.now();
    for (task, wait, delivered, state) in [
        ("a", 0, 3, RunState::Succeeded),
        ("a", 0, 4, RunState::Failed),
        ("b", 0, 1, RunState::Cancelled),
        ("a", 2 * HOUR, 5, RunState::Succeeded),
        ("a", 0, 100, RunState::Running),
    ] {
        bench.advance(wait);
        let run = store
            .open_run_with(&name(task), 1, RunState::Running, RunInput::manual())
            .await
            .unwrap();
        let change = RunChange {
            state: Some(state),
            counts: Some(Counts {
                delivered,
                ..Counts::default()
            }),
            ..RunChange::default()
        };
        store.change_run(&run.id, change).await.unwrap();
    }
    let day = store.hour_figures(began).unwrap();
    let told: Vec<(String, u64, u64, u64)> = day
        .iter()
        .map(|hour| {
            (
                hour.task.to_string(),
                hour.runs,
                hour.failed,
                hour.counts.delivered,
            )
        })
        .collect();
    let expected = [("a", 2, 1, 7), ("b", 1, 0, 1), ("a", 1, 0, 5)];
    assert_eq!(
        told,
        expected.map(|(task, runs, failed, sent)| (task.to_owned(), runs, failed, sent))
    );
    assert!(day[0].from <= began && day[0].from < day[2].from);
    assert_eq!(store.hour_figures(bench.after(1)).unwrap(), []);
}
