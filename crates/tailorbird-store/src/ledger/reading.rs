//! Reading the ledger: what is due, what later steps still need, lists, one delivery's story.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};
use tailorbird_model::Name;
use tailorbird_model::delivery::{Delivery, DeliveryId, DeliveryIdentity, DeliveryState, Destination, Event};
use tailorbird_model::key::DeliveryKey;
use tailorbird_model::run::{Counts, RunId};

use super::rows::{self, deliveries, find_lane};
use super::{Attempt, Decision, Lane, LookUp, Story, key_hash};
use crate::codec::{from_json, from_micros, from_optional_json, optional_time, time, to_json, whole};
use crate::error::Kind;
use crate::{Store, StoreError, approvals};

/// How many deliveries one page of a list may hold.
pub const MAX_DELIVERY_PAGE: u32 = 10_000;

/// How many candidates an ambiguous key lists.
const MAX_CANDIDATES: u32 = 20;

/// Which deliveries to list. Pages follow by [`DeliveryFilter::after`], so a list never skips or repeats one
/// because others change meanwhile.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// Only in these states; empty means all.
    pub states: Vec<DeliveryState>,
    /// Only of this task.
    pub task: Option<Name>,
    /// Only of this step.
    pub step: Option<Name>,
    /// Only those that this run touched last.
    pub run: Option<RunId>,
    /// Only over this connection.
    pub connection: Option<Name>,
    /// Only those whose key contains this text; letter case does not matter for A to Z.
    pub key_contains: Option<String>,
    /// Only those whose whole key fits this pattern: `*` is any text, `?` any one character.
    pub key_pattern: Option<String>,
    /// Only those that changed at this time or later.
    pub since: Option<Timestamp>,
    /// Only those whose failure has this code.
    pub code: Option<String>,
    /// Only those after this one.
    pub after: Option<DeliveryId>,
    /// At most so many; at most [`MAX_DELIVERY_PAGE`].
    pub limit: u32,
}

