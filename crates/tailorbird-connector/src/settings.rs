//! What a person may set on a connection, and what looks like a slip.
//!
//! A *problem* refuses the setting with the reason; a *warning* lets it pass and says what looks odd. The
//! slip that matters most is the tutorial's own: the access-token address in the authorize box.

mod oauth_addresses;

use std::collections::BTreeMap;
use std::fmt::Display;

use tailorbird_model::connection::{self, SETTINGS};
use tailorbird_model::money::SpendingCap;
use tailorbird_model::ports::Credentials;
use tailorbird_model::service::Service;
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_oauth::{ClientCredentials, Placement, SignatureMethod, TokenCredentials};
use url::Url;

use crate::nearest::{listed, nearest};
use crate::origin::Origin;

pub(crate) use oauth_addresses::{OAuthAddress, refuse_misplaced};

/// The longest setting, in bytes; longer ones are pastes of something else.
const MAX_SETTING_BYTES: usize = 2_048;

/// Settings that have nothing to do with how requests are authenticated.
const FOR_EVERY_SERVICE: [&str; 3] = ["root_url", "concurrency", "spending_cap"];

/// Settings after the check.
#[derive(Debug, Clone, Default)]
pub struct CheckedSettings {
    /// The settings without outer white space.
    pub settings: BTreeMap<String, String>,
    /// What was changed on the way, in whole sentences.
    pub notes: Vec<String>,
    /// Why the settings cannot be used.
    pub problems: Vec<Failure>,
    /// What looks odd and may still be right, in whole sentences.
    pub warnings: Vec<String>,
}

/// Checks a connection's settings over its service. All problems are found at once.
pub fn check_settings(service: &Service, settings: &BTreeMap<String, String>) -> CheckedSettings {
    let mut checked = CheckedSettings::default();
    for (name, given) in settings {
        if !SETTINGS.contains(&name.as_str()) {
            checked.problems.push(unknown(name));
            continue;
        }
        let value = given.trim();
        if value.len() != given.len() {
            checked
                .notes
                .push(format!("White space around {name} was removed."));
        }
        if value.len() > MAX_SETTING_BYTES {
            checked
                .problems
                .push(not_valid(name, &format!("longer than {MAX_SETTING_BYTES} bytes")));
            continue;
        }
        if value.chars().any(char::is_control) {
            checked.problems.push(not_valid(
                name,
                &"it holds a line break or another control character",
            ));
            continue;
        }
        // An empty value takes the setting back.
        if value.is_empty() {
            continue;
        }
        check_one(&mut checked, name, value);
        checked.settings.insert(name.clone(), value.to_owned());
    }
    if checked.problems.is_empty() {
        checked
            .problems
            .extend(oauth_addresses::check(service, &checked.settings));
    }
    if service.authentication.oauth1.is_none() {
        for name in checked
            .settings
            .keys()
            .filter(|name| !FOR_EVERY_SERVICE.contains(&name.as_str()))
        {
            checked.warnings.push(format!(
                "Service \"{}\" does not use OAuth 1.0a, so {name} has no effect.",
                service.service
            ));
        }
    }
    checked
}

fn check_one(checked: &mut CheckedSettings, name: &str, value: &str) {
    match name {
        "signature_method" => {
            if let Err(problem) = value.parse::<SignatureMethod>() {
                checked.problems.push(not_valid(name, &problem));
            }
        }
        "placement" => {
            if let Err(problem) = value.parse::<Placement>() {
                checked.problems.push(not_valid(name, &problem));
            }
        }
        "realm" => {}
        "spending_cap" => {
            if let Err(problem) = value.parse::<SpendingCap>() {
                checked.problems.push(not_valid(name, &problem));
            }
        }
        "concurrency" => {
            if let Err(problem) = connection::concurrency(value) {
                checked.problems.push(not_valid(name, &problem));
            }
        }
        _ => match address(name, value) {
            Err(problem) => checked.problems.push(problem),
            Ok(url) => {
                if let Some(origin) = Origin::of(&url)
                    && !origin.is_secure()
                    && !origin.is_loopback()
                {
                    checked.warnings.push(format!(
                        "{name} is plain http: everybody on the way can read what is sent to {}. Use https where \
                         the provider has it.",
                        origin.host()
                    ));
                }
            }
        },
    }
}

