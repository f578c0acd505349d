//! `apps`: register applications and change them without the portal's pages.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::answer::{error, invalid, read, storage_failed};
use crate::settings::CALLBACKS_MAX;
use crate::state::{Application, ApplicationChange, Event, Level};
use crate::{Shared, entropy};

/// Letters of a client key and of a client secret, as at X.
const KEY_LETTERS: usize = 25;
const SECRET_LETTERS: usize = 50;
/// Characters of an application's name.
const NAME_MAX: usize = 32;
/// Schemes that no callback may have, because a browser would run or open something.
const CALLBACK_SCHEMES_REFUSED: [&str; 7] = [
    "javascript",
    "data",
    "file",
    "ftp",
    "mailto",
    "telnet",
    "vbscript",
];

const VALID_CREATE: &str = "{\"name\": text, \"description\"?: text, \"website\"?: text, \"level\"?: \"read\", \
                            \"read_write\" or \"read_write_dm\", \"callbacks\"?: [URL]}.";
const VALID_CHANGE: &str = "any of {\"level\", \"callbacks\", \"name\", \"description\", \"website\"}.";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    website: String,
    #[serde(default)]
    level: Level,
    #[serde(default)]
    callbacks: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: Option<String>,
    description: Option<String>,
    website: Option<String>,
    level: Option<Level>,
    callbacks: Option<Vec<String>>,
}

/// `POST apps`.
pub(super) async fn create(State(shared): State<Shared>, body: Bytes) -> Response {
    let create: Create = match read(&body, VALID_CREATE) {
        Ok(create) => create,
        Err(response) => return response,
    };
    if let Err(response) = check_name(&create.name).and_then(|()| check_callbacks(&create.callbacks)) {
        return response;
    }
    let (Ok(client_key), Ok(client_secret)) =
        (entropy::letters(KEY_LETTERS), entropy::letters(SECRET_LETTERS))
    else {
        return no_randomness();
    };
    let now = shared.clock.now();
    let application = |id, owner| Application {
        id,
        client_key: client_key.clone(),
        client_secret: client_secret.as_str().into(),
        name: create.name.clone(),
        description: create.description.clone(),
        website: create.website.clone(),
        level: create.level,
        callbacks: create.callbacks.clone(),
        created_at: now,
        owner,
        own_token: None,
    };
    let done = shared
        .store
        .transact(|state| {
            let owner = state.main_account().map_or(0, |account| account.id);
            (
                vec![Event::ApplicationCreated(application(state.next_id(now), owner))],
                (),
            )
        })
        .await;
    match done {
        Ok(()) => (
            StatusCode::CREATED,
            Json(json!({ "client_key": client_key, "client_secret": client_secret })),
        )
            .into_response(),
        Err(_) => storage_failed(),
    }
}

/// `GET apps`.
pub(super) async fn list(State(shared): State<Shared>) -> Response {
    let apps: Vec<Value> = shared
        .store
        .read(|state| state.applications.values().map(shown).collect());
    Json(apps).into_response()
}

/// `GET apps/KEY`.
pub(super) async fn show(State(shared): State<Shared>, Path(key): Path<String>) -> Response {
    match shared
        .store
        .read(|state| state.application_with_key(&key).map(shown))
    {
        Some(app) => Json(app).into_response(),
        None => unknown(&key),
    }
}

/// `POST apps/KEY`.
pub(super) async fn change(State(shared): State<Shared>, Path(key): Path<String>, body: Bytes) -> Response {
    let change: Change = match read(&body, VALID_CHANGE) {
        Ok(change) => change,
        Err(response) => return response,
    };
    let checked = change
        .name
        .as_deref()
        .map_or(Ok(()), check_name)
        .and_then(|()| change.callbacks.as_deref().map_or(Ok(()), check_callbacks));
    if let Err(response) = checked {
        return response;
    }
    let change = ApplicationChange {
        name: change.name,
        description: change.description,
        website: change.website,
        level: change.level,
        callbacks: change.callbacks,
    };
    let done = shared
        .store
        .transact(|state| match state.application_with_key(&key) {
            Some(application) => (
                vec![Event::ApplicationChanged {
                    id: application.id,
                    change,
                }],
                true,
            ),
            None => (Vec::new(), false),
        })
        .await;
    match done {
        Ok(true) => show(State(shared), Path(key)).await,
        Ok(false) => unknown(&key),
        Err(_) => storage_failed(),
    }
}

/// An application without its secret: that is told once, when it is made, and on the portal's page.
fn shown(application: &Application) -> Value {
    json!({
        "id": application.id.to_string(),
        "client_key": application.client_key,
        "name": application.name,
        "description": application.description,
        "website": application.website,
        "level": application.level,
        "callbacks": application.callbacks,
        "created_at": application.created_at,
    })
}

fn unknown(key: &str) -> Response {
    error(
        StatusCode::NOT_FOUND,
        "SANDBOX-024",
        "application does not exist",
        &format!("No application has the client key \"{key}\"."),
        "GET /_sandbox/apps lists the applications.",
    )
}

fn no_randomness() -> Response {
    error(
        StatusCode::INTERNAL_SERVER_ERROR,
        "SANDBOX-025",
        "could not get random bytes from the operating system",
        "Keys cannot be made without them.",
        "Try again; if it goes on, restart the machine.",
    )
}

#[expect(
    clippy::result_large_err,
    reason = "the answer is the error; it is made once a request"
)]
fn check_name(name: &str) -> Result<(), Response> {
    let length = name.trim().chars().count();
    if (1..=NAME_MAX).contains(&length) {
        return Ok(());
    }
    Err(invalid(
        &format!("`name` has {length} characters."),
        &format!("Give 1 to {NAME_MAX} characters, not only spaces."),
    ))
}

#[expect(
    clippy::result_large_err,
    reason = "the answer is the error; it is made once a request"
)]
fn check_callbacks(callbacks: &[String]) -> Result<(), Response> {
    if callbacks.len() > CALLBACKS_MAX {
        return Err(invalid(
            &format!("{} callback URLs were given.", callbacks.len()),
            &format!("Give at most {CALLBACKS_MAX}."),
        ));
    }
    for callback in callbacks {
        let good = Url::parse(callback).is_ok_and(|url| {
            url.query().is_none()
                && url.fragment().is_none()
                && !CALLBACK_SCHEMES_REFUSED.contains(&url.scheme())
        });
        if !good {
            return Err(invalid(
                &format!("The callback \"{callback}\" cannot be registered."),
                "Give a whole URL without query and fragment, such as http://127.0.0.1:7082/oauth/callback.",
            ));
        }
    }
    Ok(())
}
