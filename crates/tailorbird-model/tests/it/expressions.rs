//! Mapping expressions: strict, typed, exact.

use rust_decimal::Decimal;
use tailorbird_model::expression::{Expressions, Scope};
use tailorbird_model::{Failure, Record, Value};

fn record() -> Record {
    Record::from_pairs([
        ("sku".to_owned(), Value::from("A-1")),
        ("name".to_owned(), Value::from("Kettle & Co")),
        ("price".to_owned(), Value::Decimal("1234.50".parse().unwrap())),
        ("stock".to_owned(), Value::Integer(7)),
        ("currency".to_owned(), Value::from("GBP")),
        ("note".to_owned(), Value::Null),
        (
            "due".to_owned(),
            Value::Timestamp("2026-11-23T10:00:00Z".parse().unwrap()),
        ),
    ])
}

fn evaluate(source: &str) -> Result<Value, Failure> {
    let mut expressions = Expressions::new();
    let template = expressions
        .add(source)
        .unwrap_or_else(|problem| panic!("{source}: {problem:?}"));
    let result = Record::from_pairs([("id".to_owned(), Value::from("17"))]);
    expressions.evaluate(&template, &Scope::of(&record()).with_record("result", &result))
}

#[test]
fn values() {
    let decimal = |digits: &str| Value::Decimal(digits.parse::<Decimal>().unwrap());
    let cases: Vec<(&str, Value)> = vec![
        ("plain", Value::from("plain")),
        ("{{ sku }}", Value::from("A-1")),
        ("{{ price }}", decimal("1234.50")),
        ("{{ stock }}", Value::Integer(7)),
        ("{{ note }}", Value::Null),
        (
            "{{ due }}",
            Value::Timestamp("2026-11-23T10:00:00Z".parse().unwrap()),
        ),
        ("product-{{ sku }}", Value::from("product-A-1")),
        (
            "{{ name }} at {{ price | money(currency) }}",
            Value::from("Kettle & Co at £1,234.50"),
        ),
        ("{{ price | money('chf') }}", Value::from("CHF 1,234.50")),
        ("{{ price | money('JPY') }}", Value::from("¥1,235")),
        ("{{ 0.1 | plus(0.2) }}", decimal("0.3")),
        ("{{ price | times(stock) }}", decimal("8641.50")),
        ("{{ price | minus(0.005) | round(2) }}", decimal("1234.50")),
        ("{{ price | divided_by(3) }}", decimal("411.50")),
        ("{{ price is gt(0) }}", Value::Boolean(true)),
        ("{{ price is eq(1234.5) }}", Value::Boolean(true)),
        ("{{ price is lt('1234.51') }}", Value::Boolean(true)),
        ("{{ currency == 'GBP' and stock is ge(7) }}", Value::Boolean(true)),
        ("{{ note | default('-', true) }}", Value::from("-")),
        ("{{ result.id }}", Value::from("17")),
        ("{{ -1 }}", Value::Integer(-1)),
        ("{{ due | date('%Y-%m-%d') }}", Value::from("2026-11-23")),
        ("{{ name | shorten(8) }}", Value::from("Kettle…")),
        (
            "{% if stock is gt(5) %}plenty{% else %}few{% endif %}",
            Value::from("plenty"),
        ),
    ];
    for (source, expected) in cases {
        assert_eq!(evaluate(source).unwrap(), expected, "{source}");
    }
}

#[test]
fn failures_name_the_cause_and_what_is_valid() {
    let unknown = evaluate("New: {{ nmae }}").unwrap_err();
    assert_eq!(unknown.code, "MAP-002");
    assert!(unknown.message.contains("`nmae`"), "{unknown}");
    assert!(unknown.hint.contains("Did you mean `name`?"), "{}", unknown.hint);
    let lone = evaluate("{{ nmae }}").unwrap_err();
    assert_eq!(lone.code, "MAP-002", "{lone}");
    let inner = evaluate("{{ result.idd }}").unwrap_err();
    assert_eq!(inner.code, "MAP-002", "{inner}");
    let null = evaluate("Note: {{ note }}").unwrap_err();
    assert_eq!(null.code, "MAP-001");
    assert!(null.detail.contains("null"), "{}", null.detail);
    let text = evaluate("{{ name | times(2) }}").unwrap_err();
    assert!(text.detail.contains("is not a number"), "{}", text.detail);
    let kinds = evaluate("{{ due is gt(3) }}").unwrap_err();
    assert!(kinds.detail.contains("cannot be compared"), "{}", kinds.detail);
    let endless = evaluate("{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}")
        .unwrap_err();
    assert!(endless.message.contains("too much work"), "{endless}");
}

#[test]
fn operators_on_numbers_and_bad_syntax_are_refused_with_their_place() {
    for (source, column, words) in [
        ("{{ price > 0 }}", 9, "is gt(0)"),
        ("{{ price * stock }}", 9, "times"),
        ("ab {{ stock - 1 }}", 12, "minus"),
        ("{{ stock == 7 }}", 9, "is eq"),
        ("{{ price % 2 }}", 9, "calculate it in the SQL"),
        ("New: {{ name", 8, ""),
        ("{{ name | nofilter }}", 10, ""),
        ("{% include 'x' %}", 3, ""),
    ] {
        let problem = Expressions::new().add(source).expect_err(source);
        assert_eq!(
            (problem.line, problem.column),
            (0, column),
            "{source}: {problem:?}"
        );
        assert!(problem.hint.contains(words), "{source}: {problem:?}");
    }
}

#[test]
fn a_condition_must_be_true_or_false() {
    let mut expressions = Expressions::new();
    let template = expressions.add("{{ stock }}").unwrap();
    let failure = expressions.truth(&template, &Scope::of(&record())).unwrap_err();
    assert_eq!(failure.code, "MAP-004");
}

#[test]
fn nested_literals_are_templates_too() {
    let mut expressions = Expressions::new();
    let json = serde_json::json!({"a": ["{{ sku }}", 2, {"b": "{{ price }}"}]});
    let template = expressions.add_json(&json).unwrap();
    let value = expressions.evaluate(&template, &Scope::of(&record())).unwrap();
    assert_eq!(
        value,
        Value::Json(serde_json::json!({"a": ["A-1", 2, {"b": "1234.50"}]}))
    );
    let problems = expressions
        .add_json(&serde_json::json!({"a": ["{{ x > 1 }}"], "b": "{{"}))
        .unwrap_err();
    assert_eq!(
        problems.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(),
        ["/a/0", "/b"]
    );
}
