//! Adding a database, changing its settings, trying whether it opens.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use tailorbird_app::{AddDatabase, App, AppError};
use tailorbird_model::Name;
use tailorbird_model::database::{DatabaseField, DatabaseKind};
use tailorbird_model::{Failure, codes};

use super::filters;
use super::form::Form;
use super::look;
use super::page::{Chrome, failed, go, show_with};
use super::tasks::named;
use super::visit::Visit;
use crate::server::Shared;

/// What the fields of settings are called, before the setting's name.
const FIELD: &str = "s-";

/// Characters of a setting.
const MAX_SETTING: usize = 4_096;

#[derive(Template)]
#[template(path = "databases/form.html")]
struct Page {
    chrome: Chrome,
    /// The database that is changed; empty for a new one.
    existing: String,
    action: String,
    typed: Typed,
    wrong: Wrong,
    fields: Vec<Field>,
    kinds: &'static [DatabaseKind],
}

/// What stands in the form.
#[derive(Clone)]
struct Typed {
    name: String,
    kind: DatabaseKind,
    settings: BTreeMap<String, String>,
    writable: bool,
}

/// What is wrong with it, field by field.
#[derive(Default)]
struct Wrong {
    name: Option<String>,
    settings: BTreeMap<&'static str, String>,
    /// Why it does not open, and whether it can be saved all the same.
    whole: Option<Failure>,
    may_be_saved: bool,
}

impl Wrong {
    fn is_empty(&self) -> bool {
        self.name.is_none() && self.settings.is_empty() && self.whole.is_none()
    }
}

struct Field {
    about: &'static DatabaseField,
    value: String,
    error: Option<String>,
}

fn page(visit: &Visit, existing: String, typed: Typed, wrong: Wrong) -> Response {
    let is_new = existing.is_empty();
    let title = if is_new {
        "Add a database".to_owned()
    } else {
        format!("Settings of {existing}")
    };
    let fields = typed
        .kind
        .fields()
        .iter()
        .map(|about| Field {
            about,
            value: typed.settings.get(about.name).cloned().unwrap_or_default(),
            error: wrong.settings.get(about.name).cloned(),
        })
        .collect();
    let status = if wrong.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = Page {
        chrome: visit.chrome(&title, "databases"),
        action: if is_new {
            "/add-database".to_owned()
        } else {
            format!("/databases/{existing}/settings")
        },
        existing,
        typed,
        wrong,
        fields,
        kinds: DatabaseKind::ALL,
    };
    show_with(status, &page)
}

/// `GET /add-database`.
pub(super) async fn begin(Extension(visit): Extension<Visit>) -> Response {
    let typed = Typed {
        name: String::new(),
        kind: DatabaseKind::Sqlite,
        settings: BTreeMap::new(),
        writable: false,
    };
    page(&visit, String::new(), typed, Wrong::default())
}

/// `GET /databases/{name}/settings`.
pub(super) async fn settings(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
) -> Response {
    let read = move |app: &App| -> Result<_, AppError> {
        let database = app.known_database(&named(&name)?)?;
        Ok(Typed {
            name: database.database.to_string(),
            kind: database.kind,
            settings: database.settings,
            writable: database.writable,
        })
    };
    match look(&shared, read).await {
        Ok(typed) => page(&visit, typed.name.clone(), typed, Wrong::default()),
        Err(error) => failed(&visit, "databases", error),
    }
}

/// `POST /add-database`.
pub(super) async fn add(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    form: Form,
) -> Response {
    save(&shared, &visit, String::new(), &form).await
}

/// `POST /databases/{name}/settings`.
pub(super) async fn change(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    form: Form,
) -> Response {
    let known = {
        let name = name.clone();
        look(&shared, move |app| app.known_database(&named(&name)?))
    };
    match known.await {
        Ok(_) => save(&shared, &visit, name, &form).await,
        Err(error) => failed(&visit, "databases", error),
    }
}

async fn save(shared: &Shared, visit: &Visit, existing: String, form: &Form) -> Response {
    let typed = Typed {
        name: if existing.is_empty() {
            form.get("name").to_owned()
        } else {
            existing.clone()
        },
        kind: DatabaseKind::named(form.get("kind")).unwrap_or(DatabaseKind::Sqlite),
        settings: form
            .beginning(FIELD)
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect(),
        writable: form.get("writable") == "yes",
    };
    let mut wrong = Wrong::default();
    let name = match typed.name.parse::<Name>() {
        Ok(name) => Some(name),
        Err(why) => {
            wrong.name = Some(format!("{why}."));
            None
        }
    };
    for field in typed.kind.fields() {
        let value = typed
            .settings
            .get(field.name)
            .map(String::as_str)
            .unwrap_or_default();
        if field.is_required && value.is_empty() {
            wrong.settings.insert(
                field.name,
                format!("It is needed, for example {}.", field.example),
            );
        } else if value.chars().count() > MAX_SETTING {
            wrong
                .settings
                .insert(field.name, format!("At most {MAX_SETTING} characters."));
        }
    }
    let Some(name) = name.filter(|_| wrong.is_empty()) else {
        return page(visit, existing, typed, wrong);
    };
    let is_taken = {
        let (name, is_new) = (name.clone(), existing.is_empty());
        look(shared, move |app| Ok(is_new && app.known_database(&name).is_ok()))
    };
    if is_taken.await.unwrap_or(false) {
        wrong.name = Some(format!(
            "There is a database of that name. Its settings are changed at its own page, /databases/{name}/settings."
        ));
        return page(visit, existing, typed, wrong);
    }
    let added = AddDatabase {
        name: name.clone(),
        kind: Some(typed.kind),
        settings: typed.settings.clone().into_iter().collect(),
        writable: Some(typed.writable),
    };
    // What can be opened is better than what may be one day; that can be meant, too.
    if form.get("act") != "anyway" {
        let tried = added.clone();
        if let Err(error) = look(shared, move |app| app.try_database(tried)).await {
            let failure = error.failure;
            if failure.code == codes::DATABASE_MISSING
                && let Some(path) = typed.kind.fields().iter().find(|field| field.name == "path")
            {
                wrong
                    .settings
                    .insert(path.name, format!("{}. {}", failure.message, failure.hint));
            }
            wrong.may_be_saved = failure.code != codes::DATABASE_SETTING;
            wrong.whole = Some(failure);
            return page(visit, existing, typed, wrong);
        }
    }
    match visit.app().add_database(added).await {
        Ok(_) => {
            let word = if existing.is_empty() { "added" } else { "changed" };
            go(&format!("/databases/{name}?said=database-{word}"))
        }
        Err(error) => failed(visit, "databases", error),
    }
}

/// `POST /databases/{name}/test`: opens it and says what it found.
pub(super) async fn test(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    _form: Form,
) -> Response {
    let tested = {
        let name = name.clone();
        look(&shared, move |app| Ok(app.database_tables(&named(&name)?)?.len()))
    };
    match tested.await {
        Ok(tables) => go(&format!("/databases/{name}?said=opened&n={tables}")),
        Err(error) => failed(&visit, "databases", error),
    }
}
