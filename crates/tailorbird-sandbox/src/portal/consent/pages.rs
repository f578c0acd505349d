//! The pages around a decision.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use jiff::Timestamp;
use url::Url;

use super::{Waiting, abilities};
use crate::oauth::consent::ConsentError;
use crate::portal::field::TextField;
use crate::portal::page::{Chrome, show, show_with};
use crate::portal::problem::Problem;
use crate::portal::signin::{password_field, username_field};
use crate::portal::view::{AppHead, Badge, Notice, Who, plural, shortened};
use crate::portal::visit::{Visit, policy_with_callback};
use crate::settings::{ACCOUNT_PASSWORD, MAIN_ACCOUNT};

/// Digits of a PIN that stand together: three, then four, as people read telephone numbers.
const PIN_FIRST_GROUP: usize = 3;
/// Seconds of a minute.
const MINUTE_S: i64 = 60;

#[derive(Template)]
#[template(path = "oauth/consent.html")]
struct ConsentPage<'a> {
    chrome: Chrome,
    action: &'a str,
    token: &'a str,
    app: AppHead,
    website: &'a str,
    owner: &'a str,
    lowered: bool,
    can: Vec<&'static str>,
    cannot: Vec<&'static str>,
    account: Option<Who>,
    other_account: String,
    destination: Option<&'a str>,
    username: TextField,
    password: TextField,
    demo_username: &'static str,
    demo_password: &'static str,
}

#[derive(Template)]
#[template(path = "oauth/pin.html")]
struct PinPage<'a> {
    chrome: Chrome,
    app_name: &'a str,
    pin: &'a str,
    groups: [String; 2],
    minutes: String,
    account: Who,
    level: Badge,
}

#[derive(Template)]
#[template(path = "oauth/denied.html")]
struct DeniedPage<'a> {
    chrome: Chrome,
    app_name: &'a str,
}

#[derive(Template)]
#[template(path = "oauth/whoa.html")]
struct WhoaPage {
    chrome: Chrome,
    what: &'static str,
    next: &'static str,
    token: Option<String>,
}

/// What was typed into the fields for signing in, and what was wrong with it.
#[derive(Debug, Default)]
pub(super) struct Typed {
    /// The name.
    pub username: String,
    /// What is wrong with the name.
    pub username_error: Option<String>,
    /// What is wrong with the password.
    pub password_error: Option<String>,
}

/// Whom the page is shown to.
pub(super) struct Decider {
    /// Whether the account of the session decides; otherwise the page has fields to sign in.
    pub signed_in: bool,
    /// Whether this account has let the application in before.
    pub standing: bool,
}

/// The question itself.
pub(super) fn consent(
    visit: &Visit,
    waiting: &Waiting,
    decider: &Decider,
    typed: Typed,
    now: Timestamp,
) -> Response {
    let asked = &waiting.asked;
    let level = asked.level;
    let wrong = typed.username_error.is_some() || typed.password_error.is_some();
    let action = visit.here().split('?').next().unwrap_or("/oauth/authorize");
    let mut head = AppHead::new(&waiting.app, "", now);
    head.level = Badge::level(level);
    head.description.clone_from(&asked.description);
    let notice = decider.standing.then(|| Notice {
        tone: "doubt",
        text: "You let this app in before. Authorizing again gives it another token; the old one stays."
            .to_owned(),
    });
    let username = if typed.username.is_empty() && !wrong {
        MAIN_ACCOUNT
    } else {
        &typed.username
    };
    let callback = asked.callback.as_deref();
    let page = ConsentPage {
        chrome: visit
            .chrome(format!("Authorize {}", asked.name), "")
            .notice(notice),
        action,
        token: &waiting.token,
        app: head,
        website: &asked.website,
        owner: &waiting.owner,
        lowered: level < waiting.app.level,
        can: abilities::can(level),
        cannot: abilities::cannot(level),
        account: if decider.signed_in {
            visit.who().cloned()
        } else {
            None
        },
        other_account: format!("{action}?oauth_token={}&force_login=true", waiting.token),
        destination: callback,
        username: username_field().value(username).error(typed.username_error),
        password: password_field().error(typed.password_error),
        demo_username: MAIN_ACCOUNT,
        demo_password: ACCOUNT_PASSWORD,
    };
    let mut response = show_with(
        if wrong {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::OK
        },
        &page,
    );
    if let Some(policy) = callback
        .and_then(|callback| Url::parse(callback).ok())
        .and_then(|url| HeaderValue::from_str(&policy_with_callback(&origin_of(&url))).ok())
    {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// What a policy calls the place of a URL: the origin of a web address, the scheme of any other.
fn origin_of(url: &Url) -> String {
    let origin = url.origin();
    if origin.is_tuple() {
        origin.ascii_serialization()
    } else {
        format!("{}:", url.scheme())
    }
}

/// The page with the PIN.
pub(super) fn pin(visit: &Visit, waiting: &Waiting, pin: &str, account: Who) -> Response {
    let minutes = u64::try_from(waiting.left_s.max(MINUTE_S) / MINUTE_S).unwrap_or(1);
    show(&PinPage {
        chrome: visit.chrome("Your PIN", ""),
        app_name: &waiting.asked.name,
        pin,
        groups: [
            pin.chars().take(PIN_FIRST_GROUP).collect(),
            pin.chars().skip(PIN_FIRST_GROUP).collect(),
        ],
        minutes: plural(minutes, "minute", "minutes"),
        account,
        level: Badge::level(waiting.asked.level),
    })
}

/// The page after a refusal, where there is no address to go back to.
pub(super) fn denied(visit: &Visit, waiting: &Waiting) -> Response {
    show(&DeniedPage {
        chrome: visit.chrome("Not authorized", ""),
        app_name: &waiting.asked.name,
    })
}

/// The page for a token that cannot be decided on.
pub(super) fn whoa(visit: &Visit, error: &ConsentError, token: &str) -> Response {
    const ANEW: &str =
        "Go back to the app and start anew: it will ask for a fresh request token and send you here again.";
    let (status, what, next) = match error {
        ConsentError::Unknown if token.is_empty() => (
            StatusCode::BAD_REQUEST,
            "The address of this page has no request token in it.",
            "A client adds ?oauth_token=… to the authorize URL after it has called the request token URL. Perhaps only the first half of the link was copied.",
        ),
        ConsentError::Unknown => (
            StatusCode::NOT_FOUND,
            "The sandbox does not know this request token.",
            "Perhaps the sandbox was started anew without its state file, the app was deleted, or an access token stands where a request token belongs. Go back to the app and start again.",
        ),
        ConsentError::Expired => (
            StatusCode::GONE,
            "This request token is too old. One lives for ten minutes.",
            ANEW,
        ),
        ConsentError::Denied => (
            StatusCode::GONE,
            "This request token was refused, or the app's keys have changed since.",
            ANEW,
        ),
        ConsentError::Used => (
            StatusCode::GONE,
            "This request token was used already: the app has exchanged it for an access token.",
            "Nothing is left to do here. To authorize once more, start anew in the app.",
        ),
        ConsentError::Commit(_) => return visit.problem(&Problem::not_stored()),
        ConsentError::Entropy(error) => {
            tracing::error!(%error, "verifier not made");
            return visit.problem(&Problem::internal());
        }
    };
    show_with(
        status,
        &WhoaPage {
            chrome: visit.chrome("Whoa there!", ""),
            what,
            next,
            token: (!token.is_empty()).then(|| shortened(token)),
        },
    )
}
