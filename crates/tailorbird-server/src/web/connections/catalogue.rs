//! The catalogue of services, a connection from it, and a web service of one's own from its root URL.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use tailorbird_app::{AddConnection, AppError, CatalogueEntry, NewRestService, Rest};
use tailorbird_model::{Name, codes};

use super::Searched;
use super::editor::sentence;
use crate::server::Shared;
use crate::web::fields::{Field, Kind, place};
use crate::web::filters;
use crate::web::form::Form;
use crate::web::look;
use crate::web::page::{Chrome, failed, go, show as show_page, show_with};
use crate::web::tasks::named;
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "connections/catalogue.html")]
struct Catalogue {
    chrome: Chrome,
    search: String,
    entries: Vec<CatalogueEntry>,
}

/// `GET /catalogue?q=…`.
pub(in crate::web) async fn catalogue(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Query(searched): Query<Searched>,
) -> Response {
    let search = searched.q.clone();
    match look(&shared, move |app| app.catalogue(&search)).await {
        Ok(entries) => show_page(&Catalogue {
            chrome: visit.chrome("Connect a service", "connections"),
            search: searched.q,
            entries,
        }),
        Err(error) => failed(&visit, "connections", error),
    }
}

#[derive(Template)]
#[template(path = "connections/new.html")]
struct New {
    chrome: Chrome,
    /// The service; none for one of one's own.
    service: Option<CatalogueEntry>,
    action: String,
    fields: Vec<Field>,
    refused: Option<String>,
}

const NAME_HINT: &str = "Letters, digits, `-`, `_` and `.`. Tasks call it by this name, so it says whose account it is, for \
                         example `company-x`.";

fn name_field(value: &str) -> Field {
    Field::new(Kind::Data, "name", "Name", NAME_HINT)
        .with(value)
        .focused()
}

/// The form of a connection from the catalogue.
fn fields_of(entry: &CatalogueEntry, form: Option<&Form>) -> Vec<Field> {
    let given = |name: &str| form.map(|form| form.get(name).to_owned()).unwrap_or_default();
    let root = match &entry.root_url {
        Some(root) => Field::new(
            Kind::Data,
            "root_url",
            "Root URL",
            "Leave it empty for the provider itself, or lead this connection to a sandbox.",
        )
        .placeholder(root.clone())
        .optional(),
        None => Field::new(
            Kind::Data,
            "root_url",
            "Root URL",
            "Scheme, host and the path before the operations' paths, for example `https://api.example.com/1`.",
        ),
    };
    vec![name_field(&given("name")), root.with(given("root_url"))]
}

/// The form of a web service of one's own.
fn rest_fields(form: Option<&Form>) -> Vec<Field> {
    let given = |name: &str| form.map(|form| form.get(name).to_owned()).unwrap_or_default();
    vec![
        name_field(&given("name")),
        Field::new(
            Kind::Data,
            "root_url",
            "Root URL",
            "The part of every address that does not change: scheme, host and the path before the operations' paths, without \
             a query. For example `https://api.example.com/1`.",
        )
        .with(given("root_url")),
        Field::new(
            Kind::Choice,
            "authentication",
            "Authentication",
            "How the service knows who calls. The provider's documentation says which one it wants.",
        )
        .with(given("authentication"))
        .choices([("oauth1", "OAuth 1.0a"), ("none", "none")]),
        Field::new(Kind::Text, "title", "Title", "What people read; the name where it is empty.")
            .with(given("title"))
            .optional(),
    ]
}

/// Beside which field a problem stands.
fn field_of(error: &AppError) -> Option<&'static str> {
    match error.failure.code.as_str() {
        codes::CONNECTION_CHANGED | codes::SERVICE_CHANGED => Some("name"),
        _ if error.failure.message.contains("is not a name") => Some("name"),
        _ if error.failure.message.contains("root_url") => Some("root_url"),
        _ => None,
    }
}

