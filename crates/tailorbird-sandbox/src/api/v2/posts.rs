//! `POST /2/tweets`, `DELETE /2/tweets/:id`, `PUT /2/tweets/:id/hidden`

use crate::api::call::Call;
use crate::api::compose::{self, Draft, MAX_MEDIA, Refusal};
use crate::api::problem::{InvalidParameter, Missing, Problem};
use crate::api::render;
use crate::api::schema::{self, Member, Shape, optional, required};
use crate::state::Event;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

const OPTION: Shape = Shape::Text { min: 1, max: 25 };
const MEDIA: &[Member] = &[
    required(
        "media_ids",
        Shape::List {
            item: &Shape::Id,
            min: 1,
            max: MAX_MEDIA,
        },
    ),
    optional(
        "tagged_user_ids",
        Shape::List {
            item: &Shape::Id,
            min: 0,
            max: 10,
        },
    ),
];
const POLL: &[Member] = &[
    required(
        "options",
        Shape::List {
            item: &OPTION,
            min: 2,
            max: 4,
        },
    ),
    required("duration_minutes", Shape::Number { min: 5, max: 10_080 }),
    optional("reply_settings", REPLY_SETTINGS),
];
const REPLY: &[Member] = &[
    required("in_reply_to_tweet_id", Shape::Id),
    optional(
        "exclude_reply_user_ids",
        Shape::List {
            item: &Shape::Id,
            min: 0,
            max: 100,
        },
    ),
    optional("auto_populate_reply_metadata", Shape::Flag),
];
const REPLY_SETTINGS: Shape = Shape::OneOf(&["following", "mentionedUsers", "subscribers", "verified"]);
const GEO: &[Member] = &[optional("place_id", Shape::Text { min: 1, max: 64 })];
const EDIT: &[Member] = &[required("previous_post_id", Shape::Id)];

/// The body of `POST /2/tweets`; X refuses members outside it.
const BODY: &[Member] = &[
    // The weighted count decides the length; this cap only bounds what is measured.
    optional("text", Shape::Text { min: 0, max: 25_000 }),
    optional("reply", Shape::Object(REPLY)),
    optional("quote_tweet_id", Shape::Id),
    optional("media", Shape::Object(MEDIA)),
    optional("poll", Shape::Object(POLL)),
    optional("reply_settings", REPLY_SETTINGS),
    optional("community_id", Shape::Id),
    optional("share_with_followers", Shape::Flag),
    optional("geo", Shape::Object(GEO)),
    optional("for_super_followers_only", Shape::Flag),
    optional("nullcast", Shape::Flag),
    optional("card_uri", Shape::Text { min: 1, max: 256 }),
    optional("direct_message_deep_link", Shape::Text { min: 1, max: 256 }),
    optional("made_with_ai", Shape::Flag),
    optional("paid_partnership", Shape::Flag),
    optional("edit_options", Shape::Object(EDIT)),
];

/// The members of which a post can have only one.
const EXCLUSIVE: &[&str] = &[
    "media",
    "poll",
    "quote_tweet_id",
    "card_uri",
    "direct_message_deep_link",
];

/// What is kept of the request and given back on reading.
const KEPT: &[&str] = &["poll", "community_id", "card_uri", "geo"];

/// `POST /2/tweets`
pub(crate) async fn create(call: Call) -> Result<Response, Problem> {
    call.must_write()?;
    let body = schema::read(call.content_type(), &call.body, BODY)?;
    let given: Vec<&str> = EXCLUSIVE
        .iter()
        .copied()
        .filter(|name| body.get(*name).is_some())
        .collect();
    if given.len() > 1 {
        let names = given.join(", ");
        return Err(invalid(&format!("Only one of these can be given: {names}.")));
    }
    if body.get("edit_options").is_some() {
        return Err(Problem::plain(
            StatusCode::FORBIDDEN,
            "You are not permitted to edit this Tweet.",
        ));
    }
    let kept: Map<String, Value> = KEPT
        .iter()
        .filter_map(|name| body.get(*name).map(|value| ((*name).to_owned(), value.clone())))
        .collect();
    let draft = Draft {
        text: schema::text(&body, "/text").unwrap_or_default().to_owned(),
        reply_to: schema::id(&body, "/reply/in_reply_to_tweet_id"),
        quote_of: schema::id(&body, "/quote_tweet_id"),
        media: schema::ids(&body, "/media/media_ids"),
        reply_settings: schema::text(&body, "/reply_settings").map(str::to_owned),
        extra: if kept.is_empty() {
            Value::Null
        } else {
            Value::Object(kept)
        },
    };
    match compose::publish(&call, draft).await? {
        Ok(post) => Ok(render::data(
            StatusCode::CREATED,
            &json!({ "id": post.id.to_string(), "text": post.text }),
        )),
        Err(refusal) => Err(problem(&refusal)),
    }
}

