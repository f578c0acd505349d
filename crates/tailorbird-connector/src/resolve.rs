//! A connection resolved: which addresses, which scheme, which headers hold for it.
//!
//! The connection's own settings win over the service file. Invariant: after resolving, every address that
//! credentials may be sent to is in [`Resolved::origins`]; nothing else in this crate adds to that set.

mod addresses;

use std::collections::BTreeSet;
use std::sync::Arc;

use tailorbird_model::connection::Connection;
use tailorbird_model::ports::Credentials;
use tailorbird_model::service::{BodyHash, Labels, Operation, Service, SignatureMethodName};
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_oauth::{Placement, SignatureMethod};
use url::Url;

use crate::nearest::{listed, nearest};
use crate::origin::Origin;
use crate::settings;

pub(crate) use addresses::join;

/// A connection with everything that its service and its own settings say, checked and ready for use.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The connection's name.
    pub connection: Name,
    /// The service it uses.
    pub service: Arc<Service>,
    /// The address that paths are joined to; absent while the connection is incomplete.
    pub root_url: Option<Url>,
    /// How requests are authenticated.
    pub scheme: Scheme,
    /// The id of the connection's account, once known.
    pub account_id: Option<String>,
    /// Where requests and credentials may go.
    pub origins: BTreeSet<Origin>,
    /// Private and loopback places that the connection's own settings name and thereby allow.
    pub allowed_private: BTreeSet<Origin>,
    /// The origin that replaces the service file's own one, where the connection moved the service.
    moved: Option<Origin>,
}

/// How requests are authenticated.
#[derive(Debug, Clone)]
pub enum Scheme {
    /// Not at all.
    None,
    /// By an OAuth 1.0a signature (RFC 5849).
    OAuth1(Box<OAuth1Settings>),
}

/// What signing needs to know, besides credentials.
#[derive(Debug, Clone)]
pub struct OAuth1Settings {
    /// Where temporary credentials are requested (RFC 5849 §2.1).
    pub temporary_credentials_url: Option<Url>,
    /// Where the account's owner approves (RFC 5849 §2.2).
    pub authorization_url: Option<Url>,
    /// Where the verifier is exchanged (RFC 5849 §2.3).
    pub token_url: Option<Url>,
    /// The signature method (RFC 5849 §3.4).
    pub signature_method: SignatureMethod,
    /// Where the protocol parameters travel (RFC 5849 §3.5).
    pub placement: Placement,
    /// The realm of the Authorization header.
    pub realm: Option<String>,
    /// Whether bodies that are no forms are hashed into the signature.
    pub body_hash: BodyHash,
    /// The provider's own words.
    pub labels: Labels,
    /// The provider's screen where the keys are found.
    pub keys_at: Option<String>,
}

impl Resolved {
    /// Tells whether the connection leads elsewhere than the service file says: to a sandbox, or another provider,
    /// whose limits and prices are not the published ones.
    pub fn is_moved(&self) -> bool {
        self.moved.is_some()
    }
}

/// One thing that an incomplete connection lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The setting's or secret's name, for example `client_key`.
    pub field: &'static str,
    /// The provider's own word for it, for example "API Key".
    pub label: String,
    /// What to do, in a whole sentence.
    pub hint: String,
}

