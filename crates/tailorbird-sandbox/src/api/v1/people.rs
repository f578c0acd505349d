//! `users/show`, `users/lookup`, `followers/*`, `friends/*`, `friendships/*`
//!
//! Cursors: -1 begins, 0 ends; other values name the last id of the page they follow or precede.

use super::input::Input;
use super::render::{Mode, View, status, user};
use crate::api::call::Call;
use crate::api::legacy_error::LegacyError;
use crate::api::page::{self, Window};
use crate::state::{Account, Event, State};
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Most names or ids of a lookup.
const MAX_LOOKUP: usize = 100;
/// Most ids of one page of ids.
const MAX_IDS: usize = 5_000;
/// Most accounts of one page of accounts.
const MAX_ACCOUNTS: usize = 200;

/// `GET users/show`
pub(crate) async fn show(call: Call) -> Result<Response, LegacyError> {
    let input = Input::of(&call);
    let now = call.now();
    call.read(|state| {
        let account = input
            .person(state)?
            .ok_or_else(|| LegacyError::missing("user_id or screen_name"))?;
        let view = View::new(state, call.account(), now, Mode::of(&input));
        let mut body = user(&view, account);
        let trimmed = View::new(
            state,
            call.account(),
            now,
            Mode {
                trim_user: true,
                ..view.mode
            },
        );
        if let (Some(body), Some(newest)) = (body.as_object_mut(), state.posts_of(account.id).next())
            && crate::api::render::may_see(state, call.account(), account.id)
        {
            body.insert("status".to_owned(), status(&trimmed, newest));
        }
        Ok(Json(body).into_response())
    })
}

/// `GET` and `POST users/lookup`: who is not there is left out.
pub(crate) async fn lookup(call: Call) -> Result<Response, LegacyError> {
    let input = Input::of(&call);
    let ids = input.ids("user_id")?;
    let names: Vec<&str> = input
        .text("screen_name")
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    if ids.len() + names.len() > MAX_LOOKUP {
        return Err(LegacyError::new(
            StatusCode::FORBIDDEN,
            18,
            "Too many terms specified in query.",
        ));
    }
    let now = call.now();
    let found: Vec<Value> = call.read(|state| {
        let view = View::new(state, call.account(), now, Mode::of(&input));
        let by_id = ids.iter().filter_map(|id| state.accounts.get(id));
        let by_name = names.iter().filter_map(|name| state.account_named(name));
        by_id.chain(by_name).map(|account| user(&view, account)).collect()
    });
    if found.is_empty() {
        return Err(LegacyError::no_user_matches());
    }
    Ok(Json(found).into_response())
}

/// `GET followers/ids`
pub(crate) async fn follower_ids(call: Call) -> Result<Response, LegacyError> {
    ids(&call, "followers", |account| &account.followers)
}

/// `GET friends/ids`
pub(crate) async fn friend_ids(call: Call) -> Result<Response, LegacyError> {
    ids(&call, "friends", |account| &account.following)
}

/// `GET followers/list`
pub(crate) async fn follower_list(call: Call) -> Result<Response, LegacyError> {
    accounts(&call, "followers", |account| &account.followers)
}

/// `GET friends/list`
pub(crate) async fn friend_list(call: Call) -> Result<Response, LegacyError> {
    accounts(&call, "friends", |account| &account.following)
}

fn ids(call: &Call, name: &str, whose: impl Fn(&Account) -> &Vec<u64>) -> Result<Response, LegacyError> {
    let input = Input::of(call);
    let limit = input.count("count", MAX_IDS, MAX_IDS);
    call.read(|state| {
        let (keys, cursors) = cut(state, call.account(), &input, name, limit, whose)?;
        let items: Vec<Value> = if input.flag("stringify_ids") {
            keys.iter().map(|id| json!(id.to_string())).collect()
        } else {
            keys.iter().map(|id| json!(id)).collect()
        };
        Ok(answer("ids", items, cursors))
    })
}

