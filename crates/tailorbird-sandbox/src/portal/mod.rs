//! The pages a person sees: developer portal, sign-in, consent, the log of requests, the timeline.
//!
//! Every page is whole without script; the little script there is copies and switches the theme. Every form
//! carries the session's own token, every page is sent with a policy that forbids inline script and style, and
//! nothing a visitor typed is lost when it is refused: the form comes back with the reason beside the field.

mod apps;
mod assets;
mod base;
mod consent;
mod field;
mod form;
mod home;
mod page;
mod problem;
mod requests;
mod signin;
mod status;
mod theme;
mod timeline;
mod view;
mod visit;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};

use crate::Shared;

/// Most bytes of a form's body: the longest form (callback URLs) stays far below.
const FORM_BODY_MAX: usize = 64 * 1024;

/// All pages of the portal, ready to be merged with the API.
pub(crate) fn router(shared: Shared) -> Router {
    let pages = Router::new()
        .route("/", get(home::show))
        .route("/signin", get(signin::ask).post(signin::submit))
        .route("/signout", get(signin::ask_out).post(signin::out))
        .route("/theme", post(theme::switch))
        .route("/apps", get(apps::list::show))
        .route("/apps/new", get(apps::new::show).post(apps::new::submit))
        .route("/apps/{id}", get(apps::details::show))
        .route("/apps/{id}/tokens", get(apps::tokens::show))
        .route("/apps/{id}/token", post(apps::tokens::create_own))
        .route("/apps/{id}/token/revoke", post(apps::tokens::revoke))
        .route("/apps/{id}/settings", get(apps::settings::show))
        .route("/apps/{id}/settings/level", post(apps::settings::level))
        .route("/apps/{id}/settings/callbacks", post(apps::settings::callbacks))
        .route("/apps/{id}/settings/profile", post(apps::settings::profile))
        .route(
            "/apps/{id}/regenerate",
            get(apps::confirm::ask_regenerate).post(apps::confirm::regenerate),
        )
        .route(
            "/apps/{id}/delete",
            get(apps::confirm::ask_delete).post(apps::confirm::delete),
        )
        .route("/oauth/authorize", get(consent::ask).post(consent::decide))
        .route("/oauth/authenticate", get(consent::ask).post(consent::decide))
        .route("/requests", get(requests::list::show))
        .route("/requests/{n}", get(requests::one::show))
        .route("/timeline", get(timeline::show))
        .route("/status", get(status::show))
        .fallback(home::nothing_here)
        .layer(DefaultBodyLimit::max(FORM_BODY_MAX))
        .layer(middleware::from_fn_with_state(shared.clone(), visit::attend))
        .with_state(shared);
    Router::new()
        .route("/assets/{name}", get(assets::serve))
        .merge(pages)
}
