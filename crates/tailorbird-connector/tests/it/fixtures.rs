//! Services, connections and credentials that the tests share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tailorbird_connector::{Clock, Connector, Resolved, TransportSettings, resolve};
use tailorbird_model::account::Account;
use tailorbird_model::connection::Connection;
use tailorbird_model::ports::Credentials;
use tailorbird_model::service::Service;
use tailorbird_model::{Failure, Value};
use tailorbird_oauth::{ClientCredentials, TokenCredentials};

pub const CLIENT_KEY: &str = "client-key-1";
pub const CLIENT_SECRET: &str = "canary-client-secret";
pub const TOKEN: &str = "42-canary-token";
pub const TOKEN_SECRET: &str = "canary-token-secret";

/// Reads a shipped service file.
pub fn shipped(name: &str) -> Service {
    let path = format!("{}/../../services/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    service(&std::fs::read_to_string(path).unwrap())
}

/// Reads a service file's text.
pub fn service(yaml: &str) -> Service {
    let (mut services, problems) = tailorbird_model::service::check::read(yaml);
    assert!(problems.is_empty(), "{problems:#?}");
    services.remove(0).value
}

pub fn connection(service: &Service, settings: &[(&str, &str)]) -> Connection {
    Connection {
        connection: "c".parse().unwrap(),
        service: service.service.clone(),
        settings: settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        account: Some(Account {
            id: "42".to_owned(),
            name: "tailor".to_owned(),
        }),
        level: None,
        authorized_at: None,
    }
}

pub fn resolved(service: &Service, settings: &[(&str, &str)]) -> Resolved {
    resolve(service, &connection(service, settings)).unwrap()
}

/// The shipped service `x` at a root.
pub fn x_at(root: &str) -> Resolved {
    resolved(&shipped("x"), &[("root_url", root)])
}

pub fn credentials() -> Credentials {
    Credentials {
        client: Some(ClientCredentials::new(CLIENT_KEY, CLIENT_SECRET)),
        token: Some(TokenCredentials::new(TOKEN, TOKEN_SECRET)),
        rsa_private_key: None,
        ..Credentials::default()
    }
}

pub fn arguments(pairs: &[(&str, Value)]) -> BTreeMap<String, Value> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

pub fn post(text: &str) -> BTreeMap<String, Value> {
    arguments(&[("text", text.into())])
}

/// Short time-outs, so that a test of one does not wait.
pub fn quick() -> TransportSettings {
    TransportSettings {
        connect_timeout: Duration::from_millis(500),
        read_timeout: Duration::from_millis(400),
        total_timeout: Duration::from_millis(900),
        ..TransportSettings::default()
    }
}

pub fn connector() -> Connector {
    Connector::new(TransportSettings::default()).unwrap()
}

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct Standing(pub Mutex<Timestamp>);

impl Standing {
    pub fn at(text: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(text.parse().unwrap())))
    }
}

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Everything of a failure, as a log or a screen could show it.
pub fn whole(failure: &Failure) -> String {
    format!(
        "{failure} {failure:?} {}",
        serde_json::to_string(failure).unwrap()
    )
}
