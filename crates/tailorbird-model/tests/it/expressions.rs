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

/// On a stack as small as any that evaluates: what passes the limits must also be parsed within it.
fn on_a_small_stack(check: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(1024 * 1024)
        .spawn(check)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn what_nests_too_deep_is_refused_before_it_is_parsed() {
    on_a_small_stack(|| {
        let many = 12_000;
        let nested = |open: &str, inner: &str, close: &str, depth: usize| {
            format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
        };
        for (source, words) in [
            (format!("{{{{ {}true }}}}", "not ".repeat(many)), "hang together"),
            (format!("{{{{ {}1 }}}}", "-".repeat(many)), "hang together"),
            (format!("{{{{ {}1 }}}}", "- ".repeat(many)), "hang together"),
            (
                format!("{{{{ {} }}}}", nested("(", "1", ")", many)),
                "brackets stand",
            ),
            (
                format!("{{{{ {} }}}}", nested("[", "1", "]", many)),
                "brackets stand",
            ),
            (format!("{{{{ {}", "[".repeat(many)), "brackets stand"),
            (
                format!("{{{{ {} }}}}", nested("not (", "true", ")", 9_000)),
                "brackets stand",
            ),
            (
                format!("{{{{ name{} }}}}", "|upper".repeat(9_000)),
                "hang together",
            ),
            (format!("{{{{ name{} }}}}", ".a".repeat(many)), "hang together"),
            (format!("{{{{ name{} }}}}", "[0]".repeat(many)), "hang together"),
            (
                format!("{{{{ name{} }}}}", "~name".repeat(9_000)),
                "hang together",
            ),
            (
                format!("{{{{ 1{} }}}}", " if a else 1".repeat(5_000)),
                "hang together",
            ),
            (nested("{% if stock %}", "x", "{% endif %}", 2_500), "statements"),
            (nested("{% set a %}", "x", "{% endset %}", 2_500), "statements"),
            (
                format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(5_000)),
                "statements",
            ),
            (
                format!("{{% if {}a %}}x{{% endif %}}", "not ".repeat(many)),
                "hang together",
            ),
        ] {
            let problem = Expressions::new().add(&source).unwrap_err();
            assert!(problem.message.contains(words), "{source:.60}: {problem:?}");
            assert!(problem.column > 2 && !problem.hint.is_empty(), "{problem:?}");
        }
    });
}

#[test]
fn what_is_just_within_the_limits_works_on_a_small_stack() {
    use tailorbird_model::expression::{MAX_BLOCKS, MAX_BRACKETS, MAX_LINKS};
    on_a_small_stack(|| {
        let brackets = format!(
            "{{{{ {}1{} }}}}",
            "(".repeat(MAX_BRACKETS),
            ")".repeat(MAX_BRACKETS)
        );
        assert_eq!(evaluate(&brackets).unwrap(), Value::Integer(1));
        let signs = format!("{{{{ {}true }}}}", "not ".repeat(MAX_LINKS));
        assert_eq!(evaluate(&signs).unwrap(), Value::Boolean(true));
        let filters = format!("{{{{ name{} }}}}", "|upper".repeat(MAX_LINKS));
        assert_eq!(evaluate(&filters).unwrap(), Value::from("KETTLE & CO"));
        let otherwise = format!("{{{{ 1{} }}}}", " if true else 1".repeat(MAX_LINKS / 2));
        assert_eq!(evaluate(&otherwise).unwrap(), Value::Integer(1));
        let blocks = format!(
            "{}x{}",
            "{% if true %}".repeat(MAX_BLOCKS),
            "{% endif %}".repeat(MAX_BLOCKS)
        );
        assert_eq!(evaluate(&blocks).unwrap(), Value::from("x"));
        let list = format!("{{{{ [{}] | length }}}}", "name|upper, ".repeat(1_000));
        assert_eq!(evaluate(&list).unwrap(), Value::Integer(1_000));
        let one_after_another = "{% set a = stock %}{% if a %}{{ a }}{% endif %}".repeat(500);
        assert_eq!(
            evaluate(&one_after_another).unwrap(),
            Value::from("7".repeat(500))
        );
    });
}

