//! What every driver must do. A driver is added to `DRIVERS` with a way to make its sample; each behaviour is
//! one function over an open link and knows nothing of the driver.

use jiff::Timestamp;
use tailorbird_database::{CursorMove, Link};
use tailorbird_model::Value;
use tailorbird_model::value::parse_decimal;

use crate::bench::{Bench, keys, none, record, rows, told, with};

/// A driver's name and how to open the sample for writing.
type Driver = (&'static str, fn(&Bench) -> Link);

const DRIVERS: &[Driver] = &[("sqlite", Bench::writer)];

fn check(behaviour: impl Fn(&mut Link)) {
    for (name, open) in DRIVERS {
        println!("{name}");
        behaviour(&mut open(&Bench::new()));
    }
}

#[test]
fn types_come_out_as_declared_and_decimals_exact() {
    check(|link| {
        let found = link
            .query("SELECT * FROM products ORDER BY sku", &none(), 10)
            .unwrap();
        let first = &found.records[0];
        assert_eq!(
            first.get("price"),
            Some(&Value::Decimal(parse_decimal("19.90").unwrap()))
        );
        assert_eq!(first.get("published"), Some(&Value::Boolean(true)));
        assert_eq!(found.records[1].get("price").unwrap().to_string(), "4.00");
        assert_eq!(found.records[2].get("price"), Some(&Value::Null));
        assert!(!found.truncated);
    });
}

#[test]
fn a_limit_truncates_and_says_so() {
    check(|link| {
        let found = link
            .query("SELECT sku FROM products ORDER BY sku", &none(), 2)
            .unwrap();
        assert_eq!((found.records.len(), found.truncated), (2, true));
        let found = link.query("SELECT sku FROM products", &none(), 3).unwrap();
        assert_eq!((found.records.len(), found.truncated), (3, false));
    });
}

#[test]
fn parameters_are_bound_by_name_with_their_types() {
    check(|link| {
        let sql =
            "SELECT sku FROM products WHERE price > :least AND published = :published AND name <> :name";
        let parameters = with(&[
            ("least", Value::Decimal(parse_decimal("19.89").unwrap())),
            ("published", Value::Boolean(true)),
            ("name", "'; DROP TABLE products; --".into()),
        ]);
        let found = link.query(sql, &parameters, 10).unwrap();
        assert_eq!(found.records.len(), 1);
        assert_eq!(found.records[0].get("sku"), Some(&Value::from("A-1")));
    });
}

#[test]
fn an_upsert_done_twice_leaves_the_same_rows() {
    check(|link| {
        let records = [
            record(&[
                ("sku", "A-1".into()),
                ("name", "Kettle".into()),
                ("price", Value::Integer(20)),
            ]),
            record(&[
                ("sku", "N-9".into()),
                ("name", "New".into()),
                ("price", Value::Null),
            ]),
        ];
        for _ in 0..2 {
            let written = link.upsert("products", &keys(&["sku"]), &records).unwrap();
            assert_eq!((written.rows, written.by_unique_index), (2, true));
            assert_eq!(
                rows(
                    link,
                    "SELECT sku, name, price, published FROM products WHERE sku IN ('A-1', 'N-9') ORDER BY sku"
                ),
                r#"[{"sku":"A-1","name":"Kettle","price":"20.00","published":true},{"sku":"N-9","name":"New","price":null,"published":null}]"#,
                "columns that are not written stay"
            );
        }
    });
}

#[test]
fn an_upsert_without_a_unique_index_leaves_the_same_rows_too() {
    check(|link| {
        let records = [
            record(&[("at", "1".into()), ("message", "one".into())]),
            record(&[("at", "2".into()), ("message", "two".into())]),
        ];
        for _ in 0..2 {
            let written = link.upsert("log", &keys(&["at"]), &records).unwrap();
            assert_eq!((written.rows, written.by_unique_index), (2, false));
        }
        let both = keys(&["at", "message"]);
        link.upsert("log", &both, &records).unwrap();
        assert_eq!(rows(link, "SELECT count(*) AS n FROM log"), r#"[{"n":2}]"#);
    });
}

#[test]
fn records_and_cursor_are_stored_both_or_not_at_all() {
    check(|link| {
        let (task, step) = ("collect".parse().unwrap(), "mentions".parse().unwrap());
        assert_eq!(link.read_cursor(&task, &step).unwrap(), None);
        let cursor = |value: &str| CursorMove {
            task: task.clone(),
            step: step.clone(),
            value: serde_json::json!({ "since_id": value }),
            now: Timestamp::UNIX_EPOCH,
        };
        let good = record(&[("sku", "A-1".into()), ("name", "new name".into())]);
        link.upsert_with_cursor("products", &keys(&["sku"]), &[good], &cursor("10"))
            .unwrap();
        assert_eq!(
            link.read_cursor(&task, &step).unwrap(),
            Some(serde_json::json!({ "since_id": "10" }))
        );
        let refused = [
            record(&[("sku", "A-1".into()), ("name", "never seen".into())]),
            record(&[("sku", "D-4".into()), ("name", Value::Null)]),
        ];
        let failure = told(link.upsert_with_cursor("products", &keys(&["sku"]), &refused, &cursor("20")));
        assert_eq!(failure.code, "DB-006");
        assert!(failure.message.contains("row 2"), "{}", failure.message);
        assert_eq!(
            link.read_cursor(&task, &step).unwrap(),
            Some(serde_json::json!({ "since_id": "10" }))
        );
        assert_eq!(
            rows(link, "SELECT name FROM products WHERE sku = 'A-1'"),
            r#"[{"name":"new name"}]"#
        );
        // A page without records still moves the cursor.
        link.upsert_with_cursor("products", &keys(&["sku"]), &[], &cursor("30"))
            .unwrap();
        assert_eq!(
            link.read_cursor(&task, &step).unwrap(),
            Some(serde_json::json!({ "since_id": "30" }))
        );
    });
}

#[test]
fn what_a_table_or_column_is_not_called_is_answered_with_what_there_is() {
    check(|link| {
        let row = [record(&[("sku", "A-1".into())])];
        let failure = told(link.upsert("product_post", &keys(&["sku"]), &row));
        assert_eq!(failure.code, "DB-006");
        assert!(failure.detail.contains("product_posts"), "{}", failure.detail);
        assert_eq!(failure.hint, "Did you mean product_posts?");
        let row = [record(&[("sku", "A-1".into()), ("postid", "1".into())])];
        let failure = told(link.upsert("product_posts", &keys(&["sku"]), &row));
        assert!(failure.message.contains("postid"), "{}", failure.message);
        assert_eq!(failure.hint, "Did you mean post_id?");
    });
}

#[test]
fn a_link_can_be_handed_to_a_thread_that_may_block() {
    fn check_send<T: Send>(_: &T) {}
    check(|link| check_send(link));
}
