//! The Details tab: the keys, the three URLs, and the owner's own access token.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::owned;
use crate::Shared;
use crate::portal::base::Base;
use crate::portal::page::{self, Chrome};
use crate::portal::view::{AppHead, Badge, Fact, Notice, When};
use crate::portal::visit::Visit;

struct OwnToken {
    token: String,
    secret: String,
    level: Badge,
    older: bool,
    created: When,
}

#[derive(Template)]
#[template(path = "apps/details.html")]
struct DetailsPage {
    chrome: Chrome,
    app: AppHead,
    client_secret: String,
    urls: Vec<Fact>,
    callbacks: Vec<String>,
    owner: String,
    own: Option<OwnToken>,
}

/// What just happened, told by the address.
#[derive(Debug, Default, Deserialize)]
pub(in crate::portal) struct Done {
    #[serde(default)]
    done: String,
}

impl Done {
    fn notice(&self) -> Option<Notice> {
        let text = match self.done.as_str() {
            "created" => {
                "The app is registered. It is Read only: choose its level on the Settings tab before anyone authorizes it."
            }
            "regenerated" => {
                "The app has a new key and secret. The old pair and every token granted to it are void."
            }
            "token" => "Your access token was made. It keeps the level shown beside it.",
            "revoked" => "The token was revoked. The next request with it answers 401.",
            _ => return None,
        };
        Some(Notice {
            tone: "ok",
            text: text.to_owned(),
        })
    }
}

/// `GET /apps/{id}`.
pub(in crate::portal) async fn show(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    Query(done): Query<Done>,
    Base(base): Base,
) -> Response {
    let app = match owned(&shared, &visit, &id) {
        Ok(app) => app,
        Err(response) => return response,
    };
    let now = shared.clock.now();
    let own = shared.store.read(|state| {
        let token = state.tokens.get(app.own_token.as_ref()?)?;
        Some(OwnToken {
            token: token.token.clone(),
            secret: token.secret.expose().to_owned(),
            level: Badge::level(token.level),
            older: token.level != app.level,
            created: When::new(token.created_at, now),
        })
    });
    page::show(&DetailsPage {
        chrome: visit.chrome(app.name.clone(), "apps").notice(done.notice()),
        client_secret: app.client_secret.expose().to_owned(),
        urls: urls(&base),
        callbacks: app.callbacks.clone(),
        owner: visit.who().map(|who| who.username.clone()).unwrap_or_default(),
        own,
        app: AppHead::new(&app, "details", now),
    })
}

fn urls(base: &str) -> Vec<Fact> {
    [
        (
            "Request token URL",
            "step 1: temporary credentials",
            "request_token_url",
            "/oauth/request_token",
        ),
        (
            "Authorize URL",
            "step 2: where a person approves",
            "authorize_url",
            "/oauth/authorize",
        ),
        (
            "Access token URL",
            "step 3: token for the verifier",
            "access_token_url",
            "/oauth/access_token",
        ),
    ]
    .into_iter()
    .map(|(label, note, field, path)| Fact {
        label,
        note: note.to_owned(),
        value: format!("{base}{path}"),
        absent: "",
        field,
    })
    .collect()
}
