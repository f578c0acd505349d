//! What cannot be undone: new keys, and deleting an application. Each asks first and names the thing.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;

use super::{keys, owned, owned_for_change};
use crate::Shared;
use crate::portal::field::TextField;
use crate::portal::form::Form;
use crate::portal::page::{self, Chrome, go};
use crate::portal::problem::Problem;
use crate::portal::view::plural;
use crate::portal::visit::Visit;
use crate::state::{Application, Event};

#[derive(Template)]
#[template(path = "apps/confirm.html")]
struct ConfirmPage {
    chrome: Chrome,
    id: u64,
    name: String,
    heading: String,
    lines: Vec<String>,
    action: String,
    typed: Option<TextField>,
    button: &'static str,
    back: String,
}

fn live_tokens(shared: &Shared, app: &Application) -> String {
    let count = shared.store.read(|state| {
        state
            .tokens
            .values()
            .filter(|token| token.client_key == app.client_key && token.revoked.is_none())
            .count()
    });
    plural(
        u64::try_from(count).unwrap_or(u64::MAX),
        "live token",
        "live tokens",
    )
}

/// `GET /apps/{id}/regenerate`.
pub(in crate::portal) async fn ask_regenerate(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Response {
    let app = match owned(&shared, &visit, &id) {
        Ok(app) => app,
        Err(response) => return response,
    };
    page::show(&ConfirmPage {
        chrome: visit.chrome("Regenerate keys", "apps"),
        id: app.id,
        heading: format!("Make new keys for {}?", app.name),
        lines: vec![
            "The consumer key and consumer secret are replaced. Clients that use the old pair get 401 at once.".to_owned(),
            format!("{} granted to the old pair become void; each account has to authorize again.", live_tokens(&shared, &app)),
        ],
        name: app.name,
        action: format!("/apps/{}/regenerate", app.id),
        typed: None,
        button: "Regenerate keys",
        back: format!("/apps/{}", app.id),
    })
}

/// `POST /apps/{id}/regenerate`.
pub(in crate::portal) async fn regenerate(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    _: Form,
) -> Response {
    let app = match owned_for_change(&shared, &visit, &id, &format!("/apps/{id}")) {
        Ok(app) => app,
        Err(response) => return response,
    };
    let (client_key, client_secret) = match keys::client_pair() {
        Ok(pair) => pair,
        Err(error) => {
            tracing::error!(%error, "client keys not made");
            return visit.problem(&Problem::internal());
        }
    };
    match shared
        .store
        .commit(Event::KeysRegenerated {
            id: app.id,
            client_key,
            client_secret,
        })
        .await
    {
        Ok(_) => go(&format!("/apps/{}?done=regenerated", app.id)),
        Err(error) => {
            tracing::error!(%error, "keys not stored");
            visit.problem(&Problem::not_stored())
        }
    }
}

fn delete_page(
    shared: &Shared,
    visit: &Visit,
    app: &Application,
    typed: &str,
    error: Option<String>,
) -> ConfirmPage {
    ConfirmPage {
        chrome: visit.chrome("Delete app", "apps"),
        id: app.id,
        name: app.name.clone(),
        heading: format!("Delete {}?", app.name),
        lines: vec![format!(
            "Its keys and {} stop working at once, and it leaves this list for good. Posts it sent stay on the timeline.",
            live_tokens(shared, app)
        )],
        action: format!("/apps/{}/delete", app.id),
        typed: Some(
            TextField::new("name", "Type the app's name to confirm", "")
                .value(typed)
                .error(error)
                .focus(),
        ),
        button: "Delete this app",
        back: format!("/apps/{}/settings", app.id),
    }
}

/// `GET /apps/{id}/delete`.
pub(in crate::portal) async fn ask_delete(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Response {
    match owned(&shared, &visit, &id) {
        Ok(app) => page::show(&delete_page(&shared, &visit, &app, "", None)),
        Err(response) => response,
    }
}

/// `POST /apps/{id}/delete`.
pub(in crate::portal) async fn delete(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    form: Form,
) -> Response {
    let app = match owned_for_change(&shared, &visit, &id, &format!("/apps/{id}/delete")) {
        Ok(app) => app,
        Err(response) => return response,
    };
    if form.get("name").trim() != app.name {
        let error = format!(
            "This is not the name of the app. Type “{}” as it is written above, or keep it.",
            app.name
        );
        let page = delete_page(&shared, &visit, &app, form.get("name"), Some(error));
        return page::show_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    match shared
        .store
        .commit(Event::ApplicationDeleted { id: app.id })
        .await
    {
        Ok(_) => go("/apps?done=deleted"),
        Err(error) => {
            tracing::error!(%error, "application not deleted");
            visit.problem(&Problem::not_stored())
        }
    }
}
