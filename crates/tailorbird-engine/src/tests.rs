//! Tests of the parts that need no store, no provider and no database.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use jiff::Timestamp;
use tailorbird_model::delivery::{DeliveryId, Event};
use tailorbird_model::run::{Counts, RunId};
use tailorbird_model::task::{Overlap, QueryCursor, Task};
use tailorbird_model::value::parse_decimal;
use tailorbird_model::{Failure, Meaning, Name, Record, Value, codes};
use tailorbird_store::{Attempt, Intended};

use crate::cursor::{from_value, greater, is_greater, later};
use crate::doubt::first_doubt;
use crate::drive::carried_on;
use crate::met::Met;
use crate::plan::{Plan, StepPlan};
use crate::send::{Sent, outcome_of};
use crate::tail::Emitted;

fn cursor(start: serde_json::Value, overlap: Option<&str>) -> QueryCursor {
    let overlap = overlap.map(|text| match text.parse() {
        Ok(ids) => Overlap::Ids(ids),
        Err(_) => Overlap::Time(text.parse().unwrap()),
    });
    QueryCursor {
        column: "at".to_owned(),
        start: Some(start),
        overlap,
    }
}

fn step() -> Name {
    "rows".parse().unwrap()
}

#[track_caller]
fn check_from(last: &str, overlap: Option<&str>, expected: &str) {
    let from = from_value(&Value::from(last), &cursor("".into(), overlap), &step()).unwrap();
    assert_eq!(from, Value::from(expected), "{last} less {overlap:?}");
}

/// A time in a text column is compared as text: the form must stay, or rows of the same day are passed over.
#[test]
fn a_time_kept_as_text_goes_back_in_its_own_form() {
    check_from("2026-01-01 00:00:30", None, "2025-12-31 23:59:30");
    check_from("2026-01-01T00:00:30", None, "2025-12-31T23:59:30");
    check_from("2026-01-01 00:00:30Z", None, "2025-12-31 23:59:30Z");
    check_from("2026-01-01T00:00:30.123456Z", None, "2025-12-31T23:59:30.123456Z");
    check_from("2026-01-01 00:00:30+02:00", None, "2025-12-31 23:59:30+02:00");
    check_from("2026-01-01 00:00", Some("90s"), "2025-12-31 23:58");
    check_from("2026-01-01 10:00:00", Some("2h"), "2026-01-01 08:00:00");
    check_from("2026-01-01 10:00:00", Some("0s"), "2026-01-01 10:00:00");
    check_from("2026-01-01", None, "2025-12-31");
    check_from("2026-01-01", Some("2d"), "2025-12-30");
    check_from("A-0042", None, "A-0042");
    check_from("Ünïcödé-text", None, "Ünïcödé-text");
    check_from("2026-13-45 99:99:99", None, "2026-13-45 99:99:99");
}

#[test]
fn ids_go_back_and_never_before_the_start() {
    let from = |last: i64, start: i64, overlap| {
        from_value(&Value::Integer(last), &cursor(start.into(), overlap), &step()).unwrap()
    };
    assert_eq!(from(5_000, 0, None), Value::Integer(4_000));
    assert_eq!(from(5_000, 0, Some("10")), Value::Integer(4_990));
    assert_eq!(from(100, 100, None), Value::Integer(100));
    assert_eq!(from(150, 100, None), Value::Integer(100));
    // A start that was moved ahead later does not throw rows away.
    assert_eq!(from(150, 900, Some("10")), Value::Integer(140));
    assert_eq!(from(i64::MIN, i64::MIN, None), Value::Integer(i64::MIN));
    let failure = from_value(&Value::Integer(7), &cursor(0.into(), Some("60s")), &step()).unwrap_err();
    assert_eq!(failure.code, codes::DATABASE_SETTING);
}

#[test]
fn the_cursor_takes_the_greatest_and_refuses_null() {
    let of = cursor(0.into(), None);
    let known = greater(Some(Value::Integer(7)), &Value::Integer(3), &of, &step()).unwrap();
    assert_eq!(known, Some(Value::Integer(7)));
    let known = greater(known, &Value::Integer(8), &of, &step()).unwrap();
    assert_eq!(known, Some(Value::Integer(8)));
    assert!(greater(known, &Value::Null, &of, &step()).is_err());
    let decimal = |text| Value::Decimal(parse_decimal(text).unwrap());
    assert!(is_greater(&decimal("7.5"), &Value::Integer(7)));
    assert!(!is_greater(&Value::Integer(7), &decimal("7.5")));
    assert!(is_greater(
        &Value::Integer(1),
        &Value::from("a start of another type")
    ));
}

