//! The head and the tabs of a connection's pages.

use tailorbird_app::{App, AppError, ConnectionView};
use tailorbird_look::{initial, tint};
use tailorbird_model::Name;

use crate::web::view::Badge;

/// The tabs, each with its title.
pub(super) const TABS: [(&str, &str); 6] = [
    ("general", "General"),
    ("root", "Root URL and headers"),
    ("auth", "Authentication"),
    ("operations", "Operations"),
    ("limits", "Limits and retries"),
    ("test", "Test"),
];

/// Settings that are set on the tab of the root URL.
pub(super) const ROOT_SETTINGS: [&str; 1] = ["root_url"];
/// Settings that are set on the tab of limits.
pub(super) const LIMIT_SETTINGS: [&str; 2] = ["concurrency", "spending_cap"];
/// Settings that are set on the tab of authentication.
pub(super) const AUTH_SETTINGS: [&str; 6] = [
    "temporary_credentials_url",
    "authorization_url",
    "token_url",
    "signature_method",
    "placement",
    "realm",
];

/// What every page of a connection shows.
pub(super) struct Frame {
    pub name: String,
    pub service: String,
    pub service_title: String,
    pub badge: Badge,
    pub level: Option<String>,
    pub account: Option<Account>,
    pub tabs: Vec<Tab>,
    /// What is missing, and where it is given.
    pub lacks: Option<Lacks>,
    /// Whether its service is signed by OAuth.
    pub signs: bool,
    /// Whether it has a token.
    pub is_authorized: bool,
}

/// An account with its initial.
pub(super) struct Account {
    pub name: String,
    pub id: String,
    pub initial: char,
    pub tint: u32,
}

impl Account {
    pub(super) fn of(account: &tailorbird_model::account::Account) -> Self {
        Self {
            name: account.name.clone(),
            id: account.id.clone(),
            initial: initial(&account.name),
            tint: tint(&account.id),
        }
    }
}

pub(super) struct Tab {
    pub key: &'static str,
    pub title: &'static str,
    pub is_current: bool,
    pub has_problem: bool,
}

pub(super) struct Lacks {
    pub what: String,
    pub link: String,
    pub action: &'static str,
}

/// A connection's badge.
pub(super) fn badge(view: &ConnectionView) -> Badge {
    if view.missing.is_empty() {
        Badge::new("ok", "●", "complete")
    } else {
        Badge::new("wait", "◔", "incomplete")
    }
}

/// On which tab a setting or secret is given.
pub(super) fn tab_of(field: &str) -> &'static str {
    if ROOT_SETTINGS.contains(&field) {
        "root"
    } else if LIMIT_SETTINGS.contains(&field) {
        "limits"
    } else {
        "auth"
    }
}

impl Frame {
    pub(super) fn of(app: &App, name: &Name, tab: &str) -> Result<Self, AppError> {
        let view = app.connection(name)?;
        let warnings = app.connection_warnings(name)?;
        let signs = app.connection_service(name)?.authentication.oauth1.is_some();
        let mut troubled: Vec<&str> = view.missing_fields.iter().map(|field| tab_of(field)).collect();
        troubled.extend(warnings.iter().map(|(setting, _)| setting.map_or("auth", tab_of)));
        let lacks_only_token = view.missing_fields.iter().all(|field| *field == "token");
        let first = view.missing_fields.first();
        Ok(Self {
            name: view.connection.to_string(),
            service: view.service.to_string(),
            badge: badge(&view),
            level: view.level_words.clone().or_else(|| view.level.clone()),
            account: view.account.as_ref().map(Account::of),
            lacks: first.map(|field| Lacks {
                what: view.missing.join(", "),
                link: if lacks_only_token {
                    format!("/connections/{name}/authorize")
                } else {
                    format!("/connections/{name}?tab={}", tab_of(field))
                },
                action: if lacks_only_token {
                    "Get access token and secret"
                } else {
                    "Give it"
                },
            }),
            tabs: TABS
                .into_iter()
                .map(|(key, title)| Tab {
                    key,
                    title,
                    is_current: key == tab,
                    has_problem: troubled.contains(&key),
                })
                .collect(),
            signs,
            is_authorized: view.authorized_at.is_some(),
            service_title: view.service_title,
        })
    }
}
