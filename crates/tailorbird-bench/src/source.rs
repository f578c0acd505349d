//! The business database of the measurements: a table of orders in SQLite.

use std::path::Path;

use anyhow::Result;
use rusqlite::Connection;

/// Makes the table with so many rows, numbered from `first`.
pub(crate) fn make(path: &Path, first: u64, rows: u64) -> Result<()> {
    let mut db = Connection::open(path)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS orders (
             id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, total TEXT NOT NULL, sent TEXT) STRICT",
    )?;
    let all = db.transaction()?;
    {
        let mut insert = all.prepare("INSERT INTO orders (id, customer, total) VALUES (?1, ?2, ?3)")?;
        for number in first..first.saturating_add(rows) {
            let total = format!("{}.{:02}", number % 1_000, number % 100);
            insert.execute((i64::try_from(number)?, i64::try_from(number % 997)?, total))?;
        }
    }
    all.commit()?;
    Ok(())
}

/// Synced commits of one row a second that this disk does now, as a program makes them one after another.
pub(crate) fn syncs_a_second(folder: &Path) -> Result<f64> {
    const COMMITS: u32 = 500;
    let path = folder.join("disk.db");
    let db = Connection::open(&path)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.execute_batch("CREATE TABLE one (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT")?;
    let started = std::time::Instant::now();
    for number in 0..COMMITS {
        db.prepare_cached("INSERT INTO one (text) VALUES (?1)")?
            .execute([number.to_string()])?;
    }
    Ok(f64::from(COMMITS) / started.elapsed().as_secs_f64())
}
