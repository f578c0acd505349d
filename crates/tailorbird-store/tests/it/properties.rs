//! Whatever happens in whatever order, keys stay unique and only allowed transitions take place.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use tailorbird_model::delivery::{DeliveryId, DeliveryState, Event, next_state};
use tailorbird_model::money::Amount;
use tailorbird_model::run::Counts;
use tailorbird_store::{
    Attempt, Charges, DeliveryFilter, Intended, NewDelivery, Next, Outcome, Resolution, SendingAs,
};

use crate::bench::{Bench, delivery, failure, result, run};

const KEYS: u8 = 4;

#[derive(Debug, Clone)]
enum Step {
    Enrol {
        key: u8,
        content: u8,
        run: u32,
    },
    /// As the workers send: intent, and outcome with the next intent.
    Send {
        delivery: usize,
        then: usize,
        run: u32,
        event: u8,
    },
    Intend {
        delivery: usize,
    },
    Record {
        delivery: usize,
        attempt: u32,
        event: u8,
    },
    Resolve {
        delivery: usize,
        how: u8,
    },
    Restart,
    Advance,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..KEYS, 0..3_u8, 1..3_u32).prop_map(|(key, content, run)| Step::Enrol { key, content, run }),
        4 => (0..4_usize, 0..4_usize, 1..3_u32, 0..4_u8)
            .prop_map(|(delivery, then, run, event)| Step::Send { delivery, then, run, event }),
        4 => (0..4_usize).prop_map(|delivery| Step::Intend { delivery }),
        6 => (0..4_usize, 0..4_u32, 0..6_u8)
            .prop_map(|(delivery, attempt, event)| Step::Record { delivery, attempt, event }),
        2 => (0..4_usize, 0..3_u8).prop_map(|(delivery, how)| Step::Resolve { delivery, how }),
        1 => Just(Step::Restart),
        1 => Just(Step::Advance),
    ]
}

const RECORDED: [Event; 6] = [
    Event::Accepted,
    Event::Refused,
    Event::NotSent,
    Event::Lost,
    Event::FoundByLookUp,
    Event::AbsentByLookUp,
];

async fn take(bench: Bench, step: &Step) -> Bench {
    let known: Vec<DeliveryId> = states(&bench).keys().copied().collect();
    let pick = |index: usize| known.get(index % known.len().max(1)).copied();
    match *step {
        Step::Enrol {
            key,
            content,
            run: number,
        } => {
            let new = NewDelivery {
                run: run(number),
                ..delivery(&format!("key-{key}"), &format!("text {content}"))
            };
            bench.store.enrol(vec![new]).await.unwrap();
        }
        Step::Send {
            delivery,
            then,
            run: number,
            event,
        } => {
            let sending = Arc::new(SendingAs {
                run: run(number),
                epoch: bench.lock.epoch().clone(),
                charges: Charges::default(),
            });
            let next = |index| {
                pick(index).map(|id| Next {
                    id,
                    cost: Amount::default(),
                    items: 1,
                })
            };
            let begun = bench.store.advance(None, next(delivery), &sending).await.unwrap();
            let event = RECORDED[usize::from(event)];
            let outcome = begun.intended.map(|intended| Outcome {
                result: (event == Event::Accepted).then(|| result("1")),
                failure: (event != Event::Accepted).then(failure),
                status: Some(200),
                ..Outcome::new(intended, event)
            });
            let ended = bench.store.advance(outcome, next(then), &sending).await.unwrap();
            assert_eq!(ended.refused, None, "what was just begun can end");
        }
        Step::Intend { delivery } => {
            if let Some(id) = pick(delivery) {
                bench
                    .store
                    .intend(vec![id], &run(1), bench.lock.epoch())
                    .await
                    .unwrap();
            }
        }
        Step::Record {
            delivery,
            attempt,
            event,
        } => {
            if let Some(id) = pick(delivery) {
                let event = RECORDED[usize::from(event)];
                let outcome = Outcome {
                    result: (event == Event::Accepted).then(|| result("1")),
                    failure: (event == Event::Refused).then(failure),
                    not_before: Some(bench.after(5)),
                    ..Outcome::new(Intended { id, attempt }, event)
                };
                // A refusal is one of the things that may happen.
                drop(bench.store.record(vec![outcome]).await);
            }
        }
        Step::Resolve { delivery, how } => {
            if let Some(id) = pick(delivery) {
                let how = [
                    Resolution::Sent { result: None },
                    Resolution::Again,
                    Resolution::Skip,
                ][usize::from(how)]
                .clone();
                drop(bench.store.resolve(id, how, "somebody").await);
            }
        }
        Step::Restart => {
            let bench = bench.restart();
            bench.store.recover(&bench.lock).await.unwrap();
            return bench;
        }
        Step::Advance => bench.advance(10),
    }
    bench
}

