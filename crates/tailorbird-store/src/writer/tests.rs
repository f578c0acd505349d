//! What happens to jobs when their commit fails.

use rusqlite::Connection;
use secrecy::zeroize::Zeroizing;
use tempfile::TempDir;

use super::Writer;
use crate::clock::system_clock;
use crate::ledger::chain::Chain;
use crate::{Home, StoreError, schema};

fn writer() -> (TempDir, Home, Writer) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::create(folder.path().join("home")).unwrap();
    let connection = schema::open_writer(&home.ledger_path()).unwrap();
    let chain = Chain::new(Zeroizing::new(vec![7; 32]));
    let writer = Writer::start(connection, chain, system_clock()).unwrap();
    (folder, home, writer)
}

fn settings(home: &Home) -> Vec<String> {
    let connection = Connection::open(home.ledger_path()).unwrap();
    let mut statement = connection
        .prepare("SELECT name FROM setting WHERE name <> 'key_id' ORDER BY name")
        .unwrap();
    statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

async fn set(writer: &Writer, name: &'static str) -> Result<(), StoreError> {
    writer
        .write(move |writing| {
            writing
                .connection
                .execute("INSERT INTO setting (name, value) VALUES (?1, '')", [name])?;
            Ok(())
        })
        .await
}

/// Leaves a violated foreign key that is only checked at the commit, so that the commit itself fails.
async fn poison(writer: &Writer) -> Result<(), StoreError> {
    writer
        .write(|writing| {
            writing.connection.execute_batch(
                "PRAGMA defer_foreign_keys = ON;
                 INSERT INTO task_version (task, version, yaml, created_at) VALUES ('none', 1, '', 0)",
            )?;
            Ok(())
        })
        .await
}

#[tokio::test]
async fn a_job_that_fails_spoils_no_other() {
    let (_folder, home, writer) = writer();
    let failing = writer.write(|writing| {
        writing
            .connection
            .execute("INSERT INTO setting (name, value) VALUES ('half', '')", [])?;
        Err::<(), _>(StoreError::Stopped)
    });
    let (one, failed, two) = tokio::join!(set(&writer, "one"), failing, set(&writer, "two"));
    one.unwrap();
    two.unwrap();
    assert!(matches!(failed, Err(StoreError::Stopped)));
    assert_eq!(settings(&home), ["one", "two"], "and leaves nothing of its own");
}

async fn set_often(writer: &Writer, name: &'static str, value: &'static str) -> Result<(), StoreError> {
    writer
        .write_often(move |writing| {
            writing
                .connection
                .prepare_cached("INSERT INTO setting (name, value) VALUES (?1, ?2)")?
                .execute([name, value])?;
            if value == "fails" {
                return Err(StoreError::Stopped);
            }
            Ok(())
        })
        .await
}

#[tokio::test]
async fn a_frequent_job_that_fails_spoils_no_other_and_leaves_nothing() {
    let (_folder, home, writer) = writer();
    // All wait while the first job holds the thread, so they share a commit.
    let (release_first, released) = std::sync::mpsc::channel::<()>();
    let (starts, started) = tokio::sync::oneshot::channel();
    let first = writer.write(move |_| {
        starts.send(()).unwrap();
        released.recv().unwrap();
        Ok(())
    });
    let rest = async {
        started.await.unwrap();
        let together = async {
            tokio::join!(
                set_often(&writer, "a", ""),
                set_often(&writer, "b", "fails"),
                set(&writer, "c"),
                set_often(&writer, "d", "fails"),
                set_often(&writer, "e", ""),
            )
        };
        let release = async {
            tokio::task::yield_now().await;
            release_first.send(()).unwrap();
        };
        tokio::join!(together, release).0
    };
    let (first, (one, fails, two, fails_too, three)) = tokio::join!(first, rest);
    for answer in [first, one, two, three] {
        answer.unwrap();
    }
    for answer in [fails, fails_too] {
        assert!(matches!(answer, Err(StoreError::Stopped)), "{answer:?}");
    }
    assert_eq!(settings(&home), ["a", "c", "e"]);
    assert_eq!(writer.commits(), 2);
}

#[tokio::test]
async fn a_failed_commit_is_told_to_all_and_the_next_one_works() {
    let (_folder, home, writer) = writer();
    // The three wait while the first job holds the thread, so they share the next commit.
    let (release_first, released) = std::sync::mpsc::channel::<()>();
    let (starts, started) = tokio::sync::oneshot::channel();
    let first = writer.write(move |_| {
        starts.send(()).unwrap();
        released.recv().unwrap();
        Ok(())
    });
    let rest = async {
        started.await.unwrap();
        let together =
            async { tokio::join!(set_often(&writer, "a", ""), poison(&writer), set(&writer, "b")) };
        let release = async {
            tokio::task::yield_now().await;
            release_first.send(()).unwrap();
        };
        tokio::join!(together, release).0
    };
    let (first, (a, poisoned, b)) = tokio::join!(first, rest);
    first.unwrap();
    for answer in [a, poisoned, b] {
        assert!(matches!(answer, Err(StoreError::NotCommitted(_))), "{answer:?}");
    }
    assert_eq!(settings(&home), [""; 0]);
    set(&writer, "after").await.unwrap();
    assert_eq!(settings(&home), ["after"]);
    assert_eq!(writer.commits(), 2);
}

#[tokio::test]
async fn dropping_the_writer_finishes_what_waits() {
    let (_folder, home, writer) = writer();
    for name in ["1", "2", "3"] {
        writer.write_later(move |writing| {
            writing
                .connection
                .execute("INSERT INTO setting (name, value) VALUES (?1, '')", [name])?;
            Ok(())
        });
    }
    let name = writer.name().to_owned();
    drop(writer);
    assert_eq!(settings(&home), ["1", "2", "3"]);
    let connection = Connection::open(home.ledger_path()).unwrap();
    assert_eq!(
        super::mark(&connection, &name).unwrap(),
        None,
        "and takes its mark away"
    );
}
