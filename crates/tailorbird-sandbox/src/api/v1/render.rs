//! Posts and accounts as v1.1 shows them: numbers as ids, and the same as strings beside them.

use super::input::Input;
use crate::api::render::{PICTURE, dimensions, found, language, media_kind, named};
use crate::api::times;
use crate::state::{Account, Post, State};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};

/// How deep a repost or quote is shown inside another.
const MAX_DEPTH: u32 = 2;

/// How statuses are to be shown.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mode {
    /// `tweet_mode=extended`: `full_text` in place of `text`.
    pub(crate) extended: bool,
    /// `trim_user=true`: only the id of authors.
    pub(crate) trim_user: bool,
}

impl Mode {
    /// Reads `tweet_mode` and `trim_user`.
    pub(crate) fn of(input: &Input) -> Self {
        Self {
            extended: input.text("tweet_mode") == Some("extended"),
            trim_user: input.flag("trim_user"),
        }
    }
}

/// What rendering looks at.
pub(crate) struct View<'a> {
    /// The state.
    pub(crate) state: &'a State,
    /// The account that asks.
    pub(crate) viewer: u64,
    /// The sandbox's present moment.
    pub(crate) now: Timestamp,
    /// How statuses are to be shown.
    pub(crate) mode: Mode,
    /// Accounts rendered so far: each status repeats its author whole, and a page has few authors.
    users: RefCell<HashMap<u64, Value>>,
    /// The posts that the viewer reposted, gathered when first asked for.
    reposted: OnceCell<HashSet<u64>>,
}

impl<'a> View<'a> {
    /// Looks at the state through the eyes of `viewer`.
    pub(crate) fn new(state: &'a State, viewer: u64, now: Timestamp, mode: Mode) -> Self {
        Self {
            state,
            viewer,
            now,
            mode,
            users: RefCell::default(),
            reposted: OnceCell::new(),
        }
    }

    fn has_reposted(&self, post: u64) -> bool {
        let all = || {
            self.state
                .posts_of(self.viewer)
                .filter_map(|own| own.repost_of)
                .collect()
        };
        self.reposted.get_or_init(all).contains(&post)
    }
}

/// A post.
pub(crate) fn status(view: &View<'_>, post: &Post) -> Value {
    nested(view, post, 0)
}

fn nested(view: &View<'_>, post: &Post, depth: u32) -> Value {
    let state = view.state;
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    set("created_at", json!(times::v1(post.created_at)));
    set("id", json!(post.id));
    set("id_str", json!(post.id.to_string()));
    if view.mode.extended {
        set("full_text", json!(post.text));
        set("display_text_range", json!([0, post.text.chars().count()]));
    } else {
        set("text", json!(post.text));
    }
    set("truncated", json!(false));
    set("entities", entities(state, post));
    if !post.media.is_empty() {
        set("extended_entities", json!({ "media": media(state, post) }));
    }
    set(
        "source",
        json!(format!(
            "<a href=\"https://example.com\" rel=\"nofollow\">{}</a>",
            post.source
        )),
    );
    let answered = post.reply_to.and_then(|id| state.posts.get(&id));
    let answered_author = answered.and_then(|other| state.accounts.get(&other.author));
    set("in_reply_to_status_id", json!(post.reply_to));
    set(
        "in_reply_to_status_id_str",
        json!(post.reply_to.map(|id| id.to_string())),
    );
    set(
        "in_reply_to_user_id",
        json!(answered_author.map(|account| account.id)),
    );
    set(
        "in_reply_to_user_id_str",
        json!(answered_author.map(|account| account.id.to_string())),
    );
    set(
        "in_reply_to_screen_name",
        json!(answered_author.map(|account| account.username.as_str())),
    );
    let author = state.accounts.get(&post.author);
    set(
        "user",
        match author {
            Some(account) if !view.mode.trim_user => user(view, account),
            _ => json!({ "id": post.author, "id_str": post.author.to_string() }),
        },
    );
    for absent in ["geo", "coordinates", "place", "contributors"] {
        set(absent, Value::Null);
    }
    if depth < MAX_DEPTH {
        if let Some(original) = post.repost_of.and_then(|id| state.post(id)) {
            set("retweeted_status", nested(view, original, depth + 1));
        }
        if let Some(quoted) = post.quote_of.and_then(|id| state.post(id)) {
            set("quoted_status_id", json!(quoted.id));
            set("quoted_status_id_str", json!(quoted.id.to_string()));
            set("quoted_status", nested(view, quoted, depth + 1));
        }
    }
    let metrics = state.metrics(post, view.now);
    set("is_quote_status", json!(post.quote_of.is_some()));
    set("retweet_count", json!(metrics.retweet_count));
    set("favorite_count", json!(metrics.like_count));
    set(
        "favorited",
        json!(
            state
                .likes
                .get(&view.viewer)
                .is_some_and(|posts| posts.contains(&post.id))
        ),
    );
    set("retweeted", json!(view.has_reposted(post.id)));
    set("lang", json!(language(&post.original_text)));
    Value::Object(body)
}

