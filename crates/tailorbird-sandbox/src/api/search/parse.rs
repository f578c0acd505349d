//! From the text of a query to [`Query`]: a recursive descent over characters with positions.

use super::{HAS, IS, OPERATORS, Query, tokens};
use thiserror::Error;

/// The longest query, in characters, as X documents it.
pub(crate) const MAX_QUERY_CHARS: usize = 512;

/// Deepest nesting of parentheses.
const MAX_DEPTH: usize = 16;

/// A query that cannot be used. Positions count characters from 1, as X's messages do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum QueryError {
    /// Longer than [`MAX_QUERY_CHARS`].
    #[error("Rules are limited to {MAX_QUERY_CHARS} characters, but this one has {0}")]
    TooLong(usize),
    /// Nothing that could match by itself, such as `-spam` or `is:reply` alone.
    #[error(
        "Rules must contain at least one positive, standalone clause: a word, \"phrase\", #tag, @name, from:, to:, url: or conversation_id:"
    )]
    NothingPositive,
    /// An operator outside [`OPERATORS`].
    #[error("Reference to invalid operator '{name}'. Valid operators are: {}: (at position {position})", OPERATORS.join(":, "))]
    UnknownOperator {
        /// As written.
        name: String,
        /// Where it begins.
        position: usize,
    },
    /// A value that the operator does not take.
    #[error(
        "Invalid use of operator '{operator}': '{value}' is not one of [{valid}] (at position {position})"
    )]
    WrongValue {
        /// The operator.
        operator: String,
        /// As written.
        value: String,
        /// What would be valid.
        valid: String,
        /// Where the operator begins.
        position: usize,
    },
    /// Something is missing or stands where it cannot.
    #[error("{problem} (at position {position})")]
    Syntax {
        /// What is wrong.
        problem: &'static str,
        /// Where.
        position: usize,
    },
}

