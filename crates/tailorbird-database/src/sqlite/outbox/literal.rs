//! Reads what `quote()` wrote: SQL literals with commas between them.

use rusqlite::types::Value;

/// The longest text that is read, in bytes: a row whose values are all as long as they may be.
const MAX_TEXT: usize = 64 << 20;

/// The pairs of a text such as `'sku','A-1','stock',5`. The error is the end of a sentence.
pub(super) fn pairs(text: &str) -> Result<Vec<(String, Value)>, String> {
    if text.len() > MAX_TEXT {
        return Err(format!("has {} bytes; at most {MAX_TEXT} are read", text.len()));
    }
    let mut pairs = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, after) = literal(rest)?;
        let Value::Text(name) = name else {
            return Err(format!("has no name where {:?} begins", start(rest)));
        };
        let after = after
            .strip_prefix(',')
            .ok_or_else(|| format!("has no value for {name}"))?;
        let (value, after) = literal(after)?;
        pairs.push((name, value));
        rest = match after.strip_prefix(',') {
            Some("") => return Err("ends in a comma".to_owned()),
            Some(next) => next,
            None if after.is_empty() => after,
            None => return Err(format!("has no comma where {:?} begins", start(after))),
        };
    }
    Ok(pairs)
}

/// One literal and what follows it.
fn literal(text: &str) -> Result<(Value, &str), String> {
    if let Some(rest) = text.strip_prefix('\'') {
        let (content, rest) = quoted(rest)?;
        return Ok((Value::Text(content), rest));
    }
    if let Some(rest) = text.strip_prefix("X'").or_else(|| text.strip_prefix("x'")) {
        let (digits, rest) = quoted(rest)?;
        let bytes = hex(&digits).ok_or_else(|| format!("has odd bytes where {:?} begins", start(text)))?;
        return Ok((Value::Blob(bytes), rest));
    }
    let (word, rest) = text.split_at(text.find(',').unwrap_or(text.len()));
    let value = if word.eq_ignore_ascii_case("null") {
        Value::Null
    } else if let Ok(number) = word.parse::<i64>() {
        Value::Integer(number)
    } else {
        // Rust would also read words such as `nan`, which SQLite never writes.
        let is_number = word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
        match word.parse::<f64>() {
            Ok(number) if is_number => Value::Real(number),
            _ => return Err(format!("has no literal where {:?} begins", start(text))),
        }
    };
    Ok((value, rest))
}

/// The content of a quoted text and what follows its end; a quote inside is doubled.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut content = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest
            .split_once('\'')
            .ok_or_else(|| "has a text without an end".to_owned())?;
        content.push_str(before);
        match after.strip_prefix('\'') {
            Some(more) => {
                content.push('\'');
                rest = more;
            }
            None => return Ok((content, after)),
        }
    }
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let nibble = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?))
        .collect()
}

/// The beginning of a text, for a message.
fn start(text: &str) -> String {
    text.chars().take(20).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusqlite::Connection;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::Integer),
            any::<f64>().prop_filter_map("SQLite has no NaN", |number| {
                (!number.is_nan()).then_some(Value::Real(number))
            }),
            "[^\\x00]{0,20}".prop_map(Value::Text),
            proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::Blob),
        ]
    }

    proptest! {
        #[test]
        fn what_sqlite_quotes_is_read_back(row in proptest::collection::vec(("[^\\x00]{0,12}", value()), 0..6)) {
            let db = Connection::open_in_memory().unwrap();
            let mut text = String::new();
            for (name, value) in &row {
                let part: String = db
                    .query_row("SELECT quote(?1) || ',' || quote(?2)", (name, value), |row| row.get(0))
                    .unwrap();
                if !text.is_empty() {
                    text.push(',');
                }
                text.push_str(&part);
            }
            let read = pairs(&text).unwrap();
            prop_assert_eq!(read, row);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "['X0-9a-f,.NULe+ -]{0,40}") {
            drop(pairs(&text));
        }

        #[test]
        fn any_characters_are_read_or_refused(text in ".{0,60}") {
            drop(pairs(&text));
        }
    }

    #[test]
    fn odd_texts_are_refused_with_words() {
        for (text, words) in [
            ("'a'", "no value for a"),
            ("'a',", "no literal"),
            ("'a',1,", "comma"),
            ("'a',1 2", "no literal"),
            ("'a','b'c", "no comma"),
            ("5,5", "no name"),
            ("'a',X'0'", "odd bytes"),
            ("'a',X'0g'", "odd bytes"),
            ("'a','b", "without an end"),
            ("'a',nan", "no literal"),
        ] {
            let problem = pairs(text).unwrap_err();
            assert!(problem.contains(words), "{text}: {problem}");
        }
    }
}
