//! Rule 1: renames carry over, changed keys are noticed.

use tailorbird_model::delivery::{DeliveryState, Destination};
use tailorbird_store::{Enrolment, Lane, StepIdentity};

use crate::bench::{Bench, delivery_in, lane, name};

#[tokio::test]
async fn a_renamed_task_has_sent_what_the_old_one_sent() {
    let bench = Bench::new();
    let at = bench.put_into("k", DeliveryState::Delivered).await;
    bench
        .store
        .set_step_cursor(&name("announce"), &name("post"), serde_json::json!(7))
        .await
        .unwrap();
    let (old, new) = ((name("announce"), name("post")), (name("publish"), name("send")));
    let moved = bench
        .store
        .adopt((&old.0, &old.1), (&new.0, &new.1))
        .await
        .unwrap();
    assert_eq!(moved, 1);
    let renamed = Lane {
        task: new.0.clone(),
        step: new.1.clone(),
        ..lane()
    };
    let enrolled = bench
        .store
        .enrol(vec![delivery_in(&renamed, "k", "text")])
        .await
        .unwrap();
    assert_eq!(
        (enrolled[0].id, &enrolled[0].enrolment),
        (at.id, &Enrolment::Already { settled: false })
    );
    assert_eq!(
        bench.store.step_cursor(&new.0, &new.1).unwrap(),
        Some(serde_json::json!(7))
    );
    assert_eq!(
        bench
            .store
            .adopt((&old.0, &old.1), (&new.0, &new.1))
            .await
            .unwrap(),
        0,
        "once"
    );
    assert!(bench.store.verify_chain().unwrap().is_whole());
}

#[tokio::test]
async fn where_both_names_know_a_key_the_one_further_along_counts() {
    let bench = Bench::new();
    bench.put_into("sent-before", DeliveryState::Delivered).await;
    bench.put_into("pending-before", DeliveryState::Pending).await;
    bench.put_into("only-before", DeliveryState::InDoubt).await;
    let renamed = Lane {
        task: name("publish"),
        ..lane()
    };
    let batch = ["sent-before", "pending-before"].map(|key| delivery_in(&renamed, key, "text"));
    let ids: Vec<_> = bench
        .store
        .enrol(batch.to_vec())
        .await
        .unwrap()
        .iter()
        .map(|one| one.id)
        .collect();
    let intended = bench.intend(&[ids[1]]).await[0];
    assert_eq!(intended.attempt, 1);

    let (from, to) = ((name("announce"), name("post")), (name("publish"), name("post")));
    assert_eq!(
        bench
            .store
            .adopt((&from.0, &from.1), (&to.0, &to.1))
            .await
            .unwrap(),
        2
    );
    let keys = ["sent-before", "pending-before", "only-before"];
    let batch = keys.map(|key| delivery_in(&renamed, key, "text"));
    let states: Vec<_> = bench
        .store
        .enrol(batch.to_vec())
        .await
        .unwrap()
        .into_iter()
        .map(|one| one.enrolment)
        .collect();
    assert_eq!(
        states,
        [
            Enrolment::Already { settled: false },
            Enrolment::InFlight { conflict: false },
            Enrolment::Held {
                state: DeliveryState::InDoubt,
                conflict: false
            },
        ]
    );
    let count: i64 = bench
        .raw()
        .query_row("SELECT count(*) FROM delivery", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 5, "nothing is ever deleted");
    assert!(bench.store.verify_chain().unwrap().is_whole());
}

#[tokio::test]
async fn an_account_that_became_known_is_the_same_destination() {
    let bench = Bench::new();
    bench.put_into("k", DeliveryState::Delivered).await;
    let identity = StepIdentity {
        key_template: "{{ sku }}".to_owned(),
        destination: lane().destination,
    };
    bench
        .store
        .set_step_identity(&name("announce"), &name("post"), identity.clone())
        .await
        .unwrap();
    let known = Destination::new("https://api.example.com", "user-7");
    assert_eq!(bench.store.adopt_destination(&lane(), &known).await.unwrap(), 1);
    assert_eq!(
        bench.store.lanes(&name("announce")).unwrap(),
        [Lane {
            destination: known.clone(),
            ..lane()
        }]
    );
    let stored = bench
        .store
        .step_identity(&name("announce"), &name("post"))
        .unwrap()
        .unwrap();
    assert_eq!(
        stored,
        StepIdentity {
            destination: known,
            ..identity
        }
    );
}

#[tokio::test]
async fn a_changed_key_or_destination_is_counted_before_it_runs() {
    let bench = Bench::new();
    let (task, step) = (name("announce"), name("post"));
    let identity = StepIdentity {
        key_template: "{{ sku }}".to_owned(),
        destination: lane().destination,
    };
    assert_eq!(
        bench.store.count_rekey(&task, &step, &identity).unwrap(),
        None,
        "it never ran"
    );
    bench
        .store
        .set_step_identity(&task, &step, identity.clone())
        .await
        .unwrap();
    for (key, state) in [
        ("a", DeliveryState::Delivered),
        ("b", DeliveryState::Delivered),
        ("c", DeliveryState::InDoubt),
        ("d", DeliveryState::Rejected),
    ] {
        bench.put_into(key, state).await;
    }
    assert_eq!(
        bench.store.count_rekey(&task, &step, &identity).unwrap(),
        None,
        "it is the same"
    );
    for changed in [
        StepIdentity {
            key_template: "{{ name }}".to_owned(),
            ..identity.clone()
        },
        StepIdentity {
            destination: Destination::new("https://api.example.com", "43"),
            ..identity.clone()
        },
    ] {
        let rekey = bench.store.count_rekey(&task, &step, &changed).unwrap().unwrap();
        assert_eq!(
            (rekey.delivered, rekey.open, rekey.before),
            (2, 1, identity.clone())
        );
        bench
            .store
            .set_step_identity(&task, &step, identity.clone())
            .await
            .unwrap();
    }
}