/// Parses a query.
///
/// # Errors
/// See [`QueryError`].
pub(crate) fn parse(text: &str) -> Result<Query, QueryError> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() > MAX_QUERY_CHARS {
        return Err(QueryError::TooLong(chars.len()));
    }
    let mut reader = Reader { chars, at: 0 };
    let query = reader.any(0)?;
    if reader.peek().is_some() {
        return Err(reader.syntax("unexpected ')'"));
    }
    if !query.is_positive() {
        return Err(QueryError::NothingPositive);
    }
    Ok(query)
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn peek_second(&self) -> Option<char> {
        self.chars.get(self.at + 1).copied()
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn syntax(&self, problem: &'static str) -> QueryError {
        QueryError::Syntax {
            problem,
            position: self.at + 1,
        }
    }

    /// `group (OR group)*`
    fn any(&mut self, depth: usize) -> Result<Query, QueryError> {
        if depth > MAX_DEPTH {
            return Err(self.syntax("parentheses are nested too deeply"));
        }
        let mut groups = vec![self.all(depth)?];
        loop {
            self.skip_spaces();
            if !self.at_or() {
                break;
            }
            self.at += 2;
            groups.push(self.all(depth)?);
        }
        Ok(match groups.len() {
            1 => groups.swap_remove(0),
            _ => Query::Any(groups),
        })
    }

    /// `term+`
    fn all(&mut self, depth: usize) -> Result<Query, QueryError> {
        let mut terms = Vec::new();
        loop {
            self.skip_spaces();
            match self.peek() {
                None | Some(')') => break,
                Some(_) if self.at_or() => break,
                Some(_) => terms.push(self.term(depth)?),
            }
        }
        match terms.len() {
            0 => Err(self.syntax("a word, phrase or operator is missing")),
            1 => Ok(terms.swap_remove(0)),
            _ => Ok(Query::All(terms)),
        }
    }

    /// Whether the word `OR` begins here.
    fn at_or(&self) -> bool {
        let ends = self
            .chars
            .get(self.at + 2)
            .is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')'));
        self.peek() == Some('O') && self.peek_second() == Some('R') && ends
    }

    fn term(&mut self, depth: usize) -> Result<Query, QueryError> {
        match self.peek() {
            Some('-') if self.peek_second().is_some_and(|c| !c.is_whitespace()) => {
                self.at += 1;
                Ok(Query::Not(Box::new(self.term_without_minus(depth)?)))
            }
            _ => self.term_without_minus(depth),
        }
    }

    fn term_without_minus(&mut self, depth: usize) -> Result<Query, QueryError> {
        match self.peek() {
            Some('(') => {
                self.at += 1;
                let inner = self.any(depth + 1)?;
                self.skip_spaces();
                if self.peek() != Some(')') {
                    return Err(self.syntax("')' is missing"));
                }
                self.at += 1;
                Ok(inner)
            }
            Some('"') => {
                let start = self.at;
                let phrase = self.quoted()?;
                words(&phrase).ok_or(QueryError::Syntax {
                    problem: "a phrase without words",
                    position: start + 1,
                })
            }
            _ => self.word(),
        }
    }

    /// The text between quotation marks; a backslash protects the next character.
    fn quoted(&mut self) -> Result<String, QueryError> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '"' => return Ok(text),
                '\\' => {
                    text.extend(self.peek());
                    self.at += 1;
                }
                _ => text.push(c),
            }
        }
        Err(QueryError::Syntax {
            problem: "the closing quotation mark is missing",
            position: start + 1,
        })
    }

    fn word(&mut self) -> Result<Query, QueryError> {
        let start = self.at;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            if c.is_whitespace() || matches!(c, '(' | ')' | '"') {
                break;
            }
            self.at += 1;
            if c == ':' && is_operator_name(&text) {
                return self.operator(&text, start);
            }
            text.push(c);
        }
        let nothing = QueryError::Syntax {
            problem: "this character has no meaning here",
            position: start + 1,
        };
        let tail = |sign: char| {
            text.strip_prefix(sign)
                .filter(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_alphanumeric() || c == '_'))
                .map(str::to_lowercase)
        };
        if let Some(tag) = tail('#') {
            return Ok(Query::Hashtag(tag));
        }
        if let Some(tag) = tail('$') {
            return Ok(Query::Cashtag(tag));
        }
        if let Some(name) = tail('@') {
            return Ok(Query::Mention(name));
        }
        words(&text).ok_or(nothing)
    }

    fn operator(&mut self, name: &str, start: usize) -> Result<Query, QueryError> {
        let position = start + 1;
        let mut value = String::new();
        if self.peek() == Some('"') {
            value = self.quoted()?;
        } else {
            while let Some(c) = self
                .peek()
                .filter(|c| !c.is_whitespace() && !matches!(c, '(' | ')'))
            {
                value.push(c);
                self.at += 1;
            }
        }
        if !OPERATORS.contains(&name) {
            return Err(QueryError::UnknownOperator {
                name: name.to_owned(),
                position,
            });
        }
        let wrong = |valid: &str| QueryError::WrongValue {
            operator: name.to_owned(),
            value: value.clone(),
            valid: valid.to_owned(),
            position,
        };
        let id = || super::super::params::parse_id(&value).ok_or_else(|| wrong("an id of 1 to 19 digits"));
        let person = || {
            let person = value.strip_prefix('@').unwrap_or(&value);
            if super::super::params::is_username(person) || super::super::params::parse_id(person).is_some() {
                Ok(person.to_lowercase())
            } else {
                Err(wrong("a user name or id"))
            }
        };
        let one_of = |choices: &'static [&'static str]| {
            choices
                .iter()
                .copied()
                .find(|choice| *choice == value)
                .ok_or_else(|| wrong(&choices.join(", ")))
        };
        match name {
            "from" => person().map(Query::From),
            "to" => person().map(Query::To),
            "conversation_id" => id().map(Query::Conversation),
            "in_reply_to_tweet_id" => id().map(Query::ReplyTo),
            "quotes_of_tweet_id" => id().map(Query::QuoteOf),
            "has" => one_of(HAS).map(Query::Has),
            "is" => one_of(IS).map(Query::Is),
            "url" if !value.is_empty() => Ok(Query::Address(value.to_lowercase())),
            "url" => Err(wrong("a part of an address")),
            _ if (2..=3).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_lowercase()) => {
                Ok(Query::Language(value))
            }
            _ => Err(wrong("a language code such as en")),
        }
    }
}

/// Letters and underscores before a colon make an operator; `10:30` and `http://…` stay words.
fn is_operator_name(text: &str) -> bool {
    !text.is_empty()
        && !matches!(text, "http" | "https")
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn words(text: &str) -> Option<Query> {
    let tokens = tokens(text);
    if tokens.is_empty() {
        None
    } else {
        Some(Query::Words(tokens))
    }
}

impl Query {
    /// Whether something must be there for a match. X refuses queries that would return nearly everything.
    fn is_positive(&self) -> bool {
        match self {
            Self::All(parts) => parts.iter().any(Self::is_positive),
            Self::Any(parts) => parts.iter().all(Self::is_positive),
            Self::Not(_) | Self::Has(_) | Self::Is(_) | Self::Language(_) => false,
            _ => true,
        }
    }
}
