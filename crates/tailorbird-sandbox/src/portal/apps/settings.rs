//! The Settings tab: application type, callback URLs, details.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::new::{Profile, ProfileErrors, name_is_taken};
use super::{owned, owned_for_change, valid};
use crate::Shared;
use crate::portal::field::TextField;
use crate::portal::form::Form;
use crate::portal::page::{self, Chrome, go};
use crate::portal::problem::Problem;
use crate::portal::view::{AppHead, Notice};
use crate::portal::visit::Visit;
use crate::settings::CALLBACKS_MAX;
use crate::state::{Application, ApplicationChange, Event, Level};

struct LevelChoice {
    value: &'static str,
    word: &'static str,
    what: &'static str,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "apps/settings.html")]
struct SettingsPage {
    chrome: Chrome,
    app: AppHead,
    levels: Vec<LevelChoice>,
    level_error: Option<String>,
    stale_tokens: usize,
    max_callbacks: usize,
    callbacks: TextField,
    profile: Vec<TextField>,
}

/// What just happened, told by the address.
#[derive(Debug, Default, Deserialize)]
pub(in crate::portal) struct Done {
    #[serde(default)]
    done: String,
}

/// What one form of the tab got wrong; the other forms show what is stored.
#[derive(Default)]
struct Wrong<'a> {
    level: Option<String>,
    callbacks: Option<(&'a str, String)>,
    profile: Option<(Profile<'a>, ProfileErrors)>,
}

const fn what_it_may(level: Level) -> &'static str {
    match level {
        Level::Read => {
            "Reads posts, profiles, mentions and lists. May not write anything. Every new app begins here."
        }
        Level::ReadWrite => "Also publishes and deletes posts, uploads media, changes lists and the profile.",
        Level::ReadWriteDm => "Also reads, sends and deletes direct messages.",
    }
}

fn callbacks_field() -> TextField {
    TextField::new("callbacks", "Callback URLs", "")
        .kind("area")
        .data()
        .optional()
}

fn render(shared: &Shared, visit: &Visit, app: &Application, wrong: Wrong<'_>, done: &str) -> Response {
    let status = if wrong.level.is_some() || wrong.callbacks.is_some() || wrong.profile.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let stale_tokens = shared.store.read(|state| {
        state
            .tokens
            .values()
            .filter(|token| token.client_key == app.client_key && token.revoked.is_none())
            .filter(|token| token.level != app.level)
            .count()
    });
    let callbacks = match wrong.callbacks {
        Some((typed, error)) => callbacks_field().value(typed).error(Some(error)),
        None => callbacks_field().value(app.callbacks.join("\n")),
    };
    let profile = match wrong.profile {
        Some((typed, errors)) => typed.fields(errors),
        None => Profile {
            name: &app.name,
            description: &app.description,
            website: &app.website,
        }
        .fields(ProfileErrors::default()),
    };
    page::show_with(
        status,
        &SettingsPage {
            chrome: visit
                .chrome(app.name.clone(), "apps")
                .notice(notice(done, app, stale_tokens)),
            app: AppHead::new(app, "settings", shared.clock.now()),
            levels: Level::ALL
                .into_iter()
                .map(|level| LevelChoice {
                    value: level.as_str(),
                    word: level.portal_words(),
                    what: what_it_may(level),
                    chosen: level == app.level,
                })
                .collect(),
            level_error: wrong.level,
            stale_tokens,
            max_callbacks: CALLBACKS_MAX,
            callbacks,
            profile: profile.into(),
        },
    )
}

fn notice(done: &str, app: &Application, stale_tokens: usize) -> Option<Notice> {
    let saved = |text: &str| {
        Some(Notice {
            tone: "ok",
            text: text.to_owned(),
        })
    };
    match done {
        "level" if stale_tokens > 0 => Some(Notice {
            tone: "wait",
            text: format!(
                "The application type is now {}. Tokens that exist keep the level they were granted under: authorize again to get one with the new level.",
                app.level.portal_words()
            ),
        }),
        "level" => saved(&format!(
            "The application type is now {}. Tokens that exist keep the level they were granted under; those granted from now on have this one.",
            app.level.portal_words()
        )),
        "callbacks" => saved("The callback URLs are saved."),
        "profile" => saved("The details are saved."),
        _ => None,
    }
}

/// `GET /apps/{id}/settings`.
pub(in crate::portal) async fn show(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Response {
    match owned(&shared, &visit, &id) {
        Ok(app) => render(&shared, &visit, &app, Wrong::default(), &done.done),
        Err(response) => response,
    }
}

/// `POST /apps/{id}/settings/level`.
pub(in crate::portal) async fn level(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    form: Form,
) -> Response {
    let app = match owned_for_change(&shared, &visit, &id, &format!("/apps/{id}/settings")) {
        Ok(app) => app,
        Err(response) => return response,
    };
    let Some(level) = Level::parse(form.get("level")) else {
        let error =
            "Choose one of the three: Read only, Read and Write, or Read, Write and Access direct messages.";
        let wrong = Wrong {
            level: Some(error.to_owned()),
            ..Wrong::default()
        };
        return render(&shared, &visit, &app, wrong, "");
    };
    let change = ApplicationChange {
        level: Some(level),
        ..ApplicationChange::default()
    };
    save(&shared, &visit, app.id, change, "level").await
}

/// `POST /apps/{id}/settings/callbacks`.
pub(in crate::portal) async fn callbacks(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    form: Form,
) -> Response {
    let app = match owned_for_change(&shared, &visit, &id, &format!("/apps/{id}/settings")) {
        Ok(app) => app,
        Err(response) => return response,
    };
    let typed = form.get("callbacks");
    match valid::callbacks(typed) {
        Ok(callbacks) => {
            let change = ApplicationChange {
                callbacks: Some(callbacks),
                ..ApplicationChange::default()
            };
            save(&shared, &visit, app.id, change, "callbacks").await
        }
        Err(error) => {
            let wrong = Wrong {
                callbacks: Some((typed, error)),
                ..Wrong::default()
            };
            render(&shared, &visit, &app, wrong, "")
        }
    }
}

/// `POST /apps/{id}/settings/profile`.
pub(in crate::portal) async fn profile(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    form: Form,
) -> Response {
    let app = match owned_for_change(&shared, &visit, &id, &format!("/apps/{id}/settings")) {
        Ok(app) => app,
        Err(response) => return response,
    };
    let again = |errors: ProfileErrors| {
        let wrong = Wrong {
            profile: Some((Profile::from_form(&form), errors)),
            ..Wrong::default()
        };
        render(&shared, &visit, &app, wrong, "")
    };
    let [name, description, website] = match Profile::from_form(&form).check() {
        Ok(checked) => checked,
        Err(errors) => return again(errors),
    };
    let taken = name.clone();
    let change = ApplicationChange {
        name: Some(name),
        description: Some(description),
        website: Some(website),
        ..ApplicationChange::default()
    };
    let stored = shared
        .store
        .transact(|state| {
            if name_is_taken(state, &taken, Some(app.id)) {
                return (Vec::new(), false);
            }
            (vec![Event::ApplicationChanged { id: app.id, change }], true)
        })
        .await;
    match stored {
        Ok(true) => go(&format!("/apps/{}/settings?done=profile", app.id)),
        Ok(false) => again(ProfileErrors::name_taken(&taken)),
        Err(error) => {
            tracing::error!(%error, "application not changed");
            visit.problem(&Problem::not_stored())
        }
    }
}

async fn save(shared: &Shared, visit: &Visit, id: u64, change: ApplicationChange, done: &str) -> Response {
    match shared
        .store
        .commit(Event::ApplicationChanged { id, change })
        .await
    {
        Ok(_) => go(&format!("/apps/{id}/settings?done={done}")),
        Err(error) => {
            tracing::error!(%error, "application not changed");
            visit.problem(&Problem::not_stored())
        }
    }
}
