//! One account as v2 shows it.

use super::View;
use crate::api::times;
use crate::state::Account;
use serde_json::{Map, Value, json};

/// The picture of accounts without one of their own.
pub(crate) const PICTURE: &str =
    "https://abs.twimg.com/sticky/default_profile_images/default_profile_normal.png";

/// The account with the members asked for; `id`, `name` and `username` are always there.
pub(crate) fn user(view: &View<'_>, account: &Account) -> Value {
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(account.id.to_string()));
    body.insert("name".to_owned(), json!(account.name));
    body.insert("username".to_owned(), json!(account.username));
    for field in &view.fields.user {
        if let Some(value) = member(view, account, field) {
            body.insert((*field).to_owned(), value);
        }
    }
    Value::Object(body)
}

fn member(view: &View<'_>, account: &Account, field: &str) -> Option<Value> {
    let value = match field {
        "connection_status" => {
            let mut status = Vec::new();
            if account.followers.contains(&view.viewer) {
                status.push("following");
            }
            if account.following.contains(&view.viewer) {
                status.push("followed_by");
            }
            json!(if status.is_empty() { vec!["none"] } else { status })
        }
        "created_at" => json!(times::v2(account.created_at)),
        "description" => json!(account.description),
        "entities" if !account.website.is_empty() => json!({
            "url": { "urls": [{
                "start": 0, "end": account.website.chars().count(),
                "url": account.website, "expanded_url": account.website,
                "display_url": account.website.split_once("://").map_or(account.website.as_str(), |(_, rest)| rest),
            }] },
        }),
        "is_identity_verified" | "parody" => json!(false),
        "location" if !account.location.is_empty() => json!(account.location),
        "most_recent_tweet_id" => json!(view.state.posts_of(account.id).next()?.id.to_string()),
        "profile_image_url" => json!(PICTURE),
        "protected" => json!(account.protected),
        "public_metrics" => json!({
            "followers_count": account.followers.len(),
            "following_count": account.following.len(),
            "tweet_count": view.state.posts_of(account.id).count(),
            "listed_count": view.state.lists.values().filter(|list| list.members.contains(&account.id)).count(),
            "like_count": view.state.likes.get(&account.id).map_or(0, std::collections::BTreeSet::len),
            "media_count": view.state.posts_of(account.id).filter(|post| !post.media.is_empty()).count(),
        }),
        "receives_your_dm" => json!(crate::api::messages::may_send(view.state, view.viewer, account)),
        "subscription_type" => json!("None"),
        "url" => json!(account.website),
        "verified" => json!(account.verified),
        "verified_type" => json!(if account.verified { "blue" } else { "none" }),
        _ => return None,
    };
    Some(value)
}
