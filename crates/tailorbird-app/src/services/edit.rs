//! Changing a service of one's own, and making one from a root URL.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use tailorbird_connector as connector;
use tailorbird_model::{Failure, Meaning, Name, codes, service};
use tailorbird_store::ServiceFile;

use super::{AddedServices, refuse};
use crate::actor::Act;
use crate::connections::setting_of;
use crate::{AddConnection, Added, App, AppError};

/// How many copies of one service get a name of their own.
const MAX_COPIES: usize = 99;

/// How requests to a new web service are authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Not at all.
    Open,
    /// By OAuth 1.0a.
    OAuth1,
}

/// A web service that is described by its root URL.
#[derive(Debug, Clone)]
pub struct NewRestService {
    /// The name of the service, and of its connection.
    pub name: Name,
    /// The name that people read; the short name where empty.
    pub title: String,
    /// The part of its addresses that does not change.
    pub root_url: String,
    /// How requests are authenticated.
    pub authentication: Rest,
}

/// The scheme of a new service that signs; its words are those of most providers.
const OAUTH1: &str = "authentication:
  oauth1:
    signature_method: HMAC-SHA1
    labels:
      client_key: Consumer Key
      client_secret: Shared Secret
      token: Access Token
      token_secret: Access Token Secret
      verifier: Verification Code
";

impl NewRestService {
    /// Its file. Texts are JSON strings, which are YAML strings too (YAML 1.2 §10.2).
    fn yaml(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let title = match self.title.trim() {
            "" => self.name.as_str(),
            title => title,
        };
        let authentication = match self.authentication {
            Rest::Open => "authentication: {}\n",
            Rest::OAuth1 => OAUTH1,
        };
        format!(
            "service: {}\ntitle: {}\nroot_url: {}\n{authentication}operations: {{}}\nverified: never\n",
            self.name,
            quoted(title),
            quoted(self.root_url.trim()),
        )
    }
}

impl App {
    /// Makes a service of one's own from a root URL, and a connection to it.
    ///
    /// # Errors
    /// CONN-002 for a root URL that cannot be used; CONN-007 and SVC-005 where the name is taken. Nothing is made then.
    pub async fn add_rest_service(&self, new: &NewRestService) -> Result<Added, AppError> {
        let yaml = new.yaml();
        let (services, problems) = service::check::read(&yaml);
        let settings = vec![("root_url".to_owned(), new.root_url.clone())];
        if let Some(typed) = services.first() {
            let given: BTreeMap<String, String> = settings.iter().cloned().collect();
            let checked = connector::check_settings(&typed.value, &given);
            if let Some(problem) = checked.problems.into_iter().next() {
                return Err(AppError::usage(problem));
            }
        }
        refuse("of the new service", &problems)?;
        if self.store.connection(&new.name)?.is_some() {
            return Err(crate::connections::name_taken(&new.name).into());
        }
        self.save_service(&new.name, &yaml, None).await?;
        // The connection names the root URL, too: that is what allows an address on this machine or in its network.
        self.add_connection(AddConnection {
            name: new.name.clone(),
            service: Some(new.name.clone()),
            settings,
            secrets: None,
        })
        .await
    }

    /// Adds one service under the name that its file gives; never replaces one.
    ///
    /// # Errors
    /// SVC-002 with all problems; SVC-005 where the name is taken.
    pub async fn add_service(&self, yaml: &str) -> Result<Name, AppError> {
        let (services, problems) = service::check::read(yaml);
        refuse("of the new service", &problems)?;
        let [typed] = services.as_slice() else {
            let count = services.len();
            let hint = "A service file begins with `service: NAME`.";
            return Err(refused(&format!("the file holds {count} services"))
                .hint(hint)
                .into());
        };
        let name = typed.value.service.clone();
        self.add_own_service(&name, &typed.document.source).await?;
        Ok(name)
    }