/// Resolves a connection over its service.
///
/// # Errors
/// CONN-002, CONN-003 and AUTH-007 where a setting cannot be what it says (see
/// [`settings::check_settings`], which gives all problems at once).
pub fn resolve(service: &Service, connection: &Connection) -> Result<Resolved, Failure> {
    let checked = settings::check_settings(service, &connection.settings);
    if let Some(problem) = checked.problems.into_iter().next() {
        return Err(problem);
    }
    let settings = checked.settings;
    let own_root = parsed(settings.get("root_url").map(String::as_str), "root_url")?;
    let file_root = parsed(service.root_url.as_deref(), "root_url")?;
    let moved = match (
        own_root.as_ref().and_then(Origin::of),
        file_root.as_ref().and_then(Origin::of),
    ) {
        (Some(to), Some(from)) if to != from => Some(to),
        _ => None,
    };
    let follow = |url: Url| moved.as_ref().and_then(|moved| moved.adopt(&url)).unwrap_or(url);

    let scheme = match &service.authentication.oauth1 {
        None => Scheme::None,
        Some(oauth) => {
            let address = |name: &'static str, file: &Option<String>| -> Result<Option<Url>, Failure> {
                match parsed(settings.get(name).map(String::as_str), name)? {
                    Some(own) => Ok(Some(own)),
                    None => Ok(parsed(file.as_deref(), name)?.map(follow)),
                }
            };
            Scheme::OAuth1(Box::new(OAuth1Settings {
                temporary_credentials_url: address(
                    "temporary_credentials_url",
                    &oauth.temporary_credentials_url,
                )?,
                authorization_url: address("authorization_url", &oauth.authorization_url)?,
                token_url: address("token_url", &oauth.token_url)?,
                signature_method: match settings.get("signature_method") {
                    Some(name) => name
                        .parse()
                        .map_err(|problem| settings::not_valid("signature_method", &problem))?,
                    None => method_of(oauth.signature_method.unwrap_or(SignatureMethodName::HmacSha1)),
                },
                placement: match settings.get("placement") {
                    Some(name) => name
                        .parse()
                        .map_err(|problem| settings::not_valid("placement", &problem))?,
                    None => oauth.placement.map_or(Placement::Header, placement_of),
                },
                realm: settings
                    .get("realm")
                    .cloned()
                    .or_else(|| oauth.realm.clone())
                    .filter(|realm| !realm.is_empty()),
                body_hash: oauth.body_hash,
                labels: oauth.labels.clone(),
                keys_at: oauth.keys_at.clone(),
            }))
        }
    };

    let root_url = own_root.clone().or(file_root);
    let mut origins: BTreeSet<Origin> = root_url.iter().filter_map(Origin::of).collect();
    if let Scheme::OAuth1(oauth) = &scheme {
        let addresses = [
            &oauth.temporary_credentials_url,
            &oauth.authorization_url,
            &oauth.token_url,
        ];
        origins.extend(addresses.into_iter().flatten().filter_map(Origin::of));
    }
    for operation in service.operations.values() {
        if let Ok(url) = Url::parse(&operation.path)
            && moved.is_none()
        {
            origins.extend(Origin::of(&url));
        }
    }
    // Only what a person with the right to make connections typed in allows a private place: a service
    // file may come from anywhere.
    let allowed_private = [
        "root_url",
        "temporary_credentials_url",
        "authorization_url",
        "token_url",
    ]
    .into_iter()
    .filter_map(|name| settings.get(name))
    .filter_map(|url| Origin::parse(url))
    .collect();

    Ok(Resolved {
        connection: connection.connection.clone(),
        service: Arc::new(service.clone()),
        root_url,
        scheme,
        account_id: connection.account.as_ref().map(|account| account.id.clone()),
        origins,
        allowed_private,
        moved,
    })
}

impl Resolved {
    /// The operation of a name.
    ///
    /// # Errors
    /// SVC-003, with the valid names and the nearest one.
    pub fn operation(&self, name: &str) -> Result<&Operation, Failure> {
        if let Some((_, operation)) = self
            .service
            .operations
            .iter()
            .find(|(key, _)| key.as_str() == name)
        {
            return Ok(operation);
        }
        let names = || self.service.operations.keys().map(Name::as_str);
        let hint = match nearest(name, names()) {
            Some(meant) => format!("Did you mean {meant:?}? The service has: {}.", listed(names())),
            None if self.service.operations.is_empty() => {
                "The service has no named operations; call it by method and path, for example 'GET /'."
                    .to_owned()
            }
            None => format!("The service has: {}.", listed(names())),
        };
        Err(Failure::new(
            codes::OPERATION_UNKNOWN,
            Meaning::ConnectionFault,
            format!("service \"{}\" has no operation {name:?}", self.service.service),
        )
        .hint(hint))
    }

    /// The OAuth 1.0a settings, where that is the scheme.
    pub fn oauth1(&self) -> Option<&OAuth1Settings> {
        match &self.scheme {
            Scheme::OAuth1(settings) => Some(settings),
            Scheme::None => None,
        }
    }

    /// The root URL.
    ///
    /// # Errors
    /// AUTH-006 while the connection has none.
    pub fn root(&self) -> Result<&Url, Failure> {
        self.root_url.as_ref().ok_or_else(|| {
            incomplete(
                &self.connection,
                &[Missing {
                    field: "root_url",
                    label: "root URL".to_owned(),
                    hint: format!(
                        "Set it: tailorbird connection add {} --set root_url=https://…",
                        self.connection
                    ),
                }],
            )
        })
    }

    /// The origin to which the connection moved the service, if it did.
    pub(crate) fn new_home(&self) -> Option<&Origin> {
        self.moved.as_ref()
    }

