//! `statuses/update`, `destroy`, `show`, `lookup`, `retweet`, `favorites`

use super::input::Input;
use super::render::{Mode, View, status};
use crate::api::call::Call;
use crate::api::compose::{self, Draft, MAX_MEDIA, Refusal, visible};
use crate::api::legacy_error::LegacyError;
use crate::api::params::parse_id;
use crate::api::reposts;
use crate::state::{Event, Post, State};
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::Value;

/// Most ids of a lookup.
const MAX_LOOKUP: usize = 100;

/// Renders one post for the caller.
fn shown(call: &Call, mode: Mode, post: &Post) -> Response {
    let now = call.now();
    let body = call.read(|state| status(&View::new(state, call.account(), now, mode), post));
    Json(body).into_response()
}

/// `POST statuses/update`: the status stands in the query or in a form body.
pub(crate) async fn update(call: Call) -> Result<Response, LegacyError> {
    let input = super::must_write(&call)?;
    let draft = Draft {
        text: input.text("status").unwrap_or_default().to_owned(),
        reply_to: input.id("in_reply_to_status_id")?,
        quote_of: quoted(&call, &input),
        media: input.ids("media_ids")?,
        ..Draft::default()
    };
    if draft.media.len() > MAX_MEDIA {
        return Err(LegacyError::new(
            StatusCode::FORBIDDEN,
            386,
            "The Tweet exceeds the number of allowed attachment types.",
        ));
    }
    match compose::publish(&call, draft).await? {
        Ok(post) => Ok(shown(&call, Mode::of(&input), &post)),
        Err(refusal) => Err(error(&refusal)),
    }
}

/// The post that `attachment_url` points to: its last number.
fn quoted(call: &Call, input: &Input) -> Option<u64> {
    let id = input
        .text("attachment_url")?
        .rsplit('/')
        .next()
        .and_then(parse_id)?;
    call.read(|state| visible(state, call.account(), id).map(|post| post.id))
}

fn error(refusal: &Refusal) -> LegacyError {
    match refusal {
        Refusal::Empty => LegacyError::empty_status(),
        Refusal::TooLong => LegacyError::status_too_long(),
        Refusal::Characters => LegacyError::invalid("status"),
        Refusal::Duplicate => LegacyError::duplicate_status(),
        Refusal::NoReplyTarget(_) => LegacyError::reply_target_gone(),
        Refusal::ReplyNotAllowed => LegacyError::new(
            StatusCode::FORBIDDEN,
            433,
            "The original Tweet author restricted who can reply to this Tweet.",
        ),
        Refusal::NoQuoteTarget(_) => LegacyError::unknown_status(),
        Refusal::Media(id) => LegacyError::invalid_media(&id.to_string()),
        Refusal::MediaMix => LegacyError::new(
            StatusCode::BAD_REQUEST,
            323,
            "Only one animated GIF may be attached to a Tweet, and no images with it.",
        ),
    }
}

/// The id in the path, or in the parameter `id`.
fn id(call: &Call, input: &Input) -> Result<u64, LegacyError> {
    let text = Some(call.segment("id"))
        .filter(|text| !text.is_empty())
        .or_else(|| input.text("id"));
    text.and_then(parse_id).ok_or_else(LegacyError::unknown_status)
}

/// `POST statuses/destroy/:id`
pub(crate) async fn destroy(call: Call) -> Result<Response, LegacyError> {
    let input = super::must_write(&call)?;
    let id = id(&call, &input)?;
    let (account, now) = (call.account(), call.now());
    let post = call
        .write(|state| match state.post(id) {
            None => (Vec::new(), Err(LegacyError::unknown_status())),
            Some(post) if post.author != account => (Vec::new(), Err(LegacyError::not_your_status())),
            Some(post) => (vec![Event::PostDeleted { id, at: now }], Ok(post.clone())),
        })
        .await??;
    Ok(shown(&call, Mode::of(&input), &post))
}

