//! X API v2: one file per resource; every handler takes a [`Call`] and answers in v2's shapes.

mod engagement;
mod follows;
mod lists;
mod lookup;
mod media;
mod media_upload;
mod messages;
mod posts;
mod search;
mod timelines;
mod users;

use super::call::Call;
use super::fields::Fields;
use super::params::{Params, parse_id};
use super::problem::{InvalidParameter, Missing, Problem, TYPE_BASE};
use super::render::{Sheet, View};
use crate::Shared;
use crate::state::State;
use axum::Router;
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The routes of v2.
pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/2/tweets", get(lookup::many).post(posts::create))
        .route("/2/tweets/{id}", get(lookup::one).delete(posts::delete))
        .route("/2/tweets/{id}/hidden", put(posts::hide))
        .route("/2/tweets/{id}/quote_tweets", get(timelines::quotes))
        .route("/2/tweets/{id}/liking_users", get(engagement::liking_users))
        .route("/2/tweets/{id}/retweeted_by", get(engagement::reposted_by))
        .route("/2/tweets/search/recent", get(search::recent))
        .route("/2/users", get(users::many))
        .route("/2/users/me", get(users::me))
        .route("/2/users/by", get(users::by_names))
        .route("/2/users/by/username/{username}", get(users::by_name))
        .route("/2/users/search", get(search::users))
        .route("/2/users/{id}", get(users::one))
        .route("/2/users/{id}/tweets", get(timelines::own))
        .route("/2/users/{id}/mentions", get(timelines::mentions))
        .route(
            "/2/users/{id}/timelines/reverse_chronological",
            get(timelines::home),
        )
        .route("/2/users/{id}/followers", get(follows::followers))
        .route(
            "/2/users/{id}/following",
            get(follows::following).post(follows::follow),
        )
        .route("/2/users/{id}/following/{target}", delete(follows::unfollow))
        .route("/2/users/{id}/likes", post(engagement::like))
        .route("/2/users/{id}/likes/{tweet_id}", delete(engagement::unlike))
        .route("/2/users/{id}/liked_tweets", get(engagement::liked))
        .route("/2/users/{id}/retweets", post(engagement::repost))
        .route(
            "/2/users/{id}/retweets/{tweet_id}",
            delete(engagement::take_repost_back),
        )
        .route("/2/users/{id}/owned_lists", get(lists::owned))
        .route("/2/users/{id}/list_memberships", get(lists::memberships))
        .route("/2/lists", post(lists::create))
        .route(
            "/2/lists/{id}",
            get(lists::one).put(lists::update).delete(lists::remove),
        )
        .route(
            "/2/lists/{id}/members",
            get(lists::members).post(lists::add_member),
        )
        .route("/2/lists/{id}/members/{user_id}", delete(lists::remove_member))
        .route("/2/lists/{id}/tweets", get(lists::posts))
        .route("/2/dm_conversations", post(messages::to_group))
        .route(
            "/2/dm_conversations/with/{participant_id}/messages",
            post(messages::to_person),
        )
        .route(
            "/2/dm_conversations/with/{participant_id}/dm_events",
            get(messages::with_person),
        )
        .route(
            "/2/dm_conversations/{conversation}/messages",
            post(messages::to_conversation),
        )
        .route(
            "/2/dm_conversations/{conversation}/dm_events",
            get(messages::of_conversation),
        )
        .route("/2/dm_events", get(messages::all))
        .route("/2/dm_events/{id}", get(messages::one).delete(messages::delete))
        .route(
            "/2/media/upload",
            get(media_upload::status).post(media_upload::upload),
        )
        .route("/2/media/upload/initialize", post(media::initialize))
        .route("/2/media/upload/{id}/append", post(media::append))
        .route("/2/media/upload/{id}/finalize", post(media::finalize))
        .route("/2/media/metadata", post(media::describe))
}

/// What rendering looks at for this call.
fn view<'a>(call: &Call, state: &'a State, fields: &'a Fields, now: Timestamp) -> View<'a> {
    View {
        state,
        fields,
        viewer: call.account(),
        now,
    }
}

/// An id in the path of a request without query parameters.
fn path_id(call: &Call, name: &'static str) -> Result<u64, Problem> {
    let mut params = Params::parse(&call.query);
    let id = params.path_id(name, call.segment(name));
    params.finish()?;
    Ok(id)
}

/// The caller's own id, which the path of a write must name.
fn own_id(call: &Call, name: &'static str) -> Result<u64, Problem> {
    let id = path_id(call, name)?;
    if id == call.account() {
        return Ok(id);
    }
    Err(Problem::invalid_one(InvalidParameter::new(
        name,
        id.to_string(),
        format!(
            "The `{name}` query parameter value [{id}] must be the same as the authenticating user [{}]",
            call.account()
        ),
    )))
}

/// 200 with nothing but an entry in `errors`: how X answers a read of something that is not there.
fn only_missing(missing: &Missing) -> Response {
    let mut sheet = Sheet::default();
    sheet.missing(missing);
    sheet.answer()
}

/// 200 with an authorization entry: how X answers a read of a protected account.
fn hidden_user(id: u64) -> Response {
    let mut sheet = Sheet::default();
    sheet.errors(vec![json!({
        "resource_id": id.to_string(),
        "parameter": "id",
        "resource_type": "user",
        "section": "data",
        "value": id.to_string(),
        "title": "Authorization Error",
        "detail": format!("Sorry, you are not authorized to see the user with id: [{id}]."),
        "type": format!("{TYPE_BASE}not-authorized-for-resource"),
    })]);
    sheet.answer()
}

/// Adds the tokens of a page to its `meta`.
fn add_tokens(meta: &mut Map<String, Value>, next: Option<String>, previous: Option<String>) {
    if let Some(token) = next {
        meta.insert("next_token".to_owned(), json!(token));
    }
    if let Some(token) = previous {
        meta.insert("previous_token".to_owned(), json!(token));
    }
}

/// The id in a text that is no parameter of the query, such as a part of a multipart body.
fn id_of(name: &'static str, text: &str) -> Result<u64, Problem> {
    parse_id(text).ok_or_else(|| {
        Problem::invalid_one(InvalidParameter::new(
            name,
            text,
            format!("The `{name}` query parameter value [{text}] is not valid"),
        ))
    })
}
