//! What a step's deliveries are known by, and what happens when it is renamed or re-keyed (rule 1).

use rusqlite::{Connection, OptionalExtension as _};
use tailorbird_model::Name;
use tailorbird_model::delivery::Destination;

use super::Lane;
use super::rows::{self, find_lane, lane, make_lane};
use crate::codec::whole;
use crate::writer::Writing;
use crate::{Store, StoreError};

/// The parts of a delivery's identity that are written in a task file or follow from its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepIdentity {
    /// The key template, as in the task file.
    pub key_template: String,
    /// Where the step's deliveries go.
    pub destination: Destination,
}

/// What a change of a step's identity would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rekey {
    /// The identity that the step ran with.
    pub before: StepIdentity,
    /// Records that were delivered under it and would go again.
    pub delivered: u64,
    /// Records that are pending, on their way or in doubt under it and would stay there.
    pub open: u64,
}

impl Store {
    /// The identity that a step last ran with.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn step_identity(&self, task: &Name, step: &Name) -> Result<Option<StepIdentity>, StoreError> {
        self.read(|db| step_identity(db, task, step))
    }

    /// Notes the identity that a step runs with from now on.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn set_step_identity(
        &self,
        task: &Name,
        step: &Name,
        identity: StepIdentity,
    ) -> Result<(), StoreError> {
        let (task, step) = (task.clone(), step.clone());
        self.write(move |writing| {
            writing.at("ledger.identity");
            writing.connection.execute(
                "INSERT INTO step_identity (task, step, key_template, destination, updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (task, step) DO UPDATE SET key_template = excluded.key_template,
                     destination = excluded.destination, updated_at = excluded.updated_at",
                (
                    task.as_str(),
                    step.as_str(),
                    &identity.key_template,
                    &identity.destination.0,
                    writing.now.as_microsecond(),
                ),
            )?;
            Ok(())
        })
        .await
    }

    /// What running a step with this identity would send again; nothing where it is the one it ran with, or
    /// where it never ran.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn count_rekey(
        &self,
        task: &Name,
        step: &Name,
        identity: &StepIdentity,
    ) -> Result<Option<Rekey>, StoreError> {
        self.read(|db| {
            let Some(before) = step_identity(db, task, step)?.filter(|before| before != identity) else {
                return Ok(None);
            };
            let lane = Lane::new(task.clone(), step.clone(), before.destination.clone());
            let (delivered, open) = match find_lane(db, &lane)? {
                Some(lane) => db.query_row(
                    "SELECT count(*) FILTER (WHERE state = 'delivered'),
                            count(*) FILTER (WHERE state IN ('pending', 'sending', 'in_doubt'))
                     FROM delivery WHERE lane = ?1",
                    [lane],
                    |row| Ok((whole(row, 0)?, whole(row, 1)?)),
                )?,
                None => (0, 0),
            };
            Ok(Some(Rekey {
                before,
                delivered,
                open,
            }))
        })
    }

    /// The lanes that a task has used.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn lanes(&self, task: &Name) -> Result<Vec<Lane>, StoreError> {
        self.read(|db| {
            lanes(
                db,
                "SELECT task, step, destination FROM lane WHERE task = ?1",
                [task.as_str()],
            )
        })
    }

    /// Carries over what a renamed step has sent (`formerly:`), to all destinations, together with its cursor
    /// and identity. Returns how many deliveries are under the new name because of this call; repeating it is
    /// harmless.
    ///
    /// Where the new name has deliveries of its own, a key that both know keeps the one that is further along
    /// (delivered before in doubt before pending), so that nothing goes twice; the other stays under the old
    /// name.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn adopt(&self, from: (&Name, &Name), to: (&Name, &Name)) -> Result<u64, StoreError> {
        let (from, to) = ((from.0.clone(), from.1.clone()), (to.0.clone(), to.1.clone()));
        if from == to {
            return Ok(0);
        }
        self.write(move |writing| {
            let old = lanes(
                writing.connection,
                "SELECT task, step, destination FROM lane WHERE task = ?1 AND step = ?2",
                (from.0.as_str(), from.1.as_str()),
            )?;
            let mut moved = 0;
            for lane in old {
                let target = Lane::new(to.0.clone(), to.1.clone(), lane.destination.clone());
                moved += move_lane(writing, &lane, &target)?;
            }
            for table in ["step_cursor", "step_identity", "filter", "approval"] {
                // What the new name already has is newer and stays.
                writing.connection.execute(
                    &format!(
                        "UPDATE OR IGNORE {table} SET task = ?3, step = ?4 WHERE task = ?1 AND step = ?2"
                    ),
                    (from.0.as_str(), from.1.as_str(), to.0.as_str(), to.1.as_str()),
                )?;
            }
            writing.connection.execute(
                "UPDATE OR IGNORE task_variable SET task = ?2 WHERE task = ?1",
                (from.0.as_str(), to.0.as_str()),
            )?;
            Ok(moved)
        })
        .await
    }

    /// Carries over what a step has sent to a destination that is now known by another name: an account whose
    /// id has become known. Returns and merges as [`Store::adopt`].
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn adopt_destination(&self, from: &Lane, to: &Destination) -> Result<u64, StoreError> {
        let (from, to) = (from.clone(), to.clone());
        self.write(move |writing| {
            let target = Lane { destination: to.clone(), ..from.clone() };
            let moved = move_lane(writing, &from, &target)?;
            writing.connection.execute(
                "UPDATE step_identity SET destination = ?4 WHERE task = ?1 AND step = ?2 AND destination = ?3",
                (from.task.as_str(), from.step.as_str(), &from.destination.0, &to.0),
            )?;
            Ok(moved)
        })
        .await
    }
}

