//! Deciding whether a post matches a [`Query`].

use super::{Query, tokens};

/// What a query can ask about one post. Names and tags are lower case.
#[derive(Debug, Default)]
pub(crate) struct Subject {
    /// The words of the text, in order.
    pub(crate) words: Vec<String>,
    /// `#tags` without the sign.
    pub(crate) hashtags: Vec<String>,
    /// `$symbols` without the sign.
    pub(crate) cashtags: Vec<String>,
    /// `@names` without the sign.
    pub(crate) mentions: Vec<String>,
    /// The addresses behind links.
    pub(crate) links: Vec<String>,
    /// The author's name and id.
    pub(crate) author: (String, u64),
    /// Name and id of whom it replies to.
    pub(crate) replies_to: Option<(String, u64)>,
    /// The post it replies to.
    pub(crate) reply_to: Option<u64>,
    /// The post it quotes.
    pub(crate) quote_of: Option<u64>,
    /// Whether it is a plain repost of another.
    pub(crate) is_repost: bool,
    /// The first post of its conversation.
    pub(crate) conversation: u64,
    /// The language code.
    pub(crate) language: String,
    /// Whether media are attached.
    pub(crate) has_media: bool,
    /// Whether the author is verified.
    pub(crate) verified: bool,
}

impl Subject {
    /// Fills in what is read from the text itself.
    pub(crate) fn of_text(text: &str) -> Self {
        let mut subject = Self {
            words: tokens(text),
            ..Self::default()
        };
        for part in text.split_whitespace() {
            let word = |sign: char| {
                part.strip_prefix(sign)
                    .map(|rest| {
                        rest.chars()
                            .take_while(|c| c.is_alphanumeric() || *c == '_')
                            .flat_map(char::to_lowercase)
                            .collect::<String>()
                    })
                    .filter(|rest| !rest.is_empty())
            };
            subject.hashtags.extend(word('#'));
            subject.cashtags.extend(word('$'));
        }
        subject
    }
}

impl Query {
    /// Whether the post matches.
    pub(crate) fn matches(&self, post: &Subject) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(post)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(post)),
            Self::Not(part) => !part.matches(post),
            Self::Words(words) => post
                .words
                .windows(words.len())
                .any(|window| window == words.as_slice()),
            Self::Hashtag(tag) => post.hashtags.contains(tag),
            Self::Cashtag(tag) => post.cashtags.contains(tag),
            Self::Mention(name) => post.mentions.contains(name),
            Self::From(person) => is_person(&post.author, person),
            Self::To(person) => post
                .replies_to
                .as_ref()
                .is_some_and(|other| is_person(other, person)),
            Self::Conversation(id) => post.conversation == *id,
            Self::ReplyTo(id) => post.reply_to == Some(*id),
            Self::QuoteOf(id) => post.quote_of == Some(*id),
            Self::Language(code) => post.language == *code,
            Self::Address(part) => post.links.iter().any(|link| link.to_lowercase().contains(part)),
            Self::Has("links") => !post.links.is_empty(),
            Self::Has("media" | "images") => post.has_media,
            Self::Has("mentions") => !post.mentions.is_empty(),
            Self::Has("hashtags") => !post.hashtags.is_empty(),
            Self::Has("cashtags") => !post.cashtags.is_empty(),
            Self::Is("reply") => post.reply_to.is_some(),
            Self::Is("retweet") => post.is_repost,
            Self::Is("quote") => post.quote_of.is_some(),
            Self::Is("verified") => post.verified,
            Self::Has(_) | Self::Is(_) => false,
        }
    }
}

fn is_person(person: &(String, u64), wanted: &str) -> bool {
    person.0 == wanted || person.1.to_string() == wanted
}
