//! Services as people look for them and read them.

use sha2::{Digest as _, Sha256};
use tailorbird_model::Name;

use super::{BUILT_IN_WORDS, Entry, FOLDER_WORDS, ServiceEntry, verified_words};
use crate::{App, AppError};

/// A service in the catalogue.
#[derive(Debug, Clone)]
pub struct CatalogueEntry {
    /// What `service list` tells.
    pub entry: ServiceEntry,
    /// What it is good for.
    pub description: String,
    /// Where the provider documents it.
    pub docs: Option<String>,
    /// The root URL; none where each connection gives its own.
    pub root_url: Option<String>,
    /// How requests are authenticated, in words.
    pub authentication: &'static str,
    /// How many connections use it.
    pub connections: usize,
}

/// A service's file.
#[derive(Debug, Clone)]
pub struct ServiceText {
    /// The name.
    pub name: Name,
    /// The title.
    pub title: String,
    /// Its file.
    pub yaml: String,
    /// A digest of the file, by which a change in between is noticed.
    pub revision: String,
    /// Where it comes from: built in, home folder, or added.
    pub origin: &'static str,
    /// The file it lies in, where that is the home's folder.
    pub path: Option<String>,
    /// Why it cannot be changed here; none where it can.
    pub read_only: Option<&'static str>,
    /// The connections that use it.
    pub used_by: Vec<String>,
}

/// A digest by which a change of a text is noticed.
pub(crate) fn revision(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let hex = |byte: &u8| format!("{byte:02x}");
    digest.iter().take(8).map(hex).collect()
}

impl Entry {
    fn read_only(&self) -> Option<&'static str> {
        match (self.origin, self.is_alone) {
            (BUILT_IN_WORDS, _) => Some("It comes with the program. Make a copy to change it."),
            (FOLDER_WORDS, false) => {
                Some("Its file holds several services, so it is changed there, or as a copy.")
            }
            _ => None,
        }
    }
}

impl App {
    /// The services whose name, title, description or root URL holds all given words, by title.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn catalogue(&self, search: &str) -> Result<Vec<CatalogueEntry>, AppError> {
        let services = self.services();
        let connections = self.store.connections()?;
        let words: Vec<String> = search.split_whitespace().map(str::to_lowercase).collect();
        let is_wanted = |name: &Name, entry: &Entry| {
            let service = &entry.service;
            let root = service.root_url.as_deref().unwrap_or_default();
            let text = format!("{name} {} {} {root}", service.title, service.description).to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        let mut found: Vec<CatalogueEntry> = services
            .entries
            .iter()
            .filter(|(name, entry)| is_wanted(name, entry))
            .map(|(name, entry)| {
                let service = &entry.service;
                let users = connections.iter().filter(|stored| stored.value.service == *name);
                CatalogueEntry {
                    entry: ServiceEntry {
                        name: name.clone(),
                        title: service.title.clone(),
                        operations: service.operations.len(),
                        origin: entry.origin,
                        verified: verified_words(&service.verified),
                    },
                    description: service.description.clone(),
                    docs: service.docs.clone(),
                    root_url: service.root_url.clone(),
                    authentication: if service.authentication.oauth1.is_some() {
                        "OAuth 1.0a"
                    } else {
                        "no authentication"
                    },
                    connections: users.count(),
                }
            })
            .collect();
        found.sort_by(|one, other| one.entry.title.cmp(&other.entry.title));
        Ok(found)
    }

    /// A service's file, and whether it can be changed.
    ///
    /// # Errors
    /// SVC-001 with the services there are.
    pub fn service_text(&self, name: &Name) -> Result<ServiceText, AppError> {
        let services = self.services();
        let (service, yaml) = services.find(name)?;
        let entry = services.entries.get(name);
        // A file of the home's folder as it lies there: it may hold more than the service, such as a comment before it.
        let path = entry.and_then(|entry| entry.path.as_ref());
        let yaml = path
            .filter(|_| entry.is_some_and(|entry| entry.is_alone))
            .and_then(|path| std::fs::read_to_string(path).ok())
            .unwrap_or_else(|| yaml.to_owned());
        let connections = self.store.connections()?.into_iter();
        Ok(ServiceText {
            name: name.clone(),
            title: service.title.clone(),
            revision: revision(&yaml),
            yaml,
            origin: entry.map_or(BUILT_IN_WORDS, |entry| entry.origin),
            path: path.map(|path| path.display().to_string()),
            read_only: entry.and_then(Entry::read_only),
            used_by: connections
                .filter(|stored| stored.value.service == *name)
                .map(|stored| stored.value.connection.to_string())
                .collect(),
        })
    }
}
