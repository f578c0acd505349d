//! `statuses/user_timeline`, `home_timeline`, `mentions_timeline`: `since_id` exclusive, `max_id` inclusive.

use super::input::Input;
use super::render::{Mode, View, status};
use crate::api::call::Call;
use crate::api::legacy_error::LegacyError;
use crate::api::page::Window;
use crate::api::render::may_see;
use crate::api::timeline::{self, Cut, Filter, Source};
use crate::state::State;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::Value;

/// Most statuses of one answer, and how many there are unless asked for otherwise.
const MOST: usize = 200;
const DEFAULT: usize = 20;

/// `GET statuses/user_timeline`
pub(crate) async fn user(call: Call) -> Result<Response, LegacyError> {
    let input = Input::of(&call);
    answer(&call, &input, |state| {
        let account = input.person_or(state, call.account())?;
        if may_see(state, call.account(), account.id) {
            Ok(Source::Author(account.id))
        } else {
            Err(LegacyError::new(StatusCode::UNAUTHORIZED, 179, "Not authorized."))
        }
    })
}

/// `GET statuses/home_timeline`
pub(crate) async fn home(call: Call) -> Result<Response, LegacyError> {
    answer(&call, &Input::of(&call), |state| {
        Ok(timeline::home(state, call.account()))
    })
}

/// `GET statuses/mentions_timeline`
pub(crate) async fn mentions(call: Call) -> Result<Response, LegacyError> {
    answer(&call, &Input::of(&call), |_| Ok(Source::Mentions(call.account())))
}

fn answer(
    call: &Call,
    input: &Input,
    source: impl FnOnce(&State) -> Result<Source, LegacyError>,
) -> Result<Response, LegacyError> {
    let filter = Filter {
        since_id: input.id("since_id")?,
        until_id: input.id("max_id")?.map(|id| id.saturating_add(1)),
        no_replies: input.flag("exclude_replies"),
        no_reposts: input.flag_given("include_rts") == Some(false),
        ..Filter::default()
    };
    let cut = Cut {
        window: Window::Newest,
        limit: input.count("count", DEFAULT, MOST),
        scope: "",
    };
    let (now, mode) = (call.now(), Mode::of(input));
    call.read(|state| {
        let source = source(state)?;
        let view = View::new(state, call.account(), now, mode);
        let page = timeline::page(state, call.account(), &source, &filter, &cut);
        let posts = page.keys.iter().filter_map(|id| state.post(*id));
        let items: Vec<Value> = posts.map(|post| status(&view, post)).collect();
        Ok(Json(items).into_response())
    })
}
