//! Registering an application.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::{keys, signed_in, valid};
use crate::Shared;
use crate::portal::field::TextField;
use crate::portal::form::Form;
use crate::portal::page::{self, Chrome, go};
use crate::portal::problem::Problem;
use crate::portal::visit::Visit;
use crate::state::{Application, Event, Level, State as World};

#[derive(Template)]
#[template(path = "apps/new.html")]
struct NewPage {
    chrome: Chrome,
    fields: Vec<TextField>,
}

/// The three fields of the tutorial's form: name, description, website.
pub(super) struct Profile<'a> {
    /// The name as typed.
    pub name: &'a str,
    /// The description as typed.
    pub description: &'a str,
    /// The website as typed.
    pub website: &'a str,
}

/// What is wrong with each of the three fields.
#[derive(Debug, Default)]
pub(super) struct ProfileErrors {
    name: Option<String>,
    description: Option<String>,
    website: Option<String>,
}

impl ProfileErrors {
    /// The name is another application's.
    pub(super) fn name_taken(name: &str) -> Self {
        let text = format!(
            "There is an app named “{name}” already. A name stands for one app only: choose another."
        );
        Self {
            name: Some(text),
            ..Self::default()
        }
    }
}

/// Whether another application than `except` has this name, whatever the case of its letters.
pub(super) fn name_is_taken(state: &World, name: &str, except: Option<u64>) -> bool {
    let name = name.to_lowercase();
    state
        .applications
        .values()
        .any(|app| Some(app.id) != except && app.name.to_lowercase() == name)
}

impl<'a> Profile<'a> {
    /// The three fields of a posted form.
    pub(super) fn from_form(form: &'a Form) -> Self {
        Self {
            name: form.get("name"),
            description: form.get("description"),
            website: form.get("website"),
        }
    }

    /// The cleaned values, or everything that is wrong with them.
    pub(super) fn check(&self) -> Result<[String; 3], ProfileErrors> {
        match (
            valid::name(self.name),
            valid::description(self.description),
            valid::website(self.website),
        ) {
            (Ok(name), Ok(description), Ok(website)) => Ok([name, description, website]),
            (name, description, website) => Err(ProfileErrors {
                name: name.err(),
                description: description.err(),
                website: website.err(),
            }),
        }
    }

    /// The fields, with what was typed and what is wrong.
    pub(super) fn fields(&self, errors: ProfileErrors) -> [TextField; 3] {
        [
            TextField::new(
                "name",
                "Name",
                "Up to 32 characters. It also stands below each post as its source.",
            )
            .value(self.name)
            .error(errors.name),
            TextField::new(
                "description",
                "Description",
                "10 to 200 characters: what the app does with an account.",
            )
            .kind("area")
            .value(self.description)
            .error(errors.description),
            TextField::new(
                "website",
                "Website",
                "A full address, such as https://www.example.com. It is shown, never called.",
            )
            .kind("url")
            .autocomplete("url")
            .value(self.website)
            .error(errors.website),
        ]
    }
}

fn callback_field() -> TextField {
    TextField::new(
        "callback",
        "Callback URL",
        "Where people are sent back to, such as http://127.0.0.1:7082/oauth/callback. Leave it empty to work with a PIN.",
    )
    .data()
    .optional()
}

/// `GET /apps/new`.
pub(in crate::portal) async fn show(Extension(visit): Extension<Visit>) -> Response {
    if let Err(response) = signed_in(&visit, "/apps/new") {
        return response;
    }
    let [name, description, website] = Profile {
        name: "",
        description: "",
        website: "",
    }
    .fields(ProfileErrors::default());
    page::show(&NewPage {
        chrome: visit.chrome("Create an app", "apps"),
        fields: vec![name.focus(), description, website, callback_field()],
    })
}

/// `POST /apps/new`.
pub(in crate::portal) async fn submit(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    form: Form,
) -> Response {
    let owner = match signed_in(&visit, "/apps/new") {
        Ok(owner) => owner,
        Err(response) => return response,
    };
    let profile = Profile::from_form(&form);
    let callbacks = valid::callbacks(form.get("callback"));
    let again = |errors: ProfileErrors, callback_error: Option<String>| {
        let [name, description, website] = profile.fields(errors);
        let callback = callback_field().value(form.get("callback")).error(callback_error);
        page::show_with(
            StatusCode::UNPROCESSABLE_ENTITY,
            &NewPage {
                chrome: visit.chrome("Create an app", "apps"),
                fields: vec![name, description, website, callback],
            },
        )
    };
    let (checked, callbacks) = match (profile.check(), callbacks) {
        (Ok(checked), Ok(callbacks)) => (checked, callbacks),
        (checked, callbacks) => return again(checked.err().unwrap_or_default(), callbacks.err()),
    };
    let [name, description, website] = checked;
    let (client_key, client_secret) = match keys::client_pair() {
        Ok(pair) => pair,
        Err(error) => {
            tracing::error!(%error, "client keys not made");
            return visit.problem(&Problem::internal());
        }
    };
    let now = shared.clock.now();
    let taken = name.clone();
    let made = shared
        .store
        .transact(|state| {
            // Looked up and registered under one lock: of two forms with the same name sent at once, one wins.
            if name_is_taken(state, &name, None) {
                return (Vec::new(), None);
            }
            let id = state.next_id(now);
            let app = Application {
                id,
                client_key,
                client_secret,
                name,
                description,
                website,
                level: Level::default(),
                callbacks,
                created_at: now,
                owner,
                own_token: None,
            };
            (vec![Event::ApplicationCreated(app)], Some(id))
        })
        .await;
    match made {
        Ok(Some(id)) => go(&format!("/apps/{id}?done=created")),
        Ok(None) => again(ProfileErrors::name_taken(&taken), None),
        Err(error) => {
            tracing::error!(%error, "application not registered");
            visit.problem(&Problem::not_stored())
        }
    }
}
