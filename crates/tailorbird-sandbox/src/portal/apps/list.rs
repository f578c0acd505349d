//! The list of one's applications, as cards.

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::signed_in;
use crate::Shared;
use crate::portal::page::{self, Chrome};
use crate::portal::view::{Badge, Notice, When, initial, plural, tint};
use crate::portal::visit::Visit;

struct Tile {
    id: u64,
    name: String,
    description: String,
    initial: char,
    tint: u32,
    level: Badge,
    tokens: String,
    created: When,
}

#[derive(Template)]
#[template(path = "apps/list.html")]
struct ListPage {
    chrome: Chrome,
    tiles: Vec<Tile>,
}

/// What just happened, told by the address.
#[derive(Debug, Default, Deserialize)]
pub(in crate::portal) struct Done {
    #[serde(default)]
    done: String,
}

/// `GET /apps`.
pub(in crate::portal) async fn show(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Query(query): Query<Done>,
) -> Response {
    let account = match signed_in(&visit, "/apps") {
        Ok(account) => account,
        Err(response) => return response,
    };
    let now = shared.clock.now();
    let tiles = shared.store.read(|state| {
        state
            .applications
            .values()
            .rev()
            .filter(|app| app.owner == account)
            .map(|app| {
                let alive = state
                    .tokens
                    .values()
                    .filter(|token| token.client_key == app.client_key && token.revoked.is_none())
                    .count();
                Tile {
                    id: app.id,
                    name: app.name.clone(),
                    description: app.description.clone(),
                    initial: initial(&app.name),
                    tint: tint(&app.name),
                    level: Badge::level(app.level),
                    tokens: plural(
                        u64::try_from(alive).unwrap_or(u64::MAX),
                        "live token",
                        "live tokens",
                    ),
                    created: When::new(app.created_at, now),
                }
            })
            .collect()
    });
    let notice = (query.done == "deleted").then(|| Notice {
        tone: "ok",
        text: "The app was deleted. Its keys and tokens are void.".to_owned(),
    });
    page::show(&ListPage {
        chrome: visit.chrome("Apps", "apps").notice(notice),
        tiles,
    })
}
