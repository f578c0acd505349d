//! Followers and following: reading and changing.

use crate::api::call::Call;
use crate::api::fields::{Fields, Kind};
use crate::api::page;
use crate::api::params::Params;
use crate::api::problem::{Missing, Problem};
use crate::api::render;
use crate::api::schema::{self, Member, Shape, required};
use crate::state::{Account, Event};
use axum::response::Response;
use http::StatusCode;
use serde_json::json;
use std::collections::BTreeSet;

/// `GET /2/users/:id/followers`
pub(crate) async fn followers(call: Call) -> Result<Response, Problem> {
    people(&call, "followers", |account| &account.followers)
}

/// `GET /2/users/:id/following`
pub(crate) async fn following(call: Call) -> Result<Response, Problem> {
    people(&call, "following", |account| &account.following)
}

fn people(call: &Call, name: &str, whose: impl Fn(&Account) -> &Vec<u64>) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let id = params.path_id("id", call.segment("id"));
    let limit = params.count("max_results", 1..=1_000, 100);
    let scope = format!("users/{id}/{name}");
    let window = params.window(&["pagination_token"], &scope);
    let fields = Fields::read(&mut params, Kind::Users);
    params.finish()?;
    let now = call.now();
    Ok(call.read(|state| {
        let Some(account) = state.accounts.get(&id) else {
            return super::only_missing(&Missing::new("user", "id", id));
        };
        if !render::may_see(state, call.account(), id) {
            return super::hidden_user(id);
        }
        // By id and not by the time of following: people may follow and leave between two pages.
        let keys: BTreeSet<u64> = whose(account).iter().copied().collect();
        let view = super::view(call, state, &fields, now);
        let page = page::cut(keys.into_iter().rev(), |_| true, window, limit, &scope);
        super::users::page_of_users(&view, page)
    }))
}

const TARGET: &[Member] = &[required("target_user_id", Shape::Id)];

/// `POST /2/users/:id/following`
pub(crate) async fn follow(call: Call) -> Result<Response, Problem> {
    call.must_write()?;
    let account = super::own_id(&call, "id")?;
    let body = schema::read(call.content_type(), &call.body, TARGET)?;
    let target = schema::id(&body, "/target_user_id").unwrap_or_default();
    call.write(|state| {
        if !state.accounts.contains_key(&target) {
            return (
                Vec::new(),
                Err(Problem::not_found(&Missing::new(
                    "user",
                    "target_user_id",
                    target,
                ))),
            );
        }
        if account == target {
            return (
                Vec::new(),
                Err(Problem::plain(
                    StatusCode::FORBIDDEN,
                    "You cannot follow yourself.",
                )),
            );
        }
        (
            vec![Event::Followed {
                follower: account,
                followed: target,
            }],
            Ok(()),
        )
    })
    .await??;
    Ok(render::data(
        StatusCode::OK,
        &json!({ "following": true, "pending_follow": false }),
    ))
}

/// `DELETE /2/users/:id/following/:target`
pub(crate) async fn unfollow(call: Call) -> Result<Response, Problem> {
    call.must_write()?;
    let account = super::own_id(&call, "id")?;
    let target = super::path_id(&call, "target")?;
    call.write(|_| {
        (
            vec![Event::Unfollowed {
                follower: account,
                followed: target,
            }],
            (),
        )
    })
    .await?;
    Ok(render::data(StatusCode::OK, &json!({ "following": false })))
}
