//! Direct messages.

use crate::api::call::Call;
use crate::api::fields::{Fields, Kind};
use crate::api::messages::{self, Recipients, Refusal};
use crate::api::page;
use crate::api::params::Params;
use crate::api::problem::{InvalidParameter, Missing, Problem};
use crate::api::render::{self, Includes, Sheet};
use crate::api::schema::{self, Member, Shape, optional, required};
use crate::clock::plus_seconds;
use crate::state::{DirectMessage, Event, State, id_at};
use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

/// How far back messages can be read, in seconds: 30 days.
const REACH_S: i64 = 30 * 86_400;

const ATTACHMENT: &[Member] = &[required("media_id", Shape::Id)];
const ATTACHMENT_SHAPE: Shape = Shape::Object(ATTACHMENT);
const MESSAGE: &[Member] = &[
    optional("text", Shape::Text { min: 1, max: 25_000 }),
    optional(
        "attachments",
        Shape::List {
            item: &ATTACHMENT_SHAPE,
            min: 1,
            max: 1,
        },
    ),
];
const GROUP: &[Member] = &[
    required("conversation_type", Shape::OneOf(&["Group"])),
    required(
        "participant_ids",
        Shape::List {
            item: &Shape::Id,
            min: 2,
            max: 49,
        },
    ),
    required("message", Shape::Object(MESSAGE)),
];

/// `POST /2/dm_conversations/with/:participant_id/messages`
pub(crate) async fn to_person(call: Call) -> Result<Response, Problem> {
    call.must_message()?;
    let other = super::path_id(&call, "participant_id")?;
    let body = schema::read(call.content_type(), &call.body, MESSAGE)?;
    send(&call, Recipients::Person(other), &body).await
}

/// `POST /2/dm_conversations/:id/messages`
pub(crate) async fn to_conversation(call: Call) -> Result<Response, Problem> {
    call.must_message()?;
    Params::parse(&call.query).finish()?;
    let body = schema::read(call.content_type(), &call.body, MESSAGE)?;
    send(
        &call,
        Recipients::Conversation(call.segment("conversation").to_owned()),
        &body,
    )
    .await
}

/// `POST /2/dm_conversations`
pub(crate) async fn to_group(call: Call) -> Result<Response, Problem> {
    call.must_message()?;
    Params::parse(&call.query).finish()?;
    let body = schema::read(call.content_type(), &call.body, GROUP)?;
    let others = schema::ids(&body, "/participant_ids");
    let message = body.get("message").cloned().unwrap_or_default();
    send(&call, Recipients::Group(others), &message).await
}

async fn send(call: &Call, to: Recipients, body: &Value) -> Result<Response, Problem> {
    let text = schema::text(body, "/text").unwrap_or_default().to_owned();
    let media = schema::id(body, "/attachments/0/media_id").into_iter().collect();
    match messages::send(call, to, text, media).await? {
        Ok(message) => Ok(render::data(
            StatusCode::CREATED,
            &json!({ "dm_conversation_id": message.conversation, "dm_event_id": message.id.to_string() }),
        )),
        Err(refusal) => Err(problem(&refusal)),
    }
}

fn problem(refusal: &Refusal) -> Problem {
    let invalid = |message: &str| Problem::invalid_one(InvalidParameter::whole(message));
    match refusal {
        Refusal::Empty => invalid("$.text: one of `text` and `attachments` is required and can not be empty"),
        Refusal::TooLong => invalid("$.text: must be at most 10000 characters long"),
        Refusal::NoSuchAccount(id) => Problem::not_found(&Missing::new("user", "participant_id", id)),
        Refusal::NoSuchConversation => Problem::plain(
            StatusCode::FORBIDDEN,
            "You are not a participant of this conversation, or it does not exist.",
        ),
        Refusal::ToOneself | Refusal::NotLetIn => Problem::plain(
            StatusCode::FORBIDDEN,
            "You do not have permission to DM one or more participants.",
        ),
        Refusal::Media(id) => Problem::invalid_one(InvalidParameter::new(
            "attachments.media_id",
            id.to_string(),
            "Your media IDs are invalid.",
        )),
    }
}

/// `GET /2/dm_events`
pub(crate) async fn all(call: Call) -> Result<Response, Problem> {
    let params = Params::parse(&call.query);
    events(&call, params, "dm_events", None)
}

