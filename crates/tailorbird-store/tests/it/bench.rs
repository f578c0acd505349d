//! A home in a temporary folder, a clock that stands still, and short ways to say things.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use tailorbird_model::delivery::{DeliveryId, DeliveryIdentity, DeliveryState, Destination, Event};
use tailorbird_model::key::DeliveryKey;
use tailorbird_model::run::RunId;
use tailorbird_model::{Failure, Meaning, Name, Record, Value, codes};
use tailorbird_store::{
    Clock, DriveLock, Enrolled, Home, Intended, Lane, NewDelivery, Outcome, Store, StoreError,
};
use tempfile::TempDir;

/// When the clock starts, in microseconds.
const START: i64 = 1_795_000_000_000_000;

pub(crate) struct Bench {
    folder: TempDir,
    pub(crate) home: Home,
    pub(crate) store: Store,
    pub(crate) lock: DriveLock,
    now: Arc<AtomicI64>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path().join("home")).unwrap();
        let now = Arc::new(AtomicI64::new(START));
        let store = Store::open_with_clock(&home, clock(&now)).unwrap();
        let lock = DriveLock::acquire(&home).unwrap();
        Self {
            folder,
            home,
            store,
            lock,
            now,
        }
    }

    /// What a new process would see: the store and the lock anew, with another epoch.
    pub(crate) fn restart(self) -> Self {
        let Self {
            folder,
            home,
            store,
            lock,
            now,
        } = self;
        drop((store, lock));
        let store = Store::open_with_clock(&home, clock(&now)).unwrap();
        let lock = DriveLock::acquire(&home).unwrap();
        Self {
            folder,
            home,
            store,
            lock,
            now,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.now.load(Ordering::Relaxed)).unwrap()
    }

    pub(crate) fn clock(&self) -> Clock {
        clock(&self.now)
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    pub(crate) fn after(&self, seconds: i64) -> Timestamp {
        self.now() + SignedDuration::from_secs(seconds)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A connection past the store, for looking and for tampering.
    pub(crate) fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.home.ledger_path()).unwrap()
    }

    pub(crate) async fn enrol(&self, keys: &[&str]) -> Vec<Enrolled> {
        self.store
            .enrol(keys.iter().map(|key| delivery(key, "text")).collect())
            .await
            .unwrap()
    }

    pub(crate) async fn intend(&self, ids: &[DeliveryId]) -> Vec<Intended> {
        self.store
            .intend(ids.to_vec(), &run(1), self.lock.epoch())
            .await
            .unwrap()
    }

    pub(crate) async fn record(&self, outcome: Outcome) -> Result<(), StoreError> {
        self.store.record(vec![outcome]).await
    }

    pub(crate) fn state(&self, id: DeliveryId) -> DeliveryState {
        self.store.delivery(id).unwrap().unwrap().state
    }

    /// Enrols a key and brings it into a state by the shortest way.
    pub(crate) async fn put_into(&self, key: &str, state: DeliveryState) -> Intended {
        let id = self.enrol(&[key]).await[0].id;
        if state == DeliveryState::Pending {
            return Intended { id, attempt: 0 };
        }
        let intended = self.intend(&[id]).await[0];
        match state {
            DeliveryState::Pending | DeliveryState::Sending => {}
            DeliveryState::Delivered => self
                .record(Outcome::accepted(intended, result("77")))
                .await
                .unwrap(),
            DeliveryState::Rejected => {
                self.record(Outcome::failed(intended, Event::Refused, failure()))
                    .await
                    .unwrap();
            }
            DeliveryState::InDoubt => self.record(Outcome::new(intended, Event::Lost)).await.unwrap(),
            DeliveryState::Skipped => {
                self.record(Outcome::new(intended, Event::NotSent)).await.unwrap();
                self.store
                    .resolve(id, tailorbird_store::Resolution::Skip, "test")
                    .await
                    .unwrap();
            }
        }
        assert_eq!(self.state(id), state);
        intended
    }
}

fn clock(now: &Arc<AtomicI64>) -> Clock {
    let now = Arc::clone(now);
    Arc::new(move || Timestamp::from_microsecond(now.load(Ordering::Relaxed)).unwrap())
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn run(number: u32) -> RunId {
    RunId(format!("run-{number}"))
}

pub(crate) fn lane() -> Lane {
    Lane::new(
        name("announce"),
        name("post"),
        Destination::new("https://api.example.com", "42"),
    )
}

pub(crate) fn delivery_in(lane: &Lane, key: &str, text: &str) -> NewDelivery {
    NewDelivery {
        identity: DeliveryIdentity {
            task: lane.task.clone(),
            step: lane.step.clone(),
            destination: lane.destination.clone(),
            key: DeliveryKey::from_text(key).unwrap(),
        },
        run: run(1),
        connection: name("company-x"),
        operation: name("create_post"),
        input: Record::from_pairs([
            ("sku".to_owned(), Value::from(key)),
            ("text".to_owned(), Value::from(text)),
        ]),
        request: serde_json::json!({ "text": text }),
        fingerprint: format!("fingerprint of {text}"),
        not_before: None,
    }
}

pub(crate) fn delivery(key: &str, text: &str) -> NewDelivery {
    delivery_in(&lane(), key, text)
}

pub(crate) fn result(id: &str) -> Record {
    Record::from_pairs([("id".to_owned(), Value::from(id))])
}

pub(crate) fn failure() -> Failure {
    let mut failure = Failure::new(
        codes::REJECTED,
        Meaning::Rejected,
        "the provider rejected the record",
    );
    failure.status = Some(403);
    failure
}