/// `GET statuses/show/:id` and `GET statuses/show?id=`
pub(crate) async fn show(call: Call) -> Result<Response, LegacyError> {
    let input = Input::of(&call);
    let id = id(&call, &input)?;
    let now = call.now();
    call.read(|state| {
        let post = seen(state, call.account(), id)?;
        let view = View::new(state, call.account(), now, Mode::of(&input));
        Ok(Json(status(&view, post)).into_response())
    })
}

/// The post, or why the caller does not get it.
fn seen(state: &State, viewer: u64, id: u64) -> Result<&Post, LegacyError> {
    match state.post(id) {
        None => Err(LegacyError::unknown_status()),
        Some(_) => visible(state, viewer, id).ok_or_else(|| {
            LegacyError::new(
                StatusCode::FORBIDDEN,
                179,
                "Sorry, you are not authorized to see this status.",
            )
        }),
    }
}

/// `GET statuses/lookup?id=`: what is not there is left out.
pub(crate) async fn lookup(call: Call) -> Result<Response, LegacyError> {
    let input = Input::of(&call);
    let ids = input.ids("id")?;
    if ids.is_empty() || ids.len() > MAX_LOOKUP {
        return Err(LegacyError::invalid("id"));
    }
    let now = call.now();
    let found: Vec<Value> = call.read(|state| {
        let view = View::new(state, call.account(), now, Mode::of(&input));
        let posts = ids.iter().filter_map(|id| visible(state, call.account(), *id));
        posts.map(|post| status(&view, post)).collect()
    });
    Ok(Json(found).into_response())
}

/// `POST statuses/retweet/:id`
pub(crate) async fn repost(call: Call) -> Result<Response, LegacyError> {
    let input = super::must_write(&call)?;
    let id = id(&call, &input)?;
    match reposts::repost(&call, id).await? {
        Ok(post) => Ok(shown(&call, Mode::of(&input), &post)),
        Err(reposts::Refusal::Gone) => Err(LegacyError::unknown_status()),
        Err(reposts::Refusal::Twice) => Err(LegacyError::new(
            StatusCode::FORBIDDEN,
            327,
            "You have already retweeted this Tweet.",
        )),
    }
}

/// `POST statuses/unretweet/:id`
pub(crate) async fn take_repost_back(call: Call) -> Result<Response, LegacyError> {
    let input = super::must_write(&call)?;
    let id = id(&call, &input)?;
    reposts::take_back(&call, id).await?;
    let original = call
        .read(|state| state.post(id).cloned())
        .ok_or_else(LegacyError::unknown_status)?;
    Ok(shown(&call, Mode::of(&input), &original))
}

/// `POST favorites/create?id=`
pub(crate) async fn like(call: Call) -> Result<Response, LegacyError> {
    let input = super::must_write(&call)?;
    let id = id(&call, &input)?;
    let account = call.account();
    let post = call
        .write(|state| {
            let liked = state.likes.get(&account).is_some_and(|posts| posts.contains(&id));
            match visible(state, account, id) {
                None => (Vec::new(), Err(LegacyError::unknown_status())),
                Some(_) if liked => (
                    Vec::new(),
                    Err(LegacyError::new(
                        StatusCode::FORBIDDEN,
                        139,
                        "You have already favorited this status.",
                    )),
                ),
                Some(post) => (vec![Event::Liked { account, post: id }], Ok(post.clone())),
            }
        })
        .await??;
    Ok(shown(&call, Mode::of(&input), &post))
}

/// `POST favorites/destroy?id=`
pub(crate) async fn unlike(call: Call) -> Result<Response, LegacyError> {
    let input = super::must_write(&call)?;
    let id = id(&call, &input)?;
    let account = call.account();
    let post = call
        .write(|state| match visible(state, account, id) {
            None => (Vec::new(), Err(LegacyError::unknown_status())),
            Some(post) => (vec![Event::Unliked { account, post: id }], Ok(post.clone())),
        })
        .await??;
    Ok(shown(&call, Mode::of(&input), &post))
}
