//! The fields of each tab, from what the service says and what the connection sets.

use tailorbird_app::{App, AppError, ConnectionView};
use tailorbird_model::Name;
use tailorbird_model::service::{OAuth1, Service};

use super::SECRET;
use super::parts::TokenPart;
use crate::web::fields::{Field, Kind};
use crate::web::form::Form;
use crate::web::view::When;

use super::super::frame::{AUTH_SETTINGS, LIMIT_SETTINGS, ROOT_SETTINGS};
use super::super::words::in_browser;

/// What a tab asks for.
#[derive(Default)]
pub(super) struct Forms {
    pub(super) fields: Vec<Field>,
    pub(super) secrets: Vec<Field>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) keys_at: Option<String>,
    pub(super) token: Option<TokenPart>,
}

/// The signature methods, by their registered names.
const METHODS: [&str; 7] = [
    "HMAC-SHA1",
    "HMAC-SHA256",
    "HMAC-SHA512",
    "RSA-SHA1",
    "RSA-SHA256",
    "RSA-SHA512",
    "PLAINTEXT",
];

/// The settings that a tab changes.
pub(super) fn settings_of(tab: &str) -> &'static [&'static str] {
    match tab {
        "root" => &ROOT_SETTINGS,
        "auth" => &AUTH_SETTINGS,
        "limits" => &LIMIT_SETTINGS,
        _ => &[],
    }
}

pub(super) fn of_tab(app: &App, name: &Name, tab: &str) -> Result<Forms, AppError> {
    let view = app.connection(name)?;
    let service = app.connection_service(name)?;
    Ok(match tab {
        "root" => root(&view, &service),
        "limits" => limits(&view),
        "auth" => authentication(app, name, &view, &service)?,
        _ => Forms::default(),
    })
}

/// What the connection itself sets.
fn own(view: &ConnectionView, setting: &str) -> String {
    view.settings.get(setting).cloned().unwrap_or_default()
}

fn root(view: &ConnectionView, service: &Service) -> Forms {
    let hint = match &service.root_url {
        Some(root) => format!(
            "Where the service is. The service file says `{root}`; leave it empty for that, or lead this connection \
             elsewhere, for example to a sandbox."
        ),
        None => "Scheme, host and the path before the operations' paths, without a query, for example \
                 `https://api.example.com/1`."
            .to_owned(),
    };
    let field = Field::new(Kind::Data, "root_url", "Root URL", &hint)
        .with(own(view, "root_url"))
        .placeholder(service.root_url.clone().unwrap_or_default());
    let is_given = service.root_url.is_some();
    Forms {
        fields: vec![if is_given { field.optional() } else { field }],
        headers: service
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        ..Forms::default()
    }
}

fn limits(view: &ConnectionView) -> Forms {
    let at_once = Field::new(
        Kind::Data,
        "concurrency",
        "Requests at once",
        "How many requests may be under way at the same time. Each of them can be in doubt after a crash, so few are \
         better.",
    );
    let cap = Field::new(
        Kind::Data,
        "spending_cap",
        "Spending cap",
        "The most that calls may cost in a day or a month, by the prices of the service file, for example `25.00/day`. \
         Sending waits when it is reached.",
    );
    let usual = tailorbird_model::connection::DEFAULT_CONCURRENCY.to_string();
    Forms {
        fields: vec![
            at_once
                .with(own(view, "concurrency"))
                .placeholder(usual)
                .optional(),
            cap.with(own(view, "spending_cap")).optional(),
        ],
        ..Forms::default()
    }
}

fn authentication(
    app: &App,
    name: &Name,
    view: &ConnectionView,
    service: &Service,
) -> Result<Forms, AppError> {
    let mut forms = Forms::default();
    let now = app.now();
    for secret in app.connection_secrets(name)? {
        let kind = if secret.field == "rsa_private_key" {
            Kind::LongSecret
        } else {
            Kind::Secret
        };
        let mut field = Field::new(kind, &format!("{SECRET}{}", secret.field), &secret.label, "");
        field.stored = secret.set_at.map(|at| When::new(at, now));
        if matches!(secret.field, "token" | "token_secret") {
            let none = || TokenPart {
                is_stored: secret.set_at.is_some(),
                fields: Vec::new(),
            };
            forms.token.get_or_insert_with(none).fields.push(field.optional());
        } else {
            forms.secrets.push(field);
        }
    }
    if let Some(oauth) = &service.authentication.oauth1 {
        forms.keys_at.clone_from(&oauth.keys_at);
        forms.fields = signing(view, oauth);
    }
    Ok(forms)
}