fn step_identity(db: &Connection, task: &Name, step: &Name) -> Result<Option<StepIdentity>, StoreError> {
    Ok(db
        .prepare_cached("SELECT key_template, destination FROM step_identity WHERE task = ?1 AND step = ?2")?
        .query_row((task.as_str(), step.as_str()), |row| {
            Ok(StepIdentity {
                key_template: row.get(0)?,
                destination: Destination(row.get(1)?),
            })
        })
        .optional()?)
}

fn lanes(db: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Result<Vec<Lane>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut found = statement.query(parameters)?;
    let mut lanes = Vec::new();
    while let Some(row) = found.next()? {
        lanes.push(lane(row)?);
    }
    Ok(lanes)
}

fn move_lane(writing: &mut Writing<'_>, from: &Lane, to: &Lane) -> Result<u64, StoreError> {
    let db = writing.connection;
    let Some(old) = find_lane(db, from)? else {
        return Ok(0);
    };
    let Some(new) = find_lane(db, to)? else {
        // The usual case: one update, however many rows the step has sent. The chain knows deliveries by the
        // lane's number, which stays.
        db.execute(
            "UPDATE lane SET task = ?2, step = ?3, destination = ?4 WHERE id = ?1",
            (old, to.task.as_str(), to.step.as_str(), &to.destination.0),
        )?;
        return Ok(
            db.query_row("SELECT count(*) FROM delivery WHERE lane = ?1", [old], |row| {
                whole(row, 0)
            })?,
        );
    };
    let both = known_to_both(db, old, new)?;
    let mut moved = 0;
    for pair in both
        .iter()
        .filter(|pair| rank(&pair.old_state) > rank(&pair.new_state))
    {
        // Two rows change places; the third lane keeps the pair of lane and key unique in between.
        let aside = make_lane(
            db,
            &Lane {
                destination: Destination("(aside)".to_owned()),
                ..from.clone()
            },
        )?;
        for (delivery, lane) in [(pair.new, aside), (pair.old, new), (pair.new, old)] {
            db.execute("UPDATE delivery SET lane = ?2 WHERE id = ?1", (delivery, lane))?;
        }
        db.execute("DELETE FROM lane WHERE id = ?1", [aside])?;
        writing.touch(pair.old);
        writing.touch(pair.new);
        moved += 1;
    }
    let free: Vec<i64> = db
        .prepare(
            "SELECT id FROM delivery o WHERE lane = ?1
             AND NOT EXISTS (SELECT 1 FROM delivery n WHERE n.key_hash = o.key_hash AND n.lane = ?2)",
        )?
        .query_map((old, new), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for delivery in free {
        db.prepare_cached("UPDATE delivery SET lane = ?2 WHERE id = ?1")?
            .execute((delivery, new))?;
        writing.touch(delivery);
        moved += 1;
    }
    Ok(moved)
}

/// A key that has a delivery under the old name and one under the new.
struct Pair {
    old: i64,
    old_state: String,
    new: i64,
    new_state: String,
}

fn known_to_both(db: &Connection, old: i64, new: i64) -> Result<Vec<Pair>, StoreError> {
    let mut statement = db.prepare(
        "SELECT o.id, o.state, n.id, n.state FROM delivery o
         JOIN delivery n ON n.key_hash = o.key_hash AND n.lane = ?2 WHERE o.lane = ?1",
    )?;
    let pairs = statement.query_map((old, new), |row| {
        Ok(Pair {
            old: row.get(0)?,
            old_state: row.get(1)?,
            new: row.get(2)?,
            new_state: row.get(3)?,
        })
    })?;
    Ok(pairs.collect::<Result<_, _>>()?)
}

/// How far along a delivery is; the one further along forbids more.
fn rank(word: &str) -> u8 {
    use tailorbird_model::delivery::DeliveryState as S;
    match rows::state(word) {
        Ok(S::Delivered) => 5,
        Ok(S::Sending) => 4,
        Ok(S::InDoubt) => 3,
        Ok(S::Skipped) => 2,
        Ok(S::Rejected) => 1,
        Ok(S::Pending) | Err(_) => 0,
    }
}
