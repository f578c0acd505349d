//! Each pair of state and event, through the public calls: exactly what `next_state` allows happens.

use tailorbird_model::delivery::{DeliveryState, Event, next_state};
use tailorbird_store::{Enrolment, Intended, Outcome, Resolution, StoreError};

use crate::bench::{Bench, delivery, failure, result};

const EVENTS: [Event; 12] = [
    Event::Intend,
    Event::Accepted,
    Event::Refused,
    Event::NotSent,
    Event::Lost,
    Event::FoundByLookUp,
    Event::AbsentByLookUp,
    Event::ResolvedSent,
    Event::ResolvedAgain,
    Event::ResolvedSkip,
    Event::ContentChanged,
    Event::Restored,
];

/// Lets an event happen by the call that it belongs to, and tells whether the store took it.
async fn happen(bench: &Bench, key: &str, at: Intended, event: Event) -> bool {
    let resolution = match event {
        Event::Intend => return !bench.intend(&[at.id]).await.is_empty(),
        Event::ContentChanged => {
            let enrolled = bench.store.enrol(vec![delivery(key, "changed")]).await.unwrap();
            return enrolled[0].enrolment == Enrolment::TriedAgain;
        }
        Event::Restored => return restore(bench, at).await,
        Event::ResolvedSent => Resolution::Sent { result: None },
        Event::ResolvedAgain => Resolution::Again,
        Event::ResolvedSkip => Resolution::Skip,
        Event::Refused => return taken(bench.record(Outcome::failed(at, event, failure())).await),
        Event::Accepted => return taken(bench.record(Outcome::accepted(at, result("1"))).await),
        _ => return taken(bench.record(Outcome::new(at, event)).await),
    };
    taken(bench.store.resolve(at.id, resolution, "somebody").await.map(drop))
}

/// The ledger comes back from a backup that was made just now; afterwards the mark is gone again.
async fn restore(bench: &Bench, at: Intended) -> bool {
    let before = bench.state(at.id);
    bench.advance(1);
    bench.store.mark_restored(None).await.unwrap();
    bench.store.doubt_restored().await.unwrap();
    bench.store.end_restored("test").await.unwrap();
    bench.state(at.id) != before
}

fn taken(answer: Result<(), StoreError>) -> bool {
    match answer {
        Ok(()) => true,
        Err(StoreError::Transition { refused }) => {
            assert_eq!(refused.len(), 1);
            false
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_store_allows_exactly_what_the_pure_function_allows() {
    let bench = Bench::new();
    let mut allowed = 0;
    for state in DeliveryState::ALL {
        for event in EVENTS {
            let key = format!("{state} {event:?}");
            let at = bench.put_into(&key, state).await;
            let took = happen(&bench, &key, at, event).await;
            let expected = next_state(state, event);
            assert_eq!(took, expected.is_some(), "{key}");
            assert_eq!(bench.state(at.id), expected.unwrap_or(state), "{key}");
            allowed += usize::from(took);
        }
    }
    assert_eq!(allowed, 18, "pairs that next_state allows");
    assert!(bench.store.verify_chain().unwrap().is_whole());
}
