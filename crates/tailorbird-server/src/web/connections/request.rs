//! A request as a page shows it: line, headers, body, and how it is signed.

use tailorbird_app::Shown;

/// Characters of a body that a page shows.
const MAX_BODY: usize = 20_000;

/// A request for a template.
pub(super) struct RequestView {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
    pub steps: Option<StepsView>,
    pub curl: String,
}

/// How a signature comes about.
pub(super) struct StepsView {
    pub signature_method: &'static str,
    pub http_method: String,
    pub uri: String,
    pub rows: Vec<Row>,
    pub normalized: String,
    pub base_string: String,
    pub key: &'static str,
    pub placement: &'static str,
}

/// A parameter of the base string.
pub(super) struct Row {
    pub name: String,
    pub value: String,
    pub from: &'static str,
}

impl From<Shown> for RequestView {
    fn from(shown: Shown) -> Self {
        let curl = shown.request.as_curl();
        Self {
            method: shown.request.method.to_string(),
            url: shown.request.url,
            headers: shown.request.headers,
            body: shown.request.body.map(|body| pretty(&body)),
            curl,
            steps: shown.signature.map(|steps| StepsView {
                signature_method: steps.signature_method,
                http_method: steps.http_method,
                uri: steps.uri,
                rows: steps
                    .parameters
                    .into_iter()
                    .map(|row| Row {
                        name: row.name,
                        value: row.value,
                        from: row.from,
                    })
                    .collect(),
                normalized: steps.normalized,
                base_string: steps.base_string,
                key: steps.key,
                placement: steps.placement,
            }),
        }
    }
}

/// JSON on several lines, every digit as it is; anything else as it is; not more than a page bears.
pub(super) fn pretty(text: &str) -> String {
    let is_nested = text.trim_start().starts_with(['{', '[']);
    let told = if is_nested && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        indented(text)
    } else {
        text.to_owned()
    };
    if told.chars().count() <= MAX_BODY {
        return told;
    }
    let beginning: String = told.chars().take(MAX_BODY).collect();
    format!("{beginning}\n… {} characters in all", told.chars().count())
}

/// Sets the parts of a JSON text on lines of their own. Only white space changes: reading the numbers and writing them
/// again could lose digits.
fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len().saturating_mul(2));
    let (mut depth, mut in_text, mut escaped, mut opened) = (0_usize, false, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    for letter in json.chars() {
        if in_text {
            out.push(letter);
            in_text = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
            continue;
        }
        if letter.is_whitespace() {
            continue;
        }
        let closes = matches!(letter, '}' | ']');
        if closes {
            depth = depth.saturating_sub(1);
        }
        if opened != closes {
            // After an opening bracket that is not closed at once, or before a closing one that was not just opened.
            line(&mut out, depth);
        }
        opened = false;
        out.push(letter);
        match letter {
            '{' | '[' => {
                depth = depth.saturating_add(1);
                opened = true;
            }
            ',' => line(&mut out, depth),
            ':' => out.push(' '),
            '"' => in_text = true,
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_gets_lines_and_keeps_its_digits() {
        assert_eq!(
            pretty(r#"{"a":[1.10,{}],"b":"x,{\"y\":1}", "c":[]}"#),
            "{\n  \"a\": [\n    1.10,\n    {}\n  ],\n  \"b\": \"x,{\\\"y\\\":1}\",\n  \"c\": []\n}"
        );
        for plain in ["a=1&b=2", "12.50", "{no json", ""] {
            assert_eq!(pretty(plain), plain);
        }
        assert!(pretty(&"x".repeat(MAX_BODY + 1)).ends_with("20001 characters in all"));
    }
}
