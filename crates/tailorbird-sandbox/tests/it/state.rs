//! The state file: what was answered is there after any end.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};
use tailorbird_sandbox::{JournalError, Settings, StartError, start};

use crate::client::{Client, provider};

fn settings(path: &Path) -> Settings {
    Settings {
        state: Some(path.to_owned()),
        ..Settings::default()
    }
}

/// The same keys at another sandbox's address.
fn moved(client: &Client, address: std::net::SocketAddr) -> Client {
    Client {
        address,
        host: address.to_string(),
        ..client.clone()
    }
}

#[tokio::test]
async fn everything_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.jsonl");
    let first = provider(settings(&path)).await;
    let client = first.authorized("read_write").await;
    let open = first.application("read", &[]).await.temporary().await;
    let pin = first.approve(&open).await;
    assert_eq!(client.post("Still here").await.status, 201);
    assert_eq!(client.post("Still here").await.status, 403);
    first.admin("POST", "clock", json!({ "advance_s": 100 })).await;
    first.running.stop().await;

    let second = provider(settings(&path)).await;
    let client = moved(&client, second.address);
    assert_eq!(second.admin("GET", "clock", Value::Null).await["ahead_s"], 100);
    assert_eq!(
        client.get("/2/users/me").await.header("x-access-level"),
        Some("read-write")
    );
    let posts = second.admin("GET", "posts", Value::Null).await;
    assert_eq!(
        (&posts["accepted"], &posts["refused_duplicates"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        client.post("Still here").await.status,
        403,
        "the duplicate rule remembers"
    );
    let open = moved(&open, second.address);
    assert_eq!(
        open.access_token(&pin).await.status,
        200,
        "a flow goes on over a restart"
    );
    let mentions = client
        .get(&format!(
            "/2/users/{}/mentions?max_results=100",
            client.token.as_ref().unwrap().0.split('-').next().unwrap()
        ))
        .await;
    assert_eq!(
        mentions.json()["meta"]["result_count"],
        100,
        "the seed was not made twice"
    );
    second.running.stop().await;
}

#[tokio::test]
async fn a_torn_last_line_is_dropped_and_writing_goes_on_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.jsonl");
    let first = provider(settings(&path)).await;
    let client = first.authorized("read_write").await;
    assert_eq!(client.post("one").await.status, 201);
    first.running.stop().await;
    let whole = std::fs::read(&path).unwrap();
    for torn in [
        &b"[{\"event\":\"post_acc"[..],
        b"[",
        b"\0\0\0\0",
        b"[{\"event\":\"nonsense\"}]\n",
    ] {
        std::fs::write(&path, &whole).unwrap();
        std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(torn)
            .unwrap();
        let again = provider(settings(&path)).await;
        assert_eq!(moved(&client, again.address).post("two").await.status, 201);
        again.running.stop().await;
        let last = provider(settings(&path)).await;
        assert_eq!(
            last.admin("GET", "posts", Value::Null).await["accepted"],
            2,
            "{torn:?}"
        );
        last.running.stop().await;
    }
}

#[tokio::test]
async fn a_file_cut_anywhere_opens_as_a_beginning_of_the_story() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.jsonl");
    let first = provider(settings(&path)).await;
    let client = first.authorized("read_write").await;
    for text in ["one", "two", "three"] {
        assert_eq!(client.post(text).await.status, 201);
    }
    first.running.stop().await;
    let whole = std::fs::read(&path).unwrap();
    let posts_begin = whole.len() - 2_000;
    let mut seen = Vec::new();
    for length in (posts_begin..=whole.len())
        .step_by(97)
        .chain([0, 5, 40, whole.len()])
    {
        std::fs::write(&path, &whole[..length]).unwrap();
        let again = provider(settings(&path)).await;
        seen.push(
            again.admin("GET", "posts", Value::Null).await["accepted"]
                .as_u64()
                .unwrap(),
        );
        again.running.stop().await;
    }
    assert!(
        seen.contains(&3) && seen.contains(&0) && seen.iter().any(|count| (1..3).contains(count)),
        "{seen:?}"
    );
}

#[tokio::test]
async fn damage_in_the_middle_foreign_files_and_a_second_sandbox_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.jsonl");
    let first = provider(settings(&path)).await;
    assert!(matches!(
        start(settings(&path)).await,
        Err(StartError::State(JournalError::InUse { .. }))
    ));
    first.running.stop().await;
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{whole}[{{\"event\"\n{}", "[]\n")).unwrap();
    let refused = start(settings(&path)).await.err().unwrap();
    assert!(
        matches!(refused, StartError::State(JournalError::Damaged { line: 3, .. })),
        "{refused:?}"
    );
    std::fs::write(&path, "name,price\nteapot,12\n").unwrap();
    assert!(matches!(
        start(settings(&path)).await,
        Err(StartError::State(JournalError::Foreign { .. }))
    ));
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "name,price\nteapot,12\n",
        "it was left alone"
    );
}

#[tokio::test]
async fn what_was_answered_is_in_the_file_at_that_moment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.jsonl");
    let provider = provider(settings(&path)).await;
    let client = provider.authorized("read_write").await;
    let calls = (0..40).map(|number| {
        let (client, path) = (client.clone(), path.clone());
        tokio::spawn(async move {
            let text = format!("parallel {number}!");
            let answer = client.post(&text).await;
            assert_eq!(answer.status, 201, "{}", answer.text());
            assert!(std::fs::read_to_string(&path).unwrap().contains(&text));
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    provider.running.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_state_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.jsonl");
    let running = start(settings(&path)).await.unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    running.stop().await;
}
