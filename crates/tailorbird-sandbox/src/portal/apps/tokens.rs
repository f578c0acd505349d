//! The tokens granted to an application: the list, one's own, taking one back.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::{keys, owned, owned_for_change};
use crate::Shared;
use crate::portal::form::Form;
use crate::portal::page::{self, Chrome, go};
use crate::portal::problem::Problem;
use crate::portal::view::{AppHead, Badge, Notice, When, shortened};
use crate::portal::visit::Visit;
use crate::state::{AccessToken, Event, Revocation};

/// Most tokens listed, newest first; more would be a list nobody reads.
const LISTED_MAX: usize = 200;

struct Grant {
    username: String,
    token: String,
    short: String,
    level: Badge,
    older: bool,
    created: When,
    state: Badge,
    alive: bool,
}

#[derive(Template)]
#[template(path = "apps/tokens.html")]
struct TokensPage {
    chrome: Chrome,
    app: AppHead,
    grants: Vec<Grant>,
}

/// What just happened, told by the address.
#[derive(Debug, Default, Deserialize)]
pub(in crate::portal) struct Done {
    #[serde(default)]
    done: String,
}

/// `GET /apps/{id}/tokens`.
pub(in crate::portal) async fn show(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Response {
    let app = match owned(&shared, &visit, &id) {
        Ok(app) => app,
        Err(response) => return response,
    };
    let now = shared.clock.now();
    let grants = shared.store.read(|state| {
        let mut tokens: Vec<&AccessToken> = state
            .tokens
            .values()
            .filter(|token| token.client_key == app.client_key)
            .collect();
        tokens.sort_by(|a, b| {
            b.created_at
                .cmp(&a.created_at)
                .then_with(|| a.token.cmp(&b.token))
        });
        tokens
            .into_iter()
            .take(LISTED_MAX)
            .map(|token| Grant {
                username: state
                    .accounts
                    .get(&token.account)
                    .map_or_else(|| token.account.to_string(), |account| account.username.clone()),
                token: token.token.clone(),
                short: shortened(&token.token),
                level: Badge::level(token.level),
                older: token.level != app.level,
                created: When::new(token.created_at, now),
                state: state_badge(token.revoked),
                alive: token.revoked.is_none(),
            })
            .collect()
    });
    let notice = (done.done == "revoked").then(|| Notice {
        tone: "ok",
        text: "The token was revoked. The next request with it answers 401.".to_owned(),
    });
    page::show(&TokensPage {
        chrome: visit.chrome(app.name.clone(), "apps").notice(notice),
        app: AppHead::new(&app, "tokens", now),
        grants,
    })
}

fn state_badge(revoked: Option<Revocation>) -> Badge {
    match revoked {
        None => Badge::new("ok", "●", "alive"),
        Some(Revocation::Invalidated) => Badge::new("bad", "✕", "invalidated by the client"),
        Some(Revocation::ByOwner) => Badge::new("bad", "✕", "revoked"),
        Some(Revocation::KeysRegenerated) => Badge::new("bad", "✕", "void: keys regenerated"),
        Some(Revocation::ApplicationDeleted) => Badge::new("bad", "✕", "void: app deleted"),
    }
}

/// `POST /apps/{id}/token`: makes the owner's own token, and voids the one before.
pub(in crate::portal) async fn create_own(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    _: Form,
) -> Response {
    let app = match owned_for_change(&shared, &visit, &id, &format!("/apps/{id}")) {
        Ok(app) => app,
        Err(response) => return response,
    };
    let stored = shared
        .store
        .transact(|state| {
            // Read again under the lock: keys and level may have changed since the page was loaded.
            let Some(app) = state.applications.get(&app.id) else {
                return (Vec::new(), Ok(false));
            };
            let credentials = match keys::own_token(app, shared.clock.now()) {
                Ok(credentials) => credentials,
                Err(error) => return (Vec::new(), Err(error)),
            };
            let mut events: Vec<Event> = app
                .own_token
                .iter()
                .map(|token| Event::TokenRevoked {
                    token: token.clone(),
                    why: Revocation::ByOwner,
                })
                .collect();
            events.push(Event::TokenIssued {
                temporary: None,
                credentials,
            });
            (events, Ok(true))
        })
        .await;
    match stored {
        Ok(Ok(true)) => go(&format!("/apps/{}?done=token", app.id)),
        Ok(Ok(false)) => visit.problem(&Problem::no_such_app()),
        Ok(Err(error)) => {
            tracing::error!(%error, "access token not made");
            visit.problem(&Problem::internal())
        }
        Err(error) => {
            tracing::error!(%error, "access token not stored");
            visit.problem(&Problem::not_stored())
        }
    }
}

/// `POST /apps/{id}/token/revoke`.
pub(in crate::portal) async fn revoke(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    form: Form,
) -> Response {
    let app = match owned_for_change(&shared, &visit, &id, &format!("/apps/{id}/tokens")) {
        Ok(app) => app,
        Err(response) => return response,
    };
    let token = form.get("token").to_owned();
    let stored = shared
        .store
        .transact(|state| {
            let ours = state
                .tokens
                .get(&token)
                .is_some_and(|known| known.client_key == app.client_key);
            let events = if ours {
                vec![Event::TokenRevoked {
                    token,
                    why: Revocation::ByOwner,
                }]
            } else {
                Vec::new()
            };
            (events, ours)
        })
        .await;
    match stored {
        Ok(true) if form.get("back") == "tokens" => go(&format!("/apps/{}/tokens?done=revoked", app.id)),
        Ok(true) => go(&format!("/apps/{}?done=revoked", app.id)),
        Ok(false) => visit.problem(&Problem::new(
            http::StatusCode::NOT_FOUND,
            "No such token",
            "This app has no token like that; nothing was revoked.",
        )),
        Err(error) => {
            tracing::error!(%error, "token not revoked");
            visit.problem(&Problem::not_stored())
        }
    }
}
