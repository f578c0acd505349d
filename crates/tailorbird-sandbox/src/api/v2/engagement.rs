//! Likes and reposts.

use crate::api::call::Call;
use crate::api::compose::visible;
use crate::api::fields::{Fields, Kind};
use crate::api::page;
use crate::api::params::Params;
use crate::api::problem::{Missing, Problem};
use crate::api::render;
use crate::api::reposts;
use crate::api::schema::{self, Member, Shape, required};
use crate::state::{Event, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::json;
use std::collections::BTreeSet;

const TWEET: &[Member] = &[required("tweet_id", Shape::Id)];

fn target(call: &Call) -> Result<u64, Problem> {
    let body = schema::read(call.content_type(), &call.body, TWEET)?;
    Ok(schema::id(&body, "/tweet_id").unwrap_or_default())
}

fn gone(id: u64) -> Problem {
    Problem::not_found(&Missing::new("tweet", "tweet_id", id))
}

/// `POST /2/users/:id/likes`
pub(crate) async fn like(call: Call) -> Result<Response, Problem> {
    call.must_write()?;
    let account = super::own_id(&call, "id")?;
    let post = target(&call)?;
    call.write(|state| match visible(state, account, post) {
        Some(_) => (vec![Event::Liked { account, post }], Ok(())),
        None => (Vec::new(), Err(gone(post))),
    })
    .await??;
    Ok(render::data(StatusCode::OK, &json!({ "liked": true })))
}

/// `DELETE /2/users/:id/likes/:tweet_id`
pub(crate) async fn unlike(call: Call) -> Result<Response, Problem> {
    call.must_write()?;
    let account = super::own_id(&call, "id")?;
    let post = super::path_id(&call, "tweet_id")?;
    call.write(|_| (vec![Event::Unliked { account, post }], ()))
        .await?;
    Ok(render::data(StatusCode::OK, &json!({ "liked": false })))
}

/// `POST /2/users/:id/retweets`
pub(crate) async fn repost(call: Call) -> Result<Response, Problem> {
    call.must_write()?;
    super::own_id(&call, "id")?;
    let id = target(&call)?;
    match reposts::repost(&call, id).await? {
        Ok(_) => Ok(render::data(StatusCode::OK, &json!({ "retweeted": true }))),
        Err(reposts::Refusal::Gone) => Err(gone(id)),
        Err(reposts::Refusal::Twice) => Err(Problem::plain(
            StatusCode::FORBIDDEN,
            "You cannot retweet a Tweet that you have already retweeted.",
        )),
    }
}

/// `DELETE /2/users/:id/retweets/:tweet_id`
pub(crate) async fn take_repost_back(call: Call) -> Result<Response, Problem> {
    call.must_write()?;
    super::own_id(&call, "id")?;
    let id = super::path_id(&call, "tweet_id")?;
    reposts::take_back(&call, id).await?;
    Ok(render::data(StatusCode::OK, &json!({ "retweeted": false })))
}

/// `GET /2/users/:id/liked_tweets`
pub(crate) async fn liked(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let id = params.path_id("id", call.segment("id"));
    let limit = params.count("max_results", 5..=100, 100);
    let scope = format!("users/{id}/liked");
    let window = params.window(&["pagination_token"], &scope);
    let fields = Fields::read(&mut params, Kind::Posts);
    params.finish()?;
    let now = call.now();
    Ok(call.read(|state| {
        if !state.accounts.contains_key(&id) {
            return super::only_missing(&Missing::new("user", "id", id));
        }
        let view = super::view(&call, state, &fields, now);
        let keys = state
            .likes
            .get(&id)
            .into_iter()
            .flat_map(|ids| ids.iter().rev().copied());
        let keep = |id: u64| visible(state, call.account(), id).is_some();
        super::timelines::page_of_posts(&view, page::cut(keys, keep, window, limit, &scope))
    }))
}

/// `GET /2/tweets/:id/liking_users`
pub(crate) async fn liking_users(call: Call) -> Result<Response, Problem> {
    people(&call, "liking", |state, post| {
        state
            .likes
            .iter()
            .filter(|(_, posts)| posts.contains(&post))
            .map(|(account, _)| *account)
            .collect()
    })
}

/// `GET /2/tweets/:id/retweeted_by`
pub(crate) async fn reposted_by(call: Call) -> Result<Response, Problem> {
    people(&call, "reposting", |state, post| {
        let reposts = state.posts.range(post..).map(|(_, one)| one);
        reposts
            .filter(|one| one.repost_of == Some(post) && one.deleted_at.is_none())
            .map(|one| one.author)
            .collect()
    })
}

fn people(
    call: &Call,
    name: &str,
    whose: impl FnOnce(&State, u64) -> BTreeSet<u64>,
) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let id = params.path_id("id", call.segment("id"));
    let limit = params.count("max_results", 1..=100, 100);
    let scope = format!("tweets/{id}/{name}");
    let window = params.window(&["pagination_token"], &scope);
    let fields = Fields::read(&mut params, Kind::Users);
    params.finish()?;
    let now = call.now();
    Ok(call.read(|state| {
        if visible(state, call.account(), id).is_none() {
            return super::only_missing(&Missing::new("tweet", "id", id));
        }
        let view = super::view(call, state, &fields, now);
        let keys = whose(state, id);
        let page = page::cut(keys.into_iter().rev(), |_| true, window, limit, &scope);
        super::users::page_of_users(&view, page)
    }))
}
