//! The query language of recent search: a useful subset of X's.
//!
//! Answers: does this post match `("new stock" OR #launch) from:acme -is:reply`? Words, "phrases", `#tags`,
//! `$cashtags`, `@names`, the operators of [`OPERATORS`], negation by `-`, `OR`, parentheses; a space is
//! "and" and binds tighter than `OR`, as at X. Anything else is refused with what is valid.

mod matching;
mod parse;

pub(crate) use matching::Subject;
#[cfg(test)]
use parse::QueryError;
pub(crate) use parse::parse;

/// The operators that take a value after a colon.
pub(crate) const OPERATORS: &[&str] = &[
    "from",
    "to",
    "conversation_id",
    "in_reply_to_tweet_id",
    "quotes_of_tweet_id",
    "lang",
    "url",
    "has",
    "is",
];

/// The values of `has:`.
pub(crate) const HAS: &[&str] = &["links", "media", "images", "mentions", "hashtags", "cashtags"];

/// The values of `is:`.
pub(crate) const IS: &[&str] = &["reply", "retweet", "quote", "verified"];

/// One parsed query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Query {
    /// All must match.
    All(Vec<Query>),
    /// One must match.
    Any(Vec<Query>),
    /// Must not match.
    Not(Box<Query>),
    /// A word or phrase: these tokens, one after another.
    Words(Vec<String>),
    /// `#tag`, lower case without the sign.
    Hashtag(String),
    /// `$SYMBOL`, lower case without the sign.
    Cashtag(String),
    /// `@name`, lower case without the sign.
    Mention(String),
    /// `from:` a user name (lower case) or an id.
    From(String),
    /// `to:` a user name (lower case) or an id.
    To(String),
    /// `conversation_id:`
    Conversation(u64),
    /// `in_reply_to_tweet_id:`
    ReplyTo(u64),
    /// `quotes_of_tweet_id:`
    QuoteOf(u64),
    /// `lang:`
    Language(String),
    /// `url:`: a part of a link's address.
    Address(String),
    /// `has:`
    Has(&'static str),
    /// `is:`
    Is(&'static str),
}

/// The words of a text: runs of letters, digits and underscores, lower case.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests;
