//! Watches the outboxes of databases: each change becomes an event, and leaves the outbox once it is on our disk.
//!
//! A crash between the two brings the change again, and the inbox knows it: by its number, and by its time, since
//! an outbox that was made anew counts from the start.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use tailorbird_database::{Change, MAX_CHANGES_PER_READ, OutboxState, Watched as WatchedTable};
use tailorbird_model::change::ChangeKind;
use tailorbird_model::event::EventSource;
use tailorbird_model::task::trigger::DatabaseTrigger;
use tailorbird_model::{Failure, Meaning, Name, codes, fault};
use tailorbird_store::{MAX_EVENTS_PER_CALL, NewEvent, Received, StoreError};

use super::{Known, Watched};
use crate::serving::worker::{Watch, Worker};
use crate::{App, webhooks};

/// How often outboxes that are due are looked for.
const TICK: Duration = Duration::from_millis(500);

/// Readings of one outbox in one go, so that a long one does not keep the others waiting.
const MAX_READS: u32 = 20;

/// The outboxes' watch.
pub(crate) const CHANGES: Worker = Worker {
    name: "changes",
    start: |watch| Box::pin(run(watch)),
};

async fn run(mut watch: Watch) {
    let mut looked: HashMap<Name, Instant> = HashMap::new();
    let mut known = Known::default();
    loop {
        let mut databases: BTreeMap<Name, Vec<Watched<DatabaseTrigger>>> = BTreeMap::new();
        for one in known.look(&mut watch, |task| task.trigger.database.clone()) {
            databases
                .entry(one.trigger.database.clone())
                .or_default()
                .push(one.clone());
        }
        for (database, tasks) in databases {
            if is_due(&tasks, looked.get(&database)) {
                looked.insert(database.clone(), Instant::now());
                watch.app.drain_outbox(&database, &tasks).await;
            }
        }
        if !watch.pause(TICK).await {
            return;
        }
    }
}

/// The most eager of the enabled tasks decides.
fn is_due(tasks: &[Watched<DatabaseTrigger>], looked: Option<&Instant>) -> bool {
    let enabled = tasks.iter().filter(|one| one.enabled);
    let every = enabled.map(|one| one.trigger.every.seconds()).min();
    every.is_some_and(|every| looked.is_none_or(|at| at.elapsed() >= Duration::from_secs(every.into())))
}

impl App {
    /// Looks at the outbox of a task's database now.
    pub(crate) async fn look_for_changes(&self, trigger: &DatabaseTrigger) -> Result<(), Failure> {
        let tasks: Vec<_> = self
            .watched(|task| task.trigger.database.clone())?
            .into_iter()
            .filter(|one| one.trigger.database == trigger.database)
            .collect();
        self.drain_outbox(&trigger.database, &tasks).await;
        Ok(())
    }

    /// Receives all that is in an outbox, for all tasks that want it, and notes how each task's watch stands.
    async fn drain_outbox(&self, database: &Name, tasks: &[Watched<DatabaseTrigger>]) {
        let mut problems: HashMap<&Name, Failure> = HashMap::new();
        if let Err(failure) = self.receive_changes(database, tasks, &mut problems).await {
            for one in tasks {
                problems.entry(&one.task).or_insert_with(|| failure.clone());
            }
        }
        for one in tasks {
            self.note_problem(&one.task, problems.remove(&one.task)).await;
        }
    }

