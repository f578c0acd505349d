//! `requests`, `clock`, `faults`, `duplicates`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{invalid, read, storage_failed};
use crate::Shared;
use crate::clock::OFFSET_MAX_S;
use crate::faults::{FAULTS_MAX, Fault};
use crate::state::Event;

/// `GET requests`: newest first.
pub(super) async fn requests(State(shared): State<Shared>) -> Response {
    // Shared pointers serialize through a reference; nothing is copied.
    let requests = shared.record.newest_first();
    let requests: Vec<_> = requests.iter().map(AsRef::as_ref).collect();
    Json(requests).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_s: i64,
}

/// `GET clock`.
pub(super) async fn clock(State(shared): State<Shared>) -> Response {
    Json(clock_shown(&shared)).into_response()
}

/// `POST clock`.
pub(super) async fn advance_clock(State(shared): State<Shared>, body: Bytes) -> Response {
    let advance: Advance = match read(&body, "{\"advance_s\": whole seconds}.") {
        Ok(advance) => advance,
        Err(response) => return response,
    };
    if !(0..=OFFSET_MAX_S).contains(&advance.advance_s) {
        return invalid(
            &format!(
                "`advance_s` is {}; time only goes forward here.",
                advance.advance_s
            ),
            &format!("Give 0 to {OFFSET_MAX_S} seconds."),
        );
    }
    let moved = shared
        .store
        .transact(|state| {
            if state.clock_offset_s.saturating_add(advance.advance_s) > OFFSET_MAX_S {
                return (Vec::new(), None);
            }
            let offset_s = state.clock_offset_s.saturating_add(advance.advance_s);
            // Set under the lock, so that two moves at once can't leave the smaller one.
            shared.clock.set_offset_s(offset_s);
            (
                vec![Event::ClockAdvanced {
                    seconds: advance.advance_s,
                }],
                Some(()),
            )
        })
        .await;
    match moved {
        Ok(Some(())) => Json(clock_shown(&shared)).into_response(),
        Ok(None) => invalid(
            "The clock would be more than ten years ahead.",
            &format!("It may be {OFFSET_MAX_S} seconds ahead of the system's; begin with a fresh state."),
        ),
        Err(_) => storage_failed(),
    }
}

fn clock_shown(shared: &Shared) -> Value {
    json!({ "now": shared.clock.now(), "ahead_s": shared.clock.offset_s() })
}

/// `GET faults`.
pub(super) async fn faults(State(shared): State<Shared>) -> Response {
    Json(shared.faults.list()).into_response()
}

/// `POST faults`: replaces the list.
pub(super) async fn set_faults(State(shared): State<Shared>, body: Bytes) -> Response {
    let valid = "a list of {\"match\": \"METHOD /path\", \"nth\"?: from 1, \"do\": \"lose_answer\", \"cut\", \
                 \"delay\", \"429\", \"503\" or \"bad_json\", \"seconds\"?: 0 to 600}.";
    let faults: Vec<Fault> = match read(&body, valid) {
        Ok(faults) => faults,
        Err(response) => return response,
    };
    if faults.len() > FAULTS_MAX {
        return invalid(
            &format!("{} faults were given.", faults.len()),
            &format!("Give at most {FAULTS_MAX}."),
        );
    }
    for (index, fault) in faults.iter().enumerate() {
        if let Some(problem) = fault.problem() {
            return invalid(
                &format!("Fault {}: {problem}", index.saturating_add(1)),
                &format!("Valid is {valid}"),
            );
        }
    }
    shared.faults.replace(faults);
    Json(shared.faults.list()).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Duplicates {
    refuse: bool,
}

/// `GET duplicates`.
pub(super) async fn duplicates(State(shared): State<Shared>) -> Response {
    Json(json!({ "refuse": shared.store.read(|state| !state.duplicates_allowed) })).into_response()
}

/// `POST duplicates`.
pub(super) async fn set_duplicates(State(shared): State<Shared>, body: Bytes) -> Response {
    let switch: Duplicates = match read(&body, "{\"refuse\": true or false}.") {
        Ok(switch) => switch,
        Err(response) => return response,
    };
    match shared
        .store
        .commit(Event::DuplicateRule {
            refuse: switch.refuse,
        })
        .await
    {
        Ok(_) => Json(json!({ "refuse": switch.refuse })).into_response(),
        Err(_) => storage_failed(),
    }
}
