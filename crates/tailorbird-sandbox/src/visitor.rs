//! A person in front of the pages, for programs: [`Visitor`] walks the portal's real pages and forms.
//!
//! The demo uses it in place of a back door, so that sign-in, application form and consent page really are in
//! the way. It reads each form from the page it was given, hidden fields included, and sends what a browser
//! would send.

mod html;
#[cfg(test)]
mod html_tests;
mod walk;

use std::collections::BTreeMap;
use std::fmt;

use url::Url;

use self::html::Page;
use crate::state::Level;

/// Why a visit came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VisitError {
    /// The page answered with a refusal.
    #[error("page {page} answered {status}: {said}")]
    Refused {
        /// The page's path.
        page: String,
        /// The HTTP status.
        status: u16,
        /// The page's heading, and the errors beside the fields.
        said: String,
    },
    /// The page lacks what a person would look for.
    #[error("page {page} has no {what}")]
    Missing {
        /// The page's path.
        page: String,
        /// What was looked for.
        what: String,
    },
    /// An address is no address, or does not lead to this sandbox.
    #[error("address {0:?} does not lead to a page of this sandbox")]
    Elsewhere(String),
    /// The pages sent the visitor in circles.
    #[error("page {page} redirected more than {most} times")]
    Circles {
        /// The page's path.
        page: String,
        /// The limit.
        most: usize,
    },
    /// A page is longer than any page of the portal.
    #[error("page {page} is longer than {most} bytes or was cut off")]
    TooLong {
        /// The page's path.
        page: String,
        /// The limit in bytes.
        most: usize,
    },
    /// No application of the signed-in account has this client key.
    #[error("no application has the client key {0:?}")]
    NoApplication(String),
}

/// What a person answers on the consent page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// *Authorize app*.
    Approve,
    /// *Cancel*.
    Deny,
}

/// What the consent page ended with. `Debug` hides the verifiers.
#[derive(Clone, PartialEq, Eq)]
pub enum Consent {
    /// The PIN to type into the application.
    Pin(String),
    /// The address the browser is sent to: the callback with `oauth_verifier`, or with `denied`.
    Redirect(String),
    /// The refusal was accepted, and there is no address to go back to.
    Denied,
}

impl fmt::Debug for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pin(_) => "Pin(…)",
            Self::Redirect(_) => "Redirect(…)",
            Self::Denied => "Denied",
        })
    }
}

/// The three addresses of the Details tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthUrls {
    /// Where temporary credentials are asked for (RFC 5849 §2.1).
    pub request_token: String,
    /// Where a person approves (RFC 5849 §2.2).
    pub authorize: String,
    /// Where the verifier is exchanged (RFC 5849 §2.3).
    pub access_token: String,
}

/// What the Details tab shows. `Debug` hides the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ApplicationKeys {
    /// The client key ("consumer key", "API key").
    pub client_key: String,
    /// The client secret ("consumer secret", "shared secret").
    pub client_secret: String,
    /// The three addresses.
    pub urls: OAuthUrls,
}

impl fmt::Debug for ApplicationKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApplicationKeys")
            .field("client_key", &self.client_key)
            .field("client_secret", &"…")
            .field("urls", &self.urls)
            .finish()
    }
}

/// Walks the real pages and forms in process, with a cookie jar of its own.
#[derive(Clone)]
pub struct Visitor {
    app: axum::Router,
    portal: String,
    username: String,
    password: String,
    jar: BTreeMap<String, String>,
}

impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visitor")
            .field("portal", &self.portal)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

impl Visitor {
    /// `portal` is the root address of the portal, such as `http://127.0.0.1:7081`.
    pub(crate) fn new(app: axum::Router, mut portal: String, username: String, password: String) -> Self {
        portal.truncate(portal.trim_end_matches('/').len());
        Self {
            app,
            portal,
            username,
            password,
            jar: BTreeMap::new(),
        }
    }

    /// The same person under another account of the sandbox; signs in when next asked to.
    #[must_use]
    pub fn as_account(mut self, username: &str, password: &str) -> Self {
        username.clone_into(&mut self.username);
        password.clone_into(&mut self.password);
        self.jar.clear();
        self
    }

    /// Signs in on the sign-in page.
    ///
    /// # Errors
    /// [`VisitError::Refused`] where name or password is wrong.
    pub async fn sign_in(&mut self) -> Result<(), VisitError> {
        let page = self.get("/signin").await?;
        if !page.path.starts_with("/signin") {
            return Ok(());
        }
        let mut form = page.form("/signin")?;
        form.fill("username", &self.username)?;
        form.fill("password", &self.password)?;
        self.send(form).await?.expect_ok().map(drop)
    }