    /// Moves an absolute address of the service file to where the connection moved the service.
    pub(crate) fn follow(&self, url: Url) -> Url {
        self.moved
            .as_ref()
            .and_then(|moved| moved.adopt(&url))
            .unwrap_or(url)
    }
}

/// What a connection still lacks before it can be used; nothing where it is complete.
pub fn missing(resolved: &Resolved, credentials: &Credentials) -> Vec<Missing> {
    let mut list = Vec::new();
    let name = &resolved.connection;
    if resolved.root_url.is_none() {
        list.push(Missing {
            field: "root_url",
            label: "root URL".to_owned(),
            hint: format!("Set it: tailorbird connection add {name} --set root_url=https://…"),
        });
    }
    let Scheme::OAuth1(oauth) = &resolved.scheme else {
        return list;
    };
    let label = |given: &Option<String>, plain: &str| given.clone().unwrap_or_else(|| plain.to_owned());
    let at = oauth
        .keys_at
        .as_ref()
        .map_or_else(String::new, |place| format!(" It is found at: {place}."));
    let secrets =
        |field: &str| format!("Give {field:?} with `tailorbird connection add {name} --secrets -`.{at}");
    let client = credentials.client.as_ref();
    if client.is_none_or(|client| client.key.trim().is_empty()) {
        list.push(Missing {
            field: "client_key",
            label: label(&oauth.labels.client_key, "client key"),
            hint: secrets("client_key"),
        });
    }
    if oauth.signature_method.is_rsa() {
        if rsa_key(credentials).is_none() {
            list.push(Missing {
                field: "rsa_private_key",
                label: "RSA private key".to_owned(),
                hint: secrets("rsa_private_key"),
            });
        }
    } else if client.is_none_or(|client| client.secret.is_empty()) {
        list.push(Missing {
            field: "client_secret",
            label: label(&oauth.labels.client_secret, "client secret"),
            hint: secrets("client_secret"),
        });
    }
    // Without a token address nothing can hand out a token: that is two-legged use (RFC 5849 §3.1).
    if credentials.token.is_none() && oauth.token_url.is_some() {
        list.push(Missing {
            field: "token",
            label: label(&oauth.labels.token, "token"),
            hint: format!("Run `tailorbird connection authorize {name}`; it gets the token with the account owner's consent."),
        });
    }
    list
}

/// The RSA key, from whichever of the two places holds it.
pub(crate) fn rsa_key(credentials: &Credentials) -> Option<&tailorbird_oauth::RsaPrivateKeyPem> {
    credentials
        .rsa_private_key
        .as_ref()
        .or_else(|| credentials.client.as_ref()?.rsa_private_key.as_ref())
        .filter(|pem| !pem.is_empty())
}

/// The failure of using an incomplete connection.
pub fn incomplete(connection: &Name, missing: &[Missing]) -> Failure {
    let fields: Vec<String> = missing
        .iter()
        .map(|lack| format!("{} ({})", lack.label, lack.field))
        .collect();
    let hints: Vec<&str> = missing.iter().map(|lack| lack.hint.as_str()).collect();
    Failure::new(
        codes::CONNECTION_INCOMPLETE,
        Meaning::ConnectionFault,
        format!("connection \"{connection}\" is incomplete"),
    )
    .detail(format!("It lacks: {}.", fields.join(", ")))
    .hint(hints.join(" "))
}

fn parsed(text: Option<&str>, field: &str) -> Result<Option<Url>, Failure> {
    text.map(|text| settings::address(field, text)).transpose()
}

fn method_of(name: SignatureMethodName) -> SignatureMethod {
    match name {
        SignatureMethodName::HmacSha1 => SignatureMethod::HmacSha1,
        SignatureMethodName::HmacSha256 => SignatureMethod::HmacSha256,
        SignatureMethodName::HmacSha512 => SignatureMethod::HmacSha512,
        SignatureMethodName::RsaSha1 => SignatureMethod::RsaSha1,
        SignatureMethodName::RsaSha256 => SignatureMethod::RsaSha256,
        SignatureMethodName::RsaSha512 => SignatureMethod::RsaSha512,
        SignatureMethodName::Plaintext => SignatureMethod::Plaintext,
    }
}

fn placement_of(name: tailorbird_model::service::PlacementName) -> Placement {
    use tailorbird_model::service::PlacementName;
    match name {
        PlacementName::Header => Placement::Header,
        PlacementName::Query => Placement::Query,
        PlacementName::Body => Placement::Body,
    }
}
