//! Reposting, the same for both API versions: a repost is a post of its own that points to another.

use super::call::{Call, NotStored};
use super::compose::visible;
use crate::state::{Event, Post, State};

/// Why a repost was refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The post is gone or hidden from the caller.
    Gone,
    /// The caller has reposted it already.
    Twice,
}

/// Reposts for the caller.
///
/// # Errors
/// [`NotStored`]; the inner error is the refusal.
pub(crate) async fn repost(call: &Call, id: u64) -> Result<Result<Post, Refusal>, NotStored> {
    let (author, now) = (call.account(), call.now());
    let (source, application) = (call.application_name(), Some(call.caller.application_id));
    call.write(|state| {
        let Some(original) = visible(state, author, id) else {
            return (Vec::new(), Err(Refusal::Gone));
        };
        if standing(state, author, id).is_some() {
            return (Vec::new(), Err(Refusal::Twice));
        }
        let name = state
            .accounts
            .get(&original.author)
            .map_or("", |account| account.username.as_str());
        let own_id = state.next_id(now);
        let post = Post {
            id: own_id,
            author,
            text: format!("RT @{name}: {}", original.text),
            original_text: format!("RT @{name}: {}", original.original_text),
            created_at: now,
            reply_to: None,
            quote_of: None,
            repost_of: Some(id),
            conversation: own_id,
            media: Vec::new(),
            urls: Vec::new(),
            mentions: vec![original.author],
            source,
            application,
            reply_settings: None,
            hidden: false,
            deleted_at: None,
            extra: serde_json::Value::Null,
        };
        (vec![Event::PostAccepted(post.clone())], Ok(post))
    })
    .await
}

/// Takes the caller's repost of a post back; without one nothing happens.
///
/// # Errors
/// [`NotStored`]
pub(crate) async fn take_back(call: &Call, id: u64) -> Result<(), NotStored> {
    let (author, now) = (call.account(), call.now());
    call.write(|state| match standing(state, author, id) {
        Some(repost) => (vec![Event::PostDeleted { id: repost, at: now }], ()),
        None => (Vec::new(), ()),
    })
    .await
}

/// The undeleted repost of a post by an account.
fn standing(state: &State, author: u64, id: u64) -> Option<u64> {
    state
        .posts_of(author)
        .find(|post| post.repost_of == Some(id))
        .map(|post| post.id)
}
