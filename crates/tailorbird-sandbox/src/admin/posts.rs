//! `posts`: what the sandbox ever accepted, by which "never twice" is judged.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::Shared;

/// `GET posts`: oldest first; deleted ones stay in the count and in the list.
pub(super) async fn list(State(shared): State<Shared>) -> Response {
    let body: Value = shared.store.read(|state| {
        let username = |id: u64| state.accounts.get(&id).map(|account| account.username.as_str());
        let posts: Vec<Value> = state
            .posts
            .values()
            .filter(|post| post.application.is_some())
            .map(|post| {
                json!({
                    "id": post.id.to_string(),
                    "text": post.text,
                    "original_text": post.original_text,
                    "account": username(post.author),
                    "created_at": post.created_at,
                    "deleted": post.deleted_at.is_some(),
                    "deleted_at": post.deleted_at,
                    "reply_to": post.reply_to.map(|id| id.to_string()),
                    "media": post.media.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    "source": post.source,
                })
            })
            .collect();
        json!({ "accepted": state.accepted, "refused_duplicates": state.refused_duplicates, "posts": posts })
    });
    Json(body).into_response()
}