    /// Registers an application with the form *Create an app* and reads its keys from the Details tab. An
    /// empty `callback` means none: only the PIN works then.
    ///
    /// # Errors
    /// [`VisitError::Refused`] with what stands beside the fields, where one is refused.
    pub async fn create_application(
        &mut self,
        name: &str,
        description: &str,
        website: &str,
        callback: &str,
    ) -> Result<ApplicationKeys, VisitError> {
        let page = self.signed_in_page("/apps/new").await?;
        let mut form = page.form("/apps/new")?;
        form.fill("name", name)?;
        form.fill("description", description)?;
        form.fill("website", website)?;
        form.fill("callback", callback)?;
        let details = self.send(form).await?.expect_ok()?;
        keys(&details)
    }

    /// Chooses the application type on the Settings tab.
    ///
    /// # Errors
    /// [`VisitError::NoApplication`] where the account has no application with this key.
    pub async fn set_level(&mut self, client_key: &str, level: Level) -> Result<(), VisitError> {
        let details = self.find_application(client_key).await?;
        let path = format!("{}/settings", details.path.split('?').next().unwrap_or_default());
        let settings = self.get(&path).await?.expect_ok()?;
        let mut form = settings.form(&format!("{path}/level"))?;
        form.choose("level", level.as_str())?;
        self.send(form).await?.expect_ok().map(drop)
    }

    /// Reads the keys of an application again, from its Details tab.
    ///
    /// # Errors
    /// [`VisitError::NoApplication`] where the account has no application with this key.
    pub async fn application_keys(&mut self, client_key: &str) -> Result<ApplicationKeys, VisitError> {
        let details = self.find_application(client_key).await?;
        keys(&details)
    }

    /// Opens the consent page at the address a client printed, signs in there if asked to, and decides.
    ///
    /// # Errors
    /// [`VisitError::Elsewhere`] where the address is not this sandbox's; [`VisitError::Refused`] where the
    /// request token is unknown, old or used.
    pub async fn consent(&mut self, authorize_url: &str, decision: Decision) -> Result<Consent, VisitError> {
        let path = self.own_path(authorize_url)?;
        let page = self.get(&path).await?.expect_ok()?;
        let action = path.split('?').next().unwrap_or_default().to_owned();
        let mut form = page.form(&action)?;
        if form.has("username") {
            form.fill("username", &self.username)?;
            form.fill("password", &self.password)?;
        }
        form.press(
            "decision",
            if decision == Decision::Approve {
                "authorize"
            } else {
                "cancel"
            },
        )?;
        let answer = self.send_once(form).await?;
        if let Some(address) = answer.location {
            return Ok(Consent::Redirect(address));
        }
        let page = answer.page.expect_ok()?;
        match decision {
            Decision::Deny => Ok(Consent::Denied),
            Decision::Approve => page
                .text_of("id", "pin")
                .map(Consent::Pin)
                .ok_or_else(|| page.missing("PIN")),
        }
    }

    /// A page for signed-in people: signs in on the way where the portal asks for it.
    async fn signed_in_page(&mut self, path: &str) -> Result<Page, VisitError> {
        let page = self.get(path).await?;
        if page.path.starts_with("/signin") {
            self.sign_in().await?;
            return self.get(path).await?.expect_ok();
        }
        page.expect_ok()
    }

    /// The Details tab of the application with this key, found through the list as a person would.
    async fn find_application(&mut self, client_key: &str) -> Result<Page, VisitError> {
        let list = self.signed_in_page("/apps").await?;
        let links = list.links().into_iter().filter(|link| {
            link.strip_prefix("/apps/")
                .is_some_and(|id| id.chars().all(|c| c.is_ascii_digit()) && !id.is_empty())
        });
        for link in links.collect::<Vec<_>>() {
            let details = self.get(&link).await?.expect_ok()?;
            if details.text_of("data-field", "client_key").as_deref() == Some(client_key) {
                return Ok(details);
            }
        }
        Err(VisitError::NoApplication(client_key.to_owned()))
    }

    /// Path and query of an address of this sandbox.
    fn own_path(&self, address: &str) -> Result<String, VisitError> {
        let elsewhere = || VisitError::Elsewhere(address.to_owned());
        let own = Url::parse(&self.portal).map_err(|_| elsewhere())?;
        let url = own.join(address).map_err(|_| elsewhere())?;
        if url.origin() != own.origin() {
            return Err(elsewhere());
        }
        Ok(url.query().map_or_else(
            || url.path().to_owned(),
            |query| format!("{}?{query}", url.path()),
        ))
    }
}

/// Reads the Details tab.
fn keys(details: &Page) -> Result<ApplicationKeys, VisitError> {
    let field = |name: &str| {
        details
            .text_of("data-field", name)
            .ok_or_else(|| details.missing(name))
    };
    Ok(ApplicationKeys {
        client_key: field("client_key")?,
        client_secret: field("client_secret")?,
        urls: OAuthUrls {
            request_token: field("request_token_url")?,
            authorize: field("authorize_url")?,
            access_token: field("access_token_url")?,
        },
    })
}
