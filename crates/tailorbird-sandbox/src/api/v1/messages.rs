//! `direct_messages/events/new`, `list`, `show`, `destroy`

use super::input::Input;
use crate::api::call::Call;
use crate::api::legacy_error::LegacyError;
use crate::api::messages::{self, Recipients, Refusal};
use crate::api::page::{self, Window, read_token};
use crate::api::params::parse_id;
use crate::api::render::media_key;
use crate::clock::plus_seconds;
use crate::state::{DirectMessage, Event, State, id_at};
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value, json};

/// How far back messages can be read, in seconds: 30 days.
const REACH_S: i64 = 30 * 86_400;
/// Most events of one page, and how many there are unless asked for otherwise.
const MOST: usize = 50;
const DEFAULT: usize = 20;
/// The list that cursors belong to.
const SCOPE: &str = "1.1/direct_messages";

/// `POST direct_messages/events/new` with a JSON body
pub(crate) async fn new(call: Call) -> Result<Response, LegacyError> {
    super::must_message(&call)?;
    let Ok(body) = serde_json::from_slice::<Value>(&call.body) else {
        return Err(LegacyError::unreadable_body("The body is not valid JSON."));
    };
    let event = body
        .get("event")
        .ok_or_else(|| LegacyError::unreadable_body("event: is missing"))?;
    if event.get("type").and_then(Value::as_str) != Some("message_create") {
        return Err(LegacyError::unreadable_body(
            "event.type: must be \"message_create\"",
        ));
    }
    // Clients send ids as strings; some send numbers.
    let id_at = |pointer: &str| match event.pointer(pointer) {
        Some(Value::String(text)) => parse_id(text),
        Some(Value::Number(number)) => number.as_u64(),
        _ => None,
    };
    let recipient = id_at("/message_create/target/recipient_id")
        .ok_or_else(|| LegacyError::missing("message_create.target.recipient_id"))?;
    let text = event
        .pointer("/message_create/message_data/text")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let media = id_at("/message_create/message_data/attachment/media/id")
        .into_iter()
        .collect();
    match messages::send(&call, Recipients::Person(recipient), text.to_owned(), media).await? {
        Ok(message) => {
            let event = call.read(|state| rendered(state, &message));
            Ok(Json(json!({ "event": event })).into_response())
        }
        Err(refusal) => Err(error(&refusal)),
    }
}

fn error(refusal: &Refusal) -> LegacyError {
    match refusal {
        Refusal::Empty => LegacyError::missing("message_data.text"),
        Refusal::TooLong => LegacyError::message_too_long(),
        Refusal::NoSuchAccount(_) => LegacyError::unknown_recipient(),
        Refusal::NoSuchConversation => LegacyError::unknown_page(),
        Refusal::ToOneself => LegacyError::message_not_sent("You cannot send messages to yourself."),
        Refusal::NotLetIn => LegacyError::new(
            StatusCode::FORBIDDEN,
            150,
            "You cannot send messages to users who are not following you.",
        ),
        Refusal::Media(id) => LegacyError::invalid_media(&id.to_string()),
    }
}

fn rendered(state: &State, message: &DirectMessage) -> Value {
    let recipient = message.participants.iter().find(|id| **id != message.sender);
    let mut data = Map::new();
    data.insert("text".to_owned(), json!(message.text));
    data.insert(
        "entities".to_owned(),
        json!({ "hashtags": [], "symbols": [], "user_mentions": [], "urls": [] }),
    );
    if let Some(media) = message.media.first().and_then(|id| state.media.get(id)) {
        let attached =
            json!({ "id": media.id, "id_str": media.id.to_string(), "media_key": media_key(media) });
        data.insert(
            "attachment".to_owned(),
            json!({ "type": "media", "media": attached }),
        );
    }
    json!({
        "type": "message_create",
        "id": message.id.to_string(),
        "created_timestamp": message.created_at.as_millisecond().to_string(),
        "message_create": {
            "target": { "recipient_id": recipient.map(u64::to_string) },
            "sender_id": message.sender.to_string(),
            "message_data": data,
        },
    })
}

/// `GET direct_messages/events/list`
pub(crate) async fn list(call: Call) -> Result<Response, LegacyError> {
    super::must_message(&call)?;
    let input = Input::of(&call);
    let limit = input.count("count", DEFAULT, MOST);
    let window = match input.text("cursor") {
        None | Some("") => Window::Newest,
        Some(cursor) => read_token(cursor, SCOPE).ok_or_else(|| LegacyError::invalid("cursor"))?,
    };
    let floor = id_at(plus_seconds(call.now(), -REACH_S));
    Ok(call.read(|state| {
        // v1.1 knows conversations of two only.
        let keep = |id: u64| {
            id >= floor
                && state
                    .messages
                    .get(&id)
                    .is_some_and(|message| message.participants.len() == 2)
        };
        let page = page::cut(
            messages::readable(state, call.account()),
            keep,
            window,
            limit,
            SCOPE,
        );
        let found = page.keys.iter().filter_map(|id| state.messages.get(id));
        let mut body = Map::new();
        body.insert(
            "events".to_owned(),
            found.map(|message| rendered(state, message)).collect(),
        );
        if let Some(next) = page.next {
            body.insert("next_cursor".to_owned(), json!(next));
        }
        Json(Value::Object(body)).into_response()
    }))
}

/// `GET direct_messages/events/show?id=`
pub(crate) async fn show(call: Call) -> Result<Response, LegacyError> {
    super::must_message(&call)?;
    let id = Input::of(&call)
        .id("id")?
        .ok_or_else(|| LegacyError::missing("id"))?;
    call.read(|state| {
        let message = readable(state, call.account(), id).ok_or_else(LegacyError::unknown_page)?;
        Ok(Json(json!({ "event": rendered(state, message) })).into_response())
    })
}

/// `DELETE direct_messages/events/destroy?id=`
pub(crate) async fn destroy(call: Call) -> Result<Response, LegacyError> {
    super::must_message(&call)?;
    let id = Input::of(&call)
        .id("id")?
        .ok_or_else(|| LegacyError::missing("id"))?;
    let account = call.account();
    call.write(|state| match readable(state, account, id) {
        Some(_) => (vec![Event::MessageDeleted { id }], Ok(())),
        None => (Vec::new(), Err(LegacyError::unknown_page())),
    })
    .await??;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn readable(state: &State, account: u64, id: u64) -> Option<&DirectMessage> {
    state
        .messages
        .get(&id)
        .filter(|message| message.participants.contains(&account))
}