fn accounts(call: &Call, name: &str, whose: impl Fn(&Account) -> &Vec<u64>) -> Result<Response, LegacyError> {
    let input = Input::of(call);
    let limit = input.count("count", 20, MAX_ACCOUNTS);
    let now = call.now();
    call.read(|state| {
        let (keys, cursors) = cut(state, call.account(), &input, name, limit, whose)?;
        let view = View::new(state, call.account(), now, Mode::of(&input));
        let found = keys.iter().filter_map(|id| state.accounts.get(id));
        Ok(answer(
            "users",
            found.map(|account| user(&view, account)).collect(),
            cursors,
        ))
    })
}

/// The cursors of a page: to the next and to the previous one; 0 where there is none. A previous one is
/// negative, so that one number tells direction and place.
type Cursors = (i64, i64);

fn cut(
    state: &State,
    caller: u64,
    input: &Input,
    name: &str,
    limit: usize,
    whose: impl Fn(&Account) -> &Vec<u64>,
) -> Result<(Vec<u64>, Cursors), LegacyError> {
    let account = input.person_or(state, caller)?;
    let keys: BTreeSet<u64> = whose(account).iter().copied().collect();
    let cursor = match input.text("cursor") {
        None | Some("") => -1,
        Some(text) => text.parse::<i64>().map_err(|_| LegacyError::invalid("cursor"))?,
    };
    let window = match cursor {
        -1 => Window::Newest,
        0 => return Ok((Vec::new(), (0, 0))),
        below if below > 0 => Window::Below(below.unsigned_abs()),
        above => Window::Above(above.unsigned_abs()),
    };
    let page = page::cut(keys.into_iter().rev(), |_| true, window, limit, name);
    let signed = |key: Option<&u64>| key.and_then(|key| i64::try_from(*key).ok()).unwrap_or_default();
    let next = if page.next.is_some() {
        signed(page.keys.last())
    } else {
        0
    };
    let previous = if page.previous.is_some() {
        -signed(page.keys.first())
    } else {
        0
    };
    Ok((page.keys, (next, previous)))
}

fn answer(name: &str, items: Vec<Value>, (next, previous): Cursors) -> Response {
    let mut body = Map::new();
    body.insert(name.to_owned(), Value::Array(items));
    body.insert("next_cursor".to_owned(), json!(next));
    body.insert("next_cursor_str".to_owned(), json!(next.to_string()));
    body.insert("previous_cursor".to_owned(), json!(previous));
    body.insert("previous_cursor_str".to_owned(), json!(previous.to_string()));
    Json(Value::Object(body)).into_response()
}

/// `POST friendships/create`
pub(crate) async fn follow(call: Call) -> Result<Response, LegacyError> {
    change(&call, true).await
}

/// `POST friendships/destroy`
pub(crate) async fn unfollow(call: Call) -> Result<Response, LegacyError> {
    change(&call, false).await
}

async fn change(call: &Call, follows: bool) -> Result<Response, LegacyError> {
    let input = super::must_write(call)?;
    let caller = call.account();
    let other = call
        .write(|state| match input.person(state) {
            Err(error) => (Vec::new(), Err(error)),
            Ok(None) => (Vec::new(), Err(LegacyError::missing("user_id or screen_name"))),
            Ok(Some(account)) if account.id == caller => (
                Vec::new(),
                Err(LegacyError::new(
                    StatusCode::FORBIDDEN,
                    158,
                    "You can't follow yourself.",
                )),
            ),
            Ok(Some(account)) => {
                let event = if follows {
                    Event::Followed {
                        follower: caller,
                        followed: account.id,
                    }
                } else {
                    Event::Unfollowed {
                        follower: caller,
                        followed: account.id,
                    }
                };
                (vec![event], Ok(account.id))
            }
        })
        .await??;
    let now = call.now();
    call.read(|state| {
        let account = state.accounts.get(&other).ok_or_else(LegacyError::unknown_user)?;
        let view = View::new(state, caller, now, Mode::of(&input));
        Ok(Json(user(&view, account)).into_response())
    })
}
