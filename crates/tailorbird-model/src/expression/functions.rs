//! The filters and tests that expressions have: one table for hints, help and completion.

/// A filter or a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// What it gives.
    pub about: &'static str,
    /// An expression over a record with `name`, `price`, `stock`, `note` (null), `due` and `tags`.
    pub example: &'static str,
}

const fn function(name: &'static str, about: &'static str, example: &'static str) -> Function {
    Function { name, about, example }
}

/// The filters that hints name.
pub const FILTERS: &[Function] = &[
    function("plus", "exact sum", "{{ price | plus(1) }}"),
    function("minus", "exact difference", "{{ price | minus(1) }}"),
    function("times", "exact product", "{{ price | times(stock) }}"),
    function(
        "divided_by",
        "quotient, to 2 places or as many as said",
        "{{ price | divided_by(3, 4) }}",
    ),
    function("round", "rounded, half away from zero", "{{ price | round(1) }}"),
    function("number", "with commas between thousands", "{{ stock | number }}"),
    function("money", "an amount with its sign", "{{ price | money(\"EUR\") }}"),
    function("date", "a time in another form", "{{ due | date(\"%d %B %Y\") }}"),
    function(
        "shorten",
        "at most so many characters, cut at a word",
        "{{ name | shorten(20) }}",
    ),
    function(
        "default",
        "something in the place of nothing",
        "{{ note | default(\"-\", true) }}",
    ),
    function("upper", "capital letters", "{{ name | upper }}"),
    function("lower", "small letters", "{{ name | lower }}"),
    function("title", "Each Word Capital", "{{ name | title }}"),
    function("capitalize", "First letter capital", "{{ name | capitalize }}"),
    function("trim", "without white space around it", "{{ name | trim }}"),
    function(
        "replace",
        "one text for another",
        "{{ name | replace(\"a\", \"b\") }}",
    ),
    function("join", "a list as text", "{{ tags | join(\", \") }}"),
    function("split", "a text as list", "{{ name | split(\" \") | first }}"),
    function("first", "the first of a list", "{{ tags | first }}"),
    function("last", "the last of a list", "{{ tags | last }}"),
    function("length", "how long a list or text is", "{{ tags | length }}"),
    function("abs", "without its sign", "{{ stock | abs }}"),
    function("tojson", "as JSON text", "{{ tags | tojson }}"),
];

/// The tests that hints name.
pub const TESTS: &[Function] = &[
    function("eq", "equal, exact for numbers", "{{ price is eq(0) }}"),
    function("ne", "not equal", "{{ price is ne(0) }}"),
    function("gt", "greater than", "{{ price is gt(0) }}"),
    function("ge", "at least", "{{ price is ge(10) }}"),
    function("lt", "less than", "{{ stock is lt(5) }}"),
    function("le", "at most", "{{ stock is le(5) }}"),
    function(
        "defined",
        "whether there is such a name",
        "{{ price is defined }}",
    ),
    function("none", "whether it is null", "{{ note is none }}"),
    function("in", "whether a list or text has it", "{{ \"a\" is in(tags) }}"),
    function(
        "startingwith",
        "how a text begins",
        "{{ name is startingwith(\"B\") }}",
    ),
    function("endingwith", "how a text ends", "{{ name is endingwith(\"g\") }}"),
    function("odd", "whether a whole number is odd", "{{ stock is odd }}"),
    function("even", "whether a whole number is even", "{{ stock is even }}"),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::expression::{Expressions, Scope};
    use crate::{Record, Value};

    #[test]
    fn every_example_is_read_and_yields_something() {
        let record = Record::from_pairs(
            [
                ("name", Value::from_json(&json!("Bag big"))),
                ("price", Value::from_json(&json!("19.90"))),
                ("stock", Value::from_json(&json!(7))),
                ("note", Value::from_json(&json!(null))),
                ("due", Value::from_json(&json!("2026-11-24T10:00:00Z"))),
                ("tags", Value::from_json(&json!(["a", "b"]))),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        for function in FILTERS.iter().chain(TESTS) {
            let mut expressions = Expressions::new();
            let template = expressions.add(function.example).unwrap();
            let value = expressions.evaluate(&template, &Scope::of(&record));
            assert!(value.is_ok_and(|value| !value.is_null()), "{}", function.example);
            assert!(function.example.contains(function.name), "{}", function.name);
        }
    }
}
