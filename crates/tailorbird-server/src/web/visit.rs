//! Who looks: the session of a browser, opened once by a ticket, and the token of its forms.
//!
//! Loopback is not trust: other programs and other people's browsers on this machine reach the port too. So every page
//! wants a session, and a session wants a link that the server printed, or `tailorbird open`.

use askama::Template;
use axum::Extension;
use axum::extract::{Query, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use tailorbird_app::{Actor, App, Browser};
use tailorbird_model::access::Right;

use super::form::Form;
use super::kept::Kept;
use super::page::{Chrome, go, refused as not_done, show_with};
use super::{look, said};
use crate::door::Caller;
use crate::problem::Problem;
use crate::routes::Access;
use crate::server::Shared;

/// The cookie that remembers light or dark.
const THEME_COOKIE: &str = "tailorbird-theme";

/// For how long a browser keeps a cookie; the server ends sessions earlier.
const COOKIE_SECONDS: u32 = 30 * 24 * 3600;

/// A visit: what every page knows.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    theme: &'static str,
    token: String,
    app: App,
    pub(super) form_token: String,
    here: String,
    in_doubt: u64,
    approvals: u64,
    said: Option<String>,
}

impl Visit {
    /// The use-cases in the visitor's name.
    pub(super) fn app(&self) -> &App {
        &self.app
    }

    /// The browser that looks, as attempts of authorization are bound to it.
    pub(super) fn browser(&self) -> Browser {
        Browser::of_session(&self.token)
    }

    /// The frame of a page in a section of the navigation.
    pub(super) fn chrome(&self, title: &str, section: &'static str) -> Chrome {
        Chrome {
            title: title.to_owned(),
            section,
            theme: self.theme,
            form_token: self.form_token.clone(),
            here: self.here.clone(),
            in_doubt: self.in_doubt,
            approvals: self.approvals,
            administers: self.app.actor().may(Right::Administer),
            said: self.said.clone(),
        }
    }
}

/// Lets in who has a session and the right that the route states; shows everybody else why not.
pub(crate) async fn admit(
    State((shared, access)): State<(Shared, Access)>,
    Extension(caller): Extension<Caller>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let theme = theme_named(cookie(headers, THEME_COOKIE).unwrap_or_default());
    let token = cookie(headers, &session_cookie(&shared))
        .unwrap_or_default()
        .to_owned();
    let session = match shared.program().session(&token).await {
        Ok(session) => session,
        Err(error) => return Problem::store(error.failure).into_response(),
    };
    let Some(session) = session else {
        return refused(theme, Why::NoSession, Kept::read(request).await);
    };
    let waiting = match look(&shared, App::waiting).await {
        Ok(waiting) => waiting,
        Err(error) => return Problem::store(error.failure).into_response(),
    };
    let query = request.uri().query().unwrap_or_default();
    let visit = Visit {
        theme,
        token,
        app: shared.program().acting_as(Actor::link(&caller.address())),
        form_token: session.form_token,
        here: own_path(request.uri().path_and_query().map_or("/", |path| path.as_str())).to_owned(),
        in_doubt: waiting.in_doubt,
        approvals: waiting.approvals,
        said: said::of_query(query),
    };
    if let Access::Right(right) = access
        && let Err(failure) = visit.app.actor().need(right)
    {
        return not_done(&visit, "", StatusCode::FORBIDDEN, failure.into());
    }
    request.extensions_mut().insert(visit);
    next.run(request).await
}

/// Why somebody stands at the gate.
#[derive(Clone, Copy)]
enum Why {
    NoSession,
    TicketUsed,
}

#[derive(Template)]
#[template(path = "gate.html")]
struct Gate {
    theme: &'static str,
    was_used: bool,
    kept: Option<Kept>,
}

fn refused(theme: &'static str, why: Why, kept: Option<Kept>) -> Response {
    show_with(
        StatusCode::UNAUTHORIZED,
        &Gate {
            theme,
            was_used: matches!(why, Why::TicketUsed),
            kept,
        },
    )
}

/// The query of a link that opens a session.
#[derive(Deserialize)]
pub(super) struct Entering {
    #[serde(default)]
    ticket: String,
}

/// `GET /enter?ticket=…`: opens a session, once.
pub(super) async fn enter(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Query(entering): Query<Entering>,
) -> Response {
    let app = shared.program().acting_as(Actor::link(&caller.address()));
    let theme = theme_named(cookie(&headers, THEME_COOKIE).unwrap_or_default());
    match app.open_session(&entering.ticket).await {
        Ok(Some(token)) => {
            let mut response = go("/");
            set_cookie(&mut response, &session_cookie(&shared), &token, COOKIE_SECONDS);
            response
        }
        Ok(None) => {
            // A link that is pressed twice leads in where the first press has opened the session.
            let token = cookie(&headers, &session_cookie(&shared)).unwrap_or_default();
            match app.session(token).await {
                Ok(Some(_)) => go("/"),
                _ => refused(theme, Why::TicketUsed, None),
            }
        }
        Err(error) => Problem::store(error.failure).into_response(),
    }
}

/// `POST /leave`: ends the session.
pub(super) async fn leave(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    _form: Form,
) -> Response {
    if let Err(error) = visit.app().end_session(&visit.token).await {
        return Problem::store(error.failure).into_response();
    }
    let mut response = go("/");
    set_cookie(&mut response, &session_cookie(&shared), "", 0);
    response
}

/// `POST /theme`: remembers light or dark.
pub(super) async fn theme(form: Form) -> Response {
    let mut response = go(own_path(form.get("back")));
    set_cookie(
        &mut response,
        THEME_COOKIE,
        theme_named(form.get("theme")),
        COOKIE_SECONDS,
    );
    response
}

/// A theme by its name; what is none is `auto`.
fn theme_named(name: &str) -> &'static str {
    match name {
        "light" => "light",
        "dark" => "dark",
        _ => "auto",
    }
}

/// A path of this server, or the front page: nobody is led elsewhere by a form's `back`.
fn own_path(path: &str) -> &str {
    let is_own = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n']);
    if is_own { path } else { "/" }
}

/// Cookies know no ports, so each server has its own name for one.
fn session_cookie(shared: &Shared) -> String {
    let url = &shared.addresses().url;
    let port = url.rsplit_once(':').map_or("", |(_, port)| port);
    format!("tailorbird-{port}")
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(known, value)| (known == name).then_some(value))
}

fn set_cookie(response: &mut Response, name: &str, value: &str, seconds: u32) {
    // Lax, so that the way back from a provider's consent page arrives signed in.
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax");
    if let Ok(value) = HeaderValue::try_from(text) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_elsewhere() {
        for own in ["/", "/runs?state=failed", "/deliveries/7"] {
            assert_eq!(own_path(own), own);
        }
        for other in [
            "",
            "https://elsewhere.example",
            "//elsewhere.example",
            "/\\elsewhere.example",
            "/\r\nx: y",
        ] {
            assert_eq!(own_path(other), "/", "{other:?}");
        }
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("a=1; tailorbird-7080=x; b=2"),
        );
        headers.append(header::COOKIE, HeaderValue::from_static("c=3"));
        assert_eq!(cookie(&headers, "tailorbird-7080"), Some("x"));
        assert_eq!(cookie(&headers, "c"), Some("3"));
        assert_eq!(cookie(&headers, "tailorbird-708"), None);
    }
}
