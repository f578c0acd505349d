//! Polls. X counts votes of people; the sandbox imagines some, growing with the post's impressions.

use super::View;
use crate::api::times;
use crate::clock::plus_seconds;
use crate::state::Post;
use serde_json::{Map, Value, json};

/// The poll of a post with the members asked for; `None` where the post has none. A poll has the number of
/// its post as id: both are ids of different kinds, so nothing can be mixed up.
pub(crate) fn poll(view: &View<'_>, post: &Post) -> Option<Value> {
    let given = post.extra.get("poll")?;
    let labels = given.get("options")?.as_array()?;
    let minutes = given.get("duration_minutes")?.as_i64()?;
    let seen = view.state.metrics(post, view.now).impression_count;
    let options: Vec<Value> = labels
        .iter()
        .zip(1_u64..)
        .map(|(label, position)| {
            json!({ "position": position, "label": label, "votes": seen / position.saturating_mul(12) })
        })
        .collect();
    let ends = plus_seconds(post.created_at, minutes.saturating_mul(60));
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(post.id.to_string()));
    body.insert("options".to_owned(), Value::Array(options));
    for field in &view.fields.poll {
        let value = match *field {
            "duration_minutes" => json!(minutes),
            "end_datetime" => json!(times::v2(ends)),
            "voting_status" => json!(if view.now < ends { "open" } else { "closed" }),
            _ => continue,
        };
        body.insert((*field).to_owned(), value);
    }
    Some(Value::Object(body))
}