fn states(bench: &Bench) -> BTreeMap<DeliveryId, (String, DeliveryState, u32)> {
    let filter = DeliveryFilter {
        limit: 100,
        ..DeliveryFilter::default()
    };
    let all = bench.store.deliveries(&filter).unwrap();
    all.into_iter()
        .map(|one| (one.id, (one.identity.key.to_string(), one.state, one.attempts)))
        .collect()
}

/// The attempts of each delivery that came to an end.
fn ended(bench: &Bench) -> BTreeMap<DeliveryId, Vec<Attempt>> {
    let ended = |id: &DeliveryId| {
        let attempts = bench.store.story(*id).unwrap().attempts;
        attempts
            .into_iter()
            .filter(|attempt| attempt.outcome.is_some())
            .collect()
    };
    states(bench).keys().map(|id| (*id, ended(id))).collect()
}

/// What each run made of its deliveries, counted anew.
fn recount(bench: &Bench, number: u32) -> Counts {
    let filter = DeliveryFilter {
        limit: 100,
        ..DeliveryFilter::default()
    };
    let mut counts = Counts::default();
    for one in bench.store.deliveries(&filter).unwrap() {
        if one.run == run(number) {
            match one.state {
                DeliveryState::Delivered => counts.delivered += 1,
                DeliveryState::Rejected => counts.rejected += 1,
                DeliveryState::InDoubt => counts.in_doubt += 1,
                DeliveryState::Skipped => counts.skipped += 1,
                DeliveryState::Pending | DeliveryState::Sending => {}
            }
        }
    }
    counts
}

fn allowed(before: DeliveryState, after: DeliveryState) -> bool {
    use Event as E;
    let events = [
        E::Intend,
        E::ResolvedSent,
        E::ResolvedAgain,
        E::ResolvedSkip,
        E::ContentChanged,
    ];
    before == after
        || RECORDED
            .iter()
            .chain(&events)
            .any(|event| next_state(before, *event) == Some(after))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_keeps_the_ledgers_promises(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut bench = Bench::new();
            for step in &steps {
                let (before, history) = (states(&bench), ended(&bench));
                bench = take(bench, step).await;
                let after = states(&bench);
                let mut keys: Vec<_> = after.values().map(|(key, ..)| key).collect();
                keys.sort();
                keys.dedup();
                assert_eq!(keys.len(), after.len(), "a key is there once");
                for (id, (_, was, attempts)) in &before {
                    let (_, is, attempts_now) = &after[id];
                    assert!(
                        allowed(*was, *is) || matches!(step, Step::Send { .. }),
                        "{step:?}: {was} became {is}"
                    );
                    let story = bench.store.story(*id).unwrap().attempts;
                    let numbers: Vec<u32> = story.iter().map(|attempt| attempt.number).collect();
                    assert_eq!(numbers, (1..=*attempts_now).collect::<Vec<_>>(), "{step:?}: each attempt is told once");
                    if !matches!(step, Step::Send { .. }) {
                        let more = u32::from(*was == DeliveryState::Pending && *is == DeliveryState::Sending);
                        assert_eq!(*attempts_now, attempts + more, "an attempt is counted when it is intended");
                    }
                }
                for (id, ended_before) in &history {
                    assert!(
                        ended(&bench)[id].starts_with(ended_before),
                        "{step:?}: how an attempt ended stays as it was: {ended_before:?}"
                    );
                }
                for number in 1..3 {
                    let stored = bench.store.run_delivery_counts(&run(number)).unwrap();
                    assert_eq!(stored, recount(&bench, number), "{step:?}: run {number}");
                }
                if matches!(step, Step::Restart) {
                    assert!(after.values().all(|(_, state, _)| *state != DeliveryState::Sending));
                }
            }
            let report = bench.store.verify_chain().unwrap();
            assert!(report.is_whole(), "{report:?}");
        });
    }
}