impl Store {
    /// Pending deliveries that may be sent now, in the order of their enrolment.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn due(&self, lane: &Lane, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        let now = (self.clock())().as_microsecond();
        self.of_lane(
            lane,
            "WHERE d.lane = ?1 AND d.state = 'pending' AND (d.not_before IS NULL OR d.not_before <= ?3)
             ORDER BY d.id LIMIT ?2",
            limit,
            Some(now),
        )
    }

    /// When the next pending delivery of a lane may be sent; a time in the past means now.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn next_due_at(&self, lane: &Lane) -> Result<Option<Timestamp>, StoreError> {
        let now = (self.clock())().as_microsecond();
        self.read(|db| {
            let Some(lane) = find_lane(db, lane)? else {
                return Ok(None);
            };
            // Two looks at indexes in place of one at every row that waits.
            db.prepare_cached(
                "SELECT CASE WHEN EXISTS (SELECT 1 FROM delivery
                                          WHERE lane = ?1 AND state = 'pending' AND not_before IS NULL)
                        THEN ?2
                        ELSE (SELECT min(not_before) FROM delivery
                              WHERE lane = ?1 AND state = 'pending' AND not_before IS NOT NULL) END",
            )?
            .query_row((lane, now), |row| row.get::<_, Option<i64>>(0))?
            .map(from_micros)
            .transpose()
        })
    }

    /// How many deliveries of a lane nobody knows about yet.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn in_doubt_count(&self, lane: &Lane) -> Result<u64, StoreError> {
        self.read(|db| {
            let Some(lane) = find_lane(db, lane)? else {
                return Ok(0);
            };
            Ok(db
                .prepare_cached("SELECT count(*) FROM delivery WHERE lane = ?1 AND state = 'in_doubt'")?
                .query_row([lane], |row| whole(row, 0))?)
        })
    }

    /// Delivered, and not yet taken up by the later steps (rule 17), in the order of their enrolment.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn unsettled(&self, lane: &Lane, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        self.of_lane(
            lane,
            "WHERE d.lane = ?1 AND d.state = 'delivered' AND d.settled = 0 ORDER BY d.id LIMIT ?2",
            limit,
            None,
        )
    }

    /// Deliveries of a lane that nobody knows about yet, after a number.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn in_doubt_after(
        &self,
        lane: &Lane,
        after: DeliveryId,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.of_lane(
            lane,
            "WHERE d.lane = ?1 AND d.state = 'in_doubt' AND d.id > ?3 ORDER BY d.id LIMIT ?2",
            limit,
            Some(after.0),
        )
    }

    fn of_lane(
        &self,
        lane: &Lane,
        condition: &str,
        limit: u32,
        third: Option<i64>,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.read(|db| {
            let Some(lane) = find_lane(db, lane)? else {
                return Ok(Vec::new());
            };
            let limit = limit.min(MAX_DELIVERY_PAGE);
            match third {
                Some(third) => deliveries(db, condition, (lane, limit, third)),
                None => deliveries(db, condition, (lane, limit)),
            }
        })
    }

    /// Lists deliveries in the order of their enrolment.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        let (condition, mut parameters) = condition(filter)?;
        parameters.push(filter.limit.min(MAX_DELIVERY_PAGE).into());
        self.read(|db| {
            deliveries(
                db,
                &format!("WHERE {condition} ORDER BY d.id LIMIT ?{}", parameters.len()),
                params_from_iter(&parameters),
            )
        })
    }

    /// Counts the deliveries that a filter fits, by state; its limit counts for nothing.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn count_deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<(DeliveryState, u64)>, StoreError> {
        let (condition, parameters) = condition(filter)?;
        self.read(|db| {
            let mut statement = db.prepare_cached(&format!(
                "SELECT d.state, count(*) FROM delivery d JOIN lane l ON l.id = d.lane
                 LEFT JOIN delivery_content c ON c.delivery = d.id WHERE {condition} GROUP BY d.state"
            ))?;
            let mut rows = statement.query(params_from_iter(&parameters))?;
            let mut counts = Vec::new();
            while let Some(row) = rows.next()? {
                let word: String = row.get(0)?;
                counts.push((rows::state(&word)?, whole(row, 1)?));
            }
            Ok(counts)
        })
    }

    /// A delivery by its number.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        self.read(|db| deliveries(db, "WHERE d.id = ?1", [id.0]).map(|mut found| found.pop()))
    }

    /// The delivery with that identity.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn delivery_of(&self, identity: &DeliveryIdentity) -> Result<Option<Delivery>, StoreError> {
        self.read(|db| {
            let condition = "WHERE d.key_hash = ?1 AND l.task = ?2 AND l.step = ?3 AND l.destination = ?4";
            let identity = (
                key_hash(&identity.key),
                identity.task.as_str(),
                identity.step.as_str(),
                &identity.destination.0,
            );
            deliveries(db, condition, identity).map(|mut found| found.pop())
        })
    }

    /// A delivery by what a person types: its key, its number, or `#` and its number where the number is also
    /// somebody's key.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] where nothing matches, [`StoreError::Ambiguous`] with a list where several do.
    pub fn find_delivery(&self, text: &str) -> Result<Delivery, StoreError> {
        self.read(|db| {
            let mut found = match text
                .strip_prefix('#')
                .and_then(|number| number.parse::<i64>().ok())
            {
                Some(number) => deliveries(db, "WHERE d.id = ?1", [number])?,
                None => by_key_or_number(db, text)?,
            };
            match (found.pop(), found.is_empty()) {
                (Some(only), true) => Ok(only),
                (None, _) => Err(StoreError::Unknown {
                    kind: Kind::Delivery,
                    name: text.to_owned(),
                }),
                (Some(last), false) => {
                    found.push(last);
                    let candidates = found.iter().map(|delivery| {
                        let identity = &delivery.identity;
                        format!(
                            "#{} {} of {}/{} to {}",
                            delivery.id, identity.key, identity.task, identity.step, identity.destination.0
                        )
                    });
                    Err(StoreError::Ambiguous {
                        text: text.to_owned(),
                        candidates: candidates.collect(),
                    })
                }
            }
        })
    }

    /// What a run made of its deliveries: only those it touched last count, by the state they are in. Records
    /// whose release a person refused are skipped, those that nobody released in time are rejected.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn run_delivery_counts(&self, run: &RunId) -> Result<Counts, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached("SELECT state, number FROM run_tally WHERE run = ?1")?;
            let mut rows = statement.query([&run.0])?;
            let mut counts = Counts::default();
            while let Some(row) = rows.next()? {
                let (word, number): (String, u64) = (row.get(0)?, whole(row, 1)?);
                match rows::state(&word)? {
                    DeliveryState::Delivered => counts.delivered = number,
                    DeliveryState::Rejected => counts.rejected = number,
                    DeliveryState::InDoubt => counts.in_doubt = number,
                    DeliveryState::Skipped => counts.skipped = number,
                    DeliveryState::Pending | DeliveryState::Sending => {}
                }
            }
            let (expired, refused) = approvals::ended_of_run(db, run)?;
            counts.rejected += expired;
            counts.skipped += refused;
            Ok(counts)
        })
    }

    /// Where the counting of a run's threshold begins: rejected ones and all with an outcome, as they stood when it
    /// last stopped the run.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn threshold_base(&self, run: &RunId) -> Result<(u64, u64), StoreError> {
        self.read(|db| {
            let found = db
                .prepare_cached("SELECT rejected, ended FROM run_threshold WHERE run = ?1")?
                .query_row([&run.0], |row| Ok((whole(row, 0)?, whole(row, 1)?)))
                .optional()?;
            Ok(found.unwrap_or_default())
        })
    }

    /// Of the given ids of a provider, those that some delivery to that destination already holds. A look-up
    /// must not settle on them (rule 10): two rows with the same text would share one post.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn known_result_ids(
        &self,
        destination: &Destination,
        candidates: &[String],
    ) -> Result<HashSet<String>, StoreError> {
        let candidates = to_json("candidates", &candidates)?;
        self.read(|db| {
            let known = db
                .prepare_cached(
                    "SELECT DISTINCT d.result_id FROM json_each(?1) j
                     JOIN delivery d ON d.result_id = j.value AND d.result_id IS NOT NULL
                     JOIN lane l ON l.id = d.lane AND l.destination = ?2",
                )?
                .query_map((candidates, &destination.0), |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            Ok(known)
        })
    }

    /// All that is known of one delivery.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] where there is none.
    pub fn story(&self, id: DeliveryId) -> Result<Story, StoreError> {
        self.read(|db| {
            let delivery =
                deliveries(db, "WHERE d.id = ?1", [id.0])?
                    .pop()
                    .ok_or_else(|| StoreError::Unknown {
                        kind: Kind::Delivery,
                        name: format!("#{id}"),
                    })?;
            Ok(Story {
                delivery,
                attempts: attempts(db, id)?,
                look_ups: look_ups(db, id)?,
                decisions: decisions(db, id)?,
            })
        })
    }
}

