//! One post as v2 shows it.

use super::{View, entities, media_key};
use crate::api::problem::TYPE_BASE;
use crate::api::times;
use crate::clock::plus_seconds;
use crate::state::Post;
use serde_json::{Map, Value, json};

/// Seconds for which X lets a post be edited.
const EDIT_WINDOW_S: i64 = 3_600;

/// Seconds for which X gives the non-public metrics of a post: 30 days.
const PRIVATE_METRICS_S: i64 = 30 * 86_400;

/// The post with the members asked for; `id`, `text` and the edit history are always there. Metrics that only the author may
/// see become entries of `errors` for anybody else.
pub(crate) fn post(view: &View<'_>, post: &Post, errors: &mut Vec<Value>) -> Value {
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(post.id.to_string()));
    body.insert("text".to_owned(), json!(post.text));
    // Not documented among the defaults, but there: clients warn where it is missing.
    body.insert("edit_history_tweet_ids".to_owned(), json!([post.id.to_string()]));
    for field in &view.fields.post {
        let value = match *field {
            "non_public_metrics" | "organic_metrics" => private_metrics(view, post, field, errors),
            "promoted_metrics" => {
                errors.push(not_authorized(post, field));
                None
            }
            _ => member(view, post, field),
        };
        if let Some(value) = value {
            body.insert((*field).to_owned(), value);
        }
    }
    Value::Object(body)
}

fn member(view: &View<'_>, post: &Post, field: &str) -> Option<Value> {
    let state = view.state;
    let value = match field {
        "attachments" => {
            let mut attachments = Map::new();
            let keys: Vec<String> = post
                .media
                .iter()
                .filter_map(|id| state.media.get(id))
                .map(media_key)
                .collect();
            if !keys.is_empty() {
                attachments.insert("media_keys".to_owned(), json!(keys));
            }
            if post.extra.get("poll").is_some() {
                attachments.insert("poll_ids".to_owned(), json!([post.id.to_string()]));
            }
            if attachments.is_empty() {
                return None;
            }
            Value::Object(attachments)
        }
        "author_id" => json!(post.author.to_string()),
        "card_uri" | "community_id" => post.extra.get(field)?.clone(),
        "conversation_id" => json!(post.conversation.to_string()),
        "created_at" => json!(times::v2(post.created_at)),
        "display_text_range" => json!([0, post.text.chars().count()]),
        "edit_controls" => json!({
            "edits_remaining": 5,
            "is_edit_eligible": post.reply_to.is_none() && post.repost_of.is_none(),
            "editable_until": times::v2(plus_seconds(post.created_at, EDIT_WINDOW_S)),
        }),
        "entities" => entities(state, post)?,
        "in_reply_to_user_id" => json!(state.posts.get(&post.reply_to?)?.author.to_string()),
        "lang" => json!(language(&post.original_text)),
        "possibly_sensitive" => json!(false),
        "public_metrics" => json!(state.metrics(post, view.now)),
        "referenced_tweets" => referenced(post)?,
        "reply_settings" => json!(post.reply_settings.as_deref().unwrap_or("everyone")),
        "source" => json!(post.source),
        _ => return None,
    };
    Some(value)
}

fn referenced(post: &Post) -> Option<Value> {
    let all: Vec<Value> = [
        ("retweeted", post.repost_of),
        ("quoted", post.quote_of),
        ("replied_to", post.reply_to),
    ]
    .into_iter()
    .filter_map(|(kind, id)| id.map(|id| json!({ "type": kind, "id": id.to_string() })))
    .collect();
    if all.is_empty() {
        None
    } else {
        Some(Value::Array(all))
    }
}

/// Metrics for the author's eyes, of posts of the last 30 days.
fn private_metrics(view: &View<'_>, post: &Post, field: &str, errors: &mut Vec<Value>) -> Option<Value> {
    let old = view.now.as_second().saturating_sub(post.created_at.as_second()) > PRIVATE_METRICS_S;
    if post.author != view.viewer || old {
        errors.push(not_authorized(post, field));
        return None;
    }
    let public = view.state.metrics(post, view.now);
    let clicks = public.like_count / 4;
    let mut body = Map::new();
    body.insert("impression_count".to_owned(), json!(public.impression_count));
    if field == "organic_metrics" {
        body.insert("like_count".to_owned(), json!(public.like_count));
        body.insert("reply_count".to_owned(), json!(public.reply_count));
        body.insert("retweet_count".to_owned(), json!(public.retweet_count));
    } else {
        let engagements = [
            public.like_count,
            public.reply_count,
            public.retweet_count,
            public.quote_count,
            clicks,
        ]
        .into_iter()
        .fold(0_u64, u64::saturating_add);
        body.insert("engagements".to_owned(), json!(engagements));
    }
    if !post.urls.is_empty() {
        body.insert("url_link_clicks".to_owned(), json!(clicks));
    }
    body.insert("user_profile_clicks".to_owned(), json!(clicks / 2));
    Some(Value::Object(body))
}

fn not_authorized(post: &Post, field: &str) -> Value {
    json!({
        "resource_id": post.id.to_string(),
        "parameter": "tweet.fields",
        "resource_type": "tweet",
        "section": "data",
        "field": field,
        "value": post.id.to_string(),
        "title": "Field Authorization Error",
        "detail": format!(
            "Sorry, you are not authorized to access '{field}' on the Tweet with id : [{}].", post.id
        ),
        "type": format!("{TYPE_BASE}not-authorized-for-field"),
    })
}

/// A language code judged by the script of the text alone: enough to fill the member, no more is promised.
pub(crate) fn language(text: &str) -> &'static str {
    let script = |c: char| match u32::from(c) {
        0x3040..=0x30ff => Some("ja"),
        0xac00..=0xd7af => Some("ko"),
        0x4e00..=0x9fff => Some("zh"),
        0x0400..=0x04ff => Some("ru"),
        0x0370..=0x03ff => Some("el"),
        0x0590..=0x05ff => Some("iw"),
        0x0600..=0x06ff => Some("ar"),
        0x0e00..=0x0e7f => Some("th"),
        _ => None,
    };
    text.chars()
        .find_map(script)
        .unwrap_or(if text.chars().any(char::is_alphabetic) {
            "en"
        } else {
            "zxx"
        })
}
