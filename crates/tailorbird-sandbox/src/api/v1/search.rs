//! `search/tweets`, `users/search`

use super::input::Input;
use super::render::{Mode, View, status, user};
use crate::api::call::Call;
use crate::api::legacy_error::LegacyError;
use crate::api::page::{self, Window};
use crate::api::render::may_see;
use crate::api::search;
use crate::api::timeline::{Filter, subject};
use crate::clock::plus_seconds;
use crate::state::id_at;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

/// How far back search looks, in seconds: 7 days.
const REACH_S: i64 = 7 * 86_400;
/// Most statuses of one answer, and how many there are unless asked for otherwise.
const MOST: usize = 100;
const DEFAULT: usize = 15;
/// Most accounts of one answer.
const MOST_ACCOUNTS: usize = 20;

/// `GET search/tweets?q=`
pub(crate) async fn posts(call: Call) -> Result<Response, LegacyError> {
    let input = Input::of(&call);
    let text = input.text("q").unwrap_or_default();
    if text.trim().is_empty() {
        return Err(LegacyError::empty_query());
    }
    let query = search::parse(text).map_err(|error| {
        LegacyError::new(
            StatusCode::FORBIDDEN,
            195,
            format!("Missing or invalid url parameter: {error}"),
        )
    })?;
    let filter = Filter {
        since_id: input.id("since_id")?,
        until_id: input.id("max_id")?.map(|id| id.saturating_add(1)),
        ..Filter::default()
    };
    let limit = input.count("count", DEFAULT, MOST);
    let now = call.now();
    Ok(call.read(|state| {
        let view = View::new(state, call.account(), now, Mode::of(&input));
        let keep = |id: u64| {
            state.post(id).is_some_and(|post| {
                filter.lets_through(post)
                    && may_see(state, call.account(), post.author)
                    && query.matches(&subject(state, post))
            })
        };
        let keys = state
            .posts
            .range(id_at(plus_seconds(now, -REACH_S))..)
            .rev()
            .map(|(id, _)| *id);
        let page = page::cut(keys, keep, Window::Newest, limit, "");
        let greatest = page.keys.first().copied().or(filter.since_id).unwrap_or_default();
        let found = page.keys.iter().filter_map(|id| state.post(*id));
        let statuses: Vec<Value> = found.map(|post| status(&view, post)).collect();
        let mut metadata = json!({
            "completed_in": 0.01,
            "max_id": greatest,
            "max_id_str": greatest.to_string(),
            "query": text,
            "count": limit,
            "since_id": filter.since_id.unwrap_or_default(),
            "since_id_str": filter.since_id.unwrap_or_default().to_string(),
        });
        if let (Some(_), Some(oldest), Some(metadata)) =
            (page.next, page.keys.last(), metadata.as_object_mut())
        {
            let encoded = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
            let next = format!("?max_id={}&q={encoded}&count={limit}", oldest.saturating_sub(1));
            metadata.insert("next_results".to_owned(), json!(next));
        }
        Json(json!({ "statuses": statuses, "search_metadata": metadata })).into_response()
    }))
}

/// `GET users/search?q=`
pub(crate) async fn users(call: Call) -> Result<Response, LegacyError> {
    let input = Input::of(&call);
    let wanted = input.text("q").unwrap_or_default().trim().to_lowercase();
    if wanted.is_empty() {
        return Err(LegacyError::empty_query());
    }
    let count = input.count("count", MOST_ACCOUNTS, MOST_ACCOUNTS);
    let skip = input.count("page", 1, 50).saturating_sub(1).saturating_mul(count);
    let now = call.now();
    let found: Vec<Value> = call.read(|state| {
        let view = View::new(state, call.account(), now, Mode::of(&input));
        let matching = state.accounts.values().rev().filter(|account| {
            account.username.to_lowercase().contains(&wanted) || account.name.to_lowercase().contains(&wanted)
        });
        matching
            .skip(skip)
            .take(count)
            .map(|account| user(&view, account))
            .collect()
    });
    Ok(Json(found).into_response())
}