fn problem(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::Empty => invalid("`text` can not be empty unless media, a quoted post or a card is given."),
        Refusal::TooLong => invalid(
            "Your Tweet text is too long. For more information on how Twitter determines text length see https://github.com/twitter/twitter-text.",
        ),
        Refusal::Characters => {
            invalid("`text` has a character that is not allowed (U+FFFE, U+FEFF or U+FFFF).")
        }
        Refusal::Duplicate => Problem::duplicate(),
        Refusal::NoReplyTarget(_) => Problem::plain(
            StatusCode::FORBIDDEN,
            "You attempted to reply to a Tweet that is deleted or not visible to you.",
        ),
        Refusal::ReplyNotAllowed => Problem::plain(
            StatusCode::FORBIDDEN,
            "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the author of the post you are replying to.",
        ),
        Refusal::NoQuoteTarget(_) => Problem::plain(
            StatusCode::FORBIDDEN,
            "You attempted to quote a Tweet that is deleted or not visible to you.",
        ),
        Refusal::Media(id) => Problem::invalid_one(InvalidParameter::new(
            "media.media_ids",
            id.to_string(),
            "Your media IDs are invalid.",
        )),
        Refusal::MediaMix => invalid("A Tweet can have up to 4 photos, or 1 video, or 1 animated GIF."),
    }
}

fn invalid(message: &str) -> Problem {
    Problem::invalid_one(InvalidParameter::whole(message))
}

/// `DELETE /2/tweets/:id`
pub(crate) async fn delete(call: Call) -> Result<Response, Problem> {
    call.must_write()?;
    let id = super::path_id(&call, "id")?;
    let (account, now) = (call.account(), call.now());
    call.write(|state| match state.post(id) {
        None => (
            Vec::new(),
            Err(Problem::not_found(&Missing::new("tweet", "id", id))),
        ),
        Some(post) if post.author != account => (
            Vec::new(),
            Err(Problem::plain(
                StatusCode::FORBIDDEN,
                "You are not authorized to delete this Tweet.",
            )),
        ),
        Some(_) => (vec![Event::PostDeleted { id, at: now }], Ok(())),
    })
    .await??;
    Ok(render::data(StatusCode::OK, &json!({ "deleted": true })))
}

const HIDDEN: &[Member] = &[required("hidden", Shape::Flag)];

/// `PUT /2/tweets/:id/hidden`: the author of a conversation hides an answer in it.
pub(crate) async fn hide(call: Call) -> Result<Response, Problem> {
    call.must_write()?;
    let id = super::path_id(&call, "id")?;
    let body = schema::read(call.content_type(), &call.body, HIDDEN)?;
    let hidden = schema::flag(&body, "/hidden").unwrap_or_default();
    let account = call.account();
    call.write(|state| {
        let Some(post) = state.post(id) else {
            return (
                Vec::new(),
                Err(Problem::not_found(&Missing::new("tweet", "id", id))),
            );
        };
        let begun_by = state.posts.get(&post.conversation).map(|first| first.author);
        if post.reply_to.is_none() || begun_by != Some(account) {
            return (Vec::new(), Err(Problem::not_permitted()));
        }
        (vec![Event::PostHidden { id, hidden }], Ok(()))
    })
    .await??;
    Ok(render::data(StatusCode::OK, &json!({ "hidden": hidden })))
}
