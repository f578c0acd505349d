//! Cells to values, case by case.

use rusqlite::types::ValueRef;
use tailorbird_model::Value;

use super::{Declared, exact_float, value};

fn read(cell: ValueRef<'_>, declared: &str) -> String {
    match value(cell, Declared::of(Some(declared)), 1024) {
        Ok(value) => format!("{} {value}", value.type_name()),
        Err(problem) => format!("error: {problem}"),
    }
}

#[test]
fn the_storage_class_decides_and_the_declared_type_sharpens() {
    use ValueRef::{Blob, Integer, Null, Real, Text};
    for (cell, declared, expected) in [
        (Null, "BOOLEAN", "null "),
        (Integer(1), "BOOLEAN", "boolean true"),
        (Integer(0), "bool", "boolean false"),
        (Integer(7), "BOOLEAN", "integer 7"),
        (Text(b"TRUE"), "BOOLEAN", "boolean true"),
        (Integer(20), "DECIMAL(10,2)", "decimal 20.00"),
        (Integer(20), "NUMERIC", "integer 20"),
        (Real(19.9), "DECIMAL(10, 2)", "decimal 19.90"),
        (Real(19.999), "DECIMAL(10,2)", "decimal 19.999"),
        (Real(0.1), "REAL", "decimal 0.1"),
        (Real(0.1 + 0.2), "", "decimal 0.30000000000000004"),
        (Real(1e15), "", "decimal 1000000000000000"),
        (Real(-1.5e-7), "", "decimal -0.00000015"),
        (Real(1e28), "", "decimal 10000000000000000000000000000"),
        (
            Real(1e300),
            "",
            "error: holds 1e300, which is beyond an exact decimal of 28 digits",
        ),
        (
            Real(1e-300),
            "",
            "error: holds 1e-300, which is beyond an exact decimal of 28 digits",
        ),
        (
            Real(f64::INFINITY),
            "",
            "error: holds inf, which is beyond an exact decimal of 28 digits",
        ),
        (
            Text(b"123456789012345678.90"),
            "DECIMAL(20,2)",
            "decimal 123456789012345678.90",
        ),
        (Text(b"2026-11-23"), "DATE", "date 2026-11-23"),
        (Text(b"23.11.2026"), "DATE", "text 23.11.2026"),
        (
            Text(b"2026-11-23 10:20:30"),
            "DATETIME",
            "timestamp 2026-11-23T10:20:30Z",
        ),
        (
            Text(b"2026-11-23T10:20:30.5+02:00"),
            "TIMESTAMP",
            "timestamp 2026-11-23T08:20:30.5Z",
        ),
        (Text(b"soon"), "TIMESTAMP", "text soon"),
        (Integer(1_700_000_000), "DATETIME", "integer 1700000000"),
        (Text(b"{\"a\":1}"), "JSON", "json {\"a\":1}"),
        (Text(b"00123"), "VARCHAR(10)", "text 00123"),
        (Text(b"\xff"), "TEXT", "error: is text that is not UTF-8 (byte 0)"),
        (Blob(b"\x00\x01"), "BLOB", "bytes AAE="),
        (
            Blob(&[0; 1025]),
            "BLOB",
            "error: has 1025 bytes; at most 1024 are read",
        ),
        (
            Text(&[b'a'; 1025]),
            "TEXT",
            "error: has 1025 bytes; at most 1024 are read",
        ),
    ] {
        assert_eq!(read(cell, declared), expected, "{cell:?} as {declared:?}");
    }
}

#[test]
fn a_decimal_is_a_float_only_where_it_comes_back_the_same() {
    for (text, exact) in [
        ("19.90", true),
        ("0.1", true),
        ("123456789.123456", true),
        ("0.1234567890123456789", false),
        ("9007199254740993", false),
        ("79228162514264337593543950335", false),
    ] {
        let Some(number) = tailorbird_model::value::parse_decimal(text) else {
            panic!("{text}")
        };
        assert_eq!(exact_float(number).is_some(), exact, "{text}");
    }
    assert_eq!(Value::Null.type_name(), "null");
}
