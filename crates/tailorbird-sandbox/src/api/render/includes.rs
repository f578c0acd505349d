//! What an answer's objects point to: `includes`, each object once, in the order of first mention.

use super::{Sheet, View, list, media, poll, post, user};
use crate::api::problem::{Missing, TYPE_BASE};
use crate::state::{DirectMessage, List, Post};
use serde_json::{Value, json};

/// Most objects of each kind in one answer; a page of 100 posts cannot expand to more.
const MAX_EACH: usize = 1_000;

/// Ids gathered for `includes`.
#[derive(Debug, Default)]
pub(crate) struct Includes {
    users: Vec<u64>,
    posts: Vec<u64>,
    media: Vec<u64>,
    polls: Vec<u64>,
}

impl Includes {
    /// Gathers what a post expands to; a referenced post that is gone or hidden becomes an error entry.
    pub(crate) fn of_post(&mut self, view: &View<'_>, post: &Post, sheet: &mut Sheet) {
        self.direct(view, post);
        let references = [post.repost_of, post.quote_of, post.reply_to];
        for id in references.into_iter().flatten() {
            if !view
                .fields
                .expansions
                .iter()
                .any(|name| name.starts_with("referenced_tweets.id"))
            {
                continue;
            }
            match view.state.post(id) {
                Some(other) if view.may_see(other.author) => {
                    // X gives the referenced post with each of the longer expansions too.
                    add(&mut self.posts, id);
                    if view.fields.expands("referenced_tweets.id.author_id") {
                        add(&mut self.users, other.author);
                    }
                    if view.fields.expands("referenced_tweets.id.attachments.media_keys") {
                        other.media.iter().for_each(|id| add(&mut self.media, *id));
                    }
                }
                Some(_) => sheet.errors(vec![not_authorized(id)]),
                None => sheet.missing(&Missing::new("tweet", "referenced_tweets.id", id)),
            }
        }
    }

    fn direct(&mut self, view: &View<'_>, post: &Post) {
        let fields = view.fields;
        if fields.expands("author_id") {
            add(&mut self.users, post.author);
        }
        if fields.expands("in_reply_to_user_id")
            && let Some(other) = post.reply_to.and_then(|id| view.state.posts.get(&id))
        {
            add(&mut self.users, other.author);
        }
        if fields.expands("entities.mentions.username") {
            post.mentions.iter().for_each(|id| add(&mut self.users, *id));
        }
        if fields.expands("attachments.media_keys") {
            post.media.iter().for_each(|id| add(&mut self.media, *id));
        }
        if fields.expands("attachments.poll_ids") && post.extra.get("poll").is_some() {
            add(&mut self.polls, post.id);
        }
        if fields.expands("edit_history_tweet_ids") {
            add(&mut self.posts, post.id);
        }
    }

    /// Gathers an account's newest post where asked for.
    pub(crate) fn of_user(&mut self, view: &View<'_>, account: u64) {
        if view.fields.expands("most_recent_tweet_id")
            && view.may_see(account)
            && let Some(newest) = view.state.posts_of(account).next()
        {
            add(&mut self.posts, newest.id);
        }
    }

    /// Gathers a list's owner where asked for.
    pub(crate) fn of_list(&mut self, view: &View<'_>, list: &List) {
        if view.fields.expands("owner_id") {
            add(&mut self.users, list.owner);
        }
    }

    /// Gathers the people and media of a direct message where asked for.
    pub(crate) fn of_message(&mut self, view: &View<'_>, message: &DirectMessage) {
        if view.fields.expands("sender_id") {
            add(&mut self.users, message.sender);
        }
        if view.fields.expands("participant_ids") {
            message
                .participants
                .iter()
                .for_each(|id| add(&mut self.users, *id));
        }
        if view.fields.expands("attachments.media_keys") {
            message.media.iter().for_each(|id| add(&mut self.media, *id));
        }
    }

    /// Renders everything gathered into the answer.
    pub(crate) fn write(self, view: &View<'_>, sheet: &mut Sheet) {
        let state = view.state;
        let mut errors = Vec::new();
        sheet.include(
            "users",
            self.users
                .iter()
                .filter_map(|id| state.accounts.get(id))
                .map(|one| user(view, one))
                .collect(),
        );
        sheet.include(
            "tweets",
            self.posts
                .iter()
                .filter_map(|id| state.post(*id))
                .map(|one| post(view, one, &mut errors))
                .collect(),
        );
        sheet.include(
            "media",
            self.media
                .iter()
                .filter_map(|id| state.media.get(id))
                .map(|one| media(view, one))
                .collect(),
        );
        sheet.include(
            "polls",
            self.polls
                .iter()
                .filter_map(|id| state.post(*id))
                .filter_map(|one| poll(view, one))
                .collect(),
        );
        sheet.errors(errors);
    }
}

/// Renders lists with their owners.
pub(crate) fn lists(view: &View<'_>, lists: &[&List], sheet: &mut Sheet) -> Vec<Value> {
    let mut includes = Includes::default();
    for one in lists {
        includes.of_list(view, one);
    }
    includes.write(view, sheet);
    lists.iter().map(|one| list(view, one)).collect()
}

/// The entry for a post of an account whose posts the caller may not see.
pub(crate) fn not_authorized(id: u64) -> Value {
    json!({
        "value": id.to_string(),
        "resource_id": id.to_string(),
        "parameter": "referenced_tweets.id",
        "resource_type": "tweet",
        "section": "includes",
        "title": "Authorization Error",
        "detail": format!("Sorry, you are not authorized to see the Tweet with referenced_tweets.id: [{id}]."),
        "type": format!("{TYPE_BASE}not-authorized-for-resource"),
    })
}

fn add(ids: &mut Vec<u64>, id: u64) {
    if ids.len() < MAX_EACH && !ids.contains(&id) {
        ids.push(id);
    }
}
