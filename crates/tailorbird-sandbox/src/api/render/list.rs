//! One list as v2 shows it.

use super::View;
use crate::api::times;
use crate::state::List;
use serde_json::{Map, Value, json};

/// The list with the members asked for; `id` and `name` are always there.
pub(crate) fn list(view: &View<'_>, list: &List) -> Value {
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(list.id.to_string()));
    body.insert("name".to_owned(), json!(list.name));
    for field in &view.fields.list {
        let value = match *field {
            "created_at" => json!(times::v2(list.created_at)),
            "description" => json!(list.description),
            // Nobody can follow a list of the sandbox.
            "follower_count" => json!(0),
            "member_count" => json!(list.members.len()),
            "owner_id" => json!(list.owner.to_string()),
            "private" => json!(list.private),
            _ => continue,
        };
        body.insert((*field).to_owned(), value);
    }
    Value::Object(body)
}
