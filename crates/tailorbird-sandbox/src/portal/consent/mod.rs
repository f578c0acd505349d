//! The consent page: a person decides whether an application may use an account (RFC 5849 §2.2).
//!
//! `/oauth/authorize` and `/oauth/authenticate` are the same page here: X skips the question on the second one
//! only for applications with a setting that is off by default, and the sandbox has no such setting.

mod abilities;
mod decide;
mod pages;

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

pub(super) use decide::decide;

use super::visit::Visit;
use crate::Shared;
use crate::oauth::consent::{self, Asked, ConsentError};
use crate::settings::TEMPORARY_CREDENTIALS_LIFETIME_S;
use crate::state::Application;

/// The query of the consent page. A callback is never sent here; it was fixed at step 1.
#[derive(Debug, Default, Deserialize)]
pub(super) struct AskQuery {
    /// The request token.
    #[serde(default)]
    oauth_token: String,
    /// `true`: ask for the password again, whoever is signed in.
    #[serde(default)]
    force_login: String,
    /// Prefills the name.
    #[serde(default)]
    screen_name: String,
}

/// A request that waits for its decision, with what the page shows around it.
pub(super) struct Waiting {
    /// The request token.
    pub token: String,
    /// What is asked.
    pub asked: Asked,
    /// The application that asks.
    pub app: Application,
    /// The username of who registered it.
    pub owner: String,
    /// Seconds until the request token is too old.
    pub left_s: i64,
}

/// Finds what waits for a decision under this token.
fn waiting(shared: &Shared, token: &str) -> Result<Waiting, ConsentError> {
    let asked = consent::look(shared, token)?;
    let now_s = shared.clock.now().as_second();
    shared.store.read(|state| {
        let app = state
            .applications
            .get(&asked.application_id)
            .cloned()
            .ok_or(ConsentError::Unknown)?;
        let age_s = state.temporary.get(token).map_or(0, |credentials| {
            now_s.saturating_sub(credentials.created_at.as_second())
        });
        Ok(Waiting {
            token: token.to_owned(),
            owner: state
                .accounts
                .get(&app.owner)
                .map(|account| account.username.clone())
                .unwrap_or_default(),
            left_s: TEMPORARY_CREDENTIALS_LIFETIME_S.saturating_sub(age_s),
            asked,
            app,
        })
    })
}

/// `GET /oauth/authorize` and `GET /oauth/authenticate`.
pub(super) async fn ask(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Query(query): Query<AskQuery>,
) -> Response {
    match waiting(&shared, &query.oauth_token) {
        Err(error) => pages::whoa(&visit, &error, &query.oauth_token),
        Ok(waiting) => {
            let signed_in = if query.force_login == "true" {
                None
            } else {
                visit.account()
            };
            let decider = pages::Decider {
                signed_in: signed_in.is_some(),
                standing: signed_in.is_some_and(|account| {
                    shared.store.read(|state| {
                        state
                            .standing_consent(&waiting.asked.client_key, account)
                            .is_some()
                    })
                }),
            };
            let typed = pages::Typed {
                username: query.screen_name,
                ..pages::Typed::default()
            };
            pages::consent(&visit, &waiting, &decider, typed, shared.clock.now())
        }
    }
}
