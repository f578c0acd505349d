//! Streams: chunks, ties, constant memory.

use std::ops::ControlFlow;

use tailorbird_database::{Chunk, DatabaseError, StreamOptions};
use tailorbird_model::Value;

use crate::bench::{Bench, none, told};

const ROWS: u32 = 100_000;
/// Resident memory that a stream may add, in KiB; the rows themselves take about ten times as much.
const MEMORY_KIB: u64 = 6 * 1024;

fn filled(rows: u32) -> Bench {
    let bench = Bench::new();
    bench
        .raw()
        .execute_batch(&format!(
            "CREATE TABLE events (id INTEGER PRIMARY KEY, at TIMESTAMP, text TEXT);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
             INSERT INTO events SELECT i, printf('2026-11-23 10:%02d:%02d', i / 600 % 60, i / 10 % 60),
                                       printf('event number %d with a text that takes some room', i) FROM n"
        ))
        .unwrap();
    bench
}

fn options(chunk_rows: usize, cursor: Option<&str>) -> StreamOptions {
    StreamOptions {
        chunk_rows,
        cursor_column: cursor.map(ToOwned::to_owned),
    }
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn many_rows_take_no_more_memory_than_few() {
    let bench = filled(ROWS);
    let mut link = bench.reader();
    let (mut seen, mut chunks, mut most) = (0_i64, 0, 0);
    let before = resident_kib();
    let read = link
        .stream(
            "SELECT * FROM events ORDER BY id",
            &none(),
            &options(500, None),
            |chunk| {
                assert_eq!(chunk.records.len(), 500);
                for record in &chunk.records {
                    seen += 1;
                    assert_eq!(record.get("id"), Some(&Value::Integer(seen)));
                }
                chunks += 1;
                most = most.max(resident_kib());
                Ok::<_, DatabaseError>(ControlFlow::Continue(()))
            },
        )
        .unwrap();
    assert_eq!((read, chunks), (u64::from(ROWS), ROWS / 500));
    let grown = most.saturating_sub(before);
    println!("{ROWS} rows, {grown} KiB more at most");
    assert!(grown < MEMORY_KIB, "{grown} KiB");
}

#[test]
fn the_sink_may_stop_and_its_error_comes_through() {
    let bench = filled(1000);
    let mut link = bench.reader();
    let sql = "SELECT id FROM events ORDER BY id";
    let read = link
        .stream(sql, &none(), &options(100, None), |_| {
            Ok::<_, DatabaseError>(ControlFlow::Break(()))
        })
        .unwrap();
    assert_eq!(read, 100);
    let own: Result<u64, String> = link
        .stream::<Own>(sql, &none(), &options(100, None), |_| Err(Own("mine".to_owned())))
        .map_err(|Own(text)| text);
    assert_eq!(own, Err("mine".to_owned()));
    assert_eq!(
        link.query(sql, &none(), 5000).unwrap().records.len(),
        1000,
        "the link still works"
    );
}

struct Own(String);

impl From<DatabaseError> for Own {
    fn from(error: DatabaseError) -> Self {
        Self(error.to_string())
    }
}

#[test]
fn ties_extend_a_chunk_and_the_cursor_keeps_the_databases_own_value() {
    let bench = filled(100);
    let mut link = bench.reader();
    let mut chunks: Vec<Chunk> = Vec::new();
    link.stream(
        "SELECT at, id FROM events ORDER BY at, id",
        &none(),
        &options(15, Some("at")),
        |chunk| {
            chunks.push(chunk);
            Ok::<_, DatabaseError>(ControlFlow::Continue(()))
        },
    )
    .unwrap();
    // Ten rows share each second, the first nine share the second 0.
    let sizes: Vec<_> = chunks.iter().map(|chunk| chunk.records.len()).collect();
    assert_eq!(sizes, [19, 20, 20, 20, 20, 1]);
    for chunk in &chunks {
        assert_eq!(chunk.cursor.len(), chunk.records.len());
    }
    assert_eq!(
        chunks[0].cursor.last(),
        Some(&Value::from("2026-11-23 10:00:01")),
        "as it is kept"
    );
    assert!(
        matches!(chunks[0].records[0].get("at"), Some(Value::Timestamp(_))),
        "as it is meant"
    );
    let mut rest = 0;
    let after = crate::bench::with(&[("cursor", chunks[0].cursor.last().unwrap().clone())]);
    link.stream(
        "SELECT id FROM events WHERE at > :cursor",
        &after,
        &options(1000, None),
        |chunk| {
            rest += chunk.records.len();
            Ok::<_, DatabaseError>(ControlFlow::Continue(()))
        },
    )
    .unwrap();
    assert_eq!(rest, 81, "the next run begins after the ties");
}

#[test]
fn a_cursor_column_must_be_there_and_nearly_unique() {
    let bench = filled(25_000);
    let mut link = bench.reader();
    let go_on = |_: Chunk| Ok::<_, DatabaseError>(ControlFlow::Continue(()));
    let failure = told(link.stream(
        "SELECT id, at FROM events",
        &none(),
        &options(10, Some("ad")),
        go_on,
    ));
    assert_eq!(failure.hint, "Did you mean id?");
    let constant = "SELECT id, 1 AS changed_at FROM events";
    let failure = told(link.stream(constant, &none(), &options(10, Some("changed_at")), go_on));
    assert!(
        failure
            .message
            .contains("more than 10000 rows have the same value"),
        "{}",
        failure.message
    );
}
