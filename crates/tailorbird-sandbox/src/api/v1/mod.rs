//! X API v1.1 as the tutorial knew it: every address with and without `.json`.
//!
//! With `--legacy-v1 closed` all but signing in, `verify_credentials` and media answer 453, as X has done for
//! ordinary plans since 2023.

mod account;
mod input;
mod media;
mod messages;
mod people;
mod rate_limits;
mod render;
mod search;
mod statuses;
mod timelines;

use super::call::Call;
use super::legacy_error::LegacyError;
use crate::Shared;
use crate::settings::LegacyV1;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use input::Input;

/// The routes of v1.1.
pub(crate) fn router(shared: &Shared) -> Router<Shared> {
    let always: [(&str, MethodRouter<Shared>); 3] = [
        ("account/verify_credentials", get(account::verify_credentials)),
        ("media/upload", get(media::status).post(media::upload)),
        ("media/metadata/create", post(media::describe)),
    ];
    let ordinary: [(&str, MethodRouter<Shared>); 25] = [
        (
            "account/settings",
            get(account::settings).post(account::change_settings),
        ),
        ("account/update_profile", post(account::update_profile)),
        ("statuses/update", post(statuses::update)),
        ("statuses/show", get(statuses::show)),
        ("statuses/lookup", get(statuses::lookup)),
        ("statuses/user_timeline", get(timelines::user)),
        ("statuses/home_timeline", get(timelines::home)),
        ("statuses/mentions_timeline", get(timelines::mentions)),
        ("direct_messages/events/new", post(messages::new)),
        ("direct_messages/events/list", get(messages::list)),
        ("direct_messages/events/show", get(messages::show)),
        (
            "direct_messages/events/destroy",
            axum::routing::delete(messages::destroy),
        ),
        ("users/show", get(people::show)),
        ("users/lookup", get(people::lookup).post(people::lookup)),
        ("followers/ids", get(people::follower_ids)),
        ("followers/list", get(people::follower_list)),
        ("friends/ids", get(people::friend_ids)),
        ("friends/list", get(people::friend_list)),
        ("friendships/create", post(people::follow)),
        ("friendships/destroy", post(people::unfollow)),
        ("favorites/create", post(statuses::like)),
        ("favorites/destroy", post(statuses::unlike)),
        ("application/rate_limit_status", get(rate_limits::status)),
        ("search/tweets", get(search::posts)),
        ("users/search", get(search::users)),
    ];
    // A name in the last place carries `.json` itself; the handler cuts it.
    let named: [(&str, MethodRouter<Shared>); 4] = [
        ("statuses/destroy/{id}", post(statuses::destroy)),
        ("statuses/show/{id}", get(statuses::show)),
        ("statuses/retweet/{id}", post(statuses::repost)),
        ("statuses/unretweet/{id}", post(statuses::take_repost_back)),
    ];
    let closed = shared.settings.legacy_v1 == LegacyV1::Closed;
    let mut router = Router::new();
    for (path, handlers) in always {
        router = both(router, path, handlers);
    }
    for (path, handlers) in ordinary {
        router = both(
            router,
            path,
            if closed {
                axum::routing::any(not_in_plan)
            } else {
                handlers
            },
        );
    }
    for (path, handlers) in named {
        let handlers = if closed {
            axum::routing::any(not_in_plan)
        } else {
            handlers
        };
        router = router.route(&format!("/1.1/{path}"), handlers);
    }
    if closed {
        router = router.route("/1.1/{*rest}", axum::routing::any(not_in_plan));
    }
    router
}

fn both(router: Router<Shared>, path: &str, handlers: MethodRouter<Shared>) -> Router<Shared> {
    router
        .route(&format!("/1.1/{path}"), handlers.clone())
        .route(&format!("/1.1/{path}.json"), handlers)
}

/// 453 on everything the plan does not include.
async fn not_in_plan() -> Response {
    LegacyError::not_in_plan().into_response()
}

/// Refuses callers whose token does not cover direct messages.
fn must_message(call: &Call) -> Result<(), LegacyError> {
    if call.caller.level.direct_messages() {
        Ok(())
    } else {
        Err(LegacyError::no_direct_messages())
    }
}

/// Refuses callers whose token may only read.
fn must_write(call: &Call) -> Result<Input, LegacyError> {
    if call.caller.level.writes() {
        Ok(Input::of(call))
    } else {
        Err(LegacyError::new(
            http::StatusCode::FORBIDDEN,
            261,
            "Application cannot perform write actions.",
        ))
    }
}