    async fn receive_changes<'t>(
        &self,
        database: &Name,
        tasks: &'t [Watched<DatabaseTrigger>],
        problems: &mut HashMap<&'t Name, Failure>,
    ) -> Result<(), Failure> {
        let mut wanted: Vec<&Watched<DatabaseTrigger>> = Vec::new();
        for one in tasks {
            match self.outbox_problem(database, &one.trigger).await {
                Ok(None) => wanted.push(one),
                Ok(Some((problem, is_usable))) => {
                    problems.insert(&one.task, problem);
                    if is_usable {
                        wanted.push(one);
                    }
                }
                Err(failure) => drop(problems.insert(&one.task, failure)),
            }
        }
        let tables: Vec<String> = wanted.iter().map(|one| one.trigger.table.clone()).collect();
        if tables.is_empty() {
            return Ok(());
        }
        for _ in 0..MAX_READS {
            let changes = self
                .on_database(database, {
                    let tables = tables.clone();
                    move |link| Ok(link.read_outbox(&tables)?)
                })
                .await?;
            let is_last = u32::try_from(changes.len()).is_ok_and(|count| count < MAX_CHANGES_PER_READ);
            if changes.is_empty() {
                return Ok(());
            }
            if let Some(full) = self.keep(database, &changes, &wanted).await? {
                problems.insert(full, webhooks::full(full));
                return Ok(());
            }
            // Every task that wants them has them on disk: now, and not before, they may go.
            fault::reach("outbox.received");
            let ids: Vec<i64> = changes.iter().map(|change| change.id).collect();
            self.on_database(database, move |link| Ok(link.acknowledge_outbox(&ids)?))
                .await?;
            fault::reach("outbox.acknowledged");
            if is_last {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Stores changes as events of the tasks that want them; names a task that can take no more.
    async fn keep<'t>(
        &self,
        database: &Name,
        changes: &[Change],
        wanted: &[&'t Watched<DatabaseTrigger>],
    ) -> Result<Option<&'t Name>, Failure> {
        let mut events = Vec::new();
        for change in changes {
            for one in wanted {
                let is_wanted = one.trigger.table.eq_ignore_ascii_case(&change.table)
                    && one.trigger.on.contains(&change.kind);
                if is_wanted {
                    events.push((&one.task, event(database, &one.task, change)));
                }
            }
        }
        while !events.is_empty() {
            let rest = events.split_off(events.len().min(MAX_EVENTS_PER_CALL));
            let now = std::mem::replace(&mut events, rest);
            let (names, now): (Vec<&Name>, Vec<NewEvent>) = now.into_iter().unzip();
            let received = self
                .store
                .receive_events(now)
                .await
                .map_err(|error| match error {
                    StoreError::TooMany { given, limit, .. } => too_large(database, given, limit),
                    other => other.into(),
                })?;
            if received.iter().any(|one| matches!(one, Received::New(_))) {
                self.arrived.notify_one();
            }
            if let Some((name, _)) = names
                .into_iter()
                .zip(&received)
                .find(|(_, one)| **one == Received::Full)
            {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// What is wrong with the triggers of a table, and whether changes are seen all the same.
    async fn outbox_problem(
        &self,
        database: &Name,
        trigger: &DatabaseTrigger,
    ) -> Result<Option<(Failure, bool)>, Failure> {
        let watched = WatchedTable {
            table: trigger.table.clone(),
            key: trigger.key.clone(),
            on: trigger.on.clone(),
        };
        let state = self
            .on_database(database, move |link| Ok(link.outbox_state(&watched)?))
            .await?;
        Ok(match state {
            OutboxState { missing, .. } if !missing.is_empty() => {
                let problem = format!("lacks the triggers for {}", listed(&missing));
                Some((outbox_failure(database, trigger, &problem), false))
            }
            OutboxState { different, .. } if !different.is_empty() => {
                let problem = format!(
                    "has triggers for {} that are not what this version would make: the table was altered, or they \
                     were edited",
                    listed(&different)
                );
                Some((outbox_failure(database, trigger, &problem), true))
            }
            _ => None,
        })
    }
}

fn event(database: &Name, task: &Name, change: &Change) -> NewEvent {
    let Change {
        id,
        at,
        table,
        kind,
        record,
    } = change;
    NewEvent {
        task: task.clone(),
        source: EventSource::Database,
        identity: format!("{database}:{table}:{id}:{at}"),
        label: format!("{table} {kind} #{id}"),
        payload: serde_json::to_value(record).unwrap_or_default(),
    }
}

fn listed(kinds: &[ChangeKind]) -> String {
    let words: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    words.join(" and ")
}

fn outbox_failure(database: &Name, trigger: &DatabaseTrigger, problem: &str) -> Failure {
    let table = &trigger.table;
    let message = format!("the outbox for the table {table:?} {problem}");
    let key = match trigger.key.as_slice() {
        [] => String::new(),
        key => format!(" --key {}", key.join(",")),
    };
    Failure::new(codes::OUTBOX, Meaning::NotSent, message).hint(format!(
        "`tailorbird database trigger-sql {database} {table}{key} --on {} --install` makes them anew.",
        trigger
            .on
            .iter()
            .map(|kind| kind.as_str())
            .collect::<Vec<_>>()
            .join(",")
    ))
}

fn too_large(database: &Name, given: usize, limit: usize) -> Failure {
    let message = format!("a changed row of `{database}` has {given} bytes, and {limit} are taken");
    Failure::new(codes::INBOX_FULL, Meaning::NotSent, message)
        .detail("The changes behind it wait for it in the outbox, so that their order stays.")
        .hint("Delete its entry from `_tailorbird_outbox` in the database's own shell, or make the row smaller.")
}
