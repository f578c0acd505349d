//! Values of a mapping as somebody types them, and back.
//!
//! A text is itself, without quotes. What would read as something else (a number, true, false, null, a list) is that; in
//! double quotes it is a text again. Decimals stay text, since a number with a fraction would not be exact.

use serde_json::Value;

/// A value as it stands in a field.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if meant(text) == *value => text.clone(),
        other => other.to_string(),
    }
}

/// What a typed text means.
pub fn meant(text: &str) -> Value {
    let trimmed = text.trim();
    let is_json =
        trimmed.starts_with(['[', '{', '"']) && !trimmed.starts_with("{{") && !trimmed.starts_with("{%");
    let is_word = matches!(trimmed, "true" | "false" | "null");
    let is_whole = trimmed
        .parse::<i64>()
        .is_ok_and(|number| number.to_string() == trimmed);
    if (is_json || is_word || is_whole)
        && let Ok(value) = serde_json::from_str(trimmed)
    {
        return value;
    }
    Value::String(text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_itself_and_plain_values_are_what_they_look_like() {
        for (text, value) in [
            ("New: {{ n }}", json!("New: {{ n }}")),
            ("{{ n }}", json!("{{ n }}")),
            ("1", json!(1)),
            ("\"1\"", json!("1")),
            ("007", json!("007")),
            ("19.90", json!("19.90")),
            ("true", json!(true)),
            ("[\"{{ a }}\", 2]", json!(["{{ a }}", 2])),
            ("[not json", json!("[not json")),
            ("", json!("")),
        ] {
            assert_eq!(meant(text), value, "{text}");
            assert_eq!(meant(&shown(&value)), value, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_as_the_same(text in "[ -~\\n]{0,20}", number in any::<i64>()) {
            for value in [Value::String(text.clone()), json!(number), json!([text])] {
                prop_assert_eq!(meant(&shown(&value)), value);
            }
        }
    }
}