#[test]
fn ids_of_a_listing_compare_as_numbers() {
    assert_eq!(later(None, "9".to_owned()), "9");
    assert_eq!(later(Some("9".to_owned()), "10".to_owned()), "10");
    assert_eq!(later(Some("10".to_owned()), "9".to_owned()), "10");
    assert_eq!(later(Some("0010".to_owned()), "9".to_owned()), "0010");
    assert_eq!(later(Some("b".to_owned()), "a".to_owned()), "b");
}

#[test]
fn a_number_is_met_once() {
    let mut met = Met::default();
    for id in [1, 2, 63, 64, 65, 1_000_000, i64::MAX] {
        assert!(met.insert(DeliveryId(id)), "{id}");
        assert!(!met.insert(DeliveryId(id)), "{id}");
    }
}

#[track_caller]
fn check_outcome(meaning: Meaning, was_in_doubt: bool, event: Event, ends: &str) {
    let intended = Intended {
        id: DeliveryId(1),
        attempt: 2,
    };
    let mut failure = Failure::new("X", meaning, "x");
    failure.retry_at = Some(Timestamp::MAX);
    let (outcome, sent) = outcome_of(intended, failure, was_in_doubt);
    assert_eq!(outcome.event, event, "{meaning:?}");
    assert_eq!(outcome.not_before.is_some(), meaning == Meaning::RetryLater);
    let ended = match sent {
        Sent::Done | Sent::Again => "done",
        Sent::Fault(_) => "fault",
        Sent::Held(_) => "held",
        Sent::Unreached(_) => "unreached",
        Sent::Later(_) => "later",
        Sent::Unstored(_) => "unstored",
    };
    assert_eq!(ended, ends, "{meaning:?}");
}

#[test]
fn each_meaning_has_its_outcome() {
    check_outcome(Meaning::Rejected, false, Event::Refused, "done");
    check_outcome(Meaning::Duplicate, false, Event::Refused, "done");
    check_outcome(Meaning::Duplicate, true, Event::Lost, "done");
    check_outcome(Meaning::ConnectionFault, false, Event::NotSent, "fault");
    check_outcome(Meaning::RetryLater, false, Event::NotSent, "later");
    check_outcome(Meaning::NotSent, false, Event::NotSent, "unreached");
    check_outcome(Meaning::InDoubt, false, Event::Lost, "done");
}

#[test]
fn a_look_up_begins_at_the_first_attempt_in_doubt() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let attempt = |number, second, outcome| Attempt {
        number,
        run: RunId("run".to_owned()),
        epoch: "e".to_owned(),
        intended_at: at(second),
        ended_at: None,
        outcome: Some(outcome),
        status: None,
        failure: None,
    };
    let put_off = attempt(1, 100, Event::NotSent);
    let lost = attempt(2, 200, Event::Lost);
    let duplicate = attempt(3, 300, Event::Lost);
    assert_eq!(first_doubt(&[put_off, lost, duplicate], at(300)), at(200));
    assert_eq!(first_doubt(&[], at(300)), at(300));
}

#[test]
fn a_run_that_goes_on_counts_nothing_twice() {
    let stored = Counts {
        read: 100,
        delivered: 40,
        already: 20,
        rejected: 7,
        not_due: 10,
        written: 40,
        ..Counts::default()
    };
    let known = Counts {
        delivered: 40,
        rejected: 2,
        ..Counts::default()
    };
    let counts = carried_on(stored, &known);
    assert_eq!(counts.read, 65, "what is read and counted again is taken out");
    assert_eq!((counts.delivered, counts.already, counts.rejected), (0, 0, 0));
    assert_eq!(counts.written, 40);
}

#[test]
fn keys_see_decimals_without_trailing_zeros() {
    let price = Value::Decimal(parse_decimal("1.10").unwrap());
    let record = Emitted::plain(Record::from_pairs([("price".to_owned(), price)]));
    assert_eq!(record.record.get("price").unwrap().to_string(), "1.10");
    assert_eq!(record.for_key().record.get("price").unwrap().to_string(), "1.1");
}

