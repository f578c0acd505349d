//! The ledger's transitions as a table: what is not here must not happen.

use tailorbird_model::delivery::{DeliveryState as S, Event as E, next_state};

#[test]
fn only_these_transitions_exist() {
    let allowed = [
        (S::Pending, E::Intend, S::Sending),
        (S::Pending, E::Refused, S::Rejected),
        (S::Pending, E::ResolvedSkip, S::Skipped),
        (S::Pending, E::Restored, S::InDoubt),
        (S::Sending, E::Accepted, S::Delivered),
        (S::Sending, E::Refused, S::Rejected),
        (S::Sending, E::NotSent, S::Pending),
        (S::Sending, E::Lost, S::InDoubt),
        (S::InDoubt, E::FoundByLookUp, S::Delivered),
        (S::InDoubt, E::AbsentByLookUp, S::Pending),
        (S::InDoubt, E::ResolvedSent, S::Delivered),
        (S::InDoubt, E::ResolvedAgain, S::Pending),
        (S::InDoubt, E::ResolvedSkip, S::Skipped),
        (S::Rejected, E::ResolvedAgain, S::Pending),
        (S::Rejected, E::ContentChanged, S::Pending),
        (S::Rejected, E::ResolvedSent, S::Delivered),
        (S::Rejected, E::ResolvedSkip, S::Skipped),
        (S::Skipped, E::ResolvedAgain, S::Pending),
    ];
    let events = [
        E::Intend,
        E::Accepted,
        E::Refused,
        E::NotSent,
        E::Lost,
        E::FoundByLookUp,
        E::AbsentByLookUp,
        E::ResolvedSent,
        E::ResolvedAgain,
        E::ResolvedSkip,
        E::ContentChanged,
        E::Restored,
    ];
    for state in S::ALL {
        for event in events {
            let expected = allowed
                .iter()
                .find(|(s, e, _)| (*s, *e) == (state, event))
                .map(|(_, _, next)| *next);
            assert_eq!(next_state(state, event), expected, "{state} on {event:?}");
        }
    }
}

#[test]
fn nothing_leads_out_of_delivered() {
    assert!(
        [E::Intend, E::Lost, E::NotSent, E::ResolvedAgain]
            .iter()
            .all(|e| next_state(S::Delivered, *e).is_none())
    );
}