/// What a filter asks for, as SQL over `delivery d`, `lane l` and `delivery_content c`. Only what is asked for
/// stands there, so that the database can choose an index.
fn condition(filter: &DeliveryFilter) -> Result<(String, Vec<SqlValue>), StoreError> {
    let mut parts = vec!["d.id > ?1".to_owned()];
    let mut parameters: Vec<SqlValue> = vec![filter.after.map_or(0, |id| id.0).into()];
    let mut ask = |sql: &str, value: Option<SqlValue>| {
        if let Some(value) = value {
            parameters.push(value);
            parts.push(sql.replace('#', &format!("?{}", parameters.len())));
        }
    };
    let text = |text: &str| SqlValue::from(text.to_owned());
    match filter.states.as_slice() {
        [] => {}
        [one] => ask("d.state = #", Some(text(one.as_str()))),
        several => {
            let words: Vec<&str> = several.iter().map(|state| state.as_str()).collect();
            let words = to_json("states", &words)?;
            ask("d.state IN (SELECT value FROM json_each(#))", Some(words.into()));
        }
    }
    ask("l.task = #", filter.task.as_ref().map(|name| text(name.as_str())));
    ask("l.step = #", filter.step.as_ref().map(|name| text(name.as_str())));
    ask("d.run = #", filter.run.as_ref().map(|run| text(&run.0)));
    ask(
        "d.connection = #",
        filter.connection.as_ref().map(|name| text(name.as_str())),
    );
    ask(
        "instr(lower(c.key), lower(#)) > 0",
        filter.key_contains.as_deref().map(text),
    );
    // An opening bracket begins a set of characters in SQLite's patterns; here it is one.
    ask(
        "c.key GLOB #",
        filter
            .key_pattern
            .as_ref()
            .map(|pattern| text(&pattern.replace('[', "[[]"))),
    );
    ask(
        "d.updated_at >= #",
        filter.since.map(|at| at.as_microsecond().into()),
    );
    ask(
        "json_extract(c.failure, '$.code') = #",
        filter.code.as_deref().map(text),
    );
    Ok((parts.join(" AND "), parameters))
}

