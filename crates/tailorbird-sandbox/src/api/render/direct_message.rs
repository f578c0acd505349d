//! One event of a direct-message conversation as v2 shows it.

use super::{View, media_key};
use crate::api::times;
use crate::state::DirectMessage;
use serde_json::{Map, Value, json};

/// The only kind of event the sandbox has; X knows `ParticipantsJoin` and `ParticipantsLeave` too.
pub(crate) const MESSAGE_CREATE: &str = "MessageCreate";

/// The event with the members asked for; `id`, `event_type` and `text` are always there.
pub(crate) fn direct_message(view: &View<'_>, message: &DirectMessage) -> Value {
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(message.id.to_string()));
    body.insert("event_type".to_owned(), json!(MESSAGE_CREATE));
    body.insert("text".to_owned(), json!(message.text));
    for field in &view.fields.direct_message {
        let value = match *field {
            "attachments" if !message.media.is_empty() => {
                let keys: Vec<String> = message
                    .media
                    .iter()
                    .filter_map(|id| view.state.media.get(id))
                    .map(media_key)
                    .collect();
                json!({ "media_keys": keys })
            }
            "created_at" => json!(times::v2(message.created_at)),
            "dm_conversation_id" => json!(message.conversation),
            "participant_ids" => {
                json!(
                    message
                        .participants
                        .iter()
                        .map(u64::to_string)
                        .collect::<Vec<String>>()
                )
            }
            "sender_id" => json!(message.sender.to_string()),
            _ => continue,
        };
        body.insert((*field).to_owned(), value);
    }
    Value::Object(body)
}
