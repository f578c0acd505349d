//! Who is looking: the session behind each request, and the headers that every page carries.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::page::Chrome;
use super::problem::Problem;
use super::view::Who;
use crate::Shared;
use crate::sessions::Session;

/// The cookie of the session.
const SESSION_COOKIE: &str = "sandbox_session";
/// The cookie of the chosen theme.
const THEME_COOKIE: &str = "sandbox_theme";
/// Seconds for which the theme is remembered: one year.
const THEME_LIFETIME_S: u32 = 31_536_000;
/// Most characters of an address that a form brings back to.
const BACK_MAX: usize = 2_000;

/// Nothing but our own files; no inline script or style; forms only to ourselves; no frames.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The policy of a page whose form may end with a redirect to `callback_origin`: browsers hold redirects after
/// a form to `form-action` too.
pub(super) fn policy_with_callback(callback_origin: &str) -> String {
    POLICY.replace(
        "form-action 'self'",
        &format!("form-action 'self' {callback_origin}"),
    )
}

/// One request's view of the session.
#[derive(Clone)]
pub(super) struct Visit {
    session: Session,
    who: Option<Who>,
    theme: &'static str,
    here: String,
    /// Whether the request was a plain load, which can be repeated.
    loaded: bool,
}

impl Visit {
    /// The signed-in account's id.
    pub(super) const fn account(&self) -> Option<u64> {
        if self.who.is_some() {
            self.session.account
        } else {
            None
        }
    }

    /// The signed-in account as it is shown.
    pub(super) const fn who(&self) -> Option<&Who> {
        self.who.as_ref()
    }

    /// The token of this session's forms.
    pub(super) fn csrf(&self) -> &str {
        &self.session.csrf
    }

    /// The id of the session, to end it.
    pub(super) fn session_id(&self) -> &str {
        &self.session.id
    }

    /// Path and query of this request.
    pub(super) fn here(&self) -> &str {
        &self.here
    }

    /// What every page shows around its content.
    pub(super) fn chrome(&self, title: impl Into<String>, section: &'static str) -> Chrome {
        Chrome {
            title: title.into(),
            section,
            theme: self.theme,
            who: self.who.clone(),
            csrf: self.session.csrf.clone(),
            here: self.here.clone(),
            can_switch: self.loaded,
            notice: None,
        }
    }

    /// The page of a refusal.
    pub(super) fn problem(&self, problem: &Problem) -> Response {
        problem.page(self)
    }

    /// The same visit after signing in.
    pub(super) fn signed_in(&self, session: Session, who: Who) -> Self {
        Self {
            session,
            who: Some(who),
            theme: self.theme,
            here: self.here.clone(),
            loaded: self.loaded,
        }
    }

    /// Tells the browser its session.
    pub(super) fn give_cookie(&self, response: &mut Response) {
        let value = format!(
            "{SESSION_COOKIE}={}; Path=/; HttpOnly; SameSite=Lax",
            self.session.id
        );
        append(response.headers_mut(), header::SET_COOKIE, &value);
    }
}

/// Tells the browser to remember a theme.
pub(super) fn remember_theme(response: &mut Response, theme: &str) {
    let value = format!("{THEME_COOKIE}={theme}; Path=/; Max-Age={THEME_LIFETIME_S}; HttpOnly; SameSite=Lax");
    append(response.headers_mut(), header::SET_COOKIE, &value);
}

/// Tells the browser to forget its session.
pub(super) fn take_cookie(response: &mut Response) {
    let value = format!("{SESSION_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    append(response.headers_mut(), header::SET_COOKIE, &value);
}

/// One of the three themes, or the first.
pub(super) fn theme_named(name: &str) -> &'static str {
    ["auto", "light", "dark"]
        .into_iter()
        .find(|known| *known == name)
        .unwrap_or("auto")
}

/// An address of our own to go back to, or `/`: never another host, however it is written.
pub(super) fn own_path(path: &str) -> &str {
    let own = path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= BACK_MAX
        && path.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    if own { path } else { "/" }
}

/// The middleware of all pages: finds or begins the session, then sends the answer with its headers.
pub(super) async fn attend(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    let known = cookie(request.headers(), SESSION_COOKIE).and_then(|id| shared.sessions.find(id));
    let fresh = known.is_none();
    let session = match known {
        Some(session) => session,
        None => match shared.sessions.begin(None) {
            Ok(session) => session,
            Err(error) => {
                tracing::error!(%error, "portal session not begun");
                return Problem::internal().plain();
            }
        },
    };
    let who = session.account.and_then(|id| {
        shared
            .store
            .read(|state| state.accounts.get(&id).map(Who::account))
    });
    let theme = theme_named(cookie(request.headers(), THEME_COOKIE).unwrap_or("auto"));
    let here = request
        .uri()
        .path_and_query()
        .map_or("/", |it| it.as_str())
        .to_owned();
    let loaded = crate::pipeline::reads(request.method());
    let visit = Visit {
        session,
        who,
        theme,
        here,
        loaded,
    };
    request.extensions_mut().insert(visit.clone());
    let mut response = next.run(request).await.into_response();
    if fresh && !sets_session(response.headers()) {
        visit.give_cookie(&mut response);
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not `no-referrer`: with it browsers send `Origin: null` with our own forms, which the Origin rule
        // would refuse.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

fn sets_session(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::SET_COOKIE)
        .iter()
        .any(|value| value.as_bytes().starts_with(SESSION_COOKIE.as_bytes()))
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

fn append(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.append(name, value);
    }
}