/// Reads an address that a person typed.
///
/// # Errors
/// CONN-002 where it is no absolute http or https address, or has parts that do not belong into it.
pub(crate) fn address(field: &str, text: &str) -> Result<Url, Failure> {
    let hint = "Write the scheme, the host and the path, for example https://api.example.com/1.";
    let refuse = |why: String| Err(not_valid(field, &why).hint(hint));
    let url = match Url::parse(text.trim()) {
        Ok(url) => url,
        Err(problem) => return refuse(format!("it is not a complete address ({problem})")),
    };
    // The text itself is not repeated in these messages: userinfo is a secret.
    if !matches!(url.scheme(), "http" | "https") {
        return refuse(format!(
            "its scheme is {:?}; only http and https are used",
            url.scheme()
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(
            "it holds a user name or password before the host; secrets go in by --secrets".to_owned(),
        );
    }
    if url.fragment().is_some() {
        return refuse("it has a fragment (the part from \"#\" on), which is never sent".to_owned());
    }
    if field == "root_url" && url.query().is_some() {
        return refuse("it has a query (the part from \"?\" on); parameters belong to operations".to_owned());
    }
    Ok(url)
}

/// The failure of a setting whose value cannot be used.
pub(crate) fn not_valid(field: &str, why: &dyn Display) -> Failure {
    Failure::new(
        codes::CONNECTION_SETTING,
        Meaning::ConnectionFault,
        format!("setting {field} cannot be used: {why}"),
    )
}

fn unknown(name: &str) -> Failure {
    let valid = listed(SETTINGS);
    let hint = nearest(name, SETTINGS).map_or_else(
        || format!("The settings are: {valid}."),
        |meant| format!("Did you mean {meant:?}? The settings are: {valid}."),
    );
    Failure::new(
        codes::CONNECTION_SETTING,
        Meaning::ConnectionFault,
        format!("there is no connection setting {name:?}"),
    )
    .hint(hint)
}

/// Credentials after the check.
#[derive(Debug, Clone, Default)]
pub struct CheckedCredentials {
    /// The credentials without outer white space; inner white space is kept.
    pub credentials: Credentials,
    /// What was changed on the way, in whole sentences.
    pub notes: Vec<String>,
    /// What looks odd and may still be right, in whole sentences. No secret is in them.
    pub warnings: Vec<String>,
}

/// Trims credentials and looks for the usual slips of copy and paste.
pub fn check_credentials(service: &Service, given: &Credentials) -> CheckedCredentials {
    let mut checked = CheckedCredentials::default();
    let labels = service
        .authentication
        .oauth1
        .as_ref()
        .map(|oauth| oauth.labels.clone())
        .unwrap_or_default();
    let key_label = labels.client_key.as_deref().unwrap_or("client key");
    let secret_label = labels.client_secret.as_deref().unwrap_or("client secret");
    let token_label = labels.token.as_deref().unwrap_or("token");
    let token_secret_label = labels.token_secret.as_deref().unwrap_or("token secret");

    if let Some(client) = &given.client {
        let tidy = ClientCredentials {
            key: client.key.trim().to_owned(),
            secret: client.secret.trimmed(),
            rsa_private_key: client.rsa_private_key.clone(),
        };
        note_trim(
            &mut checked.notes,
            client.key.trim().len() != client.key.len(),
            key_label,
        );
        note_trim(
            &mut checked.notes,
            client.secret.has_outer_whitespace(),
            secret_label,
        );
        let secret = Shape::of(tidy.secret.expose_for_sealing());
        warn_inner(&mut checked.warnings, &Shape::of(&tidy.key), key_label);
        warn_inner(&mut checked.warnings, &secret, secret_label);
        if looks_swapped(&Shape::of(&tidy.key), &secret) {
            checked.warnings.push(format!(
                "{key_label} and {secret_label} look swapped: the secret is usually the longer one."
            ));
        }
        if !tidy.secret.is_empty() && tidy.key == tidy.secret.expose_for_sealing() {
            checked
                .warnings
                .push(format!("{key_label} and {secret_label} are the same text."));
        }
        checked.credentials.client = Some(tidy);
    }
    if let Some(token) = &given.token {
        let tidy = TokenCredentials::new(token.token.trim(), token.secret.trimmed());
        note_trim(
            &mut checked.notes,
            token.token.trim().len() != token.token.len(),
            token_label,
        );
        note_trim(
            &mut checked.notes,
            token.secret.has_outer_whitespace(),
            token_secret_label,
        );
        warn_inner(&mut checked.warnings, &Shape::of(&tidy.token), token_label);
        warn_inner(
            &mut checked.warnings,
            &Shape::of(tidy.secret.expose_for_sealing()),
            token_secret_label,
        );
        if tidy.token.starts_with("AAAAAAAA") && tidy.token.len() > 80 {
            checked.warnings.push(format!(
                "{token_label} looks like a bearer token (OAuth 2.0); OAuth 1.0a needs the access token with its secret."
            ));
        }
        checked.credentials.token = Some(tidy);
    }
    checked
        .credentials
        .rsa_private_key
        .clone_from(&given.rsa_private_key);
    if let Some(pem) = crate::resolve::rsa_key(given)
        && !pem.expose_for_sealing().contains("PRIVATE KEY-----")
    {
        checked.warnings.push(
            "rsa_private_key does not look like a private key: it begins with \"-----BEGIN PRIVATE KEY-----\" \
             (PKCS#8) or \"-----BEGIN RSA PRIVATE KEY-----\" (PKCS#1)."
                .to_owned(),
        );
    }
    checked
}

/// What may be known about a secret without knowing it.
struct Shape {
    characters: usize,
    inner_white_space: bool,
    quoted: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        Self {
            characters: text.chars().count(),
            inner_white_space: text.chars().any(|c| c.is_whitespace() || c.is_control()),
            quoted: text.len() > 1
                && text.starts_with(['"', '\'', '<', '“'])
                && text.ends_with(['"', '\'', '>', '”']),
        }
    }
}

/// The shortest key and the greatest secret, in characters, that together look swapped: X's keys have 25
/// characters and its secrets 50, and no provider known makes the key longer than the secret by this much.
const SWAPPED_KEY_MIN: usize = 38;
const SWAPPED_SECRET_MAX: usize = 32;

fn looks_swapped(key: &Shape, secret: &Shape) -> bool {
    key.characters >= SWAPPED_KEY_MIN && (1..=SWAPPED_SECRET_MAX).contains(&secret.characters)
}

fn note_trim(notes: &mut Vec<String>, trimmed: bool, label: &str) {
    if trimmed {
        notes.push(format!("White space around {label} was removed."));
    }
}

fn warn_inner(warnings: &mut Vec<String>, shape: &Shape, label: &str) {
    if shape.inner_white_space {
        warnings.push(format!(
            "{label} holds a space or line break inside; it was kept, but keys rarely have one."
        ));
    }
    if shape.quoted {
        warnings.push(format!(
            "{label} stands in quotation marks; they were kept, but they rarely belong to a key."
        ));
    }
}
