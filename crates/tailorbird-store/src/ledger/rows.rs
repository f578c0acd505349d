//! Between the ledger's rows and the model's types.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, Row};
use tailorbird_model::Name;
use tailorbird_model::delivery::{Delivery, DeliveryId, DeliveryIdentity, DeliveryState, Destination};
use tailorbird_model::key::DeliveryKey;
use tailorbird_model::run::RunId;

use super::Lane;
use crate::codec::{count, from_json, from_optional_json, optional_time, parse, path, time, unreadable};
use crate::{StoreError, entropy};

/// All that [`delivery`] reads; the caller adds the condition.
pub(crate) const SELECT_DELIVERY: &str = "SELECT d.id, l.task, l.step, l.destination, d.key_hash, d.state, d.run,
    d.connection, d.operation, d.attempts, d.fingerprint, d.not_before, d.attempted_at, d.delivered_at, d.settled,
    d.updated_at, c.key, c.input, c.request, c.result, c.failure
    FROM delivery d JOIN lane l ON l.id = d.lane LEFT JOIN delivery_content c ON c.delivery = d.id";

/// Reads a delivery. One whose content was dropped by retention has an empty input and names its key by hash.
pub(crate) fn delivery(row: &Row<'_>) -> Result<Delivery, StoreError> {
    let (task, step): (String, String) = (row.get("task")?, row.get("step")?);
    let (connection, operation): (String, String) = (row.get("connection")?, row.get("operation")?);
    let state: String = row.get("state")?;
    let key = match row.get::<_, Option<String>>("key")? {
        Some(key) => key,
        None => format!("sha256:{}", entropy::hex(&row.get::<_, [u8; 32]>("key_hash")?)),
    };
    let input = match row.get::<_, Option<String>>("input")? {
        Some(input) => from_json("input", &input)?,
        None => tailorbird_model::Record::from_pairs([]),
    };
    Ok(Delivery {
        id: DeliveryId(row.get("id")?),
        identity: DeliveryIdentity {
            task: parse("task", &task)?,
            step: path("step", &step)?,
            destination: Destination(row.get("destination")?),
            key: DeliveryKey::from_text(&key).map_err(|problem| unreadable("key", &problem))?,
        },
        run: RunId(row.get("run")?),
        connection: parse("connection", &connection)?,
        operation: parse("operation", &operation)?,
        state: parse("delivery state", &state)?,
        attempts: count("attempts", row.get("attempts")?)?,
        input,
        request: from_optional_json("request", row.get("request")?)?.unwrap_or_default(),
        fingerprint: row.get("fingerprint")?,
        result: from_optional_json("result", row.get("result")?)?,
        failure: from_optional_json("failure", row.get("failure")?)?,
        not_before: optional_time(row, "not_before")?,
        attempted_at: optional_time(row, "attempted_at")?,
        delivered_at: optional_time(row, "delivered_at")?,
        settled: row.get("settled")?,
        updated_at: time(row, "updated_at")?,
    })
}

/// Reads the deliveries that a condition (`WHERE …`) names.
pub(crate) fn deliveries(
    db: &Connection,
    condition: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Delivery>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{SELECT_DELIVERY} {condition}"))?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(delivery(row)?);
    }
    Ok(found)
}

/// The state of a delivery, read from its word.
pub(crate) fn state(word: &str) -> Result<DeliveryState, StoreError> {
    parse("delivery state", word)
}

/// A lane's number, if it has ever been used.
pub(crate) fn find_lane(db: &Connection, lane: &Lane) -> Result<Option<i64>, StoreError> {
    Ok(db
        .prepare_cached("SELECT id FROM lane WHERE task = ?1 AND step = ?2 AND destination = ?3")?
        .query_row(
            (lane.task.as_str(), lane.step.as_str(), &lane.destination.0),
            |row| row.get(0),
        )
        .optional()?)
}

/// A lane's number; made where the lane is new.
pub(crate) fn make_lane(db: &Connection, lane: &Lane) -> Result<i64, StoreError> {
    if let Some(id) = find_lane(db, lane)? {
        return Ok(id);
    }
    db.execute(
        "INSERT INTO lane (task, step, destination) VALUES (?1, ?2, ?3)",
        (lane.task.as_str(), lane.step.as_str(), &lane.destination.0),
    )?;
    Ok(db.last_insert_rowid())
}

/// Lane numbers of one batch, each looked for once.
#[derive(Default)]
pub(crate) struct Lanes(HashMap<Lane, i64>);

impl Lanes {
    pub(crate) fn id(&mut self, db: &Connection, lane: Lane) -> Result<i64, StoreError> {
        if let Some(id) = self.0.get(&lane) {
            return Ok(*id);
        }
        let id = make_lane(db, &lane)?;
        self.0.insert(lane, id);
        Ok(id)
    }
}

/// Reads a lane.
pub(crate) fn lane(row: &Row<'_>) -> Result<Lane, StoreError> {
    let (task, step): (String, String) = (row.get("task")?, row.get("step")?);
    let task: Name = parse("task", &task)?;
    Ok(Lane {
        task,
        step: path("step", &step)?,
        destination: Destination(row.get("destination")?),
    })
}
