//! The editor of a connection: a tab for each part, forms from what its service asks for.

mod forms;
mod parts;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use tailorbird_app::{AddConnection, Added, App, AppError, SecretsInput};
use tailorbird_model::{Name, codes};

use super::frame::Frame;
use super::words::in_browser;
use crate::server::Shared;
use crate::web::fields::Field;
use crate::web::filters;
use crate::web::form::Form;
use crate::web::look;
use crate::web::page::{Chrome, failed, go, show_with};
use crate::web::tasks::named;
use crate::web::visit::Visit;
pub(super) use forms::sentence;

/// What the names of secret fields begin with: a form that is kept over the end of a session holds none of them.
pub(super) const SECRET: &str = "secret.";

/// Which tab is looked at.
#[derive(Deserialize)]
pub(in crate::web) struct Asked {
    #[serde(default)]
    tab: String,
}

#[derive(Template)]
#[template(path = "connections/editor.html")]
struct Editor {
    chrome: Chrome,
    frame: Frame,
    tab: &'static str,
    revision: String,
    warnings: Vec<String>,
    /// Why nothing was saved, where no field is its place.
    refused: Option<Refusal>,
    fields: Vec<Field>,
    secrets: Vec<Field>,
    general: Option<parts::General>,
    headers: Vec<(String, String)>,
    service_is_own: bool,
    keys_at: Option<String>,
    token: Option<parts::TokenPart>,
    operations: Vec<parts::OperationRow>,
    limits: Option<parts::Limits>,
}

struct Refusal {
    what: String,
    more: String,
}

/// What was typed, and why it was not taken.
#[derive(Default)]
struct Typed {
    form: Option<Form>,
    error: Option<AppError>,
    problems: Vec<(Option<&'static str>, String)>,
}

fn tab_named(name: &str) -> &'static str {
    super::frame::TABS
        .into_iter()
        .map(|(key, _)| key)
        .find(|key| *key == name)
        .unwrap_or("general")
}

fn page_of(
    app: &App,
    name: &Name,
    tab: &'static str,
    chrome: Chrome,
    typed: Typed,
) -> Result<Editor, AppError> {
    let view = app.connection(name)?;
    let now = app.now();
    let mut forms = forms::of_tab(app, name, tab)?;
    let is_conflict = typed
        .error
        .as_ref()
        .is_some_and(|error| error.failure.code == codes::CONNECTION_CHANGED);
    if let Some(form) = &typed.form {
        forms::put_back(&mut forms.fields, form, is_conflict);
    }
    let mut unplaced: Vec<String> = Vec::new();
    for (setting, words) in typed.problems {
        unplaced.extend(crate::web::fields::place(&mut forms.fields, setting, words));
    }
    let refused = typed.error.map(|error| Refusal {
        what: in_browser(&format!("{} [{}]", error.failure.message, error.failure.code)),
        more: in_browser(&[error.failure.detail, error.failure.hint].join(" ")),
    });
    let refused = refused.or_else(|| {
        (!unplaced.is_empty()).then(|| Refusal {
            what: "Nothing was saved".to_owned(),
            more: unplaced.join(" "),
        })
    });
    let warnings = app.connection_warnings(name)?.into_iter();
    Ok(Editor {
        frame: Frame::of(app, name, tab)?,
        chrome,
        tab,
        revision: view.revision.clone(),
        warnings: warnings
            .filter(|(setting, _)| setting.map_or("auth", super::frame::tab_of) == tab)
            .map(|(_, words)| in_browser(&words))
            .collect(),
        refused,
        fields: forms.fields,
        secrets: forms.secrets,
        general: (tab == "general")
            .then(|| parts::general(app, &view, now))
            .transpose()?,
        headers: forms.headers,
        service_is_own: app.service_text(&view.service)?.read_only.is_none(),
        keys_at: forms.keys_at,
        token: forms.token,
        operations: if tab == "operations" {
            parts::operations(app, name, &view)?
        } else {
            Vec::new()
        },
        limits: (tab == "limits")
            .then(|| parts::limits(app, name, now))
            .transpose()?,
    })
}

