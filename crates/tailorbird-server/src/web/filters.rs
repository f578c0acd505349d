//! What templates do with a text beside escaping it.

#![expect(
    unreachable_pub,
    clippy::inline_always,
    clippy::unused_self,
    clippy::unnecessary_wraps,
    reason = "the macro of filters wants and makes it so"
)]

use askama::filters::Safe;

/// A text of a failure: what stands between backticks is code. Everything is escaped.
#[askama::filter_fn]
pub(super) fn code(text: impl std::fmt::Display, _: &dyn askama::Values) -> askama::Result<Safe<String>> {
    Ok(Safe(marked(&text.to_string())))
}

fn marked(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    let parts: Vec<&str> = text.split('`').collect();
    // An odd number of backticks closes nothing, so the last one stays as it is.
    let pairs = (parts.len() - 1) / 2;
    for (place, part) in parts.iter().enumerate() {
        let is_code = place % 2 == 1 && place / 2 < pairs;
        if is_code {
            html.push_str("<code>");
        } else if place % 2 == 1 {
            html.push('`');
        }
        escape(part, &mut html);
        if is_code {
            html.push_str("</code>");
        }
    }
    html
}

fn escape(text: &str, into: &mut String) {
    for letter in text.chars() {
        match letter {
            '<' => into.push_str("&#60;"),
            '>' => into.push_str("&#62;"),
            '&' => into.push_str("&#38;"),
            '"' => into.push_str("&#34;"),
            '\'' => into.push_str("&#39;"),
            other => into.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_marked_and_all_is_escaped() {
        assert_eq!(
            marked("run `a b` and `c`."),
            "run <code>a b</code> and <code>c</code>."
        );
        assert_eq!(marked("one ` only"), "one ` only");
        assert_eq!(
            marked("`<script>` & \"x\""),
            "<code>&#60;script&#62;</code> &#38; &#34;x&#34;"
        );
        assert_eq!(marked("a `b` c ` d"), "a <code>b</code> c ` d");
        assert_eq!(marked(""), "");
    }
}
