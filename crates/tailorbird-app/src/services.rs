//! The services there are: built in, in the home's folder, and added.

mod edit;
mod shelf;
mod view;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use tailorbird_model::access::Right;
use tailorbird_model::service::{Service, Verified};
use tailorbird_model::yaml::{Problem, shape};
use tailorbird_model::{Failure, Meaning, Name, codes, service};
use tailorbird_store::{Home, ServiceFile, Store};

use crate::actor::Act;
use crate::{App, AppError};

pub use edit::{NewRestService, Rest};
pub(crate) use shelf::Shelf;
pub(crate) use view::revision;
pub use view::{CatalogueEntry, ServiceText};

/// The files that come with the program.
const BUILT_IN: &[(&str, &str)] = &[
    ("x.yaml", include_str!("../../../services/x.yaml")),
    ("x-1.1.yaml", include_str!("../../../services/x-1.1.yaml")),
    ("webhook.yaml", include_str!("../../../services/webhook.yaml")),
    (
        "generic-oauth1.yaml",
        include_str!("../../../services/generic-oauth1.yaml"),
    ),
];

/// The greatest number of service files read from the home's folder.
const MAX_FILES: usize = 1_000;

/// The services there are, by name.
#[derive(Debug, Default)]
pub struct Services {
    entries: BTreeMap<Name, Entry>,
}

#[derive(Debug)]
struct Entry {
    service: Arc<Service>,
    source: String,
    origin: &'static str,
    /// The file it lies in, where that is the home's folder.
    path: Option<PathBuf>,
    /// Whether its file holds no other service.
    is_alone: bool,
}

/// Where a service comes from.
const BUILT_IN_WORDS: &str = "built in";
const ADDED_WORDS: &str = "added";
const FOLDER_WORDS: &str = "home folder";

/// A line of `service list`.
#[derive(Debug, Clone, Serialize)]
pub struct ServiceEntry {
    /// The name.
    pub name: Name,
    /// The title.
    pub title: String,
    /// How many operations it has.
    pub operations: usize,
    /// Where it comes from: built in, home folder, or added.
    #[serde(rename = "from")]
    pub origin: &'static str,
    /// Whether it was ever tried.
    pub verified: String,
}

impl Services {
    /// The services of a home folder, or the built-in ones where there is no home.
    ///
    /// # Errors
    /// SVC-002 with all problems where a file in the home's folder cannot be used.
    pub fn load(home: &Path) -> Result<Self, AppError> {
        match Home::open(home) {
            Ok(opened) => Self::of(home, Some(&Store::open(&opened)?)),
            Err(error) if error.code() == codes::NO_HOME => Self::of(home, None),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn of(home: &Path, store: Option<&Store>) -> Result<Self, AppError> {
        let mut services = Self::default();
        for (file, text) in BUILT_IN {
            services.take(file, text, BUILT_IN_WORDS, None)?;
        }
        let Some(store) = store else {
            return Ok(services);
        };
        for stored in store.services()? {
            services.take(stored.value.name.as_str(), &stored.value.yaml, ADDED_WORDS, None)?;
        }
        for path in files_of(home) {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(&path).map_err(|error| {
                Failure::new(
                    codes::FILE_UNREADABLE,
                    Meaning::NotSent,
                    format!("could not read {name}: {error}"),
                )
            })?;
            services.take(&name, &text, FOLDER_WORDS, Some(&path))?;
        }
        Ok(services)
    }

    fn take(
        &mut self,
        file: &str,
        text: &str,
        origin: &'static str,
        path: Option<&Path>,
    ) -> Result<(), AppError> {
        let (services, problems) = service::check::read(text);
        refuse(file, &problems)?;
        let is_alone = services.len() == 1;
        for typed in services {
            let entry = Entry {
                service: Arc::new(typed.value.clone()),
                source: typed.document.source.clone(),
                origin,
                path: path.map(Path::to_owned),
                is_alone,
            };
            self.entries.insert(typed.value.service, entry);
        }
        Ok(())
    }

    /// All services, by name.
    pub fn list(&self) -> Vec<ServiceEntry> {
        let line = |(name, entry): (&Name, &Entry)| ServiceEntry {
            name: name.clone(),
            title: entry.service.title.clone(),
            operations: entry.service.operations.len(),
            origin: entry.origin,
            verified: verified_words(&entry.service.verified),
        };
        self.entries.iter().map(line).collect()
    }

    /// A service and its text.
    ///
    /// # Errors
    /// SVC-001 with the services there are.
    pub fn find(&self, name: &Name) -> Result<(&Arc<Service>, &str), AppError> {
        let entry = self.entries.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.entries.keys().map(Name::as_str).collect();
            Failure::new(
                codes::SERVICE_UNKNOWN,
                Meaning::ConnectionFault,
                format!("there is no service `{name}`"),
            )
            .hint(shape::suggest(name.as_str(), &known, "Services"))
        })?;
        Ok((&entry.service, &entry.source))
    }
}