#[test]
fn a_chained_record_carries_the_result_along() {
    let pairs = |pairs: &[(&str, &str)]| {
        Record::from_pairs(pairs.iter().map(|(n, v)| ((*n).to_owned(), Value::from(*v))))
    };
    let record = Emitted {
        record: pairs(&[("sku", "A"), ("result", "old")]),
        result: Some(pairs(&[("id", "7")])),
        delivered_at: Some(Value::Timestamp(Timestamp::UNIX_EPOCH)),
        outer: [("order".to_owned(), pairs(&[("id", "O1")]))].into(),
        seen: None,
    };
    let flat = record.flattened();
    assert_eq!(flat.columns(), ["sku", "result", "delivered_at"]);
    assert_eq!(
        flat.get("result"),
        Some(&Value::Json(serde_json::json!({"id": "7"})))
    );
    // The ledger keeps what is seen around the record, with its types.
    let restored = Emitted::restored(&record.stored(), &["order".to_owned()]);
    assert_eq!(restored.record, flat);
    assert_eq!(restored.outer, record.outer);
}

#[test]
fn a_plan_knows_which_records_were_read() {
    let step = |id: &str, kind: &str, body: serde_json::Value| serde_json::json!({"id": id, kind: body});
    let call = |for_each: Option<&str>, key: Option<&str>| serde_json::json!({"connection": "c", "operation": "o", "for_each": for_each, "key": key});
    let task: Task = serde_json::from_value(serde_json::json!({"task": "t", "steps": [
        step("rows", "query", serde_json::json!({"database": "d", "sql": "select 1"})),
        step("look", "call", call(Some("rows"), None)),
        step("post", "call", call(Some("look"), Some("{{ a }}"))),
        step("tell", "call", call(Some("post"), Some("{{ a }}"))),
        step("once", "call", call(None, Some("k"))),
    ]}))
    .unwrap();
    let plan = Plan::of(&task).unwrap();
    let counted: Vec<bool> = plan
        .steps
        .iter()
        .filter_map(|step| match step {
            StepPlan::Call(call) => Some(plan.counts_reads_of(call.source.as_ref())),
            _ => None,
        })
        .collect();
    assert_eq!(counted, [true, true, false, false]);
}

/// What a step sets behind the call is seen as set there; the rest is kept for the steps behind, however far.
#[test]
fn a_call_keeps_what_the_steps_behind_it_read() {
    let step = |id: &str, kind: &str, body: serde_json::Value| serde_json::json!({"id": id, kind: body});
    let task: Task = serde_json::from_value(serde_json::json!({"task": "t", "steps": [
        step("rows", "query", serde_json::json!({"database": "d", "sql": "select :x", "parameters": {"x": "{{ variables.before }}"}})),
        step("post", "call", serde_json::json!({"connection": "c", "operation": "o", "for_each": "rows", "key": "{{ a }}",
            "with": {"text": "{{ variables.own }}"}})),
        step("last", "set", serde_json::json!({"from": "post", "variables": {"last": "{{ result.id }}"}})),
        step("more", "transform", serde_json::json!({"from": "post", "columns": {"b": "{{ trigger['label'] }}{{ variables.last }}"}})),
        step("store", "write", serde_json::json!({"database": "d", "table": "t", "from": "more", "key": ["b"],
            "columns": {"b": "{{ variables.region.name }} {{ run.id }}"}})),
        step("aside", "write", serde_json::json!({"database": "d", "table": "t", "from": "rows", "key": ["b"],
            "columns": {"b": "{{ variables.aside }}"}})),
    ]}))
    .unwrap();
    let plan = Plan::of(&task).unwrap();
    let Some(StepPlan::Call(call)) = plan.steps.get(1) else {
        panic!("no call");
    };
    let keeps = |root: &str, member: &str| call.keeps.keeps(root, member);
    for (root, member) in [
        ("variables", "own"),
        ("variables", "region"),
        ("run", "id"),
        ("trigger", "label"),
    ] {
        assert!(keeps(root, member), "{root}.{member}");
    }
    for name in ["before", "last", "aside"] {
        assert!(!keeps("variables", name), "{name}");
    }
}