#[test]
fn nothing_grows_beyond_the_limit() {
    let replaced = "|replace('a','aaaaaaaaaa')".repeat(9);
    let doubled = "{% set x = x ~ x %}".repeat(40);
    for source in [
        format!("{{{{ 'aaaaaaaaaa'{replaced} }}}}"),
        format!("Text: {{{{ 'aaaaaaaaaa'{replaced} }}}}"),
        format!("{{% set x = 'abcdefgh' %}}{doubled}{{{{ x }}}}"),
        "{% for a in range(9000) %}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA{% endfor %}".to_owned(),
        "{{ '%900000000s' | format(name) }}".to_owned(),
        "{{ name | indent(900000000, true) }}".to_owned(),
        "{{ range(90000) | join('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') }}".to_owned(),
        "{{ range(99999) | list }}".to_owned(),
    ] {
        let began = std::time::Instant::now();
        let failure = evaluate(&source).unwrap_err();
        assert_eq!(failure.code, "MAP-001", "{source}");
        assert!(
            failure.message.contains("yields more than") || failure.message.contains("too much work"),
            "{source}: {failure:?}"
        );
        assert!(began.elapsed().as_secs() < 5, "{source}: {:?}", began.elapsed());
    }
}

#[test]
fn a_list_of_long_texts_is_measured_as_it_will_be_written() {
    let long = Record::from_pairs([("text".to_owned(), Value::from("x".repeat(200_000)))]);
    let run = |source: &str| {
        let mut expressions = Expressions::new();
        let template = expressions.add(source).unwrap();
        expressions.evaluate(&template, &Scope::of(&long))
    };
    assert!(run("{{ [text, text, text, text] }}").is_ok());
    for source in [
        format!("{{{{ [{}] }}}}", "text, ".repeat(1_000)),
        format!("{{{{ {{'a': [{}]}} }}}}", "text, ".repeat(6)),
        "{{ text }}".repeat(6),
    ] {
        let failure = run(&source).unwrap_err();
        assert!(failure.message.contains("yields more than"), "{failure:?}");
    }
}

#[test]
fn lists_of_names_get_no_name_so_that_nothing_doubles() {
    for source in [
        "{% set x = [x, x] %}",
        "{% set x = {'a': x} %}",
        "{% set x = (x, x) %}",
        "{% set x = x, x %}",
        "{% set x = x if y else [x] %}",
        "{% set x = y | default([x, x]) %}",
        "{% for x in [[y, y]] %}{% endfor %}",
        "{% for x in y, y %}{% endfor %}",
        "{% for x in y if x in [y] %}{% endfor %}",
        "{% with x = [y, y], z = 1 %}{% endwith %}",
        "{% with x = (y, y) %}{% endwith %}",
    ] {
        let problem = Expressions::new().add(source).expect_err(source);
        assert!(
            problem.message.contains("a list made of other values"),
            "{source}: {problem:?}"
        );
    }
    let long = format!("{{{{ [{}] }}}}", "name,".repeat(1_001));
    let problem = Expressions::new().add(&long).unwrap_err();
    assert!(problem.message.contains("commas"), "{problem:?}");
    for name in ["zip", "chain", "batch", "slice", "groupby", "map", "pprint"] {
        let problem = Expressions::new()
            .add(&format!("{{{{ name | {name}(2) }}}}"))
            .unwrap_err();
        assert!(problem.message.contains("there is no filter"), "{problem:?}");
    }
    for call in ["dict(a=1)", "namespace(a=1)", "debug()"] {
        assert!(evaluate(&format!("{{{{ {call} }}}}")).is_err(), "{call}");
    }
    for (source, expected) in [
        ("{% set x = ['a', 'b'] %}{{ x | join('-') }}", "a-b"),
        ("{% for x in ['a', 'b'] %}{{ x }}{% endfor %}", "ab"),
        (
            "{% for k, v in {'a': 1, 'b': true} | items %}{{ k }}{{ v }}{% endfor %}",
            "a1bTrue",
        ),
        ("{% for i in range(1, 4) %}{{ i }}{% endfor %}", "123"),
        ("{% set x = [1, 2][0] %}{{ x }}", "1"),
        ("{% set x = name | replace('Kettle', sku) %}{{ x }}", "A-1 & Co"),
        ("{% with a = stock, b = sku %}{{ a }}{{ b }}{% endwith %}", "7A-1"),
        ("{% if sku in [sku, name] %}yes{% endif %}", "yes"),
        ("{{ [sku, name] | join(', ') }}!", "A-1, Kettle & Co!"),
    ] {
        assert_eq!(evaluate(source).unwrap(), Value::from(expected), "{source}");
    }
}
