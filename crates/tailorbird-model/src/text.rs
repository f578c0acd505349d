//! A service's text rules, in the words of failures: the seam between the files and `tailorbird-text`.

use tailorbird_text::{LengthError, LengthRule, WeightedRules};

use crate::service::{Field, LengthRuleName, TextLength};
use crate::{Failure, Meaning, codes};

/// Checks a text against the rules of its field, before anything is sent.
///
/// # Errors
/// SEND-002 where it is too long, SEND-003 where it is empty or holds a character that is not allowed; both
/// mean that this record is rejected and the others go on.
pub fn check_field(name: &str, field: &Field, text: &str) -> Result<(), Failure> {
    if let Some(length) = field.length {
        check_length(name, &rule_of(length), text)?;
    }
    if let Some(max) = field.max_length
        && !text.is_empty()
    {
        check_length(name, &LengthRule::Characters { max: max.into() }, text)?;
    }
    if field.required && text.trim().is_empty() {
        return Err(empty(name));
    }
    Ok(())
}

/// How long a text is by the rule of its field, and the greatest length allowed; nothing where the field has no rule, or
/// the text is longer than any rule measures.
pub fn measured(field: &Field, text: &str) -> Option<(u64, u64)> {
    let rule = match (field.length, field.max_length) {
        (Some(length), _) => rule_of(length),
        (None, Some(max)) => LengthRule::Characters { max: max.into() },
        (None, None) => return None,
    };
    match rule.check(text) {
        Ok(measure) => Some((measure.weighted_length, rule.max())),
        Err(LengthError::TooLong { measured, max, .. }) => Some((measured, max)),
        Err(LengthError::Empty) => Some((0, rule.max())),
        Err(_) => None,
    }
}

/// The weighted length of a text by X's rules, and the greatest length allowed.
pub fn weighted_length(text: &str) -> Option<(u64, u64)> {
    let rules = WeightedRules::x();
    tailorbird_text::measure(text, &rules)
        .ok()
        .map(|measure| (measure.weighted_length, measure.max))
}

/// Tells whether `seen` is what became of `sent` at the provider; `links` are short links with what they
/// stand for (never-twice rule 10).
pub fn same_text(sent: &str, seen: &str, links: &[(&str, &str)]) -> bool {
    tailorbird_text::same_text(sent, seen, links).unwrap_or(false)
}

/// Tells whether a text holds a link, as X finds links: also without a scheme (`example.com/sale`).
pub fn has_link(text: &str) -> bool {
    tailorbird_text::extract_urls(text).is_ok_and(|links| !links.is_empty())
}

fn rule_of(length: TextLength) -> LengthRule {
    let max = u64::from(length.max);
    match length.rule {
        LengthRuleName::Characters => LengthRule::Characters { max },
        LengthRuleName::Utf16 => LengthRule::Utf16 { max },
        LengthRuleName::Bytes => LengthRule::Bytes { max },
        LengthRuleName::XWeighted => LengthRule::Weighted(WeightedRules {
            max,
            ..WeightedRules::x()
        }),
    }
}

fn check_length(name: &str, rule: &LengthRule, text: &str) -> Result<(), Failure> {
    match rule.check(text) {
        Ok(_) => Ok(()),
        Err(LengthError::Empty) => Err(empty(name)),
        Err(error @ LengthError::InvalidCharacter { .. }) => Err(Failure::new(
            codes::TEXT_EMPTY,
            Meaning::Rejected,
            format!("`{name}` cannot be sent: {error}"),
        )
        .hint("Remove the character in the database or with `replace` in the mapping.")),
        Err(error @ LengthError::TooLong { .. }) => {
            let shown = rule.cut(text).unwrap_or_default();
            Err(Failure::new(
                codes::TEXT_TOO_LONG,
                Meaning::Rejected,
                format!("`{name}` cannot be sent: {error}"),
            )
            .detail(format!("What would fit ends with “{}”.", tail(&shown)))
            .hint("Shorten it in the mapping, for example `{{ name | shorten(80) }}`."))
        }
        Err(error) => Err(Failure::new(
            codes::TEXT_TOO_LONG,
            Meaning::Rejected,
            format!("`{name}` cannot be sent: {error}"),
        )),
    }
}

fn empty(name: &str) -> Failure {
    Failure::new(
        codes::TEXT_EMPTY,
        Meaning::Rejected,
        format!("`{name}` cannot be sent: the text is empty"),
    )
    .hint("Leave such rows out in the statement or with `when`.")
}

/// How much of a text's end is shown, in characters.
const SHOWN_TAIL: usize = 20;

fn tail(text: &str) -> String {
    let count = text.chars().count();
    text.chars().skip(count.saturating_sub(SHOWN_TAIL)).collect()
}
