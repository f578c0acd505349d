//! `GET /2/tweets/search/recent`, `GET /2/users/search`

use crate::api::call::Call;
use crate::api::fields::{Fields, Kind};
use crate::api::page;
use crate::api::params::Params;
use crate::api::problem::{InvalidParameter, Problem};
use crate::api::render::may_see;
use crate::api::search;
use crate::api::timeline::{Filter, subject};
use crate::clock::plus_seconds;
use crate::state::id_at;
use axum::response::Response;

/// How far back recent search looks, in seconds: 7 days.
pub(crate) const RECENT_S: i64 = 7 * 86_400;

/// Longest query of a user search, in characters.
const MAX_USER_QUERY: usize = 50;

/// `GET /2/tweets/search/recent`
pub(crate) async fn recent(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let text = params.required("query");
    let limit = params.count("max_results", 10..=100, 10);
    let filter = Filter::read(&mut params);
    // The sandbox has no measure of relevance: both orders are by time.
    params.choices(&["sort_order"], &["recency", "relevancy"], &[]);
    let scope = format!("search/{text}");
    let window = params.window(&["next_token", "pagination_token"], &scope);
    let fields = Fields::read(&mut params, Kind::Posts);
    let now = call.now();
    let from = plus_seconds(now, -RECENT_S);
    for (name, at) in [("start_time", filter.start), ("end_time", filter.end)] {
        if let Some(at) = at.filter(|at| *at < from) {
            params.fault(InvalidParameter::new(
                name,
                at.to_string(),
                format!("Invalid '{name}':'{at}'. '{name}' must be on or after '{from}'."),
            ));
        }
    }
    let query = match search::parse(&text) {
        Ok(query) => Some(query),
        Err(error) => {
            if !text.is_empty() {
                params.fault(InvalidParameter::new(
                    "query",
                    text.clone(),
                    format!("There were errors processing your request: {error}"),
                ));
            }
            None
        }
    };
    params.finish()?;
    let Some(query) = query else {
        return Err(Problem::internal());
    };
    Ok(call.read(|state| {
        let view = super::view(&call, state, &fields, now);
        let keep = |id: u64| {
            state.post(id).is_some_and(|post| {
                filter.lets_through(post)
                    && may_see(state, call.account(), post.author)
                    && query.matches(&subject(state, post))
            })
        };
        let keys = state.posts.range(id_at(from)..).rev().map(|(id, _)| *id);
        super::timelines::page_of_posts(&view, page::cut(keys, keep, window, limit, &scope))
    }))
}

/// `GET /2/users/search`
pub(crate) async fn users(call: Call) -> Result<Response, Problem> {
    let mut params = Params::parse(&call.query);
    let text = params.required("query");
    if text.chars().count() > MAX_USER_QUERY {
        params.fault(InvalidParameter::new(
            "query",
            text.clone(),
            format!("The `query` query parameter is longer than {MAX_USER_QUERY} characters"),
        ));
    }
    let limit = params.count("max_results", 1..=1_000, 100);
    let scope = format!("users/search/{text}");
    let window = params.window(&["next_token"], &scope);
    let fields = Fields::read(&mut params, Kind::Users);
    params.finish()?;
    let wanted = text.to_lowercase();
    let now = call.now();
    Ok(call.read(|state| {
        let view = super::view(&call, state, &fields, now);
        let keep = |id: u64| {
            state.accounts.get(&id).is_some_and(|account| {
                account.username.to_lowercase().contains(&wanted)
                    || account.name.to_lowercase().contains(&wanted)
            })
        };
        let keys = state.accounts.keys().rev().copied();
        super::users::page_of_users(&view, page::cut(keys, keep, window, limit, &scope))
    }))
}
