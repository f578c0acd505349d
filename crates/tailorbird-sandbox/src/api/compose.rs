//! Publishing a post, the same for both API versions: the rules of X, decided under one lock.
//!
//! The order of the checks is part of the behaviour: what is wrong with the text itself comes first, then
//! what it points to, and the duplicate rule last, so that only a text that X would have taken counts as a
//! refused duplicate.

use super::call::{Call, NotStored};
use super::links;
use super::render::{may_see, media_kind};
use super::uploads;
use crate::state::{Event, Post, State};
use jiff::Timestamp;
use serde_json::Value;
use tailorbird_text::{Mention, WeightedRules, measure};

/// Most pictures of one post; of videos and GIFs it is one.
pub(crate) const MAX_MEDIA: usize = 4;

/// What somebody wants to publish.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// The text as sent.
    pub(crate) text: String,
    /// The post it answers.
    pub(crate) reply_to: Option<u64>,
    /// The post it quotes.
    pub(crate) quote_of: Option<u64>,
    /// Ids of uploads.
    pub(crate) media: Vec<u64>,
    /// Who may reply.
    pub(crate) reply_settings: Option<String>,
    /// A poll and whatever else is given back on reading.
    pub(crate) extra: Value,
}

/// Why a post was refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Neither text nor anything else to show.
    Empty,
    /// Over 280 by the weighted count.
    TooLong,
    /// A character that no text may hold (U+FFFE, U+FEFF, U+FFFF).
    Characters,
    /// The same text as a recent post of the author.
    Duplicate,
    /// The answered post is gone or hidden from the author.
    NoReplyTarget(u64),
    /// The answered post's author lets only some people reply.
    ReplyNotAllowed,
    /// The quoted post is gone or hidden from the author.
    NoQuoteTarget(u64),
    /// An upload that is unknown, foreign, too old or not ready.
    Media(u64),
    /// Pictures together with a video or GIF, or several of those.
    MediaMix,
}

/// Publishes; the answer is given when the post is stored.
///
/// # Errors
/// [`NotStored`]; the inner error is the refusal.
pub(crate) async fn publish(call: &Call, draft: Draft) -> Result<Result<Post, Refusal>, NotStored> {
    let (author, now) = (call.account(), call.now());
    let (source, application) = (call.application_name(), Some(call.caller.application_id));
    let original = draft.text.trim().to_owned();
    call.write(|state| {
        if let Err(refusal) = check(state, author, now, &original, &draft) {
            return (Vec::new(), Err(refusal));
        }
        if !original.is_empty()
            && let Some(first) = state.duplicate_of(author, &original, now)
        {
            let refused = Event::DuplicateRefused {
                author,
                original: first,
                at: now,
            };
            return (vec![refused], Err(Refusal::Duplicate));
        }
        let id = state.next_id(now);
        let Ok(rewritten) = links::rewrite(&original, id) else {
            return (Vec::new(), Err(Refusal::TooLong));
        };
        let (urls, named) = (links::urls(&rewritten), rewritten.mentions);
        let answered = draft.reply_to.and_then(|id| state.posts.get(&id));
        let post = Post {
            id,
            author,
            text: rewritten.text,
            created_at: now,
            reply_to: draft.reply_to,
            quote_of: draft.quote_of,
            repost_of: None,
            conversation: answered.map_or(id, |post| post.conversation),
            media: draft.media,
            urls,
            mentions: mentioned(state, author, &named, answered),
            source,
            application,
            reply_settings: draft.reply_settings,
            hidden: false,
            deleted_at: None,
            extra: draft.extra,
            original_text: original,
        };
        (vec![Event::PostAccepted(post.clone())], Ok(post))
    })
    .await
}

fn check(state: &State, author: u64, now: Timestamp, text: &str, draft: &Draft) -> Result<(), Refusal> {
    let shows_something =
        !draft.media.is_empty() || draft.quote_of.is_some() || draft.extra.get("card_uri").is_some();
    if text.is_empty() && !shows_something {
        return Err(Refusal::Empty);
    }
    if !text.is_empty() {
        match measure(text, &WeightedRules::x()) {
            Ok(measure) if measure.first_invalid.is_some() => return Err(Refusal::Characters),
            Ok(measure) if measure.valid => {}
            _ => return Err(Refusal::TooLong),
        }
    }
    if let Some(id) = draft.reply_to {
        let target = visible(state, author, id).ok_or(Refusal::NoReplyTarget(id))?;
        if !may_reply(state, author, target) {
            return Err(Refusal::ReplyNotAllowed);
        }
    }
    if let Some(id) = draft.quote_of {
        visible(state, author, id).ok_or(Refusal::NoQuoteTarget(id))?;
    }
    if let Some(bad) = draft
        .media
        .iter()
        .find(|id| !uploads::usable(state, author, **id, now))
    {
        return Err(Refusal::Media(*bad));
    }
    let moving = draft
        .media
        .iter()
        .filter_map(|id| state.media.get(id))
        .filter(|media| media_kind(media) != "photo")
        .count();
    if moving > 0 && draft.media.len() > 1 {
        return Err(Refusal::MediaMix);
    }
    Ok(())
}

/// The post, if it is there and `viewer` may see it.
pub(crate) fn visible(state: &State, viewer: u64, id: u64) -> Option<&Post> {
    state.post(id).filter(|post| may_see(state, viewer, post.author))
}

/// Whether the settings of the answered post let `author` reply.
fn may_reply(state: &State, author: u64, target: &Post) -> bool {
    if target.author == author || target.mentions.contains(&author) {
        return true;
    }
    match target.reply_settings.as_deref() {
        None | Some("everyone") => true,
        Some("following") => state
            .accounts
            .get(&target.author)
            .is_some_and(|account| account.following.contains(&author)),
        Some("verified") => state
            .accounts
            .get(&author)
            .is_some_and(|account| account.verified),
        Some(_) => false,
    }
}

/// Who is told of the post: everybody named in it, and whom it answers.
fn mentioned(state: &State, author: u64, named: &[Mention], answered: Option<&Post>) -> Vec<u64> {
    let mut ids: Vec<u64> = Vec::new();
    let named = named
        .iter()
        .filter_map(|found| state.account_named(&found.username));
    for id in named
        .map(|account| account.id)
        .chain(answered.map(|post| post.author))
    {
        if id != author && !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}