/// `GET /2/dm_conversations/with/:participant_id/dm_events`
pub(crate) async fn with_person(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let other = params.path_id("participant_id", call.segment("participant_id"));
    let conversation = messages::between(call.account(), other);
    events(
        &call,
        params,
        &format!("dm_events/{conversation}"),
        Some(&conversation),
    )
}

/// `GET /2/dm_conversations/:id/dm_events`
pub(crate) async fn of_conversation(call: Call) -> Result<Response, Problem> {
    let params = Params::parse(&call.query);
    let conversation = call.segment("conversation").to_owned();
    events(
        &call,
        params,
        &format!("dm_events/{conversation}"),
        Some(&conversation),
    )
}

fn events(
    call: &Call,
    mut params: Params,
    scope: &str,
    conversation: Option<&str>,
) -> Result<Response, Problem> {
    call.must_message()?;
    let limit = params.count("max_results", 1..=100, 100);
    let window = params.window(&["pagination_token"], scope);
    let kinds = params.choices(
        &["event_types"],
        &["MessageCreate", "ParticipantsJoin", "ParticipantsLeave"],
        &[],
    );
    let fields = Fields::read(&mut params, Kind::DirectMessages);
    params.finish()?;
    let now = call.now();
    let floor = id_at(plus_seconds(now, -REACH_S));
    let wants_messages = kinds.is_empty() || kinds.contains(&render::MESSAGE_CREATE);
    Ok(call.read(|state| {
        let view = super::view(call, state, &fields, now);
        let keep = |id: u64| {
            wants_messages
                && id >= floor
                && state
                    .messages
                    .get(&id)
                    .is_some_and(|message| conversation.is_none_or(|wanted| message.conversation == wanted))
        };
        let page = page::cut(
            messages::readable(state, call.account()),
            keep,
            window,
            limit,
            scope,
        );
        let found: Vec<&DirectMessage> = page.keys.iter().filter_map(|id| state.messages.get(id)).collect();
        let mut sheet = Sheet::default();
        let mut includes = Includes::default();
        for message in &found {
            includes.of_message(&view, message);
        }
        includes.write(&view, &mut sheet);
        let items: Vec<Value> = found
            .iter()
            .map(|message| render::direct_message(&view, message))
            .collect();
        let mut meta = Map::new();
        meta.insert("result_count".to_owned(), json!(items.len()));
        super::add_tokens(&mut meta, page.next, page.previous);
        sheet.list(items);
        sheet.meta(Value::Object(meta));
        sheet.answer()
    }))
}

/// `GET /2/dm_events/:id`
pub(crate) async fn one(call: Call) -> Result<Response, Problem> {
    call.must_message()?;
    let mut params = Params::parse(&call.query);
    let id = params.path_id("id", call.segment("id"));
    let fields = Fields::read(&mut params, Kind::DirectMessages);
    params.finish()?;
    let now = call.now();
    Ok(call.read(|state| {
        let Some(message) = readable(state, call.account(), id) else {
            return super::only_missing(&Missing::new("dm_event", "id", id));
        };
        let view = super::view(&call, state, &fields, now);
        let mut sheet = Sheet::default();
        let mut includes = Includes::default();
        includes.of_message(&view, message);
        includes.write(&view, &mut sheet);
        sheet.data(render::direct_message(&view, message));
        sheet.answer()
    }))
}

/// `DELETE /2/dm_events/:id`
pub(crate) async fn delete(call: Call) -> Result<Response, Problem> {
    call.must_message()?;
    let id = super::path_id(&call, "id")?;
    let account = call.account();
    call.write(|state| match readable(state, account, id) {
        None => (
            Vec::new(),
            Err(Problem::not_found(&Missing::new("dm_event", "id", id))),
        ),
        Some(message) if message.sender != account => (Vec::new(), Err(Problem::not_permitted())),
        Some(_) => (vec![Event::MessageDeleted { id }], Ok(())),
    })
    .await??;
    Ok(render::data(StatusCode::OK, &json!({ "deleted": true })))
}

fn readable(state: &State, account: u64, id: u64) -> Option<&DirectMessage> {
    state
        .messages
        .get(&id)
        .filter(|message| message.participants.contains(&account))
}