fn by_key_or_number(db: &Connection, text: &str) -> Result<Vec<Delivery>, StoreError> {
    let mut found = match DeliveryKey::from_text(text) {
        Ok(key) => deliveries(
            db,
            "WHERE d.key_hash = ?1 ORDER BY d.id LIMIT ?2",
            (key_hash(&key), MAX_CANDIDATES),
        )?,
        Err(_) => Vec::new(),
    };
    if let Ok(number) = text.trim().parse::<i64>()
        && !found.iter().any(|delivery| delivery.id.0 == number)
    {
        found.extend(deliveries(db, "WHERE d.id = ?1", [number])?);
    }
    Ok(found)
}

/// The attempts of a delivery, in order. The last one stands in the delivery's own row until something follows it.
fn attempts(db: &Connection, id: DeliveryId) -> Result<Vec<Attempt>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT number, run, epoch, intended_at, ended_at, event, status, failure FROM attempt WHERE delivery = ?1
         UNION ALL
         SELECT d.attempts, d.run, d.epoch, d.attempted_at, d.ended_at, d.event, d.status,
                iif(d.event IS NULL, NULL, c.failure)
         FROM delivery d LEFT JOIN delivery_content c ON c.delivery = d.id
         WHERE d.id = ?1 AND (d.event IS NOT NULL OR d.state = 'sending')
         ORDER BY 1",
    )?;
    let mut rows = statement.query([id.0])?;
    let mut attempts = Vec::new();
    while let Some(row) = rows.next()? {
        let event: Option<String> = row.get("event")?;
        attempts.push(Attempt {
            number: row.get("number")?,
            run: RunId(row.get("run")?),
            epoch: row.get("epoch")?,
            intended_at: time(row, "intended_at")?,
            ended_at: optional_time(row, "ended_at")?,
            outcome: event
                .map(|event| from_json::<Event>("event", &format!("\"{event}\"")))
                .transpose()?,
            status: row.get("status")?,
            failure: from_optional_json("failure", row.get("failure")?)?,
        });
    }
    Ok(attempts)
}

fn look_ups(db: &Connection, id: DeliveryId) -> Result<Vec<LookUp>, StoreError> {
    let mut statement = db.prepare_cached("SELECT * FROM look_up WHERE delivery = ?1 ORDER BY id")?;
    let mut rows = statement.query([id.0])?;
    let mut look_ups = Vec::new();
    while let Some(row) = rows.next()? {
        look_ups.push(LookUp {
            id,
            attempt: row.get("attempt")?,
            at: time(row, "at")?,
            hits: row.get("hits")?,
            decision: row.get("decision")?,
            result_id: row.get("result_id")?,
            detail: row.get("detail")?,
        });
    }
    Ok(look_ups)
}

fn decisions(db: &Connection, id: DeliveryId) -> Result<Vec<Decision>, StoreError> {
    let mut statement = db.prepare_cached("SELECT * FROM resolution WHERE delivery = ?1 ORDER BY id")?;
    let mut rows = statement.query([id.0])?;
    let mut decisions = Vec::new();
    while let Some(row) = rows.next()? {
        let from: String = row.get("from_state")?;
        decisions.push(Decision {
            at: time(row, "at")?,
            who: row.get("who")?,
            decision: row.get("decision")?,
            from: rows::state(&from)?,
        });
    }
    Ok(decisions)
}