fn verified_words(verified: &Verified) -> String {
    match verified {
        Verified::Never => "never".to_owned(),
        Verified::Sandbox => "sandbox".to_owned(),
        Verified::Live(date) => format!("live, {date}"),
    }
}

/// The service files in a home's folder, by name.
fn files_of(home: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = match std::fs::read_dir(home.join("services")) {
        Ok(entries) => entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .take(MAX_FILES)
            .collect(),
        Err(_) => Vec::new(),
    };
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

/// Refuses a service file that cannot be used.
fn refuse(file: &str, problems: &[Problem]) -> Result<(), AppError> {
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    if errors == 0 {
        return Ok(());
    }
    let failure = Failure::new(
        codes::SERVICE_FILE,
        Meaning::ConnectionFault,
        format!("the service file {file} has {errors} problem(s)"),
    )
    .hint("`tailorbird service check FILE` shows each with its line and column.");
    Err(AppError::file(
        failure,
        problems.iter().map(|p| (file.to_owned(), p.clone())).collect(),
    ))
}

/// Checks a service file; counts the services and gives all problems.
pub fn check_services(text: &str) -> (usize, Vec<Problem>) {
    let (services, mut problems) = service::check::read(text);
    if services.is_empty() && problems.is_empty() {
        let start = tailorbird_model::yaml::Position { line: 1, column: 1 };
        problems.push(
            Problem::error(start, "", "the file holds no service")
                .hint("A service file begins with `service: NAME`."),
        );
    }
    (services.len(), problems)
}

/// The JSON Schema of service files.
pub fn service_schema() -> serde_json::Value {
    shape::schema_of::<Service>()
}

/// What `service add` did.
#[derive(Debug, Clone)]
pub struct AddedServices {
    /// The services' names, in the order of the file.
    pub names: Vec<String>,
    /// What a person should know of connections that use a replaced service.
    pub warnings: Vec<String>,
}

impl App {
    /// Adds the services of a file, or replaces them.
    ///
    /// # Errors
    /// SVC-002 with all problems; nothing is added then.
    pub async fn add_services(&self, file: &str, text: &str) -> Result<AddedServices, AppError> {
        self.actor().need(Right::Design)?;
        let (services, problems) = service::check::read(text);
        refuse(file, &problems)?;
        let mut added = AddedServices {
            names: Vec::new(),
            warnings: Vec::new(),
        };
        for typed in services {
            let name = typed.value.service.clone();
            added.warnings.extend(self.warnings_of_replacing(&typed.value)?);
            self.noting(Act::SERVICE_CHANGED, &name, "")?
                .store
                .put_service(ServiceFile {
                    name: name.clone(),
                    yaml: typed.document.source,
                })
                .await?;
            added.names.push(name.to_string());
        }
        Ok(added)
    }

    /// A file may bear the name of a service that connections use already, also of a built-in one; their
    /// secrets then follow its addresses.
    fn warnings_of_replacing(&self, new: &Service) -> Result<Vec<String>, AppError> {
        let services = self.services();
        let Ok((old, _)) = services.find(&new.service) else {
            return Ok(Vec::new());
        };
        let mut warnings = Vec::new();
        for stored in self.store.connections()? {
            let connection = &stored.value;
            if connection.service == new.service {
                let (before, after) = ((&**old, connection), (new, connection));
                warnings.extend(self.secrets_led_elsewhere(
                    &connection.connection,
                    |_| false,
                    before,
                    after,
                )?);
            }
        }
        Ok(warnings)
    }
}