    /// Replaces the file of a service of one's own, or adds one where `seen` is none.
    ///
    /// # Errors
    /// SVC-002 with all problems; SVC-005 where somebody else changed it since `seen`, or where the name is taken;
    /// SVC-001 where there is none. Nothing is changed then.
    pub async fn save_service(
        &self,
        name: &Name,
        yaml: &str,
        seen: Option<&str>,
    ) -> Result<AddedServices, AppError> {
        let (services, problems) = service::check::read(yaml);
        refuse(&format!("{name}.yaml"), &problems)?;
        let [typed] = services.as_slice() else {
            let count = services.len();
            return Err(refused(&format!("the file holds {count} services")).into());
        };
        if typed.value.service != *name {
            let message = format!("the file is of `{}`, not of `{name}`", typed.value.service);
            let hint = "A service keeps its name, because connections use it. Make a copy for another name.";
            return Err(refused(&message).hint(hint).into());
        }
        let Some(seen) = seen else {
            return self.add_own_service(name, &typed.document.source).await;
        };
        let present = self.service_text(name)?;
        if let Some(why) = present.read_only {
            return Err(refused(&format!("the service `{name}` is not changed here"))
                .hint(why)
                .into());
        }
        if present.revision != seen {
            return Err(changed(name).into());
        }
        let warnings = self.warnings_of_replacing(&typed.value)?;
        let is_saved = if let Some(path) = &present.path {
            self.note(Act::SERVICE_CHANGED, name, "").await?;
            write_whole(Path::new(path), yaml)?;
            true
        } else {
            let file = ServiceFile {
                name: name.clone(),
                yaml: typed.document.source.clone(),
            };
            self.noting(Act::SERVICE_CHANGED, name, "")?
                .store
                .replace_service(file, Some(present.yaml))
                .await?
        };
        if !is_saved {
            return Err(changed(name).into());
        }
        Ok(AddedServices {
            names: vec![name.to_string()],
            warnings,
        })
    }

    async fn add_own_service(&self, name: &Name, yaml: &str) -> Result<AddedServices, AppError> {
        let file = ServiceFile {
            name: name.clone(),
            yaml: yaml.to_owned(),
        };
        let noting = self.noting(Act::SERVICE_CHANGED, name, "")?;
        if self.services().find(name).is_ok() || !noting.store.replace_service(file, None).await? {
            return Err(Failure::new(
                codes::SERVICE_CHANGED,
                Meaning::ConnectionFault,
                format!("there is a service `{name}` already"),
            )
            .hint("Choose another name.")
            .into());
        }
        Ok(AddedServices {
            names: vec![name.to_string()],
            warnings: Vec::new(),
        })
    }

    /// The file of a service under a name that is free, to be changed and added.
    ///
    /// # Errors
    /// SVC-001 with the services there are.
    pub fn copy_of_service(&self, name: &Name) -> Result<(String, String), AppError> {
        let present = self.service_text(name)?;
        let services = self.services();
        let is_free = |copy: &String| {
            copy.parse::<Name>()
                .is_ok_and(|copy| services.find(&copy).is_err())
        };
        let numbered = (2..=MAX_COPIES).map(|number| format!("{name}-copy-{number}"));
        let free = std::iter::once(format!("{name}-copy"))
            .chain(numbered)
            .find(is_free)
            .unwrap_or_else(|| "my-service".to_owned());
        let (old, new) = (format!("service: {name}"), format!("service: {free}"));
        let yaml = present.yaml.replacen(&old, &new, 1);
        Ok((free, yaml))
    }

    /// What is wrong with settings of a connection, each with the setting it is about where that can be told.
    ///
    /// # Errors
    /// SVC-001 for an unknown service.
    pub fn check_settings(
        &self,
        service: &Name,
        settings: &[(String, String)],
    ) -> Result<Vec<(Option<&'static str>, Failure)>, AppError> {
        let services = self.services();
        let (service, _) = services.find(service)?;
        let settings = settings.iter().cloned().collect();
        let problems = connector::check_settings(service, &settings).problems;
        Ok(problems
            .into_iter()
            .map(|problem| (setting_of(&problem), problem))
            .collect())
    }
}

fn refused(message: &str) -> Failure {
    Failure::new(codes::SERVICE_FILE, Meaning::ConnectionFault, message)
}

fn changed(name: &Name) -> Failure {
    Failure::new(
        codes::SERVICE_CHANGED,
        Meaning::ConnectionFault,
        format!("the service `{name}` was changed by somebody else meanwhile"),
    )
    .detail("Nothing was saved.")
    .hint("Compare both, then save again.")
}

/// Writes a file so that whoever reads it sees the old text or the new one, and no half.
fn write_whole(path: &Path, text: &str) -> Result<(), AppError> {
    let draft = path.with_extension("yaml.new");
    let write = || {
        let mut file = std::fs::File::create(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&draft, path)
    };
    write().map_err(|error| {
        let message = format!("could not write {}: {error}", path.display());
        Failure::new(codes::FILE_UNREADABLE, Meaning::NotSent, message).into()
    })
}