fn entities(state: &State, post: &Post) -> Value {
    let urls: Vec<Value> = post
        .urls
        .iter()
        .map(|url| {
            json!({
                "url": url.url, "expanded_url": url.expanded_url, "display_url": url.display_url,
                "indices": [url.start, url.end],
            })
        })
        .collect();
    let rewritten = found(post);
    let mentions: Vec<Value> = rewritten
        .iter()
        .flat_map(|rewritten| named(state, rewritten))
        .map(|(start, end, account)| {
            json!({
                "screen_name": account.username, "name": account.name, "id": account.id,
                "id_str": account.id.to_string(), "indices": [start, end],
            })
        })
        .collect();
    let tag = |start: usize, end: usize, text: &str| json!({ "text": text, "indices": [start, end] });
    let hashtags = rewritten.iter().flat_map(|one| one.hashtags.iter());
    let symbols = rewritten.iter().flat_map(|one| one.cashtags.iter());
    let mut body = json!({
        "hashtags": hashtags.map(|one| tag(one.start, one.end, &one.tag)).collect::<Vec<Value>>(),
        "symbols": symbols.map(|one| tag(one.start, one.end, &one.tag)).collect::<Vec<Value>>(),
        "user_mentions": mentions,
        "urls": urls,
    });
    if !post.media.is_empty()
        && let Some(body) = body.as_object_mut()
    {
        body.insert("media".to_owned(), json!(media(state, post)));
    }
    body
}

fn media(state: &State, post: &Post) -> Vec<Value> {
    let found = post.media.iter().filter_map(|id| state.media.get(id));
    found
        .map(|media| {
            let address = format!("https://pbs.twimg.com/media/{}.jpg", media.id);
            let size = dimensions(media).map(|(w, h)| json!({ "w": w, "h": h, "resize": "fit" }));
            json!({
                "id": media.id, "id_str": media.id.to_string(), "media_url": address, "media_url_https": address,
                "type": media_kind(media), "sizes": { "large": size },
            })
        })
        .collect()
}

/// An account.
pub(crate) fn user(view: &View<'_>, account: &Account) -> Value {
    view.users
        .borrow_mut()
        .entry(account.id)
        .or_insert_with(|| described(view, account))
        .clone()
}

fn described(view: &View<'_>, account: &Account) -> Value {
    let state = view.state;
    let website = (!account.website.is_empty()).then_some(account.website.as_str());
    json!({
        "id": account.id,
        "id_str": account.id.to_string(),
        "name": account.name,
        "screen_name": account.username,
        "location": account.location,
        "description": account.description,
        "url": website,
        "entities": {
            "url": { "urls": website.map(|url| vec![json!({ "url": url, "expanded_url": url })]).unwrap_or_default() },
            "description": { "urls": [] },
        },
        "protected": account.protected,
        "followers_count": account.followers.len(),
        "friends_count": account.following.len(),
        "listed_count": state.lists.values().filter(|list| list.members.contains(&account.id)).count(),
        "created_at": times::v1(account.created_at),
        "favourites_count": state.likes.get(&account.id).map_or(0, std::collections::BTreeSet::len),
        "utc_offset": null,
        "time_zone": null,
        "geo_enabled": false,
        "verified": account.verified,
        "statuses_count": state.posts_of(account.id).count(),
        "lang": null,
        "default_profile": true,
        "default_profile_image": true,
        "profile_image_url": PICTURE,
        "profile_image_url_https": PICTURE,
        "following": account.followers.contains(&view.viewer),
        "follow_request_sent": false,
        "notifications": false,
    })
}
