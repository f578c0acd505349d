//! "Get access token and secret": four screens, each an address. Which one is shown follows from what is stored, so the
//! wizard goes on where it stopped, also in another tab and after a restart.

mod screen;

use axum::Extension;
use axum::extract::{Path, Query, RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use tailorbird_app::{AddConnection, App, AppError, CameBack, OAuthAddress};
use tailorbird_model::{Failure, Meaning, Name, codes};

use self::screen::{Chosen, page_of};
use super::editor::sentence;
use crate::server::Shared;
use crate::web::form::Form;
use crate::web::look;
use crate::web::page::{failed, go, refused, show_with};
use crate::web::tasks::named;
use crate::web::visit::Visit;

/// The path of the callback below the server's address.
const CALLBACK_PATH: &str = "/oauth/callback";

/// The field of the code. It proves consent, so its name is that of a secret, which no kept form holds.
const CODE: &str = "secret.code";

/// Which screen is looked at, and which way back was chosen on the first one.
#[derive(Deserialize, Default)]
pub(in crate::web) struct Asked {
    #[serde(default)]
    screen: String,
    #[serde(default)]
    way: String,
}

/// The text that a provider has to have registered.
fn callback_address(shared: &Shared) -> String {
    format!("{}{CALLBACK_PATH}", shared.addresses().url)
}

/// `GET /connections/{name}/authorize`.
pub(in crate::web) async fn wizard(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let chosen = Chosen {
        screen: asked.screen,
        is_callback: asked.way == "callback",
        ..Chosen::default()
    };
    render(&shared, &visit, &name, chosen, StatusCode::OK).await
}

async fn render(
    shared: &Shared,
    visit: &Visit,
    name: &str,
    mut chosen: Chosen,
    status: StatusCode,
) -> Response {
    let name = match named(name) {
        Ok(name) => name,
        Err(error) => return failed(visit, "connections", error),
    };
    chosen.callback = callback_address(shared);
    let chrome = visit.chrome("Get access token and secret", "connections");
    match look(shared, move |app| page_of(app, &name, chrome, chosen)).await {
        Ok(page) => show_with(status, &page),
        Err(error) => failed(visit, "connections", error),
    }
}

/// `POST /connections/{name}/authorize/{action}`.
pub(in crate::web) async fn act(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    Path((name, action)): Path<(String, String)>,
    form: Form,
) -> Response {
    let app = visit.app();
    let is_callback = form.get("way") == "callback";
    let way = if is_callback { "callback" } else { "code" };
    let here = format!("/connections/{name}/authorize");
    let done = async {
        let name = named(&name)?;
        match action.as_str() {
            "address" => {
                set_address(app, &name, OAuthAddress::TemporaryCredentials, &form).await?;
                Ok::<_, AppError>(format!("{here}?screen=2&way={way}"))
            }
            "start" => {
                set_address(app, &name, OAuthAddress::Authorization, &form).await?;
                let callback = is_callback.then(|| callback_address(&shared));
                if let Some(callback) = &callback {
                    refuse_other_host(&headers, callback)?;
                }
                app.authorize_start_in_browser(&name, callback, visit.browser())
                    .await?;
                Ok(here.clone())
            }
            "code" => {
                app.authorize_keep_code(&name, form.raw(CODE).unwrap_or_default())
                    .await?;
                Ok(format!("{here}?screen=4"))
            }
            "exchange" => {
                set_address(app, &name, OAuthAddress::Token, &form).await?;
                app.authorize_exchange(&name).await?;
                Ok(format!("{here}?screen=done"))
            }
            "forget" => {
                app.authorize_forget(&name).await?;
                Ok(format!("{here}?screen=1"))
            }
            _ => Err(unknown(&action).into()),
        }
    };
    match done.await {
        Ok(to) => go(&to),
        Err(error) if error.failure.code == codes::REQUEST_REFUSED => {
            refused(&visit, "connections", StatusCode::NOT_FOUND, error)
        }
        Err(error) => {
            let failure = error.failure;
            let chosen = Chosen {
                screen: match (action.as_str(), failure.code.as_str()) {
                    ("address", _) => "1",
                    ("start", _) => "2",
                    ("code", _) | ("exchange", codes::VERIFIER_REFUSED) => "3",
                    _ => "4",
                }
                .to_owned(),
                is_callback,
                typed: Some(form),
                failure: Some(failure),
                ..Chosen::default()
            };
            render(&shared, &visit, &name, chosen, StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}

fn unknown(action: &str) -> Failure {
    let message = format!("the wizard cannot do {action:?}");
    Failure::new(codes::REQUEST_REFUSED, Meaning::NotSent, message).hint("Nothing was changed.")
}

/// Saves an address that was typed, where it is another one than the one in force.
async fn set_address(app: &App, name: &Name, which: OAuthAddress, form: &Form) -> Result<(), AppError> {
    let Some(typed) = form.raw("address") else {
        return Ok(());
    };
    let in_force = app.oauth_address(name, which)?;
    let typed = typed.trim();
    if in_force.as_deref() == Some(typed) {
        return Ok(());
    }
    if typed.is_empty() && in_force.is_none() {
        let message = format!("setting {} is not given", which.setting());
        return Err(AppError::usage(
            Failure::new(codes::CONNECTION_SETTING, Meaning::ConnectionFault, message)
                .hint("The provider's documentation names this address."),
        ));
    }
    let add = AddConnection {
        name: name.clone(),
        service: None,
        settings: vec![(which.setting().to_owned(), typed.to_owned())],
        secrets: None,
    };
    app.add_connection(add).await.map(drop)
}

/// Refuses the way back by an address that this browser does not use: it would come back without its session.
fn refuse_other_host(headers: &HeaderMap, callback: &str) -> Result<(), AppError> {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    if callback == format!("http://{host}{CALLBACK_PATH}") {
        return Ok(());
    }
    let message =
        format!("this browser calls the server {host}, and the provider would send it to {callback}");
    Err(
        Failure::new(codes::CALLBACK_REFUSED, Meaning::ConnectionFault, message)
            .detail(
                "A browser keeps a session for one of these names only, so it would come back as a stranger.",
            )
            .hint("Open these pages by the address that `tailorbird open` prints, or choose the code.")
            .into(),
    )
}

/// `GET /oauth/callback`: the provider sends the browser back.
pub(in crate::web) async fn callback(
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    // Out of the address at once: it holds the verifier.
    match visit.app().authorize_callback(&query, visit.browser()).await {
        Ok(CameBack::Approved(name)) => go(&format!("/connections/{name}/authorize?screen=4&said=approved")),
        Ok(CameBack::Denied(name)) => go(&format!("/connections/{name}/authorize?screen=denied")),
        Err(error) => refused(&visit, "connections", StatusCode::UNPROCESSABLE_ENTITY, error),
    }
}
