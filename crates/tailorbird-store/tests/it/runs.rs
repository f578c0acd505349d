//! Runs and how far they have come.

use tailorbird_model::Failure;
use tailorbird_model::run::{Counts, RunState};
use tailorbird_store::{CursorMove, RunChange, RunFilter, RunRequest, StepProgress, StepState};

use crate::bench::{Bench, failure, name, run};

#[tokio::test]
async fn a_run_goes_on_where_it_was() {
    let bench = Bench::new();
    let opened = bench
        .store
        .open_run(&name("announce"), 3, RunState::Running)
        .await
        .unwrap();
    let mut progress = StepProgress::new("/products");
    progress.chunk = 5;
    progress.cursor = Some(serde_json::json!({ "after": "B-7" }));
    progress.counts.read = 500;
    let change = RunChange {
        counts: Some(Counts {
            read: 500,
            delivered: 480,
            ..Counts::default()
        }),
        steps: vec![progress.clone()],
        cursors: vec![CursorMove {
            step: name("products"),
            value: serde_json::json!("B-7"),
        }],
        ..RunChange::default()
    };
    bench.store.change_run(&opened.id, change).await.unwrap();
    let bench = bench.restart();
    let stored = bench.store.run(&opened.id).unwrap().unwrap();
    assert_eq!(
        (stored.state, stored.task_version, stored.counts.delivered),
        (RunState::Running, 3, 480)
    );
    assert_eq!(bench.store.run_steps(&opened.id).unwrap(), [progress.clone()]);
    let cursor = bench
        .store
        .step_cursor(&name("announce"), &name("products"))
        .unwrap();
    assert_eq!(cursor, Some(serde_json::json!("B-7")));

    progress.state = StepState::Done;
    progress.failure = Some(failure());
    let change = RunChange {
        steps: vec![progress.clone()],
        ..RunChange::default()
    };
    bench.store.change_run(&opened.id, change).await.unwrap();
    assert_eq!(bench.store.run_steps(&opened.id).unwrap(), [progress]);
}

#[tokio::test]
async fn states_failures_and_times_are_set_and_cleared() {
    let bench = Bench::new();
    let id = bench
        .store
        .open_run(&name("announce"), 1, RunState::Running)
        .await
        .unwrap()
        .id;
    let wait = RunChange {
        state: Some(RunState::Waiting),
        failure: Some(Some(failure())),
        resume_at: Some(Some(bench.after(900))),
        ..RunChange::default()
    };
    let waiting = bench.store.change_run(&id, wait).await.unwrap();
    assert_eq!(
        (waiting.resume_at, waiting.ended_at),
        (Some(bench.after(900)), None)
    );
    bench.advance(900);
    let end = RunChange {
        state: Some(RunState::Succeeded),
        failure: Some(None),
        resume_at: Some(None),
        ..RunChange::default()
    };
    let ended = bench.store.change_run(&id, end).await.unwrap();
    assert_eq!(
        (ended.ended_at, ended.failure.clone(), ended.resume_at),
        (Some(bench.now()), None, None)
    );
    assert_eq!(bench.store.run(&id).unwrap(), Some(ended));
    // A doubt that is settled later reopens the run's tail (rule 17).
    let reopen = RunChange {
        state: Some(RunState::Running),
        ..RunChange::default()
    };
    assert_eq!(bench.store.change_run(&id, reopen).await.unwrap().ended_at, None);
    let missing = Failure::from(
        bench
            .store
            .change_run(&run(9), RunChange::default())
            .await
            .unwrap_err(),
    );
    assert_eq!(missing.code, "RUN-001");
}

#[tokio::test]
async fn runs_are_listed_newest_first_and_paged() {
    let bench = Bench::new();
    let mut ids = Vec::new();
    for task in ["a", "b", "a"] {
        bench.advance(1);
        ids.push(
            bench
                .store
                .open_run(&name(task), 1, RunState::Running)
                .await
                .unwrap()
                .id,
        );
    }
    let list = |filter: &RunFilter| -> Vec<_> {
        bench
            .store
            .runs(filter)
            .unwrap()
            .into_iter()
            .map(|one| one.id)
            .collect()
    };
    let all = RunFilter {
        limit: 10,
        ..RunFilter::default()
    };
    assert_eq!(list(&all), [ids[2].clone(), ids[1].clone(), ids[0].clone()]);
    assert_eq!(
        list(&RunFilter {
            task: Some(name("a")),
            ..all.clone()
        }),
        [ids[2].clone(), ids[0].clone()]
    );
    assert_eq!(
        list(&RunFilter {
            after: Some(ids[2].clone()),
            limit: 1,
            ..all.clone()
        }),
        [ids[1].clone()]
    );
    let done = RunChange {
        state: Some(RunState::Succeeded),
        ..RunChange::default()
    };
    bench.store.change_run(&ids[0], done).await.unwrap();
    assert_eq!(
        list(&RunFilter {
            states: vec![RunState::Succeeded],
            ..all
        }),
        [ids[0].clone()]
    );
    assert!(ids[0].0.starts_with("run-2026"), "{}", ids[0]);
}

#[tokio::test]
async fn a_request_is_taken_up_once() {
    let bench = Bench::new();
    let id = bench
        .store
        .open_run(&name("a"), 1, RunState::Running)
        .await
        .unwrap()
        .id;
    assert_eq!(bench.store.take_run_request(&id).await.unwrap(), None);
    bench.store.request_run(&id, RunRequest::Pause).await.unwrap();
    bench.store.request_run(&id, RunRequest::Cancel).await.unwrap();
    assert_eq!(bench.store.run_request(&id).unwrap(), Some(RunRequest::Cancel));
    assert_eq!(
        bench.store.take_run_request(&id).await.unwrap(),
        Some(RunRequest::Cancel)
    );
    assert_eq!(bench.store.take_run_request(&id).await.unwrap(), None);
    assert!(
        bench
            .store
            .request_run(&run(9), RunRequest::Cancel)
            .await
            .is_err()
    );
}
