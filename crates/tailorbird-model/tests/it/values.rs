//! Values, records and keys keep what they are given.

use proptest::prelude::*;
use tailorbird_model::key::{DeliveryKey, KeyProblem};
use tailorbird_model::{Record, Value};

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        any::<i64>().prop_map(Value::Integer),
        (any::<i64>(), 0_u32..20).prop_map(|(n, scale)| Value::Decimal(rust_decimal::Decimal::new(n, scale))),
        ".*".prop_map(Value::Text),
        any::<Vec<u8>>().prop_map(Value::Bytes),
        (0_i64..4_000_000_000).prop_map(|s| Value::Timestamp(jiff::Timestamp::from_second(s).unwrap())),
        Just(Value::Json(
            serde_json::json!({"$decimal": "not ours", "b": [1, null]})
        )),
        Just(Value::Json(serde_json::json!([1, "two"]))),
    ]
}

proptest! {
    #[test]
    fn a_stored_record_comes_back_as_it_was(values in prop::collection::vec(any_value(), 0..8)) {
        let record = Record::from_pairs(values.into_iter().enumerate().map(|(i, v)| (format!("c{i}"), v)));
        let stored = serde_json::to_string(&record).unwrap();
        prop_assert_eq!(serde_json::from_str::<Record>(&stored).unwrap(), record);
    }

    #[test]
    fn a_key_is_stable(text in ".{1,100}") {
        if let Ok(key) = DeliveryKey::from_text(&text) {
            prop_assert_eq!(DeliveryKey::from_text(key.as_str()).unwrap(), key);
        }
    }
}

#[test]
fn keys() {
    let decimal = |digits: &str| DeliveryKey::from_value(&Value::Decimal(digits.parse().unwrap())).unwrap();
    assert_eq!(decimal("1.10"), decimal("1.1"));
    assert_eq!(DeliveryKey::from_text("a  \n").unwrap().as_str(), "a");
    assert_eq!(
        DeliveryKey::from_text("e\u{301}").unwrap(),
        DeliveryKey::from_text("é").unwrap()
    );
    assert_eq!(DeliveryKey::from_value(&Value::Null), Err(KeyProblem::Empty));
    assert_eq!(DeliveryKey::from_text("  "), Err(KeyProblem::Empty));
    assert_eq!(
        DeliveryKey::from_text(&"x".repeat(513)),
        Err(KeyProblem::TooLong { bytes: 513 })
    );
}

#[test]
fn numbers_are_never_floats() {
    let json: serde_json::Value =
        serde_json::from_str("[12.10, 9007199254740993, 1e2, 99999999999999999999]").unwrap();
    let values: Vec<String> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|v| Value::from_json(v).to_string())
        .collect();
    assert_eq!(
        values,
        ["12.1", "9007199254740993", "100", "100000000000000000000"]
    );
    assert_eq!(
        Value::Integer(9_007_199_254_740_993).to_json(),
        serde_json::json!("9007199254740993")
    );
}