/// `GET /connections/{name}?tab=…`.
pub(in crate::web) async fn show(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let tab = tab_named(&asked.tab);
    if tab == "test" {
        return super::tryout::show_tab(&shared, &visit, &name).await;
    }
    render(&shared, &visit, &name, tab, StatusCode::OK, Typed::default()).await
}

async fn render(
    shared: &Shared,
    visit: &Visit,
    name: &str,
    tab: &'static str,
    status: StatusCode,
    typed: Typed,
) -> Response {
    let (name, chrome) = match named(name) {
        Ok(name) => (name.clone(), visit.chrome(name.as_str(), "connections")),
        Err(error) => return failed(visit, "connections", error),
    };
    match look(shared, move |app| page_of(app, &name, tab, chrome, typed)).await {
        Ok(page) => show_with(status, &page),
        Err(error) => failed(visit, "connections", error),
    }
}

/// `POST /connections/{name}/save`: what was changed on a tab.
pub(in crate::web) async fn save(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    form: Form,
) -> Response {
    let tab = tab_named(form.get("tab"));
    let mut typed = Typed {
        form: Some(form.clone()),
        ..Typed::default()
    };
    match saved(visit.app(), &name, tab, &form, &mut typed).await {
        Ok(Some(added)) => {
            let word = if added.warnings.iter().any(|words| words.contains("from now on")) {
                "set-elsewhere"
            } else if added.notes.is_empty() {
                "set"
            } else {
                "set-trimmed"
            };
            go(&format!("/connections/{name}?tab={tab}&said={word}"))
        }
        Ok(None) => {
            render(
                &shared,
                &visit,
                &name,
                tab,
                StatusCode::UNPROCESSABLE_ENTITY,
                typed,
            )
            .await
        }
        Err(error) if error.failure.code == codes::CONNECTION_CHANGED => {
            typed.error = Some(error);
            render(&shared, &visit, &name, tab, StatusCode::CONFLICT, typed).await
        }
        Err(error) if error.failure.code == codes::CONNECTION_UNKNOWN => failed(&visit, "connections", error),
        Err(error) => {
            typed.error = Some(error);
            render(
                &shared,
                &visit,
                &name,
                tab,
                StatusCode::UNPROCESSABLE_ENTITY,
                typed,
            )
            .await
        }
    }
}

/// Saves a tab; nothing where a field has a problem, which is then in `typed`.
async fn saved(
    app: &App,
    name: &str,
    tab: &'static str,
    form: &Form,
    typed: &mut Typed,
) -> Result<Option<Added>, AppError> {
    let name = named(name)?;
    let view = app.connection(&name)?;
    // Only what the tab asks for: a form cannot change what it does not show.
    let settings: Vec<(String, String)> = forms::settings_of(tab)
        .iter()
        .filter_map(|setting| Some(((*setting).to_owned(), form.raw(setting)?.to_owned())))
        .collect();
    let mut all: std::collections::BTreeMap<String, String> = view.settings.clone();
    all.extend(settings.iter().cloned());
    let all: Vec<(String, String)> = all.into_iter().collect();
    for (setting, failure) in app.check_settings(&view.service, &all)? {
        let words = [failure.message, failure.detail, failure.hint].join(". ");
        typed.problems.push((setting, sentence(&words)));
    }
    if !typed.problems.is_empty() {
        return Ok(None);
    }
    let add = AddConnection {
        name,
        service: None,
        settings,
        secrets: if tab == "auth" { secrets_of(form) } else { None },
    };
    app.change_connection(add, form.get("seen")).await.map(Some)
}

/// The secrets that were typed; empty ones stay as they are.
fn secrets_of(form: &Form) -> Option<SecretsInput> {
    let given = |name: &str| {
        let typed = form.raw(&format!("{SECRET}{name}"))?;
        (!typed.trim().is_empty()).then(|| typed.to_owned())
    };
    let secrets = SecretsInput {
        client_key: given("client_key"),
        client_secret: given("client_secret"),
        token: given("token"),
        token_secret: given("token_secret"),
        rsa_private_key: given("rsa_private_key"),
    };
    let is_any = secrets.client_key.is_some()
        || secrets.client_secret.is_some()
        || secrets.token.is_some()
        || secrets.token_secret.is_some()
        || secrets.rsa_private_key.is_some();
    is_any.then_some(secrets)
}