/// How requests are signed, and where the flow asks.
fn signing(view: &ConnectionView, oauth: &OAuth1) -> Vec<Field> {
    let usual = oauth
        .signature_method
        .map_or("HMAC-SHA1", |method| method.as_str());
    let methods = METHODS.map(|method| (method.to_owned(), method.to_owned()));
    let method = Field::new(
        Kind::Choice,
        "signature_method",
        "Signature method",
        "How requests are signed. Nearly all providers take HMAC-SHA1.",
    )
    .with(own(view, "signature_method"))
    .choices(std::iter::once((String::new(), format!("{usual}, as the service says"))).chain(methods));
    let placement = Field::new(
        Kind::Choice,
        "placement",
        "Where the signature travels",
        "The Authorization header, unless the provider's documentation asks for something else.",
    )
    .with(own(view, "placement"))
    .choices([
        ("", "as the service says"),
        ("header", "Authorization header"),
        ("query", "query"),
        ("body", "form body"),
    ]);
    let realm = Field::new(
        Kind::Data,
        "realm",
        "Realm",
        "Some providers want a realm in the header, for example an account's number.",
    )
    .with(own(view, "realm"))
    .placeholder(oauth.realm.clone().unwrap_or_default())
    .optional();
    let addresses = [
        (
            "temporary_credentials_url",
            "Request token URL",
            "It usually ends in `request_token`.",
            &oauth.temporary_credentials_url,
        ),
        (
            "authorization_url",
            "Authorize URL",
            "The page on which the account's owner approves. It usually ends in `authorize`.",
            &oauth.authorization_url,
        ),
        (
            "token_url",
            "Access token URL",
            "It usually ends in `access_token`.",
            &oauth.token_url,
        ),
    ];
    let addresses = addresses.map(|(setting, label, hint, given)| {
        Field::new(Kind::Data, setting, label, hint)
            .with(own(view, setting))
            .placeholder(given.clone().unwrap_or_default())
            .optional()
    });
    [method, placement, realm].into_iter().chain(addresses).collect()
}

/// Puts what was typed into the fields again; in a conflict, says beside each what is saved now.
pub(super) fn put_back(fields: &mut [Field], form: &Form, is_conflict: bool) {
    for field in fields {
        let Some(typed) = form.raw(&field.name) else {
            continue;
        };
        if is_conflict && typed.trim() != field.value {
            field.now = Some(field.value.clone());
        }
        *field = field.clone().with(typed);
    }
}

/// Joined words as sentences, in the words of these pages: no space before a full stop, none twice.
pub(in crate::web::connections) fn sentence(words: &str) -> String {
    let words = in_browser(words);
    let mut text = words.trim().trim_end_matches('.').trim().to_owned();
    while text.contains(". .") || text.contains("..") {
        text = text.replace(". .", ".").replace("..", ".");
    }
    let mut letters = text.chars();
    let text: String = letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default();
    format!("{text}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_keeps_what_was_typed_and_says_what_is_saved() {
        let mut fields = vec![
            Field::new(Kind::Data, "a", "A", "").with("theirs"),
            Field::new(Kind::Data, "b", "B", "").with("same"),
        ];
        put_back(&mut fields, &Form::sent(b"a=mine&b=same"), true);
        assert_eq!(
            (fields[0].value.as_str(), fields[0].now.as_deref()),
            ("mine", Some("theirs"))
        );
        assert_eq!(
            (fields[1].value.as_str(), fields[1].now.as_deref()),
            ("same", None)
        );
    }

    #[test]
    fn words_become_sentences() {
        assert_eq!(sentence("it is wrong. . Do this."), "It is wrong. Do this.");
        assert_eq!(
            sentence("it is wrong. Because. Do this"),
            "It is wrong. Because. Do this."
        );
    }
}