fn words(error: &AppError) -> String {
    let failure = &error.failure;
    sentence(&[failure.message.as_str(), &failure.detail, &failure.hint].join(". "))
}

async fn entry(shared: &Shared, name: Name) -> Result<CatalogueEntry, AppError> {
    look(shared, move |app| {
        app.service_text(&name)?;
        let found = app
            .catalogue("")?
            .into_iter()
            .find(|entry| entry.entry.name == name);
        found.ok_or_else(|| {
            let failure = tailorbird_model::Failure::new(
                codes::SERVICE_UNKNOWN,
                tailorbird_model::Meaning::ConnectionFault,
                format!("there is no service `{name}`"),
            );
            failure.into()
        })
    })
    .await
}

fn form_page(
    visit: &Visit,
    service: Option<CatalogueEntry>,
    form: Option<&Form>,
    error: Option<&AppError>,
) -> Response {
    let (title, action) = match &service {
        Some(entry) => (
            format!("Connect {}", entry.entry.title),
            format!("/catalogue/{}", entry.entry.name),
        ),
        None => ("New REST web service".to_owned(), "/new-rest-service".to_owned()),
    };
    let mut fields = match &service {
        Some(entry) => fields_of(entry, form),
        None => rest_fields(form),
    };
    let refused = error.and_then(|error| place(&mut fields, field_of(error), words(error)));
    let status = if error.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    show_with(
        status,
        &New {
            chrome: visit.chrome(&title, "connections"),
            service,
            action,
            fields,
            refused,
        },
    )
}

/// `GET /catalogue/{name}`: the form of a new connection to a service.
pub(in crate::web) async fn offer(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
) -> Response {
    let found = async { entry(&shared, named(&name)?).await };
    match found.await {
        Ok(entry) => form_page(&visit, Some(entry), None, None),
        Err(error) => failed(&visit, "connections", error),
    }
}

/// `POST /catalogue/{name}`: makes a connection to a service.
pub(in crate::web) async fn make(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(service): Path<String>,
    form: Form,
) -> Response {
    let found = async { entry(&shared, named(&service)?).await };
    let entry = match found.await {
        Ok(entry) => entry,
        Err(error) => return failed(&visit, "connections", error),
    };
    let made = async {
        let add = AddConnection {
            name: named(form.get("name"))?,
            service: Some(entry.entry.name.clone()),
            settings: vec![(
                "root_url".to_owned(),
                form.raw("root_url").unwrap_or_default().to_owned(),
            )],
            secrets: None,
        };
        visit.app().new_connection(add).await
    };
    match made.await {
        Ok(added) => go(&first_step(
            added.view.connection.as_str(),
            &added.view.missing_fields,
        )),
        Err(error) => form_page(&visit, Some(entry), Some(&form), Some(&error)),
    }
}

/// `GET /new-rest-service`.
pub(in crate::web) async fn new_rest(Extension(visit): Extension<Visit>) -> Response {
    form_page(&visit, None, None, None)
}

/// `POST /new-rest-service`.
pub(in crate::web) async fn make_rest(Extension(visit): Extension<Visit>, form: Form) -> Response {
    let made = async {
        let new = NewRestService {
            name: named(form.get("name"))?,
            title: form.get("title").to_owned(),
            root_url: form.get("root_url").to_owned(),
            authentication: if form.get("authentication") == "none" {
                Rest::Open
            } else {
                Rest::OAuth1
            },
        };
        visit.app().add_rest_service(&new).await
    };
    match made.await {
        Ok(added) => go(&first_step(
            added.view.connection.as_str(),
            &added.view.missing_fields,
        )),
        Err(error) => form_page(&visit, None, Some(&form), Some(&error)),
    }
}

/// Where a new connection goes on: to its keys where it lacks any, else to its test.
fn first_step(name: &str, missing: &[&str]) -> String {
    let tab = match missing.first() {
        Some(&"root_url") => "root",
        Some(_) => "auth",
        None => "test",
    };
    format!("/connections/{name}?tab={tab}&said=connected")
}
